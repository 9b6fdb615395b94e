/* tidemark check: the file, Kafka, Redis, and the state. */
#include "run/check.h"

#include "run/commands.h"
#include "run/config_print.h"
#include "run/kafka_admin.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

struct state_check {
    struct event_base *base;
    int32_t partitions;
    int32_t waiting;
    int error;
    char *problem;
    const char *currency;
};

struct task_check {
    struct state_check *of;
    int32_t task;
    bool committed; /* Kafka had offsets of the task, before Redis was asked */
};

static void on_meta(void *arg, int error, const struct store_found *found) {
    const struct task_check *task = arg;
    struct state_check *check = task->of;
    if (error && error != ERR_NOT_FOUND && !check->error) {
        check->error = ERR_UNAVAILABLE;
        snprintf(check->problem, CHECK_PROBLEM_BYTES, "Redis does not answer");
    }
    if (error == ERR_NOT_FOUND && !check->error && task->committed) {
        check->error = ERR_REFUSED;
        snprintf(check->problem, CHECK_PROBLEM_BYTES,
                 "Kafka has committed offsets for task %" PRId32
                 ", but Redis holds no state: it was lost, or key_prefix "
                 "or group changed. Restore Redis, or set state.rebuild: true to read everything again",
                 task->task);
    }
    if (!error && !check->error && found->meta.partitions != (uint32_t)check->partitions) {
        check->error = ERR_REFUSED;
        snprintf(check->problem, CHECK_PROBLEM_BYTES,
                 "the group's stored state is for %" PRIu32 " partitions, but the topics have %" PRId32
                 ": keys have moved. Use a new group, or restore the partition count",
                 found->meta.partitions, check->partitions);
    }
    if (!error && !check->error && found->meta.currency[0] && strcmp(found->meta.currency, check->currency) != 0) {
        check->error = ERR_REFUSED;
        snprintf(check->problem, CHECK_PROBLEM_BYTES,
                 "the group's stored sums are in %s, but currency.base is %s now: use a new group, or restore "
                 "currency.base",
                 found->meta.currency, check->currency);
    }
    if (!error && !check->error && found->schema != STORE_SCHEMA_VERSION) {
        check->error = ERR_REFUSED;
        snprintf(check->problem, CHECK_PROBLEM_BYTES,
                 "the group's stored state has version %" PRIu32 ", which this program cannot read (it reads %d)",
                 found->schema, STORE_SCHEMA_VERSION);
    }
    if (--check->waiting == 0) {
        event_base_loopbreak(check->base);
    }
}

/* Every task's stored numbers must fit the topics; and be there if `committed` says that the task has been at work. */
static int check_state(const struct config *config, int32_t partitions, const bool *committed, char *problem) {
    struct state_check check = {event_base_new(), partitions, partitions, 0, problem, config->currency_base};
    struct task_check *tasks = calloc((size_t)partitions, sizeof *tasks);
    ASSERT(check.base && tasks);
    struct redis_reader *reader = redis_reader_create(check.base, &config->redis, problem);
    check.error = reader ? 0 : ERR_REFUSED;
    for (int32_t task = 0; task < partitions && reader; task++) {
        tasks[task] = (struct task_check){&check, task, committed && committed[task]};
        redis_reader_meta(reader, task, on_meta, &tasks[task]);
    }
    if (reader) {
        event_base_dispatch(check.base);
        redis_reader_destroy(reader);
    }
    event_base_free(check.base);
    free(tasks);
    return check.error;
}

/* The same, where a task's state must be there if Kafka has offsets of the task. Those are asked for first: an owner writes the state
 * before it commits. */
static int check_state_is_there(const struct config *config, int32_t partitions, char *problem) {
    bool *committed = calloc((size_t)partitions, sizeof *committed);
    ASSERT(committed);
    int error = config->rebuild ? 0 : kafka_committed_tasks(config, partitions, committed, problem);
    error = error ? error : check_state(config, partitions, committed, problem);
    free(committed);
    return error;
}

int check_environment(const struct config *config, int32_t *partitions, struct redis_memory *memory, char *problem) {
    int error = kafka_check_topics(config, partitions, problem);
    error = error ? error : redis_probe(&config->redis, memory, problem);
    return error ? error : check_state(config, *partitions, NULL, problem); /* a task looks whether it has a state */
}

static void print_config(const struct config *config) {
    struct buffer text = {0};
    config_print(config, &text);
    ASSERT(!text.error);
    fwrite(text.data, 1, text.size, stdout);
    fflush(stdout); /* looking around takes a while, and people read on */
    buffer_finish(&text);
}

int command_check(const struct config *config) {
    print_config(config);
    char kafka_problem[KAFKA_PROBLEM_BYTES];
    char redis_problem[CHECK_PROBLEM_BYTES];
    int32_t partitions = 0;
    int kafka_error = kafka_check_topics(config, &partitions, kafka_problem);
    struct redis_memory memory;
    int redis_error = redis_probe(&config->redis, &memory, redis_problem);
    if (!kafka_error && !redis_error) {
        redis_error = check_state_is_there(config, partitions, redis_problem);
    }
    if (kafka_error) {
        fprintf(stderr, "tidemark: %s\n", kafka_problem);
    }
    if (redis_error) {
        fprintf(stderr, "tidemark: %s\n", redis_problem);
    }
    if (kafka_error == ERR_REFUSED || redis_error == ERR_REFUSED) {
        return EX_CONFIG;
    }
    if (kafka_error || redis_error) {
        return EX_UNAVAILABLE;
    }
    size_t sets = model_sets_count(config->model);
    struct bytes version = model_version(config->model);
    printf("#\n# %s: good; %" PRId32 " partition%s, %zu tier set%s, rules version %.*s\n", config->path, partitions,
           partitions == 1 ? "" : "s", sets, sets == 1 ? "" : "s", (int)version.size, version.data);
    return 0;
}

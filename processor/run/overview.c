#include "run/overview_parts.h"

#include "base/clock.h"
#include "run/slot.h"
#include "run/worker.h"

#include <stdio.h>

/* ---- asking all tasks ---- */

void *gathering_new(size_t size, struct overview *overview, lookup_done_fn done, void *arg) {
    struct gathering *gathering = calloc(1, size);
    ASSERT(gathering);
    gathering->overview = overview;
    gathering->rules = rules_hold(overview->rules);
    gathering->config = rules_config(overview->rules);
    gathering->done = done;
    gathering->arg = arg;
    return gathering;
}

void gathering_end(struct gathering *gathering, int error, const struct buffer *out) {
    gathering->done(gathering->arg, error, error ? bytes_of(NULL, 0) : buffer_bytes(out));
    rules_release(gathering->rules);
}

struct ask *ask_new(struct gathering *gathering, int32_t partition, int32_t number) {
    struct ask *ask = malloc(sizeof *ask);
    ASSERT(ask);
    *ask = (struct ask){gathering, partition, number};
    gathering->waiting++;
    return ask;
}

struct ask ask_end(struct ask *ask, int error) {
    const struct ask was = *ask;
    struct gathering *gathering = ask->gathering;
    gathering->waiting--;
    gathering->error = gathering->error ? gathering->error : error;
    free(ask);
    return was;
}

struct overview *overview_create(struct event_base *base, const struct config *config, struct rules *rules,
                                 int32_t partitions, char *problem) {
    struct overview *overview = calloc(1, sizeof *overview);
    ASSERT(overview);
    overview->base = base;
    overview->rules = rules_hold(rules);
    overview->partitions = partitions;
    overview->reader = redis_reader_create(base, &config->redis, problem);
    if (!overview->reader) {
        rules_release(rules);
        free(overview);
        return NULL;
    }
    return overview;
}

void overview_set_rules(struct overview *overview, struct rules *rules) {
    rules_release(overview->rules);
    overview->rules = rules_hold(rules);
    value_counting_begin_anew(overview->value);
}

void overview_destroy(struct overview *overview) {
    if (overview) {
        redis_reader_give_up(overview->reader);
        value_counting_destroy(overview->value);
        redis_reader_destroy(overview->reader);
        rules_release(overview->rules);
        free(overview);
    }
}

/* ---- populations ---- */

struct tiers_gathering {
    struct gathering gathering;
    int64_t *customers; /* by the model's tiers, sets one after the other */
    bool counting;
};

static void tiers_end(struct tiers_gathering *tiers) {
    struct buffer out = {0};
    int error = tiers->gathering.error;
    if (!error) {
        error = tiers_json_write(tiers->gathering.config->model, tiers->customers, tiers->counting, &out);
    }
    gathering_end(&tiers->gathering, error, &out);
    buffer_finish(&out);
    free(tiers->customers);
    free(tiers);
}

bool overview_take_prefix(struct bytes *text, struct bytes prefix) {
    bool begins = text->size > prefix.size && text->data[prefix.size] == '/' &&
                  bytes_equal(bytes_of(text->data, prefix.size), prefix);
    if (begins) {
        *text = bytes_of(text->data + prefix.size + 1, text->size - prefix.size - 1);
    }
    return begins;
}

/* A field is "tier/<set>/<tier>"; tiers of earlier rules are left out. */
void overview_count_tier(int64_t *customers, const struct model *model, struct bytes field, int64_t count) {
    if (!overview_take_prefix(&field, bytes_of_text("tier"))) {
        return;
    }
    for (size_t set = 0; set < model_sets_count(model); set++) {
        struct bytes tier_name = field;
        bool is_set = overview_take_prefix(&tier_name, model_set_name(model, set));
        for (size_t tier = 0; tier < model_tiers_count(model, set); tier++, customers++) {
            if (is_set && bytes_equal(tier_name, model_tier_name(model, set, tier))) {
                *customers += count;
                return;
            }
        }
    }
}

static void on_population(void *arg, int error, const struct bytes *values, size_t count) {
    struct tiers_gathering *tiers = ask_end(arg, error).gathering;
    for (size_t i = 0; !error && i + 1 < count; i += 2) {
        overview_count_tier(tiers->customers, tiers->gathering.config->model, values[i], lookup_number(values[i + 1]));
    }
    if (tiers->gathering.waiting == 0) {
        tiers_end(tiers);
    }
}

/* Populations were begun anew, and the sweep that brings everybody into them is not through. */
static void on_meta_of_population(void *arg, int error, const struct store_found *found) {
    struct tiers_gathering *tiers = ask_end(arg, error == ERR_NOT_FOUND ? 0 : error).gathering;
    tiers->counting |= !error && found->meta.swept_edition < found->meta.counted_edition;
    if (tiers->gathering.waiting == 0) {
        tiers_end(tiers);
    }
}

void overview_tiers(struct overview *overview, lookup_done_fn done, void *arg) {
    struct tiers_gathering *tiers = gathering_new(sizeof *tiers, overview, done, arg);
    tiers->customers = calloc(model_all_tiers_count(tiers->gathering.config->model) + 1, sizeof *tiers->customers);
    ASSERT(tiers->customers);
    for (int32_t partition = 0; partition < overview->partitions; partition++) {
        redis_reader_meta(overview->reader, partition, on_meta_of_population, ask_new(&tiers->gathering, partition, 0));
        redis_reader_populations(overview->reader, partition, on_population, ask_new(&tiers->gathering, partition, 0));
    }
}

/* ---- tasks ---- */

struct tasks_gathering {
    struct gathering gathering;
    struct process_overview process;
    char reason[SLOT_PROBLEM_BYTES];
    struct task_overview *tasks;
    const struct worker *ends_of;
    struct slot_status *statuses; /* copies: their problems are lent to `tasks` */
    char **owners;                /* by partition; NULL: nobody */
};

static void tasks_end(struct tasks_gathering *tasks) {
    struct buffer out = {0};
    int error = tasks->gathering.error;
    if (!error) {
        error = tasks_json_write(&tasks->process, &out);
    }
    gathering_end(&tasks->gathering, error, &out);
    buffer_finish(&out);
    for (int32_t partition = 0; partition < tasks->gathering.overview->partitions; partition++) {
        free(tasks->owners[partition]);
    }
    free(tasks->owners);
    free(tasks->statuses);
    free(tasks->tasks);
    free(tasks);
}

/* A task elsewhere: what its owner has not applied, or would not if there were one. */
static void find_lag(const struct tasks_gathering *tasks, struct task_overview *task) {
    for (int input = 0; input < INPUTS; input++) {
        task->lag[input] =
            offsets_between(task->offsets[input], worker_end_of(tasks->ends_of, task->partition, (enum input)input));
    }
}

static void on_meta_of_task(void *arg, int error, const struct store_found *found) {
    const struct ask ask = ask_end(arg, error == ERR_NOT_FOUND ? 0 : error);
    struct tasks_gathering *tasks = ask.gathering;
    struct task_overview *task = &tasks->tasks[ask.partition];
    if (found && found->owner.data) {
        char **owner = &tasks->owners[ask.partition];
        *owner = strndup(found->owner.data, found->owner.size);
        ASSERT(*owner);
        task->owner = bytes_of_text(*owner);
    }
    if (!error) {
        const struct store_meta *meta = &found->meta;
        task->clock_ms = task->clock_ms > meta->clock_ms ? task->clock_ms : meta->clock_ms;
        task->fired_ms = meta->fired_ms;
        task->outbox = meta->output_seq > meta->published_seq ? meta->output_seq - meta->published_seq : 0;
        task->edition = meta->edition;
        task->sweeping = meta->swept_edition < meta->edition;
        memcpy(task->offsets, meta->next_offset, sizeof task->offsets);
    }
    if (task->worker < 0 && (!error || error == ERR_NOT_FOUND)) {
        find_lag(tasks, task);
    }
    if (tasks->gathering.waiting == 0) {
        tasks_end(tasks);
    }
}

static void on_wheel_of_task(void *arg, int error, const struct bytes *values, size_t count) {
    const struct ask ask = ask_end(arg, error);
    struct tasks_gathering *tasks = ask.gathering;
    if (!error && count == 1) {
        tasks->tasks[ask.partition].wheel_hours = (uint64_t)lookup_number(values[0]);
    }
    if (tasks->gathering.waiting == 0) {
        tasks_end(tasks);
    }
}

static const char *state_text(enum task_state state) {
    switch (state) {
    case TASK_TAKING_OVER:
        return "taking_over";
    case TASK_RUNNING:
        return "running";
    case TASK_DRAINING:
    case TASK_DRAINED:
        return "draining";
    case TASK_FENCED:
        return "fenced";
    case TASK_REFUSED:
        return "refused";
    }
    ASSERT(false); /* no other state */
}

static void join_statuses(struct tasks_gathering *tasks, const struct overview_process *process) {
    int32_t partitions = tasks->gathering.overview->partitions;
    for (int32_t partition = 0; partition < partitions; partition++) {
        tasks->tasks[partition] = (struct task_overview){.partition = partition,
                                                         .worker = -1,
                                                         .state = "elsewhere",
                                                         .clock_ms = TIME_NONE,
                                                         .fired_ms = TIME_NONE,
                                                         .offsets = {OFFSET_NONE, OFFSET_NONE, OFFSET_NONE},
                                                         .lag = {-1, -1, -1}};
    }
    for (size_t i = 0; i < process->statuses_count; i++) {
        struct slot_status *status = &tasks->statuses[i];
        *status = process->statuses[i];
        if (status->partition >= 0 && status->partition < partitions) {
            struct task_overview *task = &tasks->tasks[status->partition];
            task->worker = process->status_workers[i];
            task->state = state_text(status->state);
            task->problem = status->problem[0] ? status->problem : NULL;
            task->clock_ms = status->clock_ms;
            memcpy(task->lag, status->lag, sizeof task->lag);
        }
    }
}

void overview_tasks(struct overview *overview, const struct overview_process *process, lookup_done_fn done, void *arg) {
    size_t partitions = (size_t)overview->partitions;
    struct tasks_gathering *tasks = gathering_new(sizeof *tasks, overview, done, arg);
    tasks->tasks = calloc(partitions + 1, sizeof *tasks->tasks);
    tasks->owners = calloc(partitions + 1, sizeof *tasks->owners);
    tasks->statuses = calloc(process->statuses_count + 1, sizeof *tasks->statuses);
    ASSERT(tasks->tasks && tasks->owners && tasks->statuses);
    const struct config *config = tasks->gathering.config;
    tasks->ends_of = process->ends_of;
    join_statuses(tasks, process);
    snprintf(tasks->reason, sizeof tasks->reason, "%s", process->reason ? process->reason : "");
    tasks->process = (struct process_overview){.group = config->group,
                                               .topics = config->topics,
                                               .rules = model_version(config->model),
                                               .reason = process->reason ? tasks->reason : NULL,
                                               .kafka_up = process->kafka_up,
                                               .redis_up = process->redis_up,
                                               .workers = process->workers,
                                               .tasks = tasks->tasks,
                                               .tasks_count = partitions};
    for (int32_t partition = 0; partition < overview->partitions; partition++) {
        redis_reader_meta(overview->reader, partition, on_meta_of_task, ask_new(&tasks->gathering, partition, 0));
        redis_reader_wheel(overview->reader, partition, on_wheel_of_task, ask_new(&tasks->gathering, partition, 0));
    }
}

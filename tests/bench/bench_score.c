/* Nanoseconds of scoring, on one thread: generated events applied to customers in memory by the rules of each configuration, due
 * instants in between included. Processor time; medians of the rounds.
 *
 *     bench_score [--events N] [--customers N] [--rounds N] [CONFIG...]        default: every config/ *.yaml, then score_three and
 *                                                                     score_all.yaml beside this file
 *
 * Per event: all of it, with tier changes told and forecast. Per evaluation: deciding and finding the next due instant alone;
 * there is one for each event and one for each due instant. */
#include "run/config.h"
#include "run/generate.h"
#include "score/customer.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ARENA_BYTES_MAX = 64 * 1024 * 1024, ROUNDS_MAX = 99, DAYS = 365 };

struct bench {
    int64_t customers;
    int64_t events;
    int rounds;
    struct generated *list; /* their slices point into themselves */
    size_t count;
};

static void make_events(struct bench *bench) {
    const struct generator_options options = {.customers = bench->customers,
                                              .events = bench->events,
                                              .seed = 1,
                                              .days = DAYS,
                                              .end_ms = INT64_C(1735689600000)};
    struct generator *generator = generator_create(&options);
    bench->list = calloc((size_t)bench->events + 1, sizeof *bench->list);
    ASSERT(generator && bench->list);
    while (generator_next(generator, &bench->list[bench->count])) { /* each in its place */
        struct generated *event = &bench->list[bench->count++];
        event->activity.event_hash = bytes_hash(event->activity.event_id);
        if (event->activity.type == ACTIVITY_PURCHASE && event->activity.purchase.order_time_ms == 0) {
            event->activity.purchase.order_time_ms = event->activity.time_ms;
        }
    }
    generator_destroy(generator);
}

/* Ids are numbered through. */
static size_t number_of(struct bytes id, size_t customers) {
    size_t number = 0;
    for (size_t i = 0; i < id.size; i++) {
        number = id.data[i] >= '0' && id.data[i] <= '9' ? number * 10 + (size_t)(id.data[i] - '0') : number;
    }
    ASSERT(number <= customers);
    return number;
}

/* Of this thread: others may be at work on the machine. */
static double cpu_ns(void) {
    struct timespec now;
    ASSERT(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

struct round {
    double took_ns;
    size_t changes;
    size_t evaluations; /* known only where nothing is told */
};

/* Through its due instants one by one, to count them. */
static void advance(struct customer *customer, const struct model *model, int64_t until_ms, struct round *round) {
    while (customer->wake_ms <= until_ms) {
        customer_advance(customer, model, customer->wake_ms, NULL);
        round->evaluations++;
    }
}

static struct round play(const struct bench *bench, const struct model *model, bool told) {
    struct round round = {0};
    struct arena arena;
    struct changes changes;
    struct customer **customers = calloc((size_t)bench->customers + 1, sizeof(struct customer *));
    ASSERT(customers);
    arena_init(&arena, ARENA_BYTES_MAX);
    double start_ns = cpu_ns();
    for (size_t i = 0; i < bench->count; i++) {
        const struct activity *activity = &bench->list[i].activity;
        struct customer **customer = &customers[number_of(activity->customer_id, (size_t)bench->customers)];
        if (!*customer) {
            *customer = customer_create(model);
            ASSERT(*customer);
        }
        if (!told) {
            advance(*customer, model, activity->time_ms, &round);
            customer_apply(*customer, model, activity, TIME_NONE, NULL);
            round.evaluations++;
            continue;
        }
        changes_init(&changes, &arena);
        customer_apply(*customer, model, activity, TIME_NONE, &changes);
        ASSERT(!changes.error);
        round.changes += changes.count;
        arena_reset(&arena);
    }
    round.took_ns = cpu_ns() - start_ns;
    for (int64_t i = 0; i <= bench->customers; i++) {
        customer_destroy(customers[i]);
    }
    free(customers);
    arena_finish(&arena);
    return round;
}

static int ascending(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static int bench_config(const struct bench *bench, const char *path) {
    static struct config_problems problems;
    problems.count = 0;
    struct config *config = config_load(path, NULL, 0, &problems);
    if (!config) {
        config_print_problems(path, &problems);
        return 1;
    }
    double told_ns[ROUNDS_MAX], silent_ns[ROUNDS_MAX];
    struct round told = {0}, silent = {0};
    for (int i = 0; i < bench->rounds; i++) {
        told = play(bench, config->model, true);
        silent = play(bench, config->model, false);
        told_ns[i] = told.took_ns;
        silent_ns[i] = silent.took_ns;
    }
    qsort(told_ns, (size_t)bench->rounds, sizeof *told_ns, ascending);
    qsort(silent_ns, (size_t)bench->rounds, sizeof *silent_ns, ascending);
    double events = (double)bench->count, evaluations = (double)silent.evaluations;
    printf("%-32s %7.0f ns per event  %6.3f tier changes  %6.2f evaluations  %7.0f ns per evaluation\n", path,
           told_ns[bench->rounds / 2] / events, (double)told.changes / events, evaluations / events,
           silent_ns[bench->rounds / 2] / evaluations);
    config_destroy(config);
    return 0;
}

static int usage(void) {
    (void)fprintf(stderr, "usage: bench_score [--events N] [--customers N] [--rounds N] [CONFIG...]\n");
    return 64;
}

int main(int argc, char **argv) {
    struct bench bench = {.customers = 20000, .events = 300000, .rounds = 5};
    int first = 1;
    while (first + 1 < argc && argv[first][0] == '-') {
        int64_t number = strtoll(argv[first + 1], NULL, 10);
        if (strcmp(argv[first], "--events") == 0) {
            bench.events = number;
        } else if (strcmp(argv[first], "--customers") == 0) {
            bench.customers = number;
        } else if (strcmp(argv[first], "--rounds") == 0) {
            bench.rounds = (int)number;
        } else {
            return usage();
        }
        first += 2;
    }
    if (bench.events < 1 || bench.customers < 1 || bench.rounds < 1 || bench.rounds > ROUNDS_MAX ||
        (first < argc && argv[first][0] == '-')) {
        return usage();
    }
    make_events(&bench);
    int failed = 0;
    for (int i = first; i < argc; i++) {
        failed |= bench_config(&bench, argv[i]);
    }
    glob_t found = {0};
    if (first == argc && glob("config/*.yaml", 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            failed |= bench_config(&bench, found.gl_pathv[i]);
        }
        globfree(&found);
        failed |= bench_config(&bench, "tests/bench/score_three.yaml");
        failed |= bench_config(&bench, "tests/bench/score_all.yaml");
    }
    free(bench.list);
    return failed;
}

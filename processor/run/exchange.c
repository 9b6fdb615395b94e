/* The exchange between tasks from which cut points come.
 *
 * The owner of task 0 reads the histograms of all tasks, makes cut points, and if they differ from those in force, adopts them under
 * the next version. The others read task 0's and adopt what is newer. */
#include "run/task_parts.h"

#include "base/array.h"
#include "base/log.h"
#include "state/cut_points_codec.h"

#include <stdlib.h>

enum {
    EXCHANGE_MS_MIN = 200, /* between looks at task 0's cut points */
    EXCHANGE_MS_MAX = 10000,
    COUNTS_FIRST = 1024,
};

struct ranked_counts { /* the histogram of one score, over all tasks */
    struct rank_count *counts;
    size_t count;
    size_t capacity;
};

struct exchange {
    struct task *task; /* NULL: it has been dropped meanwhile */
    int32_t partition; /* being read */
    struct ranked_counts scores[RANKED_SCORES_MAX];
};

void exchange_drop(struct task *task) {
    if (task->exchange) {
        task->exchange->task = NULL; /* what is being read finds nobody */
        task->exchange = NULL;
    }
}

static void exchange_end(struct exchange *exchange) {
    if (exchange->task) {
        exchange->task->exchange = NULL;
    }
    for (size_t i = 0; i < RANKED_SCORES_MAX; i++) {
        free(exchange->scores[i].counts);
    }
    free(exchange);
}

static void propose(struct task *task, const struct cut_points *cuts) {
    task->proposed = *cuts;
    task->proposal = PROPOSAL_READY;
    task_wake(task);
}

static void add_count(struct exchange *exchange, struct bytes field, struct bytes number) {
    const struct model *model = exchange->task->options.model;
    char text[32];
    const char *slash = memchr(field.data, '/', field.size);
    size_t name_size = slash ? (size_t)(slash - field.data) : field.size;
    size_t digits = field.size - name_size;
    if (digits < 2 || digits >= sizeof text || number.size == 0) {
        return;
    }
    memcpy(text, slash + 1, digits - 1);
    text[digits - 1] = '\0';
    int64_t customers = strtoll(number.data, NULL, 10); /* hiredis ends its strings with a NUL */
    for (size_t i = 0; i < model_ranked_count(model) && customers > 0; i++) {
        struct ranked_counts *score = &exchange->scores[i];
        if (!bytes_equal(model_ranked_name(model, i), bytes_of(field.data, name_size))) {
            continue;
        }
        score->counts = array_grown(score->counts, &score->capacity, score->count, sizeof *score->counts, COUNTS_FIRST);
        score->counts[score->count++] = (struct rank_count){(int32_t)strtol(text, NULL, 10), customers};
    }
}

static int by_bucket(const void *a, const void *b) {
    int32_t first = ((const struct rank_count *)a)->bucket;
    int32_t second = ((const struct rank_count *)b)->bucket;
    return (first > second) - (first < second);
}

/* Adds up what several tasks count in one bucket. */
static void merge_counts(struct ranked_counts *score) {
    size_t kept = 0;
    if (score->count > 0) {
        qsort(score->counts, score->count, sizeof *score->counts, by_bucket);
    }
    for (size_t i = 0; i < score->count; i++) {
        if (kept > 0 && score->counts[kept - 1].bucket == score->counts[i].bucket) {
            score->counts[kept - 1].customers += score->counts[i].customers;
        } else {
            score->counts[kept++] = score->counts[i];
        }
    }
    score->count = kept;
}

static void make_cuts(struct exchange *exchange) {
    struct task *task = exchange->task;
    struct cut_points cuts = {.version = task->edition.cuts.version + 1};
    for (size_t i = 0; i < model_ranked_count(task->options.model); i++) {
        struct ranked_counts *score = &exchange->scores[i];
        merge_counts(score);
        cuts.scores[i] = model_cut(task->options.model, i, score->counts, score->count);
        if (!cuts.scores[i].known) {
            log_warning("has too few customers to cut a score by: its steps are used, or 1", "score=%.*s",
                        (int)model_ranked_name(task->options.model, i).size,
                        model_ranked_name(task->options.model, i).data);
        }
    }
    if (!cut_points_equal(&cuts, &task->edition.cuts)) {
        propose(task, &cuts);
    }
}

static void on_histogram(void *arg, int error, const struct bytes *values, size_t count) {
    struct exchange *exchange = arg;
    struct task *task = exchange->task;
    if (!task || error) {
        exchange_end(exchange);
        return;
    }
    for (size_t i = 0; i + 1 < count; i += 2) {
        add_count(exchange, values[i], values[i + 1]);
    }
    exchange->partition++;
    if (exchange->partition < task->options.partitions) {
        task->ports.population.histograms(task->ports.population.context, exchange->partition, on_histogram, exchange);
        return;
    }
    make_cuts(exchange);
    exchange_end(exchange);
}

static void on_cuts(void *arg, int error, const struct bytes *values, size_t count) {
    struct exchange *exchange = arg;
    struct task *task = exchange->task;
    struct cut_points cuts;
    if (task && !error && count == 1 && values[0].data &&
        cut_points_decode(values[0], task->options.model, &cuts) == 0 && cuts.version > task->edition.cuts.version) {
        propose(task, &cuts);
    }
    exchange_end(exchange);
}

void exchange_look(struct task *task) {
    const struct population_port *port = &task->ports.population;
    int64_t now_ms = task->ports.monotonic_ms(task->ports.time_context);
    if (task->proposal == PROPOSAL_READY && task->items.count < task->items.capacity && !intake_replays(task)) {
        intake_push(task, ITEM_EDITION);
        task->proposal = PROPOSAL_TAKEN;
    }
    if (!port->histograms || model_ranked_count(task->options.model) == 0 || task->exchange ||
        task->proposal != PROPOSAL_NONE || now_ms < task->exchange_at_ms || task->take_clock_ms == TIME_NONE) {
        return;
    }
    bool makes = task->options.partition == 0;
    int64_t wait_ms = task->options.ranked_refresh_ms;
    if (!makes) {
        wait_ms = wait_ms / 10 < EXCHANGE_MS_MAX ? wait_ms / 10 : EXCHANGE_MS_MAX;
        wait_ms = wait_ms > EXCHANGE_MS_MIN ? wait_ms : EXCHANGE_MS_MIN;
    }
    task->exchange_at_ms = now_ms + wait_ms;
    task->exchange = calloc(1, sizeof *task->exchange);
    ASSERT(task->exchange);
    task->exchange->task = task;
    if (makes) {
        port->histograms(port->context, 0, on_histogram, task->exchange);
    } else {
        port->cuts(port->context, 0, on_cuts, task->exchange);
    }
}

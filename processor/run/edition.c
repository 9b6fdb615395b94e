/* Editions: when rules or cut points change, every customer is evaluated by the new ones, at the latest by a sweep through the
 * store that goes on behind live records; and the exchange between tasks from which cut points come.
 *
 * The owner of task 0 reads the histograms of all tasks, makes cut points, and if they differ from those in force, adopts them under
 * the next version. The others read task 0's and adopt what is newer. Adopting is an item in the order of scoring, so it is one
 * atomic batch like everything else: whoever takes over goes on with exactly the edition that decided the last outputs. */
#include "run/task_parts.h"

#include "base/array.h"
#include "base/log.h"
#include "state/customer_codec.h"
#include "state/cut_points_codec.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    SWEEP_TAKE_MAX = 256,     /* customers per pass: live records come first */
    SWEEP_PENDING_MAX = 1024, /* no more are taken while so many items wait */
    SWEEP_PER_SECOND = 20000, /* per task: a million customers in a minute, at a few per cent of a core */
    EXCHANGE_MS_MIN = 200,    /* between looks at task 0's cut points */
    EXCHANGE_MS_MAX = 10000,
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

/* ---- editions ---- */

static void sweep_start(struct task *task) {
    struct sweep *sweep = &task->sweep;
    sweep->active = true;
    sweep->stale = sweep->reading;
    sweep->bucket = 0;
    sweep->from = 0;
    sweep->read_all = false;
    buffer_reset(&sweep->ids);
    sweep->ids_at = 0;
}

bool edition_start(struct task *task, const struct store_found *found, struct store_meta *meta) {
    const struct model *model = task->options.model;
    bool same_rules = bytes_equal_text(model_version(model), found->meta.rules_version);
    bool news = false;
    task->edition = (struct edition){.number = meta->edition, .since_ms = meta->edition_since_ms};
    task->proposal = PROPOSAL_NONE;
    task->exchange_at_ms = task->ports.monotonic_ms(task->ports.time_context);
    if (found->cuts.data && cut_points_decode(found->cuts, model, &task->edition.cuts)) {
        /* Of other scores. The version goes on counting, or two different sets would have one number. */
        task->edition.cuts = (struct cut_points){.version = task->edition.cuts.version};
    }
    if (!found->absent && !same_rules) {
        task->edition.number++;
        task->edition.since_ms = meta->clock_ms;
        meta->edition = meta->counted_edition = task->edition.number;
        meta->edition_since_ms = meta->clock_ms;
        task->store->ops->drop_populations(task->store->context);
        news = true;
    }
    model_set_edition(task->model, &task->edition);
    task->sweep.active = false;
    if (meta->swept_edition != meta->edition) {
        sweep_start(task);
    }
    return news;
}

void edition_finish(struct task *task) {
    if (task->exchange) {
        task->exchange->task = NULL;
        task->exchange = NULL;
    }
    task->proposal = PROPOSAL_NONE;
    task->sweep.active = task->sweep.reading = task->sweep.stale = false;
}

void edition_adopt(struct task *task, int64_t clock_ms) {
    struct store_meta *meta = &task->open->meta;
    ASSERT(task->proposal == PROPOSAL_TAKEN);
    task->proposal = PROPOSAL_NONE;
    task->edition.number++;
    task->edition.since_ms = clock_ms;
    task->edition.cuts = task->proposed;
    meta->edition = task->edition.number;
    meta->edition_since_ms = clock_ms;
    buffer_reset(&task->scratch);
    cut_points_encode(&task->edition.cuts, task->options.model, &task->scratch);
    ASSERT(!task->scratch.error);
    task->store->ops->put_cuts(task->store->context, buffer_bytes(&task->scratch));
    task->open->needed = true;
    sweep_start(task);
    log_info("adopted cut points", "task=%" PRId32 " version=%" PRIu64, task->options.partition,
             task->edition.cuts.version);
}

void edition_swept(struct task *task, uint32_t edition) {
    struct store_meta *meta = &task->open->meta;
    if (edition == task->edition.number) {
        meta->swept_edition = edition;
        task->open->needed = true;
        task->sweep.active = false;
        log_info("evaluated all customers by the new rules or cut points", "task=%" PRId32, task->options.partition);
    }
}

/* ---- the sweep ---- */

static void on_scanned(void *arg, int error, const struct bytes *ids, const struct bytes *values, size_t count,
                       uint64_t next) {
    struct task *task = arg;
    struct sweep *sweep = &task->sweep;
    sweep->reading = false;
    if (error) {
        task->store_error = error;
        task_wake(task);
        return;
    }
    if (sweep->stale) {
        sweep->stale = false;
        task_wake(task);
        return;
    }
    buffer_reset(&sweep->ids);
    sweep->ids_at = 0;
    for (size_t i = 0; i < count; i++) {
        if (customer_peek_edition(values[i]) != task->edition.number) {
            buffer_put_sized(&sweep->ids, ids[i]);
        }
    }
    ASSERT(!sweep->ids.error);
    sweep->from = next;
    if (next == 0) {
        sweep->bucket++;
        sweep->read_all = sweep->bucket == STORE_BUCKETS;
    }
    task_wake(task);
}

/* So many customers may be taken now. */
static size_t sweep_room(struct task *task) {
    struct sweep *sweep = &task->sweep;
    int64_t second = task->ports.monotonic_ms(task->ports.time_context) / MS_PER_SECOND;
    if (second != sweep->second) {
        sweep->second = second;
        sweep->taken = 0;
    }
    size_t left = sweep->taken < SWEEP_PER_SECOND ? SWEEP_PER_SECOND - sweep->taken : 0;
    size_t free_items = task->items.capacity - task->items.count;
    left = left < free_items ? left : free_items;
    return task->items.count >= SWEEP_PENDING_MAX ? 0 : left < SWEEP_TAKE_MAX ? left : SWEEP_TAKE_MAX;
}

bool edition_sweep(struct task *task) {
    struct sweep *sweep = &task->sweep;
    if (!sweep->active || sweep->reading || task->take_clock_ms == TIME_NONE) {
        return false;
    }
    struct bytes all = buffer_bytes(&sweep->ids);
    struct cursor in = cursor_of(bytes_of(all.data + sweep->ids_at, all.size - sweep->ids_at));
    for (size_t room = sweep_room(task); cursor_left(&in) > 0 && room > 0; room--) {
        struct bytes id = cursor_sized(&in);
        struct item *item = intake_push(task, ITEM_SWEEP);
        item->entry = intake_want(task, id);
        sweep->taken++;
    }
    sweep->ids_at = all.size - cursor_left(&in);
    if (cursor_left(&in) > 0 || sweep_room(task) == 0) {
        return false; /* the next pass goes on */
    }
    if (!sweep->read_all) {
        sweep->reading = true;
        task->store->ops->scan(task->store->context, sweep->bucket, sweep->from, on_scanned, task);
        return false;
    }
    intake_push(task, ITEM_SWEPT)->edition = task->edition.number;
    sweep->active = false;
    return true;
}

/* ---- the exchange ---- */

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
        score->counts = array_grown(score->counts, &score->capacity, score->count, sizeof *score->counts, 1024);
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

void edition_exchange(struct task *task) {
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

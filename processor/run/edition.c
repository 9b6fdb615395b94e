/* Editions: when rules or cut points change, every customer is evaluated by the new ones, at the latest by a sweep through the
 * store that goes on behind live records. Adopting cut points (exchange.c) is an item in the order of scoring, so it is one
 * atomic batch like everything else: whoever takes over goes on with exactly the edition that decided the last outputs. */
#include "run/task_parts.h"

#include "base/log.h"
#include "state/customer_codec.h"
#include "state/cut_points_codec.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    SWEEP_TAKE_MAX = 256,     /* customers per pass: live records come first */
    SWEEP_PENDING_MAX = 1024, /* no more are taken while so many items wait */
    SWEEP_PER_SECOND = 20000, /* per task: a million customers in a minute, at a few per cent of a core */
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

static void note_rules(struct store_meta *meta, const struct model *model) {
    snprintf(meta->rules_version, sizeof meta->rules_version, "%.*s", RULES_VERSION_BYTES, model_version(model).data);
}

/* Everybody is of an older edition now, and counted anew. */
static void begin_by_rules(struct task *task, struct store_meta *meta) {
    task->edition.number++;
    task->edition.since_ms = meta->clock_ms;
    meta->edition = meta->counted_edition = task->edition.number;
    meta->edition_since_ms = meta->clock_ms;
    task->store->ops->drop_populations(task->store->context);
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
        begin_by_rules(task, meta);
        news = true;
    }
    note_rules(meta, model);
    model_set_edition(task->model, &task->edition);
    task->sweep.active = false;
    if (meta->swept_edition != meta->edition) {
        sweep_start(task);
    }
    return news;
}

void edition_finish(struct task *task) {
    exchange_drop(task);
    task->proposal = PROPOSAL_NONE;
    task->sweep.active = task->sweep.reading = task->sweep.stale = false;
}

static void put_cuts(struct task *task) {
    buffer_reset(&task->scratch);
    cut_points_encode(&task->edition.cuts, task->options.model, &task->scratch);
    ASSERT(!task->scratch.error);
    task->store->ops->put_cuts(task->store->context, buffer_bytes(&task->scratch));
}

void edition_renew(struct task *task) {
    struct store_meta *meta = &task->open->meta;
    meta->clock_ms = task->take_clock_ms;
    begin_by_rules(task, meta);
    put_cuts(task); /* those of the former rules must not come back with them, in a task taken over meanwhile */
    note_rules(meta, task->options.model);
    task->open->needed = true;
    sweep_start(task);
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
    put_cuts(task);
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

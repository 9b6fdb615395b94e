/* The batch in the making: what scoring changed since the last apply, written to the store in one piece. */
#include "run/task_parts.h"

#include "base/array.h"
#include "base/mutation.h"
#include "publish/output.h"
#include "state/customer_codec.h"

#include <stdlib.h>

enum { SCORE_ARENA_BYTES_MAX = 64 << 20, ENTRY_DIRTY = 1, BATCH_ARRAY_FIRST = 256 };

int batch_init(struct task *task) {
    arena_init(&task->score_arena, SCORE_ARENA_BYTES_MAX);
    task->feedback = company_feedback_create(task->options.model);
    task->options.encoder.forms = encoder_forms_create();
    task->alerts = alerts_create(task->options.model);
    if (!task->feedback || !task->options.encoder.forms || !task->alerts) {
        return ERR_NO_MEMORY;
    }
    for (int i = 0; i < 2; i++) {
        if (population_init(&task->batches[i].population, task->options.model)) {
            return ERR_NO_MEMORY;
        }
    }
    task->open = &task->batches[0];
    return 0;
}

void batch_finish(struct task *task) {
    for (int i = 0; i < 2; i++) {
        struct batch *batch = &task->batches[i];
        free(batch->dirty);
        free(batch->armed);
        population_finish(&batch->population);
        free(batch->counts);
        buffer_finish(&batch->outputs);
    }
    company_feedback_destroy(task->feedback);
    encoder_forms_destroy(task->options.encoder.forms);
    alerts_destroy(task->alerts);
    buffer_finish(&task->scratch);
    arena_finish(&task->score_arena);
}

void batch_reshape(struct task *task) {
    ASSERT(!task->in_flight && task->open->dirty_count == 0);
    for (int i = 0; i < 2; i++) {
        population_finish(&task->batches[i].population);
        int error = population_init(&task->batches[i].population, task->options.model);
        ASSERT(!error);
    }
    company_feedback_set_model(task->feedback, task->options.model);
    encoder_forms_destroy(task->options.encoder.forms); /* they know a model by its address */
    alerts_destroy(task->alerts);
    task->options.encoder.forms = encoder_forms_create();
    task->alerts = alerts_create(task->options.model);
    ASSERT(task->options.encoder.forms && task->alerts);
}

static void batch_clear(struct task *task, struct batch *batch) {
    for (size_t i = 0; i < batch->dirty_count; i++) {
        cache_unpin(task->ports.cache, batch->dirty[i]);
    }
    population_clear(&batch->population);
    batch->items = batch->dirty_count = batch->armed_count = batch->outputs_count = 0;
    batch->counts_count = 0;
    batch->needed = false;
    buffer_reset(&batch->outputs);
}

void batch_start(struct task *task, const struct store_meta *meta) {
    batch_clear(task, &task->batches[0]);
    batch_clear(task, &task->batches[1]);
    task->in_flight = NULL;
    task->round_scored = 0;
    task->open = &task->batches[0];
    task->open->number = 1;
    task->open->meta = *meta;
    company_feedback_start(task->feedback, meta->clock_ms);
}

/* Counted when the batch is applied. There are a few dozen counters at most, and mostly the latest again. */
static void count(struct task *task, struct metric *metric) {
    struct batch *batch = task->open;
    for (size_t i = batch->counts_count; i-- > 0;) {
        if (batch->counts[i].metric == metric) {
            batch->counts[i].amount++;
            return;
        }
    }
    batch->counts = array_grown(batch->counts, &batch->counts_capacity, batch->counts_count, sizeof *batch->counts,
                                BATCH_ARRAY_FIRST);
    batch->counts[batch->counts_count++] = (struct batch_count){metric, 1};
}

static void put_output(struct task *task, struct bytes packed) {
    struct batch *batch = task->open;
    batch->meta.output_seq++;
    if (!MUTATED(NO_OUTBOX)) {
        task->store->ops->put_output(task->store->context, batch->meta.output_seq, packed);
    }
    buffer_put_sized(&batch->outputs, packed);
    batch->outputs_count++;
    batch->needed = true;
}

/* Whether an output was published by a former owner before the store lost the state that it came from. */
static bool known_published(const struct task *task, const struct item *item, const struct tier_change *change) {
    bool record = item->kind == ITEM_ACTIVITY || item->kind == ITEM_DEAD;
    if (record && item->offset < task->suppress_before[item->input]) {
        return true;
    }
    return change && change->before_activity && change->effective_ms <= task->suppress_fired_ms;
}

struct bytes batch_pack(struct task *task, const struct output *output) {
    buffer_reset(&task->scratch);
    output_pack(output, &task->scratch);
    ASSERT(!task->scratch.error);
    return buffer_bytes(&task->scratch);
}

/* How the customer stood after the change, if that is to be told. */
static void put_standing(struct task *task, const struct item *item, const struct tier_change *change) {
    struct output output;
    if (change->standing) {
        int error = encode_customer_score(&task->options.encoder, cache_entry_id(item->entry), change,
                                          &task->score_arena, &output);
        ASSERT(!error);
        put_output(task, batch_pack(task, &output));
    }
}

static void put_changes(struct task *task, const struct item *item, const struct changes *changes) {
    ASSERT(!changes->error);
    for (const struct tier_change *change = changes->first; change; change = change->next) {
        if (known_published(task, item, change)) {
            count(task, task->metrics->suppressed);
            continue;
        }
        struct output output;
        int64_t caused_ms = item->kind == ITEM_ACTIVITY ? item->record_ms : TIME_NONE;
        int error = encode_tier_change(&task->options.encoder, cache_entry_id(item->entry), change, caused_ms,
                                       &task->score_arena, &output);
        ASSERT(!error);
        put_output(task, batch_pack(task, &output));
        put_standing(task, item, change);
        size_t tiers_count = model_tiers_count(task->options.model, change->set);
        if (change->direction == DIRECTION_WILL_FALL) {
            continue;
        }
        size_t series = (size_t)(change->from_tier + 1) * tiers_count + (size_t)change->to_tier;
        struct metric *metric = task->metrics->tier_changes[change->set][series];
        if (metric) {
            count(task, metric);
        }
    }
}

/* The customer has changed: written with this batch, and its next due instant put on the wheel if it is earlier. */
static void mark_dirty(struct task *task, struct cache_entry *entry) {
    struct batch *batch = task->open;
    struct customer *customer = entry->customer;
    cache_resize(task->ports.cache, entry);
    if (!(entry->flags & ENTRY_DIRTY)) {
        entry->flags |= ENTRY_DIRTY;
        batch->dirty = array_grown(batch->dirty, &batch->dirty_capacity, batch->dirty_count,
                                   sizeof(struct cache_entry *), BATCH_ARRAY_FIRST);
        batch->dirty[batch->dirty_count++] = entry;
        cache_pin(entry);
    }
    batch->needed = true;
    if (customer->wake_ms >= customer->armed_ms || customer->wake_ms == TIME_NEVER) {
        return;
    }
    customer->armed_ms = customer->wake_ms;
    batch->armed =
        array_grown(batch->armed, &batch->armed_capacity, batch->armed_count, sizeof *batch->armed, BATCH_ARRAY_FIRST);
    batch->armed[batch->armed_count++] = (struct wheel_mark){entry, customer->wake_ms};
    int error = wheel_arm(&task->wheel, cache_entry_id(entry), customer->wake_ms, batch->number);
    ASSERT(!error);
}

/* The customer stood there, and stands elsewhere now. */
static void moved(struct task *task, const struct item *item, const struct standing *from) {
    const struct customer *customer = item->entry->customer;
    population_move(&task->open->population, task->options.model, from, customer);
    alerts_move(task->alerts, task->store, cache_entry_id(item->entry), from, customer);
}

static void score_activity(struct task *task, const struct item *item, struct changes *changes) {
    struct customer *customer = item->entry->customer;
    struct standing from;
    bool referred = customer->referrer != NULL;
    standing_of(customer, task->options.model, task->open->meta.counted_edition, &from);
    enum applied applied = customer_apply(customer, task->options.model, item->activity, item->clock_ms, changes);
    enum event_result result = applied == APPLIED_DUPLICATE ? RESULT_DUPLICATE
                               : applied == APPLIED_LATE    ? RESULT_LATE
                                                            : RESULT_APPLIED;
    count(task, task->metrics->events[item->input][result]);
    if (applied == APPLIED_DUPLICATE) {
        return;
    }
    moved(task, item, &from);
    put_changes(task, item, changes);
    if (item->activity->type == ACTIVITY_PURCHASE && customer->referrer) {
        const struct purchase *purchase = &item->activity->purchase;
        bool back = purchase->kind != PURCHASE_KIND_PURCHASE;
        task->store->ops->add_influence(task->store->context, customer_referrer(customer), referred ? 0 : 1,
                                        back ? -purchase->amount_minor : purchase->amount_minor);
    }
    if (item->activity->type == ACTIVITY_FEEDBACK) {
        company_feedback_count(task->feedback, item->activity, customer, task->open->meta.clock_ms);
    }
    mark_dirty(task, item->entry);
}

/* Nothing happened, but time went on, or the rules did. */
static void advance(struct task *task, const struct item *item, struct changes *changes) {
    struct customer *customer = item->entry->customer;
    struct standing from;
    standing_of(customer, task->options.model, task->open->meta.counted_edition, &from);
    customer_advance(customer, task->options.model, item->clock_ms, changes);
    moved(task, item, &from);
    put_changes(task, item, changes);
}

static void score_due(struct task *task, const struct item *item, struct changes *changes) {
    struct customer *customer = item->entry->customer;
    if (customer->armed_ms != item->due_ms) {
        return; /* an entry that an earlier one has replaced */
    }
    customer->armed_ms = TIME_NEVER;
    if (customer->wake_ms <= item->clock_ms) {
        advance(task, item, changes);
        count(task, task->metrics->due_fired);
    }
    mark_dirty(task, item->entry);
}

/* A customer met by a sweep: evaluated by the present edition, unless that has happened already. */
static void score_sweep(struct task *task, const struct item *item, struct changes *changes) {
    const struct customer *customer = item->entry->customer;
    if (customer->now_ms != TIME_NONE && customer->edition != task->edition.number) {
        advance(task, item, changes);
        mark_dirty(task, item->entry);
    }
}

static void drop_hour(void *arg, int64_t hour) {
    struct task *task = arg;
    task->store->ops->drop_slot(task->store->context, hour);
    task->open->needed = true;
}

static void score_fired(struct task *task) {
    wheel_fired(&task->wheel, drop_hour, task);
    task->round_scored = 0;
}

void batch_score(struct task *task, const struct item *item) {
    struct batch *batch = task->open;
    struct changes changes;
    changes_init(&changes, &task->score_arena);
    changes.standings = task->options.encoder.customer_scores.data != NULL;
    batch->items++;
    batch->meta.clock_ms = item->clock_ms > batch->meta.clock_ms ? item->clock_ms : batch->meta.clock_ms;
    switch (item->kind) {
    case ITEM_ACTIVITY:
        score_activity(task, item, &changes);
        break;
    case ITEM_DEAD:
        count(task, task->metrics->dead_letters[item->reason]);
        count(task, task->metrics->events[item->input][RESULT_DEAD]);
        if (known_published(task, item, NULL)) {
            count(task, task->metrics->suppressed);
        } else {
            put_output(task, item->dead);
        }
        break;
    case ITEM_DUE:
        task->round_scored++;
        score_due(task, item, &changes);
        break;
    case ITEM_FIRED:
        score_fired(task);
        break;
    case ITEM_SWEEP:
        score_sweep(task, item, &changes);
        break;
    case ITEM_SWEPT:
        edition_swept(task, item->edition);
        break;
    case ITEM_EDITION:
        edition_adopt(task, item->clock_ms);
        break;
    }
    if (item->kind == ITEM_ACTIVITY || item->kind == ITEM_DEAD) {
        batch->meta.next_offset[item->input] = item->offset + 1;
        batch->needed = true;
    }
    if (changes.count > 0) {
        arena_reset(&task->score_arena);
    }
}

static int by_due(const void *a, const void *b) {
    int64_t first = ((const struct wheel_mark *)a)->due_ms;
    int64_t second = ((const struct wheel_mark *)b)->due_ms;
    return (first > second) - (first < second);
}

/* Writes the wheel entries, one append per hour. */
static void put_armed(struct task *task, struct batch *batch) {
    if (batch->armed_count == 0) {
        return;
    }
    qsort(batch->armed, batch->armed_count, sizeof *batch->armed, by_due);
    for (size_t i = 0; i < batch->armed_count;) {
        int64_t hour = wheel_hour(batch->armed[i].due_ms);
        buffer_reset(&task->scratch);
        for (; i < batch->armed_count && wheel_hour(batch->armed[i].due_ms) == hour; i++) {
            due_entry_encode(&task->scratch, cache_entry_id(batch->armed[i].entry),
                             (uint32_t)(batch->armed[i].due_ms - hour * MS_PER_HOUR));
        }
        ASSERT(!task->scratch.error);
        task->store->ops->put_due(task->store->context, hour, buffer_bytes(&task->scratch));
    }
}

static void put_populations(struct task *task, struct batch *batch) {
    struct store *store = task->store;
    population_put(&batch->population, task->options.model, store, &task->scratch);
}

/* The customers are cold again by the time that the batch is sent. */
static void prefetch_dirty(const struct batch *batch, size_t at) {
    if (at + PREFETCH_ENTRY < batch->dirty_count) {
        prefetch(batch->dirty[at + PREFETCH_ENTRY]);
        entry_prefetch(batch->dirty[at + PREFETCH_CUSTOMER]);
        entry_prefetch_parts(batch->dirty[at + PREFETCH_PARTS]);
    }
}

void batch_send(struct task *task, store_applied_fn on_applied) {
    struct batch *batch = task->open;
    ASSERT(!task->in_flight);
    for (size_t i = 0; i < batch->dirty_count; i++) {
        struct cache_entry *entry = batch->dirty[i];
        prefetch_dirty(batch, i);
        buffer_reset(&task->scratch);
        customer_encode(entry->customer, &task->scratch);
        ASSERT(!task->scratch.error);
        task->store->ops->put_customer(task->store->context, cache_entry_id(entry), buffer_bytes(&task->scratch));
        if (is_counted(entry->customer, batch->meta.counted_edition)) {
            alerts_put(task->alerts, task->store, cache_entry_id(entry), entry->customer);
        }
        entry->flags &= (uint8_t)~ENTRY_DIRTY;
    }
    put_armed(task, batch);
    put_populations(task, batch);
    company_feedback_put(task->feedback, task->store, batch->meta.clock_ms);
    batch->meta.fired_ms = task->wheel.fired_ms;
    batch->meta.published_seq = task->published_seq;
    batch->sent_ms = task->ports.monotonic_ms(task->ports.time_context);
    task->in_flight = batch;
    task->open = batch == &task->batches[0] ? &task->batches[1] : &task->batches[0];
    task->open->number = batch->number + 1;
    task->open->meta = batch->meta;
    task->store->ops->apply(task->store->context, &batch->meta, on_applied, task);
}

void batch_applied(struct task *task) {
    struct batch *batch = task->in_flight;
    int64_t now_ms = task->ports.monotonic_ms(task->ports.time_context);
    metric_observe(task->metrics->apply_seconds, (double)(now_ms - batch->sent_ms) / MS_PER_SECOND);
    for (size_t i = 0; i < batch->counts_count; i++) {
        metric_add(batch->counts[i].metric, batch->counts[i].amount);
    }
    task->wheel.applied_batch = batch->number;
    task->trimmed_seq = batch->meta.published_seq;
    batch_clear(task, batch);
    task->in_flight = NULL;
}

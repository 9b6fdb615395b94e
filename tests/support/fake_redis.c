#include "support/fake_parts.h"

#include "base/mutation.h"

#include <inttypes.h>
#include <stdio.h>

static struct bytes hour_name(const int64_t *hour) {
    return bytes_of((const char *)hour, sizeof *hour);
}

struct fake_redis fake_redis_snapshot(struct fake_world *world) {
    struct fake_redis copy = world->redis;
    copy.customers = fake_map_copy(world, &world->redis.customers);
    copy.slots = fake_map_copy(world, &world->redis.slots);
    copy.populations = fake_map_copy(world, &world->redis.populations);
    copy.histograms = fake_map_copy(world, &world->redis.histograms);
    copy.alerts = fake_map_copy(world, &world->redis.alerts);
    copy.influence = fake_map_copy(world, &world->redis.influence);
    copy.feedback = fake_map_copy(world, &world->redis.feedback);
    copy.outbox = fake_take(world, (world->redis.outbox_count + 1) * sizeof *copy.outbox);
    if (copy.outbox_count) {
        memcpy(copy.outbox, world->redis.outbox, copy.outbox_count * sizeof *copy.outbox);
    }
    copy.outbox_capacity = copy.outbox_count;
    return copy;
}

static void feedback_prefix(int32_t day, char prefix[24]) {
    snprintf(prefix, 24, "%d/", (int)day);
}

static void feedback_add(struct fake_world *world, const struct put *put) {
    struct buffer name = {0};
    char prefix[24];
    feedback_prefix(put->day, prefix);
    buffer_put_text(&name, prefix);
    buffer_put_bytes(&name, put->name);
    fake_map_get(world, &world->redis.feedback, buffer_bytes(&name))->number += put->number;
    buffer_finish(&name);
}

static void feedback_drop(struct fake_map *feedback, int32_t day) {
    char prefix[24];
    feedback_prefix(day, prefix);
    size_t size = strlen(prefix);
    for (size_t i = feedback->count; i-- > 0;) {
        struct bytes name = feedback->pairs[i].name;
        if (name.size > size && memcmp(name.data, prefix, size) == 0) {
            feedback->pairs[i] = feedback->pairs[--feedback->count];
        }
    }
}

static void redis_put(struct fake_world *world, const struct put *put) {
    struct fake_redis *redis = &world->redis;
    struct fake_pair *pair;
    struct buffer joined = {0};
    switch (put->kind) {
    case PUT_CUSTOMER:
        fake_map_get(world, &redis->customers, put->name)->value = put->value;
        break;
    case PUT_DUE:
        pair = fake_map_get(world, &redis->slots, hour_name(&put->number));
        buffer_put_bytes(&joined, pair->value);
        buffer_put_bytes(&joined, put->value);
        pair->value = fake_copied(world, buffer_bytes(&joined));
        break;
    case PUT_DROP:
        pair = fake_map_find(&redis->slots, hour_name(&put->number));
        if (pair) {
            *pair = redis->slots.pairs[--redis->slots.count];
        }
        break;
    case PUT_POPULATION:
        fake_map_get(world, &redis->populations, put->name)->number += put->number;
        break;
    case PUT_HISTOGRAM:
        fake_map_get(world, &redis->histograms, put->name)->number += put->number;
        break;
    case PUT_DROP_POPULATIONS:
        redis->populations.count = redis->histograms.count = redis->alerts.count = 0;
        break;
    case PUT_DROP_ALL:
        redis->populations.count = redis->histograms.count = redis->customers.count = redis->slots.count = 0;
        redis->outbox_count = redis->influence.count = redis->alerts.count = 0;
        redis->cuts = (struct bytes){NULL, 0};
        break;
    case PUT_INFLUENCE:
        fake_map_get(world, &redis->influence, put->name)->number += put->number;
        break;
    case PUT_ALERT:
        fake_map_get(world, &redis->alerts, put->name)->number = put->number;
        break;
    case PUT_DROP_ALERT:
        pair = fake_map_find(&redis->alerts, put->name);
        if (pair) {
            *pair = redis->alerts.pairs[--redis->alerts.count];
        }
        break;
    case PUT_CUTS:
        redis->cuts = put->value;
        break;
    case PUT_FEEDBACK:
        feedback_add(world, put);
        break;
    case PUT_DROP_FEEDBACK:
        feedback_drop(&redis->feedback, put->day);
        break;
    case PUT_OUTPUT:
        redis->outbox =
            fake_grown(world, redis->outbox, redis->outbox_count, &redis->outbox_capacity, sizeof *redis->outbox);
        redis->outbox[redis->outbox_count++] = (struct stored_output){(uint64_t)put->number, put->value};
        break;
    }
    buffer_finish(&joined);
}

static void redis_trim(struct fake_redis *redis, uint64_t through) {
    size_t kept = 0;
    for (size_t i = 0; i < redis->outbox_count; i++) {
        if (redis->outbox[i].seq > through) {
            redis->outbox[kept++] = redis->outbox[i];
        }
    }
    redis->outbox_count = kept;
}

static int redis_apply(struct fake_owner *owner, struct op *op) {
    struct fake_redis *redis = &owner->world->redis;
    if (!MUTATED(NO_CAS) && redis->meta.epoch != op->meta.epoch) {
        return ERR_FENCED;
    }
    if (!MUTATED(NO_CAS) && redis->meta.seq + 1 != op->meta.seq) {
        return ERR_REWOUND;
    }
    for (const struct put *put = op->puts; put; put = put->next) {
        redis_put(owner->world, put);
    }
    redis->meta = op->meta;
    redis->present = true;
    redis_trim(redis, op->meta.published_seq);
    return 0;
}

void fake_op_effect(struct fake_owner *owner, struct op *op) {
    struct fake_world *world = owner->world;
    struct fake_redis *redis = &world->redis;
    op->effected = true;
    bool ours = redis->meta.epoch == owner->epoch;
    switch (op->kind) {
    case OP_TAKE_OVER:
        redis->meta.epoch++;
        owner->epoch = redis->meta.epoch;
        owner->seq = redis->meta.seq;
        op->seen = fake_redis_snapshot(world);
        break;
    case OP_LOAD:
        op->error = ours ? 0 : ERR_FENCED;
        op->values = fake_take(world, (op->count + 1) * sizeof *op->values);
        for (size_t i = 0; i < op->count; i++) {
            const struct fake_pair *pair = fake_map_find(&redis->customers, op->ids[i]);
            op->values[i] = pair ? pair->value : (struct bytes){NULL, 0};
        }
        break;
    case OP_READ_SLOT: { /* in pieces that end within an entry */
        enum { PIECE_MAX = 16 };
        op->error = ours ? 0 : ERR_FENCED;
        const struct fake_pair *pair = fake_map_find(&redis->slots, hour_name(&op->hour));
        size_t left = pair && pair->value.size > op->offset ? pair->value.size - op->offset : 0;
        op->last = left <= PIECE_MAX;
        op->piece = left ? bytes_of(pair->value.data + op->offset, op->last ? left : PIECE_MAX) : bytes_of("", 0);
        break;
    }
    case OP_SCAN: { /* the customers whose place is the bucket, two at a time */
        enum { SCANNED_MAX = 2 };
        op->error = ours ? 0 : ERR_FENCED;
        op->ids = fake_take(world, SCANNED_MAX * sizeof *op->ids);
        op->values = fake_take(world, SCANNED_MAX * sizeof *op->values);
        size_t at = op->offset;
        for (; at < redis->customers.count && op->count < SCANNED_MAX; at++) {
            if ((int64_t)at % STORE_BUCKETS == op->hour) {
                op->ids[op->count] = redis->customers.pairs[at].name;
                op->values[op->count++] = redis->customers.pairs[at].value;
            }
        }
        op->offset = at < redis->customers.count ? at : 0;
        break;
    }
    case OP_HISTOGRAMS:
        op->count = 2 * redis->histograms.count;
        op->values = fake_take(world, (op->count + 1) * sizeof *op->values);
        for (size_t i = 0; i < redis->histograms.count; i++) {
            char number[24];
            int size = snprintf(number, sizeof number, "%" PRId64, redis->histograms.pairs[i].number);
            op->values[2 * i] = redis->histograms.pairs[i].name;
            op->values[2 * i + 1] = fake_copied(world, bytes_of(number, (size_t)size));
        }
        break;
    case OP_APPLY:
        op->error = redis_apply(owner, op);
        break;
    }
}

void fake_op_ghost(struct fake_owner *owner, struct op *op) {
    if (!op->effected && op->kind == OP_APPLY) {
        (void)redis_apply(owner, op);
    }
}

void fake_op_answer(struct fake_owner *owner, struct op *op) {
    struct fake_world *world = owner->world;
    struct store_found found = {0};
    switch (op->kind) {
    case OP_TAKE_OVER:
        found.absent = !op->seen.present;
        found.meta = op->seen.meta;
        found.outputs = op->seen.outbox;
        found.outputs_count = op->seen.outbox_count;
        int64_t *hours = fake_take(world, (op->seen.slots.count + 1) * sizeof *hours);
        for (size_t i = 0; i < op->seen.slots.count; i++) {
            memcpy(&hours[i], op->seen.slots.pairs[i].name.data, sizeof *hours);
        }
        found.wheel_hours = hours;
        found.cuts = op->seen.cuts;
        found.wheel_hours_count = op->seen.slots.count;
        op->done.found(op->arg, 0, &found);
        break;
    case OP_LOAD:
        op->done.loaded(op->arg, op->error, op->values, op->count);
        break;
    case OP_READ_SLOT:
        op->done.slot(op->arg, op->error, op->piece, op->last);
        break;
    case OP_SCAN:
        op->done.scanned(op->arg, op->error, op->ids, op->values, op->count, op->offset);
        break;
    case OP_HISTOGRAMS:
        op->done.loaded(op->arg, 0, op->values, op->count);
        break;
    case OP_APPLY:
        op->done.applied(op->arg, op->error);
        break;
    }
}

void fake_op_step(struct fake_owner *owner) {
    struct op *op = owner->ops;
    if (!op->effected) {
        fake_op_effect(owner, op);
    } else {
        owner->ops = op->next;
        fake_op_answer(owner, op);
    }
}

/* ---- the store's port ---- */

static struct op *op_send(struct fake_owner *owner, enum op_kind kind, void *arg) {
    struct op *op = fake_take(owner->world, sizeof *op);
    op->kind = kind;
    op->arg = arg;
    struct op **link = &owner->ops;
    while (*link) {
        link = &(*link)->next;
    }
    *link = op;
    return op;
}

static void store_take_over(void *context, store_found_fn done, void *arg) {
    op_send(context, OP_TAKE_OVER, arg)->done.found = done;
}

static void store_load(void *context, const struct bytes *ids, size_t count, store_loaded_fn done, void *arg) {
    struct fake_owner *owner = context;
    struct op *op = op_send(owner, OP_LOAD, arg);
    op->done.loaded = done;
    op->ids = fake_take(owner->world, count * sizeof *ids);
    op->count = count;
    for (size_t i = 0; i < count; i++) {
        op->ids[i] = fake_copied(owner->world, ids[i]);
    }
}

static void store_read_slot(void *context, int64_t hour, size_t offset, store_slot_fn done, void *arg) {
    struct op *op = op_send(context, OP_READ_SLOT, arg);
    op->done.slot = done;
    op->hour = hour;
    op->offset = offset;
}

static void store_scan(void *context, int bucket, uint64_t from, store_scanned_fn done, void *arg) {
    struct op *op = op_send(context, OP_SCAN, arg);
    op->done.scanned = done;
    op->hour = bucket;
    op->offset = from;
}

void fake_histograms(void *owner, int32_t partition, store_loaded_fn done, void *arg) {
    (void)partition;
    op_send(owner, OP_HISTOGRAMS, arg)->done.loaded = done;
}

static struct put *put_new(struct fake_owner *owner, enum put_kind kind) {
    struct put *put = fake_take(owner->world, sizeof *put);
    put->kind = kind;
    if (owner->puts_last) {
        owner->puts_last->next = put;
    } else {
        owner->puts = put;
    }
    owner->puts_last = put;
    return put;
}

static void store_put_customer(void *context, struct bytes id, struct bytes packed) {
    struct fake_owner *owner = context;
    struct put *put = put_new(owner, PUT_CUSTOMER);
    put->name = fake_copied(owner->world, id);
    put->value = fake_copied(owner->world, packed);
}

static void store_put_due(void *context, int64_t hour, struct bytes entries) {
    struct fake_owner *owner = context;
    struct put *put = put_new(owner, PUT_DUE);
    put->number = hour;
    put->value = fake_copied(owner->world, entries);
}

static void store_drop_slot(void *context, int64_t hour) {
    put_new(context, PUT_DROP)->number = hour;
}

static void store_add_population(void *context, struct bytes field, int64_t delta) {
    struct fake_owner *owner = context;
    struct put *put = put_new(owner, PUT_POPULATION);
    put->name = fake_copied(owner->world, field);
    put->number = delta;
}

static void store_add_histogram(void *context, struct bytes field, int64_t delta) {
    struct fake_owner *owner = context;
    struct put *put = put_new(owner, PUT_HISTOGRAM);
    put->name = fake_copied(owner->world, field);
    put->number = delta;
}

static void store_drop_populations(void *context) {
    put_new(context, PUT_DROP_POPULATIONS);
}

static void store_drop_all(void *context) {
    put_new(context, PUT_DROP_ALL);
}

static void store_put_cuts(void *context, struct bytes packed) {
    struct fake_owner *owner = context;
    put_new(owner, PUT_CUTS)->value = fake_copied(owner->world, packed);
}

static void put_alert(struct fake_owner *owner, enum put_kind kind, struct bytes tier_set, struct bytes id,
                      int64_t number) {
    struct put *put = put_new(owner, kind);
    struct buffer name = {0};
    buffer_put_bytes(&name, tier_set);
    buffer_put_byte(&name, '/');
    buffer_put_bytes(&name, id);
    put->name = fake_copied(owner->world, buffer_bytes(&name));
    put->number = number;
    buffer_finish(&name);
}

static void store_put_alert(void *context, struct bytes tier_set, struct bytes id, int64_t value_minor) {
    put_alert(context, PUT_ALERT, tier_set, id, value_minor);
}

static void store_drop_alert(void *context, struct bytes tier_set, struct bytes id) {
    put_alert(context, PUT_DROP_ALERT, tier_set, id, 0);
}

static void store_add_influence(void *context, struct bytes referrer, int64_t customers, int64_t revenue_minor) {
    struct fake_owner *owner = context;
    struct put *put = put_new(owner, PUT_INFLUENCE);
    put->name = fake_copied(owner->world, referrer);
    put->number = customers * 1000000000 + revenue_minor;
}

static void store_add_feedback(void *context, int32_t day, struct bytes field, int64_t delta) {
    struct fake_owner *owner = context;
    struct put *put = put_new(owner, PUT_FEEDBACK);
    put->name = fake_copied(owner->world, field);
    put->number = delta;
    put->day = day;
}

static void store_drop_feedback(void *context, int32_t day) {
    put_new(context, PUT_DROP_FEEDBACK)->day = day;
}

static void store_put_output(void *context, uint64_t seq, struct bytes record) {
    struct fake_owner *owner = context;
    struct put *put = put_new(owner, PUT_OUTPUT);
    put->number = (int64_t)seq;
    put->value = fake_copied(owner->world, record);
}

static void store_apply(void *context, const struct store_meta *meta, store_applied_fn done, void *arg) {
    struct fake_owner *owner = context;
    struct op *op = op_send(owner, OP_APPLY, arg);
    op->done.applied = done;
    op->puts = owner->puts;
    owner->puts = owner->puts_last = NULL;
    op->meta = *meta;
    op->meta.epoch = owner->epoch;
    op->meta.seq = ++owner->seq;
}

static void store_settle(void *context, int64_t until_ms) {
    struct fake_owner *owner = context;
    (void)until_ms;
    for (bool applied = false; owner->ops && !applied;) {
        applied = owner->ops->kind == OP_APPLY && owner->ops->effected;
        fake_op_step(owner);
    }
}

static void store_destroy(void *context) {
    struct fake_owner *owner = context;
    for (struct op *op = owner->ops; op; op = op->next) {
        if (op->kind == OP_HISTOGRAMS) {
            op->done.loaded(op->arg, ERR_UNAVAILABLE, NULL, 0); /* what waits for it is freed by the answer */
        }
    }
    owner->ops = NULL; /* a task that drops its store is told nothing more; ghosts are kept by
                          fake_owner_crash */
    owner->puts = owner->puts_last = NULL;
}

struct store *fake_store_open(void *context, int32_t partition) {
    static const struct store_ops ops = {
        .take_over = store_take_over,
        .load = store_load,
        .read_slot = store_read_slot,
        .scan = store_scan,
        .put_customer = store_put_customer,
        .put_due = store_put_due,
        .drop_slot = store_drop_slot,
        .add_population = store_add_population,
        .add_histogram = store_add_histogram,
        .drop_populations = store_drop_populations,
        .put_cuts = store_put_cuts,
        .put_alert = store_put_alert,
        .drop_alert = store_drop_alert,
        .drop_all = store_drop_all,
        .add_influence = store_add_influence,
        .add_feedback = store_add_feedback,
        .drop_feedback = store_drop_feedback,
        .put_output = store_put_output,
        .apply = store_apply,
        .settle = store_settle,
        .destroy = store_destroy,
    };
    struct fake_owner *owner = context;
    (void)partition;
    struct store *store = fake_take(owner->world, sizeof *store);
    *store = (struct store){owner, &ops};
    return store;
}

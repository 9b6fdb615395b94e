/* The atomic batch and its fence.
 *
 *     MULTI  APPEND due...  SADD/SREM wheel  HINCRBY populations, feedback...  XADD out...  HSET customers...  HSET meta  XTRIM out  EXEC
 *     [WAIT or WAITAOF]  WATCH meta  HMGET meta epoch seq
 *
 * all in one write. The WATCH and HMGET at its end are the guard of the next batch, which is sent only when their answer
 * shows that this owner was the last to write: whoever writes meta in between makes EXEC answer nil. */
#include "base/array.h"
#include "base/log.h"
#include "base/mutation.h"
#include "state/redis_parts.h"

#include <stdlib.h>

/* ---- collecting ---- */

/* Marks the end of a command that was appended to the flight. */
static void flight_end(struct flight *flight) {
    flight->ends = array_grown(flight->ends, &flight->ends_capacity, flight->ends_count, sizeof *flight->ends, 64);
    flight->ends[flight->ends_count++] = flight->commands.size;
}

static void put_word(struct flight *flight, const char *word) {
    resp_begin(&flight->commands, 1);
    resp_text(&flight->commands, word);
    flight_end(flight);
}

/* The next batch's commands so far. */
static struct flight *staged(struct redis_store *store) {
    struct flight *commands = &store->staging.commands;
    if (commands->ends_count == 0) {
        put_word(commands, "MULTI");
    }
    return commands;
}

static struct buffer *begin(struct redis_store *store, struct flight *flight, size_t arguments, const char *name,
                            const char *what) {
    resp_begin(&flight->commands, arguments);
    resp_text(&flight->commands, name);
    resp_joined(&flight->commands, bytes_of_text(store->key_head), bytes_of_text(what));
    return &flight->commands;
}

/* "42-0": the outbox's entries are numbered by the outputs' sequence. */
static void put_entry_id(struct buffer *out, uint64_t seq) {
    char text[REDIS_NAME_BYTES];
    struct buffer id = {.data = text, .capacity = sizeof text};
    buffer_put_decimal(&id, (int64_t)seq);
    buffer_put_text(&id, "-0");
    resp_bytes(out, buffer_bytes(&id));
}

void redis_put_customer(void *context, struct bytes id, struct bytes packed) {
    struct redis_store *store = context;
    int bucket = redis_bucket(id);
    resp_bytes(&store->staging.customers[bucket], id);
    resp_bytes(&store->staging.customers[bucket], packed);
    store->staging.customers_count[bucket]++;
}

void redis_put_due(void *context, int64_t hour, struct bytes entries) {
    struct redis_store *store = context;
    struct flight *commands = staged(store);
    char what[REDIS_NAME_BYTES];
    resp_bytes(begin(store, commands, 3, "APPEND", redis_numbered("due:", hour, what)), entries);
    flight_end(commands);
    resp_number(&store->staging.hours, hour);
    store->staging.hours_count++;
}

void redis_drop_slot(void *context, int64_t hour) {
    struct redis_store *store = context;
    struct flight *commands = staged(store);
    char what[REDIS_NAME_BYTES];
    begin(store, commands, 2, "UNLINK", redis_numbered("due:", hour, what));
    flight_end(commands);
    resp_number(begin(store, commands, 3, "SREM", "wheel"), hour);
    flight_end(commands);
}

static void add_count(struct redis_store *store, const char *what, struct bytes field, int64_t delta) {
    struct flight *commands = staged(store);
    struct buffer *out = begin(store, commands, 4, "HINCRBY", what);
    resp_bytes(out, field);
    resp_number(out, delta);
    flight_end(commands);
}

void redis_add_population(void *context, struct bytes field, int64_t delta) {
    add_count(context, "pop", field, delta);
}

void redis_add_histogram(void *context, struct bytes field, int64_t delta) {
    add_count(context, "hist", field, delta);
}

static void drop_key(struct redis_store *store, const char *what) {
    struct flight *commands = staged(store);
    begin(store, commands, 2, "UNLINK", what);
    flight_end(commands);
}

void redis_drop_populations(void *context) {
    drop_key(context, "pop");
    drop_key(context, "hist");
    drop_key(context, "alerts");
}

void redis_add_feedback(void *context, int32_t day, struct bytes field, int64_t delta) {
    char what[REDIS_NAME_BYTES];
    add_count(context, redis_numbered("fb:", day, what), field, delta);
}

void redis_drop_feedback(void *context, int32_t day) {
    char what[REDIS_NAME_BYTES];
    drop_key(context, redis_numbered("fb:", day, what));
}

void redis_influence_fields(struct bytes referrer, struct buffer *customers, struct buffer *revenue) {
    buffer_put_bytes(customers, referrer);
    buffer_put_text(customers, "/customers");
    buffer_put_bytes(revenue, referrer);
    buffer_put_text(revenue, "/revenue");
}

void redis_add_influence(void *context, struct bytes referrer, int64_t customers, int64_t revenue_minor) {
    struct buffer fields[2] = {{0}, {0}};
    const int64_t deltas[2] = {customers, revenue_minor};
    redis_influence_fields(referrer, &fields[0], &fields[1]);
    for (int i = 0; i < 2; i++) {
        ASSERT(!fields[i].error);
        if (deltas[i] != 0) {
            add_count(context, "ref", buffer_bytes(&fields[i]), deltas[i]);
        }
        buffer_finish(&fields[i]);
    }
}

/* One argument: "<tier set>/<customer>". */
static void put_alert_name(struct buffer *out, struct bytes tier_set, struct bytes id) {
    char head[REDIS_NAME_BYTES + 64];
    struct buffer text = {.data = head, .capacity = sizeof head};
    buffer_put_bytes(&text, tier_set);
    buffer_put_byte(&text, '/');
    resp_joined(out, buffer_bytes(&text), id);
}

void redis_put_alert(void *context, struct bytes tier_set, struct bytes id, int64_t value_minor) {
    struct redis_store *store = context;
    struct flight *commands = staged(store);
    struct buffer *out = begin(store, commands, 4, "ZADD", "alerts");
    resp_number(out, value_minor);
    put_alert_name(out, tier_set, id);
    flight_end(commands);
}

void redis_drop_alert(void *context, struct bytes tier_set, struct bytes id) {
    struct flight *commands = staged(context);
    put_alert_name(begin(context, commands, 3, "ZREM", "alerts"), tier_set, id);
    flight_end(commands);
}

void redis_drop_all(void *context) {
    static const char *const keys[] = {"cuts", "ref", "out",
                                       "wheel"}; /* entries of due:<hour> are hints, which name nobody now */
    redis_drop_populations(context);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        drop_key(context, keys[i]);
    }
    for (int bucket = 0; bucket < REDIS_BUCKETS; bucket++) {
        char what[REDIS_NAME_BYTES];
        drop_key(context, redis_numbered("c:", bucket, what));
    }
}

void redis_put_cuts(void *context, struct bytes packed) {
    struct flight *commands = staged(context);
    resp_bytes(begin(context, commands, 3, "SET", "cuts"), packed);
    flight_end(commands);
}

/* Puts what is staged of the outbox into one entry, whose id is the sequence of its last output. */
static void put_entry(struct redis_store *store) {
    struct staging *staging = &store->staging;
    if (staging->outputs.size == 0) {
        return;
    }
    struct flight *commands = staged(store);
    struct buffer *out = begin(store, commands, 5, "XADD", "out");
    put_entry_id(out, staging->outputs_seq);
    resp_text(out, "r");
    ASSERT(!staging->outputs.error);
    resp_bytes(out, buffer_bytes(&staging->outputs));
    flight_end(commands);
    buffer_reset(&staging->outputs);
}

void redis_put_output(void *context, uint64_t seq, struct bytes record) {
    struct redis_store *store = context;
    struct staging *staging = &store->staging;
    ASSERT(staging->outputs.size == 0 || seq == staging->outputs_seq + 1);
    buffer_put_sized(&staging->outputs, record);
    staging->outputs_seq = seq;
    if (staging->outputs.size >= REDIS_ENTRY_BYTES) {
        put_entry(store);
    }
}

/* ---- building ---- */

/* All hours of the batch in one command, behind those that drop others. */
static void put_hours(struct redis_store *store) {
    struct buffer *hours = &store->staging.hours;
    ASSERT(!hours->error);
    if (hours->size > 0) {
        struct flight *commands = &store->staging.commands;
        buffer_put_bytes(begin(store, commands, 2 + store->staging.hours_count, "SADD", "wheel"), buffer_bytes(hours));
        flight_end(commands);
        buffer_reset(hours);
        store->staging.hours_count = 0;
    }
}

static void put_customers(struct redis_store *store) {
    for (int bucket = 0; bucket < REDIS_BUCKETS; bucket++) {
        size_t count = store->staging.customers_count[bucket];
        if (count == 0) {
            continue;
        }
        char what[REDIS_NAME_BYTES];
        struct buffer *staged = &store->staging.customers[bucket];
        ASSERT(!staged->error);
        buffer_put_bytes(begin(store, &store->flight, 2 + 2 * count, "HSET", redis_numbered("c:", bucket, what)),
                         buffer_bytes(staged));
        flight_end(&store->flight);
        buffer_reset(staged);
        store->staging.customers_count[bucket] = 0;
    }
}

/* What is staged becomes the batch, and the last batch's memory takes what comes: tens of MB are not copied. */
static void take_staged(struct redis_store *store) {
    put_entry(store);
    put_hours(store);
    struct flight *flight = &store->flight;
    struct flight *commands = staged(store);
    struct flight free = *flight;
    flight->commands = commands->commands;
    flight->ends = commands->ends;
    flight->ends_count = commands->ends_count;
    flight->ends_capacity = commands->ends_capacity;
    *commands = (struct flight){.commands = free.commands, .ends = free.ends, .ends_capacity = free.ends_capacity};
    buffer_reset(&commands->commands);
}

static void put_meta(struct redis_store *store, const struct store_meta *meta) {
    struct store_meta written = *meta;
    written.epoch = store->epoch;
    written.seq = store->flight.seq;
    redis_meta_put(begin(store, &store->flight, 2 + 2 * STORE_META_FIELDS, "HSET", "meta"), &written);
    flight_end(&store->flight);
    if (meta->published_seq > store->trimmed) {
        struct buffer *out = begin(store, &store->flight, 4, "XTRIM", "out");
        resp_text(out, "MINID");
        put_entry_id(out, meta->published_seq + 1);
        flight_end(&store->flight);
        store->trimmed = meta->published_seq;
    }
}

void redis_apply(void *context, const struct store_meta *meta, store_applied_fn done, void *arg) {
    struct redis_store *store = context;
    struct flight *flight = &store->flight;
    ASSERT(flight->state == FLIGHT_NONE);
    take_staged(store);
    flight->seq = store->seq + 1;
    flight->done = done;
    flight->arg = arg;
    put_customers(store);
    put_meta(store, meta);
    put_word(flight, "EXEC");
    ASSERT(!flight->commands.error);
    flight->state = FLIGHT_BUILT;
    redis_batch_send(store);
}

void redis_batch_finish(struct redis_store *store) {
    for (int bucket = 0; bucket < REDIS_BUCKETS; bucket++) {
        buffer_finish(&store->staging.customers[bucket]);
    }
    buffer_finish(&store->staging.outputs);
    buffer_finish(&store->staging.hours);
    buffer_finish(&store->staging.commands.commands);
    free(store->staging.commands.ends);
    buffer_finish(&store->flight.commands);
    free(store->flight.ends);
}

/* ---- sending ---- */

static void finish(struct redis_store *store) {
    store->flight.state = FLIGHT_NONE;
    store->retry_ms = REDIS_RETRY_MS_MIN;
    store->flight.done(store->flight.arg, 0);
}

static bool must_wait(const struct redis_store *store) {
    return store->options->durability == DURABILITY_REPLICAS ||
           (store->options->durability == DURABILITY_FSYNC && !store->always_fsync);
}

static void on_durable(void *context, const struct redisReply *reply) {
    struct redis_store *store = context;
    if (!reply || store->flight.state != FLIGHT_SYNCING) {
        return;
    }
    bool fsync = store->options->durability == DURABILITY_FSYNC;
    const struct redisReply *count =
        fsync && reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 ? reply->element[0] : reply;
    int64_t wanted = fsync ? 1 : store->options->replicas;
    if (count->type == REDIS_REPLY_INTEGER && count->integer >= wanted) {
        finish(store);
        return;
    }
    log_warning(fsync ? "waits for Redis to write its log to disk" : "waits for replicas", "task=%d error=\"%.200s\"",
                store->partition, reply->type == REDIS_REPLY_ERROR ? reply->str : "not yet");
    if (count->type == REDIS_REPLY_INTEGER) {
        redis_durable_ask(store);
    } else {
        redis_store_later(store, reply);
    }
}

void redis_durable_ask(struct redis_store *store) {
    struct buffer command = {0};
    bool fsync = store->options->durability == DURABILITY_FSYNC;
    resp_begin(&command, fsync ? 4 : 3);
    resp_text(&command, fsync ? "WAITAOF" : "WAIT");
    resp_number(&command, fsync ? 1 : store->options->replicas);
    if (fsync) {
        resp_number(&command, 0);
    }
    resp_number(&command, REDIS_WAIT_MS);
    store->flight.state = FLIGHT_SYNCING;
    redis_store_send(store, &command, on_durable);
    buffer_finish(&command);
}

static void on_queued(void *context, const struct redisReply *reply) {
    struct redis_store *store = context;
    if (reply && reply->type == REDIS_REPLY_ERROR) {
        log_warning("could not queue a command in Redis", "task=%d error=\"%.200s\"", store->partition, reply->str);
    }
}

/* The batch is in the store, perhaps not yet durable. */
static void applied(struct redis_store *store) {
    store->seq = store->flight.seq;
    if (must_wait(store)) {
        redis_durable_ask(store);
    } else {
        finish(store);
    }
}

/* The rest of the batch is in the store: going on would publish from a state that is not whole. */
static void flight_fail(struct redis_store *store) {
    store->flight.state = FLIGHT_NONE;
    store->owned = false;
    store->flight.done(store->flight.arg, ERR_REFUSED);
}

static void on_exec(void *context, const struct redisReply *reply) {
    struct redis_store *store = context;
    if (!reply || store->flight.state != FLIGHT_SENT) {
        return;
    }
    if (reply->type == REDIS_REPLY_NIL) {
        store->flight.state = FLIGHT_UNKNOWN; /* somebody wrote meta: the guard's answer, next, tells who */
        return;
    }
    if (reply->type == REDIS_REPLY_ERROR) { /* nothing of it was done: out of memory, loading, read-only... */
        store->flight.state = FLIGHT_BUILT;
        redis_store_later(store, reply);
        return;
    }
    for (size_t i = 0; i < reply->elements; i++) {
        if (reply->element[i]->type == REDIS_REPLY_ERROR) { /* a key of ours has another type: somebody else wrote it */
            log_error("found foreign data among the keys of a task", "task=%d error=\"%.200s\"", store->partition,
                      reply->element[i]->str);
            flight_fail(store);
            return;
        }
    }
    applied(store);
}

void redis_batch_send(struct redis_store *store) {
    struct flight *flight = &store->flight;
    if (flight->state != FLIGHT_BUILT || store->guard != GUARD_STANDS || evtimer_pending(store->retry, NULL)) {
        return;
    }
    flight->state = FLIGHT_SENT;
    store->guard = GUARD_NONE;
    redis_conn_send_run(store->conn, &(struct redis_run){.commands = buffer_bytes(&flight->commands),
                                                         .ends = flight->ends,
                                                         .count = flight->ends_count,
                                                         .each = on_queued,
                                                         .last = on_exec,
                                                         .arg = store});
    redis_guard_ask(store);
}

/* ---- the guard ---- */

/* The batch is in the store, but on a connection that is gone, whose writes a WAIT of this one does not cover. So a small
 * write, under the same guard, takes its place: when that is durable, so is everything before it. */
static void build_touch(struct redis_store *store) {
    struct flight *flight = &store->flight;
    buffer_reset(&flight->commands);
    flight->ends_count = 0;
    put_word(flight, "MULTI");
    struct buffer *out = begin(store, flight, 4, "HSET", "meta");
    resp_text(out, "seq");
    resp_number(out, (int64_t)flight->seq);
    flight_end(flight);
    put_word(flight, "EXEC");
    ASSERT(!flight->commands.error);
    flight->state = FLIGHT_BUILT;
}

/* Compares what is in the store with what this owner wrote last; false when the task is lost. */
static bool settle(struct redis_store *store, uint64_t epoch, uint64_t seq) {
    if (epoch != store->epoch) {
        redis_store_lost(store, epoch > store->epoch ? ERR_FENCED : ERR_REWOUND);
        return false;
    }
    struct flight *flight = &store->flight;
    store->settled = true;
    if (flight->state == FLIGHT_UNKNOWN && seq == flight->seq) {
        store->seq = seq;
        if (must_wait(store)) {
            build_touch(store);
        } else {
            finish(store);
        }
        return true;
    }
    if (seq != store->seq) {
        redis_store_lost(store, ERR_REWOUND);
        return false;
    }
    if (flight->state == FLIGHT_UNKNOWN) {
        atomic_fetch_add(&store->health->retries, 1);
        flight->state = FLIGHT_BUILT;
    }
    return true;
}

static void on_guard(void *context, const struct redisReply *reply) {
    struct redis_store *store = context;
    if (!reply || !store->owned) {
        return;
    }
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2) {
        store->guard = GUARD_NONE;
        redis_store_later(store, reply);
        return;
    }
    store->guard = GUARD_STANDS;
    if (MUTATED(NO_CAS)) {
        store->settled = true;
    } else if (!settle(store, redis_number(reply->element[0]), redis_number(reply->element[1]))) {
        return;
    }
    redis_batch_send(store);
    redis_reads_send(store);
}

void redis_guard_ask(struct redis_store *store) {
    struct buffer command = {0};
    char key[REDIS_KEY_BYTES];
    redis_key(store->options, store->partition, "meta", key);
    if (!MUTATED(NO_CAS)) {
        resp_begin(&command, 2);
        resp_text(&command, "WATCH");
        resp_text(&command, key);
        redis_store_send(store, &command, on_queued);
    }
    resp_begin(&command, 4);
    resp_text(&command, "HMGET");
    resp_text(&command, key);
    resp_text(&command, "epoch");
    resp_text(&command, "seq");
    store->guard = GUARD_ASKED;
    redis_store_send(store, &command, on_guard);
    buffer_finish(&command);
}

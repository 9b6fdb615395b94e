#include "state/redis_store.h"

#include "base/clock.h"
#include "base/log.h"
#include "state/redis_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void redis_key(const struct redis_options *options, int partition, const char *what, char key[REDIS_KEY_BYTES]) {
    snprintf(key, REDIS_KEY_BYTES, "%s:{%s.%d}:%s", options->key_prefix, options->group, partition, what);
}

const char *redis_numbered(const char *what, int64_t number, char text[REDIS_NAME_BYTES]) {
    struct buffer out = {.data = text, .capacity = REDIS_NAME_BYTES};
    buffer_put_text(&out, what);
    buffer_put_decimal(&out, number);
    buffer_put_byte(&out, '\0');
    return text;
}

void redis_put_scan(struct buffer *command, const struct redis_options *options, int partition, int bucket,
                    uint64_t cursor, int count) {
    char what[REDIS_NAME_BYTES], key[REDIS_KEY_BYTES], from[24];
    redis_key(options, partition, redis_numbered("c:", bucket, what), key);
    snprintf(from, sizeof from, "%" PRIu64, cursor); /* unsigned: it may have all 64 bits */
    resp_begin(command, 5);
    resp_text(command, "HSCAN");
    resp_text(command, key);
    resp_text(command, from);
    resp_text(command, "COUNT");
    resp_number(command, count);
    ASSERT(!command->error);
}

int redis_bucket(struct bytes id) {
    return (int)(bytes_hash(id) % REDIS_BUCKETS);
}

uint64_t redis_number(const struct redisReply *reply) {
    if (reply->type == REDIS_REPLY_INTEGER) {
        return (uint64_t)reply->integer;
    }
    return reply->type == REDIS_REPLY_STRING ? strtoull(reply->str, NULL, 10) : 0;
}

void redis_store_send(struct redis_store *store, struct buffer *command, redis_reply_fn done) {
    ASSERT(!command->error);
    if (redis_conn_is_up(store->conn)) {
        redis_conn_send(store->conn, buffer_bytes(command), done, store);
    }
    buffer_reset(command);
}

static void start_timer(struct event *event, int after_ms) {
    struct timeval after = {after_ms / 1000, (after_ms % 1000) * 1000};
    evtimer_add(event, &after);
}

void redis_store_later(struct redis_store *store, const struct redisReply *reply) {
    log_warning("was told by Redis to come later", "task=%d error=\"%.200s\"", store->partition,
                reply->str ? reply->str : "no answer");
    atomic_fetch_add(&store->health->retries, 1);
    store->retry_ms = store->retry_ms * 2 < REDIS_RETRY_MS_MAX ? store->retry_ms * 2 : REDIS_RETRY_MS_MAX;
    if (reply->str && strncmp(reply->str, "READONLY", 8) == 0) {
        redis_conn_reconnect(store->conn); /* a replica now: find the master */
        return;
    }
    start_timer(store->retry, store->retry_ms);
}

void redis_store_lost(struct redis_store *store, int error) {
    store->owned = false;
    store->guard = GUARD_NONE;
    if (store->flight.state != FLIGHT_NONE) {
        store->flight.state = FLIGHT_NONE;
        store->flight.done(store->flight.arg, error);
    } else {
        store->found_done(store->found_arg, error, NULL);
    }
}

/* Goes on with whatever is owed, on a connection that works. */
static void go_on(struct redis_store *store) {
    if (store->taking_over) {
        redis_takeover_start(store);
    } else if (store->owned && store->guard == GUARD_NONE) {
        redis_guard_ask(store);
    } else if (store->owned && store->guard == GUARD_STANDS) {
        if (store->flight.state == FLIGHT_SYNCING) {
            redis_durable_ask(store);
        }
        redis_batch_send(store);
        redis_reads_send(store);
    }
}

static void on_retry(evutil_socket_t fd, short what, void *context) {
    struct redis_store *store = context;
    (void)fd;
    (void)what;
    if (redis_conn_is_up(store->conn)) {
        go_on(store);
    }
}

static void on_memory_info(void *context, const struct redisReply *reply) {
    struct redis_store *store = context;
    const char *policy = reply && reply->type == REDIS_REPLY_STRING ? strstr(reply->str, "maxmemory_policy:") : NULL;
    if (!policy) {
        return;
    }
    bool evicts = strncmp(policy + strlen("maxmemory_policy:"), "noeviction", strlen("noeviction")) != 0;
    if (evicts) {
        log_error("found a Redis that may evict customers: set maxmemory-policy noeviction", "task=%d",
                  store->partition);
    }
    store->health->evicts = evicts;
}

static void on_fsync_setting(void *context, const struct redisReply *reply) {
    struct redis_store *store = context;
    store->always_fsync = reply && reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
                          strcmp(reply->element[1]->str, "always") == 0;
}

static void check_server(struct redis_store *store) {
    struct buffer command = {0};
    resp_begin(&command, 2);
    resp_text(&command, "INFO");
    resp_text(&command, "memory");
    redis_store_send(store, &command, on_memory_info);
    if (store->options->durability == DURABILITY_FSYNC) {
        resp_begin(&command, 3);
        resp_text(&command, "CONFIG");
        resp_text(&command, "GET");
        resp_text(&command, "appendfsync");
        redis_store_send(store, &command, on_fsync_setting);
    }
    buffer_finish(&command);
}

static void on_check(evutil_socket_t fd, short what, void *context) {
    struct redis_store *store = context;
    (void)fd;
    (void)what;
    if (redis_conn_is_up(store->conn)) {
        check_server(store);
    }
    start_timer(store->check, REDIS_CHECK_MS);
}

static void on_up(void *context) {
    struct redis_store *store = context;
    atomic_fetch_add(&store->health->connected, 1);
    atomic_fetch_add(&store->health->reconnects, 1);
    store->retry_ms = REDIS_RETRY_MS_MIN;
    check_server(store);
    go_on(store);
}

static void on_down(void *context) {
    struct redis_store *store = context;
    atomic_fetch_sub(&store->health->connected, 1);
    store->guard = GUARD_NONE;
    store->settled = false;
    evtimer_del(store->retry);
    if (store->flight.state == FLIGHT_SENT || store->flight.state == FLIGHT_SYNCING) {
        store->flight.state = FLIGHT_UNKNOWN;
    }
    redis_reads_unsent(store);
}

static void take_over(void *context, store_found_fn done, void *arg) {
    struct redis_store *store = context;
    store->found_done = done;
    store->found_arg = arg;
    store->taking_over = true;
    if (redis_conn_is_up(store->conn)) {
        redis_takeover_start(store);
    }
}

static void settle(void *context, int64_t until_ms) {
    struct redis_store *store = context;
    int64_t left_ms = until_ms - clock_monotonic_ms();
    while (store->flight.state != FLIGHT_NONE && redis_conn_is_up(store->conn) && left_ms > 0 &&
           redis_conn_wait(store->conn, (int)left_ms)) {
        left_ms = until_ms - clock_monotonic_ms();
    }
}

static void destroy(void *context) {
    struct redis_store *store = context;
    if (redis_conn_is_up(store->conn)) {
        atomic_fetch_sub(&store->health->connected, 1);
    }
    atomic_fetch_sub(&store->health->stores, 1);
    redis_conn_destroy(store->conn);
    redis_reads_forget(store);
    redis_batch_finish(store);
    event_free(store->retry);
    event_free(store->check);
    free(store);
}

struct store *redis_store_create(struct event_base *base, const struct redis_options *options,
                                 struct redis_health *health, int partition, char *problem) {
    static const struct store_ops ops = {
        .take_over = take_over,
        .load = redis_load,
        .read_slot = redis_read_slot,
        .scan = redis_scan,
        .put_customer = redis_put_customer,
        .put_due = redis_put_due,
        .drop_slot = redis_drop_slot,
        .add_population = redis_add_population,
        .add_histogram = redis_add_histogram,
        .drop_populations = redis_drop_populations,
        .drop_all = redis_drop_all,
        .add_influence = redis_add_influence,
        .put_alert = redis_put_alert,
        .drop_alert = redis_drop_alert,
        .put_cuts = redis_put_cuts,
        .add_feedback = redis_add_feedback,
        .drop_feedback = redis_drop_feedback,
        .put_output = redis_put_output,
        .apply = redis_apply,
        .settle = settle,
        .destroy = destroy,
    };
    struct redis_store *store = calloc(1, sizeof *store);
    ASSERT(store);
    struct redis_conn_callbacks callbacks = {store, on_up, on_down};
    store->conn = redis_conn_create(base, options, &callbacks, problem);
    if (!store->conn) {
        free(store);
        return NULL;
    }
    store->port = (struct store){store, &ops};
    store->options = options;
    store->health = health;
    store->partition = partition;
    redis_key(options, partition, "", store->key_head);
    store->retry_ms = REDIS_RETRY_MS_MIN;
    store->retry = evtimer_new(base, on_retry, store);
    store->check = evtimer_new(base, on_check, store);
    ASSERT(store->retry && store->check);
    start_timer(store->check, REDIS_CHECK_MS);
    atomic_fetch_add(&health->stores, 1);
    return &store->port;
}

/* Reading without owning: for `get` and the HTTP API. One connection, answers in order. */
#include "base/clock.h"
#include "state/redis_parts.h"

#include <stdlib.h>

enum {
    READER_GIVE_UP_MS = 3000, /* a person waits for this answer */
    SCAN_COUNT = 500,         /* customers a round trip: 100 KiB, a fraction of a ms of Redis' time */
};

enum reader_kind { READ_CUSTOMER, READ_META, READ_POPULATIONS, READ_FEEDBACK, READ_SCAN };

struct reader_call {
    struct reader_call *next;
    struct redis_reader *reader;
    enum reader_kind kind;
    struct buffer command;
    bool sent;
    int64_t since_ms;
    struct redis_scan *scan;
    union {
        store_loaded_fn loaded;
        store_found_fn found;
    };
    void *arg;
};

struct redis_reader {
    const struct redis_options *options;
    struct redis_conn *conn;
    struct event *tick;
    struct reader_call *calls; /* oldest first */
    struct reader_call **last; /* where the next one is linked in */
};

static void unlink_call(struct reader_call *call) {
    struct reader_call **link = &call->reader->calls;
    while (*link != call) {
        link = &(*link)->next;
    }
    *link = call->next;
    if (!call->next) {
        call->reader->last = link;
    }
}

static void free_call(struct reader_call *call) {
    buffer_finish(&call->command);
    free(call);
}

static void fail(struct reader_call *call) {
    if (call->kind == READ_META) {
        call->found(call->arg, ERR_UNAVAILABLE, NULL);
    } else {
        call->loaded(call->arg, ERR_UNAVAILABLE, NULL, 0);
    }
}

static void give_number(struct reader_call *call, int64_t number) {
    char text[24];
    struct buffer digits = {.data = text, .capacity = sizeof text};
    buffer_put_decimal(&digits, number);
    const struct bytes value = buffer_bytes(&digits);
    call->loaded(call->arg, 0, &value, 1);
}

static void give_values(struct reader_call *call, const struct redisReply *reply) {
    if (reply->type == REDIS_REPLY_INTEGER) {
        give_number(call, reply->integer);
        return;
    }
    bool many = reply->type == REDIS_REPLY_ARRAY;
    size_t count = many ? reply->elements : 1;
    struct bytes *values = calloc(count + 1, sizeof *values);
    ASSERT(values);
    for (size_t i = 0; i < count; i++) {
        const struct redisReply *value = many ? reply->element[i] : reply;
        values[i] = value->type == REDIS_REPLY_STRING ? bytes_of(value->str, value->len) : bytes_of(NULL, 0);
    }
    call->loaded(call->arg, 0, values, count);
    free(values);
}

/* HSCAN's answer: the cursor behind it ("0": the bucket is through), then field and value in turn. */
static void give_scanned(struct reader_call *call, const struct redisReply *reply) {
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2) {
        fail(call);
        return;
    }
    struct redis_scan *scan = call->scan;
    scan->cursor = redis_number(reply->element[0]);
    scan->bucket += scan->cursor == 0;
    scan->ended = scan->bucket == REDIS_BUCKETS;
    give_values(call, reply->element[1]);
}

static void on_reply(void *context, const struct redisReply *reply) {
    struct reader_call *call = context;
    if (!reply) {
        call->sent = false; /* asked again on the next connection, until its time is up */
        return;
    }
    unlink_call(call);
    if (reply->type == REDIS_REPLY_ERROR) {
        fail(call);
    } else if (call->kind == READ_META) {
        struct store_found found = {0};
        redis_meta_parse(reply, &found);
        call->found(call->arg, found.absent ? ERR_NOT_FOUND : 0, &found);
    } else if (call->kind == READ_SCAN) {
        give_scanned(call, reply);
    } else {
        give_values(call, reply);
    }
    free_call(call);
}

static void send_all(struct redis_reader *reader) {
    for (struct reader_call *call = reader->calls; call && redis_conn_is_up(reader->conn); call = call->next) {
        if (!call->sent) {
            call->sent = true;
            redis_conn_send(reader->conn, buffer_bytes(&call->command), on_reply, call);
        }
    }
}

static void on_up(void *context) {
    send_all(context);
}

/* Whatever had no answer is asked again on the next connection; that includes what could not even be sent. */
static void on_down(void *context) {
    struct redis_reader *reader = context;
    for (struct reader_call *call = reader->calls; call; call = call->next) {
        call->sent = false;
    }
}

/* Gives up calls that have waited too long for a connection. */
static void on_tick(evutil_socket_t fd, short what, void *context) {
    struct redis_reader *reader = context;
    int64_t now_ms = clock_monotonic_ms();
    (void)fd;
    (void)what;
    while (reader->calls && !reader->calls->sent && now_ms - reader->calls->since_ms > READER_GIVE_UP_MS) {
        struct reader_call *call = reader->calls;
        unlink_call(call);
        fail(call);
        free_call(call);
    }
}

static struct reader_call *call_new(struct redis_reader *reader, enum reader_kind kind, void *arg) {
    struct reader_call *call = calloc(1, sizeof *call);
    ASSERT(call);
    call->reader = reader;
    call->kind = kind;
    call->arg = arg;
    call->since_ms = clock_monotonic_ms();
    *reader->last = call;
    reader->last = &call->next;
    return call;
}

static void ask(struct reader_call *call, int partition, const char *name, const char *what,
                const struct bytes *field) {
    char key[REDIS_KEY_BYTES];
    redis_key(call->reader->options, partition, what, key);
    resp_begin(&call->command, field ? 3 : 2);
    resp_text(&call->command, name);
    resp_text(&call->command, key);
    if (field) {
        resp_bytes(&call->command, *field);
    }
    ASSERT(!call->command.error);
    send_all(call->reader);
}

void redis_reader_customer(struct redis_reader *reader, int partition, struct bytes id, store_loaded_fn done,
                           void *arg) {
    struct reader_call *call = call_new(reader, READ_CUSTOMER, arg);
    char what[REDIS_NAME_BYTES];
    call->loaded = done;
    ask(call, partition, "HGET", redis_numbered("c:", redis_bucket(id), what), &id);
}

void redis_reader_meta(struct redis_reader *reader, int partition, store_found_fn done, void *arg) {
    struct reader_call *call = call_new(reader, READ_META, arg);
    call->found = done;
    ask(call, partition, "HGETALL", "meta", NULL);
}

void redis_reader_populations(struct redis_reader *reader, int partition, store_loaded_fn done, void *arg) {
    struct reader_call *call = call_new(reader, READ_POPULATIONS, arg);
    call->loaded = done;
    ask(call, partition, "HGETALL", "pop", NULL);
}

void redis_reader_feedback(struct redis_reader *reader, int partition, int32_t day, store_loaded_fn done, void *arg) {
    struct reader_call *call = call_new(reader, READ_FEEDBACK, arg);
    char what[REDIS_NAME_BYTES];
    call->loaded = done;
    ask(call, partition, "HGETALL", redis_numbered("fb:", day, what), NULL);
}

void redis_reader_wheel(struct redis_reader *reader, int partition, store_loaded_fn done, void *arg) {
    struct reader_call *call = call_new(reader, READ_CUSTOMER, arg);
    call->loaded = done;
    ask(call, partition, "SCARD", "wheel", NULL);
}

void redis_reader_alerts(struct redis_reader *reader, int partition, int limit, store_loaded_fn done, void *arg) {
    struct reader_call *call = call_new(reader, READ_POPULATIONS, arg);
    char key[REDIS_KEY_BYTES];
    call->loaded = done;
    redis_key(reader->options, partition, "alerts", key);
    resp_begin(&call->command, 5);
    resp_text(&call->command, "ZREVRANGE");
    resp_text(&call->command, key);
    resp_number(&call->command, 0);
    resp_number(&call->command, limit - 1);
    resp_text(&call->command, "WITHSCORES");
    ASSERT(!call->command.error);
    send_all(reader);
}

void redis_reader_influence(struct redis_reader *reader, int partition, struct bytes referrer, store_loaded_fn done,
                            void *arg) {
    struct reader_call *call = call_new(reader, READ_CUSTOMER, arg);
    struct buffer fields[2] = {{0}, {0}};
    char key[REDIS_KEY_BYTES];
    call->loaded = done;
    redis_influence_fields(referrer, &fields[0], &fields[1]);
    redis_key(reader->options, partition, "ref", key);
    resp_begin(&call->command, 4);
    resp_text(&call->command, "HMGET");
    resp_text(&call->command, key);
    for (int i = 0; i < 2; i++) {
        ASSERT(!fields[i].error);
        resp_bytes(&call->command, buffer_bytes(&fields[i]));
        buffer_finish(&fields[i]);
    }
    ASSERT(!call->command.error);
    send_all(reader);
}

void redis_reader_histograms(struct redis_reader *reader, int partition, store_loaded_fn done, void *arg) {
    struct reader_call *call = call_new(reader, READ_POPULATIONS, arg);
    call->loaded = done;
    ask(call, partition, "HGETALL", "hist", NULL);
}

void redis_reader_cuts(struct redis_reader *reader, int partition, store_loaded_fn done, void *arg) {
    struct reader_call *call = call_new(reader, READ_CUSTOMER, arg);
    call->loaded = done;
    ask(call, partition, "GET", "cuts", NULL);
}

void redis_reader_scan(struct redis_reader *reader, int partition, struct redis_scan *scan, store_loaded_fn done,
                       void *arg) {
    struct reader_call *call = call_new(reader, READ_SCAN, arg);
    ASSERT(!scan->ended);
    call->loaded = done;
    call->scan = scan;
    redis_put_scan(&call->command, reader->options, partition, scan->bucket, scan->cursor, SCAN_COUNT);
    send_all(reader);
}

struct redis_reader *redis_reader_create(struct event_base *base, const struct redis_options *options, char *problem) {
    struct redis_reader *reader = calloc(1, sizeof *reader);
    ASSERT(reader);
    struct redis_conn_callbacks callbacks = {reader, on_up, on_down};
    reader->options = options;
    reader->last = &reader->calls;
    reader->conn = redis_conn_create(base, options, &callbacks, problem);
    if (!reader->conn) {
        free(reader);
        return NULL;
    }
    struct timeval second = {1, 0};
    reader->tick = event_new(base, -1, EV_PERSIST, on_tick, reader);
    ASSERT(reader->tick);
    event_add(reader->tick, &second);
    return reader;
}

void redis_reader_give_up(struct redis_reader *reader) {
    while (reader && reader->calls) {
        struct reader_call *call = reader->calls;
        unlink_call(call);
        fail(call);
        free_call(call);
    }
}

void redis_reader_destroy(struct redis_reader *reader) {
    if (!reader) {
        return;
    }
    redis_conn_destroy(reader->conn);
    event_free(reader->tick);
    while (reader->calls) {
        struct reader_call *call = reader->calls;
        unlink_call(call);
        free_call(call);
    }
    free(reader);
}

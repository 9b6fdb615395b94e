/* The inside of the store in Redis: redis_store.c (ports, connection up and down, what is lost), redis_takeover.c,
 * redis_load.c (customers and wheel slots), redis_batch.c (the atomic batch and its fence). */
#ifndef TIDEMARK_STATE_REDIS_PARTS_H
#define TIDEMARK_STATE_REDIS_PARTS_H

#include "state/redis_conn.h"

#include <event2/event.h>
#include <hiredis/hiredis.h>

enum {
    REDIS_BUCKETS = STORE_BUCKETS,
    REDIS_KEY_BYTES = 512,
    REDIS_ENTRY_BYTES = 16384, /* outputs in one entry of the outbox, about: beyond, commands cost no less each */
    REDIS_RETRY_MS_MIN = 50,   /* after an answer like BUSY or OOM */
    REDIS_RETRY_MS_MAX = 2000,
    REDIS_CHECK_MS = 60000, /* how often the eviction policy is looked at */
    REDIS_WAIT_MS = 5000,   /* one WAIT or WAITAOF; asked again until it holds */
};

struct redis_bucket_request {
    struct redis_read *read;
    int bucket;
};

/* A read that is owed to the task; sent again after every reconnect. */
struct redis_read {
    struct redis_read *next;
    struct redis_store *store;
    bool sent;
    /* a load */
    store_loaded_fn loaded;
    size_t count;
    size_t *starts; /* count + 1 positions in `ids` */
    struct buffer ids;
    uint8_t *buckets;   /* of each id */
    size_t outstanding; /* answers */
    bool failed;        /* one of them was an error */
    struct redis_bucket_request requests[REDIS_BUCKETS];
    struct buffer values; /* copied from the answers, in their order */
    size_t *value_at;     /* count positions in `values`; SIZE_MAX: no such customer */
    size_t *value_size;
    /* a scan */
    store_scanned_fn scanned;
    uint64_t from;
    int bucket;
    /* a slot */
    store_slot_fn slot;
    int64_t hour;
    size_t offset;
    void *arg;
};

enum flight_state {
    FLIGHT_NONE,
    FLIGHT_BUILT, /* to be sent when the fence stands */
    FLIGHT_SENT,
    FLIGHT_UNKNOWN, /* sent, but nobody knows if it happened: what is in the store will tell */
    FLIGHT_SYNCING, /* applied, not yet as durable as configured */
};

/* The batch in flight: its commands in Redis' protocol, kept until the answer in case they must be sent again. */
struct flight {
    enum flight_state state;
    uint64_t seq;
    struct buffer commands;
    size_t *ends; /* of each command */
    size_t ends_count;
    size_t ends_capacity;
    store_applied_fn done;
    void *arg;
};

/* The batch in the making. */
struct staging {
    struct buffer customers[REDIS_BUCKETS]; /* "$n id $n state" pairs */
    size_t customers_count[REDIS_BUCKETS];
    struct buffer outputs; /* of the outbox's next entry, each with a varint length */
    uint64_t outputs_seq;  /* of the last one */
    struct buffer hours;   /* of the wheel, each an argument */
    size_t hours_count;
    struct flight commands; /* all others */
};

enum guard { GUARD_NONE, GUARD_ASKED, GUARD_STANDS };

struct redis_store {
    struct store port;
    const struct redis_options *options;
    struct redis_health *health;
    struct redis_conn *conn;
    struct event *retry; /* after answers that mean "later" */
    struct event *check;
    int retry_ms;
    int partition;
    char key_head[REDIS_KEY_BYTES]; /* "tm:{group.3}:", before every key's own name */

    store_found_fn found_done;
    void *found_arg;
    bool taking_over;
    bool owned; /* taken over, and not lost since */
    uint64_t epoch;
    uint64_t seq;     /* of the last batch known to be applied */
    uint64_t trimmed; /* outputs up to here are dropped */

    enum guard guard;
    bool settled; /* on this connection the store was seen to be ours */
    bool always_fsync;
    struct staging staging;
    struct flight flight;
    struct redis_read *reads; /* oldest first */
};

/* Writes the task's key, "tm:{group.3}:<what>". */
void redis_key(const struct redis_options *options, int partition, const char *what, char key[REDIS_KEY_BYTES]);
/* A numbered key's own name: "c:63", "due:482136". The text. */
enum { REDIS_NAME_BYTES = 40 };
const char *redis_numbered(const char *what, int64_t number, char text[REDIS_NAME_BYTES]);
int redis_bucket(struct bytes id);
/* HSCAN of a bucket of customers, from a cursor on. */
void redis_put_scan(struct buffer *command, const struct redis_options *options, int partition, int bucket,
                    uint64_t cursor, int count);
/* Fills meta, schema and absent from HGETALL's answer. */
void redis_meta_parse(const struct redisReply *reply, struct store_found *found);
/* The number in a string or integer answer; 0 when it is nil or none. */
uint64_t redis_number(const struct redisReply *reply);

/* Sends one command of words. */
void redis_store_send(struct redis_store *store, struct buffer *command, redis_reply_fn done);
/* Tries again in a while; the answer says why. */
void redis_store_later(struct redis_store *store, const struct redisReply *reply);
/* The task is not ours any more: tells it, once. */
void redis_store_lost(struct redis_store *store, int error);

/* redis_takeover.c */
void redis_takeover_start(struct redis_store *store);
enum { STORE_META_FIELDS = 17 };
void redis_meta_put(struct buffer *out,
                    const struct store_meta *meta); /* field, value pairs: STORE_META_FIELDS of them */

/* redis_load.c */
void redis_load(void *context, const struct bytes *ids, size_t count, store_loaded_fn done, void *arg);
void redis_scan(void *context, int bucket, uint64_t from, store_scanned_fn done, void *arg);
void redis_read_slot(void *context, int64_t hour, size_t offset, store_slot_fn done, void *arg);
void redis_reads_send(struct redis_store *store);
void redis_reads_forget(struct redis_store *store); /* without telling */
void redis_reads_unsent(struct redis_store *store);

/* redis_batch.c */
void redis_put_customer(void *context, struct bytes id, struct bytes packed);
void redis_put_due(void *context, int64_t hour, struct bytes entries);
void redis_drop_slot(void *context, int64_t hour);
void redis_add_population(void *context, struct bytes field, int64_t delta);
void redis_add_histogram(void *context, struct bytes field, int64_t delta);
void redis_drop_populations(void *context);
void redis_drop_all(void *context);
void redis_add_influence(void *context, struct bytes referrer, int64_t customers, int64_t revenue_minor);
/* The fields of a referrer in the task's `ref` hash. */
void redis_influence_fields(struct bytes referrer, struct buffer *customers, struct buffer *revenue);
void redis_put_alert(void *context, struct bytes tier_set, struct bytes id, int64_t value_minor);
void redis_drop_alert(void *context, struct bytes tier_set, struct bytes id);
void redis_put_cuts(void *context, struct bytes packed);
void redis_add_feedback(void *context, int32_t day, struct bytes field, int64_t delta);
void redis_drop_feedback(void *context, int32_t day);
void redis_put_output(void *context, uint64_t seq, struct bytes record);
void redis_apply(void *context, const struct store_meta *meta, store_applied_fn done, void *arg);
/* Asks what is in the store, watching it; the answer settles what is unknown and lets the next batch go. */
void redis_guard_ask(struct redis_store *store);
/* Sends the batch if it waits and the fence stands. */
void redis_batch_send(struct redis_store *store);
/* Asks whether the applied batch is durable. */
void redis_durable_ask(struct redis_store *store);
void redis_batch_finish(struct redis_store *store);

#endif

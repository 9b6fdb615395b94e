/* The store of one task: where its customers, wheel, populations and outbox live, and the fence that makes one owner.
 *
 * All calls but settle return at once; answers come through callbacks, on the same thread, never from inside the call. A store hides
 * lost connections: it reconnects, compares what the task last wrote with what is there, and goes on or sends again. Only
 * three outcomes reach the task: done (0), ERR_FENCED (another owner has written; drop everything) and ERR_REWOUND (the
 * store lost writes that it had acknowledged, or is empty now; drop everything and take over again).
 *
 *     store_take_over      raises the epoch, reads meta, wheel hours and outbox
 *     store_load           customers by id            store_read_slot   due customers of one hour      store_scan   all
 *     store_put_*          collect the writes of the next batch
 *     store_apply          sends them as one atomic batch, if epoch and seq are still what this owner wrote last
 *
 * One batch is in flight at a time: the next store_put_* may begin at once after store_apply (they go to the batch behind
 * it), but store_apply is called again only after the answer. Redis: state/redis_store.h. Tests: tests/support/fake_store.h. */
#ifndef TIDEMARK_STATE_STORE_H
#define TIDEMARK_STATE_STORE_H

#include "base/bytes.h"
#include "base/inputs.h"

enum { STORE_SCHEMA_VERSION = 1, RULES_VERSION_BYTES = 16, CURRENCY_BYTES = 3 };

/* The task's own numbers, written with every batch. */
struct store_meta {
    uint64_t epoch;              /* number of this owner; set by take over */
    uint64_t seq;                /* of the last applied batch; the store counts it up */
    int64_t next_offset[INPUTS]; /* the first offset not applied yet; OFFSET_NONE: nothing applied */
    uint64_t output_seq;         /* sequence of the last output ever put in the outbox */
    uint64_t published_seq;      /* outputs up to here are known to be in Kafka; trimmed */
    int64_t clock_ms;            /* task clock; TIME_NONE before the first record */
    int64_t fired_ms;            /* every due instant up to here has been evaluated */
    uint32_t partitions;         /* partition count of the topics: part of the state */
    uint32_t edition;            /* of rules and cut points (score/model.h) */
    uint32_t
        counted_edition; /* the edition at which populations were counted anew: customers of older ones are not in them */
    uint32_t swept_edition; /* every customer has been evaluated by this edition, or a later one */
    int64_t edition_since_ms;
    char rules_version[RULES_VERSION_BYTES + 1];
    char currency[CURRENCY_BYTES + 1]; /* in which money is kept; empty: of a version that did not say */
};

struct stored_output {
    uint64_t seq;
    struct bytes record; /* as given to store_put_output */
};

/* What take over found. Everything is borrowed until the callback returns. */
struct store_found {
    uint32_t schema; /* version of the stored form */
    bool absent;     /* nothing stored for this task yet: meta holds only the epoch */
    struct store_meta meta;
    const int64_t *wheel_hours; /* hours (ms / 3600000) that have due entries */
    size_t wheel_hours_count;
    const struct stored_output *outputs; /* oldest first */
    size_t outputs_count;
    struct bytes cuts;  /* as given to put_cuts; data NULL: none */
    struct bytes owner; /* who took the task over last, for people to read; data NULL: not told */
};

typedef void (*store_found_fn)(void *arg, int error, const struct store_found *found);
/* values[i] belongs to ids[i] of the request; data NULL: no such customer. Borrowed until the callback returns. */
typedef void (*store_loaded_fn)(void *arg, int error, const struct bytes *values, size_t count);
/* One piece of an hour's entries, from the asked byte on; `last` when nothing is behind it. Borrowed. */
typedef void (*store_slot_fn)(void *arg, int error, struct bytes piece, bool last);
/* One piece of a task's customers: their ids and states; next: where to go on, 0: the bucket is done. Borrowed. */
typedef void (*store_scanned_fn)(void *arg, int error, const struct bytes *ids, const struct bytes *values,
                                 size_t count, uint64_t next);
typedef void (*store_applied_fn)(void *arg, int error);

struct store {
    void *context;
    const struct store_ops *ops;
};

struct store_ops {
    /* Raises the epoch (fencing the last owner), then reads everything. Waits for the store to be reachable, however long.
     * error: ERR_REFUSED when the stored schema version is unreadable. After its answer `done` may be called once more, with
     * ERR_FENCED or ERR_REWOUND (found NULL), when the store finds out between batches that the task is lost. */
    void (*take_over)(void *context, store_found_fn done, void *arg);
    /* Loads customers. ids are copied. */
    void (*load)(void *context, const struct bytes *ids, size_t count, store_loaded_fn done, void *arg);
    /* Reads the due entries of an hour from byte `offset` on, at most STORE_SLOT_PIECE_BYTES. */
    void (*read_slot)(void *context, int64_t hour, size_t offset, store_slot_fn done, void *arg);

    /* Reads customers of one bucket (0..STORE_BUCKETS-1), a few at a time, from position `from` on (0 to begin). Each customer that
     * is there from the first piece to the last is told at least once. */
    void (*scan)(void *context, int bucket, uint64_t from, store_scanned_fn done, void *arg);

    /* The writes of the next batch. Bytes are copied at once. Errors are sticky and come out of apply. */
    void (*put_customer)(void *context, struct bytes id, struct bytes packed);
    void (*put_due)(void *context, int64_t hour, struct bytes entries); /* appended */
    void (*drop_slot)(void *context, int64_t hour);                     /* an hour that is done */
    /* Adds `delta` to a population counter, e.g. "tier/value/vip". */
    void (*add_population)(void *context, struct bytes field, int64_t delta);
    /* Adds `delta` to the number of customers in a histogram's bucket, e.g. "m/612". */
    void (*add_histogram)(void *context, struct bytes field, int64_t delta);
    /* Adds to what the customers of this task whom `referrer` has referred are and have spent, in minor units. */
    void (*add_influence)(void *context, struct bytes referrer, int64_t customers, int64_t revenue_minor);
    /* An open alert of a customer, and how much (in minor units) is at risk; or it is closed. */
    void (*put_alert)(void *context, struct bytes tier_set, struct bytes id, int64_t value_minor);
    void (*drop_alert)(void *context, struct bytes tier_set, struct bytes id);
    /* Forgets everything but meta: what an earlier life of the task has left, of which nothing is known any more. */
    void (*drop_all)(void *context);
    /* Forgets all populations, histograms and alerts: they are counted anew. */
    void (*drop_populations)(void *context);
    /* The cut points in force, packed. */
    void (*put_cuts)(void *context, struct bytes packed);
    /* Adds `delta` to a counter of company-wide feedback of a day (since 1970), e.g. "channel/web/promoters". */
    void (*add_feedback)(void *context, int32_t day, struct bytes field, int64_t delta);
    void (*drop_feedback)(void *context, int32_t day); /* all of a day */
    void (*put_output)(void *context, uint64_t seq, struct bytes record);
    /* Sends the batch: all puts since the last apply, and meta (seq and epoch are filled in by the store), and drops outputs
     * up to meta->published_seq. done(0) once it is applied and as durable as configured; done(ERR_REFUSED) when a part of it
     * could not be, because somebody else has written the task's keys: an operator must see to it. */
    void (*apply)(void *context, const struct store_meta *meta, store_applied_fn done, void *arg);

    /* Waits for the answer to apply, until a monotonic instant at the latest: answers are told from inside this call. For a task that
     * is about to be given up, so that what its last batch did is known, and counted. */
    void (*settle)(void *context, int64_t until_ms);

    /* Forgets pending puts and callbacks (none will be called any more) and closes. Frees the store. */
    void (*destroy)(void *context);
};

enum { STORE_BUCKETS = 64 }; /* of a task's customers: small enough for one HMGET each, few enough to cost no memory */
enum { STORE_SCAN_COUNT = 256 };              /* customers of one piece, about */
enum { STORE_SLOT_PIECE_BYTES = 256 * 1024 }; /* about 10,000 due customers: a few ms of loading */

#endif

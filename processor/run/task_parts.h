/* The inside of a task, shared by its files: intake (take, decode, load), batch (score, apply), takeover, task (the path). */
#ifndef TIDEMARK_RUN_TASK_PARTS_H
#define TIDEMARK_RUN_TASK_PARTS_H

#include "ingest/merge.h"
#include "run/alerts.h"
#include "run/company_feedback.h"
#include "run/population.h"
#include "run/task.h"
#include "run/task_metrics.h"
#include "run/wheel.h"

/* The arena of the records of one pass; freed when the last of them is scored. */
struct chunk {
    struct chunk *next; /* in the pool of unused ones */
    struct arena arena;
    size_t items;
};

enum item_kind {
    ITEM_ACTIVITY,
    ITEM_DEAD,    /* a dead letter */
    ITEM_DUE,     /* a customer whose due instant the clock has reached */
    ITEM_FIRED,   /* everything due up to the wheel's target stands before this item */
    ITEM_SWEEP,   /* a customer who may have been evaluated by an older edition */
    ITEM_SWEPT,   /* every such customer stands before this item */
    ITEM_EDITION, /* the cut points proposed come into force */
};

/* One thing to be scored, in the order of taking. */
struct item {
    enum item_kind kind;
    enum input input;
    int64_t offset;
    int64_t record_ms;         /* timestamp of the record */
    int64_t clock_ms;          /* the task clock when it was taken */
    struct cache_entry *entry; /* pinned; NULL where no customer is concerned */
    struct activity *activity;
    uint64_t hash;     /* of the activity's customer id */
    struct bytes dead; /* packed output */
    enum dead_reason reason;
    int64_t due_ms;      /* of the wheel entry */
    uint32_t edition;    /* of SWEPT */
    struct chunk *chunk; /* only of records */
};

struct items { /* a ring */
    struct item *ring;
    size_t capacity;
    size_t head;
    size_t count;
    size_t due_count; /* of them from the wheel */
};

/* The item behind `index` others; there must be one. */
static inline struct item *items_at(const struct items *items, size_t index) {
    size_t at = items->head + index;
    return &items->ring[at < items->capacity ? at : at - items->capacity];
}

static inline struct item *items_head(const struct items *items) {
    return items->count ? items_at(items, 0) : NULL;
}

/* How many customers ahead of the one in hand memory is asked for its entry, then for the customer, then for what that points to. */
enum { PREFETCH_ENTRY = 12, PREFETCH_CUSTOMER = 8, PREFETCH_PARTS = 4 };

static inline void entry_prefetch(const struct cache_entry *entry) {
    if (entry && entry->customer) {
        customer_prefetch(entry->customer);
    }
}

static inline void entry_prefetch_parts(const struct cache_entry *entry) {
    if (entry && entry->customer) {
        customer_prefetch_parts(entry->customer);
    }
}

struct wheel_mark { /* a wheel entry to be written */
    struct cache_entry *entry;
    int64_t due_ms;
};

enum proposal {
    PROPOSAL_NONE,
    PROPOSAL_READY, /* waits for its place in the order of scoring */
    PROPOSAL_TAKEN, /* ITEM_EDITION stands among the items */
};

/* Through all customers, for those of an older edition. Ids come from the store a piece at a time. */
struct sweep {
    bool active;
    bool reading;
    bool stale; /* what is being read was asked for by a sweep that this one has replaced */
    int bucket;
    uint64_t from;
    bool read_all;     /* no more pieces */
    struct buffer ids; /* of the piece in hand, each with a varint length */
    size_t ids_at;     /* bytes of them taken */
    int64_t second;    /* monotonic; with taken: at most SWEEP_PER_SECOND */
    size_t taken;
};

/* So much is to be added to a counter of /metrics once the batch is applied: what is scored by an owner that loses the task before
 * that is scored again by the next, and must not be counted twice. */
struct batch_count {
    struct metric *metric;
    uint64_t amount;
};

/* What was scored since the last apply, or is in flight. Customers are encoded when the batch is sent. */
struct batch {
    uint64_t number;
    size_t items;
    bool needed;                /* something in it must reach the store */
    struct cache_entry **dirty; /* pinned */
    size_t dirty_count;
    size_t dirty_capacity;
    struct wheel_mark *armed;
    size_t armed_count;
    size_t armed_capacity;
    struct population population;
    struct batch_count *counts;
    size_t counts_count;
    size_t counts_capacity;
    struct buffer outputs; /* each with a varint length before it; given away when it is published */
    size_t outputs_count;
    struct store_meta meta; /* as it will be once applied */
    int64_t sent_ms;
};

struct task {
    struct task_options options;
    struct task_ports ports;
    struct store *store;
    struct task_metrics *metrics; /* of the options */
    enum task_state state;
    char problem[256];
    int store_error; /* heard from the store in a callback; dealt with by the next pump, outside of it */

    struct merge merge;
    uint64_t left_behind_seen;
    int64_t take_offset[INPUTS]; /* the next offset to take */
    int64_t take_clock_ms;       /* the clock at the tail of `items` */
    bool at_end;                 /* the merge has found all three ends */
    struct items items;
    struct chunk *chunks;        /* unused */
    struct cache_entry **wanted; /* entries to be asked from the store in this pass */
    size_t wanted_count;
    size_t wanted_capacity;
    size_t cache_hits;  /* in this pass */
    struct load *loads; /* outstanding */

    struct model *model; /* ours: options.model, with the edition below */
    const struct model *given;
    struct task_rules coming; /* model NULL: none */
    struct edition edition;
    struct cut_points proposed; /* of a coming edition */
    enum proposal proposal;
    struct exchange *exchange; /* with the other tasks: what is being read; NULL: nothing */
    int64_t exchange_at_ms;    /* monotonic: when to ask again */
    struct sweep sweep;

    struct wheel wheel;
    bool due_waits; /* there was no room for all due customers in this pass */
    struct arena score_arena;
    struct buffer scratch;
    struct batch batches[2];
    struct batch *open;                /* in the making */
    struct batch *in_flight;           /* NULL: none */
    struct company_feedback *feedback; /* of the open batch */
    struct alerts *alerts;
    size_t round_scored; /* due customers of the wheel's round scored since the round began */

    int64_t suppress_before[INPUTS];
    int64_t suppress_fired_ms;
    uint64_t published_seq; /* known to be in Kafka */
    uint64_t trimmed_seq;   /* known so to the store */
    uint64_t unacked;       /* publications given to the sink and not yet done */
    int64_t idle_since_ms;
    bool commit_asked; /* while draining: the last offsets are on their way */

    bool clearing;    /* the first batch drops what an earlier life has left: nothing is read before it is applied */
    bool lost_before; /* the last take over found the state lost: the next one decides */
    struct store_found found; /* copy of the store's answer while Kafka is asked */
    struct arena found_arena;
};

/* intake.c */
int intake_init(struct task *task);
void intake_finish(struct task *task);
/* Takes and decodes records and due customers, and asks the store for those not cached. True: more can be taken at once. */
bool intake_take(struct task *task);
/* Whether due customers waited for room that there is now. */
bool intake_has_room_for_due(const struct task *task);
/* The task's wheel, if it was the one that turns, has handed out its round, or is dropped: that of another may turn. */
void intake_end_turn(struct task *task);
/* Removes the head item, which has been scored. */
void intake_pop(struct task *task);
/* Forgets every item. */
void intake_clear(struct task *task);
/* Forgets outstanding loads; the store must be closed, so that no callback comes for them. */
void intake_forget_loads(struct task *task);

/* Appends an item; the customer of that id wanted. */
struct item *intake_push(struct task *task, enum item_kind kind);
/* While records are read again whose outputs are known to be published: nothing may be decided that was not decided then. */
bool intake_replays(const struct task *task);
/* So many outputs wait to be published that taking and scoring must stop. */
bool intake_is_full(const struct task *task);
struct cache_entry *intake_want(struct task *task, struct bytes id);

/* task_rules.c */
/* New rules wait for what was taken to be scored: nothing more is taken, and the clock stands still. */
bool rules_wait(const struct task *task);
/* Takes new rules if the task has come to a border. True: it has, and there is more to do. */
bool rules_look(struct task *task);

/* edition.c */
/* Begins a new edition for other rules, in the open batch. */
void edition_renew(struct task *task);
/* Goes on with the edition of `found`, or begins a new one because the rules are others. True: something must be written. */
bool edition_start(struct task *task, const struct store_found *found, struct store_meta *meta);
void edition_finish(struct task *task);
/* Takes customers for the sweep. True: more can be taken at once. */
bool edition_sweep(struct task *task);
/* Scoring meets an ITEM_EDITION, an ITEM_SWEPT. */
void edition_adopt(struct task *task, int64_t clock_ms);
void edition_swept(struct task *task, uint32_t edition);

/* exchange.c: where cut points come from */
/* Exchanges histograms and cut points with the other tasks when it is time. */
void exchange_look(struct task *task);
/* The task is dropped, or taken over again: what is being read is not for it any more. */
void exchange_drop(struct task *task);

/* batch.c */
int batch_init(struct task *task);
void batch_finish(struct task *task);
/* The model is another: what has its shape is made anew. Nothing scored may be waiting. */
void batch_reshape(struct task *task);
/* The output packed, in the task's scratch. */
struct bytes batch_pack(struct task *task, const struct output *output);
/* Starts with nothing scored, from the numbers of `meta`. */
void batch_start(struct task *task, const struct store_meta *meta);
/* Scores the item into the open batch. */
void batch_score(struct task *task, const struct item *item);
/* Sends the open batch; on_applied as the store's callback. */
void batch_send(struct task *task, store_applied_fn on_applied);
/* The batch in flight is applied: unpins its customers. */
void batch_applied(struct task *task);

/* takeover.c */
void takeover_begin(struct task *task);

/* task.c */
/* Stops the task for good at the next pump; an operator must decide. Safe in callbacks. */
void task_refuse(struct task *task, const char *problem);
/* Whether the wheel's round stands half scored in the open batch, and is small enough to wait for: then all of it goes in
 * one batch, so that the mark "fired up to" tells exactly which time-caused outputs were published. */
bool task_in_round(const struct task *task);
/* Gives the sink `outputs` (moved) with the offsets and marks of `meta`. */
void task_publish(struct task *task, const struct store_meta *meta, struct buffer *outputs, size_t outputs_count,
                  bool urgent);
static inline void task_wake(struct task *task) {
    task->ports.wake(task->ports.wake_context);
}

#endif

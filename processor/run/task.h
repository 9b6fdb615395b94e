/* A task: partition p of all three input topics, with every customer, timer and output that belongs to it.
 *
 * This is the heart of Tidemark. Follow one purchase through it:
 *
 *   take      the merge picks its record as the oldest of the three partitions; the task clock moves to its timestamp
 *   decode    the record becomes an activity in the arena of its chunk, or a dead letter with the reason
 *   load      the customer is in the cache, or is asked from the store; meanwhile further records are taken
 *   score     in the order of taking, one at a time: customer_apply gives the new state and perhaps tier changes; these,
 *             packed, are outputs with the next sequence numbers
 *   apply     all that was scored since the last apply goes to the store as one atomic batch: customers, wheel entries,
 *             populations, outputs, offsets. While one batch is in flight the next one grows; so batches are small and
 *             immediate at low load, large and efficient at high load, and no interval adds latency
 *   publish   once applied, the outputs go to Kafka together with the offsets and the mark
 *   commit    the sink tells; later the store forgets what is published
 *
 * A task that dies at any point is taken over by the rule of state/recovery.h. A task knows no threads, no clock of its own
 * and no library: ports give it source, store, sink and time, so tests run this very code and crash it at every step. */
#ifndef TIDEMARK_RUN_TASK_H
#define TIDEMARK_RUN_TASK_H

#include "ingest/decode.h"
#include "ingest/source.h"
#include "publish/encode.h"
#include "publish/sink.h"
#include "state/cache.h"
#include "state/recovery.h"
#include "state/store.h"

struct task_metrics;

struct task_options {
    int32_t partition;
    int32_t partitions;
    const struct model *model;
    struct decoder decoder;
    struct encoder encoder;
    const char *topics[INPUTS];
    struct task_metrics *metrics; /* shared by all tasks of the process */
    enum partitioner partitioner;
    const char *currency; /* of kept money; NULL: not said */
    bool misrouted_reject;
    bool clock_event; /* never the wall clock */
    bool rebuild;
    int64_t merge_wait_ms;
    int64_t ranked_refresh_ms; /* how often cut points are made anew */
    size_t batch_items_max;    /* 0: TASK_BATCH_ITEMS_MAX */
    size_t pending_max;        /* 0: TASK_PENDING_MAX */
    size_t unpublished_max;    /* 0: TASK_UNPUBLISHED_MAX */
    size_t round_whole_max;    /* 0: TASK_ROUND_WHOLE_MAX */
    size_t wheel_held_max;     /* 0: WHEEL_HELD_MAX */
};

enum {
    TASK_TAKE_MAX = 2048,          /* records taken in one pass, so that other tasks get their turn */
    TASK_TAKE_BYTES_MAX = 4194304, /* likewise in decoded bytes */
    TASK_PENDING_MAX = 8192,       /* records decoded but not scored: covers the time a load takes at full speed */
    TASK_BATCH_ITEMS_MAX = 4096,   /* records in one batch: some MB, some 10 ms of Redis; more cost no less each */
    /* Outputs not yet in Kafka: beyond, taking stops until the sink has caught up. Each is there up to six times (outbox, batch,
     * publication, buffers of Redis' and of Kafka's client), a few KB; a transaction of so many takes some 50 ms. */
    TASK_UNPUBLISHED_MAX = 4096,
    /* Due customers scored in one batch with their whole round; larger rounds are split. Live events wait for one, at midnight too. */
    TASK_ROUND_WHOLE_MAX = 4096,
    TASK_TRIM_AFTER_MS = 1000, /* an idle task tells the store after this time what is published */
};

/* What may be replaced while a task runs; borrowed. */
struct task_rules {
    const struct model *model;
    struct task_metrics *metrics; /* of this model */
    int64_t ranked_refresh_ms;
};

/* What tasks know of each other: their histograms, and the cut points that the owner of task 0 makes of them. NULL functions:
 * nobody to ask, scores are never cut. `done` comes later, on the same thread. */
struct population_port {
    void *context;
    void (*histograms)(void *context, int32_t partition, store_loaded_fn done,
                       void *arg);                                                   /* field, number, field, ... */
    void (*cuts)(void *context, int32_t partition, store_loaded_fn done, void *arg); /* one value */
};

struct task_ports {
    struct source source;
    struct sink sink;
    /* A new connection to the task's store; called at each take over. */
    struct store *(*open_store)(void *context, int32_t partition);
    void *open_store_context;
    struct population_port population;
    struct cache *cache; /* of the worker */
    /* Of the worker: the task whose wheel hands out who is due; NULL: none. At midnight all have many, and while one takes its
     * turn the live events of the others need not wait behind theirs. */
    const struct task **turning;
    int64_t (*wall_ms)(void *context);
    int64_t (*monotonic_ms)(void *context);
    void *time_context;
    /* Asks for a task_pump soon; called from callbacks, never runs the task itself. */
    void (*wake)(void *context);
    void *wake_context;
};

enum task_state {
    TASK_TAKING_OVER, /* waiting for the store or for Kafka's committed offsets */
    TASK_RUNNING,
    TASK_DRAINING, /* takes nothing more; finishes what is scored */
    TASK_DRAINED,  /* everything scored is applied, published and committed */
    TASK_FENCED,   /* another owner has written: nothing is left here but the name */
    TASK_REFUSED,  /* an operator must decide; task_problem says what */
};

struct task;

/* A task that begins to take over at once. Options, model and ports' contexts are borrowed. NULL without memory. */
struct task *task_create(const struct task_options *options, const struct task_ports *ports);
/* Drops the task wherever it is, writing nothing more. */
void task_destroy(struct task *task);

/* From the next border on that the task comes to, it scores by these rules: it takes nothing more, scores what it has taken and
 * whatever is due, and has that applied; then the rules are replaced, and every customer is evaluated anew if they decide
 * otherwise. Rules set before that have not come into force are forgotten. */
void task_set_rules(struct task *task, const struct task_rules *rules);
/* The model of the rules in force, as it was given: once it is another, nothing of the task points into the former one. */
const struct model *task_model(const struct task *task);

/* Does a bounded piece of work. True: there is more to do at once; false: wait for a wake. */
bool task_pump(struct task *task);
/* Waits for what is in flight to the store, until a monotonic instant at the latest, so that it is counted. For a task that is given
 * up at once, without being drained. */
void task_settle(struct task *task, int64_t until_ms);
/* Stops taking; the task becomes TASK_DRAINED when all it has scored is safe. */
void task_drain(struct task *task);

enum task_state task_state(const struct task *task);
const char *task_problem(const struct task *task); /* NULL unless refused */
int32_t task_partition(const struct task *task);
int64_t task_clock_ms(const struct task *task); /* TIME_NONE before the first record */
size_t task_unpublished(const struct task *task);
/* The first offset not applied yet; OFFSET_NONE. */
int64_t task_next_offset(const struct task *task, enum input input);
/* True when every record known to exist has been taken, scored, applied and published. For tests and /readyz. */
bool task_is_idle(const struct task *task);

#endif

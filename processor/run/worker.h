/* A worker: one thread, one event loop, one member of the consumer group, and the tasks that the group gives it.
 *
 * The loop turns when a descriptor says so: librdkafka wakes it for records, rebalances and answers, the publisher thread for
 * publications that are done, Redis by its own sockets, and a timer ten times a second. Each turn serves the consumer and the
 * sink, then pumps each task once; every step is bounded, so no task waits long for another. Nothing on the loop blocks.
 * Workers share nothing but atomic counters. */
#ifndef TIDEMARK_RUN_WORKER_H
#define TIDEMARK_RUN_WORKER_H

#include "base/inputs.h"
#include "run/config.h"

struct rules;
struct slot_status;
struct worker;

struct worker_shared { /* by all workers of a process; borrowed */
    const struct config *config;
    int32_t partitions;
    int workers;         /* in this process */
    struct rules *rules; /* with which the workers start */
    struct redis_health *redis_health;
};

/* Starts the thread. NULL and a line in `problem` (512 bytes) when it cannot. */
struct worker *worker_create(const struct worker_shared *shared, int index, char *problem);
/* Asks the worker to finish what it has scored, commit, and leave the group. Returns at once. */
void worker_stop(struct worker *worker);
/* Gives all tasks, and those to come, other rules, to be taken when each of them can. */
void worker_set_rules(struct worker *worker, struct rules *rules);
/* True when the thread has ended, or nearly. */
bool worker_has_ended(const struct worker *worker);
/* Waits for the thread to end, and frees. */
void worker_destroy(struct worker *worker);

/* True when the worker is a member of the group and all its tasks run; else a line in `reason` (256 bytes). Any thread. */
bool worker_is_ready(struct worker *worker, char *reason);
/* The tasks that the worker has, as they stood within the last moments; `out` has room for every partition. Any thread. */
size_t worker_statuses(struct worker *worker, struct slot_status *out);
/* The end of any partition of an input topic as the broker last told, OFFSET_NONE: not known. Only worker 0 asks. Any thread. */
int64_t worker_end_of(const struct worker *worker, int32_t partition, enum input input);
bool worker_kafka_is_up(const struct worker *worker);
/* When its loop turned last while its publisher did not hang, monotonic: where that is long ago, one of them does. Any thread. */
int64_t worker_turned_ms(const struct worker *worker);

#endif

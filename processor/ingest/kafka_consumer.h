/* The Kafka consumer of one worker: group membership, the tasks' partition queues, and the ends of partitions.
 *
 * Each partition has its own queue in librdkafka, read by its task when it wants more; the consumer's own queue carries only
 * rebalances and errors and is served on every turn of the loop (which also tells the group that we live).
 *
 * A rebalance names the partitions, but a task must take over before it knows its offsets. So the consumer first assigns
 * nothing, and assigns the partitions of every task that has called start, with its offsets, when kafka_consumer_serve finds
 * new ones (the range assignor is eager: an assignment is always replaced as a whole).
 *
 * About once a second the brokers are asked for the ends of all owned partitions. The answer, together with the wall-clock
 * instant of the question, is what lets a task's clock follow the wall: "as of then, everything had been read". */
#ifndef TIDEMARK_INGEST_KAFKA_CONSUMER_H
#define TIDEMARK_INGEST_KAFKA_CONSUMER_H

#include "ingest/source.h"

struct rd_kafka_s;
struct rd_kafka_conf_s;
struct kafka_consumer;

struct kafka_consumer_callbacks {
    void *context;
    /* These partitions are ours now. */
    void (*assigned)(void *context, const int32_t *partitions, size_t count);
    /* None is ours any more; sources must be gone when this returns. lost: the group has gone on without us. */
    void (*revoked)(void *context, bool lost);
    /* The range assignor gave us a partition of one topic but not of the others: nothing can be scored. */
    void (*uneven)(void *context);
};

/* Takes the conf (with the user's properties and those that correctness needs), in every case. Joins the group at once.
 * wake_fd: a non-blocking descriptor to which 8 bytes are written when there is something to serve. NULL and a line in
 * `problem` (512 bytes) when librdkafka refuses. */
struct kafka_consumer *kafka_consumer_create(struct rd_kafka_conf_s *conf, const char *const topics[INPUTS],
                                             int wake_fd, const struct kafka_consumer_callbacks *callbacks,
                                             char *problem);
/* Leaves the group (calling revoked) and frees. Waits for the broker, bounded. */
void kafka_consumer_destroy(struct kafka_consumer *consumer);

/* Serves rebalances, errors and answers; starts new sources. Call on every turn of the loop. */
void kafka_consumer_serve(struct kafka_consumer *consumer);
/* Asks for the ends of partitions; call about once a second. */
void kafka_consumer_tick(struct kafka_consumer *consumer);
/* The handle, for the sink: group metadata and commits. */
struct rd_kafka_s *kafka_consumer_handle(struct kafka_consumer *consumer);
/* True when a broker has answered lately. */
bool kafka_consumer_is_up(const struct kafka_consumer *consumer);

/* The source of one task. */
struct kafka_source;
struct kafka_source *kafka_source_create(struct kafka_consumer *consumer, int32_t partition);
void kafka_source_destroy(struct kafka_source *source);
struct source kafka_source_port(struct kafka_source *source);
/* Records between the task's position and the end of the input's partition; -1: not known. */
int64_t kafka_source_lag(const struct kafka_source *source, enum input input);

#endif

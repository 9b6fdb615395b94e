/* The ends of all partitions of the three topics, those of other processes' tasks too: what a process tells of them must not
 * depend on their owner, which may be the one that hangs. Asked in a question of its own, so that a broker that does not
 * answer for somebody else's partition never holds up the ends that our own tasks' clocks wait for. */
#ifndef TIDEMARK_INGEST_KAFKA_ENDS_H
#define TIDEMARK_INGEST_KAFKA_ENDS_H

#include "base/inputs.h"

#include <stdint.h>

struct rd_kafka_s;
struct rd_kafka_op_s;
struct rd_kafka_queue_s;
struct rd_kafka_topic_partition_list_s;
struct kafka_ends;

/* One question for the ends, of what is committed, of the list's partitions; within the time-out an event comes to the queue. */
void kafka_ends_ask(struct rd_kafka_s *handle, struct rd_kafka_topic_partition_list_s *list, int timeout_ms,
                    struct rd_kafka_queue_s *answers);
/* Hands on the ends that the event of such a question tells; none from an error or where a partition was not answered for.
 * Accepts NULL for no event. */
void kafka_ends_read(struct rd_kafka_op_s *event,
                     void (*take)(void *context, const char *topic, int32_t partition, int64_t end), void *context);

/* Topics are lent. */
struct kafka_ends *kafka_ends_create(struct rd_kafka_s *handle, const char *const topics[INPUTS], int32_t partitions);
/* Asks no more; before the handle goes. What is known stays until it is destroyed. */
void kafka_ends_close(struct kafka_ends *ends);
void kafka_ends_destroy(struct kafka_ends *ends);
/* Takes an answer that has come, and asks again. Call about once a second, always on one thread. Accepts NULL. */
void kafka_ends_tick(struct kafka_ends *ends);
/* The end of a partition as last answered, of what is committed; OFFSET_NONE: not known. From any thread; NULL: not known. */
int64_t kafka_ends_of(const struct kafka_ends *ends, int32_t partition, enum input input);

#endif

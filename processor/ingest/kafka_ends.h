/* The ends of all partitions of the three topics, those of other processes' tasks too: what a process tells of them must not
 * depend on their owner, which may be the one that hangs. Asked in a question of its own, so that a broker that does not
 * answer for somebody else's partition never holds up the ends that our own tasks' clocks wait for. */
#ifndef TIDEMARK_INGEST_KAFKA_ENDS_H
#define TIDEMARK_INGEST_KAFKA_ENDS_H

#include "base/inputs.h"

#include <stdint.h>

struct rd_kafka_s;
struct kafka_ends;

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

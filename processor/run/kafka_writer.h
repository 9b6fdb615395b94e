/* Writing events to the input topics, for load, generate and demo: keyed by customer, stamped with the event's time. */
#ifndef TIDEMARK_RUN_KAFKA_WRITER_H
#define TIDEMARK_RUN_KAFKA_WRITER_H

#include "run/config.h"

struct kafka_writer;

/* NULL and a line in `problem` (512 bytes). */
struct kafka_writer *kafka_writer_create(const struct config *config, char *problem);
/* Queues one record; waits while the queue is full. key.data NULL: no key; time_ms negative: the present. ERR_UNAVAILABLE once
 * a record could not be delivered. */
int kafka_writer_write(struct kafka_writer *writer, enum input input, struct bytes key, struct bytes value,
                       int64_t time_ms) MUST_CHECK;
/* Waits until everything is acknowledged; 0, or ERR_UNAVAILABLE and a line in `problem` (512 bytes). */
int kafka_writer_flush(struct kafka_writer *writer, char *problem) MUST_CHECK;
void kafka_writer_destroy(struct kafka_writer *writer);

#endif

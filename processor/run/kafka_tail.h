/* Reading the outputs from their beginning, without a group: what the demo prints. */
#ifndef TIDEMARK_RUN_KAFKA_TAIL_H
#define TIDEMARK_RUN_KAFKA_TAIL_H

#include "run/config.h"

struct kafka_tail;

/* Reads every partition of these topics, committed records only. NULL and a line in `problem` (512 bytes). */
struct kafka_tail *kafka_tail_create(const struct config *config, const char *const *topics, size_t topics_count,
                                     char *problem);
/* Waits up to timeout_ms for a record; its value is borrowed until the next call. False: none. */
bool kafka_tail_next(struct kafka_tail *tail, int timeout_ms, struct bytes *value);
void kafka_tail_destroy(struct kafka_tail *tail);

#endif

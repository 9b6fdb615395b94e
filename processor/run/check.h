/* Looking at everything outside that a process depends on, before it starts. */
#ifndef TIDEMARK_RUN_CHECK_H
#define TIDEMARK_RUN_CHECK_H

#include "run/config.h"

enum { CHECK_PROBLEM_BYTES = 512 };

/* Topics in Kafka, the server and the stored state in Redis. 0 and the number of partitions; ERR_UNAVAILABLE: one of them
 * cannot be reached; ERR_REFUSED: an operator must decide. One line in `problem`. Blocks for some seconds at most. */
int check_environment(const struct config *config, int32_t *partitions, struct redis_memory *memory,
                      char *problem) MUST_CHECK;

#endif

/* Kafka before and beside the workers: client configurations, and looking at or making topics. */
#ifndef TIDEMARK_RUN_KAFKA_ADMIN_H
#define TIDEMARK_RUN_KAFKA_ADMIN_H

#include "run/config.h"

struct rd_kafka_conf_s;

enum { KAFKA_PROBLEM_BYTES = 512 };

/* A consumer's configuration: our defaults, then the user's properties, then what correctness needs. The caller owns it. NULL
 * and a line in `problem` when a property is unknown, wrong, or one that Tidemark must set itself. */
struct rd_kafka_conf_s *kafka_consumer_conf(const struct config *config, char *problem);
struct rd_kafka_conf_s *kafka_producer_conf(const struct config *config, char *problem);

/* Looks at every topic of the configuration. 0: all there, the inputs with the same number of partitions, told in
 * `partitions`. ERR_UNAVAILABLE: no broker answered. ERR_REFUSED: something is missing or uneven, still
 * after looks of 5 s in all, as a topic just made may show late. Blocks for some seconds. */
int kafka_check_topics(const struct config *config, int32_t *partitions, char *problem) MUST_CHECK;

/* Which tasks the group has committed offsets of: task i's is told in committed[i]. 0, or ERR_UNAVAILABLE. Blocks for
 * some seconds. */
int kafka_committed_tasks(const struct config *config, int32_t partitions, bool *committed, char *problem) MUST_CHECK;

/* Creates those topics that are missing: inputs with this many partitions, outputs likewise. 0, ERR_UNAVAILABLE, ERR_REFUSED. */
int kafka_create_topics(const struct config *config, int32_t partitions, char *problem) MUST_CHECK;

#endif

/* librdkafka's mock broker in this process, for the demo. It knows no isolation and no transactional offsets, so what runs on
 * it delivers at least once. */
#ifndef TIDEMARK_RUN_KAFKA_MOCK_H
#define TIDEMARK_RUN_KAFKA_MOCK_H

#include "run/config.h"

struct kafka_mock;

struct kafka_mock *kafka_mock_create(char *problem); /* 512 bytes */
const char *kafka_mock_bootstrap(const struct kafka_mock *mock);
void kafka_mock_make_topic(struct kafka_mock *mock, const char *topic, int partitions);
void kafka_mock_destroy(struct kafka_mock *mock);

#endif

/* Carries events through the libraries that Tidemark stands on, and does nothing else: for each batch every customer in it gets a
 * state of the usual size in Redis, and so many records as there would be tier changes are published, exactly once. No scoring, no
 * wheel, no outbox, no forecast; nothing is read back. What that costs is what is left of an event if Tidemark's own work cost nothing.
 *
 *     carry_begin(&carry, ...)        zeroed before
 *     carry_event(&carry, message)    each event, which then belongs to it
 *     carry_end(&carry)               the last batch */
#ifndef TIDEMARK_BENCH_CARRY_H
#define TIDEMARK_BENCH_CARRY_H

#include "base/bytes.h"

#include <librdkafka/rdkafka.h>

struct redisContext;

enum {
    CARRY_BATCH = 16384, /* events */
    CARRY_SEEN = 4 * CARRY_BATCH,
    CARRY_BUCKETS = 64,
    CARRY_SAMPLES = 1000,
};

struct carry {
    rd_kafka_t *consumer; /* for its offsets and membership */
    rd_kafka_t *producer;
    rd_kafka_topic_t *topic;
    struct redisContext *redis;
    int published_percent; /* records to publish for 100 events */
    int64_t published;
    int64_t events;
    size_t batch;
    rd_kafka_message_t *messages[CARRY_BATCH];
    rd_kafka_message_t *samples[CARRY_SAMPLES]; /* real tier changes, which are published again and again */
    uint64_t seen[CARRY_SEEN];                  /* customers of the batch, open addressing; 0: free */
    struct buffer customers[CARRY_BUCKETS];     /* "$n id $n state" pairs */
    size_t customers_count[CARRY_BUCKETS];
};

/* `changes` is a topic with at least CARRY_SAMPLES tier changes, `copies` the one to publish to. */
void carry_begin(struct carry *carry, rd_kafka_t *consumer, const char *bootstrap, const char *changes,
                 const char *copies, const char *redis_port, int published_percent);
void carry_event(struct carry *carry, rd_kafka_message_t *message);
void carry_end(struct carry *carry);

#endif

#include "run/kafka_tail.h"

#include "run/kafka_admin.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>

enum { METADATA_TIMEOUT_MS = 10000 };

struct kafka_tail {
    rd_kafka_t *consumer;
    rd_kafka_message_t *message; /* lent out */
};

static int assign(struct kafka_tail *tail, const char *const *topics, size_t topics_count, char *problem) {
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t error = rd_kafka_metadata(tail->consumer, 1, NULL, &metadata, METADATA_TIMEOUT_MS);
    if (error) {
        snprintf(problem, KAFKA_PROBLEM_BYTES, "cannot read the outputs: %s", rd_kafka_err2str(error));
        return ERR_UNAVAILABLE;
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);
    for (int i = 0; i < metadata->topic_cnt; i++) {
        for (size_t wanted = 0; wanted < topics_count; wanted++) {
            if (strcmp(metadata->topics[i].topic, topics[wanted]) != 0) {
                continue;
            }
            for (int partition = 0; partition < metadata->topics[i].partition_cnt; partition++) {
                rd_kafka_topic_partition_list_add(list, topics[wanted], partition)->offset = RD_KAFKA_OFFSET_BEGINNING;
            }
        }
    }
    error = rd_kafka_assign(tail->consumer, list);
    ASSERT(!error);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_metadata_destroy(metadata);
    return 0;
}

struct kafka_tail *kafka_tail_create(const struct config *config, const char *const *topics, size_t topics_count,
                                     char *problem) {
    struct kafka_tail *tail = calloc(1, sizeof *tail);
    rd_kafka_conf_t *conf = kafka_consumer_conf(config, problem);
    ASSERT(tail);
    if (conf) {
        char why[256];
        rd_kafka_conf_set(conf, "enable.partition.eof", "false", why, sizeof why);
        tail->consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, problem, KAFKA_PROBLEM_BYTES);
    }
    if (!tail->consumer) {
        free(tail);
        return NULL;
    }
    rd_kafka_poll_set_consumer(tail->consumer);
    if (assign(tail, topics, topics_count, problem)) {
        kafka_tail_destroy(tail);
        return NULL;
    }
    return tail;
}

bool kafka_tail_next(struct kafka_tail *tail, int timeout_ms, struct bytes *value) {
    if (tail->message) {
        rd_kafka_message_destroy(tail->message);
    }
    tail->message = rd_kafka_consumer_poll(tail->consumer, timeout_ms);
    if (!tail->message || tail->message->err) {
        return false;
    }
    *value = bytes_of(tail->message->payload, tail->message->len);
    return true;
}

void kafka_tail_destroy(struct kafka_tail *tail) {
    if (tail) {
        if (tail->message) {
            rd_kafka_message_destroy(tail->message);
        }
        rd_kafka_consumer_close(tail->consumer);
        rd_kafka_destroy(tail->consumer);
        free(tail);
    }
}

#include "run/kafka_mock.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <stdlib.h>

struct kafka_mock {
    rd_kafka_t *handle; /* the cluster needs one to live in */
    rd_kafka_mock_cluster_t *cluster;
};

static void no_log(const rd_kafka_t *handle, int level, const char *facility, const char *text) {
    (void)handle;
    (void)level;
    (void)facility;
    (void)text;
}

struct kafka_mock *kafka_mock_create(char *problem) {
    struct kafka_mock *mock = calloc(1, sizeof *mock);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    ASSERT(mock);
    rd_kafka_conf_set_log_cb(conf, no_log);
    mock->handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, problem, 512);
    if (!mock->handle) {
        rd_kafka_conf_destroy(conf);
        free(mock);
        return NULL;
    }
    mock->cluster = rd_kafka_mock_cluster_new(mock->handle, 1);
    if (!mock->cluster) {
        snprintf(problem, 512, "cannot start the mock broker");
        rd_kafka_destroy(mock->handle);
        free(mock);
        return NULL;
    }
    rd_kafka_mock_group_initial_rebalance_delay_ms(mock->cluster, 0);
    return mock;
}

const char *kafka_mock_bootstrap(const struct kafka_mock *mock) {
    return rd_kafka_mock_cluster_bootstraps(mock->cluster);
}

void kafka_mock_make_topic(struct kafka_mock *mock, const char *topic, int partitions) {
    rd_kafka_mock_topic_create(mock->cluster, topic, partitions, 1);
}

void kafka_mock_destroy(struct kafka_mock *mock) {
    if (mock) {
        rd_kafka_mock_cluster_destroy(mock->cluster);
        rd_kafka_destroy(mock->handle);
        free(mock);
    }
}

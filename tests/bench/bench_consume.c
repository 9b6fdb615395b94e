/* What reading the events costs at least: a bare librdkafka consumer that decodes with protobuf-c
 * and drops. One JSON line with CPU seconds, wall seconds and peak memory.
 *
 *     bench_consume BOOTSTRAP PURCHASES INTERACTIONS FEEDBACK PARTITIONS
 *     bench_consume BOOTSTRAP PURCHASES INTERACTIONS FEEDBACK PARTITIONS CHANGES COPIES REDIS_PORT PERCENT
 *
 * The latter carries them on to Redis and Kafka instead of dropping them: carry.h. */
#include "carry.h"

#include <feedback.pb-c.h>
#include <interaction.pb-c.h>
#include <purchase.pb-c.h>

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { INPUTS = 3, BATCH = 8192, TIMEOUT_MS = 1000 };

static void fail(const char *problem) {
    fprintf(stderr, "bench_consume: %s\n", problem);
    exit(1);
}

static double seconds(struct timeval time) {
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static double now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static rd_kafka_t *consumer_of(const char *bootstrap) {
    char problem[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    const char *const settings[][2] = {{"bootstrap.servers", bootstrap},      {"group.id", "bench-consume"},
                                       {"enable.auto.commit", "false"},       {"enable.partition.eof", "true"},
                                       {"isolation.level", "read_committed"}, {"fetch.queue.backoff.ms", "5"}};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1], problem, sizeof problem)) {
            fail(problem);
        }
    }
    rd_kafka_t *kafka = rd_kafka_new(RD_KAFKA_CONSUMER, conf, problem, sizeof problem);
    if (!kafka) {
        fail(problem);
    }
    return kafka;
}

/* Decodes as the topic says and drops; false when it is no such message. */
static int decodes(int input, const uint8_t *data, size_t size) {
    ProtobufCMessage *message = protobuf_c_message_unpack(input == 0   ? &tidemark__v1__purchase__descriptor
                                                          : input == 1 ? &tidemark__v1__interaction__descriptor
                                                                       : &tidemark__v1__feedback__descriptor,
                                                          NULL, size, data);
    protobuf_c_message_free_unpacked(message, NULL);
    return message != NULL;
}

int main(int argc, char **argv) {
    if (argc != 6 && argc != 10) {
        fail("usage: bench_consume BOOTSTRAP PURCHASES INTERACTIONS FEEDBACK PARTITIONS [CHANGES COPIES REDIS_PORT "
             "PERCENT]");
    }
    const bool carries = argc == 10;
    static struct carry carry;
    const int partitions = atoi(argv[5]);
    const double started = now_s();
    rd_kafka_t *kafka = consumer_of(argv[1]);
    rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(16);
    for (int input = 0; input < INPUTS; input++) {
        for (int partition = 0; partition < partitions; partition++) {
            rd_kafka_topic_partition_list_add(all, argv[2 + input], partition)->offset = 0;
        }
    }
    if (rd_kafka_assign(kafka, all)) {
        fail("cannot assign");
    }
    if (carries) {
        carry_begin(&carry, kafka, argv[1], argv[6], argv[7], argv[8], atoi(argv[9]));
    }
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(kafka);
    rd_kafka_message_t **messages = calloc(BATCH, sizeof(rd_kafka_message_t *));
    long events = 0;
    long broken = 0;
    for (int open = INPUTS * partitions; open > 0;) {
        ssize_t count = rd_kafka_consume_batch_queue(queue, TIMEOUT_MS, messages, BATCH);
        for (ssize_t i = 0; i < count; i++) {
            rd_kafka_message_t *message = messages[i];
            if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
                open--;
            } else if (!message->err) {
                const char *topic = rd_kafka_topic_name(message->rkt);
                int input = strcmp(topic, argv[2]) == 0 ? 0 : strcmp(topic, argv[3]) == 0 ? 1 : 2;
                events++;
                broken += !decodes(input, message->payload, message->len);
                if (carries) {
                    carry_event(&carry, message);
                    continue;
                }
            }
            rd_kafka_message_destroy(message);
        }
    }
    if (carries) {
        carry_end(&carry);
    }
    const double wall_s = now_s() - started;
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    printf("{\"events\": %ld, \"broken\": %ld, \"wall_s\": %.3f, \"cpu_s\": %.3f, \"peak_kb\": %ld}\n", events, broken,
           wall_s, seconds(used.ru_utime) + seconds(used.ru_stime), used.ru_maxrss);
    fflush(stdout);
    _Exit(broken != 0);
}

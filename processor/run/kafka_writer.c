#include "run/kafka_writer.h"

#include "run/kafka_admin.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>

enum { QUEUE_FULL_POLL_MS = 50, FLUSH_TIMEOUT_MS = 60000 };

struct kafka_writer {
    const struct config *config;
    rd_kafka_t *producer;
    size_t failed;
    char problem[256];
};

static void on_delivered(rd_kafka_t *producer, const rd_kafka_message_t *message, void *context) {
    struct kafka_writer *writer = context;
    (void)producer;
    if (message->err) {
        writer->failed++;
        snprintf(writer->problem, sizeof writer->problem, "%s", rd_kafka_err2str(message->err));
    }
}

struct kafka_writer *kafka_writer_create(const struct config *config, char *problem) {
    struct kafka_writer *writer = calloc(1, sizeof *writer);
    ASSERT(writer);
    rd_kafka_conf_t *conf = kafka_producer_conf(config, problem);
    if (conf) {
        char why[256];
        /* Many records, nobody waiting for a single one: batches pay. */
        rd_kafka_conf_set(conf, "linger.ms", "20", why, sizeof why);
        rd_kafka_conf_set_dr_msg_cb(conf, on_delivered);
        rd_kafka_conf_set_opaque(conf, writer);
        writer->producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, problem, KAFKA_PROBLEM_BYTES);
    }
    if (conf && !writer->producer) {
        rd_kafka_conf_destroy(conf);
    }
    if (!writer->producer) {
        free(writer);
        return NULL;
    }
    writer->config = config;
    return writer;
}

int kafka_writer_write(struct kafka_writer *writer, enum input input, struct bytes key, struct bytes value,
                       int64_t time_ms) {
    rd_kafka_resp_err_t error;
    do {
        const rd_kafka_vu_t fields[] = {
            {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = writer->config->topics[input]},
            {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)key.data, key.size}},
            {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)value.data, value.size}},
            {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = time_ms < 0 ? 0 : time_ms},
            {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        };
        rd_kafka_error_t *failure = rd_kafka_produceva(writer->producer, fields, sizeof fields / sizeof *fields);
        error = rd_kafka_error_code(failure); /* of NULL: no error */
        rd_kafka_error_destroy(failure);
        rd_kafka_poll(writer->producer, error == RD_KAFKA_RESP_ERR__QUEUE_FULL ? QUEUE_FULL_POLL_MS : 0);
    } while (error == RD_KAFKA_RESP_ERR__QUEUE_FULL);
    if (error) {
        writer->failed++;
        snprintf(writer->problem, sizeof writer->problem, "%s", rd_kafka_err2str(error));
    }
    return writer->failed ? ERR_UNAVAILABLE : 0;
}

int kafka_writer_flush(struct kafka_writer *writer, char *problem) {
    rd_kafka_flush(writer->producer, FLUSH_TIMEOUT_MS);
    size_t left = (size_t)rd_kafka_outq_len(writer->producer);
    if (writer->failed || left) {
        snprintf(problem, KAFKA_PROBLEM_BYTES, "%zu records were not written: %s", writer->failed + left,
                 writer->failed ? writer->problem : "Kafka does not answer");
        return ERR_UNAVAILABLE;
    }
    return 0;
}

void kafka_writer_destroy(struct kafka_writer *writer) {
    if (writer) {
        rd_kafka_destroy(writer->producer);
        free(writer);
    }
}

#include "wire.h"

#include <stdio.h>
#include <stdlib.h>

enum { FULL_POLL_MS = 20, FLUSH_TIMEOUT_MS = 120000 };

void wire_fail(const char *problem) {
    fprintf(stderr, "bench: %s\n", problem);
    exit(1);
}

static void on_delivered(rd_kafka_t *producer, const rd_kafka_message_t *message, void *context) {
    (void)producer;
    (void)context;
    if (message->err) {
        wire_fail(rd_kafka_err2str(message->err));
    }
}

rd_kafka_t *wire_client(rd_kafka_type_t type, const char *const *settings) {
    char problem[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    for (; *settings; settings += 2) {
        if (rd_kafka_conf_set(conf, settings[0], settings[1], problem, sizeof problem)) {
            wire_fail(problem);
        }
    }
    if (type == RD_KAFKA_PRODUCER) {
        rd_kafka_conf_set_dr_msg_cb(conf, on_delivered);
    }
    rd_kafka_t *client = rd_kafka_new(type, conf, problem, sizeof problem);
    if (!client) {
        wire_fail(problem);
    }
    return client;
}

void wire_init(struct wire *wire, const char *bootstrap, const char *linger_ms, char *const topics[3]) {
    bool live = strcmp(linger_ms, "0") == 0;
    const char *const settings[] = {"bootstrap.servers",
                                    bootstrap,
                                    "linger.ms",
                                    linger_ms,
                                    "batch.size",
                                    "1000000",
                                    "queue.buffering.max.messages",
                                    "500000",
                                    "partitioner",
                                    "murmur2",
                                    "compression.codec",
                                    live ? "none" : "lz4",
                                    "enable.idempotence",
                                    live ? "false" : "true", /* history: in order, none twice */
                                    NULL};
    wire->producer = wire_client(RD_KAFKA_PRODUCER, settings);
    for (size_t i = 0; i < 3; i++) {
        wire->topics[i] = topics[i];
    }
}

void wire_send(struct wire *wire, const struct mix_event *event, struct bytes value) {
    struct bytes key = event->activity.customer_id;
    const rd_kafka_vu_t fields[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = wire->topics[event->activity.type]},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)key.data, key.size}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)value.data, value.size}},
        {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = event->activity.time_ms},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
    };
    for (;;) {
        rd_kafka_error_t *error = rd_kafka_produceva(wire->producer, fields, sizeof fields / sizeof *fields);
        rd_kafka_resp_err_t code = rd_kafka_error_code(error); /* none: no error */
        rd_kafka_error_destroy(error);
        if (!code) {
            break;
        }
        if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            wire_fail(rd_kafka_err2str(code));
        }
        rd_kafka_poll(wire->producer, FULL_POLL_MS);
    }
    rd_kafka_poll(wire->producer, 0);
}

void wire_finish(struct wire *wire) {
    if (rd_kafka_flush(wire->producer, FLUSH_TIMEOUT_MS)) {
        wire_fail("the broker does not take what was written");
    }
    rd_kafka_destroy(wire->producer);
}

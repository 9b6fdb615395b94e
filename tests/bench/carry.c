#include "carry.h"

#include "state/redis_conn.h"
#include "wire.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    STATE_BYTES = 234, /* the mean of the reference workload: row `state` */
    TIMEOUT_MS = 30000,
};

static const char state[STATE_BYTES] = {0};

static void must(rd_kafka_error_t *error) {
    if (error) {
        wire_fail(rd_kafka_error_string(error));
    }
}

/* The first records of a topic. */
static void take_samples(struct carry *carry, const char *bootstrap, const char *changes) {
    const char *const settings[] = {
        "bootstrap.servers",   bootstrap, "group.id", "bench-samples", "isolation.level", "read_committed",
        "queued.min.messages", "1000",    NULL};
    rd_kafka_t *reader = wire_client(RD_KAFKA_CONSUMER, settings);
    rd_kafka_topic_partition_list_t *first = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(first, changes, 0)->offset = 0;
    if (rd_kafka_assign(reader, first)) {
        wire_fail("cannot read tier changes");
    }
    for (size_t i = 0; i < CARRY_SAMPLES; i++) {
        carry->samples[i] = rd_kafka_consumer_poll(reader, TIMEOUT_MS);
        if (!carry->samples[i] || carry->samples[i]->err) {
            wire_fail("there are too few tier changes to copy");
        }
    }
    rd_kafka_topic_partition_list_destroy(first);
    rd_kafka_assign(reader, NULL); /* it reads no more, but lives on: its records are used to the end */
}

void carry_begin(struct carry *carry, rd_kafka_t *consumer, const char *bootstrap, const char *changes,
                 const char *copies, const char *redis_port, int published_percent) {
    carry->consumer = consumer;
    carry->published_percent = published_percent;
    take_samples(carry, bootstrap, changes);
    /* As Tidemark's own producer: run/kafka_admin.c, publish/kafka_transaction.c. */
    const char *const settings[] = {
        "bootstrap.servers", bootstrap, "transactional.id", "bench-carry", "linger.ms", "1000",
        "compression.codec", "lz4",     "retry.backoff.ms", "1",           NULL};
    carry->producer = wire_client(RD_KAFKA_PRODUCER, settings);
    must(rd_kafka_init_transactions(carry->producer, TIMEOUT_MS));
    carry->topic = rd_kafka_topic_new(carry->producer, copies, NULL);
    carry->redis = redisConnect("127.0.0.1", atoi(redis_port));
    if (!carry->topic || !carry->redis || carry->redis->err) {
        wire_fail("cannot reach Redis");
    }
}

/* Whether the batch has not had this customer yet. */
static bool is_new(struct carry *carry, uint64_t hash) {
    size_t at = hash % CARRY_SEEN;
    hash += hash == 0;
    while (carry->seen[at] != 0 && carry->seen[at] != hash) {
        at = (at + 1) % CARRY_SEEN;
    }
    bool found = carry->seen[at] == hash;
    carry->seen[at] = hash;
    return !found;
}

/* The states of the batch's customers, as one write that happens or does not. */
static void store(struct carry *carry) {
    struct buffer out = {0};
    int commands = 2;
    resp_begin(&out, 1);
    resp_text(&out, "MULTI");
    for (int bucket = 0; bucket < CARRY_BUCKETS; bucket++) {
        if (carry->customers_count[bucket] > 0) {
            char key[32];
            snprintf(key, sizeof key, "carry:c:%d", bucket);
            resp_begin(&out, 2 + 2 * carry->customers_count[bucket]);
            resp_text(&out, "HSET");
            resp_text(&out, key);
            buffer_put_bytes(&out, buffer_bytes(&carry->customers[bucket]));
            buffer_reset(&carry->customers[bucket]);
            carry->customers_count[bucket] = 0;
            commands++;
        }
    }
    resp_begin(&out, 1);
    resp_text(&out, "EXEC");
    redisAppendFormattedCommand(carry->redis, out.data, out.size);
    for (int i = 0; i < commands; i++) {
        redisReply *reply = NULL;
        if (redisGetReply(carry->redis, (void **)&reply) || reply->type == REDIS_REPLY_ERROR) {
            wire_fail("Redis does not take the states");
        }
        freeReplyObject(reply);
    }
    buffer_finish(&out);
}

static void publish_one(struct carry *carry, const rd_kafka_message_t *cause) {
    const rd_kafka_message_t *sample = carry->samples[carry->published++ % CARRY_SAMPLES];
    rd_kafka_headers_t *found;
    if (rd_kafka_message_headers(sample, &found)) {
        wire_fail("a tier change without headers");
    }
    rd_kafka_headers_t *headers = rd_kafka_headers_new(rd_kafka_header_cnt(found));
    const char *name;
    const void *value;
    size_t size;
    for (size_t i = 0; !rd_kafka_header_get_all(found, i, &name, &value, &size); i++) {
        rd_kafka_header_add(headers, name, -1, value, (ssize_t)size);
    }
    const rd_kafka_vu_t fields[] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = carry->topic},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {cause->key, cause->key_len}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {sample->payload, sample->len}},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    must(rd_kafka_produceva(carry->producer, fields, sizeof fields / sizeof *fields));
}

static void publish(struct carry *carry) {
    must(rd_kafka_begin_transaction(carry->producer));
    rd_kafka_topic_partition_list_t *offsets = rd_kafka_topic_partition_list_new(16);
    for (size_t i = 0; i < carry->batch; i++) {
        const rd_kafka_message_t *message = carry->messages[i];
        const char *topic = rd_kafka_topic_name(message->rkt);
        rd_kafka_topic_partition_t *entry = rd_kafka_topic_partition_list_find(offsets, topic, message->partition);
        entry = entry ? entry : rd_kafka_topic_partition_list_add(offsets, topic, message->partition);
        entry->offset = message->offset + 1;
        carry->events++;
        if (carry->events * carry->published_percent / 100 > carry->published) {
            publish_one(carry, message);
        }
    }
    (void)rd_kafka_flush(carry->producer, 1);
    rd_kafka_consumer_group_metadata_t *membership = rd_kafka_consumer_group_metadata(carry->consumer);
    must(rd_kafka_send_offsets_to_transaction(carry->producer, offsets, membership, TIMEOUT_MS));
    rd_kafka_consumer_group_metadata_destroy(membership);
    must(rd_kafka_commit_transaction(carry->producer, TIMEOUT_MS));
    rd_kafka_topic_partition_list_destroy(offsets);
}

void carry_end(struct carry *carry) {
    if (carry->batch == 0) {
        return;
    }
    store(carry);
    publish(carry);
    for (size_t i = 0; i < carry->batch; i++) {
        rd_kafka_message_destroy(carry->messages[i]);
    }
    carry->batch = 0;
    memset(carry->seen, 0, sizeof carry->seen);
}

void carry_event(struct carry *carry, rd_kafka_message_t *message) {
    struct bytes id = bytes_of(message->key, message->key_len);
    uint64_t hash = bytes_hash(id);
    if (is_new(carry, hash)) {
        struct buffer *customers = &carry->customers[hash % CARRY_BUCKETS];
        resp_bytes(customers, id);
        resp_bytes(customers, bytes_of(state, STATE_BYTES));
        carry->customers_count[hash % CARRY_BUCKETS]++;
    }
    carry->messages[carry->batch++] = message;
    if (carry->batch == CARRY_BATCH) {
        carry_end(carry);
    }
}

#include "ingest/kafka_ends.h"

#include "ingest/kafka_parts.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct kafka_ends {
    rd_kafka_t *handle;
    rd_kafka_queue_t *answers;
    const char *topics[INPUTS];
    int32_t partitions;
    bool asking;
    int64_t answered_ms;    /* monotonic */
    _Atomic int64_t ends[]; /* by partition, then input */
};

void kafka_ends_ask(rd_kafka_t *handle, rd_kafka_topic_partition_list_t *list, int timeout_ms,
                    rd_kafka_queue_t *answers) {
    char ignored[64];
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(handle, RD_KAFKA_ADMIN_OP_LISTOFFSETS);
    rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, ignored, sizeof ignored);
    rd_kafka_error_destroy(rd_kafka_AdminOptions_set_isolation_level(options, RD_KAFKA_ISOLATION_LEVEL_READ_COMMITTED));
    for (int i = 0; i < list->cnt; i++) {
        list->elems[i].offset = RD_KAFKA_OFFSET_SPEC_LATEST;
    }
    rd_kafka_ListOffsets(handle, list, options, answers);
    rd_kafka_AdminOptions_destroy(options);
}

void kafka_ends_read(rd_kafka_event_t *event,
                     void (*take)(void *context, const char *topic, int32_t partition, int64_t end), void *context) {
    const rd_kafka_ListOffsets_result_t *result =
        event && !rd_kafka_event_error(event) ? rd_kafka_event_ListOffsets_result(event) : NULL;
    size_t count = 0;
    const rd_kafka_ListOffsetsResultInfo_t **infos = result ? rd_kafka_ListOffsets_result_infos(result, &count) : NULL;
    for (size_t i = 0; i < count; i++) {
        const rd_kafka_topic_partition_t *end = rd_kafka_ListOffsetsResultInfo_topic_partition(infos[i]);
        /* librdkafka leaves the offset invalid, without an error, where the broker was gone before it answered. */
        if (!end->err && end->offset >= 0) {
            take(context, end->topic, end->partition, end->offset);
        }
    }
}

static void forget(struct kafka_ends *ends) {
    for (int32_t i = 0; i < ends->partitions * INPUTS; i++) {
        ends->ends[i] = OFFSET_NONE;
    }
}

struct kafka_ends *kafka_ends_create(rd_kafka_t *handle, const char *const topics[INPUTS], int32_t partitions) {
    size_t count = (size_t)partitions * INPUTS;
    struct kafka_ends *ends = calloc(1, sizeof *ends + count * sizeof ends->ends[0]);
    if (!ends) {
        return NULL;
    }
    ends->handle = handle;
    ends->answers = rd_kafka_queue_new(handle);
    memcpy(ends->topics, topics, sizeof ends->topics);
    ends->partitions = partitions;
    forget(ends);
    return ends;
}

void kafka_ends_close(struct kafka_ends *ends) {
    if (ends && ends->answers) {
        rd_kafka_queue_destroy(ends->answers);
        ends->answers = NULL;
    }
}

void kafka_ends_destroy(struct kafka_ends *ends) {
    kafka_ends_close(ends);
    free(ends);
}

static void take(void *context, const char *topic, int32_t partition, int64_t end) {
    struct kafka_ends *ends = context;
    if (partition < 0 || partition >= ends->partitions) {
        return;
    }
    for (int input = 0; input < INPUTS; input++) {
        if (strcmp(topic, ends->topics[input]) == 0) {
            ends->ends[partition * INPUTS + input] = end;
            ends->answered_ms = clock_monotonic_ms();
        }
    }
}

void kafka_ends_tick(struct kafka_ends *ends) {
    rd_kafka_event_t *event;
    if (!ends) {
        return;
    }
    while ((event = rd_kafka_queue_poll(ends->answers, 0)) != NULL) {
        kafka_ends_read(event, take, ends);
        ends->asking = false;
        rd_kafka_event_destroy(event);
    }
    if (clock_monotonic_ms() - ends->answered_ms >= ENDS_STALE_MS) {
        forget(ends); /* better no lag than an old one, while the broker is silent */
    }
    if (ends->asking) {
        return;
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(ends->partitions * INPUTS);
    for (int32_t partition = 0; partition < ends->partitions; partition++) {
        for (int input = 0; input < INPUTS; input++) {
            rd_kafka_topic_partition_list_add(list, ends->topics[input], partition);
        }
    }
    ends->asking = true;
    kafka_ends_ask(ends->handle, list, ENDS_TIMEOUT_MS, ends->answers);
    rd_kafka_topic_partition_list_destroy(list);
}

int64_t kafka_ends_of(const struct kafka_ends *ends, int32_t partition, enum input input) {
    return ends && partition < ends->partitions ? ends->ends[partition * INPUTS + (int32_t)input] : OFFSET_NONE;
}

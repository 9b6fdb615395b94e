/* Reading a task's committed offsets without blocking the loop: asked of the group's coordinator as an admin request that
 * insists on stable offsets, so a transaction that a former owner left open is waited for. */
#include "publish/kafka_parts.h"

#include "base/log.h"

#include <stdlib.h>

enum { QUERY_TIMEOUT_MS = 5000, QUERY_RETRY_MS = 100, TURN_RETRY_MS = 10 };

/* Whether the turn under way has outputs of the task, given by an earlier life of it. In the same generation of the group nothing
 * would stop them from being committed after the question has been answered. */
static bool turn_has(struct kafka_sink *sink, int32_t task) {
    bool has = false;
    pthread_mutex_lock(&sink->lock);
    for (const struct given *given = sink->taken.first; given; given = given->next) {
        has |= given->publication.task == task;
    }
    pthread_mutex_unlock(&sink->lock);
    return has;
}

static void ask(struct committed_query *query) {
    struct kafka_sink *sink = query->sink;
    if (turn_has(sink, query->task)) {
        query->retry_ms = clock_monotonic_ms() + TURN_RETRY_MS;
        return;
    }
    char ignored[64];
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(INPUTS);
    for (int input = 0; input < INPUTS; input++) {
        rd_kafka_topic_partition_list_add(list, sink->options.topics[input], query->task);
    }
    rd_kafka_ListConsumerGroupOffsets_t *request = rd_kafka_ListConsumerGroupOffsets_new(sink->options.group, list);
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(sink->consumer, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS);
    rd_kafka_AdminOptions_set_request_timeout(options, QUERY_TIMEOUT_MS, ignored, sizeof ignored);
    rd_kafka_error_destroy(rd_kafka_AdminOptions_set_require_stable_offsets(options, 1));
    rd_kafka_AdminOptions_set_opaque(options, query);
    query->retry_ms = 0;
    rd_kafka_ListConsumerGroupOffsets(sink->consumer, &request, 1, options, sink->answers);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_ListConsumerGroupOffsets_destroy(request);
    rd_kafka_topic_partition_list_destroy(list);
}

void sink_ask_committed(struct kafka_sink *sink, int32_t task, sink_committed_fn done, void *arg) {
    struct committed_query *query = calloc(1, sizeof *query);
    ASSERT(query);
    *query = (struct committed_query){.next = sink->queries, .sink = sink, .task = task, .done = done, .arg = arg};
    sink->queries = query;
    ask(query);
}

static void query_remove(struct committed_query *query) {
    struct committed_query **link = &query->sink->queries;
    while (*link != query) {
        link = &(*link)->next;
    }
    *link = query->next;
    free(query);
}

/* Reads the answer; an error code while it is not final. */
static rd_kafka_resp_err_t read_answer(const struct kafka_sink *sink, rd_kafka_event_t *event,
                                       struct sink_committed *committed) {
    if (rd_kafka_event_error(event)) {
        return rd_kafka_event_error(event);
    }
    size_t count;
    const rd_kafka_ListConsumerGroupOffsets_result_t *result = rd_kafka_event_ListConsumerGroupOffsets_result(event);
    const rd_kafka_group_result_t **groups = rd_kafka_ListConsumerGroupOffsets_result_groups(result, &count);
    ASSERT(count == 1);
    const rd_kafka_error_t *error = rd_kafka_group_result_error(groups[0]);
    if (error) {
        return rd_kafka_error_code(error);
    }
    const rd_kafka_topic_partition_list_t *list = rd_kafka_group_result_partitions(groups[0]);
    for (int i = 0; i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *found = &list->elems[i];
        if (found->err) {
            return found->err;
        }
        for (int input = 0; input < INPUTS; input++) {
            if (strcmp(found->topic, sink->options.topics[input]) == 0 && found->offset >= 0) {
                committed->offset[input] = found->offset;
                committed->mark[input] = bytes_of(found->metadata, found->metadata_size);
            }
        }
    }
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

void sink_serve_committed(struct kafka_sink *sink) {
    rd_kafka_event_t *event;
    while ((event = rd_kafka_queue_poll(sink->answers, 0)) != NULL) {
        struct committed_query *query = rd_kafka_event_opaque(event);
        struct sink_committed committed = {.offset = {OFFSET_NONE, OFFSET_NONE, OFFSET_NONE}};
        rd_kafka_resp_err_t error = read_answer(sink, event, &committed);
        if (query->abandoned) {
            query_remove(query);
        } else if (error) {
            log_info("waits for committed offsets", "task=%d error=\"%s\"", (int)query->task, rd_kafka_err2str(error));
            query->retry_ms = clock_monotonic_ms() + QUERY_RETRY_MS;
        } else {
            sink_committed_fn done = query->done;
            void *arg = query->arg;
            query_remove(query);
            done(arg, 0, &committed);
        }
        rd_kafka_event_destroy(event);
    }
    int64_t now_ms = clock_monotonic_ms();
    for (struct committed_query *query = sink->queries; query; query = query->next) {
        if (query->retry_ms != 0 && query->retry_ms <= now_ms && !query->abandoned) {
            ask(query);
        }
    }
}

void sink_forget_committed(struct kafka_sink *sink, int32_t task) {
    for (struct committed_query *query = sink->queries; query;) {
        struct committed_query *next = query->next;
        if (query->task == task && query->retry_ms != 0) {
            query_remove(query);
        } else if (query->task == task) {
            query->abandoned = true; /* its answer is still on its way, and names it */
        }
        query = next;
    }
}

void sink_finish_committed(struct kafka_sink *sink) {
    while (sink->queries) {
        query_remove(sink->queries);
    }
}

#include "ingest/kafka_consumer.h"

#include "base/log.h"
#include "ingest/kafka_ends.h"
#include "ingest/kafka_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    RESTART_WAIT_MS = 200,   /* how long sources that are ready wait for the others of the same rebalance */
    CLOSE_TIMEOUT_MS = 5000, /* leaving the group; the broker may be away */
    UP_MS = 5000,            /* an answer within this time means that Kafka is up */
};

static const uint64_t WAKE_TOKEN = 1;

static bool in_list(const rd_kafka_topic_partition_list_t *list, const char *topic, int32_t partition) {
    return rd_kafka_topic_partition_list_find((rd_kafka_topic_partition_list_t *)(uintptr_t)list, topic, partition) !=
           NULL;
}

/* The partitions of which we have all three topics. False when some are missing theirs. */
static bool whole_tasks(const struct kafka_consumer *consumer, const rd_kafka_topic_partition_list_t *list,
                        int32_t *partitions, size_t *count) {
    bool even = true;
    *count = 0;
    for (int i = 0; i < list->cnt; i++) {
        bool whole = true;
        for (int input = 0; input < INPUTS; input++) {
            whole &= in_list(list, consumer->topics[input], list->elems[i].partition);
        }
        even &= whole;
        bool first = strcmp(list->elems[i].topic, consumer->topics[0]) == 0;
        if (whole && first) {
            partitions[(*count)++] = list->elems[i].partition;
        }
    }
    return even;
}

static void assign(rd_kafka_t *handle, const rd_kafka_topic_partition_list_t *list) {
    rd_kafka_resp_err_t error = rd_kafka_assign(handle, list);
    if (error) {
        log_warning("could not assign partitions", "error=\"%s\"", rd_kafka_err2str(error));
    }
}

static void rebalance(rd_kafka_t *handle, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t *list,
                      void *opaque) {
    struct kafka_consumer *consumer = opaque;
    if (error != RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS || consumer->closing) {
        bool lost = rd_kafka_assignment_lost(handle) != 0;
        log_info("gave up its tasks for a rebalance", "partitions=%d lost=%d", list->cnt, lost);
        consumer->callbacks.revoked(consumer->callbacks.context, lost);
        ASSERT(!consumer->sources);
        consumer->restart = false;
        assign(handle, NULL);
        return;
    }
    int32_t *partitions = malloc(((size_t)list->cnt + 1) * sizeof *partitions);
    ASSERT(partitions);
    size_t count;
    bool even = whole_tasks(consumer, list, partitions, &count);
    rd_kafka_topic_partition_list_t *nothing = rd_kafka_topic_partition_list_new(0);
    assign(handle, nothing);
    rd_kafka_topic_partition_list_destroy(nothing);
    log_info("was given tasks by a rebalance", "tasks=%zu", count);
    consumer->callbacks.assigned(consumer->callbacks.context, partitions, count);
    if (!even) {
        consumer->callbacks.uneven(consumer->callbacks.context);
    }
    free(partitions);
}

struct kafka_consumer *kafka_consumer_create(struct rd_kafka_conf_s *conf, const char *const topics[INPUTS],
                                             int wake_fd, const struct kafka_consumer_callbacks *callbacks,
                                             char *problem) {
    struct kafka_consumer *consumer = calloc(1, sizeof *consumer);
    if (!consumer) {
        rd_kafka_conf_destroy(conf);
        snprintf(problem, 512, "out of memory");
        return NULL;
    }
    consumer->wake_fd = wake_fd;
    consumer->callbacks = *callbacks;
    memcpy(consumer->topics, topics, sizeof consumer->topics);
    rd_kafka_conf_set_opaque(conf, consumer);
    rd_kafka_conf_set_rebalance_cb(conf, rebalance);
    consumer->handle = rd_kafka_new(RD_KAFKA_CONSUMER, conf, problem, 512);
    if (!consumer->handle) {
        rd_kafka_conf_destroy(conf);
        free(consumer);
        return NULL;
    }
    rd_kafka_poll_set_consumer(consumer->handle);
    consumer->queue = rd_kafka_queue_get_consumer(consumer->handle);
    consumer->answers = rd_kafka_queue_new(consumer->handle);
    rd_kafka_queue_io_event_enable(consumer->queue, wake_fd, &WAKE_TOKEN, sizeof WAKE_TOKEN);
    rd_kafka_queue_io_event_enable(consumer->answers, wake_fd, &WAKE_TOKEN, sizeof WAKE_TOKEN);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(INPUTS);
    for (int input = 0; input < INPUTS; input++) {
        rd_kafka_topic_partition_list_add(list, topics[input], RD_KAFKA_PARTITION_UA);
    }
    rd_kafka_resp_err_t error = rd_kafka_subscribe(consumer->handle, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (error) {
        snprintf(problem, 512, "cannot subscribe: %s", rd_kafka_err2str(error));
        kafka_consumer_destroy(consumer);
        return NULL;
    }
    return consumer;
}

void kafka_consumer_destroy(struct kafka_consumer *consumer) {
    if (!consumer) {
        return;
    }
    consumer->closing = true;
    rd_kafka_queue_io_event_enable(consumer->queue, -1, NULL, 0);
    rd_kafka_queue_io_event_enable(consumer->answers, -1, NULL, 0);
    rd_kafka_error_t *error = rd_kafka_consumer_close_queue(consumer->handle, consumer->queue);
    rd_kafka_error_destroy(error);
    int64_t until_ms = clock_monotonic_ms() + CLOSE_TIMEOUT_MS;
    while (!rd_kafka_consumer_closed(consumer->handle) && clock_monotonic_ms() < until_ms) {
        rd_kafka_message_t *message = rd_kafka_consume_queue(consumer->queue, 100); /* serves the rebalance callback */
        if (message) {
            rd_kafka_message_destroy(message);
        }
    }
    if (consumer->sources) {
        consumer->callbacks.revoked(consumer->callbacks.context, true);
    }
    rd_kafka_queue_destroy(consumer->queue);
    rd_kafka_queue_destroy(consumer->answers);
    if (rd_kafka_consumer_closed(consumer->handle)) {
        rd_kafka_destroy(consumer->handle);
    } else {
        log_warning("could not leave the group in time: the broker did not answer", "%s", "");
        rd_kafka_destroy_flags(consumer->handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    }
    free(consumer);
}

struct rd_kafka_s *kafka_consumer_handle(struct kafka_consumer *consumer) {
    return consumer->handle;
}

bool kafka_consumer_is_up(const struct kafka_consumer *consumer) {
    return consumer->answered_ms != 0 && clock_monotonic_ms() - consumer->answered_ms < UP_MS;
}

/* Assigns every started source from its position; those already fetching go on where they are. */
static void restart_sources(struct kafka_consumer *consumer) {
    bool waiting = false;
    for (const struct kafka_source *source = consumer->sources; source; source = source->next) {
        waiting |= !source->started;
    }
    if (!consumer->restart || (waiting && clock_monotonic_ms() - consumer->restart_ms < RESTART_WAIT_MS)) {
        return;
    }
    consumer->restart = false;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(INPUTS);
    for (struct kafka_source *source = consumer->sources; source; source = source->next) {
        if (!source->started) {
            continue;
        }
        for (int input = 0; input < INPUTS; input++) {
            int64_t from = kafka_source_restart(source, (enum input)input);
            rd_kafka_topic_partition_list_add(list, consumer->topics[input], source->partition)->offset =
                from == OFFSET_NONE ? RD_KAFKA_OFFSET_BEGINNING : from;
        }
        source->assigned = true;
    }
    assign(consumer->handle, list);
    rd_kafka_topic_partition_list_destroy(list);
    consumer->ask_again = consumer->asking; /* perhaps not for these */
    kafka_consumer_tick(consumer);
}

static struct kafka_source *find_source(const struct kafka_consumer *consumer, int32_t partition) {
    struct kafka_source *source = consumer->sources;
    while (source && source->partition != partition) {
        source = source->next;
    }
    return source;
}

/* Taken for an end, no answer would let the partition seem to be read, and the merge would go on without it. */
static void take_end(void *context, const char *topic, int32_t partition, int64_t end) {
    struct kafka_consumer *consumer = context;
    struct kafka_source *source = find_source(consumer, partition);
    if (!source) {
        return;
    }
    consumer->answered_ms = clock_monotonic_ms();
    for (int input = 0; input < INPUTS; input++) {
        if (strcmp(topic, consumer->topics[input]) == 0) {
            kafka_source_set_end(source, (enum input)input, end, consumer->asked_wall_ms);
        }
    }
}

void kafka_consumer_serve(struct kafka_consumer *consumer) {
    consumer->turn++;
    rd_kafka_message_t *message;
    while ((message = rd_kafka_consume_queue(consumer->queue, 0)) != NULL) {
        if (message->err) {
            log_warning("heard an error from Kafka", "error=\"%s\"", rd_kafka_message_errstr(message));
        }
        rd_kafka_message_destroy(message);
    }
    rd_kafka_event_t *event;
    while ((event = rd_kafka_queue_poll(consumer->answers, 0)) != NULL) {
        consumer->asking = false;
        kafka_ends_read(event, take_end, consumer);
        rd_kafka_event_destroy(event);
        if (consumer->ask_again) {
            kafka_consumer_tick(consumer);
        }
    }
    restart_sources(consumer);
}

void kafka_consumer_tick(struct kafka_consumer *consumer) {
    if (consumer->asking || !consumer->sources) {
        return;
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(INPUTS);
    for (const struct kafka_source *source = consumer->sources; source; source = source->next) {
        for (int input = 0; input < INPUTS; input++) {
            rd_kafka_topic_partition_list_add(list, consumer->topics[input], source->partition);
        }
    }
    consumer->asking = true;
    consumer->ask_again = false;
    consumer->asked_wall_ms = clock_wall_ms();
    kafka_ends_ask(consumer->handle, list, ENDS_TIMEOUT_MS, consumer->answers);
    rd_kafka_topic_partition_list_destroy(list);
}

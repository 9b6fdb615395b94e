/* One turn of the publisher: outputs and offsets to Kafka, all or nothing (or at least once).
 *
 * Two habits of librdkafka decide how. While a request of a partition is under way and more of its records have waited for
 * linger.ms, the producer's thread does not sleep but asks all the time whether it may send them: so they linger until the
 * turn has all, and a flush sends them. And a flush looks every 10 ms whether all is delivered, unless delivery reports wake
 * it: so there are some, even where nobody counts them. */
#include "publish/kafka_parts.h"

#include "base/array.h"
#include "base/log.h"

#include <stdio.h>

enum {
    SEND_OFF_MS = 1,       /* until the producer's thread has sent what lingers, or longer: the offsets go beside it */
    CALL_ATTEMPTS_MAX = 3, /* of one transaction call, each up to SINK_CALL_TIMEOUT_MS, before its
                              outcome is unknown */
    TOPIC_BYTES_MAX = 249, /* Kafka's limit */
    OUTPUT_ARENA_BYTES_MAX = 1 << 20,
    HANDLES_FIRST = 4,
};

enum outcome { OUTCOME_DONE, OUTCOME_NOTHING, OUTCOME_UNKNOWN };

static void delivered(rd_kafka_t *producer, const rd_kafka_message_t *message, void *opaque) {
    struct kafka_sink *sink = opaque;
    (void)producer;
    if (message->err) {
        sink->undelivered++;
        log_warning("could not deliver an output", "error=\"%s\"", rd_kafka_message_errstr(message));
    }
}

/* In a transaction, whose commit tells; see above why there is one. */
static void settled(rd_kafka_t *producer, const rd_kafka_message_t *message, void *opaque) {
    (void)producer;
    (void)message;
    (void)opaque;
}

void sink_drop_producer(struct kafka_sink *sink) {
    for (size_t i = 0; i < sink->handles_count; i++) {
        rd_kafka_topic_destroy(sink->handles[i].topic);
    }
    sink->handles_count = 0;
    if (sink->producer) {
        rd_kafka_purge(sink->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_destroy(sink->producer);
        sink->producer = NULL;
    }
}

/* Logs the error and frees it. */
static void log_error_of(const char *what, rd_kafka_error_t *error) {
    log_warning("met an error while publishing", "call=%s error=\"%s\" fatal=%d abort=%d retriable=%d", what,
                rd_kafka_error_string(error), rd_kafka_error_is_fatal(error), rd_kafka_error_txn_requires_abort(error),
                rd_kafka_error_is_retriable(error));
    rd_kafka_error_destroy(error);
}

/* Sees to it that there is a producer; false when there cannot be one now. */
static bool have_producer(struct kafka_sink *sink) {
    char problem[512];
    if (sink->producer) {
        return true;
    }
    rd_kafka_conf_t *conf = sink->options.producer_conf(sink->options.context);
    ASSERT(conf);
    rd_kafka_conf_set_opaque(conf, sink);
    rd_kafka_conf_set_dr_msg_cb(conf, sink->options.exactly_once ? settled : delivered);
    if (sink->options.exactly_once) {
        rd_kafka_conf_set(conf, "transactional.id", sink->transactional_id, NULL, 0);
    }
    sink->producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, problem, sizeof problem);
    if (!sink->producer) {
        rd_kafka_conf_destroy(conf);
        log_error("could not make a producer", "error=\"%s\"", problem);
        return false;
    }
    if (!sink->options.exactly_once) {
        return true;
    }
    rd_kafka_error_t *error = rd_kafka_init_transactions(sink->producer, SINK_CALL_TIMEOUT_MS);
    if (error) {
        log_error_of("init_transactions", error);
        sink_drop_producer(sink);
        return false;
    }
    return true;
}

/* A task abandoned meanwhile counts as much as the others: outputs without their offsets would be published again by the next
 * owner, and only offsets, by the group's generation, tell Kafka that we are not the owner any more. */
rd_kafka_topic_partition_list_t *sink_offsets(const struct kafka_sink *sink) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(INPUTS);
    for (const struct given *given = sink->taken.first; given; given = given->next) {
        const struct publication *publication = &given->publication;
        for (int input = 0; input < INPUTS; input++) {
            if (publication->next_offset[input] == OFFSET_NONE) {
                continue;
            }
            rd_kafka_topic_partition_t *entry =
                rd_kafka_topic_partition_list_find(list, sink->options.topics[input], publication->task);
            if (!entry) {
                entry = rd_kafka_topic_partition_list_add(list, sink->options.topics[input], publication->task);
            }
            entry->offset = publication->next_offset[input]; /* a later one of the same task is newer */
            rd_kafka_mem_free(NULL, entry->metadata);
            entry->metadata = NULL;
            entry->metadata_size = strlen(publication->mark);
            entry->metadata = strdup(publication->mark);
            ASSERT(entry->metadata);
        }
    }
    return list;
}

/* The producer's handle of a topic, which librdkafka would look up by its name for every record, under a lock. NULL: it
 * refuses the name. */
static rd_kafka_topic_t *topic_of(struct kafka_sink *sink, struct bytes name) {
    for (size_t i = 0; i < sink->handles_count; i++) {
        if (bytes_equal_text(name, sink->handles[i].name)) {
            return sink->handles[i].topic;
        }
    }
    char text[TOPIC_BYTES_MAX + 1];
    ASSERT(name.size <= TOPIC_BYTES_MAX);
    memcpy(text, name.data, name.size);
    text[name.size] = '\0';
    rd_kafka_topic_t *topic = rd_kafka_topic_new(sink->producer, text, NULL);
    if (topic) {
        sink->handles = array_grown(sink->handles, &sink->handles_capacity, sink->handles_count, sizeof *sink->handles,
                                    HANDLES_FIRST);
        sink->handles[sink->handles_count++] = (struct topic_handle){topic, rd_kafka_topic_name(topic)};
    }
    return topic;
}

/* Hands one output to the producer, which copies all but the value: that stays in the publication until the turn has ended,
 * and so has every use of it, since a turn that does not end well destroys the producer. */
static rd_kafka_resp_err_t produce(struct kafka_sink *sink, const struct output *output) {
    rd_kafka_topic_t *topic = topic_of(sink, output->topic);
    if (!topic) {
        return rd_kafka_last_error();
    }
    for (;;) {
        rd_kafka_headers_t *headers = rd_kafka_headers_new(output->headers_count);
        for (size_t i = 0; i < output->headers_count; i++) {
            const struct header *header = &output->headers[i];
            rd_kafka_header_add(headers, header->name.data, (ssize_t)header->name.size, header->value.data,
                                (ssize_t)header->value.size);
        }
        const rd_kafka_vu_t fields[] = {
            {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = topic},
            {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)output->key.data, output->key.size}},
            {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)output->value.data, output->value.size}},
            {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
        };
        rd_kafka_error_t *failure = rd_kafka_produceva(sink->producer, fields, sizeof fields / sizeof *fields);
        rd_kafka_resp_err_t error = rd_kafka_error_code(failure); /* of NULL: no error */
        rd_kafka_error_destroy(failure);
        if (error) {
            rd_kafka_headers_destroy(headers);
        }
        if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            return error;
        }
        rd_kafka_poll(sink->producer, 100);
    }
}

static rd_kafka_resp_err_t produce_all(struct kafka_sink *sink) {
    struct arena arena;
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
    arena_init(&arena, OUTPUT_ARENA_BYTES_MAX);
    for (const struct given *given = sink->taken.first; given && !error; given = given->next) {
        struct cursor in = cursor_of(buffer_bytes(&given->publication.outputs));
        while (cursor_left(&in) > 0 && !error) {
            struct output output;
            int broken = output_unpack(cursor_sized(&in), &arena, &output);
            ASSERT(!broken && !in.error);
            error = produce(sink, &output);
            arena_reset(&arena);
        }
    }
    arena_finish(&arena);
    return error;
}

/* Undoes the transaction. Whether or not that works, nothing of it will be seen: a new producer
 * fences it. */
static enum outcome undo(struct kafka_sink *sink, const char *what, rd_kafka_error_t *error) {
    bool fatal = rd_kafka_error_is_fatal(error) != 0;
    log_error_of(what, error);
    error = fatal ? NULL : rd_kafka_abort_transaction(sink->producer, SINK_CALL_TIMEOUT_MS);
    if (error) {
        log_error_of("abort_transaction", error);
    }
    if (fatal || error) {
        sink_drop_producer(sink);
    }
    return OUTCOME_NOTHING;
}

static enum outcome commit(struct kafka_sink *sink) {
    for (int attempt = 1;; attempt++) {
        rd_kafka_error_t *error = rd_kafka_commit_transaction(sink->producer, SINK_CALL_TIMEOUT_MS);
        if (!error) {
            return OUTCOME_DONE;
        }
        if (rd_kafka_error_txn_requires_abort(error)) {
            return undo(sink, "commit_transaction", error);
        }
        bool again = !rd_kafka_error_is_fatal(error) && rd_kafka_error_is_retriable(error);
        log_error_of("commit_transaction", error);
        if (!again || attempt == CALL_ATTEMPTS_MAX) {
            return OUTCOME_UNKNOWN;
        }
    }
}

static enum outcome attempt(struct kafka_sink *sink, const rd_kafka_consumer_group_metadata_t *membership) {
    rd_kafka_error_t *error = rd_kafka_begin_transaction(sink->producer);
    if (error) {
        log_error_of("begin_transaction", error);
        sink_drop_producer(sink);
        return OUTCOME_NOTHING;
    }
    rd_kafka_resp_err_t code = produce_all(sink);
    if (code) {
        return undo(sink, "produce", rd_kafka_error_new(code, "%s", rd_kafka_err2str(code)));
    }
    (void)rd_kafka_flush(sink->producer, SEND_OFF_MS);
    rd_kafka_topic_partition_list_t *offsets = sink_offsets(sink);
    for (int tries = 1; offsets->cnt > 0; tries++) {
        error = rd_kafka_send_offsets_to_transaction(sink->producer, offsets, membership, SINK_CALL_TIMEOUT_MS);
        bool again = error && !rd_kafka_error_is_fatal(error) && !rd_kafka_error_txn_requires_abort(error) &&
                     rd_kafka_error_is_retriable(error) && tries < CALL_ATTEMPTS_MAX;
        if (!again) {
            break;
        }
        log_error_of("send_offsets_to_transaction", error);
    }
    rd_kafka_topic_partition_list_destroy(offsets);
    return error ? undo(sink, "send_offsets_to_transaction", error) : commit(sink);
}

/* After a new producer has ended whatever the last one had begun: did the turn's offsets get
 * committed? */
static int turn_is_committed(struct kafka_sink *sink, bool *committed) {
    rd_kafka_topic_partition_list_t *wanted = sink_offsets(sink);
    rd_kafka_topic_partition_list_t *found = rd_kafka_topic_partition_list_copy(wanted);
    rd_kafka_resp_err_t error = rd_kafka_committed(sink->consumer, found, SINK_CALL_TIMEOUT_MS);
    *committed = true;
    for (int i = 0; i < wanted->cnt && !error; i++) {
        const rd_kafka_topic_partition_t *a = &wanted->elems[i];
        const rd_kafka_topic_partition_t *b = rd_kafka_topic_partition_list_find(found, a->topic, a->partition);
        error = b->err;
        *committed &= a->offset == b->offset && a->metadata_size == b->metadata_size &&
                      memcmp(a->metadata, b->metadata, a->metadata_size) == 0;
    }
    rd_kafka_topic_partition_list_destroy(wanted);
    rd_kafka_topic_partition_list_destroy(found);
    return error ? ERR_UNAVAILABLE : 0;
}

static bool stopping(struct kafka_sink *sink) {
    pthread_mutex_lock(&sink->lock);
    bool stop = sink->stop;
    pthread_mutex_unlock(&sink->lock);
    return stop;
}

enum turn sink_turn_transaction(struct kafka_sink *sink, const rd_kafka_consumer_group_metadata_t *membership) {
    if (!have_producer(sink)) {
        return TURN_AGAIN;
    }
    enum outcome outcome = attempt(sink, membership);
    if (outcome != OUTCOME_UNKNOWN) {
        return outcome == OUTCOME_DONE ? TURN_DONE : TURN_AGAIN;
    }
    log_warning("did not learn whether a transaction was committed; makes a new producer and looks", "%s", "");
    sink_drop_producer(sink);
    while (!stopping(sink)) {
        bool committed;
        if (have_producer(sink) && turn_is_committed(sink, &committed) == 0) {
            return committed ? TURN_DONE : TURN_AGAIN;
        }
    }
    return TURN_AGAIN;
}

/* Like rd_kafka_commit, which may wait for a silent broker for minutes. */
static rd_kafka_resp_err_t commit_plainly(struct kafka_sink *sink, const rd_kafka_topic_partition_list_t *offsets) {
    rd_kafka_queue_t *answer = rd_kafka_queue_new(sink->consumer);
    rd_kafka_resp_err_t error = rd_kafka_commit_queue(sink->consumer, offsets, answer, NULL, NULL);
    if (!error) {
        rd_kafka_event_t *event = rd_kafka_queue_poll(answer, SINK_CALL_TIMEOUT_MS);
        error = event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
        rd_kafka_event_destroy(event);
    }
    rd_kafka_queue_destroy(answer);
    return error;
}

/* Of a turn whose outputs are delivered. To commit takes as long as to publish, and the outputs that come meanwhile would wait for
 * it: so it is done for several turns at once. */
static bool commit_is_due(const struct kafka_sink *sink) {
    int64_t now_ms = clock_monotonic_ms();
    size_t outputs = 0;
    for (const struct given *given = sink->taken.first; given; given = given->next) {
        outputs += given->publication.outputs_count;
        if (given->hurried || given->due_ms <= now_ms || outputs >= SINK_COMMIT_OUTPUTS) {
            return true;
        }
    }
    return false;
}

enum turn sink_turn_at_least_once(struct kafka_sink *sink) {
    if (!have_producer(sink)) {
        return TURN_AGAIN;
    }
    sink->undelivered = 0;
    rd_kafka_resp_err_t error = produce_all(sink);
    if (!error) {
        error = rd_kafka_flush(sink->producer, SINK_CALL_TIMEOUT_MS);
    }
    if (error || sink->undelivered > 0) {
        log_warning("could not publish, tries again", "error=\"%s\" undelivered=%zu", rd_kafka_err2str(error),
                    sink->undelivered);
        sink_drop_producer(sink);
        return TURN_AGAIN;
    }
    sink_delivered(sink);
    if (!commit_is_due(sink)) {
        return TURN_LATER;
    }
    rd_kafka_topic_partition_list_t *offsets = sink_offsets(sink);
    if (offsets->cnt > 0) {
        error = commit_plainly(sink, offsets);
    }
    rd_kafka_topic_partition_list_destroy(offsets);
    if (error) {
        log_warning("could not commit offsets, tries again", "error=\"%s\"", rd_kafka_err2str(error));
        return TURN_AGAIN;
    }
    return TURN_DONE;
}

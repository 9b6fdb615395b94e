/* The source of one task in Kafka: three partition queues. */
#include "ingest/kafka_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const uint64_t WAKE_TOKEN = 1;

static void drop_messages(struct kafka_input *in) {
    while (in->at < in->count) {
        rd_kafka_message_destroy(in->messages[in->at++]);
    }
    in->at = in->count = 0;
    in->record.handle = NULL;
}

/* Has the consumer assign anew, in a while. */
static void ask_restart(struct kafka_consumer *consumer) {
    if (!consumer->restart) {
        consumer->restart = true;
        consumer->restart_ms = clock_monotonic_ms();
    }
}

static void source_start(void *context, const int64_t next_offset[INPUTS]) {
    struct kafka_source *source = context;
    for (int input = 0; input < INPUTS; input++) {
        drop_messages(&source->inputs[input]); /* of an earlier start, from other offsets */
        source->inputs[input].position = next_offset[input];
    }
    source->started = true;
    source->assigned = false;
    ask_restart(source->consumer);
}

static void fail(struct kafka_source *source, enum input input, const rd_kafka_message_t *message) {
    if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET || message->err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
        const char *topic = source->consumer->topics[input];
        int64_t low = OFFSET_NONE;
        int64_t high = OFFSET_NONE;
        int64_t wanted = source->inputs[input].position;
        rd_kafka_get_watermark_offsets(source->consumer->handle, topic, source->partition, &low, &high);
        if (low > wanted && wanted >= 0) {
            snprintf(source->problem, sizeof source->problem,
                     "%" PRId64 " records of topic %.80s were deleted before they were read: wanted offset %" PRId64
                     ", the first left is %" PRId64,
                     low - wanted, topic, wanted, low);
        } else {
            snprintf(source->problem, sizeof source->problem,
                     "records of topic %.80s are not there: wanted offset %" PRId64 ", which is out of range", topic,
                     wanted);
        }
    }
}

/* Makes the next real record the current one; errors and ends are noted on the way. False: nothing buffered. */
static bool advance(struct kafka_source *source, enum input input) {
    struct kafka_input *in = &source->inputs[input];
    for (;;) {
        while (in->at < in->count) {
            rd_kafka_message_t *message = in->messages[in->at];
            if (!message->err && message->offset >= in->position) {
                in->record = (struct record){
                    .input = input,
                    .partition = message->partition,
                    .offset = message->offset,
                    .timestamp_ms = rd_kafka_message_timestamp(message, NULL),
                    .key = bytes_of(message->key, message->key_len),
                    .value = bytes_of(message->payload, message->len),
                    .handle = message,
                };
                in->eof = OFFSET_NONE;
                return true;
            }
            if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
                in->eof = message->offset;
                in->answered_ms = clock_monotonic_ms();
            } else if (message->err) {
                fail(source, input, message);
            }
            rd_kafka_message_destroy(message);
            in->at++;
        }
        in->at = in->count = 0;
        if (!source->assigned || in->empty_at == source->consumer->turn) {
            return false;
        }
        ssize_t count = rd_kafka_consume_batch_queue(in->queue, 0, in->messages, SOURCE_BATCH);
        if (count <= 0) {
            in->empty_at = source->consumer->turn;
            return false;
        }
        in->count = (size_t)count;
    }
}

static const struct record *source_peek(void *context, enum input input) {
    struct kafka_source *source = context;
    struct kafka_input *in = &source->inputs[input];
    if (in->record.handle) {
        return &in->record;
    }
    return advance(source, input) ? &in->record : NULL;
}

static void source_release(void *context, enum input input) {
    struct kafka_source *source = context;
    struct kafka_input *in = &source->inputs[input];
    ASSERT(in->record.handle && in->at < in->count);
    in->position = in->record.offset + 1;
    in->record.handle = NULL;
    rd_kafka_message_destroy(in->messages[in->at++]);
}

static size_t source_headers(void *context, const struct record *record, struct arena *arena,
                             const struct header **out) {
    (void)context;
    rd_kafka_headers_t *headers;
    *out = NULL;
    if (rd_kafka_message_headers(record->handle, &headers)) {
        return 0;
    }
    size_t count = rd_kafka_header_cnt(headers);
    struct header *array = arena_alloc(arena, count * sizeof *array);
    if (!array) {
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        const char *name;
        const void *value;
        size_t size;
        if (rd_kafka_header_get_all(headers, i, &name, &value, &size)) {
            return i;
        }
        array[i] = (struct header){bytes_of_text(name), bytes_of(value, size)};
    }
    *out = array;
    return count;
}

/* How far the partition has been read: past control records at its end, too, which are never delivered. */
static int64_t position(const struct kafka_input *in) {
    return in->eof > in->position ? in->eof : in->position;
}

static enum source_end source_end(void *context, enum input input) {
    const struct kafka_source *source = context;
    const struct kafka_input *in = &source->inputs[input];
    bool fresh = in->answered_ms != 0 && clock_monotonic_ms() - in->answered_ms < ENDS_STALE_MS;
    if (in->end != OFFSET_NONE && position(in) < in->end) {
        return fresh ? SOURCE_MORE : SOURCE_UNKNOWN;
    }
    if (in->eof != OFFSET_NONE || (in->end != OFFSET_NONE && in->position >= in->end)) {
        return SOURCE_AT_END;
    }
    return in->end == 0 ? SOURCE_AT_END : SOURCE_UNKNOWN;
}

static int64_t source_confirmed_ms(void *context) {
    struct kafka_source *source = context;
    int64_t asked_ms = INT64_MAX;
    for (int input = 0; input < INPUTS; input++) {
        const struct kafka_input *in = &source->inputs[input];
        if (in->end == OFFSET_NONE || (position(in) < in->end && in->end > 0)) {
            return source->confirmed_ms;
        }
        asked_ms = in->asked_ms < asked_ms ? in->asked_ms : asked_ms;
    }
    source->confirmed_ms = asked_ms;
    return source->confirmed_ms;
}

static const char *source_problem(void *context) {
    const struct kafka_source *source = context;
    return source->problem[0] ? source->problem : NULL;
}

struct source kafka_source_port(struct kafka_source *source) {
    static const struct source_ops ops = {
        .start = source_start,
        .peek = source_peek,
        .release = source_release,
        .headers = source_headers,
        .end = source_end,
        .confirmed_ms = source_confirmed_ms,
        .problem = source_problem,
    };
    return (struct source){source, &ops};
}

struct kafka_source *kafka_source_create(struct kafka_consumer *consumer, int32_t partition) {
    struct kafka_source *source = calloc(1, sizeof *source);
    if (!source) {
        return NULL;
    }
    source->consumer = consumer;
    source->partition = partition;
    source->confirmed_ms = TIME_NONE;
    for (int input = 0; input < INPUTS; input++) {
        struct kafka_input *in = &source->inputs[input];
        in->position = in->eof = in->end = OFFSET_NONE;
        in->empty_at = UINT64_MAX;
        in->queue = rd_kafka_queue_get_partition(consumer->handle, consumer->topics[input], partition);
        ASSERT(in->queue);
        rd_kafka_queue_forward(in->queue, NULL); /* not through the consumer's queue: each is polled by need */
        rd_kafka_queue_io_event_enable(in->queue, consumer->wake_fd, &WAKE_TOKEN, sizeof WAKE_TOKEN);
    }
    source->next = consumer->sources;
    consumer->sources = source;
    return source;
}

int64_t kafka_source_restart(struct kafka_source *source, enum input input) {
    struct kafka_input *in = &source->inputs[input];
    drop_messages(in);
    in->eof = OFFSET_NONE;
    in->empty_at = UINT64_MAX;
    return in->position;
}

void kafka_source_set_end(struct kafka_source *source, enum input input, int64_t end, int64_t asked_ms) {
    struct kafka_input *in = &source->inputs[input];
    ASSERT(end >= 0);
    in->end = end;
    in->answered_ms = clock_monotonic_ms();
    in->asked_ms = asked_ms;
}

int64_t kafka_source_lag(const struct kafka_source *source, enum input input) {
    const struct kafka_input *in = &source->inputs[input];
    return offsets_between(position(in), in->end);
}

void kafka_source_destroy(struct kafka_source *source) {
    if (!source) {
        return;
    }
    struct kafka_source **link = &source->consumer->sources;
    while (*link != source) {
        link = &(*link)->next;
    }
    *link = source->next;
    if (source->assigned) {
        ask_restart(source->consumer);
    }
    for (int input = 0; input < INPUTS; input++) {
        struct kafka_input *in = &source->inputs[input];
        drop_messages(in);
        rd_kafka_queue_io_event_enable(in->queue, -1, NULL, 0);
        rd_kafka_queue_destroy(in->queue);
    }
    free(source);
}

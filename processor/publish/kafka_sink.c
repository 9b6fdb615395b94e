#include "publish/kafka_sink.h"

#include "base/log.h"
#include "publish/kafka_parts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

void queue_push(struct queue *queue, struct given *given) {
    given->next = NULL;
    if (queue->last) {
        queue->last->next = given;
    } else {
        queue->first = given;
    }
    queue->last = given;
    queue->count++;
}

static struct given *queue_pop(struct queue *queue) {
    struct given *given = queue->first;
    if (given) {
        queue->first = given->next;
        queue->last = queue->first ? queue->last : NULL;
        queue->count--;
    }
    return given;
}

void given_destroy(struct given *given) {
    buffer_finish(&given->publication.outputs);
    free(given);
}

static void queue_clear(struct queue *queue) {
    struct given *given;
    while ((given = queue_pop(queue)) != NULL) {
        given_destroy(given);
    }
}

/* Drops what a task has in the queue. */
static void queue_drop_task(struct queue *queue, int32_t task) {
    struct queue kept = {0};
    struct given *given;
    while ((given = queue_pop(queue)) != NULL) {
        if (given->publication.task == task) {
            given_destroy(given);
        } else {
            queue_push(&kept, given);
        }
    }
    *queue = kept;
}

static void sink_committed_op(void *context, int32_t task, sink_committed_fn done, void *arg) {
    sink_ask_committed(context, task, done, arg);
}

static void sink_publish(void *context, struct publication *publication, bool urgent, sink_published_fn done,
                         void *arg) {
    struct kafka_sink *sink = context;
    struct given *given = calloc(1, sizeof *given);
    ASSERT(given);
    bool at_once = urgent || publication->outputs_count > 0;
    *given = (struct given){.publication = *publication,
                            .hurried = urgent,
                            .due_ms = clock_monotonic_ms() + (at_once ? 0 : SINK_QUIET_MS),
                            .done = done,
                            .arg = arg};
    publication->outputs = (struct buffer){0};
    pthread_mutex_lock(&sink->lock);
    queue_push(&sink->waiting, given);
    if (at_once || sink->waiting.count == 1) {
        pthread_cond_signal(&sink->changed);
    }
    pthread_mutex_unlock(&sink->lock);
}

static void sink_abandon(void *context, int32_t task) {
    struct kafka_sink *sink = context;
    sink_forget_committed(sink, task);
    pthread_mutex_lock(&sink->lock);
    queue_drop_task(&sink->waiting, task);
    queue_drop_task(&sink->finished, task);
    for (struct given *given = sink->taken.first; given; given = given->next) {
        given->abandoned |= given->publication.task == task;
    }
    pthread_mutex_unlock(&sink->lock);
}

struct sink kafka_sink_port(struct kafka_sink *sink) {
    static const struct sink_ops ops = {
        .committed = sink_committed_op, .publish = sink_publish, .abandon = sink_abandon};
    return (struct sink){sink, &ops};
}

/* True when a turn should begin now; otherwise *wait_ms says how long nothing needs to happen. */
static bool turn_is_due(const struct kafka_sink *sink, int64_t *wait_ms) {
    int64_t now_ms = clock_monotonic_ms();
    *wait_ms = SINK_QUIET_MS;
    if (!sink->membership) {
        return false;
    }
    for (const struct given *given = sink->waiting.first; given; given = given->next) {
        int64_t left_ms = given->due_ms - now_ms;
        if (left_ms <= 0) {
            return true;
        }
        *wait_ms = left_ms < *wait_ms ? left_ms : *wait_ms;
    }
    return false;
}

static void wait_changed(struct kafka_sink *sink, int64_t wait_ms) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait_ms / MS_PER_SECOND;
    until.tv_nsec += (wait_ms % MS_PER_SECOND) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_cond_timedwait(&sink->changed, &sink->lock, &until);
}

/* Moves waiting publications to the turn, oldest first, up to its size; at least one. */
static void take_waiting(struct kafka_sink *sink) {
    size_t bytes = 0;
    while (sink->waiting.first && bytes < sink->turn_bytes_max) {
        struct given *given = queue_pop(&sink->waiting);
        bytes += given->publication.outputs.size;
        queue_push(&sink->taken, given);
    }
}

void sink_delivered(struct kafka_sink *sink) {
    int64_t now_ms = clock_wall_ms();
    int64_t due_ms = clock_monotonic_ms() + SINK_COMMIT_MS;
    for (struct given *given = sink->taken.first; given; given = given->next) {
        struct cursor in = cursor_of(buffer_bytes(&given->publication.outputs));
        given->due_ms = cursor_left(&in) > 0 ? due_ms : given->due_ms;
        while (cursor_left(&in) > 0) {
            int64_t caused_ms = output_caused_ms(cursor_sized(&in));
            if (caused_ms != TIME_NONE) {
                metric_observe(sink->latency_seconds, (double)(now_ms - caused_ms) / MS_PER_SECOND);
            }
        }
        buffer_finish(&given->publication.outputs);
    }
}

/* After a turn: what is done waits for its callback, what is not goes back to the front. Abandoned ones vanish. */
static void settle(struct kafka_sink *sink, enum turn turn) {
    struct queue again = {0};
    struct given *given;
    bool finished = false;
    while ((given = queue_pop(&sink->taken)) != NULL) {
        if (given->abandoned) {
            given_destroy(given);
        } else if (turn == TURN_DONE) {
            queue_push(&sink->finished, given);
            finished = true;
        } else {
            queue_push(&again, given);
        }
    }
    while ((given = queue_pop(&sink->waiting)) != NULL) {
        queue_push(&again, given);
    }
    sink->waiting = again;
    if (finished) {
        uint64_t token = 1;
        ssize_t ignored = write(sink->options.wake_fd, &token, sizeof token); /* full means awake anyway */
        (void)ignored;
    }
}

static void adapt(struct kafka_sink *sink, enum turn turn) {
    size_t bytes = sink->turn_bytes_max;
    bytes = turn != TURN_AGAIN ? bytes * 2 : bytes / 2;
    bytes = bytes < SINK_TURN_BYTES_MAX ? bytes : SINK_TURN_BYTES_MAX;
    sink->turn_bytes_max = bytes > SINK_TURN_BYTES_MIN ? bytes : SINK_TURN_BYTES_MIN;
}

/* A copy for the turn, so that a rebalance may replace the original meanwhile. */
static rd_kafka_consumer_group_metadata_t *copy_membership(const rd_kafka_consumer_group_metadata_t *membership) {
    return rd_kafka_consumer_group_metadata_new_with_genid(
        rd_kafka_consumer_group_metadata_group_id(membership),
        rd_kafka_consumer_group_metadata_generation_id(membership),
        rd_kafka_consumer_group_metadata_member_id(membership),
        rd_kafka_consumer_group_metadata_group_instance_id(membership));
}

static void *sink_thread(void *arg) {
    struct kafka_sink *sink = arg;
    pthread_setname_np(pthread_self(), "publisher");
    pthread_mutex_lock(&sink->lock);
    while (!sink->stop) {
        int64_t wait_ms;
        if (!turn_is_due(sink, &wait_ms)) {
            wait_changed(sink, wait_ms);
            continue;
        }
        take_waiting(sink);
        rd_kafka_consumer_group_metadata_t *membership = copy_membership(sink->membership);
        pthread_mutex_unlock(&sink->lock);

        int64_t start_us = clock_monotonic_us();
        sink->turn_since_ms = start_us / 1000;
        enum turn turn =
            sink->options.exactly_once ? sink_turn_transaction(sink, membership) : sink_turn_at_least_once(sink);
        rd_kafka_consumer_group_metadata_destroy(membership);
        sink->turn_since_ms = 0;
        if (turn != TURN_AGAIN) {
            metric_observe(sink->commit_seconds, (double)(clock_monotonic_us() - start_us) / 1e6);
            sink_delivered(sink);
        }
        pthread_mutex_lock(&sink->lock);
        adapt(sink, turn);
        settle(sink, turn);
        if (turn == TURN_AGAIN && !sink->stop) {
            wait_changed(sink, SINK_BACKOFF_MS);
        }
    }
    pthread_mutex_unlock(&sink->lock);
    sink_drop_producer(sink);
    free(sink->handles);
    return NULL;
}

struct kafka_sink *kafka_sink_create(const struct kafka_sink_options *options, struct rd_kafka_s *consumer) {
    struct kafka_sink *sink = calloc(1, sizeof *sink);
    if (!sink) {
        return NULL;
    }
    static const uint64_t token = 1;
    uint64_t unique = 0;
    ssize_t got = getrandom(&unique, sizeof unique, 0);
    ASSERT(got == (ssize_t)sizeof unique);
    sink->options = *options;
    sink->consumer = consumer;
    sink->turn_bytes_max = SINK_TURN_BYTES_MAX;
    snprintf(sink->transactional_id, sizeof sink->transactional_id, "%.150s-%016" PRIx64, options->group, unique);
    sink->answers = rd_kafka_queue_new(consumer);
    rd_kafka_queue_io_event_enable(sink->answers, options->wake_fd, &token, sizeof token);
    sink->commit_seconds = metrics_series(&metric_commit_seconds, "");
    sink->latency_seconds = metrics_series(&metric_event_latency_seconds, "");
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&sink->lock, NULL);
    pthread_cond_init(&sink->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&sink->thread, NULL, sink_thread, sink)) {
        log_error("could not start the publisher thread", "errno=%d", errno);
        rd_kafka_queue_destroy(sink->answers);
        free(sink);
        return NULL;
    }
    return sink;
}

void kafka_sink_destroy(struct kafka_sink *sink) {
    if (!sink) {
        return;
    }
    pthread_mutex_lock(&sink->lock);
    sink->stop = true;
    pthread_cond_signal(&sink->changed);
    pthread_mutex_unlock(&sink->lock);
    pthread_join(sink->thread, NULL);
    queue_clear(&sink->waiting);
    queue_clear(&sink->finished);
    sink_finish_committed(sink);
    rd_kafka_queue_io_event_enable(sink->answers, -1, NULL, 0);
    rd_kafka_queue_destroy(sink->answers);
    if (sink->membership) {
        rd_kafka_consumer_group_metadata_destroy(sink->membership);
    }
    pthread_mutex_destroy(&sink->lock);
    pthread_cond_destroy(&sink->changed);
    free(sink);
}

void kafka_sink_own(struct kafka_sink *sink, bool owns) {
    rd_kafka_consumer_group_metadata_t *membership = owns ? rd_kafka_consumer_group_metadata(sink->consumer) : NULL;
    pthread_mutex_lock(&sink->lock);
    if (sink->membership) {
        rd_kafka_consumer_group_metadata_destroy(sink->membership);
    }
    sink->membership = membership;
    pthread_cond_signal(&sink->changed);
    pthread_mutex_unlock(&sink->lock);
}

bool kafka_sink_hangs(const struct kafka_sink *sink) {
    int64_t since_ms = sink->turn_since_ms;
    return since_ms != 0 && clock_monotonic_ms() - since_ms >= SINK_HANGS_MS;
}

void kafka_sink_serve(struct kafka_sink *sink) {
    sink_serve_committed(sink);
    for (;;) {
        pthread_mutex_lock(&sink->lock);
        struct given *given = queue_pop(&sink->finished);
        pthread_mutex_unlock(&sink->lock);
        if (!given) {
            return;
        }
        given->done(given->arg, given->publication.through_seq);
        given_destroy(given);
    }
}

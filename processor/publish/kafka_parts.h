/* The inside of the Kafka sink: kafka_sink.c (queue, thread, callbacks), kafka_transaction.c (one turn),
 * kafka_committed.c (reading what is committed). */
#ifndef TIDEMARK_PUBLISH_KAFKA_PARTS_H
#define TIDEMARK_PUBLISH_KAFKA_PARTS_H

#include "base/clock.h"
#include "base/metrics.h"
#include "publish/kafka_sink.h"
#include "publish/output.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>

enum {
    SINK_CALL_TIMEOUT_MS = 10000,   /* of each transaction call: a silent broker must not hold the thread for minutes */
    SINK_QUIET_MS = 1000,           /* offsets without outputs wait this long */
    SINK_COMMIT_MS = 20,            /* at_least_once: offsets of delivered outputs wait this long for others */
    SINK_COMMIT_OUTPUTS = 1024,     /* but not those of so many outputs: a task stops at TASK_UNPUBLISHED_MAX */
    SINK_TURN_BYTES_MAX = 33554432, /* outputs in one transaction, about */
    SINK_TURN_BYTES_MIN =
        65536, /* to this, after failures: a slow broker may not get through more before the time-out */
    SINK_BACKOFF_MS = 200,
    SINK_HANGS_MS = 180000, /* all calls of a turn with all their attempts time out within 100 s */
};

struct given { /* one publication on its way */
    struct given *next;
    struct publication publication;
    bool hurried;   /* offsets at once, too: a take over or a drain */
    bool abandoned; /* nobody waits for the answer any more; the turn that has it goes on all the same */
    int64_t due_ms; /* monotonic: by when a turn should begin for it */
    sink_published_fn done;
    void *arg;
};

struct queue { /* of given ones, oldest first */
    struct given *first;
    struct given *last;
    size_t count;
};

struct committed_query { /* one question for committed offsets; see kafka_committed.c */
    struct committed_query *next;
    struct kafka_sink *sink;
    int32_t task;
    int64_t retry_ms; /* monotonic; 0: asked */
    sink_committed_fn done;
    void *arg;
    bool abandoned;
};

struct topic_handle { /* of a topic that the producer has written to */
    rd_kafka_topic_t *topic;
    const char *name; /* the handle's */
};

struct kafka_sink {
    struct kafka_sink_options options;
    rd_kafka_t *consumer;
    rd_kafka_queue_t *answers; /* of questions for committed offsets; served on the worker's thread */
    struct committed_query *queries;

    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* under the lock */
    bool stop;
    struct queue waiting;
    struct queue taken;                             /* by the turn under way */
    struct queue finished;                          /* callbacks to be called */
    rd_kafka_consumer_group_metadata_t *membership; /* NULL: we own nothing */

    _Atomic int64_t turn_since_ms; /* monotonic: when the turn under way began; 0: none is */

    /* the thread's own */
    rd_kafka_t *producer;
    struct topic_handle *handles; /* the producer's; as few as topics are configured */
    size_t handles_count;
    size_t handles_capacity;
    size_t turn_bytes_max; /* halved by each failure, doubled by each success */
    size_t undelivered;
    char transactional_id[200];
    struct metric *commit_seconds;
    struct metric *latency_seconds;
};

enum turn {
    TURN_DONE,
    TURN_LATER, /* at_least_once: the outputs are in Kafka, the offsets follow with those of a later turn */
    TURN_AGAIN, /* nothing but what is delivered is in Kafka */
};

void queue_push(struct queue *queue, struct given *given);
void given_destroy(struct given *given);

/* Publishes everything in sink->taken. On the sink's thread. */
enum turn sink_turn_transaction(struct kafka_sink *sink, const rd_kafka_consumer_group_metadata_t *membership);
enum turn sink_turn_at_least_once(struct kafka_sink *sink);
/* All outputs in sink->taken are in Kafka: observes their latency, and lets go of them; of what has been let go, nothing. */
void sink_delivered(struct kafka_sink *sink);
void sink_drop_producer(struct kafka_sink *sink);

/* Offsets and marks of the newest publication of each task in `taken`. */
rd_kafka_topic_partition_list_t *sink_offsets(const struct kafka_sink *sink);

void sink_ask_committed(struct kafka_sink *sink, int32_t task, sink_committed_fn done, void *arg);
void sink_serve_committed(struct kafka_sink *sink);
void sink_forget_committed(struct kafka_sink *sink, int32_t task);
void sink_finish_committed(struct kafka_sink *sink);

#endif

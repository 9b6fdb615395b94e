/* The sink of one worker in Kafka: one producer and one thread that publishes for all tasks of the worker.
 *
 * exactly_once: each turn is one transaction with the outputs of all tasks that have some, and, for the same tasks, the
 * applied offsets with their marks. A turn begins when the last has ended and there is something to publish: no interval adds
 * latency at low load, and at high load turns grow by themselves. Offsets without outputs wait up to a second for company.
 * at_least_once: an idempotent producer; offsets are committed after the delivery reports.
 *
 * Fencing: offsets are sent with the group metadata of the rebalance that gave us the tasks (kafka_sink_own), never newer, so
 * a worker that the group has left behind cannot commit. If the outcome of a commit stays unknown, the producer is thrown
 * away and made anew (which ends or undoes the transaction), and what is committed then tells whether it happened. */
#ifndef TIDEMARK_PUBLISH_KAFKA_SINK_H
#define TIDEMARK_PUBLISH_KAFKA_SINK_H

#include "publish/sink.h"

struct rd_kafka_s;
struct rd_kafka_conf_s;
struct kafka_sink;

struct kafka_sink_options {
    bool exactly_once;
    const char *topics[INPUTS];
    /* A conf for a producer, with the user's properties and those that correctness needs; called for each new producer. */
    struct rd_kafka_conf_s *(*producer_conf)(void *context);
    void *context;
    int wake_fd; /* written to when callbacks are waiting */
    const char *group;
};

/* Starts the thread. consumer: the worker's, borrowed until destroy. NULL without memory or threads. */
struct kafka_sink *kafka_sink_create(const struct kafka_sink_options *options, struct rd_kafka_s *consumer);
/* Stops the thread (bounded by the time-outs of calls under way) and frees; no callbacks any more. */
void kafka_sink_destroy(struct kafka_sink *sink);
struct sink kafka_sink_port(struct kafka_sink *sink);

/* In the rebalance callback: the worker owns tasks under the present group metadata, or none. */
void kafka_sink_own(struct kafka_sink *sink, bool owns);
/* A turn takes longer than all its time-outs together: a call does not come back. Only a new process helps. From any thread. */
bool kafka_sink_hangs(const struct kafka_sink *sink);
/* Calls the callbacks that are waiting; on the worker's thread, once per turn of its loop. */
void kafka_sink_serve(struct kafka_sink *sink);

#endif

/* The sink of a worker: where outputs become Kafka records, together with the offsets that they stand for.
 *
 * A publication says: these outputs (already in the store's outbox), and with them "applied up to these offsets, published
 * up to this sequence, due instants fired up to here" (the mark). With exactly_once all of it becomes visible at once or not at all.
 * Publications of one task are published in their order. Callbacks come on the worker's thread, never from inside a call.
 * Kafka: publish/kafka_sink.h. Tests: tests/support/fake_sink.h. */
#ifndef TIDEMARK_PUBLISH_SINK_H
#define TIDEMARK_PUBLISH_SINK_H

#include "base/record.h"

enum { PUBLICATION_MARK_BYTES = 80 };

struct publication {
    int32_t task;
    int64_t next_offset[INPUTS];       /* OFFSET_NONE: nothing to commit for this input */
    uint64_t through_seq;              /* the last output's sequence so far, also when this publication has none */
    char mark[PUBLICATION_MARK_BYTES]; /* committed with the offsets; see state/recovery.h */
    struct buffer outputs; /* packed outputs, each with a varint length before it; owned by the sink once given */
    size_t outputs_count;
};

/* What Kafka has committed for a task; see state/recovery.h for its use. */
struct sink_committed {
    int64_t offset[INPUTS];
    struct bytes mark[INPUTS]; /* metadata text; borrowed */
};

typedef void (*sink_committed_fn)(void *arg, int error, const struct sink_committed *committed);
/* Everything of the task up to and including through_seq and these offsets is in Kafka. */
typedef void (*sink_published_fn)(void *arg, uint64_t through_seq);

struct sink {
    void *context;
    const struct sink_ops *ops;
};

struct sink_ops {
    /* Reads what is committed, waiting for pending transactions of former owners. Tries until it has an answer. */
    void (*committed)(void *context, int32_t task, sink_committed_fn done, void *arg);
    /* Takes the publication (and its buffer). `done` is called when it is in Kafka; one with no outputs may wait for up to a
     * second for others, unless `urgent`. */
    void (*publish)(void *context, struct publication *publication, bool urgent, sink_published_fn done, void *arg);
    /* Forgets what the task has given and not yet seen published; its callbacks are not called any more. */
    void (*abandon)(void *context, int32_t task);
};

#endif

/* The source of one task: its three partitions, each with its own bounded queue.
 *
 * Calls return at once. A record is borrowed from `peek` until `release`; what is not released stays, so a full task simply
 * stops asking and the queue fills up behind it. Kafka: ingest/kafka_source.h. Tests: tests/support/fake_source.h. */
#ifndef TIDEMARK_INGEST_SOURCE_H
#define TIDEMARK_INGEST_SOURCE_H

#include "base/arena.h"
#include "base/record.h"

enum source_end {
    SOURCE_MORE,    /* more records are known to exist, though none is buffered yet */
    SOURCE_AT_END,  /* everything that was known to exist has been released */
    SOURCE_UNKNOWN, /* cannot tell: no answer from the partition's leader yet, or none for long */
};

struct source {
    void *context;
    const struct source_ops *ops;
};

struct source_ops {
    /* Starts reading at these offsets; OFFSET_NONE: the beginning of the log. */
    void (*start)(void *context, const int64_t next_offset[INPUTS]);
    /* The oldest buffered record, or NULL. */
    const struct record *(*peek)(void *context, enum input input);
    /* Done with the peeked record; its bytes are gone. */
    void (*release)(void *context, enum input input);
    /* The headers of the peeked record, as an array in the arena; returns their number. */
    size_t (*headers)(void *context, const struct record *record, struct arena *arena, const struct header **out);
    enum source_end (*end)(void *context, enum input input);
    /* The wall-clock instant as of which every existing record of all three partitions has been released; TIME_NONE when
     * that has not been confirmed. Never later than the truth: the brokers were asked at that instant. */
    int64_t (*confirmed_ms)(void *context);
    /* Why reading cannot go on without an operator (records gone before the wanted offset), or NULL. */
    const char *(*problem)(void *context);
};

#endif

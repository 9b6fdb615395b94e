/* Where a reader of tier changes stands: the next offset of every partition of every topic it reads. As text it is the id of a
 * server-sent event:
 *
 *     tier-changes:12,0,44,9;churn-alerts:3,1,0,0
 *
 * Kafka's topic names hold none of these separators. */
#ifndef TIDEMARK_RUN_FEED_POSITION_H
#define TIDEMARK_RUN_FEED_POSITION_H

#include "base/bytes.h"

enum {
    FEED_TOPICS_MAX = 65, /* one of each tier set, and the default */
    /* A request's headers may have 8 KiB: a longer position could not be sent back. That is some 700 partitions. */
    FEED_POSITION_BYTES_MAX = 7000,
};

struct feed_topic {
    const char *name;
    int64_t *next; /* by partition */
    size_t partitions;
};

struct feed_position {
    struct feed_topic topics[FEED_TOPICS_MAX];
    size_t topics_count;
};

/* Appends the text; nothing where it would be too long. */
void feed_position_write(const struct feed_position *position, struct buffer *out);
/* True if the text is a position, whatever its topics. */
bool feed_position_is_valid(struct bytes text);
/* Moves every topic that the valid text names to where it says; partitions that it does not know yet, to their beginning. */
void feed_position_read(struct feed_position *position, struct bytes text);
/* The next offset of a partition; NULL: not one of ours. */
int64_t *feed_position_of(struct feed_position *position, const char *topic, int32_t partition);
void feed_position_finish(struct feed_position *position);

#endif

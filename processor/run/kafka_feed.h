/* Tier changes as they come, for one reader: GET /v1/changes.
 *
 * Each feed has a thread and a Kafka consumer of its own, outside of any group: it reads every partition of the topics, only
 * what is committed, and commits nothing. What it reads becomes server-sent events, which wait in a bounded buffer to be
 * taken; while that is full, nothing more is read. So a reader may start anywhere in the topics, at its own pace, and costs
 * nobody else anything; how many there may be is limited instead. */
#ifndef TIDEMARK_RUN_KAFKA_FEED_H
#define TIDEMARK_RUN_KAFKA_FEED_H

#include "run/rules.h"

enum {
    FEEDS_MAX = 16,                /* each costs some threads and about 2 MiB */
    FEED_BYTES_MAX = 256 * 1024,   /* of events that wait to be taken */
    FEED_HEARTBEAT_MS = 15 * 1000, /* the longest silence: proxies and browsers take a longer one for the end */
};

struct kafka_feeds; /* all of a process */
struct kafka_feeds *kafka_feeds_create(struct rules *rules);
/* Other rules: feeds from now on read the topics of their sets. */
void kafka_feeds_set_rules(struct kafka_feeds *feeds, struct rules *rules);
/* Waits for every feed to end: all were dropped before. Accepts NULL. */
void kafka_feeds_destroy(struct kafka_feeds *feeds);

struct kafka_feed;

struct kafka_feed_options {
    struct bytes tier_set;       /* data NULL: of all */
    struct bytes position;       /* where to begin, as in the id of an event (valid); data NULL: at the present end */
    void (*news)(void *context); /* something is to be taken; on the feed's thread */
    void *context;
};

/* Starts reading. Options are copied. NULL: there are FEEDS_MAX already. */
struct kafka_feed *kafka_feed_create(struct kafka_feeds *feeds, const struct kafka_feed_options *options);
/* Replaces what is in `out` by the events that wait; empty: none. */
void kafka_feed_take(struct kafka_feed *feed, struct buffer *out);
/* The feed ends by itself, later; no news comes any more. */
void kafka_feed_drop(struct kafka_feed *feed);

#endif

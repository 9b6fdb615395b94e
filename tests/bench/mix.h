/* The reference workload: half purchases, four tenths interactions, one tenth feedback, of skewed
 * customers, repeatable from nothing but its numbers.
 *
 *     struct mix mix = {.customers = 200000};
 *     struct mix_event event;
 *     mix_event(&mix, time_ms, &event);
 *     mix_encode(&event, MIX_FOR_TIDEMARK, &value);
 *
 * It is the mix of the programs that Tidemark is compared with (shared/peers/load/gen.c): customer
 * number C x u^3 for a uniform u, so that the first hundredth of the customers make a fifth of the
 * events; one purchase in 50 is a refund. The same mix encodes the same history in the product's
 * schema and in theirs (shared/peers/load/events.proto). */
#ifndef TIDEMARK_BENCH_MIX_H
#define TIDEMARK_BENCH_MIX_H

#include "score/activity.h"

enum mix_schema { MIX_FOR_TIDEMARK, MIX_FOR_PEERS };

enum { MIX_ITEMS_MAX = 3, MIX_TEXT_BYTES = 32 };

struct mix {
    uint64_t random;  /* 0 to start */
    int64_t made;     /* events so far; numbers their ids */
    int64_t first_id; /* added to these, so that two mixes make no duplicates */
    int64_t customers;
    int64_t first_customer; /* added to their numbers */
    int hot_percent;        /* this part of all events is the first one's */
    int partition;          /* -1: any; else only customers whose key belongs there ... */
    int partitions;         /* ... of so many, by murmur2 */
};

/* The activity's slices point into this very struct: do not copy it. */
struct mix_event {
    struct activity activity;
    struct purchase_item items[MIX_ITEMS_MAX];
    char customer_id[MIX_TEXT_BYTES];
    char event_id[MIX_TEXT_BYTES];
    char order_id[MIX_TEXT_BYTES];
};

/* The mix' next event. */
void mix_event(struct mix *mix, int64_t time_ms, struct mix_event *out);
/* A purchase of one item by customer `number`, or with a name of their own of `probe` (not NULL) and the number. */
void mix_purchase(struct mix *mix, const char *probe, int64_t number, int64_t amount_minor, int64_t time_ms,
                  struct mix_event *out);
/* Puts the event's value in place of what `out` held. */
void mix_encode(const struct mix_event *event, enum mix_schema schema, struct buffer *out);
/* The partition of a key, as all clients here choose it. */
int mix_partition(const char *customer_id, int partitions);
/* Uniform in [0, 1). */
double mix_uniform(struct mix *mix);

#endif

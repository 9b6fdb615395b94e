/* A believable shop: what customers do over days or years, in order of time, repeatable from a
 * seed.
 *
 *     struct generator *generator = generator_create(&options);
 *     struct generated event;
 *     while (generator_next(generator, &event)) ...
 *
 * Each customer has a rate, a purse, a favourite channel and category, and a mood. They come in
 * sessions (browsing, a search, a left cart, a purchase, an e-mail, a visit to the store), more of
 * them at weekends' eves, in the evening and before Christmas. Few customers buy most: rates and
 * purses are log-normal. An order that goes wrong lowers the mood, brings complaints, refunds and
 * cancellations of just that order; surveys are answered as the mood is; the unhappy lapse more
 * often, some for ever, and some come back after an e-mail months later. New customers join all the
 * time, some brought by others.
 *
 * Pure: no clock, no I/O. Memory is about 100 bytes a customer. The same options give the same
 * events on every machine. */
#ifndef TIDEMARK_RUN_GENERATE_H
#define TIDEMARK_RUN_GENERATE_H

#include "base/inputs.h"
#include "score/activity.h"

enum {
    GENERATED_ITEMS_MAX = 4,
    GENERATOR_DAYS_MAX = 36500,
    GENERATED_TEXT_BYTES = 48, /* the longest id, and some */
};
#define GENERATOR_CUSTOMERS_MAX INT64_C(100000000) /* ids have eight digits */

struct generator_options {
    int64_t customers; /* 1 .. GENERATOR_CUSTOMERS_MAX */
    int64_t events;    /* exactly so many; 0: as many as come, some 60 a customer and year */
    uint64_t seed;
    int days;       /* the history's length, 1 .. GENERATOR_DAYS_MAX */
    int64_t end_ms; /* no event is later; at least `days` days */
};

/* One event. The activity's slices point into this very struct (do not copy it) or to constants. */
struct generated {
    enum input input;
    struct activity activity; /* amounts in minor units of whatever currency the caller names */
    char customer_id[GENERATED_TEXT_BYTES];
    char event_id[GENERATED_TEXT_BYTES];
    char order_id[GENERATED_TEXT_BYTES];
    char referrer_id[GENERATED_TEXT_BYTES];
    char skus[GENERATED_ITEMS_MAX][GENERATED_TEXT_BYTES];
    struct purchase_item items[GENERATED_ITEMS_MAX];
};

struct generator;

/* NULL without memory. The options must be within their ranges (ASSERT). */
struct generator *generator_create(const struct generator_options *options);
/* Accepts NULL. */
void generator_destroy(struct generator *generator);
/* The next event, never earlier than the last. False at the end. */
bool generator_next(struct generator *generator, struct generated *out);

#endif

/* What a customer did, as a plain list, for tests that compare: random histories, and metrics computed by walking through the
 * list, which is slow and cannot be wrong in the ways in which sums kept up to date can be.
 *
 *     struct history history;
 *     history_random(&history, &random, &(struct history_options){.count = 20, .days = 100});
 *     plain_metric(&history, &model->slots.slots[0], builder.zone, now_ms) == evaluation_metric(...) */
#ifndef TIDEMARK_TESTS_HISTORY_H
#define TIDEMARK_TESTS_HISTORY_H

#include "score/metrics.h"
#include "support/model_builder.h"

enum { HISTORY_MAX = 64 };

struct history {
    struct activity activities[HISTORY_MAX];
    char ids[HISTORY_MAX][24];
    size_t count;
};

struct history_options {
    size_t count;      /* of activities, at most HISTORY_MAX */
    int64_t from_ms;   /* they happen from here on; 0: TEST_START_MS */
    int days;          /* for so long */
    int64_t round_ms;  /* at multiples of this; 0: at any millisecond */
    int without_id;    /* of 100 activities so many have no event id */
    int not_purchases; /* of 100 activities so many are interactions or feedback */
};

/* Activities in the order of their times, with ids "e0", "e1", ...; refunds and cancellations mostly name an earlier order. */
void history_random(struct history *history, struct test_random *random, const struct history_options *options);
/* The same activities in any order. */
void history_shuffle(struct history *history, struct test_random *random);

/* A day of the zone, by looking through all its offsets. */
int32_t plain_day(const struct zone *zone, int64_t time_ms);
/* Amounts are in cents, options the defaults. Not of points and lifetime value, which have tests of their own. */
double plain_metric(const struct history *history, const struct metric_slot *slot, const struct zone *zone,
                    int64_t now_ms);

/* Central Europe in 2025 and 2026: days of 23 and of 25 hours. */
extern const struct zone zone_berlin;

/* Fails the test unless the customers are equal in every field. */
void assert_same_customer(const struct customer *a, const struct customer *b);
/* What does not depend on the order in which activities arrived: sums, times, purchase days, journey, favourites. */
void assert_same_life(const struct customer *a, const struct customer *b);
void assert_same_tiles(const struct tiles *a, const struct tiles *b);

#endif

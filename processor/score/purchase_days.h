/* Purchase days: on which distinct days a customer has bought, for intervals between them and for lifetime value.
 *
 * The latest PURCHASE_DAYS_MAX are known one by one; older ones are only counted, with the sum of the squares of the gaps
 * between them and up to the oldest known one. So mean and spread stay exact however long the life, and the state bounded.
 * The order of arrival does not matter, but for a day before the oldest known one of a customer with more: nobody knows any
 * more whether it was there, so it counts as a new one; the gap that it splits keeps its square.
 *
 * The revenue of the first day of all is kept besides, as repeat revenue is what comes after it. */
#ifndef TIDEMARK_SCORE_PURCHASE_DAYS_H
#define TIDEMARK_SCORE_PURCHASE_DAYS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PURCHASE_DAYS_MAX = 366 }; /* a year of daily buyers; 1.5 KB */

struct purchase_days {
    int32_t *known;          /* ascending */
    uint64_t gap_squares;    /* of the forgotten days, up to known[0] */
    int64_t first_day_minor; /* purchases less refunds of the first day of all */
    uint32_t forgotten;      /* days before known[0] */
    int32_t first_day;       /* of all; means something where there are forgotten ones */
    uint16_t count;
    uint16_t capacity;
};

void purchase_days_finish(struct purchase_days *days);
/* Room for `count` known days in all. */
int purchase_days_reserve(struct purchase_days *days, size_t count) MUST_CHECK;
/* `to` must be empty. */
int purchase_days_copy(struct purchase_days *to, const struct purchase_days *from) MUST_CHECK;

/* Adds a day; one that is known changes nothing. */
int purchase_days_add(struct purchase_days *days, int32_t day) MUST_CHECK;

/* Distinct days of the whole life. Repeat days (x in models of lifetime value) are one fewer. */
static inline uint64_t purchase_days_count(const struct purchase_days *days) {
    return (uint64_t)days->forgotten + days->count;
}
/* The first day of all; there must be one. */
int32_t purchase_days_first(const struct purchase_days *days);

/* Mean gap between successive days; NAN with fewer than 2 days. */
double purchase_days_mean_interval(const struct purchase_days *days);
/* Standard deviation of the gaps (of the population); NAN with fewer than 2 days. */
double purchase_days_interval_spread(const struct purchase_days *days);

bool purchase_days_are_valid(const struct purchase_days *days);

#endif

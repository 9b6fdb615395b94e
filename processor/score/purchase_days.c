#include "score/purchase_days.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY_FIRST = 6 }; /* what malloc's smallest piece holds; most customers never have more */

void purchase_days_finish(struct purchase_days *days) {
    free(days->known);
    *days = (struct purchase_days){0};
}

int purchase_days_reserve(struct purchase_days *days, size_t count) {
    if (count <= days->capacity) {
        return 0;
    }
    size_t capacity = days->capacity ? days->capacity : CAPACITY_FIRST;
    while (capacity < count) {
        capacity *= 2;
    }
    capacity = capacity > PURCHASE_DAYS_MAX ? PURCHASE_DAYS_MAX : capacity;
    ASSERT(count <= capacity);
    int32_t *known = realloc(days->known, capacity * sizeof *known);
    if (!known) {
        return ERR_NO_MEMORY;
    }
    days->known = known;
    days->capacity = (uint16_t)capacity;
    return 0;
}

int purchase_days_copy(struct purchase_days *to, const struct purchase_days *from) {
    int error = purchase_days_reserve(to, from->count);
    if (error) {
        return error;
    }
    int32_t *known = to->known;
    uint16_t capacity = to->capacity;
    *to = *from;
    to->known = known;
    to->capacity = capacity;
    if (from->count > 0) {
        memcpy(known, from->known, from->count * sizeof *known);
    }
    return 0;
}

/* Gaps follow each other within 32 bits of days, so the sum of their squares is less than 2^64. */
static uint64_t square_of_gap(int32_t from, int32_t to) {
    uint64_t gap = (uint64_t)((int64_t)to - from);
    return gap * gap;
}

/* A day before the oldest known one, where no more can be known. */
static void add_forgotten(struct purchase_days *days, int32_t day) {
    int32_t first = purchase_days_first(days);
    if (day < first) {
        days->gap_squares += square_of_gap(day, first);
        first = day;
    }
    days->first_day = first;
    days->forgotten++;
}

/* Forgets the oldest known day, `next` being the one after it. */
static void forget_oldest(struct purchase_days *days, int32_t next) {
    days->first_day = purchase_days_first(days);
    days->gap_squares += square_of_gap(days->known[0], next);
    days->forgotten++;
    days->count--;
    memmove(days->known, days->known + 1, days->count * sizeof *days->known);
}

int purchase_days_add(struct purchase_days *days, int32_t day) {
    size_t at = days->count;
    while (at > 0 && days->known[at - 1] > day) { /* most are the latest */
        at--;
    }
    if (at > 0 && days->known[at - 1] == day) {
        return 0;
    }
    if (at == 0 && (days->forgotten > 0 || days->count == PURCHASE_DAYS_MAX)) {
        add_forgotten(days, day);
        return 0;
    }
    if (days->count == PURCHASE_DAYS_MAX) {
        forget_oldest(days, at == 1 ? day : days->known[1]);
        at--;
    }
    int error = purchase_days_reserve(days, (size_t)days->count + 1);
    if (error) {
        return error;
    }
    memmove(days->known + at + 1, days->known + at, (days->count - at) * sizeof *days->known);
    days->known[at] = day;
    days->count++;
    return 0;
}

int32_t purchase_days_first(const struct purchase_days *days) {
    ASSERT(days->count > 0);
    return days->forgotten > 0 ? days->first_day : days->known[0];
}

/* Days from the first to the last, and the gaps between; there must be two days. */
static double span_of(const struct purchase_days *days) {
    return (double)days->known[days->count - 1] - purchase_days_first(days);
}

double purchase_days_mean_interval(const struct purchase_days *days) {
    uint64_t count = purchase_days_count(days);
    return count < 2 ? (double)NAN : span_of(days) / (double)(count - 1);
}

double purchase_days_interval_spread(const struct purchase_days *days) {
    uint64_t count = purchase_days_count(days);
    if (count < 2) {
        return (double)NAN;
    }
    double squares = (double)days->gap_squares;
    for (size_t i = 1; i < days->count; i++) {
        squares += (double)square_of_gap(days->known[i - 1], days->known[i]);
    }
    /* Whole numbers to the end, so that even gaps have a spread of exactly 0. */
    double gaps = (double)(count - 1);
    double span = span_of(days);
    double variance = squares * gaps - span * span;
    return variance > 0 ? sqrt(variance) / gaps : 0;
}

bool purchase_days_are_valid(const struct purchase_days *days) {
    for (size_t i = 1; i < days->count; i++) {
        if (days->known[i - 1] >= days->known[i]) {
            return false;
        }
    }
    return days->count <= PURCHASE_DAYS_MAX &&
           (days->forgotten == 0 || (days->count > 0 && days->first_day < days->known[0]));
}

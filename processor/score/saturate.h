/* Sums that stay at the end of the range instead of going round. Amounts are at most 10^15 each (ingest/decode.h), so only
 * billions of them ever get there. */
#ifndef TIDEMARK_SCORE_SATURATE_H
#define TIDEMARK_SCORE_SATURATE_H

#include <stdint.h>

static inline int64_t saturating_add(int64_t a, int64_t b) {
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum)) {
        return a > 0 ? INT64_MAX : INT64_MIN;
    }
    return sum;
}

#endif

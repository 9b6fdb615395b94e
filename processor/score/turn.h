/* Looking for the instant at which something turns, where it is known to turn at most once. */
#ifndef TIDEMARK_SCORE_TURN_H
#define TIDEMARK_SCORE_TURN_H

#include <stdbool.h>
#include <stdint.h>

/* Further ahead is never: whatever happens in the meantime, or the first evaluation after it, asks again. */
#define TURN_HORIZON_MS (INT64_C(20) * 366 * 86400000)

struct turning {
    /* Whether it has turned by then: false up to some instant, and true from there on. *ahead is how far it is from there, by any
     * measure that falls, 0 where it turns: the smoother, the quicker the search. */
    bool (*turned)(void *context, int64_t at_ms, double *ahead);
    /* When it turns, right to a few ms; TIME_NEVER: nobody knows. NULL likewise. */
    int64_t (*guess_ms)(void *context);
    void *context;
};

/* The first instant after now_ms and before limit_ms at which it has turned; TIME_NEVER: not before it, nor within the horizon,
 * which one question tells. With a good guess it takes a few more; interpolation some ten; 60 at the very most. */
int64_t turn_find(int64_t now_ms, int64_t limit_ms, const struct turning *turning);

#endif

/* Looking for the instant at which something turns, where it is known to turn at most once. */
#ifndef TIDEMARK_SCORE_TURN_H
#define TIDEMARK_SCORE_TURN_H

#include <stdbool.h>
#include <stdint.h>

/* Further ahead is never: whatever happens in the meantime, or the first evaluation after it, asks again. */
#define TURN_HORIZON_MS (INT64_C(20) * 366 * 86400000)

/* Whether it has turned by then. False up to some instant, and true from there on. */
typedef bool (*turned_fn)(void *context, int64_t at_ms);

/* The first instant after now_ms and before limit_ms at which it has turned; TIME_NEVER: not before it, nor within the horizon. One
 * question if so; a guess that is right to a few ms (TIME_NEVER: none) takes a few more; else the search doubles its reach from an
 * hour on, then halves what is left: some 50 questions. */
int64_t turn_find(int64_t now_ms, int64_t limit_ms, int64_t guess_ms, turned_fn turned, void *context);

#endif

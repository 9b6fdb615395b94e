/* The three input topics of a task, in the order used everywhere: arrays of offsets, ties of the merge.
 * The same numbers as enum activity_type. */
#ifndef TIDEMARK_BASE_INPUTS_H
#define TIDEMARK_BASE_INPUTS_H

#include <stdint.h>

enum input { INPUT_PURCHASES, INPUT_INTERACTIONS, INPUT_FEEDBACK, INPUTS };

/* "No offset": nothing applied or committed yet. */
#define OFFSET_NONE (-1)

/* Records from `position` (OFFSET_NONE: the beginning) to `end`; -1 when the end is not known (OFFSET_NONE). */
static inline int64_t offsets_between(int64_t position, int64_t end) {
    int64_t from = position == OFFSET_NONE ? 0 : position;
    if (end == OFFSET_NONE) {
        return -1;
    }
    return end > from ? end - from : 0;
}

#endif

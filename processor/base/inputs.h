/* The three input topics of a task, in the order used everywhere: arrays of offsets, ties of the merge.
 * The same numbers as enum activity_type. */
#ifndef TIDEMARK_BASE_INPUTS_H
#define TIDEMARK_BASE_INPUTS_H

enum input { INPUT_PURCHASES, INPUT_INTERACTIONS, INPUT_FEEDBACK, INPUTS };

/* "No offset": nothing applied or committed yet. */
#define OFFSET_NONE (-1)

#endif

/* The next due instant: when must the rules be evaluated again though nothing happens? */
#ifndef TIDEMARK_SCORE_DUE_H
#define TIDEMARK_SCORE_DUE_H

#include "score/evaluate.h"

/* The earliest due instant after evaluation->now_ms, or TIME_NEVER: the first millisecond of a day on which a day enters or
 * leaves a window; the millisecond at which a comparison or a score's step on elapsed time turns; the end of a hold or of a
 * grace. The evaluation may be moved in time. */
int64_t due_next(struct evaluation *evaluation);

#endif

/* What the files that look for turns share; see due.h.
 *
 *     due.c           all together
 *     due_turn.c      a score's steps, and a metric compared with a number: nearly all there is, and quick
 *     due_course.c    any other comparison */
#ifndef TIDEMARK_SCORE_DUE_PARTS_H
#define TIDEMARK_SCORE_DUE_PARTS_H

#include "score/due.h"
#include "score/turn.h"

enum { TURN_SLACK_MS = 3 };

#define AHEAD_MS_MAX 9e15 /* further ahead is never, and no whole number of milliseconds to a double */

/* About when the metric is down to a value. */
static inline int64_t due_reaches_ms(const struct metric_slot *slot, const struct metric_at *at, double value) {
    metric_reaches_fn formula = metric_rows[slot->kind].reaches_ms;
    return formula ? formula(slot, at, value) : TIME_NEVER;
}

/* As due_turn_ms, of any comparison. */
int64_t due_comparison_ms(struct evaluation *evaluation, const struct rule *rule, const struct comparison *comparison,
                          int64_t limit_ms);

#endif

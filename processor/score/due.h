/* Due instants: when must the rules be evaluated again though nothing happens?
 *
 * The first millisecond of a day on which a day with tiles enters or leaves a window; the millisecond at which a comparison or a
 * score's step on elapsed time turns; the end of a hold or of a grace. */
#ifndef TIDEMARK_SCORE_DUE_H
#define TIDEMARK_SCORE_DUE_H

#include "score/evaluate.h"

/* The earliest due instant after evaluation->now_ms and before limit_ms; TIME_NEVER: none. */
int64_t due_next(struct evaluation *evaluation, int64_t limit_ms);

/* The parts, for looking ahead. */

/* When the turn comes next, with windows and scores as they are now: exact if that is before limit_ms, anything not before it, or
 * TIME_NEVER, if not. Nothing is looked for beyond TURN_HORIZON_MS. */
int64_t due_turn_ms(struct evaluation *evaluation, const struct turn *turn, int64_t limit_ms);
/* Whether the turn of a score is of a metric that only grows by elapsed time: then due_turn_ms is exact whatever the limit, and TIME_NEVER is
 * never. */
bool due_turn_is_plain(const struct model *model, const struct turn *turn);
/* The first day after today on which a day with any of these tile fields (as bits) enters or leaves the window; INT32_MAX: none.
 * Cells before *first, which starts at 0, have left: as long as today only grows they are not looked at again. */
int32_t due_window_day(const struct window *window, const struct tiles *tiles, uint64_t fields, int32_t today,
                       uint32_t *first);
/* The next end of a hold or a grace after now_ms. */
int64_t due_tier_ms(const struct tier_set *set, const struct tier_state *state, int64_t now_ms);

#endif

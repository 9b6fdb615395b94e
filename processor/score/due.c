#include "score/due.h"

static int64_t earlier(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* ---- windows ---- */

int32_t due_window_day(const struct window *window, const struct tiles *tiles, uint64_t fields, int32_t today,
                       uint32_t *first) {
    int32_t next = INT32_MAX;
    int32_t last_day = tiles->count > 0 ? tiles->cells[tiles->count - 1].day : DAY_RESIDUE;
    bool entered = last_day <= today - window->enters_after; /* all have */
    bool left = false;
    /* Days ascend, so the first of each kind is the next. */
    for (uint32_t i = *first; i < tiles->count && !(entered && left); i++) {
        const struct cell *cell = &tiles->cells[i];
        if (cell->day == DAY_RESIDUE || !(fields & bit(cell->field))) {
            continue;
        }
        if (!left && cell->day + window->leaves_after > today) {
            left = true;
            *first = i;
            next = cell->day + window->leaves_after; /* no day enters before the first one that will leave is found */
        }
        if (!entered && cell->day + window->enters_after > today) {
            entered = true;
            next = cell->day + window->enters_after < next ? cell->day + window->enters_after : next;
        }
    }
    return next;
}

/* The first day after today on which any day with tiles enters or leaves any window; INT32_MAX: none. */
static int32_t next_window_day(const struct evaluation *evaluation) {
    const struct model *model = evaluation->model;
    int32_t next = INT32_MAX;
    for (size_t i = 0; i < model->windows_count; i++) {
        uint32_t first = 0;
        int32_t day =
            due_window_day(&model->windows[i], &evaluation->customer->tiles, UINT64_MAX, evaluation->today, &first);
        next = day < next ? day : next;
    }
    return next;
}

/* ---- hold and grace ---- */

int64_t due_tier_ms(const struct tier_set *set, const struct tier_state *state, int64_t now_ms) {
    int64_t due_ms = TIME_NEVER;
    if (state->tier < 0) {
        return due_ms;
    }
    if (set->hold_ms > 0 && state->since_ms + set->hold_ms > now_ms) {
        due_ms = state->since_ms + set->hold_ms;
    }
    if (state->pending_ms != TIME_NEVER && state->pending_ms + set->grace_ms > now_ms) {
        due_ms = earlier(due_ms, state->pending_ms + set->grace_ms);
    }
    return due_ms;
}

int64_t due_next(struct evaluation *evaluation, int64_t limit_ms) {
    const struct model *model = evaluation->model;
    int64_t due_ms = limit_ms;
    int32_t day = next_window_day(evaluation);
    if (day != INT32_MAX) {
        due_ms = earlier(due_ms, zone_day_start_ms(model->zone, day));
    }
    for (size_t i = 0; i < model->sets_count; i++) {
        due_ms = earlier(due_ms, due_tier_ms(&model->sets[i], &evaluation->customer->tiers[i], evaluation->now_ms));
    }
    for (size_t i = 0; i < model->turns_count; i++) {
        due_ms = earlier(due_ms, due_turn_ms(evaluation, &model->turns[i], due_ms));
    }
    return due_ms < limit_ms ? due_ms : TIME_NEVER;
}

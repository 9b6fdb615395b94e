#include "score/ahead.h"

#include "score/due.h"
#include "score/tiers.h"
#include "score/turn.h"

bool ahead_is_possible(const struct model *model) {
    return model->turns_count <= AHEAD_TURNS_MAX;
}

/* ---- calm ---- */

/* Whether an evaluation would leave the set as it is. */
static bool would_stay(struct evaluation *evaluation, size_t index) {
    struct tier_state state = evaluation->customer->tiers[index];
    int64_t pending_ms = state.pending_ms;
    return tier_decide(evaluation, &evaluation->model->sets[index], &state) == state.tier &&
           state.pending_ms == pending_ms;
}

bool ahead_is_calm(struct evaluation *evaluation, uint64_t changed) {
    const struct model *model = evaluation->model;
    uint64_t doubtful = 0;
    for (size_t i = 0; i < model->sets_count && changed >> i; i++) {
        if (changed & bit(i)) {
            doubtful |= model->sets[i].referrers | (model->sets[i].calm ? 0 : bit(i));
        }
    }
    for (size_t i = 0; i < model->sets_count && doubtful >> i; i++) {
        if (doubtful & bit(i) && !would_stay(evaluation, i)) {
            return false;
        }
    }
    return true;
}

/* ---- windows ---- */

static void find_days(struct ahead *ahead, int32_t passed) {
    const struct model *model = ahead->model;
    for (size_t i = 0; i < model->windows_count; i++) {
        if (ahead->window_days[i] <= passed) {
            ahead->window_days[i] = due_window_day(&model->windows[i], &ahead->customer.tiles, model->windows[i].fields,
                                                   passed, &ahead->window_cells[i]);
        }
    }
}

/* The sets of the scores that are not what they were. */
static uint64_t sets_of_moved(struct evaluation *evaluation, uint64_t scores) {
    const struct model *model = evaluation->model;
    uint64_t sets = 0;
    for (size_t i = 0; i < model->scores_count && scores >> i; i++) {
        if (!(scores & bit(i))) {
            continue;
        }
        double before = evaluation->scores[i];
        bool known = evaluation->scores_known & bit(i);
        evaluation->scores_known &= ~bit(i);
        sets |= !known || evaluation_score(evaluation, i) != before ? model->scores[i].sets : 0;
    }
    return sets;
}

/* The days that come or go on `day`: what they concern is not known any more. The sets concerned. */
static uint64_t pass_day(struct ahead *ahead, int32_t day) {
    struct evaluation *evaluation = &ahead->evaluation;
    uint64_t sets = 0;
    uint64_t scores = 0;
    for (size_t i = 0; i < ahead->model->windows_count; i++) {
        const struct window *window = &ahead->model->windows[i];
        if (ahead->window_days[i] != day) {
            continue;
        }
        sets |= window->direct;
        scores |= window->scores;
        ahead->touched |= window->ranked;
        for (size_t j = 0; j < sizeof window->slots / sizeof *window->slots; j++) {
            evaluation->slots_known[j] &= ~window->slots[j];
        }
    }
    find_days(ahead, day);
    return sets | sets_of_moved(evaluation, scores);
}

/* ---- turns ---- */

static void forget_turn(struct ahead *ahead, size_t index) {
    ahead->turns[index] = (struct ahead_turn){ahead->evaluation.now_ms, false};
}

/* The earliest turn up to limit_ms, which no day and no tier's due instant comes before, of the sets looked at; else limit_ms. Scores
 * are asked first, so a comparison that is found to turn does so before anything else it depends on differs: what was found once
 * stays right. */
static int64_t next_turn(struct ahead *ahead, int64_t limit_ms) {
    const struct model *model = ahead->model;
    for (size_t i = 0; i < model->turns_count; i++) {
        const struct ahead_turn *turn = &ahead->turns[i];
        if (turn->exact && turn->at_ms < limit_ms && model->turns[i].sets & ahead->sets) {
            limit_ms = turn->at_ms;
        }
    }
    for (size_t i = 0; i < model->turns_count; i++) {
        struct ahead_turn *turn = &ahead->turns[i];
        if (turn->exact || turn->at_ms > limit_ms || !(model->turns[i].sets & ahead->sets)) {
            continue;
        }
        int64_t end_ms = limit_ms == TIME_NEVER ? TIME_NEVER : limit_ms + 1; /* what turns together counts together */
        int64_t looked_ms = ahead->evaluation.now_ms + TURN_HORIZON_MS;
        int64_t at_ms = due_turn_ms(&ahead->evaluation, &model->turns[i], end_ms);
        bool plain = due_turn_is_plain(model, &model->turns[i]);
        turn->exact = at_ms < end_ms || (plain && at_ms != TIME_NEVER);
        turn->at_ms = turn->exact || plain ? at_ms : end_ms < looked_ms ? end_ms : looked_ms;
        limit_ms = at_ms < end_ms ? at_ms : limit_ms;
    }
    return limit_ms;
}

/* What turns at this instant; the sets concerned. */
static uint64_t pass_turns(struct ahead *ahead) {
    const struct model *model = ahead->model;
    uint64_t sets = 0;
    for (size_t i = 0; i < model->turns_count; i++) {
        if (ahead->turns[i].exact && ahead->turns[i].at_ms <= ahead->evaluation.now_ms) {
            sets |= model->turns[i].sets;
            forget_turn(ahead, i);
        }
    }
    return sets;
}

/* ---- steps ---- */

void ahead_begin(struct ahead *ahead, const struct evaluation *evaluation, uint64_t sets) {
    const struct model *model = evaluation->model;
    ahead->model = model;
    ahead->customer = *evaluation->customer;
    ahead->customer.tiers = ahead->tiers;
    memcpy(ahead->tiers, evaluation->customer->tiers, model->sets_count * sizeof *ahead->tiers);
    evaluation_copy(&ahead->evaluation, evaluation);
    ahead->evaluation.customer = &ahead->customer;
    ahead->sets = sets;
    ahead->changed = 0;
    ahead->touched = ahead->restless = false;
    ahead->ranks = true;
    for (size_t i = 0; i < model->windows_count; i++) {
        ahead->window_cells[i] = 0;
        ahead->window_days[i] = due_window_day(&model->windows[i], &ahead->customer.tiles, model->windows[i].fields,
                                               evaluation->today, &ahead->window_cells[i]);
    }
    for (size_t i = 0; i < model->turns_count; i++) {
        forget_turn(ahead, i);
    }
}

static int64_t next_tier(const struct ahead *ahead) {
    int64_t next_ms = TIME_NEVER;
    for (size_t i = 0; i < ahead->model->sets_count && ahead->sets >> i; i++) {
        if (ahead->sets & bit(i)) {
            int64_t due_ms = due_tier_ms(&ahead->model->sets[i], &ahead->tiers[i], ahead->evaluation.now_ms);
            next_ms = due_ms < next_ms ? due_ms : next_ms;
        }
    }
    return next_ms;
}

static int32_t next_window_day(const struct ahead *ahead) {
    int32_t day = INT32_MAX;
    for (size_t i = 0; i < ahead->model->windows_count; i++) {
        const struct window *window = &ahead->model->windows[i];
        bool looked_at = window->sets & ahead->sets || (ahead->ranks && window->ranked);
        day = looked_at && ahead->window_days[i] < day ? ahead->window_days[i] : day;
    }
    return day;
}

/* Sets whose hold or grace ends now. */
static uint64_t pass_tiers(const struct ahead *ahead, int64_t last_ms) {
    uint64_t sets = 0;
    for (size_t i = 0; i < ahead->model->sets_count && ahead->sets >> i; i++) {
        if (ahead->sets & bit(i)) {
            int64_t due_ms = due_tier_ms(&ahead->model->sets[i], &ahead->tiers[i], last_ms);
            sets |= due_ms <= ahead->evaluation.now_ms ? bit(i) : 0;
        }
    }
    return sets;
}

static void decide(struct ahead *ahead, uint64_t concerned) {
    const struct model *model = ahead->model;
    struct evaluation *evaluation = &ahead->evaluation;
    for (size_t i = 0; i < model->sets_count; i++) {
        if (!(concerned & ahead->sets & bit(i))) {
            continue;
        }
        struct tier_state *state = &ahead->tiers[i];
        int64_t pending_ms = state->pending_ms;
        int to = tier_decide(evaluation, &model->sets[i], state);
        ahead->touched |= state->pending_ms != pending_ms;
        if (to != state->tier) {
            tier_enter(evaluation, &model->sets[i], state, to);
            ahead->changed |= bit(i);
            concerned |= model->sets[i].referrers; /* those that follow; ahead_is_calm asks the others */
        }
    }
    ahead->restless = ahead->changed && !ahead_is_calm(evaluation, ahead->changed & ahead->sets);
}

bool ahead_step(struct ahead *ahead) {
    struct evaluation *evaluation = &ahead->evaluation;
    int64_t last_ms = evaluation->now_ms;
    int32_t day = next_window_day(ahead);
    int64_t at_ms = next_tier(ahead);
    ahead->changed = 0;
    ahead->touched = false;
    if (ahead->restless) {
        return false;
    }
    if (day != INT32_MAX) {
        int64_t day_ms = zone_day_start_ms(ahead->model->zone, day);
        at_ms = day_ms < at_ms ? day_ms : at_ms;
    }
    at_ms = next_turn(ahead, at_ms);
    if (at_ms == TIME_NEVER) {
        return false;
    }
    evaluation_move(evaluation, at_ms);
    evaluation->today = zone_day(ahead->model->zone, at_ms);
    ahead->customer.now_ms = at_ms;
    uint64_t concerned = day <= evaluation->today ? pass_day(ahead, day) : 0;
    concerned |= pass_turns(ahead);
    concerned |= pass_tiers(ahead, last_ms);
    decide(ahead, concerned);
    return true;
}

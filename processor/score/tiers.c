#include "score/tiers.h"

int tier_fitting(struct evaluation *evaluation, const struct tier_set *set, int present) {
    int last = (int)set->tiers_count - 1;
    for (int i = 0; i < last; i++) {
        const struct tier *tier = &set->tiers[i];
        if (evaluation_rule(evaluation, i == present ? &tier->stay : &tier->enter)) {
            return i;
        }
    }
    return last; /* takes everyone else */
}

int tier_decide(struct evaluation *evaluation, const struct tier_set *set, struct tier_state *state) {
    int fitting = tier_fitting(evaluation, set, state->tier);
    if (state->tier < 0 || fitting <= state->tier) {
        state->pending_ms = TIME_NEVER;
        return fitting;
    }
    int64_t now_ms = evaluation->now_ms;
    if (state->pending_ms == TIME_NEVER) {
        state->pending_ms = now_ms;
    }
    bool held = now_ms - state->since_ms >= set->hold_ms;
    bool warned = now_ms - state->pending_ms >= set->grace_ms;
    if (!held || !warned) {
        return state->tier;
    }
    return set->one_step ? state->tier + 1 : fitting;
}

void tier_enter(struct evaluation *evaluation, const struct tier_set *set, struct tier_state *state, int tier) {
    bool fell = state->tier >= 0 && tier > state->tier;
    state->tier = (int16_t)tier;
    state->tier_tag = set->tiers[tier].tag;
    state->since_ms = evaluation->now_ms;
    state->sequence++;
    state->pending_ms = TIME_NEVER;
    state->noticed_ms = TIME_NEVER;
    if (fell && set->one_step && tier_fitting(evaluation, set, tier) > tier) {
        state->pending_ms = evaluation->now_ms;
    }
}

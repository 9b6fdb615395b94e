#include "score/tiers.h"

struct left { /* the left side computed last */
    int left;
    double value;
};

static bool holds(struct evaluation *evaluation, const struct rule *rule, struct left *known) {
    if (rule->left < 0) {
        return evaluation_rule(evaluation, rule);
    }
    const struct comparison *comparison = rule->comparisons;
    if (known->left != rule->left) {
        known->left = rule->left;
        known->value = evaluation_side(evaluation, rule, comparison->left, comparison->right);
    }
    return compare(rule->ops[comparison->end].code, known->value, rule->ops[comparison->right].number);
}

int tier_fitting(struct evaluation *evaluation, const struct tier_set *set, int present) {
    struct left known = {.left = -1};
    int last = (int)set->tiers_count - 1;
    for (int i = 0; i < last; i++) {
        const struct tier *tier = &set->tiers[i];
        if (holds(evaluation, i == present ? &tier->stay : &tier->enter, &known)) {
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

/* What can be moved by what: which sets a day that leaves a window concerns, which an activity, which the time that goes by. What
 * nothing has moved need not be evaluated again. */
#include "score/model_parts.h"

#define SIMPLE_NUMBER_MAX 1e6

/* ---- sets ---- */

static bool rule_uses_slot(const struct rule *rule, size_t slot) {
    for (size_t i = 0; i < rule->ops_count; i++) {
        if (rule->ops[i].code == OP_METRIC && rule->ops[i].index == slot) {
            return true;
        }
    }
    return false;
}

/* Sets that use the metric directly, not by a score. */
static uint64_t direct_sets(const struct model *model, size_t slot) {
    uint64_t sets = 0;
    for (size_t i = 0; i < model->sets_count; i++) {
        for (size_t j = 0; j < model->sets[i].tiers_count; j++) {
            const struct tier *tier = &model->sets[i].tiers[j];
            sets |= rule_uses_slot(&tier->enter, slot) || rule_uses_slot(&tier->stay, slot) ? bit(i) : 0;
        }
    }
    return sets;
}

static uint64_t sets_of_slot(const struct model *model, size_t slot) {
    uint64_t sets = direct_sets(model, slot);
    for (size_t i = 0; i < model->scores_count; i++) {
        sets |= model->scores[i].slot == slot ? model->scores[i].sets : 0;
    }
    return sets;
}

static void collect_sets_of_scores(struct model *model) {
    for (size_t i = 0; i < model->sets_count; i++) {
        for (size_t j = 0; j < model->sets[i].scores_count; j++) {
            model->scores[model->sets[i].scores[j]].sets |= bit(i);
        }
    }
}

static uint64_t sets_of_rule(const struct rule *rule) {
    uint64_t sets = 0;
    for (size_t i = 0; i < rule->ops_count; i++) {
        bool refers = rule->ops[i].code == OP_TIER_IS || rule->ops[i].code == OP_TIER_IS_NOT;
        sets |= refers ? bit(rule->ops[i].index) : 0;
    }
    return sets;
}

static void collect_references(struct model *model) {
    for (size_t i = 0; i < model->sets_count; i++) {
        struct tier_set *set = &model->sets[i];
        uint64_t refers = 0;
        for (size_t j = 0; j < set->tiers_count; j++) {
            refers |= sets_of_rule(&set->tiers[j].enter) | sets_of_rule(&set->tiers[j].stay);
        }
        set->needs = refers | bit(i);
        set->calm = !set->one_step;
        for (size_t j = 0; j < set->tiers_count; j++) {
            set->calm &= set->tiers[j].stay.ops == set->tiers[j].enter.ops;
        }
        for (size_t j = 0; j < model->sets_count; j++) {
            model->sets[j].referrers |= refers & bit(j) ? bit(i) : 0;
        }
    }
    for (bool more = true; more;) { /* what one needs the other needs, too, until nothing is added */
        more = false;
        for (size_t i = 0; i < model->sets_count; i++) {
            uint64_t needs = model->sets[i].needs;
            for (size_t j = 0; j < model->sets_count; j++) {
                needs |= needs & bit(j) ? model->sets[j].needs : 0;
            }
            more |= needs != model->sets[i].needs;
            model->sets[i].needs = needs;
        }
    }
}

static bool same_left(const struct rule *a, const struct rule *b) {
    size_t count = a->comparisons[0].right;
    bool same = count == b->comparisons[0].right;
    for (size_t i = 0; i < count && same; i++) {
        same = a->ops[i].code == b->ops[i].code && a->ops[i].index == b->ops[i].index &&
               memcmp(&a->ops[i].number, &b->ops[i].number, sizeof a->ops[i].number) == 0;
    }
    return same;
}

static bool is_line(const struct rule *rule) {
    const struct comparison *comparison = rule->comparisons;
    return rule->comparisons_count == 1 && comparison->left == 0 && comparison->end - comparison->right == 1 &&
           comparison->end + 1U == rule->ops_count && rule->ops[comparison->right].code == OP_NUMBER;
}

/* Numbers the left sides of the set's rules that are one comparison with a number; enter and stay of a tier in turns. */
static void collect_lefts(struct tier_set *set) {
    struct rule *rules[2 * TIERS_MAX];
    for (size_t i = 0; i < 2 * set->tiers_count; i++) {
        rules[i] = i % 2 ? &set->tiers[i / 2].stay : &set->tiers[i / 2].enter;
        rules[i]->left = is_line(rules[i]) ? (int)i : -1;
        for (size_t j = 0; j < i && rules[i]->left == (int)i; j++) {
            rules[i]->left = rules[j]->left >= 0 && same_left(rules[j], rules[i]) ? rules[j]->left : (int)i;
        }
    }
}

/* ---- windows ---- */

static struct window *window_of(struct model *model, const struct metric_slot *slot) {
    struct window window = {.leaves_after = slot->window_days + slot->ago_days, .enters_after = slot->ago_days};
    for (size_t i = 0; i < model->windows_count; i++) {
        if (model->windows[i].leaves_after == window.leaves_after &&
            model->windows[i].enters_after == window.enters_after) {
            return &model->windows[i];
        }
    }
    model->windows[model->windows_count] = window;
    return &model->windows[model->windows_count++];
}

static int collect_windows(struct arena *arena, struct model *model) {
    model->windows = arena_alloc(arena, WINDOWS_MAX * sizeof *model->windows);
    if (!model->windows) {
        return ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < model->slots.count; i++) {
        struct metric_slot *slot = &model->slots.slots[i];
        if (slot->window_days == 0) {
            continue;
        }
        uint64_t fields = metric_fields(slot);
        slot->field = (uint16_t)(__builtin_popcountll(fields) == 1 ? __builtin_ctzll(fields) : 0);
        struct window *window = window_of(model, slot);
        model->span_days = window->leaves_after > model->span_days ? window->leaves_after : model->span_days;
        window->fields |= fields;
        window->slots[i / 64] |= bit(i % 64);
        window->sets |= sets_of_slot(model, i);
        window->direct |= direct_sets(model, i);
        for (size_t j = 0; j < model->scores_count; j++) {
            bool by = model->scores[j].slot == i;
            window->scores |= (uint64_t)by << j;
            window->ranked |= by && model->scores[j].ranked >= 0;
        }
    }
    return 0;
}

/* ---- elapsed time ---- */

static void collect_moving(struct model *model) {
    for (size_t i = 0; i < model->slots.count; i++) {
        model->slots_moving[i / 64] |= (uint64_t)metric_moves(model->slots.slots[i].kind) << (i % 64);
    }
    for (size_t i = 0; i < model->scores_count; i++) {
        const struct score *score = &model->scores[i];
        model->scores_moving |= (uint64_t)score->elapsed << i;
        model->ranks_fall |= score->ranked >= 0 && metric_rows[model->slots.slots[score->slot].kind].falls;
    }
}

/* A comparison of one metric with a number that is easily solved: so long a time is a whole number of milliseconds to a double, and
 * what falls is asked for more or less, not for equal. It is elapsed, so one of two ops is a metric. */
static void simplify(const struct model *model, struct turn *turn) {
    const struct op *ops = turn->rule->ops + turn->comparison->left;
    const struct op *metric = ops[0].code == OP_METRIC ? &ops[0] : &ops[1];
    const struct op *number = ops[0].code == OP_METRIC ? &ops[1] : &ops[0];
    bool equality = ops[2].code == OP_EQUAL || ops[2].code == OP_NOT_EQUAL;
    if (turn->comparison->end - turn->comparison->left != 2 || number->code != OP_NUMBER ||
        !(fabs(number->number) < SIMPLE_NUMBER_MAX)) {
        return;
    }
    const struct metric_slot *slot = &model->slots.slots[metric->index];
    if (!metric_rows[slot->kind].falls || !equality) {
        turn->slot = metric->index;
        turn->number = number->number;
        turn->flipped = metric != &ops[0];
    }
}

/* Whether two turns are one, though they stand in different rules. */
static bool is_same(const struct turn *a, const struct turn *b) {
    return a->slot >= 0 && a->slot == b->slot && a->number == b->number && a->flipped == b->flipped &&
           a->rule->ops[a->comparison->end].code == b->rule->ops[b->comparison->end].code;
}

static void add_turn(struct model *model, const struct turn *turn) {
    for (size_t i = 0; i < model->turns_count; i++) {
        if (is_same(&model->turns[i], turn)) {
            model->turns[i].sets |= turn->sets;
            return;
        }
    }
    model->turns[model->turns_count++] = *turn;
}

/* Counts the comparisons of a rule that elapsed time turns, or adds them once there is room for them. */
static void collect_comparisons(struct model *model, const struct rule *rule, size_t set) {
    for (size_t i = 0; i < rule->comparisons_count; i++) {
        struct turn turn = {.rule = rule, .comparison = &rule->comparisons[i], .slot = -1, .sets = bit(set)};
        if (!turn.comparison->elapsed) {
            continue;
        }
        if (model->turns) {
            simplify(model, &turn);
            add_turn(model, &turn);
        } else {
            model->turns_count++;
        }
    }
}

static void collect_turns(struct model *model) {
    model->turns_count = 0;
    for (size_t i = 0; i < model->scores_count; i++) {
        if (model->scores[i].elapsed) {
            if (model->turns) {
                model->turns[model->turns_count] =
                    (struct turn){.score = &model->scores[i], .slot = -1, .sets = model->scores[i].sets};
            }
            model->turns_count++;
        }
    }
    for (size_t i = 0; i < model->sets_count; i++) {
        for (size_t j = 0; j < model->sets[i].tiers_count; j++) {
            const struct tier *tier = &model->sets[i].tiers[j];
            collect_comparisons(model, &tier->enter, i);
            if (tier->stay.ops != tier->enter.ops) {
                collect_comparisons(model, &tier->stay, i);
            }
        }
    }
}

/* ---- activities ---- */

static void collect_activities(struct model *model) {
    for (size_t i = 0; i < model->slots.count; i++) {
        unsigned moved_by = metric_rows[model->slots.slots[i].kind].moved_by;
        for (int type = 0; type < ACTIVITY_TYPES; type++) {
            if (!(moved_by & (1U << type))) {
                continue;
            }
            model->activity_sets[type] |= sets_of_slot(model, i);
            for (size_t j = 0; j < model->ranked_count; j++) {
                model->activity_ranks[type] |= model->scores[model->ranked[j]].slot == i;
            }
        }
    }
}

int model_collect_reach(struct arena *arena, struct model *model) {
    collect_references(model);
    for (size_t i = 0; i < model->sets_count; i++) {
        collect_lefts(&model->sets[i]);
    }
    collect_sets_of_scores(model);
    collect_moving(model);
    collect_activities(model);
    collect_turns(model); /* to count them */
    model->turns = arena_alloc(arena, model->turns_count * sizeof *model->turns);
    if (!model->turns || collect_windows(arena, model)) {
        return ERR_NO_MEMORY;
    }
    collect_turns(model);
    return 0;
}

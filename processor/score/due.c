#include "score/due.h"

enum { TURN_SLACK_MS = 3 };

#define AHEAD_MS_MAX 9e15 /* further ahead is never, and no whole number of milliseconds to a double */

static int64_t earlier(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* ---- windows ---- */

/* The first day after today on which some day with tiles enters or leaves a window; INT32_MAX: none. */
static int32_t next_window_day(const struct evaluation *evaluation) {
    const struct model *model = evaluation->model;
    const struct tiles *tiles = &evaluation->customer->tiles;
    int32_t today = evaluation->today;
    int32_t next = INT32_MAX;
    int32_t last_day = tiles->count > 0 ? tiles->cells[tiles->count - 1].day : DAY_RESIDUE;
    for (size_t w = 0; w < model->windows_count; w++) {
        const struct window *window = &model->windows[w];
        bool entered = last_day <= today - window->enters_after; /* all have */
        bool left = false;
        for (uint32_t i = 0; i < tiles->count && !(entered && left); i++) {
            int32_t day = tiles->cells[i].day;
            if (day == DAY_RESIDUE) {
                continue;
            }
            if (!left && day + window->leaves_after > today) {
                left = true;
                next = day + window->leaves_after < next ? day + window->leaves_after : next;
            }
            if (!entered && day + window->enters_after > today) {
                entered = true;
                next = day + window->enters_after < next ? day + window->enters_after : next;
            }
        }
    }
    return next;
}

/* ---- elapsed time ---- */

/* The first instant after now at which score_of(value) differs: an elapsed metric only grows. */
static int64_t score_turns_ms(struct evaluation *evaluation, const struct score *score) {
    const struct metric_slot *slot = &evaluation->model->slots.slots[score->slot];
    int64_t base_ms = metric_base_ms(slot, evaluation->customer);
    if (base_ms == TIME_NONE) {
        return TIME_NEVER;
    }
    double now_days = (double)(evaluation->now_ms - base_ms) / (double)MS_PER_DAY;
    int now_score = score_of(score, now_days);
    for (size_t i = 0; i < score->steps_count; i++) {
        double after_ms = floor(score->steps[i] * (double)MS_PER_DAY);
        if (fabs(after_ms) > AHEAD_MS_MAX) {
            continue;
        }
        int64_t at_ms = base_ms + (int64_t)after_ms - 1;
        at_ms = at_ms > evaluation->now_ms ? at_ms : evaluation->now_ms + 1;
        for (int64_t ms = at_ms; ms <= at_ms + TURN_SLACK_MS; ms++) {
            if (score_of(score, (double)(ms - base_ms) / (double)MS_PER_DAY) != now_score) {
                return ms; /* steps ascend, so the first that turns is the earliest */
            }
        }
    }
    return TIME_NEVER;
}

struct linear {   /* value + slope * (t - now), t in ms */
    double value; /* NO_VALUE and not bent: none, however much time passes; and bent: none just now, such as 1 / 0 */
    double slope;
    bool bent; /* not linear in time */
};

static const struct linear never_known = {NO_VALUE, 0, false};

static bool is_never_known(struct linear linear) {
    return isnan(linear.value) && !linear.bent;
}

static struct linear linear_of_metric(struct evaluation *evaluation, size_t slot) {
    const struct metric_slot *metric = &evaluation->model->slots.slots[slot];
    struct linear linear = {evaluation_metric(evaluation, slot), 0, false};
    if (metric_rows[metric->kind].elapsed && !isnan(linear.value)) {
        linear.slope = 1.0 / (double)MS_PER_DAY;
    }
    return linear;
}

static struct linear combine(enum op_code code, struct linear a, struct linear b) {
    struct linear out = {NO_VALUE, 0, a.bent || b.bent};
    bool flat = a.slope == 0.0 && b.slope == 0.0;
    if (is_never_known(a) || is_never_known(b)) {
        return never_known;
    }
    if (isnan(a.value) || isnan(b.value)) {
        return out;
    }
    switch ((int)code) {
    case OP_ADD:
        return (struct linear){a.value + b.value, a.slope + b.slope, out.bent};
    case OP_SUBTRACT:
        return (struct linear){a.value - b.value, a.slope - b.slope, out.bent};
    case OP_MULTIPLY:
        out.bent |= a.slope != 0.0 && b.slope != 0.0;
        return (struct linear){a.value * b.value, a.slope * b.value + b.slope * a.value, out.bent};
    case OP_DIVIDE:
        if (b.value == 0.0 && b.slope == 0.0 && !b.bent) {
            return never_known;
        }
        out.bent |= b.slope != 0.0;
        if (b.value != 0.0) {
            out.value = a.value / b.value;
            out.slope = a.slope / b.value;
        }
        return out;
    case OP_MIN:
        out.bent |= !flat;
        out.value = a.value < b.value ? a.value : b.value;
        return out;
    default:
        out.bent |= !flat;
        out.value = a.value > b.value ? a.value : b.value;
        return out;
    }
}

/* One side of a comparison as a function of time. Scores count as constants: where they turn is a due instant itself. */
static struct linear linear_side(struct evaluation *evaluation, const struct op *ops, size_t first, size_t end) {
    struct linear stack[RULE_STACK_MAX];
    size_t top = 0;
    for (size_t at = first; at < end; at++) {
        const struct op *op = &ops[at];
        ASSERT(top < RULE_STACK_MAX);
        switch ((int)op->code) {
        case OP_NUMBER:
            stack[top++] = (struct linear){op->number, 0, false};
            break;
        case OP_METRIC:
            stack[top++] = linear_of_metric(evaluation, op->index);
            break;
        case OP_SCORE:
            stack[top++] = (struct linear){evaluation_score(evaluation, op->index), 0, false};
            break;
        case OP_NEGATE:
            stack[top - 1].value = -stack[top - 1].value;
            stack[top - 1].slope = -stack[top - 1].slope;
            break;
        default:
            top--;
            stack[top - 1] = combine(op->code, stack[top - 1], stack[top]);
            break;
        }
    }
    ASSERT(top == 1);
    return stack[0];
}

/* Whether the comparison holds at another instant of the same day, computed as an evaluation then will. */
static bool holds_at(const struct evaluation *evaluation, const struct rule *rule, const struct comparison *comparison,
                     int64_t at_ms) {
    struct evaluation then = *evaluation;
    evaluation_move(&then, at_ms);
    /* Scores on elapsed time keep their present values: their turns are due instants of their own. */
    memcpy(then.scores, evaluation->scores, sizeof then.scores);
    then.scores_known = evaluation->scores_known;
    double left = evaluation_side(&then, rule, comparison->left, comparison->right);
    double right = evaluation_side(&then, rule, comparison->right, comparison->end);
    return compare(rule->ops[comparison->end].code, left, right);
}

/* A comparison that is not linear in time: looked for until the day ends, and again then. */
static int64_t bent_turns_ms(const struct evaluation *evaluation, const struct rule *rule,
                             const struct comparison *comparison) {
    int64_t low = evaluation->now_ms;
    int64_t day_end_ms = zone_day_start_ms(evaluation->model->zone, evaluation->today + 1);
    int64_t high = day_end_ms;
    bool holds = holds_at(evaluation, rule, comparison, low);
    if (holds_at(evaluation, rule, comparison, low + 1) != holds) {
        return low + 1; /* a value that is missing at this very instant only */
    }
    if (holds_at(evaluation, rule, comparison, high) == holds) {
        return day_end_ms;
    }
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (holds_at(evaluation, rule, comparison, middle) == holds) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return high;
}

static int64_t comparison_turns_ms(struct evaluation *evaluation, const struct rule *rule,
                                   const struct comparison *comparison) {
    struct linear left = linear_side(evaluation, rule->ops, comparison->left, comparison->right);
    struct linear right = linear_side(evaluation, rule->ops, comparison->right, comparison->end);
    if (is_never_known(left) || is_never_known(right)) {
        return TIME_NEVER;
    }
    if (left.bent || right.bent) {
        return bent_turns_ms(evaluation, rule, comparison);
    }
    bool holds = compare(rule->ops[comparison->end].code, left.value, right.value);
    double slope = left.slope - right.slope;
    double ahead_ms = slope == 0.0 ? -1.0 : (right.value - left.value) / slope;
    if (!(ahead_ms >= -(double)TURN_SLACK_MS &&
          ahead_ms <= AHEAD_MS_MAX)) { /* or not a number: infinity less infinity */
        return TIME_NEVER;
    }
    int64_t first_ms = evaluation->now_ms + (int64_t)floor(ahead_ms) - TURN_SLACK_MS;
    first_ms = first_ms > evaluation->now_ms ? first_ms : evaluation->now_ms + 1;
    for (int64_t ms = first_ms; ms <= first_ms + 2 * TURN_SLACK_MS + 1; ms++) {
        if (holds_at(evaluation, rule, comparison, ms) != holds) {
            return ms;
        }
    }
    /* Next to very large constants doubles are too coarse to tell the millisecond ahead: it is looked for day by day. */
    return ahead_ms > TURN_SLACK_MS ? bent_turns_ms(evaluation, rule, comparison) : TIME_NEVER;
}

/* ---- hold and grace ---- */

static int64_t tier_due_ms(const struct tier_set *set, const struct tier_state *state, int64_t now_ms) {
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

int64_t due_next(struct evaluation *evaluation) {
    const struct model *model = evaluation->model;
    int64_t due_ms = TIME_NEVER;
    int32_t day = next_window_day(evaluation);
    if (day != INT32_MAX) {
        due_ms = zone_day_start_ms(model->zone, day);
    }
    for (size_t i = 0; i < model->scores_count; i++) {
        if (model->scores[i].elapsed) {
            due_ms = earlier(due_ms, score_turns_ms(evaluation, &model->scores[i]));
        }
    }
    for (size_t i = 0; i < model->elapsed_count; i++) {
        due_ms = earlier(due_ms, comparison_turns_ms(evaluation, model->elapsed_rules[i], model->elapsed[i]));
    }
    for (size_t i = 0; i < model->sets_count; i++) {
        due_ms = earlier(due_ms, tier_due_ms(&model->sets[i], &evaluation->customer->tiers[i], evaluation->now_ms));
    }
    return due_ms;
}

/* When a comparison of any kind turns, from the course that its sides take. */
#include "score/due_parts.h"

enum shape {
    STRAIGHT, /* value + slope * (t - now), t in ms; with slope 0 it stands still */
    FALLS,    /* never rises: made of metrics that fall, and of what stands still */
    RISES,    /* never falls, likewise */
    BENT      /* anything else; without a value just now it may have one later, all others will not */
};

struct course {   /* a number as a function of time */
    double value; /* now */
    double slope;
    enum shape shape;
};

static struct course still(double value) {
    return (struct course){value, 0, STRAIGHT};
}

static bool is_never_known(const struct course *course) {
    return isnan(course->value) && course->shape != BENT;
}

static bool stands(const struct course *course) {
    return course->shape == STRAIGHT && course->slope == 0.0;
}

static struct course course_of_metric(struct evaluation *evaluation, size_t slot) {
    const struct metric_row *row = &metric_rows[evaluation->model->slots.slots[slot].kind];
    struct course course = still(evaluation_metric(evaluation, slot));
    if (row->elapsed && !isnan(course.value)) {
        course.slope = 1.0 / (double)MS_PER_DAY;
    }
    course.shape = row->falls ? FALLS : STRAIGHT;
    return course;
}

/* The shape of something times a factor. */
static enum shape scaled(enum shape shape, double factor) {
    if (shape == STRAIGHT || shape == BENT || factor > 0) {
        return shape;
    }
    return factor < 0 ? (shape == FALLS ? RISES : FALLS) : STRAIGHT;
}

/* Of a sum, or of anything else that grows with both. */
static enum shape joined(const struct course *a, const struct course *b) {
    if (stands(a)) {
        return b->shape;
    }
    return stands(b) || a->shape == b->shape ? a->shape : BENT;
}

static struct course multiply(const struct course *a, const struct course *b) {
    struct course out = {a->value * b->value, a->slope * b->value + b->slope * a->value, BENT};
    if (stands(a) || stands(b)) {
        out.shape = stands(a) ? scaled(b->shape, a->value) : scaled(a->shape, b->value);
    }
    return out;
}

static struct course divide(const struct course *a, const struct course *b) {
    if (b->value == 0.0 && stands(b)) {
        return still(NO_VALUE);
    }
    struct course out = {NO_VALUE, 0, BENT};
    if (b->value != 0.0) {
        out.value = a->value / b->value;
        out.slope = a->slope / b->value;
    }
    if (stands(b)) {
        out.shape = scaled(a->shape, b->value);
    }
    return out;
}

static struct course combine(enum op_code code, const struct course *a, const struct course *b) {
    struct course negative = {-b->value, -b->slope, scaled(b->shape, -1)};
    struct course out = {NO_VALUE, 0, joined(a, b)};
    if (is_never_known(a) || is_never_known(b)) {
        return still(NO_VALUE);
    }
    if (isnan(a->value) || isnan(b->value)) {
        return (struct course){NO_VALUE, 0, BENT};
    }
    switch ((int)code) {
    case OP_ADD:
        return (struct course){a->value + b->value, a->slope + b->slope, out.shape};
    case OP_SUBTRACT:
        return (struct course){a->value - b->value, a->slope - b->slope, joined(a, &negative)};
    case OP_MULTIPLY:
        return multiply(a, b);
    case OP_DIVIDE:
        return divide(a, b);
    case OP_TREND: /* of windows, so both stand still */
        return still(b->value > 0.0 ? a->value / b->value : NO_VALUE);
    case OP_MIN:
        out.value = a->value < b->value ? a->value : b->value;
        break;
    default:
        out.value = a->value > b->value ? a->value : b->value;
        break;
    }
    bool sloping = out.shape == STRAIGHT && (a->slope != 0.0 || b->slope != 0.0);
    out.shape = sloping ? BENT : out.shape;
    return out;
}

/* One side of a comparison. Scores count as standing still: where they turn is a due instant itself. */
static struct course course_of_side(struct evaluation *evaluation, const struct op *ops, size_t first, size_t end) {
    struct course stack[RULE_STACK_MAX];
    size_t top = 0;
    for (size_t at = first; at < end; at++) {
        const struct op *op = &ops[at];
        ASSERT(top < RULE_STACK_MAX);
        switch ((int)op->code) {
        case OP_NUMBER:
            stack[top++] = still(op->number);
            break;
        case OP_METRIC:
            stack[top++] = course_of_metric(evaluation, op->index);
            break;
        case OP_SCORE:
            stack[top++] = still(evaluation_score(evaluation, op->index));
            break;
        case OP_NEGATE:
            stack[top - 1].value = -stack[top - 1].value;
            stack[top - 1].slope = -stack[top - 1].slope;
            stack[top - 1].shape = scaled(stack[top - 1].shape, -1);
            break;
        default:
            top--;
            stack[top - 1] = combine(op->code, &stack[top - 1], &stack[top]);
            break;
        }
    }
    ASSERT(top == 1);
    return stack[0];
}

/* A comparison at other instants, computed as an evaluation then will; windows and scores stay as they are now: where they
 * turn are due instants of their own. */
struct probe {
    struct evaluation then;
    uint64_t scores_known;
    const struct rule *rule;
    const struct comparison *comparison;
    /* Of a steady one: */
    int sign;        /* of left - right, from which to turn */
    bool moves_left; /* the side that falls or rises */
    double level;    /* the other one */
};

static void probe_init(struct probe *probe, const struct evaluation *evaluation, const struct rule *rule,
                       const struct comparison *comparison) {
    evaluation_copy(&probe->then, evaluation);
    probe->scores_known = evaluation->scores_known;
    probe->rule = rule;
    probe->comparison = comparison;
}

static void probe_sides(struct probe *probe, int64_t at_ms, double *left, double *right) {
    const struct comparison *comparison = probe->comparison;
    evaluation_move(&probe->then, at_ms);
    probe->then.scores_known = probe->scores_known;
    *left = evaluation_side(&probe->then, probe->rule, comparison->left, comparison->right);
    *right = evaluation_side(&probe->then, probe->rule, comparison->right, comparison->end);
}

static bool probe_holds(struct probe *probe, int64_t at_ms) {
    double left;
    double right;
    probe_sides(probe, at_ms, &left, &right);
    return compare(probe->rule->ops[probe->comparison->end].code, left, right);
}

static int probe_sign(struct probe *probe, int64_t at_ms, double *difference) {
    double left;
    double right;
    probe_sides(probe, at_ms, &left, &right);
    *difference = left - right;
    return (left > right) - (left < right);
}

static bool sign_turned(void *context, int64_t at_ms, double *ahead) {
    struct probe *probe = context;
    int sign = probe_sign(probe, at_ms, ahead);
    *ahead = probe->sign < 0 ? -*ahead : *ahead;
    return sign != probe->sign;
}

/* One metric that falls, alone on its side, is down to the other side. */
static int64_t sign_guess_ms(void *context) {
    struct probe *probe = context;
    const struct comparison *comparison = probe->comparison;
    size_t first = probe->moves_left ? comparison->left : comparison->right;
    size_t end = probe->moves_left ? comparison->right : comparison->end;
    if (end - first != 1) {
        return TIME_NEVER;
    }
    ASSERT(probe->rule->ops[first].code == OP_METRIC); /* nothing else moves by itself */
    const struct metric_at at = evaluation_at(&probe->then);
    return due_reaches_ms(&probe->then.model->slots.slots[probe->rule->ops[first].index], &at, probe->level);
}

/* One side only falls or only rises, the other stands still: above, equal and below follow each other in this order or
 * backwards, up to last_sign; so there are two turns at most, and the first may leave the comparison as it is. */
static int64_t steady_turns_ms(struct probe *probe, const struct course *left, const struct course *right,
                               int64_t limit_ms) {
    const struct turning turning = {sign_turned, sign_guess_ms, probe};
    bool holds = compare(probe->rule->ops[probe->comparison->end].code, left->value, right->value);
    int last_sign = left->shape == FALLS || right->shape == RISES ? -1 : 1;
    int64_t at_ms = probe->then.now_ms;
    probe->moves_left = stands(right);
    probe->level = probe->moves_left ? right->value : left->value;
    probe->sign = (left->value > right->value) - (left->value < right->value);
    for (int turns = 0; turns < 2 && probe->sign != last_sign; turns++) {
        double difference;
        at_ms = turn_find(at_ms, limit_ms, &turning);
        if (at_ms == TIME_NEVER || probe_holds(probe, at_ms) != holds) {
            return at_ms;
        }
        probe->sign = probe_sign(probe, at_ms, &difference);
    }
    return TIME_NEVER;
}

/* A comparison of any other kind: looked for until the day ends, and again then. */
static int64_t bent_turns_ms(struct probe *probe, const struct evaluation *evaluation) {
    int64_t low = evaluation->now_ms;
    int64_t day_end_ms = zone_day_start_ms(evaluation->model->zone, evaluation->today + 1);
    int64_t high = day_end_ms;
    bool holds = probe_holds(probe, low);
    if (probe_holds(probe, low + 1) != holds) {
        return low + 1; /* a value that is missing at this very instant only */
    }
    if (probe_holds(probe, high) == holds) {
        return day_end_ms;
    }
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (probe_holds(probe, middle) == holds) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return high;
}

static int64_t straight_turns_ms(struct probe *probe, const struct evaluation *evaluation, const struct course *left,
                                 const struct course *right, bool holds, int64_t limit_ms) {
    int64_t now_ms = evaluation->now_ms;
    double slope = left->slope - right->slope;
    double ahead_ms = slope == 0.0 ? -1.0 : (right->value - left->value) / slope;
    if (!(ahead_ms >= -(double)TURN_SLACK_MS && ahead_ms <= AHEAD_MS_MAX)) { /* or infinity less infinity */
        return TIME_NEVER;
    }
    int64_t first_ms = now_ms + (int64_t)floor(ahead_ms) - TURN_SLACK_MS;
    first_ms = first_ms > now_ms ? first_ms : now_ms + 1;
    if (first_ms >= limit_ms) {
        return TIME_NEVER;
    }
    int64_t last_ms = first_ms + 2 * TURN_SLACK_MS + 1;
    for (int64_t ms = first_ms; ms <= last_ms; ms++) {
        if (ms >= limit_ms) {
            return TIME_NEVER;
        }
        if (probe_holds(probe, ms) != holds) {
            return ms;
        }
    }
    /* Next to very large constants doubles are too coarse to tell the millisecond ahead: it is looked for day by day. */
    return ahead_ms > TURN_SLACK_MS ? bent_turns_ms(probe, evaluation) : TIME_NEVER;
}

int64_t due_comparison_ms(struct evaluation *evaluation, const struct rule *rule, const struct comparison *comparison,
                          int64_t limit_ms) {
    struct course left = course_of_side(evaluation, rule->ops, comparison->left, comparison->right);
    struct course right = course_of_side(evaluation, rule->ops, comparison->right, comparison->end);
    bool bent = left.shape == BENT || right.shape == BENT;
    if (is_never_known(&left) || is_never_known(&right) || (stands(&left) && stands(&right))) {
        return TIME_NEVER;
    }
    struct probe probe;
    probe_init(&probe, evaluation, rule, comparison);
    if (bent) {
        return bent_turns_ms(&probe, evaluation);
    }
    bool holds = compare(rule->ops[comparison->end].code, left.value, right.value);
    if (left.shape == STRAIGHT && right.shape == STRAIGHT) {
        return straight_turns_ms(&probe, evaluation, &left, &right, holds, limit_ms);
    }
    if (stands(&left) || stands(&right)) {
        return steady_turns_ms(&probe, &left, &right, limit_ms);
    }
    return bent_turns_ms(&probe, evaluation);
}

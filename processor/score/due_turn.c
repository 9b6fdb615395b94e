#include "score/due_parts.h"

/* ---- scores ---- */
/* limit_ms is the earliest due instant found so far: what turns only then or later need not be found, which is cheap to see. */

/* score_of counts the steps that a value has passed. */
static bool passed(const struct score *score, double step, double value) {
    return score->best_low ? step < value : step <= value;
}

/* The first instant after now at which score_of(value) differs, of a metric that grows with time. Steps ascend, so it is when the first
 * that has not been passed is. */
static int64_t growing_score_turns_ms(struct evaluation *evaluation, const struct score *score) {
    const struct metric_slot *slot = &evaluation->model->slots.slots[score->slot];
    int64_t base_ms = metric_base_ms(slot, evaluation->customer);
    if (base_ms == TIME_NONE) {
        return TIME_NEVER;
    }
    double now_days = (double)(evaluation->now_ms - base_ms) / (double)MS_PER_DAY;
    for (size_t i = 0; i < score->steps_count; i++) {
        if (passed(score, score->steps[i], now_days)) {
            continue;
        }
        double after_ms = floor(score->steps[i] * (double)MS_PER_DAY);
        if (fabs(after_ms) > AHEAD_MS_MAX) {
            continue;
        }
        int64_t ms = base_ms + (int64_t)after_ms - 1;
        ms = ms > evaluation->now_ms ? ms : evaluation->now_ms + 1;
        while (!passed(score, score->steps[i], (double)(ms - base_ms) / (double)MS_PER_DAY)) {
            ms++; /* some: what rounding makes of it */
        }
        return ms;
    }
    return TIME_NEVER;
}

struct falling_score {
    const struct score *score;
    const struct metric_slot *slot;
    struct metric_at at;
    double step; /* at which it will turn */
    int now_score;
};

static bool falling_score_turned(void *context, int64_t at_ms, double *ahead) {
    struct falling_score *falling = context;
    falling->at.now_ms = at_ms;
    double value = metric_value(falling->slot, &falling->at);
    *ahead = value - falling->step;
    return score_of(falling->score, value) != falling->now_score;
}

static int64_t falling_score_guess_ms(void *context) {
    const struct falling_score *falling = context;
    return due_reaches_ms(falling->slot, &falling->at, falling->step);
}

/* The same of a metric that falls with time: it turns at the highest step that it has not passed. */
static int64_t falling_score_turns_ms(struct evaluation *evaluation, const struct score *score, int64_t limit_ms) {
    double value = evaluation_metric(evaluation, score->slot);
    size_t left = score->steps_count;
    while (left > 0 && (score->best_low ? score->steps[left - 1] >= value : score->steps[left - 1] > value)) {
        left--;
    }
    if (isnan(value) || left == 0) {
        return TIME_NEVER;
    }
    struct falling_score falling = {
        .score = score,
        .slot = &evaluation->model->slots.slots[score->slot],
        .at = evaluation_at(evaluation),
        .step = score->steps[left - 1],
        .now_score = score_of(score, value),
    };
    const struct turning turning = {falling_score_turned, falling_score_guess_ms, &falling};
    return turn_find(evaluation->now_ms, limit_ms, &turning);
}

static bool score_falls(const struct model *model, const struct score *score) {
    return metric_rows[model->slots.slots[score->slot].kind].falls;
}

bool due_turn_is_plain(const struct model *model, const struct turn *turn) {
    return turn->score && !score_falls(model, turn->score);
}

static int64_t score_turns_ms(struct evaluation *evaluation, const struct score *score, int64_t limit_ms) {
    return score_falls(evaluation->model, score) ? falling_score_turns_ms(evaluation, score, limit_ms)
                                                 : growing_score_turns_ms(evaluation, score);
}

/* ---- a metric compared with a number ---- */

static const struct metric_slot *slot_of(const struct evaluation *evaluation, const struct turn *turn) {
    return &evaluation->model->slots.slots[turn->slot];
}

static bool holds(const struct turn *turn, double value) {
    enum op_code code = turn->rule->ops[turn->comparison->end].code;
    return turn->flipped ? compare(code, turn->number, value) : compare(code, value, turn->number);
}

/* Of elapsed time: it turns at the number or the millisecond after it. */
static int64_t growing_turns_ms(struct evaluation *evaluation, const struct turn *turn, int64_t limit_ms) {
    int64_t base_ms = metric_base_ms(slot_of(evaluation, turn), evaluation->customer);
    if (base_ms == TIME_NONE) {
        return TIME_NEVER;
    }
    int64_t first_ms = base_ms + (int64_t)floor(turn->number * (double)MS_PER_DAY) - 1;
    if (first_ms >= limit_ms || first_ms + TURN_SLACK_MS <= evaluation->now_ms) {
        return TIME_NEVER; /* not yet, or long ago */
    }
    bool now = holds(turn, (double)(evaluation->now_ms - base_ms) / (double)MS_PER_DAY);
    for (int64_t ms = first_ms; ms <= first_ms + TURN_SLACK_MS; ms++) {
        if (ms > evaluation->now_ms && holds(turn, (double)(ms - base_ms) / (double)MS_PER_DAY) != now) {
            return ms;
        }
    }
    return TIME_NEVER;
}

struct falling {
    const struct turn *turn;
    const struct metric_slot *slot;
    struct metric_at at;
    bool now;
};

static bool falling_turned(void *context, int64_t at_ms, double *ahead) {
    struct falling *falling = context;
    falling->at.now_ms = at_ms;
    double value = metric_value(falling->slot, &falling->at);
    *ahead = value - falling->turn->number;
    return holds(falling->turn, value) != falling->now;
}

static int64_t falling_guess_ms(void *context) {
    const struct falling *falling = context;
    return due_reaches_ms(falling->slot, &falling->at, falling->turn->number);
}

/* Of a metric that never rises: it turns once, and has done so where it is below the number. */
static int64_t falling_turns_ms(struct evaluation *evaluation, const struct turn *turn, int64_t limit_ms) {
    double value = evaluation_metric(evaluation, (size_t)turn->slot);
    if (!(value >= turn->number)) {
        return TIME_NEVER;
    }
    struct falling falling = {turn, slot_of(evaluation, turn), evaluation_at(evaluation), holds(turn, value)};
    const struct turning turning = {falling_turned, falling_guess_ms, &falling};
    return turn_find(evaluation->now_ms, limit_ms, &turning);
}

/* ---- any ---- */

int64_t due_turn_ms(struct evaluation *evaluation, const struct turn *turn, int64_t limit_ms) {
    if (turn->score) {
        return score_is_cut(evaluation->model, turn->score) ? TIME_NEVER
                                                            : score_turns_ms(evaluation, turn->score, limit_ms);
    }
    if (turn->slot < 0) {
        return due_comparison_ms(evaluation, turn->rule, turn->comparison, limit_ms);
    }
    return metric_rows[slot_of(evaluation, turn)->kind].falls ? falling_turns_ms(evaluation, turn, limit_ms)
                                                              : growing_turns_ms(evaluation, turn, limit_ms);
}

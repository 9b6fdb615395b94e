#include "score/evaluate.h"

void evaluation_init(struct evaluation *evaluation, const struct customer *customer, const struct model *model,
                     int64_t now_ms) {
    evaluation->customer = customer;
    evaluation->model = model;
    evaluation->now_ms = now_ms;
    evaluation->today = zone_day(model->zone, now_ms);
    evaluation->scores_known = 0;
    evaluation->lifetime.purchases_known = evaluation->lifetime.spend_known = false;
    memset(evaluation->slots_known, 0, sizeof evaluation->slots_known);
    memset(evaluation->sums.known, 0, sizeof evaluation->sums.known);
}

void evaluation_copy(struct evaluation *to, const struct evaluation *from) {
    const struct model *model = from->model;
    memcpy(to, from, offsetof(struct evaluation, slots));
    memcpy(to->slots, from->slots, model->slots.count * sizeof *to->slots);
    memcpy(to->scores, from->scores, model->scores_count * sizeof *to->scores);
    memcpy(to->sums.known, from->sums.known, sizeof to->sums.known);
    memcpy(to->sums.of, from->sums.of, model->slots.count * sizeof *to->sums.of);
}

void evaluation_move(struct evaluation *evaluation, int64_t now_ms) {
    const struct model *model = evaluation->model;
    evaluation->now_ms = now_ms;
    for (size_t i = 0; i < sizeof model->slots_moving / sizeof *model->slots_moving; i++) {
        evaluation->slots_known[i] &= ~model->slots_moving[i];
    }
    evaluation->scores_known &= ~model->scores_moving;
}

struct metric_at evaluation_at(struct evaluation *evaluation) {
    return (struct metric_at){evaluation->customer, evaluation->model,     evaluation->now_ms,
                              evaluation->today,    &evaluation->lifetime, &evaluation->sums};
}

double evaluation_compute_metric(struct evaluation *evaluation, size_t slot) {
    const struct metric_at at = evaluation_at(evaluation);
    evaluation->slots_known[slot / 64] |= UINT64_C(1) << (slot % 64);
    evaluation->slots[slot] = metric_value(&evaluation->model->slots.slots[slot], &at);
    return evaluation->slots[slot];
}

int score_of(const struct score *score, double value) {
    size_t below = 0; /* steps ascend */
    if (isnan(value)) {
        return 1;
    }
    if (score->best_low) {
        while (below < score->steps_count && score->steps[below] < value) {
            below++;
        }
        return (int)(score->steps_count - below) + 1;
    }
    while (below < score->steps_count && score->steps[below] <= value) {
        below++;
    }
    return (int)below + 1;
}

int32_t evaluation_rank(struct evaluation *evaluation, const struct score *score) {
    double value = evaluation_metric(evaluation, score->slot);
    if (isnan(value)) {
        return RANK_NONE;
    }
    const struct metric_slot *slot = &evaluation->model->slots.slots[score->slot];
    if (!metric_rows[slot->kind].elapsed) {
        return rank_bucket(value);
    }
    int64_t base_ms = metric_base_ms(slot, evaluation->customer);
    return -(int32_t)(base_ms / MS_PER_HOUR); /* like the value, less for those whose time began later */
}

bool score_is_cut(const struct model *model, const struct score *score) {
    return score->ranked >= 0 && model->edition->cuts.scores[score->ranked].known;
}

static int score_by_cuts(struct evaluation *evaluation, const struct score *score) {
    const struct score_cuts *cuts = &evaluation->model->edition->cuts.scores[score->ranked];
    int32_t rank = evaluation_rank(evaluation, score);
    int passed = 0;
    for (size_t i = 0; i < cuts->count && rank != RANK_NONE; i++) {
        passed += score->best_low ? rank <= cuts->buckets[i] : rank >= cuts->buckets[i];
    }
    return passed + 1;
}

double evaluation_compute_score(struct evaluation *evaluation, size_t index) {
    const struct score *score = &evaluation->model->scores[index];
    evaluation->scores_known |= UINT64_C(1) << index;
    evaluation->scores[index] = score_is_cut(evaluation->model, score)
                                    ? score_by_cuts(evaluation, score)
                                    : score_of(score, evaluation_metric(evaluation, score->slot));
    return evaluation->scores[index];
}

bool compare(enum op_code code, double left, double right) {
    if (isnan(left) || isnan(right)) {
        return false;
    }
    if (code == OP_LESS) {
        return left < right;
    }
    if (code == OP_LESS_EQUAL) {
        return left <= right;
    }
    if (code == OP_GREATER) {
        return left > right;
    }
    if (code == OP_GREATER_EQUAL) {
        return left >= right;
    }
    if (code == OP_EQUAL) {
        return left == right;
    }
    ASSERT(code == OP_NOT_EQUAL);
    return left != right;
}

static double arithmetic(enum op_code code, double a, double b) {
    if (isnan(a) || isnan(b)) {
        return NO_VALUE;
    }
    if (code == OP_ADD) {
        return a + b;
    }
    if (code == OP_SUBTRACT) {
        return a - b;
    }
    if (code == OP_MULTIPLY) {
        return a * b;
    }
    if (code == OP_DIVIDE) {
        return b == 0.0 ? NO_VALUE : a / b;
    }
    if (code == OP_TREND) {
        return b > 0.0 ? a / b : NO_VALUE;
    }
    if (code == OP_MIN) {
        return a < b ? a : b;
    }
    ASSERT(code == OP_MAX);
    return a > b ? a : b;
}

/* Runs ops first..end-1 and leaves one value. */
static double run(struct evaluation *evaluation, const struct op *ops, size_t first, size_t end) {
    double stack[RULE_STACK_MAX];
    size_t top = 0; /* values on the stack */
    for (size_t at = first; at < end; at++) {
        const struct op *op = &ops[at];
        ASSERT(top < RULE_STACK_MAX);
        switch ((int)op->code) {
        case OP_NUMBER:
            stack[top++] = op->number;
            break;
        case OP_METRIC:
            stack[top++] = evaluation_metric(evaluation, op->index);
            break;
        case OP_SCORE:
            stack[top++] = evaluation_score(evaluation, op->index);
            break;
        case OP_TIER_IS:
            stack[top++] = evaluation->customer->tiers[op->index].tier == (int)op->number;
            break;
        case OP_TIER_IS_NOT:
            stack[top++] = evaluation->customer->tiers[op->index].tier != (int)op->number;
            break;
        case OP_NEGATE:
            stack[top - 1] = -stack[top - 1];
            break;
        case OP_KNOWN:
            stack[top - 1] = !isnan(stack[top - 1]);
            break;
        case OP_NOT:
            stack[top - 1] = stack[top - 1] == 0.0;
            break;
        case OP_SKIP_IF_FALSE:
        case OP_SKIP_IF_TRUE:
            if ((stack[top - 1] != 0.0) == (op->code == OP_SKIP_IF_TRUE)) {
                at = (size_t)op->index - 1;
            } else {
                top--;
            }
            break;
        case OP_LESS:
        case OP_LESS_EQUAL:
        case OP_GREATER:
        case OP_GREATER_EQUAL:
        case OP_EQUAL:
        case OP_NOT_EQUAL:
            top--;
            stack[top - 1] = compare(op->code, stack[top - 1], stack[top]);
            break;
        default: /* arithmetic */
            top--;
            stack[top - 1] = arithmetic(op->code, stack[top - 1], stack[top]);
            break;
        }
    }
    ASSERT(top == 1);
    return stack[0];
}

bool evaluation_rule(struct evaluation *evaluation, const struct rule *rule) {
    return run(evaluation, rule->ops, 0, rule->ops_count) != 0.0;
}

double evaluation_side(struct evaluation *evaluation, const struct rule *rule, size_t first, size_t end) {
    return run(evaluation, rule->ops, first, end);
}

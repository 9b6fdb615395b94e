/* What stands alone in a rule: numbers, metrics with their windows, scores, min, max, known, tier, parentheses. */
#include "score/rules_parser.h"

#include <stdio.h>

/* ---- metrics ---- */

int parser_window(struct parser *parser) {
    double days = parser->token.number;
    if (days < 1 || days > WINDOW_DAYS_MAX || days != (double)(int)days) {
        parser_fail_at(parser, parser->token.text.data, "a window is a whole number of days from 1d to %dd",
                       WINDOW_DAYS_MAX);
        return 1;
    }
    parser_next(parser);
    return (int)days;
}

/* The one argument of a metric that looks ahead. */
static void horizon_argument(struct parser *parser, const struct metric_row *row, struct metric_slot *slot) {
    if (parser_is_name(parser, "ago")) {
        parser_fail_at(parser, parser->token.text.data, "'%s' looks ahead, so 'ago' has no meaning: %s(365d)",
                       row->name, row->name);
    } else if (parser->token.kind != TOKEN_DAYS) {
        parser_fail_expected(parser, "a horizon such as 365d");
    } else if (slot->horizon_days) {
        parser_fail_at(parser, parser->token.text.data, "'%s' takes one horizon", row->name);
    } else {
        slot->horizon_days = parser_window(parser);
    }
}

/* One argument of a metric: 90d, `ago 30d`, or an interaction kind. */
static void metric_argument(struct parser *parser, const struct metric_row *row, struct metric_slot *slot) {
    if (row->horizon) {
        horizon_argument(parser, row, slot);
    } else if (parser->token.kind == TOKEN_DAYS && row->window && slot->window_days == 0) {
        slot->window_days = parser_window(parser);
    } else if (parser_is_name(parser, "ago") && row->window && slot->ago_days == 0) {
        parser_next(parser);
        if (parser->token.kind != TOKEN_DAYS) {
            parser_fail_expected(parser, "a number of days such as 30d after 'ago'");
            return;
        }
        slot->ago_days = parser_window(parser);
    } else if (parser->token.kind == TOKEN_NAME && row->interaction && slot->interaction == 0) {
        slot->interaction = interaction_by_name(parser->token.text);
        if (slot->interaction == 0) {
            struct nearest nearest;
            nearest_init(&nearest, parser->token.text);
            for (int kind = 1; interaction_name(kind); kind++) {
                nearest_offer(&nearest, bytes_of_text(interaction_name(kind)));
            }
            parser_fail_unknown(parser, "interaction kind", &parser->token, nearest.best);
            return;
        }
        parser_next(parser);
    } else if (!row->window) {
        parser_fail_at(parser, parser->token.text.data, "'%s' takes no window and no arguments", row->name);
    } else {
        parser_fail_expected(parser, row->interaction ? "a window such as 90d, 'ago 30d' or an interaction kind"
                                                      : "a window such as 90d, or 'ago 30d' behind one");
    }
}

/* The slot's canonical text: what tier changes show. */
static struct bytes slot_text(struct parser *parser, const struct metric_slot *slot) {
    char text[128];
    int size = snprintf(text, sizeof text, "%s", metric_rows[slot->kind].name);
    const char *separator = "(";
    if (slot->interaction) {
        size +=
            snprintf(text + size, sizeof text - (size_t)size, "%s%s", separator, interaction_name(slot->interaction));
        separator = ", ";
    }
    if (slot->window_days) {
        size += snprintf(text + size, sizeof text - (size_t)size, "%s%dd", separator, slot->window_days);
        separator = ", ";
    }
    if (slot->ago_days) {
        size += snprintf(text + size, sizeof text - (size_t)size, "%sago %dd", separator, slot->ago_days);
    }
    if (slot->horizon_days) {
        size += snprintf(text + size, sizeof text - (size_t)size, "(%dd)", slot->horizon_days);
    }
    if (slot->interaction || slot->window_days) {
        size += snprintf(text + size, sizeof text - (size_t)size, ")");
    }
    return arena_copy(parser->scope->arena, bytes_of(text, (size_t)size));
}

uint16_t parser_slot(struct parser *parser, const char *at, struct metric_slot slot) {
    struct metric_slots *slots = parser->scope->slots;
    for (size_t i = 0; i < slots->count; i++) {
        const struct metric_slot *known = &slots->slots[i];
        if (known->kind == slot.kind && known->interaction == slot.interaction &&
            known->window_days == slot.window_days && known->ago_days == slot.ago_days &&
            known->horizon_days == slot.horizon_days) {
            return (uint16_t)i;
        }
    }
    if (slots->count == METRIC_SLOTS_MAX) {
        parser_fail_at(parser, at, "the rules use more than %d different metrics", METRIC_SLOTS_MAX);
        return 0;
    }
    slot.text = slot_text(parser, &slot);
    if (!slot.text.data) {
        parser->no_memory = parser->failed = true;
        return 0;
    }
    slots->slots[slots->count] = slot;
    return (uint16_t)slots->count++;
}

static enum type parse_metric(struct parser *parser, enum metric_kind kind) {
    struct metric_slot slot = {.kind = kind};
    const struct metric_row *row = &metric_rows[kind];
    const char *start = parser->token.text.data;
    parser_next(parser);
    if (parser_accept(parser, "(")) {
        do {
            metric_argument(parser, row, &slot);
        } while (!parser->failed && parser_accept(parser, ","));
        parser_expect(parser, ")", "',' or ')'");
    }
    if (slot.ago_days && !slot.window_days) {
        return parser_fail_at(parser, start, "'ago' needs a window: %s(90d, ago 30d)", row->name);
    }
    if (row->horizon && !slot.horizon_days) {
        return parser_fail_at(parser, start, "'%s' needs a horizon: %s(365d)", row->name, row->name);
    }
    uint16_t index = parser_slot(parser, start, slot);
    parser_emit(parser, OP_METRIC)->index = index;
    return TYPE_NUMBER;
}

/* ---- other primaries ---- */

static enum type parse_min_max(struct parser *parser, enum op_code code) {
    parser_next(parser);
    parser_expect(parser, "(", "'('");
    int count = 0;
    do {
        const char *at = parser->token.text.data;
        parser_want(parser, parse_rule_or(parser), TYPE_NUMBER, at);
        if (count++ > 0) {
            parser_emit(parser, code);
        }
        if (count > RULE_ARGUMENTS_MAX) {
            return parser_fail_at(parser, at, "more than %d arguments", RULE_ARGUMENTS_MAX);
        }
    } while (!parser->failed && parser_accept(parser, ","));
    parser_expect(parser, ")", "',' or ')'");
    return TYPE_NUMBER;
}

static enum type parse_known(struct parser *parser) {
    parser_next(parser);
    parser_expect(parser, "(", "'('");
    const char *at = parser->token.text.data;
    parser_want(parser, parse_rule_or(parser), TYPE_NUMBER, at);
    parser_expect(parser, ")", "')'");
    parser_emit(parser, OP_KNOWN);
    return TYPE_TRUTH;
}

/* tier(set) = name */
static enum type parse_tier(struct parser *parser) {
    const struct rule_scope *scope = parser->scope;
    const char *text = parser->token.text.data;
    parser_next(parser);
    parser_expect(parser, "(", "'(' and the name of a tier set");
    if (parser->token.kind != TOKEN_NAME) {
        return parser_fail_expected(parser, "the name of a tier set");
    }
    struct nearest nearest;
    nearest_init(&nearest, parser->token.text);
    size_t set = 0;
    while (set < scope->sets_count && !bytes_equal(scope->sets[set].name.text, parser->token.text)) {
        nearest_offer(&nearest, scope->sets[set++].name.text);
    }
    if (set == scope->sets_count) {
        return parser_fail_unknown(parser, "tier set", &parser->token, nearest.best);
    }
    parser_next(parser);
    parser_expect(parser, ")", "')'");
    bool is_not = parser_is_symbol(parser, "!=");
    if (!parser->failed && !is_not && !parser_is_symbol(parser, "=") && !parser_is_symbol(parser, "==")) {
        return parser_fail_expected(parser, "'=' or '!=' and the name of a tier");
    }
    parser_next(parser);
    if (parser->failed) {
        return TYPE_FAILED;
    }
    if (parser->token.kind != TOKEN_NAME) {
        return parser_fail_expected(parser, "the name of a tier");
    }
    nearest_init(&nearest, parser->token.text);
    const struct tier_set_spec *spec = &scope->sets[set];
    for (size_t tier = 0; tier < spec->tiers_count; tier++) {
        if (bytes_equal(spec->tiers[tier].name.text, parser->token.text)) {
            struct op *op = parser_emit(parser, is_not ? OP_TIER_IS_NOT : OP_TIER_IS);
            op->index = (uint16_t)set;
            op->number = (double)tier;
            parser_next(parser);
            return parser_add_comparison(parser, text, parser_text_from(parser, text), parser->ops_count - 1,
                                         parser->ops_count - 1);
        }
        nearest_offer(&nearest, spec->tiers[tier].name.text);
    }
    return parser_fail_unknown(parser, "tier", &parser->token, nearest.best);
}

/* A named number, which is no function: in purchase(90d) a metric was meant. */
static enum type parse_constant(struct parser *parser, const struct constant *constant) {
    struct token name = parser->token;
    parser_next(parser);
    if (parser_is_symbol(parser, "(")) {
        struct nearest nearest;
        nearest_init(&nearest, name.text);
        for (int kind = 0; kind < METRIC_KINDS; kind++) {
            nearest_offer(&nearest, bytes_of_text(metric_rows[kind].name));
        }
        return parser_fail_unknown(parser, "metric", &name, nearest.best);
    }
    struct op *op = parser_emit(parser, OP_NUMBER);
    op->number = constant->value;
    op->index = (uint16_t)constant->kind;
    return TYPE_NUMBER;
}

static enum type fail_unknown_name(struct parser *parser, struct nearest *nearest) {
    struct constant constant;
    if (parser->scope->metric_only) {
        return parser_fail_unknown(parser, "metric", &parser->token, nearest->best);
    }
    for (int i = 0; rule_constant_at(i, &constant); i++) {
        nearest_offer(nearest, bytes_of_text(constant.name));
    }
    nearest_offer(nearest, bytes_of_text("trend"));
    nearest_offer(nearest, bytes_of_text("rising"));
    return parser_fail_unknown(parser, "metric or score", &parser->token, nearest->best);
}

static enum type parse_name(struct parser *parser) {
    struct constant constant;
    struct nearest nearest;
    nearest_init(&nearest, parser->token.text);
    for (size_t i = 0; i < parser->scope->scores_count; i++) {
        struct bytes name = parser->scope->scores[i].name.text;
        if (bytes_equal(name, parser->token.text)) {
            parser_emit(parser, OP_SCORE)->index = (uint16_t)i;
            parser_next(parser);
            return TYPE_NUMBER;
        }
        nearest_offer(&nearest, name);
    }
    for (int kind = 0; kind < METRIC_KINDS; kind++) {
        if (bytes_equal_text(parser->token.text, metric_rows[kind].name)) {
            return parse_metric(parser, (enum metric_kind)kind);
        }
        nearest_offer(&nearest, bytes_of_text(metric_rows[kind].name));
    }
    if (rule_constant(parser->token.text, &constant)) {
        return parse_constant(parser, &constant);
    }
    return fail_unknown_name(parser, &nearest);
}

enum type parse_primary(struct parser *parser) {
    if (parser->token.kind == TOKEN_NUMBER) {
        parser_emit(parser, OP_NUMBER)->number = parser->token.number;
        parser_next(parser);
        return TYPE_NUMBER;
    }
    if (parser->token.kind == TOKEN_DAYS) {
        return parser_fail_at(parser, parser->token.text.data,
                              "a window stands in the parentheses of a metric: revenue(90d)");
    }
    if (parser_is_symbol(parser, "(")) {
        if (++parser->nesting > RULE_NESTING_MAX) {
            return parser_fail_at(parser, parser->token.text.data, "more than %d levels of parentheses",
                                  RULE_NESTING_MAX);
        }
        parser_next(parser);
        enum type type = parse_rule_or(parser);
        parser_expect(parser, ")", "')'");
        parser->nesting--;
        return type;
    }
    if (parser->token.kind != TOKEN_NAME) {
        return parser_fail_expected(parser, "a number, a metric, a score or '('");
    }
    if (parser_is_name(parser, "min") || parser_is_name(parser, "max") || parser_is_name(parser, "known")) {
        if (++parser->nesting > RULE_NESTING_MAX) {
            return parser_fail_at(parser, parser->token.text.data, "more than %d levels of parentheses",
                                  RULE_NESTING_MAX);
        }
        enum type type = parser_is_name(parser, "known")
                             ? parse_known(parser)
                             : parse_min_max(parser, parser_is_name(parser, "min") ? OP_MIN : OP_MAX);
        parser->nesting--;
        return type;
    }
    if (parser_is_name(parser, "trend")) {
        return parse_trend(parser);
    }
    if (parser_is_name(parser, "rising")) {
        return parse_rising(parser);
    }
    return parser_is_name(parser, "tier") ? parse_tier(parser) : parse_name(parser);
}

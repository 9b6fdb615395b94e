/* What the rule language writes out for people: trend(metric, w), rising(w), and names for numbers. */
#include "score/rules_parser.h"

#include "score/customer.h"

#include <stdio.h>

enum { TEXT_BYTES_MAX = 160 };

/* ---- names for numbers ---- */

bool rule_constant(struct bytes name, struct constant *out) {
    for (int i = 0; rule_constant_at(i, out); i++) {
        if (bytes_equal_text(name, out->name)) {
            return true;
        }
    }
    return false;
}

bool rule_constant_at(int index, struct constant *out) {
    int stage = index + 1;
    int frequency = index - STAGES + FREQUENCY_ONE_OFF;
    bool is_stage = journey_stage_name(stage) != NULL;
    *out = is_stage ? (struct constant){journey_stage_name(stage), CONSTANT_STAGE, stage}
                    : (struct constant){frequency_name(frequency), CONSTANT_FREQUENCY, frequency};
    return out->name != NULL;
}

static bool fits(enum constant_kind constant, enum metric_kind metric) {
    return constant == CONSTANT_FREQUENCY ? metric == METRIC_FREQUENCY
                                          : metric == METRIC_STAGE || metric == METRIC_FURTHEST_STAGE;
}

void parser_check_constants(struct parser *parser, const char *text, size_t first, size_t end) {
    for (size_t i = first; i < end; i++) {
        const struct op *constant = &parser->ops[i];
        bool found = constant->code != OP_NUMBER || constant->index == CONSTANT_NONE;
        for (size_t j = first; j < end && !found; j++) {
            const struct op *op = &parser->ops[j];
            found = op->code == OP_METRIC &&
                    fits((enum constant_kind)constant->index, parser->scope->slots->slots[op->index].kind);
        }
        if (!found && constant->index == CONSTANT_FREQUENCY) {
            parser_fail_at(parser, text, "'%s' is a value of frequency, which does not stand in this comparison",
                           frequency_name((int)constant->number));
        } else if (!found) {
            parser_fail_at(parser, text,
                           "'%s' is a value of stage and furthest_stage; neither stands in this comparison",
                           journey_stage_name((int)constant->number));
        }
    }
}

/* ---- trend ---- */

static void emit_metric(struct parser *parser, const char *at, enum metric_kind kind, int window_days, int ago_days) {
    struct metric_slot slot = {.kind = kind, .window_days = window_days, .ago_days = ago_days};
    uint16_t index = parser_slot(parser, at, slot);
    parser_emit(parser, OP_METRIC)->index = index;
}

/* The name of a metric that has windows. */
static enum metric_kind trend_metric(struct parser *parser) {
    struct nearest nearest;
    nearest_init(&nearest, parser->token.text);
    for (int kind = 0; kind < METRIC_KINDS; kind++) {
        const char *name = metric_rows[kind].name;
        if (parser_is_name(parser, name) && !metric_rows[kind].window) {
            parser_fail_at(parser, parser->token.text.data,
                           "'%s' has no window: a trend is of one that has, like revenue", name);
            return METRIC_KINDS;
        }
        if (parser_is_name(parser, name)) {
            parser_next(parser);
            return (enum metric_kind)kind;
        }
        if (metric_rows[kind].window) {
            nearest_offer(&nearest, bytes_of_text(name));
        }
    }
    if (parser->token.kind == TOKEN_NAME) {
        parser_fail_unknown(parser, "metric", &parser->token, nearest.best);
    } else {
        parser_fail_expected(parser, "a metric: trend(revenue, 30d)");
    }
    return METRIC_KINDS;
}

static int window_of(struct parser *parser, const char *example) {
    char words[64];
    if (parser->token.kind != TOKEN_DAYS) {
        snprintf(words, sizeof words, "a window: %s", example);
        parser_fail_expected(parser, words);
        return 1;
    }
    return parser_window(parser);
}

enum type parse_trend(struct parser *parser) {
    const char *at = parser->token.text.data;
    parser_next(parser);
    parser_expect(parser, "(", "'('");
    enum metric_kind kind = parser->failed ? METRIC_KINDS : trend_metric(parser);
    parser_expect(parser, ",", "',' and a window: trend(revenue, 30d)");
    int days = parser->failed ? 1 : window_of(parser, "trend(revenue, 30d)");
    parser_expect(parser, ")", "')'");
    if (parser->failed) {
        return TYPE_FAILED;
    }
    emit_metric(parser, at, kind, days, 0);
    emit_metric(parser, at, kind, days, days);
    parser_emit(parser, OP_TREND);
    return TYPE_NUMBER;
}

/* ---- rising ---- */

static struct bytes kept_text(struct parser *parser, const char *text) {
    struct bytes copy = arena_copy(parser->scope->arena, bytes_of_text(text));
    if (!copy.data) {
        parser->no_memory = parser->failed = true;
    }
    return copy;
}

/* metric(w) > metric(w, ago w) */
static void emit_more_than_before(struct parser *parser, const char *at, enum metric_kind kind, int days) {
    char text[TEXT_BYTES_MAX];
    const char *name = metric_rows[kind].name;
    size_t left = parser->ops_count;
    emit_metric(parser, at, kind, days, 0);
    emit_metric(parser, at, kind, days, days);
    parser_emit(parser, OP_GREATER)->index = (uint16_t)parser->comparisons_count;
    snprintf(text, sizeof text, "%s(%dd) > %s(%dd, ago %dd)", name, days, name, days, days);
    parser_add_comparison(parser, at, kept_text(parser, text), left, left + 1);
}

/* revenue(w) <= behaviour.rising_below */
static void emit_small(struct parser *parser, const char *at, int days) {
    char text[TEXT_BYTES_MAX];
    double most = parser->scope->rising_below;
    size_t left = parser->ops_count;
    emit_metric(parser, at, METRIC_REVENUE, days, 0);
    parser_emit(parser, OP_NUMBER)->number = most;
    parser_emit(parser, OP_LESS_EQUAL)->index = (uint16_t)parser->comparisons_count;
    snprintf(text, sizeof text, "revenue(%dd) <= %.15g", days, most);
    parser_add_comparison(parser, at, kept_text(parser, text), left, left + 1);
}

enum type parse_rising(struct parser *parser) {
    const char *at = parser->token.text.data;
    parser_next(parser);
    parser_expect(parser, "(", "'('");
    int days = parser->failed ? 1 : window_of(parser, "rising(30d)");
    parser_expect(parser, ")", "')'");
    if (parser->failed) {
        return TYPE_FAILED;
    }
    emit_more_than_before(parser, at, METRIC_PURCHASES, days);
    struct op *first = parser_emit(parser, OP_SKIP_IF_FALSE);
    emit_more_than_before(parser, at, METRIC_REVENUE, days);
    struct op *second = parser_emit(parser, OP_SKIP_IF_FALSE);
    emit_small(parser, at, days);
    first->index = second->index = (uint16_t)parser->ops_count;
    return parser->failed ? TYPE_FAILED : TYPE_TRUTH;
}

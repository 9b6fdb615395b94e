/* The rule language's operators: precedence climbing, straight into postfix. */
#include "score/rules_parser.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- operators, from the tightest to the loosest ---- */

static enum type parse_unary(struct parser *parser) {
    bool negative = false;
    while (parser_is_symbol(parser, "-")) {
        negative = !negative;
        parser_next(parser);
    }
    const char *at = parser->token.text.data;
    enum type type = parse_primary(parser);
    if (negative) {
        type = parser_want(parser, type, TYPE_NUMBER, at);
        parser_emit(parser, OP_NEGATE);
    }
    return type;
}

static enum type parse_product(struct parser *parser) {
    const char *left = parser->token.text.data;
    enum type type = parse_unary(parser);
    while (!parser->failed && (parser_is_symbol(parser, "*") || parser_is_symbol(parser, "/"))) {
        enum op_code code = parser_is_symbol(parser, "*") ? OP_MULTIPLY : OP_DIVIDE;
        parser_want(parser, type, TYPE_NUMBER, left);
        parser_next(parser);
        const char *right = parser->token.text.data;
        type = parser_want(parser, parse_unary(parser), TYPE_NUMBER, right);
        parser_emit(parser, code);
    }
    return type;
}

static enum type parse_sum(struct parser *parser) {
    const char *left = parser->token.text.data;
    enum type type = parse_product(parser);
    while (!parser->failed && (parser_is_symbol(parser, "+") || parser_is_symbol(parser, "-"))) {
        enum op_code code = parser_is_symbol(parser, "+") ? OP_ADD : OP_SUBTRACT;
        parser_want(parser, type, TYPE_NUMBER, left);
        parser_next(parser);
        const char *right = parser->token.text.data;
        type = parser_want(parser, parse_product(parser), TYPE_NUMBER, right);
        parser_emit(parser, code);
    }
    return type;
}

static bool comparing(const struct parser *parser, enum op_code *code) {
    static const struct {
        const char *symbol;
        enum op_code code;
    } comparers[] = {{"<", OP_LESS},  {"<=", OP_LESS_EQUAL}, {">", OP_GREATER},   {">=", OP_GREATER_EQUAL},
                     {"=", OP_EQUAL}, {"==", OP_EQUAL},      {"!=", OP_NOT_EQUAL}};
    for (size_t i = 0; i < sizeof comparers / sizeof *comparers; i++) {
        if (parser_is_symbol(parser, comparers[i].symbol)) {
            *code = comparers[i].code;
            return true;
        }
    }
    return false;
}

static enum type parse_comparison(struct parser *parser) {
    const char *left_text = parser->token.text.data;
    size_t left = parser->ops_count;
    enum op_code code;
    enum type type = parse_sum(parser);
    if (parser->failed || !comparing(parser, &code)) {
        return type;
    }
    parser_want(parser, type, TYPE_NUMBER, left_text);
    parser_next(parser);
    const char *right_text = parser->token.text.data;
    size_t right = parser->ops_count;
    parser_want(parser, parse_sum(parser), TYPE_NUMBER, right_text);
    enum op_code again;
    if (!parser->failed && comparing(parser, &again)) {
        return parser_fail_at(parser, parser->token.text.data, "a comparison does not chain: join two with 'and'");
    }
    parser_emit(parser, code)->index = (uint16_t)parser->comparisons_count;
    parser_check_constants(parser, left_text, left, parser->ops_count);
    return parser_add_comparison(parser, left_text, parser_text_from(parser, left_text), left, right);
}

static enum type parse_not(struct parser *parser) {
    bool negated = false;
    bool any = false;
    while (parser_is_name(parser, "not")) {
        negated = !negated;
        any = true;
        parser_next(parser);
    }
    const char *at = parser->token.text.data;
    enum type type = parse_comparison(parser);
    if (any) {
        type = parser_want(parser, type, TYPE_TRUTH, at);
    }
    if (negated) {
        parser_emit(parser, OP_NOT);
    }
    return type;
}

static enum type parse_and(struct parser *parser) {
    const char *left = parser->token.text.data;
    enum type type = parse_not(parser);
    while (!parser->failed && parser_is_name(parser, "and")) {
        parser_want(parser, type, TYPE_TRUTH, left);
        size_t skip = parser->ops_count;
        parser_emit(parser, OP_SKIP_IF_FALSE);
        parser_next(parser);
        const char *right = parser->token.text.data;
        type = parser_want(parser, parse_not(parser), TYPE_TRUTH, right);
        if (skip < RULE_OPS_MAX) {
            parser->ops[skip].index = (uint16_t)parser->ops_count;
        }
    }
    return type;
}

enum type parse_rule_or(struct parser *parser) {
    const char *left = parser->token.text.data;
    enum type type = parse_and(parser);
    while (!parser->failed && parser_is_name(parser, "or")) {
        parser_want(parser, type, TYPE_TRUTH, left);
        size_t skip = parser->ops_count;
        parser_emit(parser, OP_SKIP_IF_TRUE);
        parser_next(parser);
        const char *right = parser->token.text.data;
        type = parser_want(parser, parse_and(parser), TYPE_TRUTH, right);
        if (skip < RULE_OPS_MAX) {
            parser->ops[skip].index = (uint16_t)parser->ops_count;
        }
    }
    return type;
}

int rule_compile(const struct rule_scope *scope, const struct spec_text *text, struct rule *out,
                 struct model_error *error) {
    struct parser parser = {.scope = scope, .source = text, .error = error};
    parser_next(&parser);
    const char *start = parser.token.text.data;
    if (parser.token.kind == TOKEN_END) {
        parser_fail_at(&parser, start, scope->metric_only ? "expected a metric" : "the rule is empty");
    }
    enum type type = parser.failed ? TYPE_FAILED : parse_rule_or(&parser);
    if (!parser.failed && parser.token.kind != TOKEN_END) {
        parser_fail_expected(&parser, "an operator or the end");
    }
    if (!parser.failed && scope->metric_only) {
        if (parser.ops_count != 1 || parser.ops[0].code != OP_METRIC) {
            parser_fail_at(&parser, start, "expected one metric such as revenue(90d)");
        }
    } else {
        parser_want(&parser, type, TYPE_TRUTH, start);
    }
    if (parser.failed) {
        return parser.no_memory ? ERR_NO_MEMORY : ERR_INVALID;
    }
    struct op *ops = arena_alloc(scope->arena, parser.ops_count * sizeof *ops);
    struct comparison *comparisons = arena_alloc(scope->arena, parser.comparisons_count * sizeof *comparisons);
    out->text = arena_copy(scope->arena, text->text);
    if (!ops || !comparisons || !out->text.data) {
        return ERR_NO_MEMORY;
    }
    memcpy(ops, parser.ops, parser.ops_count * sizeof *ops);
    memcpy(comparisons, parser.comparisons, parser.comparisons_count * sizeof *comparisons);
    out->ops = ops;
    out->ops_count = parser.ops_count;
    out->comparisons = comparisons;
    out->comparisons_count = parser.comparisons_count;
    return 0;
}

/* The rule language's parser: precedence climbing, straight into postfix. */
#include "score/rules.h"

#include "score/rules_lexer.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum type { TYPE_NUMBER, TYPE_TRUTH, TYPE_FAILED };

struct parser {
    const struct rule_scope *scope;
    const struct spec_text *source;
    struct model_error *error;
    bool failed;
    struct token token; /* the current one */
    size_t after;       /* where the next one starts */
    size_t last_end;    /* where the one before ended */
    int nesting;
    struct op ops[RULE_OPS_MAX];
    size_t ops_count;
    struct comparison comparisons[RULE_COMPARISONS_MAX];
    size_t comparisons_count;
};

static enum type parse_or(struct parser *parser);

/* Position of a byte of the source as line and column of the file; folded texts keep their first line. */
static void locate(struct parser *parser, const char *at) {
    parser->error->line = parser->source->line;
    parser->error->column = parser->source->column + (int)(at - parser->source->text.data);
}

PRINTF_LIKE(3, 4) static enum type fail_at(struct parser *parser, const char *at, const char *format, ...) {
    if (parser->failed) {
        return TYPE_FAILED;
    }
    parser->failed = true;
    locate(parser, at);
    va_list arguments;
    va_start(arguments, format);
    char what[256];
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    snprintf(parser->error->message, sizeof parser->error->message, "%s: %s", parser->scope->where, what);
    return TYPE_FAILED;
}

static const char *token_words(const struct parser *parser, char *text, size_t size) {
    if (parser->token.kind == TOKEN_END) {
        return "the end";
    }
    snprintf(text, size, "'%.*s'", (int)(parser->token.text.size < 40 ? parser->token.text.size : 40),
             parser->token.text.data);
    return text;
}

static enum type fail_expected(struct parser *parser, const char *expected) {
    char text[64];
    return fail_at(parser, parser->token.text.data, "expected %s, found %s", expected,
                   token_words(parser, text, sizeof text));
}

static enum type fail_unknown(struct parser *parser, const char *kind, const struct token *token, struct bytes nearest) {
    int size = (int)(token->text.size < 60 ? token->text.size : 60);
    if (nearest.data) {
        return fail_at(parser, token->text.data, "unknown %s '%.*s'; did you mean '%.*s'?", kind, size, token->text.data,
                       (int)nearest.size, nearest.data);
    }
    return fail_at(parser, token->text.data, "unknown %s '%.*s'", kind, size, token->text.data);
}

static void next(struct parser *parser) {
    parser->last_end = parser->after;
    parser->token = lexer_next(parser->source->text, parser->after);
    parser->after = (size_t)(parser->token.text.data - parser->source->text.data) + parser->token.text.size;
    if (parser->token.kind == TOKEN_BAD) {
        char text[64];
        fail_at(parser, parser->token.text.data, "%s cannot be read here", token_words(parser, text, sizeof text));
    }
}

static bool is_symbol(const struct parser *parser, const char *symbol) {
    return parser->token.kind == TOKEN_SYMBOL && bytes_equal_text(parser->token.text, symbol);
}

static bool is_name(const struct parser *parser, const char *name) {
    return parser->token.kind == TOKEN_NAME && bytes_equal_text(parser->token.text, name);
}

static bool accept(struct parser *parser, const char *symbol) {
    if (!is_symbol(parser, symbol)) {
        return false;
    }
    next(parser);
    return true;
}

static void expect(struct parser *parser, const char *symbol, const char *words) {
    if (!accept(parser, symbol)) {
        fail_expected(parser, words);
    }
}

static struct op *emit(struct parser *parser, enum op_code code) {
    static struct op overflow; /* written and never read: the parse has failed */
    if (parser->ops_count == RULE_OPS_MAX) {
        fail_at(parser, parser->token.text.data, "the rule is too long (more than %d steps)", RULE_OPS_MAX);
        return &overflow;
    }
    struct op *op = &parser->ops[parser->ops_count++];
    *op = (struct op){.code = code};
    return op;
}

/* ---- metrics ---- */

static int window_days(struct parser *parser) {
    double days = parser->token.number;
    if (days < 1 || days > WINDOW_DAYS_MAX || days != (double)(int)days) {
        fail_at(parser, parser->token.text.data, "a window is a whole number of days from 1d to %dd", WINDOW_DAYS_MAX);
        return 1;
    }
    next(parser);
    return (int)days;
}

/* One argument of a metric: 90d, `ago 30d`, or an interaction kind. */
static void metric_argument(struct parser *parser, const struct metric_row *row, struct metric_slot *slot) {
    if (parser->token.kind == TOKEN_DAYS && row->window && slot->window_days == 0) {
        slot->window_days = window_days(parser);
    } else if (is_name(parser, "ago") && row->window && slot->ago_days == 0) {
        next(parser);
        if (parser->token.kind != TOKEN_DAYS) {
            fail_expected(parser, "a number of days such as 30d after 'ago'");
            return;
        }
        slot->ago_days = window_days(parser);
    } else if (parser->token.kind == TOKEN_NAME && row->interaction && slot->interaction == 0) {
        slot->interaction = interaction_by_name(parser->token.text);
        if (slot->interaction == 0) {
            struct nearest nearest;
            nearest_init(&nearest, parser->token.text);
            for (int kind = 1; interaction_name(kind); kind++) {
                nearest_offer(&nearest, bytes_of_text(interaction_name(kind)));
            }
            fail_unknown(parser, "interaction kind", &parser->token, nearest.best);
            return;
        }
        next(parser);
    } else if (!row->window) {
        fail_at(parser, parser->token.text.data, "'%s' takes no window and no arguments", row->name);
    } else {
        fail_expected(parser, row->interaction ? "a window such as 90d, 'ago 30d' or an interaction kind"
                                               : "a window such as 90d, or 'ago 30d' behind one");
    }
}

/* The slot's canonical text: what tier changes show. */
static struct bytes slot_text(struct parser *parser, const struct metric_slot *slot) {
    char text[128];
    int size = snprintf(text, sizeof text, "%s", metric_rows[slot->kind].name);
    const char *separator = "(";
    if (slot->interaction) {
        size += snprintf(text + size, sizeof text - (size_t)size, "%s%s", separator, interaction_name(slot->interaction));
        separator = ", ";
    }
    if (slot->window_days) {
        size += snprintf(text + size, sizeof text - (size_t)size, "%s%dd", separator, slot->window_days);
        separator = ", ";
    }
    if (slot->ago_days) {
        size += snprintf(text + size, sizeof text - (size_t)size, "%sago %dd", separator, slot->ago_days);
    }
    if (slot->interaction || slot->window_days) {
        size += snprintf(text + size, sizeof text - (size_t)size, ")");
    }
    return arena_copy(parser->scope->arena, bytes_of(text, (size_t)size));
}

static uint16_t slot_index(struct parser *parser, struct metric_slot slot) {
    struct metric_slots *slots = parser->scope->slots;
    for (size_t i = 0; i < slots->count; i++) {
        const struct metric_slot *known = &slots->slots[i];
        if (known->kind == slot.kind && known->interaction == slot.interaction &&
            known->window_days == slot.window_days && known->ago_days == slot.ago_days) {
            return (uint16_t)i;
        }
    }
    if (slots->count == METRIC_SLOTS_MAX) {
        fail_at(parser, parser->token.text.data, "the rules use more than %d different metrics", METRIC_SLOTS_MAX);
        return 0;
    }
    slot.text = slot_text(parser, &slot);
    slots->slots[slots->count] = slot;
    return (uint16_t)slots->count++;
}

static enum type parse_metric(struct parser *parser, enum metric_kind kind) {
    struct metric_slot slot = {.kind = kind};
    const struct metric_row *row = &metric_rows[kind];
    const char *start = parser->token.text.data;
    next(parser);
    if (accept(parser, "(")) {
        do {
            metric_argument(parser, row, &slot);
        } while (!parser->failed && accept(parser, ","));
        expect(parser, ")", "',' or ')'");
    }
    if (slot.ago_days && !slot.window_days) {
        return fail_at(parser, start, "'ago' needs a window: %s(90d, ago 30d)", row->name);
    }
    struct op *op = emit(parser, OP_METRIC);
    op->index = slot_index(parser, slot);
    return TYPE_NUMBER;
}

/* ---- other primaries ---- */

static enum type want(struct parser *parser, enum type is, enum type wanted, const char *at) {
    if (is == wanted || is == TYPE_FAILED) {
        return is;
    }
    return fail_at(parser, at,
                   wanted == TYPE_NUMBER ? "expected a number, but this is a truth value"
                                         : "expected a truth value such as a comparison, but this is a number");
}

static enum type parse_min_max(struct parser *parser, enum op_code code) {
    next(parser);
    expect(parser, "(", "'('");
    int count = 0;
    do {
        const char *at = parser->token.text.data;
        want(parser, parse_or(parser), TYPE_NUMBER, at);
        if (count++ > 0) {
            emit(parser, code);
        }
        if (count > RULE_ARGUMENTS_MAX) {
            return fail_at(parser, at, "more than %d arguments", RULE_ARGUMENTS_MAX);
        }
    } while (!parser->failed && accept(parser, ","));
    expect(parser, ")", "',' or ')'");
    return TYPE_NUMBER;
}

static enum type parse_known(struct parser *parser) {
    next(parser);
    expect(parser, "(", "'('");
    const char *at = parser->token.text.data;
    want(parser, parse_or(parser), TYPE_NUMBER, at);
    expect(parser, ")", "')'");
    emit(parser, OP_KNOWN);
    return TYPE_TRUTH;
}

/* tier(set) = name */
static enum type parse_tier(struct parser *parser) {
    const struct rule_scope *scope = parser->scope;
    next(parser);
    expect(parser, "(", "'(' and the name of a tier set");
    struct nearest nearest;
    nearest_init(&nearest, parser->token.text);
    size_t set = 0;
    while (set < scope->sets_count && !bytes_equal(scope->sets[set].name.text, parser->token.text)) {
        nearest_offer(&nearest, scope->sets[set++].name.text);
    }
    if (!parser->failed && set == scope->sets_count) {
        return fail_unknown(parser, "tier set", &parser->token, nearest.best);
    }
    next(parser);
    expect(parser, ")", "')'");
    bool is_not = is_symbol(parser, "!=");
    if (!parser->failed && !is_not && !is_symbol(parser, "=") && !is_symbol(parser, "==")) {
        return fail_expected(parser, "'=' or '!=' and the name of a tier");
    }
    next(parser);
    if (parser->failed) {
        return TYPE_FAILED;
    }
    nearest_init(&nearest, parser->token.text);
    const struct tier_set_spec *spec = &scope->sets[set];
    for (size_t tier = 0; tier < spec->tiers_count; tier++) {
        if (bytes_equal(spec->tiers[tier].name.text, parser->token.text)) {
            struct op *op = emit(parser, is_not ? OP_TIER_IS_NOT : OP_TIER_IS);
            op->index = (uint16_t)set;
            op->number = (double)tier;
            next(parser);
            return TYPE_TRUTH;
        }
        nearest_offer(&nearest, spec->tiers[tier].name.text);
    }
    return fail_unknown(parser, "tier", &parser->token, nearest.best);
}

static enum type parse_name(struct parser *parser) {
    struct nearest nearest;
    nearest_init(&nearest, parser->token.text);
    for (size_t i = 0; i < parser->scope->scores_count && !parser->scope->metric_only; i++) {
        struct bytes name = parser->scope->scores[i].name.text;
        if (bytes_equal(name, parser->token.text)) {
            emit(parser, OP_SCORE)->index = (uint16_t)i;
            next(parser);
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
    return fail_unknown(parser, parser->scope->metric_only ? "metric" : "metric or score", &parser->token, nearest.best);
}

static enum type parse_primary(struct parser *parser) {
    if (parser->token.kind == TOKEN_NUMBER) {
        emit(parser, OP_NUMBER)->number = parser->token.number;
        next(parser);
        return TYPE_NUMBER;
    }
    if (parser->token.kind == TOKEN_DAYS) {
        return fail_at(parser, parser->token.text.data, "a window stands in the parentheses of a metric: revenue(90d)");
    }
    if (is_symbol(parser, "(")) {
        if (++parser->nesting > RULE_NESTING_MAX) {
            return fail_at(parser, parser->token.text.data, "more than %d levels of parentheses", RULE_NESTING_MAX);
        }
        next(parser);
        enum type type = parse_or(parser);
        expect(parser, ")", "')'");
        parser->nesting--;
        return type;
    }
    if (parser->token.kind != TOKEN_NAME) {
        return fail_expected(parser, "a number, a metric, a score or '('");
    }
    if (is_name(parser, "min") || is_name(parser, "max") || is_name(parser, "known")) {
        if (++parser->nesting > RULE_NESTING_MAX) {
            return fail_at(parser, parser->token.text.data, "more than %d levels of parentheses", RULE_NESTING_MAX);
        }
        enum type type = is_name(parser, "known") ? parse_known(parser)
                                                  : parse_min_max(parser, is_name(parser, "min") ? OP_MIN : OP_MAX);
        parser->nesting--;
        return type;
    }
    return is_name(parser, "tier") ? parse_tier(parser) : parse_name(parser);
}

/* ---- operators, from the tightest to the loosest ---- */

static enum type parse_unary(struct parser *parser) {
    bool negative = false;
    while (is_symbol(parser, "-")) {
        negative = !negative;
        next(parser);
    }
    const char *at = parser->token.text.data;
    enum type type = parse_primary(parser);
    if (negative) {
        type = want(parser, type, TYPE_NUMBER, at);
        emit(parser, OP_NEGATE);
    }
    return type;
}

static enum type parse_product(struct parser *parser) {
    const char *left = parser->token.text.data;
    enum type type = parse_unary(parser);
    while (!parser->failed && (is_symbol(parser, "*") || is_symbol(parser, "/"))) {
        enum op_code code = is_symbol(parser, "*") ? OP_MULTIPLY : OP_DIVIDE;
        want(parser, type, TYPE_NUMBER, left);
        next(parser);
        const char *right = parser->token.text.data;
        type = want(parser, parse_unary(parser), TYPE_NUMBER, right);
        emit(parser, code);
    }
    return type;
}

static enum type parse_sum(struct parser *parser) {
    const char *left = parser->token.text.data;
    enum type type = parse_product(parser);
    while (!parser->failed && (is_symbol(parser, "+") || is_symbol(parser, "-"))) {
        enum op_code code = is_symbol(parser, "+") ? OP_ADD : OP_SUBTRACT;
        want(parser, type, TYPE_NUMBER, left);
        next(parser);
        const char *right = parser->token.text.data;
        type = want(parser, parse_product(parser), TYPE_NUMBER, right);
        emit(parser, code);
    }
    return type;
}

static bool comparing(const struct parser *parser, enum op_code *code) {
    static const struct {
        const char *symbol;
        enum op_code code;
    } comparers[] = {{"<", OP_LESS},           {"<=", OP_LESS_EQUAL}, {">", OP_GREATER},   {">=", OP_GREATER_EQUAL},
                     {"=", OP_EQUAL},          {"==", OP_EQUAL},      {"!=", OP_NOT_EQUAL}};
    for (size_t i = 0; i < sizeof comparers / sizeof *comparers; i++) {
        if (is_symbol(parser, comparers[i].symbol)) {
            *code = comparers[i].code;
            return true;
        }
    }
    return false;
}

/* The source between two bytes, runs of white space made one space. */
static struct bytes single_spaced(struct parser *parser, const char *from, const char *to) {
    char *text = arena_alloc(parser->scope->arena, (size_t)(to - from) + 1);
    if (!text) {
        fail_at(parser, from, "out of memory");
        return (struct bytes){NULL, 0};
    }
    size_t size = 0;
    for (const char *c = from; c < to; c++) {
        bool space = *c == ' ' || *c == '\t' || *c == '\n' || *c == '\r';
        if (!space || (size > 0 && text[size - 1] != ' ')) {
            text[size++] = space ? ' ' : *c;
        }
    }
    size -= size > 0 && text[size - 1] == ' ';
    return bytes_of(text, size);
}

static bool uses_elapsed(const struct parser *parser, size_t first, size_t end) {
    for (size_t i = first; i < end; i++) {
        const struct op *op = &parser->ops[i];
        if (op->code == OP_METRIC && metric_rows[parser->scope->slots->slots[op->index].kind].elapsed) {
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
    want(parser, type, TYPE_NUMBER, left_text);
    next(parser);
    const char *right_text = parser->token.text.data;
    size_t right = parser->ops_count;
    want(parser, parse_sum(parser), TYPE_NUMBER, right_text);
    enum op_code again;
    if (!parser->failed && comparing(parser, &again)) {
        return fail_at(parser, parser->token.text.data, "a comparison does not chain: join two with 'and'");
    }
    if (parser->comparisons_count == RULE_COMPARISONS_MAX) {
        return fail_at(parser, left_text, "more than %d comparisons in one rule", RULE_COMPARISONS_MAX);
    }
    struct op *op = emit(parser, code);
    op->index = (uint16_t)parser->comparisons_count;
    parser->comparisons[parser->comparisons_count++] = (struct comparison){
        .text = single_spaced(parser, left_text, parser->source->text.data + parser->last_end),
        .left = (uint16_t)left,
        .right = (uint16_t)right,
        .end = (uint16_t)(parser->ops_count - 1),
        .elapsed = uses_elapsed(parser, left, parser->ops_count),
    };
    return parser->failed ? TYPE_FAILED : TYPE_TRUTH;
}

static enum type parse_not(struct parser *parser) {
    bool negated = false;
    bool any = false;
    while (is_name(parser, "not")) {
        negated = !negated;
        any = true;
        next(parser);
    }
    const char *at = parser->token.text.data;
    enum type type = parse_comparison(parser);
    if (any) {
        type = want(parser, type, TYPE_TRUTH, at);
    }
    if (negated) {
        emit(parser, OP_NOT);
    }
    return type;
}

static enum type parse_and(struct parser *parser) {
    const char *left = parser->token.text.data;
    enum type type = parse_not(parser);
    while (!parser->failed && is_name(parser, "and")) {
        want(parser, type, TYPE_TRUTH, left);
        size_t skip = parser->ops_count;
        emit(parser, OP_SKIP_IF_FALSE);
        next(parser);
        const char *right = parser->token.text.data;
        type = want(parser, parse_not(parser), TYPE_TRUTH, right);
        if (skip < RULE_OPS_MAX) {
            parser->ops[skip].index = (uint16_t)parser->ops_count;
        }
    }
    return type;
}

static enum type parse_or(struct parser *parser) {
    const char *left = parser->token.text.data;
    enum type type = parse_and(parser);
    while (!parser->failed && is_name(parser, "or")) {
        want(parser, type, TYPE_TRUTH, left);
        size_t skip = parser->ops_count;
        emit(parser, OP_SKIP_IF_TRUE);
        next(parser);
        const char *right = parser->token.text.data;
        type = want(parser, parse_and(parser), TYPE_TRUTH, right);
        if (skip < RULE_OPS_MAX) {
            parser->ops[skip].index = (uint16_t)parser->ops_count;
        }
    }
    return type;
}

int rule_compile(const struct rule_scope *scope, const struct spec_text *text, struct rule *out,
                 struct model_error *error) {
    struct parser parser = {.scope = scope, .source = text, .error = error};
    next(&parser);
    const char *start = parser.token.text.data;
    if (parser.token.kind == TOKEN_END) {
        fail_at(&parser, start, scope->metric_only ? "expected a metric" : "the rule is empty");
    }
    enum type type = parser.failed ? TYPE_FAILED : parse_or(&parser);
    if (!parser.failed && parser.token.kind != TOKEN_END) {
        fail_expected(&parser, "an operator or the end");
    }
    if (!parser.failed && scope->metric_only) {
        if (parser.ops_count != 1 || parser.ops[0].code != OP_METRIC) {
            fail_at(&parser, start, "expected one metric such as revenue(90d)");
        }
    } else {
        want(&parser, type, TYPE_TRUTH, start);
    }
    if (parser.failed) {
        return ERR_INVALID;
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

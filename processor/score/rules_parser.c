#include "score/rules_parser.h"

#include <stdarg.h>
#include <stdio.h>

/* Position of a byte of the source as line and column of the file; folded texts keep their first line. */
static void locate(struct parser *parser, const char *at) {
    parser->error->line = parser->source->line;
    parser->error->column = parser->source->column + (int)(at - parser->source->text.data);
}

enum type parser_fail_at(struct parser *parser, const char *at, const char *format, ...) {
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

enum type parser_fail_expected(struct parser *parser, const char *expected) {
    char text[64];
    return parser_fail_at(parser, parser->token.text.data, "expected %s, found %s", expected,
                          token_words(parser, text, sizeof text));
}

enum type parser_fail_unknown(struct parser *parser, const char *kind, const struct token *token,
                              struct bytes nearest) {
    int size = (int)(token->text.size < 60 ? token->text.size : 60);
    if (nearest.data) {
        return parser_fail_at(parser, token->text.data, "unknown %s '%.*s'; did you mean '%.*s'?", kind, size,
                              token->text.data, (int)nearest.size, nearest.data);
    }
    return parser_fail_at(parser, token->text.data, "unknown %s '%.*s'", kind, size, token->text.data);
}

void parser_next(struct parser *parser) {
    parser->last_end = parser->after;
    parser->token = lexer_next(parser->source->text, parser->after);
    parser->after = (size_t)(parser->token.text.data - parser->source->text.data) + parser->token.text.size;
    if (parser->token.kind == TOKEN_BAD) {
        char text[64];
        parser_fail_at(parser, parser->token.text.data, "%s cannot be read here",
                       token_words(parser, text, sizeof text));
    }
}

bool parser_is_symbol(const struct parser *parser, const char *symbol) {
    return parser->token.kind == TOKEN_SYMBOL && bytes_equal_text(parser->token.text, symbol);
}

bool parser_is_name(const struct parser *parser, const char *name) {
    return parser->token.kind == TOKEN_NAME && bytes_equal_text(parser->token.text, name);
}

bool parser_accept(struct parser *parser, const char *symbol) {
    if (!parser_is_symbol(parser, symbol)) {
        return false;
    }
    parser_next(parser);
    return true;
}

void parser_expect(struct parser *parser, const char *symbol, const char *words) {
    if (!parser_accept(parser, symbol)) {
        parser_fail_expected(parser, words);
    }
}

struct op *parser_emit(struct parser *parser, enum op_code code) {
    static struct op overflow; /* written and never read: the parse has failed */
    if (parser->ops_count == RULE_OPS_MAX) {
        parser_fail_at(parser, parser->token.text.data, "the rule is too long (more than %d steps)", RULE_OPS_MAX);
        return &overflow;
    }
    struct op *op = &parser->ops[parser->ops_count++];
    *op = (struct op){.code = code};
    return op;
}

enum type parser_want(struct parser *parser, enum type is, enum type wanted, const char *at) {
    if (is == wanted || is == TYPE_FAILED) {
        return is;
    }
    return parser_fail_at(parser, at,
                          wanted == TYPE_NUMBER ? "expected a number, but this is a truth value"
                                                : "expected a truth value such as a comparison, but this is a number");
}

/* Runs of white space made one space. */
struct bytes parser_text_from(struct parser *parser, const char *from) {
    if (parser->failed) {
        return (struct bytes){NULL, 0};
    }
    const char *to = parser->source->text.data + parser->last_end;
    char *text = arena_alloc(parser->scope->arena, (size_t)(to - from) + 1);
    if (!text) {
        parser->no_memory = parser->failed = true;
        return (struct bytes){NULL, 0};
    }
    size_t size = 0;
    for (const char *c = from; c < to; c++) {
        bool space = *c == ' ' || *c == '\t' || *c == '\n' || *c == '\r';
        if (!space || text[size - 1] != ' ') { /* tokens begin and end it, so no space does */
            text[size++] = space ? ' ' : *c;
        }
    }
    return bytes_of(text, size);
}

static bool uses_elapsed(const struct parser *parser, size_t first, size_t end) {
    for (size_t i = first; i < end; i++) {
        const struct op *op = &parser->ops[i];
        if (op->code == OP_METRIC && metric_moves(parser->scope->slots->slots[op->index].kind)) {
            return true;
        }
    }
    return false;
}

enum type parser_add_comparison(struct parser *parser, const char *at, struct bytes text, size_t left, size_t right) {
    if (parser->failed) {
        return TYPE_FAILED;
    }
    if (parser->comparisons_count == RULE_COMPARISONS_MAX) {
        return parser_fail_at(parser, at, "more than %d comparisons in one rule", RULE_COMPARISONS_MAX);
    }
    parser->comparisons[parser->comparisons_count++] = (struct comparison){
        .text = text,
        .left = (uint16_t)left,
        .right = (uint16_t)right,
        .end = (uint16_t)(parser->ops_count - 1),
        .elapsed = uses_elapsed(parser, left, parser->ops_count),
    };
    return TYPE_TRUTH;
}

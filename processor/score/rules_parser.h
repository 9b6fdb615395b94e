/* The inside of the rule language's parser: rules_parser.c (tokens, errors, writing ops), rules_primary.c (what stands alone:
 * numbers, metrics, names, parentheses), rules_sugar.c (trend, rising, constants), rules_parse.c (operators, and the whole
 * rule). */
#ifndef TIDEMARK_SCORE_RULES_PARSER_H
#define TIDEMARK_SCORE_RULES_PARSER_H

#include "score/rules.h"
#include "score/rules_lexer.h"

enum type { TYPE_NUMBER, TYPE_TRUTH, TYPE_FAILED };

struct parser {
    const struct rule_scope *scope;
    const struct spec_text *source;
    struct model_error *error;
    bool failed;
    bool no_memory;     /* that is why; the message is the caller's */
    struct token token; /* the current one */
    size_t after;       /* where the next one starts */
    size_t last_end;    /* where the one before ended */
    int nesting;
    struct op ops[RULE_OPS_MAX];
    size_t ops_count;
    struct comparison comparisons[RULE_COMPARISONS_MAX];
    size_t comparisons_count;
};

/* The first failure wins; all of these return TYPE_FAILED. `at` is the byte of the source that is to blame. */
PRINTF_LIKE(3, 4) enum type parser_fail_at(struct parser *parser, const char *at, const char *format, ...);
/* "expected X, found 'y'" at the current token. */
enum type parser_fail_expected(struct parser *parser, const char *expected);
/* "unknown metric 'x'; did you mean 'y'?" */
enum type parser_fail_unknown(struct parser *parser, const char *kind, const struct token *token, struct bytes nearest);

void parser_next(struct parser *parser);
bool parser_is_symbol(const struct parser *parser, const char *symbol);
bool parser_is_name(const struct parser *parser, const char *name);
bool parser_accept(struct parser *parser, const char *symbol);
void parser_expect(struct parser *parser, const char *symbol, const char *words);
/* Appends an op. Never NULL; a rule that is too long has failed. */
struct op *parser_emit(struct parser *parser, enum op_code code);
/* Fails unless the type is the wanted one. */
enum type parser_want(struct parser *parser, enum type is, enum type wanted, const char *at);
/* The source between `from` and here, single-spaced. */
struct bytes parser_text_from(struct parser *parser, const char *from);
/* What a tier change will show as a condition: its text, and the first ops of its sides; the last op so far compares. `at` is
 * where it stands in the source. */
enum type parser_add_comparison(struct parser *parser, const char *at, struct bytes text, size_t left, size_t right);

/* rules_primary.c */
enum type parse_primary(struct parser *parser);
/* The window at the current token, in days. */
int parser_window(struct parser *parser);
/* The number of the slot, which is added if it is new; `at` is where its metric stands in the source. */
uint16_t parser_slot(struct parser *parser, const char *at, struct metric_slot slot);

/* rules_sugar.c: trend(metric, w) and rising(w) from their names on, written out. */
enum type parse_trend(struct parser *parser);
enum type parse_rising(struct parser *parser);
/* Fails where a named number among the ops of a comparison meets no metric that it is a value of: `purchase > 3` is a slip. */
void parser_check_constants(struct parser *parser, const char *text, size_t first, size_t end);
/* The loosest operator: any expression. */
enum type parse_rule_or(struct parser *parser);

#endif

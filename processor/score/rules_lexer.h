/* Tokens of the rule language, for rules_parse.c. */
#ifndef TIDEMARK_SCORE_RULES_LEXER_H
#define TIDEMARK_SCORE_RULES_LEXER_H

#include "base/bytes.h"

enum token_kind {
    TOKEN_END,
    TOKEN_NUMBER,
    TOKEN_DAYS, /* 90d */
    TOKEN_NAME,
    TOKEN_SYMBOL, /* one of the operators or punctuation; the text says which */
    TOKEN_BAD
};

struct token {
    enum token_kind kind;
    struct bytes text;
    double number; /* of NUMBER and DAYS */
};

/* The token that starts at or after `at`. */
struct token lexer_next(struct bytes source, size_t at);

/* The candidate nearest to `name` by edit distance, if it is near enough to be meant; else data NULL. Feed candidates one by
 * one with nearest_offer. */
struct nearest {
    struct bytes name;
    struct bytes best;
    size_t distance;
};
void nearest_init(struct nearest *nearest, struct bytes name);
void nearest_offer(struct nearest *nearest, struct bytes candidate);

#endif

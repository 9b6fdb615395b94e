#include "score/rules_lexer.h"

#include <stdlib.h>

enum { NAME_COMPARED_MAX = 64, NUMBER_TEXT_MAX = 64 };

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static struct token number_token(struct bytes source, size_t at) {
    size_t end = at;
    bool dot = false;
    while (end < source.size && (is_digit(source.data[end]) || (source.data[end] == '.' && !dot))) {
        dot |= source.data[end++] == '.';
    }
    char text[NUMBER_TEXT_MAX];
    size_t size = end - at;
    struct token token = {TOKEN_NUMBER, bytes_of(source.data + at, size), 0};
    if (size >= sizeof text) {
        token.kind = TOKEN_BAD;
        return token;
    }
    memcpy(text, source.data + at, size);
    text[size] = '\0';
    token.number = strtod(text, NULL);
    bool days = end < source.size && source.data[end] == 'd' &&
                (end + 1 == source.size || (!is_letter(source.data[end + 1]) && !is_digit(source.data[end + 1])));
    if (days) {
        token.kind = TOKEN_DAYS;
        token.text.size++;
    } else if (end < source.size && is_letter(source.data[end])) {
        while (end < source.size && (is_letter(source.data[end]) || is_digit(source.data[end]))) {
            end++;
        }
        token.kind = TOKEN_BAD;
        token.text.size = end - at;
    }
    return token;
}

struct token lexer_next(struct bytes source, size_t at) {
    static const char *const pairs[] = {"<=", ">=", "!=", "=="};
    while (at < source.size &&
           (source.data[at] == ' ' || source.data[at] == '\t' || source.data[at] == '\n' || source.data[at] == '\r')) {
        at++;
    }
    if (at == source.size) {
        return (struct token){TOKEN_END, bytes_of(source.data + at, 0), 0};
    }
    char c = source.data[at];
    if (is_digit(c) || (c == '.' && at + 1 < source.size && is_digit(source.data[at + 1]))) {
        return number_token(source, at);
    }
    if (is_letter(c)) {
        size_t end = at;
        while (end < source.size && (is_letter(source.data[end]) || is_digit(source.data[end]))) {
            end++;
        }
        return (struct token){TOKEN_NAME, bytes_of(source.data + at, end - at), 0};
    }
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (at + 1 < source.size && memcmp(source.data + at, pairs[i], 2) == 0) {
            return (struct token){TOKEN_SYMBOL, bytes_of(source.data + at, 2), 0};
        }
    }
    bool known = strchr("<>=+-*/(),", c) != NULL && c != '\0';
    return (struct token){known ? TOKEN_SYMBOL : TOKEN_BAD, bytes_of(source.data + at, 1), 0};
}

void nearest_init(struct nearest *nearest, struct bytes name) {
    *nearest = (struct nearest){.name = name, .distance = name.size / 3 + 2}; /* a slip or two, more in longer names */
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Levenshtein distance, row by row. */
static size_t distance(struct bytes a, struct bytes b) {
    size_t row[NAME_COMPARED_MAX + 1];
    for (size_t j = 0; j <= b.size; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a.size; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.size; j++) {
            size_t above = row[j];
            size_t replaced = diagonal + (a.data[i - 1] != b.data[j - 1]);
            row[j] = least(least(row[j] + 1, row[j - 1] + 1), replaced);
            diagonal = above;
        }
    }
    return row[b.size];
}

void nearest_offer(struct nearest *nearest, struct bytes candidate) {
    if (nearest->name.size > NAME_COMPARED_MAX || candidate.size > NAME_COMPARED_MAX) {
        return;
    }
    size_t far = distance(nearest->name, candidate);
    if (far < nearest->distance) {
        nearest->distance = far;
        nearest->best = candidate;
    }
}

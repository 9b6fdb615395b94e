#include "serve/http_parts.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <strings.h>

/* ---- ids ---- */

static int hex_digit(char character) {
    if (character >= '0' && character <= '9') {
        return character - '0';
    }
    char lower = (char)(character | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The byte that an escape like %2F stands for, or -1. */
static int escaped_byte(struct bytes text, size_t at) {
    if (text.size - at < 3) {
        return -1;
    }
    int high = hex_digit(text.data[at + 1]);
    int low = hex_digit(text.data[at + 2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

enum unescaped { UNESCAPED, UNESCAPED_MALFORMED, UNESCAPED_NUL, UNESCAPED_TOO_LONG, UNESCAPED_NO_TEXT };

/* evhttp_uridecode would let malformed escapes pass as they are, so that one customer had several spellings. */
static enum unescaped unescape(struct bytes escaped, char text[HTTP_ID_BYTES_MAX], size_t *size) {
    *size = 0;
    for (size_t at = 0; at < escaped.size; at++) {
        int byte = (unsigned char)escaped.data[at];
        if (byte == '%') {
            byte = escaped_byte(escaped, at);
            at += 2;
        }
        if (byte <= 0) {
            return byte < 0 ? UNESCAPED_MALFORMED : UNESCAPED_NUL;
        }
        if (*size == HTTP_ID_BYTES_MAX) {
            return UNESCAPED_TOO_LONG;
        }
        text[(*size)++] = (char)byte;
    }
    return bytes_are_text(bytes_of(text, *size)) ? UNESCAPED : UNESCAPED_NO_TEXT;
}

const char *http_customer_id(struct bytes escaped, char id[HTTP_ID_BYTES_MAX], size_t *size) {
    static const char *const wrong[] = {
        [UNESCAPED] = NULL,
        [UNESCAPED_MALFORMED] = "A '%' in the customer id is not followed by two hex digits.",
        [UNESCAPED_NUL] = "The customer id contains a NUL byte.",
        [UNESCAPED_TOO_LONG] = "The customer id is longer than 256 bytes.",
        [UNESCAPED_NO_TEXT] = "The customer id is not valid UTF-8.",
    };
    return wrong[unescape(escaped, id, size)];
}

/* ---- parameters ---- */

/* What stands behind "name=" in the query; data NULL: it is not there. */
static struct bytes parameter(struct http_query *query, const char *name) {
    struct bytes found = {NULL, 0};
    size_t name_size = strlen(name);
    for (const char *at = query->text; at && *at && !query->wrong[0];) {
        size_t size = strcspn(at, "&");
        bool is_named =
            size >= name_size && strncmp(at, name, name_size) == 0 && (size == name_size || at[name_size] == '=');
        if (is_named && found.data) {
            snprintf(query->wrong, sizeof query->wrong, "The parameter '%s' is given twice.", name);
        } else if (is_named) {
            size_t skipped = size == name_size ? size : name_size + 1;
            found = bytes_of(at + skipped, size - skipped);
        }
        at += at[size] ? size + 1 : size;
    }
    return query->wrong[0] ? bytes_of(NULL, 0) : found;
}

static bool parse_number(struct bytes digits, int64_t most, int64_t *number) {
    int64_t value = 0;
    for (size_t i = 0; i < digits.size; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9' || value > most / 10) {
            return false;
        }
        value = value * 10 + (digits.data[i] - '0');
    }
    *number = value;
    return digits.size > 0;
}

int64_t http_query_number(struct http_query *query, const char *name, int64_t least, int64_t most, int64_t absent) {
    struct bytes digits = parameter(query, name);
    int64_t number = absent;
    if (digits.data && (!parse_number(digits, most, &number) || number < least || number > most)) {
        snprintf(query->wrong, sizeof query->wrong,
                 "The parameter '%s' is not a whole number from %" PRId64 " to %" PRId64 ".", name, least, most);
    }
    return number;
}

int http_query_word(struct http_query *query, const char *name, const char *const *words) {
    struct bytes given = parameter(query, name);
    if (!given.data) {
        return -1;
    }
    int size = snprintf(query->wrong, sizeof query->wrong, "The parameter '%s' is not one of:", name);
    for (int i = 0; words[i]; i++) {
        if (bytes_equal_text(given, words[i])) {
            query->wrong[0] = '\0';
            return i;
        }
        size += snprintf(query->wrong + size, sizeof query->wrong - (size_t)size, " %s%s", words[i],
                         words[i + 1] ? "," : ".");
        ASSERT((size_t)size < sizeof query->wrong);
    }
    return -1;
}

struct bytes http_query_text(struct http_query *query, const char *name, char room[HTTP_ID_BYTES_MAX]) {
    struct bytes escaped = parameter(query, name);
    struct bytes text = {escaped.data ? room : NULL, 0};
    if (escaped.data && unescape(escaped, room, &text.size) != UNESCAPED) {
        snprintf(query->wrong, sizeof query->wrong,
                 "The parameter '%s' is not percent-encoded UTF-8 without NUL, of at most %d bytes.", name,
                 HTTP_ID_BYTES_MAX);
    }
    return text;
}

/* ---- tokens ---- */

bool http_token_matches(const char *authorization, const char *token) {
    static const char scheme[] = "Bearer ";
    if (!authorization || strncasecmp(authorization, scheme, sizeof scheme - 1) != 0) {
        return false;
    }
    const char *given = authorization + sizeof scheme - 1;
    given += strspn(given, " ");
    size_t size = strlen(token);
    /* The time tells the length at most, never how many bytes were right. */
    return strlen(given) == size && CRYPTO_memcmp(given, token, size) == 0;
}

/* ---- encodings ---- */

/* The weight of "gzip" or "*" (RFC 9110, 12.5.3) is above 0: no more is asked. */
bool http_accepts_gzip(const char *accept_encoding) {
    bool accepts = false;
    for (const char *at = accept_encoding; at && *at;) {
        at += strspn(at, " \t,");
        size_t size = strcspn(at, " \t,;");
        bool any = size == 1 && *at == '*';
        bool gzip = size == 4 && strncasecmp(at, "gzip", 4) == 0;
        const char *end = at + strcspn(at, ",");
        const char *weight = at + size + strspn(at + size, " \t;");
        /* "q=0", "q=0.000": no digit but zeros. */
        bool refused =
            weight < end && strncasecmp(weight, "q=0", 3) == 0 && weight + 3 + strspn(weight + 3, ".0 \t") >= end;
        if (gzip) {
            return !refused;
        }
        accepts = accepts || (any && !refused);
        at = end;
    }
    return accepts;
}

/* ---- entity tags ---- */

/* Weak comparison (RFC 9110, 8.8.3.2): If-None-Match ignores the W/ in front of a tag. */
bool http_etag_matches(const char *if_none_match, const char *etag) {
    size_t etag_size = strlen(etag);
    for (const char *at = if_none_match; at && *at;) {
        at += strspn(at, " \t,");
        if (*at == '*') {
            return true;
        }
        at += strncmp(at, "W/", 2) == 0 ? 2 : 0;
        if (strncmp(at, etag, etag_size) == 0) {
            return true;
        }
        if (*at != '"') {
            return false; /* not a list of tags */
        }
        const char *end = strchr(at + 1, '"');
        at = end ? end + 1 : NULL;
    }
    return false;
}

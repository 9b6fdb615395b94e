#include "base/clock.h"
#include "serve/http_parts.h"

#include <openssl/crypto.h>
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

/* evhttp_uridecode would let malformed escapes pass as they are, so that one customer had several
 * spellings. */
const char *http_customer_id(struct bytes escaped, char id[HTTP_ID_BYTES_MAX], size_t *size) {
    *size = 0;
    for (size_t at = 0; at < escaped.size; at++) {
        int byte = (unsigned char)escaped.data[at];
        if (byte == '%') {
            byte = escaped_byte(escaped, at);
            at += 2;
        }
        if (byte < 0) {
            return "A '%' in the customer id is not followed by two hex digits.";
        }
        if (byte == 0) {
            return "The customer id contains a NUL byte.";
        }
        if (*size == HTTP_ID_BYTES_MAX) {
            return "The customer id is longer than 256 bytes.";
        }
        id[(*size)++] = (char)byte;
    }
    return bytes_are_text(bytes_of(id, *size)) ? NULL : "The customer id is not valid UTF-8.";
}

/* ---- times ---- */

/* The end of the year 9999: a later one is a mistake (microseconds, say), and far below where sums
 * would overflow. */
#define AT_MS_MAX INT64_C(253402300799999)

static bool parse_at(struct bytes digits, int64_t *at_ms) {
    int64_t value = 0;
    for (size_t i = 0; i < digits.size; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9') {
            return false;
        }
        value = value * 10 + (digits.data[i] - '0');
        if (value > AT_MS_MAX) {
            return false;
        }
    }
    *at_ms = value;
    return digits.size > 0;
}

/* Other parameters are left alone, as anywhere on the web. */
const char *http_query_at(const char *query, int64_t *at_ms) {
    *at_ms = TIME_NONE;
    for (const char *at = query; at && *at;) {
        size_t size = strcspn(at, "&");
        bool is_at = strncmp(at, "at", 2) == 0 && (size == 2 || at[2] == '=');
        if (is_at && *at_ms != TIME_NONE) {
            return "The parameter 'at' is given twice.";
        }
        if (is_at && (size < 3 || !parse_at(bytes_of(at + 3, size - 3), at_ms))) {
            return "The parameter 'at' is not a time: milliseconds since 1970 up to "
                   "253402300799999.";
        }
        at += at[size] ? size + 1 : size;
    }
    return NULL;
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

#include "state/redis_url.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const char port_default[] = "6379";

enum { DATABASE_MAX = 1 << 20, DATABASE_DIGITS_MAX = 7 };

static int hex_digit(char c) {
    return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* Copies what is before `end`, with %xx decoded. */
static int copy_decoded(char *to, size_t size, const char *from, const char *end) {
    size_t at = 0;
    while (from < end) {
        char c = *from++;
        if (c == '%') {
            if (end - from < 2 || !isxdigit((unsigned char)from[0]) || !isxdigit((unsigned char)from[1])) {
                return ERR_INVALID;
            }
            c = (char)(hex_digit(from[0]) * 16 + hex_digit(from[1]));
            from += 2;
        }
        if (c == '\0' || at + 1 >= size) {
            return ERR_INVALID;
        }
        to[at++] = c;
    }
    to[at] = '\0';
    return 0;
}

static int parse_database(const char *text, int *out) {
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > DATABASE_DIGITS_MAX || text[digits] != '\0') {
        return ERR_INVALID;
    }
    *out = atoi(text);
    return *out <= DATABASE_MAX ? 0 : ERR_INVALID;
}

/* The `@` that ends the credentials: the last one, as a password may hold others. */
static const char *last_at_sign(const char *at, const char *end) {
    for (const char *from = end; from > at; from--) {
        if (from[-1] == '@') {
            return from - 1;
        }
    }
    return NULL;
}

static int parse_credentials(const char *at, const char *end, struct redis_url *out) {
    const char *colon = memchr(at, ':', (size_t)(end - at));
    if (copy_decoded(out->user, sizeof out->user, at, colon ? colon : end)) {
        return ERR_INVALID;
    }
    return colon ? copy_decoded(out->password, sizeof out->password, colon + 1, end) : 0;
}

static int parse_host(const char *at, const char *end, struct redis_url *out) {
    const char *port;
    int error;
    if (at < end && *at == '[') {
        const char *bracket = memchr(at, ']', (size_t)(end - at));
        if (!bracket) {
            return ERR_INVALID;
        }
        error = copy_decoded(out->host, sizeof out->host, at + 1, bracket);
        port = bracket + 1;
    } else {
        const char *colon = memchr(at, ':', (size_t)(end - at));
        port = colon ? colon : end;
        error = copy_decoded(out->host, sizeof out->host, at, port);
    }
    if (error || !out->host[0]) {
        return ERR_INVALID;
    }
    if (port == end) {
        memcpy(out->port, port_default, sizeof port_default);
        return 0;
    }
    if (*port != ':' || copy_decoded(out->port, sizeof out->port, port + 1, end) || !out->port[0] ||
        out->port[strspn(out->port, "0123456789")] != '\0') {
        return ERR_INVALID;
    }
    int number = atoi(out->port); /* at most seven digits */
    return number >= 1 && number <= 65535 ? 0 : ERR_INVALID;
}

static int parse_unix(const char *path, struct redis_url *out) {
    const char *query = strchr(path, '?');
    out->unix_socket = true;
    if (copy_decoded(out->host, sizeof out->host, path, query ? query : path + strlen(path)) || out->host[0] != '/') {
        return ERR_INVALID;
    }
    if (!query) {
        return 0;
    }
    return strncmp(query, "?db=", 4) == 0 ? parse_database(query + 4, &out->database) : ERR_INVALID;
}

int redis_url_parse(const char *url, struct redis_url *out) {
    *out = (struct redis_url){.database = 0};
    if (strncmp(url, "unix://", 7) == 0) {
        return parse_unix(url + 7, out);
    }
    out->tls = strncmp(url, "rediss://", 9) == 0;
    if (!out->tls && strncmp(url, "redis://", 8) != 0) {
        return ERR_INVALID;
    }
    const char *at = url + (out->tls ? 9 : 8);
    const char *path = strchr(at, '/');
    const char *end = path ? path : at + strlen(at);
    const char *sign = last_at_sign(at, end);
    if (sign && parse_credentials(at, sign, out)) {
        return ERR_INVALID;
    }
    if (parse_host(sign ? sign + 1 : at, end, out)) {
        return ERR_INVALID;
    }
    return path && path[1] ? parse_database(path + 1, &out->database) : 0;
}

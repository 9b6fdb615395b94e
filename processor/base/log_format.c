#include "base/log_format.h"

#include "base/bytes.h"

#include <ctype.h>
#include <stdio.h>

enum {
    TAIL_BYTES = 2,        /* a closing brace and the line's end: always left free */
    ESCAPE_BYTES = 6,      /* \u001f */
    NUMBER_DIGITS_MAX = 15 /* as many as a double keeps: JSON's readers have nothing better */
};

struct text {
    enum log_format format;
    char *data;
    size_t size;
    size_t room; /* without the tail */
};

struct field {
    struct bytes name;
    struct bytes value;
    bool quoted;
};

static void put(struct text *text, const char *words) {
    size_t size = strlen(words);
    ASSERT(text->size <= text->room);
    if (size <= text->room - text->size) {
        memcpy(text->data + text->size, words, size);
        text->size += size;
    }
}

static void put_char(struct text *text, unsigned char c) {
    char escaped[ESCAPE_BYTES + 1] = {(char)c, '\0'};
    if (c == '"' || c == '\\') {
        snprintf(escaped, sizeof escaped, "\\%c", c);
    } else if (c == '\n' || c == '\r' || c == '\t') {
        snprintf(escaped, sizeof escaped, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
    } else if (c < ' ' || c == 0x7f) {
        snprintf(escaped, sizeof escaped, "\\u%04x", c);
    }
    put(text, escaped);
}

/* Where a value that is no UTF-8 has other than ASCII, '?' stands: JSON knows nothing else. */
static void put_quoted(struct text *text, struct bytes value) {
    bool good = bytes_are_text(value);
    if (text->room - text->size < 2) {
        return;
    }
    put(text, "\"");
    for (size_t i = 0; i < value.size; i++) {
        unsigned char c = (unsigned char)value.data[i];
        bool begins = !good || c < 0x80 || c >= 0xc0;
        if (begins && text->room - text->size < ESCAPE_BYTES + 1) {
            break; /* never in the middle of a character; room for the quote stays */
        }
        put_char(text, c >= 0x80 && !good ? '?' : c);
    }
    put(text, "\"");
}

/* JSON's numbers, as far as their readers keep them: 12, -3, 0.25. */
static bool is_number(struct bytes value) {
    size_t i = value.size > 0 && value.data[0] == '-';
    size_t digits = 0;
    size_t points = 0;
    if (i + 1 < value.size && value.data[i] == '0' && value.data[i + 1] != '.') {
        return false;
    }
    for (; i < value.size; i++) {
        bool point = value.data[i] == '.' && digits > 0 && i + 1 < value.size;
        if (!point && !isdigit((unsigned char)value.data[i])) {
            return false;
        }
        points += point;
        digits += !point;
    }
    return digits > 0 && digits <= NUMBER_DIGITS_MAX && points <= 1;
}

static void put_field(struct text *text, const struct field *field) {
    bool json = text->format == LOG_JSON;
    if (text->room - text->size < field->name.size + 6) { /* a separator, two quotes, an equals sign, two more quotes */
        return;
    }
    put(text, text->size <= 1 ? "" : json ? "," : " ");
    if (json) {
        put_quoted(text, field->name);
        put(text, ":");
    } else {
        memcpy(text->data + text->size, field->name.data, field->name.size);
        text->size += field->name.size;
        put(text, "=");
    }
    bool bare = !field->quoted && field->value.size <= text->room - text->size && (!json || is_number(field->value));
    if (bare) {
        memcpy(text->data + text->size, field->value.data, field->value.size);
        text->size += field->value.size;
    } else {
        put_quoted(text, field->value);
    }
}

static bool starts_field(const char *at) {
    size_t name = strspn(at, "abcdefghijklmnopqrstuvwxyz_0123456789");
    return name > 0 && at[name] == '=';
}

/* The quote that closes a value is the one behind which the line ends, or the next field begins. */
static const char *closing_quote(const char *at) {
    const char *quote = strchr(at, '"');
    while (quote && quote[1] != '\0' && !(quote[1] == ' ' && starts_field(quote + 2))) {
        quote = strchr(quote + 1, '"');
    }
    return quote ? quote : at + strlen(at);
}

/* The next field of the text; what is none is passed over. */
static bool next_field(const char **at, struct field *field) {
    const char *name = *at;
    while (*name && !starts_field(name)) {
        name += strcspn(name, " ");
        name += strspn(name, " ");
    }
    if (*name == '\0') {
        return false;
    }
    const char *equals = strchr(name, '=');
    const char *value = equals + 1;
    field->name = bytes_of(name, (size_t)(equals - name));
    field->quoted = *value == '"';
    value += field->quoted;
    const char *end = field->quoted ? closing_quote(value) : value + strcspn(value, " ");
    field->value = bytes_of(value, (size_t)(end - value));
    *at = end + (*end == '"');
    *at += strspn(*at, " ");
    return true;
}

static void put_text(struct text *text, const char *name, const char *value, bool quoted) {
    put_field(text, &(struct field){bytes_of_text(name), bytes_of_text(value), quoted});
}

size_t log_format_line(enum log_format format, const struct log_record *record, char *line, size_t room) {
    struct text text = {format, line, 0, room - TAIL_BYTES};
    put(&text, format == LOG_JSON ? "{" : "");
    put_text(&text, "ts", record->time, false);
    put_text(&text, "level", record->level, false);
    put_text(&text, "msg", record->message, true);
    if (record->left_out > 0) {
        char number[16];
        snprintf(number, sizeof number, "%d", record->left_out);
        put_text(&text, "left_out", number, false);
    }
    const char *at = record->fields;
    struct field field;
    while (next_field(&at, &field)) {
        put_field(&text, &field);
    }
    if (format == LOG_JSON) {
        line[text.size++] = '}';
    }
    line[text.size++] = '\n';
    return text.size;
}

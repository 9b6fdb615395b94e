#include "run/config_units.h"

#include "base/clock.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct unit {
    const char *name;
    double factor;
};

bool parse_number(struct bytes text, double *number) {
    char copy[64];
    char *end;
    if (text.size == 0 || text.size >= sizeof copy || isspace((unsigned char)text.data[0])) {
        return false;
    }
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    *number = strtod(copy, &end);
    return end == copy + text.size && isfinite(*number) && strpbrk(copy, "xXpPnN") == NULL;
}

/* A number and one of the units right behind it. */
static bool parse_quantity(struct bytes text, const struct unit *units, size_t units_count, double limit, double *out) {
    size_t digits = 0;
    while (digits < text.size && (isdigit((unsigned char)text.data[digits]) || text.data[digits] == '.')) {
        digits++;
    }
    struct bytes name = bytes_of(text.data + digits, text.size - digits);
    double number;
    if (!parse_number(bytes_of(text.data, digits), &number)) {
        return false;
    }
    for (size_t i = 0; i < units_count; i++) {
        if (bytes_equal_text(name, units[i].name)) {
            *out = number * units[i].factor;
            return *out <= limit;
        }
    }
    return false;
}

bool parse_duration(struct bytes text, int64_t *ms) {
    static const struct unit units[] = {
        {"ms", 1}, {"s", MS_PER_SECOND}, {"m", MS_PER_MINUTE}, {"h", MS_PER_HOUR}, {"d", MS_PER_DAY}};
    double value;
    if (!parse_quantity(text, units, sizeof units / sizeof *units, 1e14, &value)) {
        return false;
    }
    *ms = (int64_t)llround(value);
    return true;
}

bool parse_size(struct bytes text, size_t *bytes) {
    static const struct unit units[] = {{"", 1}, {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824}};
    double value;
    if (!parse_quantity(text, units, sizeof units / sizeof *units, 1e15, &value)) {
        return false;
    }
    *bytes = (size_t)value;
    return true;
}

bool parse_whole(struct bytes text, int64_t *number) {
    char copy[24];
    char *end;
    if (text.size == 0 || text.size >= sizeof copy || !(isdigit((unsigned char)text.data[0]) || text.data[0] == '-')) {
        return false;
    }
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    errno = 0;
    *number = strtoll(copy, &end, 10);
    return end == copy + text.size && errno == 0;
}

bool parse_nano(struct bytes text, int64_t *nano) {
    int64_t value = 0;
    int places = -1; /* behind the point; -1: no point yet */
    bool digits = false;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c == '.' && places < 0) {
            places = 0;
        } else if (isdigit((unsigned char)c) && places < 9 && value < INT64_MAX / 10 - 10) {
            value = value * 10 + (c - '0');
            places += places >= 0;
            digits = true;
        } else {
            return false;
        }
    }
    for (int i = places < 0 ? 0 : places; i < 9; i++) {
        if (value > INT64_MAX / 10) {
            return false;
        }
        value *= 10;
    }
    *nano = value;
    return digits && value > 0;
}

bool parse_flag(struct bytes text, bool *flag) {
    *flag = bytes_equal_text(text, "true");
    return *flag || bytes_equal_text(text, "false");
}

bool parse_address(struct bytes text, char *host, int *port) {
    const char *colon = memrchr(text.data, ':', text.size);
    int64_t number;
    if (!colon) {
        return false;
    }
    struct bytes name = bytes_of(text.data, (size_t)(colon - text.data));
    if (name.size > 1 && name.data[0] == '[' && name.data[name.size - 1] == ']') {
        name = bytes_of(name.data + 1, name.size - 2);
    }
    size_t used = (size_t)(colon + 1 - text.data);
    if (!parse_whole(bytes_of(colon + 1, text.size - used), &number) || number < 0 || number > 65535 ||
        name.size >= 256) {
        return false;
    }
    snprintf(host, 256, "%.*s", (int)name.size, name.size ? name.data : "");
    if (name.size == 0) {
        snprintf(host, 256, "0.0.0.0");
    }
    *port = (int)number;
    return true;
}

#include "base/log.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { LOG_LINE_BYTES_MAX = 2048 };

static _Atomic int level_min = LOG_INFO;

void log_set_level(enum log_level level) {
    atomic_store(&level_min, (int)level);
}

/* Counts a line against the site's second; returns how many lines were left out before this one, or -1 to leave it out. */
static int site_admit(struct log_site *site) {
    int64_t second = clock_monotonic_us() / 1000000;
    int64_t seen = atomic_load(&site->second);
    if (seen != second && atomic_compare_exchange_strong(&site->second, &seen, second)) {
        atomic_store(&site->lines, 0);
    }
    if (atomic_fetch_add(&site->lines, 1) >= LOG_SITE_LINES_PER_SECOND) {
        atomic_fetch_add(&site->left_out, 1);
        return -1;
    }
    return atomic_exchange(&site->left_out, 0);
}

static size_t clamp_size(int written, size_t room) {
    return written < 0 ? 0 : (size_t)written >= room ? room - 1 : (size_t)written;
}

void log_line(enum log_level level, struct log_site *site, const char *message, const char *fields, ...) {
    static const char *const names[] = {"debug", "info", "warning", "error"};
    if ((int)level < atomic_load(&level_min)) {
        return;
    }
    int left_out = site_admit(site);
    if (left_out < 0) {
        return;
    }
    char line[LOG_LINE_BYTES_MAX];
    int64_t now_ms = clock_wall_ms();
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    size_t size = strftime(line, sizeof line, "ts=%Y-%m-%dT%H:%M:%S", &utc);
    size += clamp_size(snprintf(line + size, sizeof line - size, ".%03dZ level=%s msg=\"%s\" ", (int)(now_ms % 1000),
                                names[level], message),
                       sizeof line - size);
    va_list arguments;
    va_start(arguments, fields);
    size += clamp_size(vsnprintf(line + size, sizeof line - size, fields, arguments), sizeof line - size);
    va_end(arguments);
    if (left_out > 0) {
        size += clamp_size(snprintf(line + size, sizeof line - size, " left_out=%d", left_out), sizeof line - size);
    }
    while (size > 0 && line[size - 1] == ' ') {
        size--;
    }
    size = size < sizeof line - 1 ? size : sizeof line - 1;
    line[size++] = '\n';
    ssize_t ignored = write(STDERR_FILENO, line, size); /* nowhere to report a failing log */
    (void)ignored;
}

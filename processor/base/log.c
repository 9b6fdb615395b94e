#include "base/log.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { LOG_LINE_BYTES_MAX = 2048 };

static _Atomic int level_min = LOG_INFO;
static _Atomic int format_of_all = LOG_LOGFMT;

void log_set_level(enum log_level level) {
    atomic_store(&level_min, (int)level);
}

void log_set_format(enum log_format format) {
    atomic_store(&format_of_all, (int)format);
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

void log_line(enum log_level level, struct log_site *site, const char *message, const char *fields, ...) {
    static const char *const names[] = {"debug", "info", "warning", "error", "fatal"};
    if ((int)level < atomic_load(&level_min)) {
        return;
    }
    int left_out = site_admit(site);
    if (left_out < 0) {
        return;
    }
    char time[40];
    char text[LOG_LINE_BYTES_MAX];
    char line[LOG_LINE_BYTES_MAX];
    int64_t now_ms = clock_wall_ms();
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    size_t size = strftime(time, sizeof time, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(time + size, sizeof time - size, ".%03dZ", (int)(now_ms % 1000));
    va_list arguments;
    va_start(arguments, fields);
    vsnprintf(text, sizeof text, fields, arguments);
    va_end(arguments);
    struct log_record record = {time, names[level], message, text, left_out};
    size = log_format_line((enum log_format)atomic_load(&format_of_all), &record, line, sizeof line);
    ssize_t ignored = write(STDERR_FILENO, line, size); /* nowhere to report a failing log */
    (void)ignored;
}

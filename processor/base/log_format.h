/* The text of a log line: as logfmt for people, or as JSON for machines that collect lines.
 *
 *     ts=2026-11-26T02:20:03.203Z level=info msg="took over" task=3 error="said \"no\""
 *     {"ts":"2026-11-26T02:20:03.203Z","level":"info","msg":"took over","task":3,"error":"said \"no\""}
 *
 * Callers write fields as logfmt without escapes, as printf makes them; here they are taken apart and written again, so that
 * whatever a server answered stays inside its field and on its line. */
#ifndef TIDEMARK_BASE_LOG_FORMAT_H
#define TIDEMARK_BASE_LOG_FORMAT_H

#include <stddef.h>

enum log_format { LOG_LOGFMT, LOG_JSON };

struct log_record {
    const char *time;
    const char *level;
    const char *message;
    const char *fields; /* key=value key="several words" ... */
    int left_out;       /* lines of the same place before this one; 0: it is not told */
};

/* Writes one line with its end into `line`, cut if there is no room; returns its size. JSON stays whole: what is cut is a value. */
size_t log_format_line(enum log_format format, const struct log_record *record, char *line, size_t room);

#endif

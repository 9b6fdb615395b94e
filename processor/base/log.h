/* Log lines on standard error, as logfmt or JSON (base/log_format.h): level=info msg="took over" task=3 epoch=7
 *
 *     log_info("took over", "task=%d epoch=%" PRIu64, task, epoch);
 *
 * One line is one write, so lines of threads do not mix. Each call site writes at most LOG_SITE_LINES_PER_SECOND lines a
 * second and says how many it left out. Customer ids appear at debug level only;
 * above it run/customer_hash.h gives what stands for them. */
#ifndef TIDEMARK_BASE_LOG_H
#define TIDEMARK_BASE_LOG_H

#include "base/error.h"
#include "base/log_format.h"

#include <stdatomic.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR, LOG_FATAL };

enum { LOG_SITE_LINES_PER_SECOND = 10 };

/* Rate limit of one call site; zero-initialised static in the macros below. */
struct log_site {
    _Atomic int64_t second;
    _Atomic int lines;
    _Atomic int left_out;
};

/* Lines below this level are not written. Default LOG_INFO. */
void log_set_level(enum log_level level);

/* Default LOG_LOGFMT. */
void log_set_format(enum log_format format);

/* Writes one line: `message` is constant text in the past tense, `fields` a printf format of key=value pairs. */
void log_line(enum log_level level, struct log_site *site, const char *message, const char *fields, ...)
    PRINTF_LIKE(4, 5);

#define LOG_AT(level, message, ...)                                                                                    \
    do {                                                                                                               \
        static struct log_site log_site_here;                                                                          \
        log_line((level), &log_site_here, (message), __VA_ARGS__);                                                     \
    } while (0)

/* The last argument list starts with the fields' format; pass "%s", "" for none. */
#define log_debug(message, ...) LOG_AT(LOG_DEBUG, message, __VA_ARGS__)
#define log_info(message, ...) LOG_AT(LOG_INFO, message, __VA_ARGS__)
#define log_warning(message, ...) LOG_AT(LOG_WARNING, message, __VA_ARGS__)
#define log_error(message, ...) LOG_AT(LOG_ERROR, message, __VA_ARGS__)

#endif

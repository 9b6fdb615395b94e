/* Units in the configuration: durations, sizes, decimal numbers, addresses. Each returns false when the text is none. */
#ifndef TIDEMARK_RUN_CONFIG_UNITS_H
#define TIDEMARK_RUN_CONFIG_UNITS_H

#include "base/bytes.h"

/* "250ms", "5s", "1.5h", "14d": milliseconds, not negative. */
bool parse_duration(struct bytes text, int64_t *ms);
/* "64KiB", "1.5GiB", "4096" (bytes). */
bool parse_size(struct bytes text, size_t *bytes);
bool parse_whole(struct bytes text, int64_t *number);
bool parse_number(struct bytes text, double *number);
/* A positive decimal number with at most 9 places, times 10^9, exactly. */
bool parse_nano(struct bytes text, int64_t *nano);
bool parse_flag(struct bytes text, bool *flag);
/* "127.0.0.1:8080", "[::1]:8080", ":8080" (every address). host has 256 bytes. */
bool parse_address(struct bytes text, char *host, int *port);

#endif

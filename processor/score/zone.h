/* A time zone as the scoring needs it: which calendar day an instant belongs to, and when a day begins.
 *
 * The table of offsets is made at start-up by the config layer (score/ has no I/O); UTC is a table of one entry. */
#ifndef TIDEMARK_SCORE_ZONE_H
#define TIDEMARK_SCORE_ZONE_H

#include <stddef.h>
#include <stdint.h>

struct zone_offset {
    int64_t from_ms;   /* this offset holds from this instant; the first entry's is TIME_NONE */
    int32_t offset_ms; /* local time less UTC */
};

struct zone {
    const struct zone_offset *offsets; /* ascending, at least one */
    size_t count;
};

/* Days since 1970-01-01 in local time. */
int32_t zone_day(const struct zone *zone, int64_t time_ms);
/* The first instant that belongs to the day (days may have 23 or 25 hours, or begin at 01:00). */
int64_t zone_day_start_ms(const struct zone *zone, int32_t day);

extern const struct zone zone_utc;

#endif

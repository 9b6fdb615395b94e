/* Time: wall-clock UTC milliseconds for what happened, monotonic milliseconds for how long things take. */
#ifndef TIDEMARK_BASE_CLOCK_H
#define TIDEMARK_BASE_CLOCK_H

#include <stdint.h>

/* "Never" for an instant that will not come; compares later than every instant. */
#define TIME_NEVER INT64_MAX
/* "Not yet" for an instant that has not been; compares earlier than every instant. */
#define TIME_NONE INT64_MIN

/* The latest instant anything may be dated: 10^8 days, in the year 275760. Any two instants can be added or subtracted. */
#define TIME_MS_MAX INT64_C(8640000000000000)

enum { MS_PER_SECOND = 1000, MS_PER_MINUTE = 60000, MS_PER_HOUR = 3600000, MS_PER_DAY = 86400000 };

/* Milliseconds since 1970 UTC. May step; never used to measure durations. */
int64_t clock_wall_ms(void);
/* Microseconds since some start; never steps. */
int64_t clock_monotonic_us(void);
static inline int64_t clock_monotonic_ms(void) {
    return clock_monotonic_us() / 1000;
}
/* Pauses the calling thread; a signal ends the pause. Not for a loop's thread. */
void clock_pause_us(int64_t us);

#endif

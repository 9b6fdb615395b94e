#include "score/zone.h"

#include "base/clock.h"

static const struct zone_offset utc_offset = {TIME_NONE, 0};
const struct zone zone_utc = {&utc_offset, 1};

/* Index of the offset in force at an instant. */
static size_t zone_find(const struct zone *zone, int64_t time_ms) {
    size_t low = 0;
    size_t high = zone->count;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (zone->offsets[middle].from_ms <= time_ms) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

static int64_t floor_divide(int64_t value, int64_t by) {
    int64_t quotient = value / by;
    return value % by < 0 ? quotient - 1 : quotient;
}

int32_t zone_day(const struct zone *zone, int64_t time_ms) {
    int32_t offset_ms = zone->offsets[zone_find(zone, time_ms)].offset_ms;
    return (int32_t)floor_divide(time_ms + offset_ms, MS_PER_DAY);
}

int64_t zone_day_start_ms(const struct zone *zone, int32_t day) {
    int64_t local_ms = (int64_t)day * MS_PER_DAY;
    if (zone->count == 1) {
        return local_ms - zone->offsets[0].offset_ms;
    }
    /* With each offset in force around then, the day begins at local midnight, or at the change if that skipped midnight.
     * Offsets differ by less than a day, so the ones in force a day before and after bracket all candidates. */
    size_t first = zone_find(zone, local_ms - 2 * (int64_t)MS_PER_DAY);
    for (size_t i = first;; i++) { /* to the last offset at most, which is in force for ever */
        int64_t start_ms = local_ms - zone->offsets[i].offset_ms;
        int64_t from_ms = zone->offsets[i].from_ms;
        int64_t until_ms = i + 1 < zone->count ? zone->offsets[i + 1].from_ms : TIME_NEVER;
        start_ms = start_ms < from_ms ? from_ms : start_ms;
        if (start_ms < until_ms) {
            return start_ms;
        }
    }
}

#include "run/generate_parts.h"
#include "run/generate_random.h"

#include <stdlib.h>

enum {
    MINUTES_PER_DAY = 1440,
    WEIGHT_ONE = 1000,
    EPOCH_WEEKDAY = 3, /* 1970-01-01 was a Thursday; Monday is 0 */
};

static const uint16_t month_weights[12] = {920, 880, 930, 960, 970, 950, 900, 890, 960, 1010, 1280, 1350};
static const uint16_t weekday_weights[7] = {930, 950, 980, 1000, 1090, 1080, 970};
/* How a day's visits spread over its hours, in thousandths (UTC: a European shop). */
static const uint16_t hour_weights[24] = {8,  5,  3,  3,  4,  9,  20, 35, 45, 50, 52, 55,
                                          60, 54, 50, 50, 54, 62, 75, 88, 90, 70, 40, 18};

/* Month, 0 for January, of a day since 1970 (Howard Hinnant's civil_from_days). */
static int month_of(int32_t day) {
    int64_t shifted = (int64_t)day + 719468;
    int64_t day_of_era = shifted % 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t march_month = (5 * day_of_year + 2) / 153;
    return (int)(march_month < 10 ? march_month + 2 : march_month - 10);
}

/* The weight of [from_ms, to_ms) within one day. */
static int64_t weight_of_part(const struct season *season, int32_t day, int64_t from_ms, int64_t to_ms) {
    return season->weights[day - season->first_day] * (to_ms - from_ms) / MS_PER_DAY;
}

int season_init(struct season *season, int64_t start_ms, int64_t end_ms) {
    int32_t first = (int32_t)(start_ms / MS_PER_DAY);
    int32_t count = (int32_t)(end_ms / MS_PER_DAY) - first + 1;
    *season = (struct season){.first_day = first,
                              .days_count = count,
                              .weights = malloc((size_t)count * sizeof *season->weights),
                              .later = malloc((size_t)count * sizeof *season->later),
                              .start_ms = start_ms,
                              .end_ms = end_ms};
    if (!season->weights || !season->later) {
        season_finish(season);
        return ERR_NO_MEMORY;
    }
    for (int32_t i = 0; i < count; i++) {
        uint32_t month = month_weights[month_of(first + i)];
        uint32_t weekday = weekday_weights[(first + i + EPOCH_WEEKDAY) % 7];
        season->weights[i] = (uint16_t)(month * weekday / WEIGHT_ONE);
    }
    int64_t later = 0;
    int64_t until_ms = end_ms;
    for (int32_t i = count; i-- > 0;) {
        int64_t day_ms = ((int64_t)first + i) * MS_PER_DAY;
        season->later[i] = later;
        later += weight_of_part(season, first + i, day_ms, until_ms);
        until_ms = day_ms;
    }
    return 0;
}

void season_finish(struct season *season) {
    free(season->weights);
    free(season->later);
    *season = (struct season){0};
}

int64_t season_left(const struct season *season, int64_t now_ms) {
    int32_t day = (int32_t)(now_ms / MS_PER_DAY);
    int64_t day_end_ms = ((int64_t)day + 1) * MS_PER_DAY;
    int64_t to_ms = day_end_ms < season->end_ms ? day_end_ms : season->end_ms;
    return season->later[day - season->first_day] + weight_of_part(season, day, now_ms, to_ms);
}

/* A minute of the day as the shop's visitors choose it. */
static int64_t draw_minute(uint64_t *random) {
    uint32_t draw = random_below(random, WEIGHT_ONE);
    int hour = 0;
    while (hour < 23 && draw >= hour_weights[hour]) {
        draw -= hour_weights[hour++];
    }
    return hour * 60 + (int64_t)random_below(random, 60);
}

int64_t season_after(const struct season *season, int64_t now_ms, int64_t minutes, uint64_t *random) {
    int32_t day = (int32_t)(now_ms / MS_PER_DAY);
    int64_t minute = now_ms % MS_PER_DAY / MS_PER_MINUTE;
    bool today = true;
    for (; day - season->first_day < season->days_count; day++) {
        int64_t weight = season->weights[day - season->first_day];
        int64_t room = (MINUTES_PER_DAY - minute) * weight / WEIGHT_ONE;
        if (minutes < room) {
            /* Later today, as it comes; on another day at an hour people like. */
            minute = today ? minute + 1 + minutes * WEIGHT_ONE / weight : draw_minute(random);
            int64_t time_ms = (int64_t)day * MS_PER_DAY + minute * MS_PER_MINUTE + random_below(random, MS_PER_MINUTE);
            return time_ms <= season->end_ms ? time_ms : TIME_NEVER;
        }
        minutes -= room;
        minute = 0;
        today = false;
    }
    return TIME_NEVER;
}

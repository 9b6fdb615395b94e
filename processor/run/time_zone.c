#include "run/time_zone.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LAST_S (INT64_C(130) * 31556952) /* 2100 */
enum { STEP_S = 86400, CHANGES_MAX = 1024 };

static int32_t offset_at(int64_t time_s) {
    time_t time = (time_t)time_s;
    struct tm local;
    localtime_r(&time, &local);
    return (int32_t)local.tm_gmtoff * MS_PER_SECOND;
}

/* The first second in (from, until] at which the offset is no more what it was at `from`. */
static int64_t find_change(int64_t from_s, int64_t until_s) {
    int32_t before = offset_at(from_s);
    while (until_s - from_s > 1) {
        int64_t middle = from_s + (until_s - from_s) / 2;
        if (offset_at(middle) == before) {
            from_s = middle;
        } else {
            until_s = middle;
        }
    }
    return until_s;
}

static size_t scan(struct zone_offset *offsets) {
    size_t count = 0;
    offsets[count++] = (struct zone_offset){TIME_NONE, offset_at(0)};
    for (int64_t at = 0; at < LAST_S; at += STEP_S) {
        if (offset_at(at + STEP_S) != offset_at(at) && count < CHANGES_MAX) {
            int64_t change = find_change(at, at + STEP_S);
            offsets[count++] = (struct zone_offset){change * MS_PER_SECOND, offset_at(change)};
        }
    }
    return count;
}

bool time_zone_is_known(const char *name) {
    if (strcmp(name, "UTC") == 0) { /* also where there is no database */
        return true;
    }
    const char *folder = getenv("TZDIR");
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder ? folder : "/usr/share/zoneinfo", name);
    return name[0] && name[0] != '/' && !strstr(name, "..") && access(path, R_OK) == 0;
}

int time_zone_load(struct arena *arena, const char *name, struct zone *out) {
    if (strcmp(name, "UTC") == 0) {
        *out = zone_utc;
        return 0;
    }
    if (!time_zone_is_known(name)) {
        return ERR_NOT_FOUND;
    }
    struct zone_offset *offsets = arena_alloc(arena, CHANGES_MAX * sizeof *offsets);
    if (!offsets) {
        return ERR_NO_MEMORY;
    }
    const char *old = getenv("TZ");
    char *kept = old ? strdup(old) : NULL;
    setenv("TZ", name, 1);
    tzset();
    *out = (struct zone){offsets, scan(offsets)};
    if (kept) {
        setenv("TZ", kept, 1);
    } else {
        unsetenv("TZ");
    }
    tzset();
    free(kept);
    return 0;
}

/* Time zones from the system's database (tzdata), through libc. */
#ifndef TIDEMARK_RUN_TIME_ZONE_H
#define TIDEMARK_RUN_TIME_ZONE_H

#include "base/arena.h"
#include "score/zone.h"

/* The offsets of a zone like "Europe/Berlin" from 1970 to 2100, in the arena. ERR_NOT_FOUND: the database has no such zone.
 * Changes TZ for a moment: call before threads start. */
int time_zone_load(struct arena *arena, const char *name, struct zone *out) MUST_CHECK;

/* Whether the database has the zone. Any time. */
bool time_zone_is_known(const char *name);

#endif

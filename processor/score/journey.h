/* The journey: when a customer first reached each stage, and where they are now.
 *
 * First times are the least over all events, the latest stage is that of the latest event that has one (of several at one
 * instant the furthest), so the order of arrival does not matter. */
#ifndef TIDEMARK_SCORE_JOURNEY_H
#define TIDEMARK_SCORE_JOURNEY_H

#include "score/activity.h"

struct journey {
    int64_t first_ms[STAGES]; /* of stage 1, 2, ...; TIME_NONE: never reached */
    int64_t latest_ms;        /* of the latest event that has a stage; TIME_NONE: none */
    enum journey_stage latest;
};

void journey_init(struct journey *journey);
/* stage may be STAGE_NONE: nothing happens. */
void journey_add(struct journey *journey, enum journey_stage stage, int64_t time_ms);

/* STAGE_NONE: no event had a stage. */
enum journey_stage journey_furthest(const struct journey *journey);
/* How long the customer was in the stage, or has been: from its first time until the first time of the next further stage that
 * was reached then or later, or now. -1: never reached. */
int64_t journey_spent_ms(const struct journey *journey, enum journey_stage stage, int64_t now_ms);

bool journey_is_valid(const struct journey *journey);

/* "awareness", ..., "after_sales"; NULL for any other number. */
const char *journey_stage_name(int stage);

#endif

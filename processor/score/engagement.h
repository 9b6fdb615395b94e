/* Engagement: interactions by weight, each fading by half every half-life.
 *
 * All of them fade alike, so one number at one instant is the whole state. Late ones are faded up to that instant; the order of
 * arrival changes nothing but rounding. */
#ifndef TIDEMARK_SCORE_ENGAGEMENT_H
#define TIDEMARK_SCORE_ENGAGEMENT_H

#include <stdint.h>

/* Zeroed: none. */
struct engagement {
    double sum;    /* at at_ms; never negative */
    int64_t at_ms; /* the latest interaction that weighs anything */
};

/* Adds an interaction; one of weight 0 changes nothing. */
void engagement_add(struct engagement *engagement, int64_t half_life_ms, double weight, int64_t time_ms);
double engagement_at(const struct engagement *engagement, int64_t half_life_ms, int64_t now_ms);
/* About when it will be down to `value`, which it has not reached yet; TIME_NEVER: not within any time that matters. */
int64_t engagement_reaches_ms(const struct engagement *engagement, int64_t half_life_ms, double value);

#endif

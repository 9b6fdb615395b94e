#include "score/engagement.h"

#include "base/clock.h"

#include <math.h>

static double faded(double sum, int64_t half_life_ms, int64_t age_ms) {
    return age_ms == 0 ? sum : sum * exp2(-(double)age_ms / (double)half_life_ms);
}

void engagement_add(struct engagement *engagement, int64_t half_life_ms, double weight, int64_t time_ms) {
    if (!(weight > 0)) {
        return;
    }
    if (!(engagement->sum > 0)) {
        *engagement = (struct engagement){weight, time_ms};
    } else if (time_ms >= engagement->at_ms) {
        engagement->sum = faded(engagement->sum, half_life_ms, time_ms - engagement->at_ms) + weight;
        engagement->at_ms = time_ms;
    } else {
        engagement->sum += faded(weight, half_life_ms, engagement->at_ms - time_ms);
    }
}

double engagement_at(const struct engagement *engagement, int64_t half_life_ms, int64_t now_ms) {
    return faded(engagement->sum, half_life_ms, now_ms - engagement->at_ms);
}

int64_t engagement_reaches_ms(const struct engagement *engagement, int64_t half_life_ms, double value) {
    if (!(engagement->sum > 0)) {
        return TIME_NEVER;
    }
    /* Infinite or no number at all for a value that is not above 0, which is never reached. */
    double ahead_ms = (double)half_life_ms * log2(engagement->sum / value);
    return ahead_ms < 9e15 ? engagement->at_ms + (int64_t)ahead_ms : TIME_NEVER;
}

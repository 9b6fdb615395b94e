#include "score/journey.h"

#include "base/clock.h"

void journey_init(struct journey *journey) {
    *journey = (struct journey){.latest_ms = TIME_NONE};
    for (int i = 0; i < STAGES; i++) {
        journey->first_ms[i] = TIME_NONE;
    }
}

void journey_add(struct journey *journey, enum journey_stage stage, int64_t time_ms) {
    if (stage == STAGE_NONE) {
        return;
    }
    int64_t *first_ms = &journey->first_ms[stage - 1];
    if (*first_ms == TIME_NONE || time_ms < *first_ms) {
        *first_ms = time_ms;
    }
    if (time_ms > journey->latest_ms || (time_ms == journey->latest_ms && stage > journey->latest)) {
        journey->latest_ms = time_ms;
        journey->latest = stage;
    }
}

enum journey_stage journey_furthest(const struct journey *journey) {
    int stage = STAGES;
    while (stage > STAGE_NONE && journey->first_ms[stage - 1] == TIME_NONE) {
        stage--;
    }
    return (enum journey_stage)stage;
}

int64_t journey_spent_ms(const struct journey *journey, enum journey_stage stage, int64_t now_ms) {
    ASSERT(stage > STAGE_NONE && stage <= STAGES);
    int64_t from_ms = journey->first_ms[stage - 1];
    int64_t until_ms = now_ms;
    if (from_ms == TIME_NONE) {
        return -1;
    }
    for (int further = (int)stage; further < STAGES; further++) {
        int64_t reached_ms = journey->first_ms[further];
        if (reached_ms != TIME_NONE && reached_ms >= from_ms && reached_ms < until_ms) {
            until_ms = reached_ms;
        }
    }
    return until_ms - from_ms;
}

bool journey_is_valid(const struct journey *journey) {
    bool any = journey_furthest(journey) != STAGE_NONE;
    if (!any) {
        return journey->latest == STAGE_NONE && journey->latest_ms == TIME_NONE;
    }
    for (int i = 0; i < STAGES; i++) {
        if (journey->first_ms[i] > journey->latest_ms) {
            return false;
        }
    }
    return journey->latest > STAGE_NONE && journey->latest <= STAGES &&
           journey->first_ms[journey->latest - 1] != TIME_NONE;
}

const char *journey_stage_name(int stage) {
    static const char *const names[] = {
        [STAGE_AWARENESS] = "awareness", [STAGE_INTEREST] = "interest",       [STAGE_DECISION] = "decision",
        [STAGE_PURCHASE] = "purchase",   [STAGE_AFTER_SALES] = "after_sales",
    };
    return stage > STAGE_NONE && stage <= STAGES ? names[stage] : NULL;
}

#include "score/outlook.h"

#include "score/due.h"

/* With all sets whose tiers their rules ask for. */
static uint64_t with_needs(const struct model *model, uint64_t sets) {
    uint64_t all = 0;
    for (size_t i = 0; i < model->sets_count && sets >> i; i++) {
        all |= sets & bit(i) ? model->sets[i].needs : 0;
    }
    return all;
}

void outlook_begin(struct outlook *outlook, struct evaluation *evaluation, uint64_t changed) {
    const struct model *model = evaluation->model;
    outlook->evaluation = evaluation;
    outlook->calm = ahead_is_possible(model) && ahead_is_calm(evaluation, changed);
    outlook->known = 0;
    for (size_t i = 0; i < model->sets_count; i++) {
        outlook->forecasts[i] = (struct forecast){.tier = -1, .time_ms = TIME_NEVER};
    }
    if (outlook->calm) {
        ahead_begin(&outlook->ahead, evaluation, SETS_ALL);
    }
}

/* One step ahead, with note of the sets that change for the first time. */
static bool step(struct outlook *outlook) {
    const struct ahead *ahead = &outlook->ahead;
    if (!ahead_step(&outlook->ahead)) {
        return false;
    }
    uint64_t fresh = ahead->changed & ~outlook->known;
    for (size_t i = 0; i < ahead->model->sets_count && fresh >> i; i++) {
        if (fresh & bit(i)) {
            outlook->forecasts[i] =
                (struct forecast){.tier = ahead->tiers[i].tier, .time_ms = ahead->evaluation.now_ms};
        }
    }
    outlook->known |= fresh;
    return true;
}

int64_t outlook_wake_ms(struct outlook *outlook) {
    if (!outlook->calm || outlook->evaluation->model->ranks_fall) {
        return due_next(outlook->evaluation, TIME_NEVER);
    }
    const struct ahead *ahead = &outlook->ahead;
    for (int i = 0; i < OUTLOOK_STEPS_MAX; i++) {
        if (!step(outlook)) {
            return TIME_NEVER;
        }
        if (ahead->changed || ahead->touched) {
            break;
        }
    }
    return ahead->evaluation.now_ms;
}

int outlook_forecast(struct outlook *outlook, uint64_t wanted) {
    const struct model *model = outlook->evaluation->model;
    struct ahead *ahead = &outlook->ahead;
    uint64_t missing = wanted & ~outlook->known;
    bool more = outlook->calm;
    if (outlook->calm) {
        ahead->ranks = false;
    }
    for (int i = 0; i < FORECAST_STEPS_MAX && missing && more; i++) {
        ahead->sets = with_needs(model, missing);
        more = step(outlook);
        missing &= ~outlook->known;
    }
    if (missing && (!outlook->calm || ahead->restless)) {
        struct forecast forecasts[SETS_MAX];
        int error = explain_forecast(outlook->evaluation->customer, model, missing, NULL, forecasts);
        if (error) {
            return error;
        }
        for (size_t i = 0; i < model->sets_count; i++) {
            outlook->forecasts[i] = missing & bit(i) ? forecasts[i] : outlook->forecasts[i];
        }
    }
    outlook->known |= wanted;
    return 0;
}

/* The outlook of a customer who has just been evaluated: by when it must be looked at again, and what becomes of its tiers.
 *
 * Most due instants change nothing that anybody could see. So the wheel need not stop at each of them, only at the next one at which
 * a tier, a pending fall or a rank may differ: the wake instant. Whoever looks in between finds the same. */
#ifndef TIDEMARK_SCORE_OUTLOOK_H
#define TIDEMARK_SCORE_OUTLOOK_H

#include "score/ahead.h"
#include "score/explain.h"

enum {
    OUTLOOK_STEPS_MAX = 32 /* due instants looked at for the wake instant: if nothing changes, it is the last of them */
};

#define SETS_ALL UINT64_MAX

struct outlook {
    struct evaluation *evaluation;
    bool calm;                           /* ahead can be used */
    uint64_t known;                      /* sets whose forecast is known, as bits */
    struct forecast forecasts[SETS_MAX]; /* without conditions; tier -1: never changes */
    struct ahead ahead;
};

/* `changed`: the sets whose tier the evaluation has just changed. The evaluation must stay as it is while the outlook is used. */
void outlook_begin(struct outlook *outlook, struct evaluation *evaluation, uint64_t changed);
/* The wake instant, itself a due instant; TIME_NEVER: never. */
int64_t outlook_wake_ms(struct outlook *outlook);
/* Finds the forecasts of the sets `wanted`; to be called after outlook_wake_ms. */
int outlook_forecast(struct outlook *outlook, uint64_t wanted) MUST_CHECK;

#endif

/* Company-wide feedback of one task: what all its customers answered, per day and dimension.
 *
 * An answer counts on the day on which it was given, once for each dimension: for the whole company ("all"), for the tier
 * that the customer is in afterwards, of every set ("tier:value"), for its channel and for its touchpoint. Between batches the
 * counts are added up here; the store keeps one hash a day, whose fields are <dimension>/<value>/<counter>:
 *
 *     all//promoters    tier:value/vip/csat_sum    channel/web/complaints    touchpoint/delivery/review_count
 *
 * What is kept is bounded: FEEDBACK_DAYS days up to that of the task's clock, older answers not being counted and older days
 * dropped; and for each day the first FEEDBACK_NAMES_MAX channels and as many touchpoints that come up while the task has
 * this owner, all others counting as "other". */
#ifndef TIDEMARK_RUN_COMPANY_FEEDBACK_H
#define TIDEMARK_RUN_COMPANY_FEEDBACK_H

#include "score/customer.h"
#include "state/store.h"

enum { FEEDBACK_DAYS = 400, FEEDBACK_NAMES_MAX = 64, FEEDBACK_VALUE_BYTES_MAX = 64 };

/* What a customer's tiles count of answers, in the same order. */
enum feedback_counter {
    FEEDBACK_PROMOTERS,
    FEEDBACK_PASSIVES,
    FEEDBACK_DETRACTORS,
    FEEDBACK_COMPLAINTS,
    FEEDBACK_CSAT_COUNT,
    FEEDBACK_CSAT_SUM,
    FEEDBACK_CSAT_TOP,
    FEEDBACK_CES_COUNT,
    FEEDBACK_CES_SUM,
    FEEDBACK_CES_EASY,
    FEEDBACK_CES_HARD,
    FEEDBACK_REVIEW_COUNT,
    FEEDBACK_REVIEW_SUM,
    FEEDBACK_COUNTERS
};

struct company_feedback;

/* NULL without memory. The model is borrowed. */
struct company_feedback *company_feedback_create(const struct model *model);
/* Another model of the same time zone; nothing counted may be waiting. */
void company_feedback_set_model(struct company_feedback *feedback, const struct model *model);
/* Accepts NULL. */
void company_feedback_destroy(struct company_feedback *feedback);

/* Forgets what was counted and which names were seen: the task is taken over, its clock stands at clock_ms (or TIME_NONE). */
void company_feedback_start(struct company_feedback *feedback, int64_t clock_ms);
/* Counts an answer of a customer to whom it was applied. */
void company_feedback_count(struct company_feedback *feedback, const struct activity *activity,
                            const struct customer *customer, int64_t clock_ms);
/* Adds what was counted since the last time to the store's next batch, and drops the days that the clock has left behind. */
void company_feedback_put(struct company_feedback *feedback, struct store *store, int64_t clock_ms);

/* "promoters", ..., "review_sum" */
const char *feedback_counter_name(enum feedback_counter counter);
/* Takes a field of the store apart; the slices borrow from it. False when it is none. */
bool feedback_field_parse(struct bytes field, struct bytes *dimension, struct bytes *value,
                          enum feedback_counter *counter);

#endif

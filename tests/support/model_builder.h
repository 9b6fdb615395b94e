/* Models and activities for tests, in a few words.
 *
 *     score r low 7 14 30 60 = days_since_purchase      (low: best low; high: best high)
 *     score f high 2 3 5 = purchases(90d)
 *     score m high quantiles 5 = revenue(90d)           (steps may stand beside them, before)
 *     score abc high shares 80 95 = revenue
 *     set value hold 10d grace 36h notice 14d one_step  (all but the name may be left out)
 *     tier vip = r + f >= 5 | r + f >= 4                (enter, and stay behind the bar)
 *     label service dedicated                           (a treatment label of the tier above)
 *     tier rest
 *
 * Errors of the model tell line and column of this text. */
#ifndef TIDEMARK_TESTS_MODEL_BUILDER_H
#define TIDEMARK_TESTS_MODEL_BUILDER_H

#include "score/customer.h"

/* 2025-01-01, a Wednesday: the instant from which tests count. */
#define TEST_START_MS INT64_C(1735689600000)
/* An instant some days and milliseconds behind it. */
#define TEST_AT(days, ms) (TEST_START_MS + (int64_t)(days)*MS_PER_DAY + (int64_t)(ms))

struct model_builder {
    struct arena arena; /* of the models, and of whatever a test finds out about them */
    const struct zone *zone;
    int money_decimals;
    size_t dedupe;
    size_t tiles_max;
    int64_t ranked_minimum;
    const struct scoring_options *options; /* NULL: the defaults */
    struct model_error error;              /* of the last text that did not compile */
};

/* UTC, cents, 16 event ids, 128 days: change the fields before the first model. */
void model_builder_init(struct model_builder *builder);
void model_builder_finish(struct model_builder *builder);

/* What is to be compiled; lives as long as the text and the builder. */
struct model_spec model_builder_read(struct model_builder *builder, const char *text);
/* Compiles; the model lives as long as the builder. */
int model_builder_compile(struct model_builder *builder, const char *text, struct model **out) MUST_CHECK;
/* The same for a text that must compile: fails the test. */
struct model *model_of(struct model_builder *builder, const char *text);

/* Activities; id NULL: one without an event id, so never a duplicate. */
struct activity test_purchase(const char *id, int64_t time_ms, int64_t amount_minor);
/* A refund or cancellation of an order. */
struct activity test_reversal(enum purchase_kind kind, const char *id, int64_t time_ms, int64_t amount_minor,
                              int64_t order_time_ms);
struct activity test_interaction(const char *id, int64_t time_ms, enum interaction_kind kind);
struct activity test_feedback(const char *id, int64_t time_ms, enum survey survey, int score);

/* Evaluates the customer because the rules have become these, at the earliest at at_ms. */
void test_reevaluate(struct customer *customer, const struct model *model, int64_t at_ms, struct changes *changes);

/* Tier changes as text, one line each, times counted from TEST_START_MS:
 * "value FIRST -> rest #1 at 0d+0 by PURCHASE e1\n", "value DOWN vip -> rest #2 at 3d+1 by TIME\n".
 */
const char *changes_text(struct model_builder *builder, const struct model *model, const struct changes *changes);

/* The same numbers from the same seed, everywhere. */
struct test_random {
    uint64_t state;
};
struct test_random test_random_of(uint64_t seed);
uint64_t test_random_next(struct test_random *random);
/* 0..limit-1 */
int64_t test_random_below(struct test_random *random, int64_t limit);

#endif

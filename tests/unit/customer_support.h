/* What the tests of customers share: a model with a little of everything, in a zone with daylight saving, and customers by it. */
#ifndef TIDEMARK_TESTS_UNIT_CUSTOMER_SUPPORT_H
#define TIDEMARK_TESTS_UNIT_CUSTOMER_SUPPORT_H

#include "support/history.h"
#include "support/model_fixture.h"

#include "score/evaluate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct model *usual; /* a little of everything */

static const char *const usual_text = "score r low 7 14 30 60 = days_since_purchase\n"
                                      "score f high 1 2 3 5 = purchases(30d)\n"
                                      "set value hold 3d grace 12h\n"
                                      "tier vip = r + f >= 8 | r + f >= 6\n"
                                      "tier some = revenue(30d, ago 10d) > 50 or nps(60d) > 0\n"
                                      "tier rest\n"
                                      "set steps grace 1d one_step\n"
                                      "tier high = interactions(20d) >= 2 or tier(value) = vip\n"
                                      "tier middle = tenure <= 40 and complaints = 0\n"
                                      "tier low\n";

static inline int set_up(void **state) {
    (void)state;
    model_builder_init(&builder);
    builder.zone = &zone_berlin;
    usual = model_of(&builder, usual_text);
    return 0;
}

/* What the seed before has left in the arena. */
static inline void forget(void) {
    arena_reset(&builder.arena);
    usual = model_of(&builder, usual_text);
}

static struct customer *created(const struct model *model) {
    struct customer *customer = customer_create(model);
    assert_non_null(customer);
    return customer;
}

static struct customer *copied(const struct customer *customer, const struct model *model) {
    struct customer *copy = customer_copy(customer, model);
    assert_non_null(copy);
    return copy;
}

/* Applies one activity that is no duplicate; the changes found are added to `changes`. */
static inline void apply_to(struct customer *customer, const struct model *model, const struct activity *activity,
                            int64_t clock_ms, struct changes *changes) {
    int64_t now_ms = customer->now_ms;
    assert_int_not_equal(customer_apply(customer, model, activity, clock_ms, changes), APPLIED_DUPLICATE);
    assert_int_equal(changes->error, 0);
    assert_true(customer_is_valid(customer, model));
    assert_true(customer->now_ms >= now_ms && customer->now_ms >= activity->time_ms);
    assert_true(customer->wake_ms > clock_ms);
}

static inline void apply(struct customer *customer, const struct model *model, const struct activity *activity) {
    struct changes changes;
    changes_init(&changes, &builder.arena);
    apply_to(customer, model, activity, TIME_NONE, &changes);
}

static struct customer *customer_of(const struct model *model, const struct history *history) {
    struct customer *customer = created(model);
    for (size_t i = 0; i < history->count; i++) {
        apply(customer, model, &history->activities[i]);
    }
    return customer;
}

#endif

/* What the tests of the stored form share: rules, and random customers by these rules. */
#ifndef TIDEMARK_TESTS_UNIT_CODEC_SUPPORT_H
#define TIDEMARK_TESTS_UNIT_CODEC_SUPPORT_H

#include "support/history.h"
#include "support/model_fixture.h"

#include "base/clock.h"
#include "state/customer_codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *const rules = "set value grace 3d\n"
                                 "tier vip = purchases(90d) >= 3\n"
                                 "tier some = days_since_purchase <= 7\n"
                                 "tier rest\n"
                                 "set mood\n"
                                 "tier happy = nps(60d) > 0 and complaints(30d) = 0\n"
                                 "tier rest\n";

/* A customer with any history, armed in any way. */
static inline struct customer *random_customer(const struct model *model, struct test_random *random) {
    struct history history;
    struct history_options options = {.count = (size_t)(1 + test_random_below(random, 40)),
                                      .days = 1 + (int)test_random_below(random, 300),
                                      .without_id = 20,
                                      .not_purchases = 60};
    history_random(&history, random, &options);
    struct customer *customer = customer_create(model);
    struct changes changes;
    changes_init(&changes, &builder.arena);
    for (size_t i = 0; i < history.count; i++) {
        (void)customer_apply(customer, model, &history.activities[i], TIME_NONE, &changes);
    }
    customer_advance(customer, model, customer->now_ms + test_random_below(random, 9 * (int64_t)MS_PER_DAY), &changes);
    switch (test_random_below(random, 4)) {
    case 0:
        customer->armed_ms = TIME_NEVER;
        break;
    case 1:
        customer->armed_ms = customer->now_ms + test_random_below(random, 1000000) - 1000;
        break;
    default:
        customer->armed_ms = customer->wake_ms;
        break;
    }
    return customer;
}

static inline struct buffer encoded(const struct customer *customer) {
    struct buffer out = {0};
    customer_encode(customer, &out);
    assert_int_equal(out.error, 0);
    return out;
}

static inline struct customer *decoded(struct bytes packed, const struct model *model) {
    struct customer *customer;
    assert_int_equal(customer_decode(packed, model, &customer), 0);
    assert_true(customer_is_valid(customer, model));
    return customer;
}

#endif

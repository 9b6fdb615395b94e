/* Looking ahead where it is easily got wrong: as many sets, turns and days as there may be and more, ranks that no rule asks for,
 * customers of whom nothing is left. */
#include "support/history.h"
#include "support/model_fixture.h"
#include "support/scoring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { TEXT_MAX = 32768 };

/* So many sets, each with so many tiers t1, t2, ..., which have this rule with their number behind it, and a last one. */
static const struct model *many(int sets, int tiers, const char *rule) {
    static char text[TEXT_MAX];
    size_t size = 0;
    for (int set = 0; set < sets; set++) {
        size += (size_t)snprintf(text + size, sizeof text - size, "set s%d\n", set);
        for (int tier = 1; tier <= tiers; tier++) {
            size += (size_t)snprintf(text + size, sizeof text - size, "tier t%d = %s %d\n", tier, rule, tier);
        }
        size += (size_t)snprintf(text + size, sizeof text - size, "tier last\n");
        assert_true(size < sizeof text);
    }
    return model_of(&builder, text);
}

/* Sets are bits; the last one there may be is, too. */
static void all_sets_that_there_may_be_change_at_once(void **state) {
    (void)state;
    const struct model *model = many(64, 1, "purchases(3d) >=");
    struct customer *customer = customer_create(model);
    struct changes changes;
    changes_init(&changes, &builder.arena);
    struct activity activity = test_purchase(NULL, TEST_AT(0, 0), 100);
    customer_apply(customer, model, &activity, TIME_NONE, &changes);
    assert_int_equal(changes.count, 64);
    customer_advance(customer, model, TEST_AT(10, 0), &changes);
    assert_int_equal(changes.error, 0);
    assert_int_equal(changes.count, 128);
    for (const struct tier_change *change = changes.first; change; change = change->next) {
        bool fell = change->to_tier == 1;
        assert_int_equal(change->effective_ms, fell ? TEST_AT(3, 0) : TEST_AT(0, 0));
        assert_int_equal(change->forecast_ms, fell ? 0 : TEST_AT(3, 0));
    }
    customer_destroy(customer);
}

/* More turns than are kept while looking ahead: by whole evaluations, with the same outcome. */
static void more_turns_than_are_kept_come_all_the_same(void **state) {
    (void)state;
    static const int sets[] = {4, 6, 6}; /* of 63 comparisons each: below and above 256, and above but the same ones */
    static const char *const rules[] = {"tenure + 0 <=", "tenure + 0 <=", "tenure <="};
    for (size_t i = 0; i < 3; i++) {
        const struct model *model = many(sets[i], 63, rules[i]);
        struct customer *customer = customer_create(model);
        struct changes changes;
        changes_init(&changes, &builder.arena);
        struct activity activity = test_purchase(NULL, TEST_AT(0, 0), 100);
        customer_apply(customer, model, &activity, TIME_NONE, &changes);
        customer_advance(customer, model, TEST_AT(100, 0), &changes);
        assert_int_equal(changes.error, 0);
        assert_int_equal(changes.count, sets[i] * 64);
        for (const struct tier_change *change = changes.first; change; change = change->next) {
            int64_t left_ms = TEST_AT(change->to_tier, 1);
            assert_int_equal(change->effective_ms, left_ms - (change->to_tier == 0));
            assert_true(change->to_tier == 63 ? change->forecast_tier.data == NULL
                                              : change->forecast_ms == left_ms + MS_PER_DAY);
        }
        customer_destroy(customer);
        arena_reset(&builder.arena);
    }
}

/* Comparisons that look much the same, but turn a millisecond apart or the other way round. */
static void what_is_nearly_the_same_turn_is_another_one(void **state) {
    (void)state;
    const struct model *model = model_of(&builder, "set s1\ntier a = tenure < 5\ntier b\n"
                                                   "set s2\ntier a = 5 > tenure\ntier b\n"
                                                   "set s3\ntier a = tenure <= 5\ntier b\n"
                                                   "set s4\ntier a = tenure < 5\ntier b\n"
                                                   "set s5\ntier a = 5 < tenure\ntier b\n"
                                                   "set s6\ntier a = 5 < days_since_seen\ntier b\n");
    struct customer *customer = customer_create(model);
    test_apply(&builder, customer, model, test_interaction(NULL, TEST_AT(0, 0), INTERACTION_LOGIN));
    test_apply(&builder, customer, model, test_interaction(NULL, TEST_AT(0, 7), INTERACTION_LOGIN));
    struct changes changes;
    changes_init(&changes, &builder.arena);
    customer_advance(customer, model, TEST_AT(100, 0), &changes);
    assert_string_equal(changes_text(&builder, model, &changes), "s1 DOWN a -> b #2 at 5d+0 by TIME\n"
                                                                 "s2 DOWN a -> b #2 at 5d+0 by TIME\n"
                                                                 "s4 DOWN a -> b #2 at 5d+0 by TIME\n"
                                                                 "s3 DOWN a -> b #2 at 5d+1 by TIME\n"
                                                                 "s5 UP b -> a #2 at 5d+1 by TIME\n"
                                                                 "s6 UP b -> a #2 at 5d+8 by TIME\n");
    customer_destroy(customer);
    /* Where no other set has the customer looked at. */
    model = model_of(&builder, "set s1\ntier a = tenure < 5\ntier b\nset s2\ntier a = 5 < tenure\ntier b\n");
    customer = customer_create(model);
    test_apply(&builder, customer, model, test_interaction(NULL, TEST_AT(0, 0), INTERACTION_LOGIN));
    changes_init(&changes, &builder.arena);
    customer_advance(customer, model, TEST_AT(100, 0), &changes);
    assert_string_equal(changes_text(&builder, model, &changes), "s1 DOWN a -> b #2 at 5d+0 by TIME\n"
                                                                 "s2 UP b -> a #2 at 5d+1 by TIME\n");
    customer_destroy(customer);
}

/* A rank that no rule asks for decides nothing, but it is counted: it follows activities and windows. */
static void a_rank_that_no_rule_asks_for_follows_all_the_same(void **state) {
    (void)state;
    const struct model *model = model_of(&builder, "score m high quantiles 4 = revenue(30d)\n"
                                                   "set it\ntier a = interactions(3d) >= 1\ntier b\n");
    struct customer *customer = customer_create(model);
    test_apply(&builder, customer, model, test_purchase(NULL, TEST_AT(0, 0), 100));
    assert_int_equal(customer->ranks[0], rank_bucket(1));
    assert_int_equal(customer->wake_ms, TEST_AT(30, 0));
    test_apply(&builder, customer, model, test_purchase(NULL, TEST_AT(1, 0), 300));
    assert_int_equal(customer->ranks[0], rank_bucket(4));
    test_apply(&builder, customer, model, test_purchase(NULL, TEST_AT(2, 0), 300));
    assert_int_equal(customer->ranks[0], rank_bucket(7));
    struct changes changes;
    changes_init(&changes, &builder.arena);
    customer_advance(customer, model, TEST_AT(30, 0), &changes);
    assert_int_equal(customer->ranks[0], rank_bucket(6));
    customer_advance(customer, model, TEST_AT(40, 0), &changes);
    assert_int_equal(customer->ranks[0], rank_bucket(0));
    assert_int_equal(changes.count, 0);
    customer_destroy(customer);
}

/* Too many days are merged, and then even an activity that concerns no rule moves what a rule looks at: the login of day 0 counts on
 * day 3, which is not yet in the window. */
static void merged_days_concern_every_set(void **state) {
    (void)state;
    builder.tiles_max = 2;
    const struct model *model = model_of(&builder, "set it\ntier a = interactions(5d, ago 2d) >= 1\ntier b\n");
    builder.tiles_max = 128;
    struct customer *customer = customer_create(model);
    struct changes changes;
    changes_init(&changes, &builder.arena);
    struct activity activities[] = {test_interaction("e0", TEST_AT(0, 0), INTERACTION_LOGIN),
                                    test_purchase("e1", TEST_AT(3, 0), 100), test_purchase("e2", TEST_AT(4, 0), 100)};
    for (size_t i = 0; i < 3; i++) {
        customer_apply(customer, model, &activities[i], TIME_NONE, &changes);
    }
    assert_string_equal(changes_text(&builder, model, &changes), "it FIRST -> b #1 at 0d+0 by INTERACTION e0\n"
                                                                 "it UP b -> a #2 at 2d+0 by TIME\n"
                                                                 "it DOWN a -> b #3 at 4d+0 by PURCHASE e2\n");
    customer_destroy(customer);
}

static void who_has_nothing_left_is_never_due(void **state) {
    (void)state;
    const struct model *model = model_of(&builder, "set it\ntier a = purchases(30d) >= 1\ntier b\n");
    struct customer *customer = customer_create(model);
    assert_true(customer_due_ms(customer, model) == TIME_NEVER);
    test_apply(&builder, customer, model, test_purchase(NULL, TEST_AT(0, 0), 0));
    assert_int_equal(customer_due_ms(customer, model), TEST_AT(30, 0));
    test_apply(&builder, customer, model,
               test_reversal(PURCHASE_KIND_CANCELLATION, NULL, TEST_AT(1, 0), 0, TEST_AT(0, 0)));
    assert_int_equal(customer->tiles.count, 0);
    assert_true(customer_due_ms(customer, model) == TIME_NEVER);
    assert_true(customer->wake_ms == TIME_NEVER);
    customer_destroy(customer);
}

/* The rules no longer have the tier in which the customer was: nothing holds it there. */
static void who_is_in_no_tier_is_held_in_none(void **state) {
    (void)state;
    const struct model *model = model_of(&builder, "set it hold 3d\ntier a = purchases >= 1\ntier b\n");
    struct customer *customer = customer_create(model);
    test_apply(&builder, customer, model, test_purchase(NULL, TEST_AT(0, 0), 100));
    assert_int_equal(customer_due_ms(customer, model), TEST_AT(3, 0));
    customer->tiers[0].tier = -1;
    customer->wake_ms = TIME_NEVER;
    assert_true(customer_due_ms(customer, model) == TIME_NEVER);
    customer_destroy(customer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_sets_that_there_may_be_change_at_once),
        cmocka_unit_test(more_turns_than_are_kept_come_all_the_same),
        cmocka_unit_test(what_is_nearly_the_same_turn_is_another_one),
        cmocka_unit_test(a_rank_that_no_rule_asks_for_follows_all_the_same),
        cmocka_unit_test(merged_days_concern_every_set),
        cmocka_unit_test(who_has_nothing_left_is_never_due),
        cmocka_unit_test(who_is_in_no_tier_is_held_in_none),
    };
    return cmocka_run_group_tests(tests, builder_set_up, builder_tear_down);
}

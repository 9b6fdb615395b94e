/* Lifetime value in rules and scores: its words, and that each comparison and each step turns at the very millisecond. */
#include "score/evaluate.h"
#include "score/turn.h"
#include "support/model_fixture.h"
#include "support/scoring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { SEEDS = 4, DAYS = 300 };

static struct scoring_options options;

/* Slow and quick shops, and every model. */
static const struct ltv_params shops[] = {
    {LTV_MBG_NBD, .r = 0.525, .alpha = 6.183, .a = 0.891, .b = 1.614, .p = 6.25, .q = 3.74, .v = 15.44,
     .unit_ms = 7.0 * MS_PER_DAY, .discount = 0.1},
    {LTV_BG_NBD, .r = 0.243, .alpha = 4.414, .a = 0.793, .b = 2.426, .p = 6.25, .q = 3.74, .v = 15.44,
     .unit_ms = 7.0 * MS_PER_DAY, .discount = 0.1},
    {LTV_MBG_NBD, .r = 2.5, .alpha = 3, .a = 0.3, .b = 4, .p = 2, .q = 5, .v = 30, .unit_ms = 8.0 * MS_PER_HOUR},
    {LTV_BG_NBD, .r = 1.5, .alpha = 20, .a = 0.5, .b = 3, .p = 2, .q = 5, .v = 30, .unit_ms = MS_PER_DAY,
     .discount = 0.5},
};
enum { SHOPS = sizeof shops / sizeof *shops };

static int set_up(void **state) {
    (void)state;
    model_builder_init(&builder);
    options = scoring_options_default();
    builder.options = &options;
    return 0;
}

/* ---- words ---- */

static void horizons_stand_in_their_names(void **state) {
    (void)state;
    const struct model *model =
        with_rule("clv( 365d )>expected_purchases(90d) + clv(7d) + p_alive + mean_spend + clv(365d)");
    static const char *const names[] = {"clv(365d)", "expected_purchases(90d)", "clv(7d)", "p_alive", "mean_spend"};
    assert_int_equal(model->slots.count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_true(bytes_equal_text(model->slots.slots[i].text, names[i]));
    }
}

/* What is to come is no look-back: nothing is kept for it, and no day leaves it. */
static void horizons_are_no_windows(void **state) {
    (void)state;
    const struct model *model = with_rule("clv(365d) > 10 and expected_purchases(90d) > revenue(7d)");
    assert_int_equal(model_span_days(model), 7);
    assert_int_equal(model->windows_count, 1);
}

static void mistakes_are_told(void **state) {
    (void)state;
    static const struct {
        const char *rule;
        const char *message;
    } mistakes[] = {
        {"clv > 3", "'clv' needs a horizon: clv(365d)"},
        {"1 < expected_purchases", "'expected_purchases' needs a horizon: expected_purchases(365d)"},
        {"clv() > 3", "expected a horizon such as 365d, found ')'"},
        {"clv(ago 30d) > 3", "'clv' looks ahead, so 'ago' has no meaning: clv(365d)"},
        {"clv(365d, ago 30d) > 3", "'clv' looks ahead, so 'ago' has no meaning: clv(365d)"},
        {"clv(365d, 30d) > 3", "'clv' takes one horizon"},
        {"clv(login, 30d) > 3", "expected a horizon such as 365d, found 'login'"},
        {"clv(0d) > 3", "a window is a whole number of days from 1d to 3660d"},
        {"p_alive(90d) > 0.5", "'p_alive' takes no window and no arguments"},
        {"mean_spend(90d) > 5", "'mean_spend' takes no window and no arguments"},
        {"p_aliv > 0.5", "unknown metric or score 'p_aliv'; did you mean 'p_alive'?"},
        {"trend(clv, 30d) > 1", "'clv' has no window: a trend is of one that has, like revenue"},
    };
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        char text[256];
        struct model *model;
        snprintf(text, sizeof text, "set it\ntier yes = %s\ntier no\n", mistakes[i].rule);
        assert_int_equal(model_builder_compile(&builder, text, &model), ERR_INVALID);
        if (!strstr(builder.error.message, mistakes[i].message)) {
            fail_msg("%s: %s", mistakes[i].rule, builder.error.message);
        }
        assert_int_equal(builder.error.line, 2);
    }
}

static void who_never_bought_has_no_value(void **state) {
    (void)state;
    static const char *const metrics[] = {"p_alive", "expected_purchases(90d)", "mean_spend", "clv(365d)"};
    const struct model *model = with_rule("p_alive < 2 or clv(9d) < 1000000 or expected_purchases(9d) < 1000");
    struct customer *customer = customer_create(model);
    test_apply(&builder, customer, model, test_interaction(NULL, TEST_AT(0, 0), INTERACTION_LOGIN));
    for (size_t i = 0; i < 4; i++) {
        assert_true(isnan(test_value(&builder, customer, metrics[i])));
    }
    assert_int_equal(customer->tiers[0].tier, 1);
    assert_true(customer_due_ms(customer, model) == TIME_NEVER);
    test_apply(&builder, customer, model, test_purchase(NULL, TEST_AT(1, 0), 100));
    assert_int_equal(customer->tiers[0].tier, 0);
    customer_destroy(customer);
}

/* The figures of the published examples, in weeks. */
static void values_are_those_of_the_models(void **state) {
    (void)state;
    const struct model *model = with_rule("purchases > 1");
    struct customer *customer = customer_create(model);
    int64_t first_ms = TEST_AT(0, 0);
    for (int i = 0; i < 3; i++) {
        int64_t after_ms = i == 2 ? (int64_t)(30.43 * 7 * MS_PER_DAY) : 20 * i * (int64_t)MS_PER_DAY;
        test_apply(&builder, customer, model, test_purchase(NULL, first_ms + after_ms, 2235));
    }
    int64_t now_ms = first_ms + (int64_t)(38.86 * 7 * MS_PER_DAY);
    options.lifetime_value = shops[0];
    assert_within(test_value_at(&builder, customer, "p_alive", now_ms), 0.70620227, 1e-8);
    options.lifetime_value = shops[1];
    options.lifetime_value.r = 0.243;
    assert_within(test_value_at(&builder, customer, "p_alive", now_ms), 0.72657857, 1e-8);
    assert_within(test_value_at(&builder, customer, "expected_purchases(273d)", now_ms), 1.2260282, 1e-7);
    assert_within(test_value_at(&builder, customer, "mean_spend", now_ms), 24.6637, 2e-3);
    customer_destroy(customer);
}

/* ---- due instants ---- */

static bool holds_at(const struct customer *customer, const struct model *model, int64_t at_ms) {
    struct evaluation evaluation;
    evaluation_init(&evaluation, customer, model, at_ms);
    return evaluation_rule(&evaluation, &model->sets[0].tiers[0].enter);
}

/* Within 20 years the rule turns at due_ms and nowhere else, or not at all. */
static void assert_turns_at_due(const struct customer *customer, const struct model *model, const char *rule) {
    int64_t now_ms = customer->now_ms;
    int64_t due_ms = customer_due_ms(customer, model);
    bool now = holds_at(customer, model, now_ms);
    bool later = holds_at(customer, model, now_ms + TURN_HORIZON_MS);
    bool right = now == later
                     ? due_ms == TIME_NEVER
                     : due_ms > now_ms && due_ms <= now_ms + TURN_HORIZON_MS &&
                           holds_at(customer, model, due_ms - 1) == now && holds_at(customer, model, due_ms) == later;
    for (int64_t ahead_ms = 1; right && ahead_ms < TURN_HORIZON_MS; ahead_ms *= 6) { /* the rule turns once */
        right = holds_at(customer, model, now_ms + ahead_ms) == (now_ms + ahead_ms < due_ms ? now : later);
    }
    if (!right) {
        fail_msg("%s is due %lld ms from now", rule, (long long)(due_ms - now_ms));
    }
}

/* Buys in any order: late purchases move what is due. */
static void buy_anyhow(struct customer *customer, const struct model *model, struct test_random *random,
                       const char *rule) {
    int days = 1 + (int)test_random_below(random, DAYS);
    for (int64_t i = 1 + test_random_below(random, 8); i > 0; i--) {
        int64_t time_ms = TEST_AT(0, test_random_below(random, days * (int64_t)MS_PER_DAY));
        struct changes changes;
        struct activity activity = test_purchase(NULL, time_ms, 1 + test_random_below(random, 20000));
        changes_init(&changes, &builder.arena);
        customer_apply(customer, model, &activity, TIME_NONE, &changes);
        assert_turns_at_due(customer, model, rule);
    }
}

static void comparisons_turn_at_the_very_millisecond(void **state) {
    (void)state;
    static const char *const rules[] = {
        "p_alive < 0.3",
        "p_alive <= 0.3",
        "p_alive > 0.7",
        "p_alive >= 0.7",
        "0.05 < p_alive",
        "0.999 >= p_alive",
        "p_alive >= 0.000001",
        "p_alive < 0",
        "p_alive >= 1",
        "1 - p_alive > 0.5",
        "p_alive * mean_spend >= 10",
        "p_alive * 100 - 20 <= mean_spend",
        "max(p_alive, 0.5) = 0.5",
        "min(0 - p_alive, 0 - 0.25) != 0 - 0.25",
        "expected_purchases(90d) >= 0.5",
        "expected_purchases(90d) < 0.1",
        "expected_purchases(1d) <= 0.01",
        "expected_purchases(3660d) > 2",
        "clv(90d) > 20",
        "clv(90d) <= 3.5",
        "clv(30d) + p_alive * mean_spend >= 10",
        "clv(60d) / mean_spend < 0.25",
        "p_alive + expected_purchases(30d) > 0.6",
    };
    for (size_t rule = 0; rule < sizeof rules / sizeof *rules; rule++) {
        for (size_t shop = 0; shop < SHOPS; shop++) {
            options.lifetime_value = shops[shop];
            bool dear = strstr(rules[rule], "clv") && shops[shop].unit_ms < MS_PER_DAY; /* hundreds of periods */
            const struct model *model = with_rule(rules[rule]);
            for (uint64_t seed = 1; seed <= (dear ? 1 : SEEDS); seed++) {
                struct test_random random = test_random_of(seed * 1000 + rule);
                struct customer *customer = customer_create(model);
                buy_anyhow(customer, model, &random, rules[rule]);
                customer_destroy(customer);
            }
        }
    }
}

/* BG/NBD: who bought once is alive for ever, and never due; the second purchase changes that. */
static void one_purchase_is_no_sign_of_leaving_in_bg_nbd(void **state) {
    (void)state;
    options.lifetime_value = shops[1];
    const struct model *model = with_rule("p_alive < 1");
    struct customer *customer = customer_create(model);
    test_apply(&builder, customer, model, test_purchase(NULL, TEST_AT(0, 0), 100));
    assert_true(customer_due_ms(customer, model) == TIME_NEVER);
    assert_near(test_value_at(&builder, customer, "p_alive", TEST_AT(5000, 0)), 1);
    test_apply(&builder, customer, model, test_purchase(NULL, TEST_AT(9, 0), 100));
    assert_int_equal(customer->tiers[0].tier, 0);
    customer_destroy(customer);
}

/* A purchase that comes late moves the instant, here to later; it is the one it would be had it come in time. */
static void a_late_purchase_moves_what_is_due(void **state) {
    (void)state;
    options.lifetime_value = shops[0];
    const struct model *model = with_rule("p_alive >= 0.5");
    struct customer *late = customer_create(model), *in_time = customer_create(model);
    static const int days[2][3] = {{0, 30, 10}, {0, 10, 30}};
    for (int i = 0; i < 3; i++) {
        int64_t due_ms = customer_due_ms(late, model);
        test_apply(&builder, late, model, test_purchase(NULL, TEST_AT(days[0][i], 0), 100));
        test_apply(&builder, in_time, model, test_purchase(NULL, TEST_AT(days[1][i], 0), 100));
        assert_true(customer_due_ms(late, model) != due_ms && customer_due_ms(late, model) < TIME_NEVER);
    }
    assert_int_equal(customer_due_ms(late, model), customer_due_ms(in_time, model));
    customer_destroy(late);
    customer_destroy(in_time);
}

/* ---- scores and whole sets ---- */

static const char STEPS[] =
    "score r high 0.1 0.3 0.5 0.7 0.9 = p_alive\n"
    "score l low 0.2 0.4 0.6 = p_alive\n"
    "score e high 0.1 0.5 1 2 = expected_purchases(90d)\n"
    "score c high 1 10 30 60 = clv(30d)\n"
    "set r\ntier a = r >= 6\ntier b = r >= 5\ntier c = r >= 4\ntier d = r >= 3\ntier e = r >= 2\ntier f\n"
    "set l\ntier a = l <= 1\ntier b = l <= 2\ntier c = l <= 3\ntier d\n"
    "set e\ntier a = e >= 5\ntier b = e >= 4\ntier c = e >= 3\ntier d = e >= 2\ntier e\n"
    "set c\ntier a = c >= 5\ntier b = c >= 4\ntier c = c >= 3\ntier d = c >= 2\ntier e\n";

/* The tier that fits at an instant, by evaluating then. */
static int fitting_tier(const struct customer *customer, const struct model *model, size_t set, int64_t at_ms) {
    struct evaluation evaluation;
    evaluation_init(&evaluation, customer, model, at_ms);
    int tier = 0;
    while (!model->sets[set].tiers[tier].everyone &&
           !evaluation_rule(&evaluation, &model->sets[set].tiers[tier].enter)) {
        tier++;
    }
    return tier;
}

static void assert_all_fit(const struct customer *customer, const struct model *model, int64_t at_ms) {
    for (size_t set = 0; set < model->sets_count; set++) {
        assert_int_equal(customer->tiers[set].tier, fitting_tier(customer, model, set, at_ms));
    }
}

static struct customer *random_customer(const struct model *model, struct test_random *random) {
    struct customer *customer = customer_create(model);
    int64_t now_ms = TEST_AT(0, test_random_below(random, MS_PER_DAY));
    for (int64_t i = 1 + test_random_below(random, 8); i > 0; i--) {
        test_apply(&builder, customer, model, test_purchase(NULL, now_ms, 100 + test_random_below(random, 9900)));
        now_ms += test_random_below(random, 20 * (int64_t)MS_PER_DAY);
    }
    return customer;
}

/* From one due instant to the next nothing turns, up to the very millisecond; and at each of them something does. */
static void scores_turn_at_each_step(void **state) {
    (void)state;
    for (size_t shop = 0; shop < SHOPS; shop++) {
        options.lifetime_value = shops[shop];
        const struct model *model = model_of(&builder, STEPS);
        size_t turns = 0;
        for (uint64_t seed = 1; seed <= 5; seed++) {
            struct test_random random = test_random_of(seed);
            struct customer *customer = random_customer(model, &random);
            for (int step = 0; step < 100 && customer_due_ms(customer, model) != TIME_NEVER; step++) {
                struct changes changes;
                int64_t due_ms = customer_due_ms(customer, model);
                assert_all_fit(customer, model, customer->now_ms);
                assert_all_fit(customer, model, due_ms - 1);
                assert_all_fit(customer, model, customer->now_ms + (due_ms - customer->now_ms) / 2);
                changes_init(&changes, &builder.arena);
                customer_advance(customer, model, due_ms, &changes);
                assert_true(changes.count > 0 && changes.error == 0);
                turns += changes.count;
            }
            assert_true(customer_due_ms(customer, model) == TIME_NEVER);
            assert_all_fit(customer, model, customer->now_ms);
            customer_destroy(customer);
        }
        assert_true(turns > 20);
    }
}

/* What else is due, and when, does not depend on lifetime value standing beside it. */
static void other_sets_are_not_disturbed(void **state) {
    (void)state;
    static const char alone[] =
        "score r low 7 14 30 60 = days_since_purchase\n"
        "score g high 0.5 1 3 = engagement\n"
        "set v\ntier a = r >= 4 and purchases(30d) > 1\ntier b = r + g >= 4\ntier c\n"
        "set w hold 3d grace 1d\ntier a = days_since_seen <= 9.5\ntier b = tenure < 100 and engagement > 0.2\n"
        "tier c\n";
    char text[2048];
    snprintf(text, sizeof text,
             "%sset x\ntier a = p_alive >= 0.7\ntier b = p_alive >= 0.3\ntier c\n"
             "set y\ntier a = clv(30d) > 20\ntier b = expected_purchases(30d) >= 0.2\ntier c\n",
             alone);
    options.lifetime_value = shops[2];
    const struct model *one = model_of(&builder, alone), *both = model_of(&builder, text);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct test_random random = test_random_of(seed);
        struct customer *a = customer_create(one), *b = customer_create(both);
        struct changes of_a, of_b;
        int64_t now_ms = TEST_AT(0, 0);
        changes_init(&of_a, &builder.arena);
        changes_init(&of_b, &builder.arena);
        for (int i = 0; i < 25; i++) {
            now_ms += test_random_below(&random, 12 * (int64_t)MS_PER_DAY);
            struct activity activity = i % 3 == 0 ? test_purchase(NULL, now_ms, test_random_below(&random, 5000))
                                                  : test_interaction(NULL, now_ms, INTERACTION_LOGIN);
            customer_apply(a, one, &activity, TIME_NONE, &of_a);
            customer_apply(b, both, &activity, TIME_NONE, &of_b);
        }
        customer_advance(a, one, now_ms + 200 * (int64_t)MS_PER_DAY, &of_a);
        customer_advance(b, both, now_ms + 200 * (int64_t)MS_PER_DAY, &of_b);
        const struct tier_change *other = of_b.first;
        for (const struct tier_change *change = of_a.first; change; change = change->next, other = other->next) {
            while (other && other->set > 1) {
                other = other->next;
            }
            assert_non_null(other);
            assert_int_equal(change->set, other->set);
            assert_int_equal(change->to_tier, other->to_tier);
            assert_int_equal(change->effective_ms, other->effective_ms);
            assert_int_equal(change->forecast_ms, other->forecast_ms);
        }
        while (other) {
            assert_true(other->set > 1);
            other = other->next;
        }
        customer_destroy(a);
        customer_destroy(b);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(horizons_stand_in_their_names),
        cmocka_unit_test(horizons_are_no_windows),
        cmocka_unit_test(mistakes_are_told),
        cmocka_unit_test(who_never_bought_has_no_value),
        cmocka_unit_test(values_are_those_of_the_models),
        cmocka_unit_test(comparisons_turn_at_the_very_millisecond),
        cmocka_unit_test(one_purchase_is_no_sign_of_leaving_in_bg_nbd),
        cmocka_unit_test(a_late_purchase_moves_what_is_due),
        cmocka_unit_test(scores_turn_at_each_step),
        cmocka_unit_test(other_sets_are_not_disturbed),
    };
    return cmocka_run_group_tests(tests, set_up, builder_tear_down);
}

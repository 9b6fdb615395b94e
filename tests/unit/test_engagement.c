/* Engagement fades; and every comparison with it, and every step of a score on it, turns at the very millisecond. */
#include "score/evaluate.h"
#include "score/turn.h"
#include "state/customer_codec.h"
#include "support/model_fixture.h"
#include "support/scoring.h"

#include "score/due.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { SEEDS = 200, EVENTS_MAX = 30 };

static struct scoring_options options;

static int set_up(void **state) {
    (void)state;
    model_builder_init(&builder);
    options = scoring_options_default();
    builder.options = &options;
    return 0;
}

static double value_at(const struct customer *customer, int64_t now_ms) {
    return test_value_at(&builder, customer, "engagement", now_ms);
}

static void it_halves_every_half_life(void **state) {
    (void)state;
    const struct model *model = with_rule("engagement > 100");
    struct customer *customer = customer_create(model);
    test_apply(&builder, customer, model, test_purchase(NULL, TEST_AT(0, 0), 1));
    assert_near(value_at(customer, TEST_AT(0, 0)), 0);
    test_apply(&builder, customer, model, test_interaction(NULL, TEST_AT(0, 0), INTERACTION_LOGIN));
    assert_near(value_at(customer, TEST_AT(0, 0)), 1);
    assert_near(value_at(customer, TEST_AT(14, 0)), 0.5);
    assert_near(value_at(customer, TEST_AT(28, 0)), 0.25);
    test_apply(&builder, customer, model, test_interaction(NULL, TEST_AT(14, 0), INTERACTION_LOGIN));
    assert_near(value_at(customer, TEST_AT(14, 0)), 1.5);
    test_apply(&builder, customer, model, test_interaction(NULL, TEST_AT(7, 0), INTERACTION_LOGIN)); /* late */
    assert_near(value_at(customer, TEST_AT(14, 0)), 1.5 + sqrt(0.5));
    test_store(&customer, model);
    assert_near(value_at(customer, TEST_AT(14, 0)), 1.5 + sqrt(0.5));
    customer_destroy(customer);
}

static void kinds_weigh_what_they_are_given(void **state) {
    (void)state;
    options.engagement.half_life_ms = MS_PER_DAY;
    options.engagement.weights[INTERACTION_PAGE_VIEW] = 0.25;
    options.engagement.weights[INTERACTION_OTHER] = 0;
    const struct model *model = with_rule("engagement > 100");
    struct customer *customer = customer_create(model);
    test_apply(&builder, customer, model, test_interaction(NULL, TEST_AT(0, 0), INTERACTION_PAGE_VIEW));
    test_apply(&builder, customer, model, test_interaction(NULL, TEST_AT(1, 0), INTERACTION_OTHER));
    assert_near(value_at(customer, TEST_AT(1, 0)), 0.125);
    customer_destroy(customer);
    options = scoring_options_default();
}

/* Nobody pays for what nobody uses. */
static void it_is_kept_only_where_it_is_used(void **state) {
    (void)state;
    const struct model *model = with_rule("purchases > 1");
    struct customer *customer = customer_create(model);
    test_apply(&builder, customer, model, test_interaction(NULL, TEST_AT(0, 0), INTERACTION_LOGIN));
    assert_near(customer->engagement.sum, 0);
    options.engagement.kept = true; /* the section stands in the config */
    test_apply(&builder, customer, with_rule("purchases > 1"),
               test_interaction(NULL, TEST_AT(0, 0), INTERACTION_LOGIN));
    assert_near(customer->engagement.sum, 1);
    options.engagement.kept = false;
    customer_destroy(customer);
}

static void the_order_of_arrival_does_not_matter(void **state) {
    (void)state;
    const struct model *model = with_rule("engagement > 1000000000");
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct test_random random = test_random_of(seed);
        struct activity activities[EVENTS_MAX];
        int order[EVENTS_MAX];
        double expected = 0;
        int64_t end_ms = TEST_AT(200, 0);
        for (int i = 0; i < EVENTS_MAX; i++) {
            int64_t time_ms = TEST_AT(0, test_random_below(&random, 200 * (int64_t)MS_PER_DAY));
            activities[i] = test_interaction(NULL, time_ms, INTERACTION_LOGIN);
            expected += exp2(-(double)(end_ms - time_ms) / (14.0 * MS_PER_DAY));
        }
        for (int run = 0; run < 3; run++) {
            struct customer *customer = customer_create(model);
            test_shuffle(&random, order, EVENTS_MAX);
            for (int i = 0; i < EVENTS_MAX; i++) {
                test_apply(&builder, customer, model, activities[order[i]]);
            }
            assert_within(value_at(customer, end_ms), expected, 1e-9);
            customer_destroy(customer);
        }
    }
}

/* ---- due instants ---- */

static struct customer *visitor(const struct model *model, struct test_random *random) {
    struct customer *customer = customer_create(model);
    int64_t now_ms = TEST_AT(0, test_random_below(random, MS_PER_DAY));
    for (int64_t i = 4 + test_random_below(random, 30); i > 0; i--) {
        test_apply(&builder, customer, model, test_interaction(NULL, now_ms, INTERACTION_LOGIN));
        now_ms += test_random_below(random, 12 * (int64_t)MS_PER_HOUR);
    }
    return customer;
}

static bool holds_at(const struct customer *customer, const struct model *model, int64_t at_ms) {
    struct evaluation evaluation;
    evaluation_init(&evaluation, customer, model, at_ms);
    return evaluation_rule(&evaluation, &model->sets[0].tiers[0].enter);
}

/* Where it turns, it turns at the due instant, not a millisecond earlier. */
static void comparisons_turn_at_the_very_millisecond(void **state) {
    (void)state;
    static const char *const rules[] = {
        "engagement > 2",
        "engagement >= 2",
        "engagement < 2",
        "engagement <= 2.5",
        "2 < engagement",
        "2.25 >= engagement",
        "-engagement < -2",
        "engagement * 3 + interactions > interactions + 7",
        "engagement * -0.5 >= -1",
        "engagement / 2 - 1 > 0.2",
        "engagement / -4 > -1 / 2",
        "10 - engagement < 8",
        "max(engagement, 1.5) > 2",
        "min(engagement, 5) >= 2",
        "engagement + engagement > 4",
        "engagement - -engagement > 4",
        "3 / 2 < engagement - 0.5",
        "max(engagement, 2) = 2",
        "max(engagement, 2) != 2",
        "max(min(engagement, 2), engagement - 1) >= 2", /* above 3, a while at 2, then below */
        "min(-engagement, -2) = -2",
        "-2 > -engagement",
        "-2.5 <= engagement * -1",
        "engagement > 0.001",
    };
    for (size_t rule = 0; rule < sizeof rules / sizeof *rules; rule++) {
        const struct model *model = with_rule(rules[rule]);
        for (uint64_t seed = 1; seed <= SEEDS / 4; seed++) {
            struct test_random random = test_random_of(seed);
            struct customer *customer = visitor(model, &random);
            int64_t due_ms = customer_due_ms(customer, model);
            bool now = holds_at(customer, model, customer->now_ms);
            bool later = holds_at(customer, model, TEST_AT(5000, 0));
            if (now == later) {
                assert_true(due_ms == TIME_NEVER);
            } else {
                assert_int_equal(holds_at(customer, model, due_ms - 1), now);
                assert_int_equal(holds_at(customer, model, due_ms), later);
                struct changes changes;
                changes_init(&changes, &builder.arena);
                customer_advance(customer, model, due_ms - 1, &changes);
                assert_int_equal(changes.count, 0);
                customer_advance(customer, model, due_ms, &changes);
                assert_int_equal(changes.count, 1);
                assert_int_equal(changes.first->effective_ms, due_ms);
                assert_true(customer_due_ms(customer, model) == TIME_NEVER);
            }
            customer_destroy(customer);
        }
    }
}

static void a_comparison_that_never_turns_is_never_due(void **state) {
    (void)state;
    static const char *const rules[] = {"engagement = 2",    "engagement >= 0",          "engagement * 0 >= 1",
                                        "engagement != 2.5", "engagement > 1000000",     "max(engagement, 3) < 3",
                                        "-engagement > 1",   "engagement / (1 - 1) > 1", "engagement + aov > 2"};
    for (size_t rule = 0; rule < sizeof rules / sizeof *rules; rule++) {
        const struct model *model = with_rule(rules[rule]);
        struct test_random random = test_random_of(7);
        struct customer *customer = visitor(model, &random);
        if (customer_due_ms(customer, model) != TIME_NEVER) {
            fail_msg("%s is due", rules[rule]);
        }
        customer_destroy(customer);
    }
}

/* Each step of a score is a due instant; going through them ends at the lowest. */
static void a_score_turns_at_each_step(void **state) {
    (void)state;
    static const char *const texts[] = {
        "score e high 0.5 1 2 3 = engagement\nset it\ntier a = e >= 5\ntier b = e >= 4\ntier c = e >= 3\n"
        "tier d = e >= 2\ntier z\n",
        "score e low 0.5 1 2 3 = engagement\nset it\ntier a = e <= 1\ntier b = e <= 2\ntier c = e <= 3\n"
        "tier d = e <= 4\ntier z\n",
    };
    static const double steps[] = {0.5, 1, 2, 3};
    for (int low = 0; low < 2; low++) {
        const struct model *model = model_of(&builder, texts[low]);
        struct customer *customer = customer_create(model);
        for (int i = 0; i < 5; i++) {
            test_apply(&builder, customer, model, test_interaction(NULL, TEST_AT(0, 0), INTERACTION_LOGIN));
        }
        for (int step = 3; step >= 0; step--) {
            struct changes changes;
            int64_t due_ms = customer_due_ms(customer, model);
            double before = value_at(customer, due_ms - 1);
            double after = value_at(customer, due_ms);
            assert_true(low ? before > steps[step] && after <= steps[step]
                            : before >= steps[step] && after < steps[step]);
            changes_init(&changes, &builder.arena);
            customer_advance(customer, model, due_ms, &changes);
            assert_int_equal(changes.count, 1);
        }
        assert_true(customer_due_ms(customer, model) == TIME_NEVER);
        customer_destroy(customer);
    }
}

/* Both sides move: looked for until the day ends, and again then. */
static void other_shapes_are_looked_for_day_by_day(void **state) {
    (void)state;
    static const char *const rules[] = {"engagement > tenure", "engagement * engagement > 4",
                                        "engagement > 6 / engagement",
                                        "engagement * tenure < 3 or engagement - tenure > 1"};
    for (size_t rule = 0; rule < sizeof rules / sizeof *rules; rule++) {
        const struct model *model = with_rule(rules[rule]);
        struct test_random random = test_random_of(3);
        struct customer *customer = visitor(model, &random);
        bool before = holds_at(customer, model, customer->now_ms);
        int64_t at_ms = customer->now_ms;
        for (int day = 0; day < 60 && holds_at(customer, model, at_ms) == before; day++) {
            struct changes changes;
            struct evaluation evaluation;
            evaluation_init(&evaluation, customer, model, at_ms);
            at_ms = due_next(&evaluation, TIME_NEVER);
            assert_true(at_ms <= zone_day_start_ms(&zone_utc, evaluation.today + 1));
            changes_init(&changes, &builder.arena);
            customer_advance(customer, model, at_ms, &changes);
            bool turned = holds_at(customer, model, at_ms) != before;
            assert_int_equal(holds_at(customer, model, at_ms - 1), before);
            assert_int_equal(changes.count, turned);
        }
        assert_int_not_equal(holds_at(customer, model, at_ms), before);
        customer_destroy(customer);
    }
}

/* ---- the search itself ---- */

enum measure { LINE, CURVE, YES_OR_NO, ONE_SIDED, NOTHING, MEASURES };

struct question {
    int64_t turns_ms;
    int64_t guess_ms;
    int asked;
    enum measure tells;
};

static bool turned(void *context, int64_t at_ms, double *ahead) {
    struct question *question = context;
    bool yes = at_ms >= question->turns_ms;
    double days = (double)(question->turns_ms - at_ms) / MS_PER_DAY;
    question->asked++;
    *ahead = question->tells == LINE        ? days
             : question->tells == CURVE     ? exp(days / 30) - 1
             : question->tells == YES_OR_NO ? (yes ? -1 : 1)
             : question->tells == ONE_SIDED ? (yes ? 0.5 : 1) /* never falls to 0: no help, but no harm */
                                            : (double)NAN;
    return yes;
}

static int64_t guess(void *context) {
    return ((struct question *)context)->guess_ms;
}

static void the_search_finds_any_instant(void **state) {
    (void)state;
    struct test_random random = test_random_of(1);
    for (int i = 0; i < 4000; i++) {
        int64_t now_ms = TEST_AT(0, test_random_below(&random, 1000));
        int64_t reach_ms = i % 3 == 0 ? 10 : i % 3 == 1 ? MS_PER_DAY : TURN_HORIZON_MS;
        struct question question = {.turns_ms = now_ms + 1 + test_random_below(&random, reach_ms),
                                    .tells = (enum measure)(i / 3 % MEASURES)};
        struct turning turning = {turned, NULL, &question};
        assert_int_equal(turn_find(now_ms, TIME_NEVER, &turning), question.turns_ms);
        assert_in_range(question.asked, 1, question.tells == LINE ? 8 : 64);
        question.asked = 0;
        turning.guess_ms = guess;
        question.guess_ms = question.turns_ms + test_random_below(&random, 7) - 3;
        assert_int_equal(turn_find(now_ms, TIME_NEVER, &turning), question.turns_ms);
        assert_in_range(question.asked, 1, 6);
        /* A bad guess does no harm. */
        question.guess_ms = now_ms + test_random_below(&random, reach_ms) - reach_ms / 4;
        assert_int_equal(turn_find(now_ms, TIME_NEVER, &turning), question.turns_ms);
        /* Nor a limit that comes later; behind one that does not, nothing is looked for. */
        assert_int_equal(turn_find(now_ms, question.turns_ms + 1, &turning), question.turns_ms);
        question.asked = 0;
        assert_true(turn_find(now_ms, question.turns_ms, &turning) == TIME_NEVER);
        assert_in_range(question.asked, 0, 1);
    }
}

static void beyond_the_horizon_is_never(void **state) {
    (void)state;
    int64_t now_ms = TEST_AT(0, 0);
    struct question question = {.turns_ms = now_ms + TURN_HORIZON_MS, .guess_ms = INT64_MAX - 1};
    struct turning turning = {turned, guess, &question};
    assert_int_equal(turn_find(now_ms, TIME_NEVER, &turning), question.turns_ms);
    question.turns_ms++;
    assert_true(turn_find(now_ms, TIME_NEVER, &turning) == TIME_NEVER);
    question.turns_ms = TIME_NEVER;
    assert_true(turn_find(now_ms, TIME_NEVER, &turning) == TIME_NEVER);
}

/* Where the curve never comes by, nobody can tell when it does. */
static void a_level_that_is_never_reached_is_never(void **state) {
    (void)state;
    const struct engagement engagement = {.sum = 4, .at_ms = TEST_AT(0, 0)};
    const struct engagement none = {0};
    assert_int_equal(engagement_reaches_ms(&engagement, MS_PER_DAY, 1), TEST_AT(2, 0));
    assert_true(engagement_reaches_ms(&engagement, MS_PER_DAY, 0) == TIME_NEVER);
    assert_true(engagement_reaches_ms(&engagement, MS_PER_DAY, -1) == TIME_NEVER);
    assert_true(engagement_reaches_ms(&engagement, MS_PER_DAY, (double)NAN) == TIME_NEVER);
    assert_true(engagement_reaches_ms(&none, MS_PER_DAY, 1) == TIME_NEVER);
    assert_true(engagement_reaches_ms(&engagement, INT64_C(1000) * 366 * MS_PER_DAY, 1e-300) == TIME_NEVER);
}

static void a_broken_engagement_is_refused(void **state) {
    (void)state;
    static const char *const bodies[] = {
        "\x09\x00\x00\x00\x00\x00\x00\x00\x00\x00", /* nothing is not stored */
        "\x09\x00\x00\x00\x00\x00\x00\xF0\x7F\x00", /* infinite */
        "\x09\x00\x00\x00\x00\x00\x00\xF0\xBF\x00", /* negative */
        "\x09\x00\x00\x00\x00\x00\x00\xF0\x3F\x01", /* after now */
        "\x08\x00\x00\x00\x00\x00\x00\xF0\x3F",     /* no instant */
    };
    const struct model *model = with_rule("engagement > 1");
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct customer *customer = NULL;
        char text[32] = {1 << 3, 10, 5 << 3, 4, 6 << 3, 4, (char)0x8A, 0x01};
        size_t size = 1 + (size_t)bodies[i][0];
        memcpy(text + 8, bodies[i], size);
        assert_int_not_equal(customer_decode(bytes_of(text, 8 + size), model, &customer), 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_halves_every_half_life),
        cmocka_unit_test(kinds_weigh_what_they_are_given),
        cmocka_unit_test(it_is_kept_only_where_it_is_used),
        cmocka_unit_test(the_order_of_arrival_does_not_matter),
        cmocka_unit_test(comparisons_turn_at_the_very_millisecond),
        cmocka_unit_test(a_comparison_that_never_turns_is_never_due),
        cmocka_unit_test(a_score_turns_at_each_step),
        cmocka_unit_test(other_shapes_are_looked_for_day_by_day),
        cmocka_unit_test(the_search_finds_any_instant),
        cmocka_unit_test(beyond_the_horizon_is_never),
        cmocka_unit_test(a_level_that_is_never_reached_is_never),
        cmocka_unit_test(a_broken_engagement_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, builder_tear_down);
}

/* What a tier change tells about itself, and what is told of a customer who is asked about: conditions, metrics, forecasts. */
#include "score/explain.h"
#include "support/history.h"
#include "support/model_fixture.h"
#include "support/scoring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SEEDS = 300 };

static const char *const rules = "score r low 7 14 30 = days_since_purchase\n"
                                 "score f high 1 3 = purchases(30d)\n"
                                 "set value\n"
                                 "tier vip = r + f >= 6 and nps(90d) > 0 | r + f >= 5\n"
                                 "tier some = r >= 3 or revenue(30d,ago 5d)  >  1.5\n"
                                 "tier rest\n"
                                 "set other\n"
                                 "tier linked = tier(value) != rest and not known(aov(1d))\n"
                                 "tier rest\n"
                                 "set slow hold 10d grace 2d one_step\n"
                                 "tier top = interactions(20d) >= 1\n"
                                 "tier middle = 1 / (purchases - 1) > 5\n"
                                 "tier bottom\n";

/* ---- as text ---- */

static void put_number(struct buffer *text, double value) {
    if (isnan(value)) {
        buffer_put_text(text, "null");
    } else {
        buffer_printf(text, "%g", value);
    }
}

static void put_conditions(struct buffer *text, const struct condition *conditions, size_t count) {
    for (size_t i = 0; i < count; i++) {
        buffer_printf(text, "  %.*s: ", (int)conditions[i].rule.size, conditions[i].rule.data);
        put_number(text, conditions[i].value);
        buffer_put_text(text, " to ");
        put_number(text, conditions[i].threshold);
        buffer_put_text(text, conditions[i].met ? ", met\n" : ", not met\n");
    }
}

static void put_values(struct buffer *text, const struct named_value *values, size_t count) {
    for (size_t i = 0; i < count; i++) {
        buffer_printf(text, "%s%.*s ", i ? ", " : "", (int)values[i].name.size, values[i].name.data);
        put_number(text, values[i].value);
    }
}

static void put_forecast(struct buffer *text, struct bytes tier, int64_t time_ms) {
    if (tier.data) {
        int64_t after_ms = time_ms - TEST_START_MS;
        buffer_printf(text, "  then %.*s at %lldd+%lld\n", (int)tier.size, tier.data, (long long)after_ms / MS_PER_DAY,
                      (long long)after_ms % MS_PER_DAY);
    }
}

static void put_change(struct buffer *text, const struct model *model, const struct tier_change *change) {
    struct bytes set = model_set_name(model, change->set);
    buffer_printf(text, "%.*s to %.*s\n", (int)set.size, set.data, (int)change->to.size, change->to.data);
    put_conditions(text, change->conditions, change->conditions_count);
    buffer_put_text(text, "  with ");
    put_values(text, change->metrics, change->metrics_count);
    buffer_put_byte(text, '\n');
    put_forecast(text, change->forecast_tier, change->forecast_ms);
}

static void assert_text(struct buffer *text, const char *expected) {
    buffer_put_byte(text, '\0');
    assert_int_equal(text->error, 0);
    assert_string_equal(text->data, expected);
    buffer_finish(text);
}

static void assert_changes(const struct model *model, struct changes *changes, const char *expected) {
    struct buffer text = {0};
    assert_int_equal(changes->error, 0);
    for (const struct tier_change *change = changes->first; change; change = change->next) {
        put_change(&text, model, change);
    }
    assert_text(&text, expected);
    changes_init(changes, &builder.arena);
}

/* ---- tier changes ---- */

static void apply(struct customer *customer, const struct model *model, struct changes *changes,
                  struct activity activity) {
    assert_int_equal(customer_apply(customer, model, &activity, TIME_NONE, changes), APPLIED);
}

/* "for a rise or a first tier those of the entered tier's `enter`"; the last tier has no rule, so no conditions. */
static void a_rise_tells_what_was_asked_for(void **state) {
    (void)state;
    const struct model *model = model_of(&builder, rules);
    struct customer *customer = customer_create(model);
    struct changes changes;
    changes_init(&changes, &builder.arena);
    apply(customer, model, &changes, test_interaction(NULL, TEST_AT(0, 0), INTERACTION_LOGIN));
    assert_changes(model, &changes,
                   "value to rest\n"
                   "  with r 1, f 1, days_since_purchase null, purchases(30d) 0, nps(90d) null, "
                   "revenue(30d, ago 5d) 0\n"
                   "other to rest\n"
                   "  with aov(1d) null\n"
                   "slow to top\n"
                   "  interactions(20d) >= 1: 1 to 1, met\n"
                   "  with interactions(20d) 1, purchases 0\n"
                   "  then middle at 22d+0\n");
    apply(customer, model, &changes, test_purchase(NULL, TEST_AT(1, 5), 250));
    assert_changes(model, &changes,
                   "value to some\n"
                   "  r >= 3: 4 to 3, met\n"
                   "  revenue(30d,ago 5d) > 1.5: 0 to 1.5, not met\n"
                   "  with r 4, f 2, days_since_purchase 0, purchases(30d) 1, nps(90d) null, "
                   "revenue(30d, ago 5d) 0\n"
                   "  then rest at 36d+0\n");
    apply(customer, model, &changes, test_feedback(NULL, TEST_AT(2, 5), SURVEY_NPS, 10));
    assert_changes(model, &changes,
                   "other to linked\n" /* a day after the purchase, before the answer */
                   "  tier(value) != rest: null to null, met\n"
                   "  with aov(1d) null\n"
                   "  then rest at 36d+0\n"
                   "value to vip\n"
                   "  r + f >= 6: 6 to 6, met\n"
                   "  nps(90d) > 0: 100 to 0, met\n"
                   "  with r 4, f 2, days_since_purchase 1, purchases(30d) 1, nps(90d) 100, "
                   "revenue(30d, ago 5d) 0\n"
                   "  then some at 15d+6\n");
    customer_destroy(customer);
}

/* "for a fall those of the left tier's rule (`stay`, else `enter`), then those of the entered tier's `enter`" */
static void a_fall_tells_what_is_no_longer_met(void **state) {
    (void)state;
    const struct model *model = model_of(&builder, rules);
    struct customer *customer = customer_create(model);
    struct changes changes;
    changes_init(&changes, &builder.arena);
    apply(customer, model, &changes, test_purchase(NULL, TEST_AT(0, 0), 250));
    apply(customer, model, &changes, test_feedback(NULL, TEST_AT(0, 0), SURVEY_NPS, 10));
    apply(customer, model, &changes, test_interaction(NULL, TEST_AT(0, 0), INTERACTION_LOGIN));
    changes_init(&changes, &builder.arena);
    customer_advance(customer, model, TEST_AT(30, 0), &changes);
    assert_changes(model, &changes,
                   "other to linked\n"
                   "  tier(value) != rest: null to null, met\n"
                   "  with aov(1d) null\n"
                   "  then rest at 35d+0\n"
                   "value to some\n"
                   "  r + f >= 5: 4 to 5, not met\n"
                   "  r >= 3: 2 to 3, not met\n"
                   "  revenue(30d,ago 5d) > 1.5: 2.5 to 1.5, met\n"
                   "  with r 2, f 2, days_since_purchase 14, purchases(30d) 1, nps(90d) 100, "
                   "revenue(30d, ago 5d) 2.5\n"
                   "  then rest at 35d+0\n"
                   "slow to middle\n"
                   "  interactions(20d) >= 1: 0 to 1, not met\n"
                   "  1 / (purchases - 1) > 5: null to 5, not met\n"
                   "  with interactions(20d) 0, purchases 1\n"
                   "  then bottom at 32d+0\n");
    customer_advance(customer, model, TEST_AT(40, 0), &changes);
    assert_changes(model, &changes,
                   "slow to bottom\n"
                   "  1 / (purchases - 1) > 5: null to 5, not met\n"
                   "  with interactions(20d) 0, purchases 1\n"
                   "value to rest\n"
                   "  r >= 3: 1 to 3, not met\n"
                   "  revenue(30d,ago 5d) > 1.5: 0 to 1.5, not met\n"
                   "  with r 1, f 1, days_since_purchase 35, purchases(30d) 0, nps(90d) 100, "
                   "revenue(30d, ago 5d) 0\n"
                   "other to rest\n"
                   "  tier(value) != rest: null to null, not met\n"
                   "  with aov(1d) null\n");
    customer_destroy(customer);
}

/* Each change foretells the next one of its set, if nothing happens until then. */
static void a_forecast_comes_true(void **state) {
    (void)state;
    int come_true = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct test_random random = test_random_of(seed);
        const struct model *model = model_of(&builder, rules);
        struct history history;
        struct history_options options = {.count = 12, .days = 60, .not_purchases = 60};
        history_random(&history, &random, &options);
        struct customer *customer = customer_create(model);
        struct changes changes;
        changes_init(&changes, &builder.arena);
        for (size_t i = 0; i < history.count; i++) {
            (void)customer_apply(customer, model, &history.activities[i], TIME_NONE, &changes);
        }
        customer_advance(customer, model, TEST_AT(1000, 0), &changes);
        assert_int_equal(changes.error, 0);
        for (const struct tier_change *change = changes.first; change; change = change->next) {
            const struct tier_change *next = change->next;
            while (next && next->set != change->set) {
                next = next->next;
            }
            if (change->effective_ms <= customer->last_seen_ms) {
                continue; /* something happened, then or later */
            }
            if (next) {
                assert_true(bytes_equal(change->forecast_tier, next->to));
                assert_int_equal(change->forecast_ms, next->effective_ms);
                come_true++;
            } else { /* time has brought everything that it ever will */
                assert_null(change->forecast_tier.data);
            }
        }
        customer_destroy(customer);
        arena_reset(&builder.arena);
    }
    assert_true(come_true > SEEDS / 2);
}

/* ---- the whole customer ---- */

static void put_tier_view(struct buffer *text, const struct tier_view *tier) {
    buffer_printf(text, "%.*s: %.*s #%u\n", (int)tier->set.size, tier->set.data, (int)tier->tier.size,
                  tier->tier.data ? tier->tier.data : "", tier->sequence);
    put_conditions(text, tier->conditions, tier->conditions_count);
    if (tier->next_tier.data) {
        buffer_printf(text, "  for %.*s\n", (int)tier->next_tier.size, tier->next_tier.data);
        put_conditions(text, tier->to_next, tier->to_next_count);
    }
    put_forecast(text, tier->forecast_tier, tier->forecast_ms);
}

static void assert_view(const struct customer_view *view, const char *expected) {
    struct buffer text = {0};
    for (size_t i = 0; i < view->tiers_count; i++) {
        put_tier_view(&text, &view->tiers[i]);
    }
    put_values(&text, view->values.scores, view->values.scores_count);
    buffer_put_byte(&text, '\n');
    put_values(&text, view->values.metrics, view->values.metrics_count);
    assert_text(&text, expected);
}

static struct customer_view view_at(const struct customer *customer, const struct model *model, int64_t at_ms) {
    struct customer_view view;
    struct customer *before = customer_copy(customer, model);
    assert_int_equal(customer_explain(customer, model, at_ms, &builder.arena, &view), 0);
    assert_same_customer(before, customer);
    customer_destroy(before);
    return view;
}

static void a_customer_is_told_as_of_an_instant(void **state) {
    (void)state;
    const struct model *model = model_of(&builder, rules);
    struct customer *customer = customer_create(model);
    struct changes changes;
    changes_init(&changes, &builder.arena);
    apply(customer, model, &changes, test_purchase(NULL, TEST_AT(0, 0), 250));
    apply(customer, model, &changes, test_purchase(NULL, TEST_AT(3, 0), 250));
    apply(customer, model, &changes, test_reversal(PURCHASE_KIND_REFUND, NULL, TEST_AT(4, 0), 100, TEST_AT(3, 0)));
    struct customer_view view = view_at(customer, model, TEST_AT(1, 0)); /* not before its own time */
    assert_int_equal(view.as_of_ms, TEST_AT(4, 0));
    assert_int_equal(view.first_purchase_ms, TEST_AT(0, 0));
    assert_int_equal(view.last_purchase_ms, TEST_AT(3, 0));
    assert_int_equal(view.orders, 2);
    assert_true(view.revenue == 4.0);
    assert_int_equal(view.tiers[0].since_ms, TEST_AT(0, 0));
    assert_view(&view, "value: some #1\n"
                       "  r >= 3: 4 to 3, met\n"
                       "  revenue(30d,ago 5d) > 1.5: 0 to 1.5, not met\n"
                       "  for vip\n"
                       "  r + f >= 6: 6 to 6, met\n"
                       "  nps(90d) > 0: null to 0, not met\n"
                       "  then rest at 35d+0\n"
                       "other: linked #4\n"
                       "  tier(value) != rest: null to null, met\n"
                       "  then rest at 35d+0\n"
                       "slow: bottom #1\n"
                       "  for middle\n"
                       "  1 / (purchases - 1) > 5: 1 to 5, not met\n"
                       "r 4, f 2\n"
                       "days_since_purchase 1, purchases(30d) 2, nps(90d) null, revenue(30d, ago 5d) 0, aov(1d) null, "
                       "interactions(20d) 0, purchases 2");
    view = view_at(customer, model, TEST_AT(36, 7)); /* as time alone will have made it */
    assert_int_equal(view.as_of_ms, TEST_AT(36, 7));
    assert_int_equal(view.tiers[0].since_ms, TEST_AT(35, 0));
    assert_int_equal(view.tiers[0].sequence, 2);
    assert_true(bytes_equal_text(view.tiers[0].tier, "rest"));
    assert_int_equal(view.tiers[0].conditions_count, 0);
    customer_destroy(customer);
}

/* Two sets that chase each other by the hour. */
#define RESTLESS                                                                                                       \
    "set hare hold 1h\n"                                                                                               \
    "tier up = tier(hound) = down\n"                                                                                   \
    "tier down\n"                                                                                                      \
    "set hound hold 1h\n"                                                                                              \
    "tier up = tier(hare) = up\n"                                                                                      \
    "tier down\n"

/* Who has bought once, on day 0. */
static struct customer *buyer(const struct model *model, struct changes *changes) {
    struct customer *customer = customer_create(model);
    changes_init(changes, &builder.arena);
    apply(customer, model, changes, test_purchase(NULL, TEST_AT(0, 0), 250));
    return customer;
}

static void what_lies_ahead_is_told_up_to_a_number(void **state) {
    (void)state;
    const struct model *model = model_of(&builder, RESTLESS "set calm\n"
                                                            "tier yes = purchases(3d) > 0\n"
                                                            "tier no\n"
                                                            "set late\n"
                                                            "tier yes = purchases(200d) > 0\n"
                                                            "tier no\n");
    struct changes changes;
    struct customer *customer = buyer(model, &changes);
    struct customer_view view = view_at(customer, model, TEST_AT(0, 0));
    for (size_t set = 0; set < 2; set++) {
        const struct tier_view *tier = &view.tiers[set];
        assert_int_equal(tier->ahead_count, 64);
        assert_true(tier->ahead[63].time_ms < TEST_AT(30, 0));
        for (size_t i = 1; i < tier->ahead_count; i++) {
            assert_true(tier->ahead[i].time_ms > tier->ahead[i - 1].time_ms);
            assert_false(bytes_equal(tier->ahead[i].tier, tier->ahead[i - 1].tier));
        }
    }
    assert_int_equal(view.tiers[2].ahead_count, 1);
    assert_int_equal(view.tiers[2].ahead[0].time_ms, TEST_AT(3, 0));
    assert_int_equal(view.tiers[3].ahead_count, 0); /* after more than 4,096 hours */
    assert_null(view.tiers[3].forecast_tier.data);
    view = view_at(customer, model, TEST_AT(100, 0));
    assert_int_equal(view.tiers[3].ahead_count, 1);
    assert_int_equal(view.tiers[3].forecast_ms, TEST_AT(200, 0));
    customer_destroy(customer);
}

static int64_t alert_of(const struct customer *customer, const struct model *model, int64_t until_ms) {
    int64_t alert_ms;
    assert_int_equal(explain_alert(customer, model, until_ms, &alert_ms), 0);
    return alert_ms;
}

static void the_first_alert_of_any_set_is_foretold(void **state) {
    (void)state;
    const struct model *model = model_of(&builder, "set it\n"
                                                   "tier good = purchases(3d) > 0\n"
                                                   "tier fair = purchases(7d) > 0\n"
                                                   "tier gone\nlabel alert us\n"
                                                   "set slow\n"
                                                   "tier yes = purchases(90d) > 0\n"
                                                   "tier no\nlabel alert us\n");
    struct customer *customer = customer_create(model);
    struct changes changes;
    changes_init(&changes, &builder.arena);
    assert_int_equal(alert_of(customer, model, TEST_AT(100, 0)), TIME_NEVER); /* of no tier */
    apply(customer, model, &changes, test_purchase(NULL, TEST_AT(0, 0), 250));
    assert_int_equal(alert_of(customer, model, TEST_AT(100, 0)), TEST_AT(7, 0)); /* by way of another tier */
    assert_int_equal(alert_of(customer, model, TEST_AT(7, 0)), TEST_AT(7, 0));
    assert_int_equal(alert_of(customer, model, TEST_AT(7, 0) - 1), TIME_NEVER);
    customer_advance(customer, model, TEST_AT(8, 0), &changes);
    assert_int_equal(alert_of(customer, model, TEST_AT(7, 0)), customer->now_ms); /* there already */
    customer_destroy(customer);
}

static void an_alert_behind_too_many_steps_is_not_foretold(void **state) {
    (void)state;
    const struct model *model = model_of(&builder, RESTLESS "set late\n"
                                                            "tier yes = purchases(200d) > 0\n"
                                                            "tier no\nlabel alert us\n");
    struct changes changes;
    struct customer *customer = buyer(model, &changes);
    assert_int_equal(alert_of(customer, model, TEST_AT(300, 0)), TIME_NEVER); /* after more than 4,096 hours */
    customer_advance(customer, model, TEST_AT(100, 0), &changes);
    assert_int_equal(alert_of(customer, model, TEST_AT(300, 0)), TEST_AT(200, 0));
    customer_destroy(customer);
}

static void a_standing_is_that_after_all_changes_of_an_instant(void **state) {
    (void)state;
    const struct model *model = model_of(&builder, "score f high 2 = purchases(3d)\n"
                                                   "set it notice 2d\n"
                                                   "tier yes = f >= 2\n"
                                                   "tier no\n"
                                                   "set other\n"
                                                   "tier up = tier(it) = yes\n"
                                                   "tier down\n");
    struct customer *customer = customer_create(model);
    struct changes changes;
    changes_init(&changes, &builder.arena);
    changes.standings = true;
    apply(customer, model, &changes, test_purchase(NULL, TEST_AT(0, 0), 250));
    assert_null(changes.first->standing); /* of `it`: the change of `other` at the same instant has it */
    assert_int_equal(changes.last->standing->as_of_ms, TEST_AT(0, 0));
    assert_near(changes.last->standing->values.scores[0].value, 1);
    apply(customer, model, &changes, test_purchase(NULL, TEST_AT(1, 7), 250));
    const struct customer_standing *standing = NULL;
    for (const struct tier_change *change = changes.first; change; change = change->next) {
        assert_true(!change->standing || change->direction != DIRECTION_WILL_FALL);
        standing = change->standing ? change->standing : standing;
    }
    assert_int_equal(standing->as_of_ms, TEST_AT(1, 7));
    assert_int_equal(standing->tiers[0].sequence, 2);
    assert_int_equal(standing->tiers[1].sequence, 2);
    assert_int_equal(standing->tiers[1].tier, 0);
    assert_int_equal(standing->values.scores_count, 1);
    assert_near(standing->values.scores[0].value, 2);
    assert_int_equal(standing->values.metrics_count, 1);
    assert_near(standing->values.metrics[0].value, 2);
    customer_advance(customer, model, TEST_AT(10, 0), &changes);
    assert_int_equal(changes.last->standing->as_of_ms, TEST_AT(3, 0));
    assert_int_equal(changes.last->standing->tiers[0].tier, 1);
    customer_destroy(customer);
}

static void a_customer_of_no_tier_has_nothing_to_tell(void **state) {
    (void)state;
    const struct model *model = model_of(&builder, "set it\ntier yes = purchases >= 1\ntier no\n");
    struct customer *customer = customer_create(model);
    struct customer_view view = view_at(customer, model, TEST_AT(1, 0));
    assert_int_equal(view.as_of_ms, TEST_AT(1, 0));
    assert_view(&view, "it:  #0\n\npurchases 0");
    assert_int_equal(view.first_purchase_ms, TIME_NONE);
    assert_int_equal(view.orders, 0);
    customer_destroy(customer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rise_tells_what_was_asked_for),
        cmocka_unit_test(a_fall_tells_what_is_no_longer_met),
        cmocka_unit_test(a_forecast_comes_true),
        cmocka_unit_test(a_customer_is_told_as_of_an_instant),
        cmocka_unit_test(what_lies_ahead_is_told_up_to_a_number),
        cmocka_unit_test(a_standing_is_that_after_all_changes_of_an_instant),
        cmocka_unit_test(the_first_alert_of_any_set_is_foretold),
        cmocka_unit_test(an_alert_behind_too_many_steps_is_not_foretold),
        cmocka_unit_test(a_customer_of_no_tier_has_nothing_to_tell),
    };
    return cmocka_run_group_tests(tests, builder_set_up, builder_tear_down);
}

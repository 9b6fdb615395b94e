/* Due instants: a customer of whom nothing is heard changes tier at the very millisecond at which it becomes true.
 *
 * The random part looks at every minute, and inside a minute in which an evaluation would change something for the first
 * millisecond at which it does; hold, grace and steps are computed from config/README.md anew. */
#include "support/history.h"
#include "support/model_fixture.h"

#include "score/tiers.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SEEDS = 12, QUIET_DAYS = 6 };

/* ---- the plain way ---- */

struct watch {
    const struct model *model;
    struct customer *customer; /* a copy, whose tiers are the watch's own */
    struct buffer changes;     /* "a: x -> y at 1735689600000\n" */
};

static void note_change(struct buffer *out, const struct model *model, size_t set, int from, int to, int64_t at_ms) {
    const struct tier_set *tiers = &model->sets[set];
    buffer_printf(out, "%s: %s -> %s at %" PRId64 "\n", tiers->name.data, from < 0 ? "" : tiers->tiers[from].name.data,
                  tiers->tiers[to].name.data, at_ms);
}

/* One set at one instant, as config/README.md says; true if anything is not as before. */
static bool decide(const struct tier_set *set, struct tier_state *state, int fitting, int64_t now_ms) {
    struct tier_state before = *state;
    if (state->tier >= 0 && fitting > state->tier) {
        bool pending = state->pending_ms != TIME_NEVER;
        state->pending_ms = pending ? state->pending_ms : now_ms;
        if (now_ms < state->since_ms + set->hold_ms || now_ms < state->pending_ms + set->grace_ms) {
            return !pending;
        }
        fitting = set->one_step ? state->tier + 1 : fitting;
    }
    state->tier = (int16_t)fitting;
    state->pending_ms = TIME_NEVER;
    state->since_ms = fitting == before.tier ? before.since_ms : now_ms;
    return before.tier != state->tier || before.pending_ms != state->pending_ms;
}

/* Whether an evaluation at this instant changes anything; with `keep` it takes place. */
static bool evaluate(struct watch *watch, int64_t now_ms, bool keep) {
    struct tier_state before[8];
    struct evaluation evaluation;
    const struct model *model = watch->model;
    struct tier_state *tiers = watch->customer->tiers;
    bool any = false;
    assert_true(model->sets_count <= 8);
    memcpy(before, tiers, model->sets_count * sizeof *tiers);
    evaluation_init(&evaluation, watch->customer, model, now_ms);
    for (size_t i = 0; i < model->sets_count; i++) {
        const struct tier_set *set = &model->sets[i];
        any |= decide(set, &tiers[i], tier_fitting(&evaluation, set, tiers[i].tier), now_ms);
        if (keep && tiers[i].tier != before[i].tier) {
            note_change(&watch->changes, model, i, before[i].tier, tiers[i].tier, now_ms);
            if (set->one_step && before[i].tier >= 0 && tiers[i].tier > before[i].tier) {
                /* "the next fall is pending from that same instant" */
                bool fits = tier_fitting(&evaluation, set, tiers[i].tier) <= tiers[i].tier;
                tiers[i].pending_ms = fits ? TIME_NEVER : now_ms;
            }
        }
    }
    if (!keep) {
        memcpy(tiers, before, model->sets_count * sizeof *tiers);
    }
    return any;
}

/* Nothing happens in (from_ms, until_ms] but time. */
static void pass(struct watch *watch, int64_t from_ms, int64_t until_ms) {
    while (from_ms < until_ms) {
        int64_t next_ms = (from_ms / MS_PER_MINUTE + 1) * MS_PER_MINUTE;
        next_ms = next_ms < until_ms ? next_ms : until_ms;
        if (!evaluate(watch, next_ms, false)) {
            from_ms = next_ms;
            continue;
        }
        while (next_ms - from_ms > 1) {
            int64_t middle_ms = from_ms + (next_ms - from_ms) / 2;
            if (evaluate(watch, middle_ms, false)) {
                next_ms = middle_ms;
            } else {
                from_ms = middle_ms;
            }
        }
        evaluate(watch, next_ms, true);
        from_ms = next_ms;
    }
}

/* The watch goes on with what the customer has done, and its own tiers. */
static void watch_take(struct watch *watch, const struct customer *customer) {
    struct customer *copy = customer_copy(customer, watch->model);
    assert_non_null(copy);
    if (watch->customer) {
        memcpy(copy->tiers, watch->customer->tiers, watch->model->sets_count * sizeof *copy->tiers);
        customer_destroy(watch->customer);
    }
    watch->customer = copy;
}

static void note_all(struct buffer *out, const struct model *model, const struct changes *changes) {
    assert_int_equal(changes->error, 0);
    for (const struct tier_change *change = changes->first; change; change = change->next) {
        note_change(out, model, change->set, change->from_tier, change->to_tier, change->effective_ms);
    }
}

static void watch_customer(const struct model *model, const struct history *history) {
    struct watch watch = {.model = model};
    struct customer *customer = customer_create(model);
    struct changes changes;
    struct buffer found = {0};
    changes_init(&changes, &builder.arena);
    watch_take(&watch, customer);
    for (size_t i = 0; i < history->count; i++) {
        int64_t now_ms = history->activities[i].time_ms;
        if (i > 0) {
            pass(&watch, customer->now_ms, now_ms);
        }
        (void)customer_apply(customer, model, &history->activities[i], TIME_NONE, &changes);
        watch_take(&watch, customer);
        evaluate(&watch, now_ms, true);
    }
    int64_t until_ms = customer->now_ms + QUIET_DAYS * (int64_t)MS_PER_DAY;
    pass(&watch, customer->now_ms, until_ms);
    customer_advance(customer, model, until_ms, &changes);
    note_all(&found, model, &changes);
    buffer_put_byte(&found, '\0');
    buffer_put_byte(&watch.changes, '\0');
    assert_int_equal(found.error, 0);
    assert_string_equal(found.data, watch.changes.data);
    buffer_finish(&found);
    buffer_finish(&watch.changes);
    customer_destroy(watch.customer);
    customer_destroy(customer);
}

static void watch_customers_of(const char *rules, const struct zone *zone) {
    builder.zone = zone;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct test_random random = test_random_of(seed);
        struct history history;
        struct history_options options = {.count = (size_t)(3 + test_random_below(&random, 6)),
                                          .from_ms = TEST_AT(87, 0), /* clocks change on day 88 */
                                          .days = 4,
                                          .round_ms = seed % 2 ? MS_PER_MINUTE : 0,
                                          .without_id = 0,
                                          .not_purchases = 60};
        history_random(&history, &random, &options);
        watch_customer(model_of(&builder, rules), &history);
        arena_reset(&builder.arena);
    }
    builder.zone = &zone_utc;
}

static void days_enter_and_leave_windows(void **state) {
    (void)state;
    static const struct zone_offset offsets[] = {{TIME_NONE, 3 * MS_PER_HOUR},
                                                 {TEST_AT(88, -2 * (int64_t)MS_PER_HOUR), 2 * MS_PER_HOUR},
                                                 {TEST_AT(90, 22 * (int64_t)MS_PER_HOUR), 3 * MS_PER_HOUR},
                                                 {TEST_AT(92, 5 * (int64_t)MS_PER_HOUR), 20 * MS_PER_MINUTE}};
    static const struct zone restless = {offsets, sizeof offsets / sizeof *offsets}; /* also at midnight, both ways */
    static const char *const rules = "score f high 1 2 = purchases(1d)\n"
                                     "set a\n"
                                     "tier x = f >= 2 and nps(2d) >= 0\n"
                                     "tier y = revenue(3d) > 50 | revenue(4d) > 20\n"
                                     "tier z = interactions(2d, ago 1d) >= 1\n"
                                     "tier rest\n"
                                     "set b\n"
                                     "tier more = purchases(2d) > purchases(2d, ago 2d)\n"
                                     "tier less\n";
    static const char *const later = "set a\n"
                                     "tier x = interactions(3d, ago 2d) >= 1\n"
                                     "tier y = revenue(3d, ago 1d) > 50\n"
                                     "tier rest\n";
    watch_customers_of(later, &zone_utc);
    watch_customers_of(later, &restless);
    watch_customers_of(rules, &zone_utc);
    watch_customers_of(rules, &zone_berlin);
    watch_customers_of(rules, &restless);
}

static void comparisons_with_elapsed_time_turn(void **state) {
    (void)state;
    watch_customers_of("score r low 0.25 1 2.5 = days_since_purchase\n"
                       "score t high 0.7 2 4.000001 = tenure\n"
                       "set a\n"
                       "tier x = r >= 4 and days_since_seen <= 0.5\n"
                       "tier y = 2 * days_since_purchase - days_since_seen / 2 < 3 and not r - t = 0\n"
                       "tier z = tenure - days_since_seen > 1.3 or 3.1 <= (tenure + days_since_seen) * 0.7 - 2\n"
                       "tier rest\n",
                       &zone_berlin);
}

static void bent_comparisons_turn(void **state) {
    (void)state;
    watch_customers_of("set a\n"
                       "tier x = days_since_purchase * days_since_seen > 3\n"
                       "tier y = 1 / tenure < 0.3 and max(tenure - 2, days_since_seen) <= 2.7\n"
                       "tier z = min(days_since_seen, 4) >= 1.5 - purchases(2d)\n"
                       "tier rest\n"
                       "set b\n"
                       "tier x = min(nps(2d), 100 * days_since_purchase) > 30\n"
                       "tier y = max(aov(1d), days_since_seen) < 3\n"
                       "tier z = days_since_seen / days_since_purchase > 0.9\n"
                       "tier rest\n",
                       &zone_berlin);
}

static void what_fades_turns(void **state) {
    (void)state;
    watch_customers_of("score e high 0.5 1 2 = engagement\n"
                       "score p low 0.3 0.6 = p_alive\n"
                       "set a\n"
                       "tier x = engagement > 1.7 and e < 4\n"
                       "tier y = p_alive >= 0.62 or e = 3 and p = 1\n"
                       "tier z = 2 * engagement - 1 >= interactions(1d)\n"
                       "tier rest\n"
                       "set b\n"
                       "tier x = clv(90d) > 30\n"
                       "tier y = expected_purchases(30d) + p_alive > 1.1 | expected_purchases(30d) + p_alive > 1\n"
                       "tier z = mean_spend > 50 and engagement <= 2.5\n"
                       "tier rest\n",
                       &zone_berlin);
}

static void falls_wait_for_hold_and_grace(void **state) {
    (void)state;
    watch_customers_of("set a hold 30h grace 7h\n"
                       "tier x = purchases(2d) >= 2 | purchases(3d) >= 2\n"
                       "tier y = days_since_purchase < 1.2 | days_since_purchase < 1.7\n"
                       "tier z = revenue(5d) > 100\n"
                       "tier rest\n"
                       "set b grace 1500\n"
                       "tier x = days_since_seen <= 0.3\n"
                       "tier y = days_since_seen <= 0.300001\n"
                       "tier rest\n"
                       "set c hold 40h\n"
                       "tier x = nps(3d) > 0 or days_since_seen <= 0.6\n"
                       "tier rest\n",
                       &zone_berlin);
}

static void falls_go_step_by_step(void **state) {
    (void)state;
    watch_customers_of("set a hold 10h one_step\n"
                       "tier w = days_since_seen < 0.5\n"
                       "tier x = purchases(2d) >= 2 | purchases(3d) >= 2\n"
                       "tier y = days_since_purchase < 1.2\n"
                       "tier z = interactions(3d) >= 2\n"
                       "tier rest\n"
                       "set b grace 400m one_step\n"
                       "tier x = nps(1d) > 0 or days_since_seen <= 0.3\n"
                       "tier y = revenue(2d) > 100\n"
                       "tier rest\n",
                       &zone_berlin);
}

static void sets_look_at_the_sets_above(void **state) {
    (void)state;
    watch_customers_of("set a grace 5h\n"
                       "tier x = days_since_seen < 0.5\n"
                       "tier y = purchases(2d) >= 1\n"
                       "tier rest\n"
                       "set b hold 6h\n"
                       "tier x = tier(a) = x or days_since_purchase > 2\n"
                       "tier y = tier(a) != rest\n"
                       "tier rest\n"
                       "set c\n"
                       "tier x = tier(a) = rest and not tier(b) = rest\n"
                       "tier rest\n",
                       &zone_berlin);
}

/* ---- to the millisecond ---- */

static char *turns_text(const struct changes *changes, char text[512]) {
    size_t size = 0;
    text[0] = '\0';
    assert_int_equal(changes->error, 0);
    for (const struct tier_change *change = changes->first; change; change = change->next) {
        int64_t after_ms = change->effective_ms - TEST_START_MS;
        size += (size_t)snprintf(text + size, 512 - size, "%s%s %" PRId64 "d+%" PRId64, size ? ", " : "",
                                 change->to.data, after_ms / MS_PER_DAY, after_ms % MS_PER_DAY);
        assert_true(size < 512);
    }
    return text;
}

/* A purchase on day 0 and nothing more for 1000 days: when the rule begins and ceases to hold. */
static void assert_turns(const char *rule, const char *expected) {
    char text[1024];
    snprintf(text, sizeof text,
             "score low low 0.5 7 = days_since_purchase\n"
             "score high high 0.5 7 = days_since_purchase\n"
             "set it\ntier yes = %s\ntier no\n",
             rule);
    const struct model *model = model_of(&builder, text);
    struct customer *customer = customer_create(model);
    struct changes changes;
    changes_init(&changes, &builder.arena);
    struct activity activity = test_purchase(NULL, TEST_AT(0, 0), 100);
    assert_int_equal(customer_apply(customer, model, &activity, TIME_NONE, &changes), APPLIED);
    customer_advance(customer, model, TEST_AT(1000, 0), &changes);
    char found[512];
    if (strcmp(turns_text(&changes, found), expected) != 0) {
        fail_msg("%s: %s, but expected %s", rule, found, expected);
    }
    customer_destroy(customer);
    arena_reset(&builder.arena);
}

static void a_comparison_turns_at_its_millisecond(void **state) {
    (void)state;
    assert_turns("days_since_purchase <= 7", "yes 0d+0, no 7d+1"); /* holds at exactly 7 days */
    assert_turns("days_since_purchase < 7", "yes 0d+0, no 7d+0");
    assert_turns("days_since_purchase > 7", "no 0d+0, yes 7d+1");
    assert_turns("days_since_purchase >= 7", "no 0d+0, yes 7d+0");
    assert_turns("days_since_purchase = 7", "no 0d+0, yes 7d+0, no 7d+1");
    assert_turns("days_since_purchase != 7", "yes 0d+0, no 7d+0, yes 7d+1");
    assert_turns("not days_since_purchase = 7", "yes 0d+0, no 7d+0, yes 7d+1");
    assert_turns("days_since_purchase = 0", "yes 0d+0, no 0d+1");
    assert_turns("days_since_purchase > 0", "no 0d+0, yes 0d+1");
    assert_turns("days_since_purchase >= 0", "yes 0d+0");
    assert_turns("7 >= days_since_purchase", "yes 0d+0, no 7d+1");
    assert_turns("7 < tenure", "no 0d+0, yes 7d+1");
    assert_turns("days_since_seen <= 0.5", "yes 0d+0, no 0d+43200001");
    assert_turns("days_since_seen < 0.0000001", "yes 0d+0, no 0d+9"); /* 8.64 ms */
    assert_turns("days_since_seen <= 999.99999999", "yes 0d+0, no 1000d+0");
    assert_turns("days_since_purchase >= 3 and days_since_purchase <= 5", "no 0d+0, yes 3d+0, no 5d+1");
    assert_turns("days_since_purchase >= 0", "yes 0d+0");
    assert_turns("days_since_purchase >= -1", "yes 0d+0");
    assert_turns("days_since_purchase < -1", "no 0d+0");
}

static void sums_and_products_of_elapsed_time_turn(void **state) {
    (void)state;
    assert_turns("2 * days_since_purchase <= 7", "yes 0d+0, no 3d+43200001");
    assert_turns("-days_since_purchase >= -7", "yes 0d+0, no 7d+1");
    assert_turns("(days_since_purchase + 1) / 2 < 4", "yes 0d+0, no 7d+0");
    assert_turns("10 - days_since_purchase > 3", "yes 0d+0, no 7d+0");
    assert_turns("days_since_purchase + tenure >= 7", "no 0d+0, yes 3d+43200000");
    assert_turns("days_since_purchase - tenure = 0", "yes 0d+0"); /* stands still */
    assert_turns("days_since_purchase > tenure", "no 0d+0");
    assert_turns("days_since_purchase > revenue * 4", "no 0d+0, yes 4d+1");
    assert_turns("days_since_purchase > purchases(3d)", "no 0d+0, yes 1d+1");
    assert_turns("days_since_purchase > 5 * purchases(3d)", "no 0d+0, yes 3d+0"); /* as the window ends */
    assert_turns("days_since_purchase + 2000000 > 2000007", "no 0d+0, yes 7d+1");
    /* Doubles of this size are 10.3 ms apart; up to the middle is rounded down. */
    assert_turns("days_since_purchase + 1000000000 > 1000000009", "no 0d+0, yes 9d+6");
}

static void bent_comparisons_turn_within_their_day(void **state) {
    (void)state;
    assert_turns("days_since_purchase * tenure > 49", "no 0d+0, yes 7d+1");
    assert_turns("days_since_purchase * days_since_purchase <= 0.25", "yes 0d+0, no 0d+43200001");
    assert_turns("1 / days_since_purchase >= 0.25", "no 0d+0, yes 0d+1, no 4d+1"); /* at first there is no value */
    assert_turns("1 / days_since_purchase >= 8", "no 0d+0, yes 0d+1, no 0d+10800001");
    assert_turns("1 + 1 / days_since_purchase >= 9", "no 0d+0, yes 0d+1, no 0d+10800001");
    assert_turns("1 / (days_since_purchase - 7) > -2", "yes 0d+0, no 6d+43200000, yes 7d+1");
    assert_turns("max(days_since_purchase, 3) >= 4", "no 0d+0, yes 4d+0");
    assert_turns("max(days_since_purchase - 3, 4) > 4", "no 0d+0, yes 7d+1");
    assert_turns("min(days_since_purchase, 5) >= 2", "no 0d+0, yes 2d+0");
    assert_turns("min(days_since_purchase, 5) >= 6", "no 0d+0");
    assert_turns("days_since_purchase > min(purchases + 1, 3)", "no 0d+0, yes 2d+1"); /* which stands still itself */
    assert_turns("low * min(tenure, 0.54) * min(tenure, 0.54) >= 0.6",
                 "no 0d+0, yes 0d+38639255, no 0d+43200001"); /* sqrt(0.2), before the score turns */
    assert_turns("tenure / (1 + days_since_purchase) >= 0.875", "no 0d+0, yes 7d+0");
}

/* A side without a value compares as false, however much time passes. */
static void what_has_no_value_does_not_turn(void **state) {
    (void)state;
    static const char *const rules[] = {
        "nps - days_since_purchase > 3",      "min(nps, days_since_purchase) > 3", "min(days_since_purchase, nps) > 3",
        "max(nps, days_since_purchase) >= 0", "max(days_since_purchase, nps) > 3", "days_since_purchase > nps",
        "nps < max(days_since_purchase, 2)",  "days_since_purchase / refunds > 0", "nps * days_since_purchase = 0",
        "max(nps, 0) < days_since_purchase",
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        assert_turns(rules[i], "no 0d+0");
    }
}

static void scores_turn_at_their_steps(void **state) {
    (void)state;
    assert_turns("low = 3", "yes 0d+0, no 0d+43200001");
    assert_turns("low >= 2", "yes 0d+0, no 7d+1"); /* best low: up to and including a step */
    assert_turns("low = 1", "no 0d+0, yes 7d+1");
    assert_turns("high >= 2", "no 0d+0, yes 0d+43200000"); /* best high: from the step on */
    assert_turns("high = 3", "no 0d+0, yes 7d+0");
    assert_turns("low + high = 4", "yes 0d+0, no 0d+43200000, yes 0d+43200001, no 7d+0, yes 7d+1");
    assert_turns("low * days_since_purchase > 8", "no 0d+0, yes 4d+1, no 7d+1, yes 8d+1");
}

static void days_begin_in_the_time_zone(void **state) {
    (void)state;
    builder.zone = &zone_berlin;
    const struct model *model = model_of(&builder, "set it\ntier yes = purchases(7d, ago 3d) >= 1\ntier no\n");
    struct customer *customer = customer_create(model);
    struct changes changes;
    char found[512];
    changes_init(&changes, &builder.arena);
    /* 2025-03-22 23:30 UTC is the 23rd in Berlin, where clocks change on the 30th. */
    struct activity activity = test_purchase(NULL, TEST_AT(80, 23 * (int64_t)MS_PER_HOUR + 1800000), 100);
    assert_int_equal(customer_apply(customer, model, &activity, TIME_NONE, &changes), APPLIED);
    customer_advance(customer, model, TEST_AT(1000, 0), &changes);
    assert_string_equal(turns_text(&changes, found), "no 80d+84600000, yes 83d+82800000, no 90d+79200000");
    customer_destroy(customer);
    builder.zone = &zone_utc;
}

/* A refund may be of an order of a day to come, as far as clocks are wrong. */
static void a_day_to_come_enters_when_it_comes(void **state) {
    (void)state;
    const struct model *model = model_of(&builder, "set it\ntier yes = refunds(7d) >= 1\ntier no\n");
    struct customer *customer = customer_create(model);
    struct changes changes;
    char found[512];
    changes_init(&changes, &builder.arena);
    struct activity activity =
        test_reversal(PURCHASE_KIND_REFUND, NULL, TEST_AT(0, MS_PER_DAY - 1000), 100, TEST_AT(1, 5000));
    assert_int_equal(customer_apply(customer, model, &activity, TIME_NONE, &changes), APPLIED);
    customer_advance(customer, model, TEST_AT(1000, 0), &changes);
    assert_string_equal(turns_text(&changes, found), "no 0d+86399000, yes 1d+0, no 8d+0");
    customer_destroy(customer);
}

/* Far beyond every calendar, but legal numbers in a configuration. */
static void steps_and_constants_may_be_absurd(void **state) {
    (void)state;
    static const char *const rules = "score never low -1 1e300 = days_since_purchase\n"
                                     "score far high 9e12 = tenure\n"
                                     "set it\n"
                                     "tier yes = never = 2 and far = 1 and tenure < 99999999999999999999999999\n"
                                     "tier no\n";
    const struct model *model = model_of(&builder, rules);
    struct customer *customer = customer_create(model);
    struct changes changes;
    char found[512];
    changes_init(&changes, &builder.arena);
    struct activity activity = test_purchase(NULL, TEST_AT(0, 0), 100);
    assert_int_equal(customer_apply(customer, model, &activity, TIME_NONE, &changes), APPLIED);
    customer_advance(customer, model, TEST_AT(1000, 0), &changes);
    assert_string_equal(turns_text(&changes, found), "yes 0d+0");
    assert_int_equal(customer_due_ms(customer, model), TIME_NEVER);
    customer_destroy(customer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_comparison_turns_at_its_millisecond),
        cmocka_unit_test(sums_and_products_of_elapsed_time_turn),
        cmocka_unit_test(bent_comparisons_turn_within_their_day),
        cmocka_unit_test(scores_turn_at_their_steps),
        cmocka_unit_test(days_begin_in_the_time_zone),
        cmocka_unit_test(a_day_to_come_enters_when_it_comes),
        cmocka_unit_test(steps_and_constants_may_be_absurd),
        cmocka_unit_test(what_has_no_value_does_not_turn),
        cmocka_unit_test(days_enter_and_leave_windows),
        cmocka_unit_test(comparisons_with_elapsed_time_turn),
        cmocka_unit_test(bent_comparisons_turn),
        cmocka_unit_test(what_fades_turns),
        cmocka_unit_test(falls_wait_for_hold_and_grace),
        cmocka_unit_test(falls_go_step_by_step),
        cmocka_unit_test(sets_look_at_the_sets_above),
    };
    return cmocka_run_group_tests(tests, builder_set_up, builder_tear_down);
}

/* What the product passes over changes nothing: a plain engine, which evaluates every set at every due instant and after every
 * activity (interface.md's words), finds the same tier changes, forecasts and logical times on random histories. */
#include "support/history.h"
#include "support/model_fixture.h"
#include "support/ready_made.h"

#include "score/add_activity.h"
#include "score/due.h"
#include "score/outlook.h"
#include "score/tiers.h"

#include <inttypes.h>
#include <stdlib.h>

enum { SEEDS = 12, CLOCK_LEADS_DAYS = 9, DUES_MAX = 500 };

/* ---- the plain engine ---- */

struct plain {
    const struct model *model;
    struct customer *customer;
    struct buffer changes;
};

static void put_change(struct buffer *out, const struct model *model, size_t set, int to, int64_t at_ms) {
    buffer_printf(out, "%s -> %s at %" PRId64 "\n", model->sets[set].name.data, model->sets[set].tiers[to].name.data,
                  at_ms - TEST_START_MS);
}

/* At the customer's now; true if any tier changes. */
static bool plain_evaluate(struct plain *plain) {
    struct evaluation evaluation;
    bool changed = false;
    evaluation_init(&evaluation, plain->customer, plain->model, plain->customer->now_ms);
    for (size_t i = 0; i < plain->model->sets_count; i++) {
        struct tier_state *state = &plain->customer->tiers[i];
        int to = tier_decide(&evaluation, &plain->model->sets[i], state);
        if (to != state->tier) {
            tier_enter(&evaluation, &plain->model->sets[i], state, to);
            put_change(&plain->changes, plain->model, i, to, plain->customer->now_ms);
            changed = true;
        }
    }
    return changed;
}

static void plain_move(struct plain *plain, int64_t now_ms) {
    plain->customer->now_ms = now_ms;
    tiles_trim(&plain->customer->tiles, zone_day(plain->model->zone, now_ms) - plain->model->span_days + 1,
               plain->model->tiles_max);
}

static int64_t plain_due(const struct plain *plain) {
    struct evaluation evaluation;
    evaluation_init(&evaluation, plain->customer, plain->model, plain->customer->now_ms);
    return plain->customer->now_ms == TIME_NONE ? TIME_NEVER : due_next(&evaluation, TIME_NEVER);
}

static void plain_advance(struct plain *plain, int64_t until_ms) {
    for (int64_t due_ms = plain_due(plain); due_ms <= until_ms; due_ms = plain_due(plain)) {
        plain_move(plain, due_ms);
        plain_evaluate(plain);
    }
}

static void plain_apply(struct plain *plain, const struct activity *activity, int64_t clock_ms) {
    struct customer *customer = plain->customer;
    plain_advance(plain, activity->time_ms > clock_ms ? activity->time_ms : clock_ms);
    plain_move(plain, activity->time_ms > customer->now_ms ? activity->time_ms : customer->now_ms);
    add_activity(customer, plain->model, activity);
    tiles_trim(&customer->tiles, DAY_RESIDUE + 1, plain->model->tiles_max);
    plain_evaluate(plain);
    plain_advance(plain, clock_ms);
}

/* When the set changes next, and to which tier (-1: never). False: nobody knows, there are too many due instants before it. */
static bool plain_forecast(const struct customer *customer, const struct model *model, size_t set,
                           struct forecast *forecast) {
    struct plain ahead = {model, customer_copy(customer, model), {0}};
    int64_t due_ms = plain_due(&ahead);
    uint32_t sequence = customer->tiers[set].sequence;
    for (int i = 0; i < DUES_MAX && due_ms != TIME_NEVER && ahead.customer->tiers[set].sequence == sequence; i++) {
        plain_move(&ahead, due_ms);
        plain_evaluate(&ahead);
        due_ms = plain_due(&ahead);
    }
    bool changed = ahead.customer->tiers[set].sequence != sequence;
    *forecast = (struct forecast){.tier = changed ? ahead.customer->tiers[set].tier : -1,
                                  .time_ms = changed ? ahead.customer->now_ms : TIME_NEVER};
    customer_destroy(ahead.customer);
    buffer_finish(&ahead.changes);
    return changed || due_ms == TIME_NEVER;
}

/* ---- against the product ---- */

/* What the product says of the changes since the last call; the forecast of the last one of each set is that of the plain engine. */
static void take_changes(const struct plain *plain, const struct changes *changes, bool at_end, struct buffer *out) {
    const struct tier_change *last[SETS_MAX] = {NULL};
    for (const struct tier_change *change = changes->first; change; change = change->next) {
        if (change->direction != DIRECTION_WILL_FALL) {
            put_change(out, plain->model, change->set, change->to_tier, change->effective_ms);
            last[change->set] = change;
        }
    }
    buffer_put_byte(out, '\0');
    out->size--;
    assert_string_equal(out->data, plain->changes.size > 0 ? plain->changes.data : "");
    for (size_t i = 0; i < plain->model->sets_count; i++) {
        if (!last[i] || last[i] != changes->last || (last[i]->before_activity && !at_end)) {
            continue; /* something has happened since */
        }
        struct forecast forecast;
        if (!plain_forecast(plain->customer, plain->model, i, &forecast)) {
            continue;
        }
        assert_int_equal(forecast.time_ms, last[i]->forecast_tier.data ? last[i]->forecast_ms : TIME_NEVER);
        if (forecast.tier >= 0) {
            struct bytes name = plain->model->sets[i].tiers[forecast.tier].name;
            assert_true(bytes_equal(name, last[i]->forecast_tier));
        }
    }
}

static void assert_same_tiers(const struct plain *plain, const struct customer *customer) {
    for (size_t i = 0; i < plain->model->sets_count; i++) {
        const struct tier_state *a = &plain->customer->tiers[i];
        const struct tier_state *b = &customer->tiers[i];
        assert_int_equal(a->tier, b->tier);
        assert_int_equal(a->sequence, b->sequence);
        assert_int_equal(a->since_ms, b->since_ms);
        assert_int_equal(a->pending_ms, b->pending_ms);
    }
}

static void play(const struct model *model, const struct history_options *options, uint64_t seed) {
    struct test_random random = test_random_of(seed);
    struct history history;
    struct plain plain = {model, customer_create(model), {0}};
    struct customer *customer = customer_create(model);
    struct buffer told = {0};
    int64_t clock_ms = TIME_NONE; /* never goes back */
    assert_true(plain.customer && customer);
    history_random(&history, &random, options);
    for (size_t i = 0; i <= history.count; i++) {
        bool end = i == history.count;
        int64_t time_ms = history.activities[end ? i - 1 : i].time_ms;
        bool leads =
            !model->notices && test_random_below(&random, 2); /* the plain engine knows no instants of notices */
        int64_t lead_ms = leads ? test_random_below(&random, CLOCK_LEADS_DAYS * (int64_t)MS_PER_DAY) : 0;
        int64_t reached_ms = end ? time_ms + 900 * (int64_t)MS_PER_DAY : time_ms + lead_ms;
        clock_ms = reached_ms > clock_ms ? reached_ms : clock_ms;
        struct changes changes;
        changes_init(&changes, &builder.arena);
        if (end) {
            customer_advance(customer, model, clock_ms, &changes);
            plain_advance(&plain, clock_ms);
        } else {
            struct activity activity = history.activities[i];
            activity.event_hash = 0; /* duplicates are another test's */
            customer_apply(customer, model, &activity, clock_ms, &changes);
            plain_apply(&plain, &activity, clock_ms);
        }
        assert_int_equal(changes.error, 0);
        assert_true(customer_is_valid(customer, model));
        assert_true(customer->wake_ms > clock_ms);
        take_changes(&plain, &changes, end, &told);
        assert_same_tiers(&plain, customer);
        if (seed % 3 == 0) {
            test_store(&customer, model);
        }
    }
    customer_destroy(customer);
    customer_destroy(plain.customer);
    buffer_finish(&plain.changes);
    buffer_finish(&told);
}

static const struct history_options histories[] = {
    {.count = 25, .days = 60, .not_purchases = 50},
    {.count = 40, .days = 500, .not_purchases = 70},
    {.count = 12, .days = 900, .round_ms = MS_PER_DAY, .not_purchases = 30},
};

static void play_all(const struct model *model, uint64_t seeds) {
    for (size_t i = 0; i < sizeof histories / sizeof *histories; i++) {
        for (uint64_t seed = 1; seed <= seeds; seed++) {
            play(model, &histories[i], seed);
        }
    }
}

static void ready_made_sets(void **state) {
    (void)state;
    struct config *config = ready_load_all();
    play_all(config->model, 3);
    config_destroy(config);
    for (size_t i = 0; i < READY_COUNT; i++) {
        config = ready_load(READY[i]);
        play_all(config->model, SEEDS / 5);
        config_destroy(config);
    }
}

/* Models that lean on what is passed over: tiers that ask for themselves and for later sets, rules by which nobody stays, falls by
 * one step without any grace, windows that begin later, comparisons of every shape, ties. */
static void models_that_never_rest(void **state) {
    (void)state;
    static const char *const texts[] = {
        "score r low 7 14 30 60 = days_since_purchase\nscore f high 2 3 5 = purchases(90d)\n"
        "score m high 50 100 200 = revenue(90d)\n"
        "set value hold 5d grace 36h one_step\ntier vip = r + f + m >= 11 | r + f + m >= 9\n"
        "tier good = r + f + m >= 8\ntier fair = r + f + m >= 5\ntier rest\n"
        "set quick one_step\ntier a = purchases(7d) >= 2\ntier b = purchases(7d) >= 1\ntier c = purchases(14d) >= "
        "1\ntier d\n",
        "set one\ntier x = tier(two) = a and days_since_seen <= 9\ntier y = tier(one) != y\ntier z\n"
        "set two\ntier a = purchases(10d) >= 1\ntier b = tier(one) = x or nps(20d) > 0\ntier c\n",
        "set odd\ntier a = days_since_purchase <= 3 | days_since_purchase <= 2\ntier b = revenue(5d) > 10 | "
        "revenue(5d) > 100\n"
        "tier c = interactions(6d) >= 1 | interactions(6d) >= 3\ntier d\n",
        "set late notice 3d\ntier a = revenue(10d, ago 5d) > 20 and interactions(page_view, 20d) >= 1\n"
        "tier b = purchases(30d, ago 30d) >= 1\ntier c = complaints(30d) >= 1 or tenure > 40\ntier d\n",
        "set shapes grace 12h\ntier a = p_alive > 0.7 and days_since_purchase < 20 + interactions(9d)\n"
        "tier b = engagement > 2 or engagement > tenure\ntier c = min(days_since_purchase, tenure) = 30\n"
        "tier e = expected_purchases(90d) >= 0.4 and purchases(40d) * 5 > days_since_seen\ntier d\n",
        "set first\ntier a = purchases(7d) >= 1\ntier b\nset second\ntier x = tier(first) = a\ntier y\n"
        "set third notice 2d\ntier v = tier(second) = x\ntier w\n",
        "set mixed\ntier a = days_since_seen < 3 + interactions(9d)\ntier b = days_since_seen < 3 + nps(20d) / "
        "10\ntier c\n",
        "score m high quantiles 4 = revenue(30d)\nscore r low quantiles 3 10 20 = days_since_purchase\n"
        "set ranked\ntier a = m + r >= 4\ntier b = m >= 2 | m >= 1\ntier c\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        play_all(model_of(&builder, texts[i]), SEEDS);
    }
}

/* A day that only other metrics look at is passed over; one that may move somebody's rank is not. */
static void the_wake_instant_is_the_first_that_matters(void **state) {
    (void)state;
    const struct model *model = model_of(&builder, "set it\ntier a = purchases(30d) >= 1\ntier b\n"
                                                   "set other\ntier x = interactions(10d) >= 9\ntier y\n");
    struct customer *customer = customer_create(model);
    test_apply(&builder, customer, model, test_purchase(NULL, TEST_AT(0, 0), 100));
    for (int day = 1; day < 5; day++) {
        test_apply(&builder, customer, model, test_interaction(NULL, TEST_AT(day, 0), INTERACTION_LOGIN));
    }
    assert_int_equal(customer_due_ms(customer, model),
                     TEST_AT(10, 0)); /* the purchase's day leaves the interactions' window */
    assert_int_equal(customer->wake_ms, TEST_AT(30, 0));
    customer_destroy(customer);
    const struct model *ranked = model_of(&builder, "score m high quantiles 4 = interactions(10d)\n"
                                                    "set it\ntier a = m >= 4\ntier b\n");
    customer = customer_create(ranked);
    test_apply(&builder, customer, ranked, test_interaction(NULL, TEST_AT(0, 0), INTERACTION_LOGIN));
    assert_int_equal(customer->wake_ms, TEST_AT(10, 0));
    customer_destroy(customer);
}

/* What an activity cannot move is not evaluated for it: the wake instant stays the very same. */
static void an_activity_that_moves_nothing_is_only_added(void **state) {
    (void)state;
    const struct model *model =
        model_of(&builder, "set it notice 5d\ntier a = revenue(30d) >= 1 and p_alive > 0.1\ntier b\n");
    struct customer *customer = customer_create(model);
    test_apply(&builder, customer, model, test_purchase(NULL, TEST_AT(0, 0), 100));
    int64_t wake_ms = customer->wake_ms;
    test_apply(&builder, customer, model, test_feedback(NULL, TEST_AT(1, 0), SURVEY_NPS, 3));
    test_apply(&builder, customer, model, test_interaction(NULL, TEST_AT(2, 0), INTERACTION_LOGIN));
    assert_int_equal(customer->wake_ms, wake_ms);
    assert_int_equal(customer->now_ms, TEST_AT(2, 0));
    assert_near(test_value(&builder, customer, "interactions"), 1);
    assert_near(test_value(&builder, customer, "nps"), -100);
    customer_destroy(customer);
}

/* The customer buys, so the fall moves away; the order is cancelled, and it is where it was: nothing else has been told. */
static void a_fall_that_comes_back_is_told_once(void **state) {
    (void)state;
    const struct model *model = model_of(&builder, "set it notice 3d\ntier a = purchases(10d) >= 1\ntier b\n");
    const struct activity activities[] = {
        test_purchase(NULL, TEST_AT(0, 0), 100),
        test_purchase(NULL, TEST_AT(8, 0), 100),
        test_reversal(PURCHASE_KIND_CANCELLATION, NULL, TEST_AT(9, 0), 100, TEST_AT(8, 0)),
    };
    struct customer *customer = customer_create(model);
    struct changes changes;
    changes_init(&changes, &builder.arena);
    for (size_t i = 0; i < sizeof activities / sizeof *activities; i++) {
        customer_apply(customer, model, &activities[i], TIME_NONE, &changes);
    }
    customer_advance(customer, model, TEST_AT(20, 0), &changes);
    assert_string_equal(changes_text(&builder, model, &changes), "it FIRST -> a #1 at 0d+0 by PURCHASE\n"
                                                                 "it WILL_FALL a -> b #1 at 7d+0 by TIME\n"
                                                                 "it DOWN a -> b #2 at 10d+0 by TIME\n");
    customer_destroy(customer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ready_made_sets),
        cmocka_unit_test(models_that_never_rest),
        cmocka_unit_test(the_wake_instant_is_the_first_that_matters),
        cmocka_unit_test(an_activity_that_moves_nothing_is_only_added),
        cmocka_unit_test(a_fall_that_comes_back_is_told_once),
    };
    return cmocka_run_group_tests(tests, builder_set_up, builder_tear_down);
}

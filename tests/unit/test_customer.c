/* What must hold for every customer, tried on random ones: whatever is kept up to date step by step is what the plain list of
 * activities says. */
#include "customer_support.h"

enum { SEEDS = 2000, SEEDS_METRICS = 300, SEEDS_TIME = 500 };

static void random_history(struct history *history, struct test_random *random, int days) {
    struct history_options options = {.count = (size_t)(1 + test_random_below(random, 24)),
                                      .days = days,
                                      .without_id = test_random_below(random, 2) ? 30 : 0,
                                      .not_purchases = 50};
    history_random(history, random, &options);
}

/* ---- order of arrival ---- */

static void the_order_of_arrival_does_not_matter(void **state) {
    (void)state;
    static const int days[] = {1, 50, 400}; /* of one day, within the windows, and beyond them */
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct test_random random = test_random_of(seed);
        struct history history;
        random_history(&history, &random, days[seed % 3]);
        struct customer *in_order = customer_of(usual, &history);
        history_shuffle(&history, &random);
        struct customer *shuffled = customer_of(usual, &history);
        assert_int_equal(in_order->now_ms, shuffled->now_ms);
        assert_same_life(in_order, shuffled);
        customer_destroy(in_order);
        customer_destroy(shuffled);
        forget();
    }
}

/* ---- duplicates ---- */

/* Whether an id is among the latest 16 when the activities 0..last have been applied. */
static bool is_recent(const struct history *history, size_t last, uint64_t hash) {
    int ids = 0;
    for (size_t i = last + 1; i-- > 0 && hash != 0 && ids < 16;) {
        if (history->activities[i].event_hash == hash) {
            return true;
        }
        ids += history->activities[i].event_hash != 0;
    }
    return false;
}

static void a_duplicate_changes_nothing_at_all(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct test_random random = test_random_of(seed);
        struct history history;
        random_history(&history, &random, 100);
        struct customer *customer = created(usual);
        for (size_t i = 0; i < history.count; i++) {
            apply(customer, usual, &history.activities[i]);
            struct customer *before = copied(customer, usual);
            assert_same_customer(before, customer);
            /* Said again, as another kind of activity, later and with a clock far ahead: only the id counts. */
            struct activity again = history.activities[test_random_below(&random, (int64_t)i + 1)];
            again.time_ms += test_random_below(&random, 100) * MS_PER_DAY;
            again.type = test_random_below(&random, 2) ? again.type : ACTIVITY_INTERACTION;
            again.interaction.kind = again.type == ACTIVITY_INTERACTION ? INTERACTION_LOGIN : again.interaction.kind;
            struct changes changes;
            changes_init(&changes, &builder.arena);
            if (is_recent(&history, i, again.event_hash)) {
                int64_t clock_ms = customer->now_ms + 1000 * (int64_t)MS_PER_DAY;
                assert_int_equal(customer_apply(customer, usual, &again, clock_ms, &changes), APPLIED_DUPLICATE);
                assert_int_equal(changes.count, 0);
                assert_same_customer(before, customer);
            }
            customer_destroy(before);
        }
        customer_destroy(customer);
        forget();
    }
}

/* ---- refunds ---- */

/* A purchase and its refund or cancellation leave what is there, but for the refunds, and for the order of a refund. */
static void a_refund_reverses_its_purchase_exactly(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct test_random random = test_random_of(seed);
        struct history history;
        random_history(&history, &random, 100);
        int64_t last_ms = history.activities[history.count - 1].time_ms;
        int64_t order_ms = TEST_START_MS + test_random_below(&random, last_ms - TEST_START_MS + 1);
        int64_t back_ms = order_ms + test_random_below(&random, last_ms - order_ms + 1);
        int64_t amount = 1 + test_random_below(&random, 100000);
        bool cancelled = test_random_below(&random, 2);
        struct customer *without = customer_of(usual, &history);
        struct activity *more = &history.activities[history.count];
        more[0] = test_purchase(NULL, order_ms, amount);
        more[1] = test_reversal(cancelled ? PURCHASE_KIND_CANCELLATION : PURCHASE_KIND_REFUND, NULL, back_ms, amount,
                                order_ms);
        history.count += 2;
        history_shuffle(&history, &random);
        struct customer *with = customer_of(usual, &history);
        int32_t day = plain_day(&zone_berlin, order_ms);
        day = day > plain_day(&zone_berlin, last_ms) - model_span_days(usual) ? day : DAY_RESIDUE;
        assert_int_equal(tiles_add(&without->tiles, day, TILE_REFUNDS, amount), 0);
        assert_int_equal(tiles_add(&without->tiles, day, TILE_PURCHASES, cancelled ? 0 : 1), 0);
        assert_same_tiles(&without->tiles, &with->tiles);
        customer_destroy(without);
        customer_destroy(with);
        forget();
    }
}

/* ---- metrics ---- */

/* Formulas of their own, in tests of their own; and what a refund takes of points depends on the order of arrival. */
static bool is_tested_elsewhere(const char *metric) {
    static const char *const elsewhere[] = {"points", "p_alive", "expected_purchases", "mean_spend", "clv"};
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++) {
        if (strcmp(metric, elsewhere[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* A model whose rules use every other metric, those with a window over several, and never hold. */
static struct model *model_of_all_metrics(void) {
    static const char *const windows[] = {"(1d)", "(7d)", "(7d, ago 7d)", "(30d, ago 11d)", "(90d)"};
    struct buffer text = {0};
    buffer_put_text(&text, "set it\n"
                           "tier a = interactions(page_view) < 0 or interactions(other, 30d, ago 3d) < 0\n");
    for (int kind = 0; kind < METRIC_KINDS; kind++) {
        const char *name = metric_rows[kind].name;
        if (is_tested_elsewhere(name)) {
            continue;
        }
        buffer_printf(&text, "tier t%d = %s < -1000", kind, name);
        for (size_t i = 0; i < sizeof windows / sizeof *windows && metric_rows[kind].window; i++) {
            buffer_printf(&text, " or %s%s < -1000", name, windows[i]);
        }
        buffer_put_byte(&text, '\n');
    }
    buffer_put_text(&text, "tier rest\n");
    buffer_put_byte(&text, '\0');
    assert_int_equal(text.error, 0);
    struct model *model = model_of(&builder, text.data);
    buffer_finish(&text);
    return model;
}

/* Equal but for the rounding of a formula that is written in another way. */
static bool is_near(double actual, double expected) {
    return isnan(actual) ? isnan(expected) : fabs(actual - expected) <= 1e-9 * fmax(1, fabs(expected));
}

static void assert_metrics(const struct customer *customer, const struct model *model, const struct history *history,
                           int64_t now_ms) {
    struct evaluation evaluation;
    evaluation_init(&evaluation, customer, model, now_ms);
    for (size_t i = 0; i < model->slots.count; i++) {
        double actual = evaluation_metric(&evaluation, i);
        double expected = plain_metric(history, &model->slots.slots[i], model->zone, now_ms);
        if (!is_near(actual, expected)) {
            fail_msg("%s is %.17g, not %.17g", model->slots.slots[i].text.data, actual, expected);
        }
    }
}

static void metrics_are_what_the_list_says(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS_METRICS; seed++) {
        struct test_random random = test_random_of(seed);
        struct history history;
        struct history so_far = {.count = 0};
        const struct model *model = model_of_all_metrics();
        random_history(&history, &random, seed % 4 == 0 ? 400 : 60);
        if (seed % 2 == 0) {
            history_shuffle(&history, &random);
        }
        struct customer *customer = created(model);
        struct changes changes;
        changes_init(&changes, &builder.arena);
        for (size_t i = 0; i < history.count; i++) {
            so_far.activities[so_far.count++] = history.activities[i];
            apply_to(customer, model, &history.activities[i], TIME_NONE, &changes);
            assert_metrics(customer, model, &so_far, customer->now_ms);
            /* The same later, when days have left windows, and the customer has moved there by itself. */
            int64_t later_ms = customer->now_ms + test_random_below(&random, 20 * (int64_t)MS_PER_DAY);
            struct customer *ahead = copied(customer, model);
            customer_advance(ahead, model, later_ms, &changes);
            assert_true(customer_is_valid(ahead, model));
            assert_true(ahead->wake_ms > later_ms);
            assert_metrics(ahead, model, &so_far, later_ms);
            assert_metrics(customer, model, &so_far, later_ms);
            customer_destroy(ahead);
        }
        customer_destroy(customer);
        forget();
    }
}

/* ---- time ---- */

static bool same_changes(const struct model *model, const struct changes *a, const struct changes *b) {
    const char *first = changes_text(&builder, model, a);
    return strcmp(first, changes_text(&builder, model, b)) == 0;
}

/* The wheel may come early, late, often or once: the customer and the changes are the same. */
static void time_passes_in_parts_as_at_once(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS_TIME; seed++) {
        struct test_random random = test_random_of(seed);
        struct history history;
        random_history(&history, &random, 50);
        struct customer *once = customer_of(usual, &history);
        struct customer *often = copied(once, usual);
        struct changes changes_once;
        struct changes changes_often;
        changes_init(&changes_once, &builder.arena);
        changes_init(&changes_often, &builder.arena);
        int64_t until_ms = once->now_ms;
        for (int part = 0; part < 10; part++) {
            until_ms += test_random_below(&random, 10 * (int64_t)MS_PER_DAY);
            customer_advance(often, usual, until_ms, &changes_often);
        }
        customer_advance(once, usual, until_ms, &changes_once);
        assert_same_customer(once, often);
        assert_true(same_changes(usual, &changes_once, &changes_often));
        customer_destroy(once);
        customer_destroy(often);
        forget();
    }
}

/* Whether the wheel has brought the customer to the clock or not, the activity finds it there. */
static void an_activity_finds_the_customer_at_the_clock(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS_TIME; seed++) {
        struct test_random random = test_random_of(seed);
        struct history history;
        random_history(&history, &random, 80);
        struct customer *clocked = created(usual);
        struct customer *stepped = created(usual);
        struct changes changes;
        struct changes changes_stepped;
        changes_init(&changes, &builder.arena);
        changes_init(&changes_stepped, &builder.arena);
        for (size_t i = 0; i < history.count; i++) {
            const struct activity *activity = &history.activities[i];
            int64_t ahead_ms = test_random_below(&random, 4) * test_random_below(&random, 30 * (int64_t)MS_PER_DAY);
            int64_t clock_ms = activity->time_ms + ahead_ms - 5 * (int64_t)MS_PER_DAY;
            if (test_random_below(&random, 2)) { /* just when days enter and leave windows */
                clock_ms = zone_day_start_ms(&zone_berlin, zone_day(&zone_berlin, clock_ms));
            }
            apply_to(clocked, usual, activity, clock_ms, &changes);
            customer_advance(stepped, usual, clock_ms, &changes_stepped);
            apply_to(stepped, usual, activity, clock_ms, &changes_stepped);
            customer_advance(stepped, usual, clock_ms, &changes_stepped);
            assert_same_customer(clocked, stepped);
        }
        assert_true(same_changes(usual, &changes, &changes_stepped));
        customer_destroy(clocked);
        customer_destroy(stepped);
        forget();
    }
}

/* ---- copies, sizes ---- */

static void a_copy_lives_by_itself(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS_TIME; seed++) {
        struct test_random random = test_random_of(seed);
        struct history history;
        random_history(&history, &random, 50);
        struct customer *customer = customer_of(usual, &history);
        customer->armed_ms = customer->now_ms + test_random_below(&random, 1000);
        struct customer *copy = copied(customer, usual);
        struct customer *untouched = copied(copy, usual);
        assert_same_customer(customer, copy);
        assert_ptr_not_equal(customer->recent, copy->recent);
        assert_ptr_not_equal(customer->tiers, copy->tiers);
        assert_true(customer_bytes(copy) <= customer_bytes(customer));
        struct activity more = test_purchase("more", customer->now_ms + 40 * (int64_t)MS_PER_DAY, 1);
        apply(copy, usual, &more);
        assert_same_customer(customer, untouched);
        customer_destroy(copy);
        customer_destroy(untouched);
        customer_destroy(customer);
        forget();
    }
    customer_destroy(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_order_of_arrival_does_not_matter),
        cmocka_unit_test(a_duplicate_changes_nothing_at_all),
        cmocka_unit_test(a_refund_reverses_its_purchase_exactly),
        cmocka_unit_test(metrics_are_what_the_list_says),
        cmocka_unit_test(time_passes_in_parts_as_at_once),
        cmocka_unit_test(an_activity_finds_the_customer_at_the_clock),
        cmocka_unit_test(a_copy_lives_by_itself),
    };
    return cmocka_run_group_tests(tests, set_up, builder_tear_down);
}

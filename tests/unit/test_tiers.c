/* Tier sets, walked through sentence by sentence of config/README.md. Each walk is a customer, what happens to them, and
 * the tier changes that must follow. */
#include "support/model_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct model *model;
static struct customer *customer;
static struct changes found; /* since the last `expect` */
static int events;
static char ids[64][16];

/* A new walk by these rules. */
static void begin(const char *text) {
    model = model_of(&builder, text);
    customer = customer_create(model);
    assert_non_null(customer);
    changes_init(&found, &builder.arena);
    events = 0;
}

static void end(void) {
    assert_int_equal(found.count, 0);
    customer_destroy(customer);
}

static const char *next_id(void) {
    assert_true(events < 64);
    snprintf(ids[events], sizeof *ids, "e%d", events + 1);
    return ids[events++];
}

static enum applied happens(struct activity activity) {
    enum applied applied = customer_apply(customer, model, &activity, TIME_NONE, &found);
    assert_true(customer_is_valid(customer, model));
    return applied;
}

/* The n-th of these has the id "en". */
static void buys(int day, int64_t ms, int64_t amount) {
    assert_int_equal(happens(test_purchase(next_id(), TEST_AT(day, ms), amount * 100)), APPLIED);
}

static void looks(int day, int64_t ms) {
    assert_int_equal(happens(test_interaction(next_id(), TEST_AT(day, ms), INTERACTION_PAGE_VIEW)), APPLIED);
}

static void answers(int day, int64_t ms, int score) {
    assert_int_equal(happens(test_feedback(next_id(), TEST_AT(day, ms), SURVEY_NPS, score)), APPLIED);
}

static void gets_back(enum purchase_kind kind, int day, int64_t ms, int64_t amount, int order_day) {
    assert_int_equal(happens(test_reversal(kind, next_id(), TEST_AT(day, ms), amount * 100, TEST_AT(order_day, 0))),
                     APPLIED);
}

static void time_passes_until(int day, int64_t ms) {
    customer_advance(customer, model, TEST_AT(day, ms), &found);
    assert_true(customer_is_valid(customer, model));
}

static void expect(const char *lines) {
    assert_string_equal(changes_text(&builder, model, &found), lines);
    changes_init(&found, &builder.arena);
}

#define HOURS(count) ((int64_t)(count)*MS_PER_HOUR)

/* ---- "No tier yet: the fitting tier is taken" ... "Fitting tier better: taken at once" ---- */

static void the_first_fitting_tier_is_taken(void **state) {
    (void)state;
    begin("set value\n"
          "tier vip = purchases(10d) >= 2\n"
          "tier some = purchases(10d) >= 1\n"
          "tier rest\n");
    looks(0, 0);
    expect("value FIRST -> rest #1 at 0d+0 by INTERACTION e1\n");
    buys(0, 5, 1);
    expect("value UP rest -> some #2 at 0d+5 by PURCHASE e2\n");
    buys(3, 7, 1);
    expect("value UP some -> vip #3 at 3d+7 by PURCHASE e3\n");
    buys(3, 8, 1);
    expect(""); /* vip already */
    time_passes_until(9, MS_PER_DAY - 1);
    expect("");
    time_passes_until(100, 0);
    expect("value DOWN vip -> rest #4 at 13d+0 by TIME\n");
    buys(100, 0, 1);
    buys(100, 0, 1);
    expect("value UP rest -> some #5 at 100d+0 by PURCHASE e5\n"
           "value UP some -> vip #6 at 100d+0 by PURCHASE e6\n");
    end();
}

static void the_best_tier_may_be_the_first(void **state) {
    (void)state;
    begin("set value\n"
          "tier vip = revenue >= 100\n"
          "tier rest\n"
          "set alone\n"
          "tier everyone\n");
    buys(0, 0, 100);
    expect("value FIRST -> vip #1 at 0d+0 by PURCHASE e1\n"
           "alone FIRST -> everyone #1 at 0d+0 by PURCHASE e1\n");
    time_passes_until(10000, 0);
    assert_int_equal(customer_due_ms(customer, model), TIME_NEVER);
    end();
}

static void each_change_names_its_cause(void **state) {
    (void)state;
    begin("set it\n"
          "tier bought = purchases >= 1 and refunds = 0\n"
          "tier seen = refunds = 0 and nps >= 9\n"
          "tier rest\n");
    looks(0, 0);
    answers(0, 1, 10);
    buys(0, 2, 10);
    gets_back(PURCHASE_KIND_REFUND, 0, 3, 1, 0);
    expect("it FIRST -> rest #1 at 0d+0 by INTERACTION e1\n"
           "it UP rest -> seen #2 at 0d+1 by FEEDBACK e2\n"
           "it UP seen -> bought #3 at 0d+2 by PURCHASE e3\n"
           "it DOWN bought -> rest #4 at 0d+3 by REFUND e4\n");
    end();
    begin("set it\n"
          "tier bought = purchases >= 1\n"
          "tier rest\n");
    buys(0, 0, 10);
    gets_back(PURCHASE_KIND_REFUND, 1, 0, 10, 0);
    expect("it FIRST -> bought #1 at 0d+0 by PURCHASE e1\n"); /* a refund leaves the order */
    gets_back(PURCHASE_KIND_CANCELLATION, 2, 0, 10, 0);
    expect("it DOWN bought -> rest #2 at 2d+0 by REFUND e3\n");
    assert_int_equal(happens(test_purchase(NULL, TEST_AT(3, 0), 100)), APPLIED);
    expect("it UP rest -> bought #3 at 3d+0 by PURCHASE\n"); /* an event without an id */
    end();
}

/* ---- "`enter`, but for the tier the customer is in `stay` where it has one" ---- */

static void stay_keeps_but_does_not_let_in(void **state) {
    (void)state;
    begin("set value\n"
          "tier vip = revenue(10d) >= 100 | revenue(10d) >= 50\n"
          "tier rest\n");
    buys(0, 0, 60);
    expect("value FIRST -> rest #1 at 0d+0 by PURCHASE e1\n");
    buys(5, 0, 40);
    expect("value UP rest -> vip #2 at 5d+0 by PURCHASE e2\n");
    buys(8, 0, 10);
    time_passes_until(14, HOURS(24) - 1);
    expect(""); /* from day 10 on 50 are left, enough to stay */
    time_passes_until(15, 0);
    expect("value DOWN vip -> rest #3 at 15d+0 by TIME\n");
    buys(16, 0, 60);
    expect(""); /* 70: enough to stay, not to enter */
    end();
}

/* ---- hold ---- */

static void a_fall_waits_for_the_end_of_hold(void **state) {
    (void)state;
    begin("set value hold 20d\n"
          "tier vip = revenue(10d) >= 100\n"
          "tier some = revenue(10d) >= 10\n"
          "tier rest\n");
    buys(0, HOURS(1), 20);
    buys(0, HOURS(2), 80);
    expect("value FIRST -> some #1 at 0d+3600000 by PURCHASE e1\n"
           "value UP some -> vip #2 at 0d+7200000 by PURCHASE e2\n"); /* a rise never waits */
    time_passes_until(20, HOURS(2) - 1);
    expect("");
    assert_int_equal(customer_due_ms(customer, model), TEST_AT(20, HOURS(2)));
    time_passes_until(20, HOURS(2));
    expect("value DOWN vip -> rest #3 at 20d+7200000 by TIME\n"); /* at once to what fits then */
    buys(20, HOURS(3), 100);
    expect("value UP rest -> vip #4 at 20d+10800000 by PURCHASE e3\n");
    /* It fits again before hold ends; when it no longer does, hold is over. */
    buys(29, 0, 100);
    time_passes_until(39, 0);
    expect("");
    buys(39, 0, 100);
    time_passes_until(48, HOURS(24) - 1);
    expect("");
    time_passes_until(49, 0);
    expect("value DOWN vip -> rest #5 at 49d+0 by TIME\n");
    end();
}

/* ---- grace ---- */

static void a_fall_is_pending_for_grace(void **state) {
    (void)state;
    begin("set value grace 36h\n"
          "tier vip = revenue(10d) >= 100\n"
          "tier some = revenue(10d) >= 10\n"
          "tier rest\n");
    buys(0, 0, 100);
    expect("value FIRST -> vip #1 at 0d+0 by PURCHASE e1\n");
    time_passes_until(10, HOURS(36) - 1);
    assert_int_equal(customer->tiers[0].pending_ms, TEST_AT(10, 0));
    /* An evaluation that finds the present tier fitting ends the pending fall. */
    buys(10, HOURS(36) - 1, 100);
    assert_int_equal(customer->tiers[0].pending_ms, TIME_NEVER);
    expect("");
    /* Pending since the first evaluation that found it so, whichever came later; where to is decided at the end. */
    gets_back(PURCHASE_KIND_REFUND, 12, 5, 50, 11);
    assert_int_equal(customer->tiers[0].pending_ms, TEST_AT(12, 5));
    looks(12, 77);
    gets_back(PURCHASE_KIND_REFUND, 13, 0, 45, 11);
    time_passes_until(13, HOURS(12) + 4);
    expect("");
    time_passes_until(13, HOURS(12) + 5);
    expect("value DOWN vip -> rest #2 at 13d+43200005 by TIME\n");
    /* A rise never waits for grace, and ends what is pending. */
    buys(14, 0, 10);
    expect("value UP rest -> some #3 at 14d+0 by PURCHASE e6\n");
    gets_back(PURCHASE_KIND_REFUND, 14, 1, 10, 14);
    assert_int_equal(customer->tiers[0].pending_ms, TEST_AT(14, 1));
    buys(14, 2, 200);
    expect("value UP some -> vip #4 at 14d+2 by PURCHASE e8\n");
    assert_int_equal(customer->tiers[0].pending_ms, TIME_NEVER);
    /* An event itself may come at the end of grace: then time is evaluated first. */
    buys(25, HOURS(12), 100);
    expect("value DOWN vip -> rest #5 at 25d+43200000 by TIME\n"
           "value UP rest -> vip #6 at 25d+43200000 by PURCHASE e9\n");
    end();
}

static void a_fall_needs_both_hold_and_grace(void **state) {
    (void)state;
    static const char *const rules = "tier vip = revenue(10d) >= 100\n"
                                     "tier rest\n";
    char text[128];
    snprintf(text, sizeof text, "set value hold 12d grace 1d\n%s", rules);
    begin(text); /* grace ends at day 11, hold at day 12 */
    buys(0, 9, 100);
    time_passes_until(30, 0);
    expect("value FIRST -> vip #1 at 0d+9 by PURCHASE e1\n"
           "value DOWN vip -> rest #2 at 12d+9 by TIME\n");
    end();
    snprintf(text, sizeof text, "set value hold 5d grace 3d\n%s", rules);
    begin(text); /* hold ends at day 5, grace at day 13 */
    buys(0, 9, 100);
    time_passes_until(30, 0);
    expect("value FIRST -> vip #1 at 0d+9 by PURCHASE e1\n"
           "value DOWN vip -> rest #2 at 13d+0 by TIME\n");
    end();
}

/* ---- demote: one_step ---- */

static const char *const ladder = "tier vip = revenue(10d) >= 100\n"
                                  "tier good = revenue(10d) >= 50\n"
                                  "tier some = revenue(10d) >= 10 | revenue(10d) >= 5\n"
                                  "tier rest\n";

static void begin_ladder(const char *set) {
    char text[512];
    snprintf(text, sizeof text, "%s\n%s", set, ladder);
    begin(text);
}

static void one_step_falls_by_one(void **state) {
    (void)state;
    begin_ladder("set value grace 12h one_step");
    buys(0, 0, 100);
    buys(3, 0, 7);
    expect("value FIRST -> vip #1 at 0d+0 by PURCHASE e1\n");
    time_passes_until(10, HOURS(12));
    expect("value DOWN vip -> good #2 at 10d+43200000 by TIME\n");
    /* Good does not fit either: the next fall is pending from that same instant. */
    assert_int_equal(customer->tiers[0].pending_ms, TEST_AT(10, HOURS(12)));
    time_passes_until(12, HOURS(24) - 1);
    /* 7 are enough to stay in some, though not to enter it. */
    expect("value DOWN good -> some #3 at 11d+0 by TIME\n");
    assert_int_equal(customer->tiers[0].pending_ms, TIME_NEVER);
    time_passes_until(30, 0);
    expect("value DOWN some -> rest #4 at 13d+43200000 by TIME\n");
    end();
    begin_ladder("set value hold 2d one_step");
    buys(0, 0, 100);
    time_passes_until(30, 0);
    expect("value FIRST -> vip #1 at 0d+0 by PURCHASE e1\n"
           "value DOWN vip -> good #2 at 10d+0 by TIME\n"
           "value DOWN good -> some #3 at 12d+0 by TIME\n"
           "value DOWN some -> rest #4 at 14d+0 by TIME\n");
    end();
}

/* "where both are 0, at the next evaluation, whatever causes it" */
static void one_step_without_waiting_falls_at_the_next_evaluation(void **state) {
    (void)state;
    begin_ladder("set value one_step");
    buys(0, 0, 100);
    time_passes_until(10, 0);
    expect("value FIRST -> vip #1 at 0d+0 by PURCHASE e1\n"
           "value DOWN vip -> good #2 at 10d+0 by TIME\n");
    time_passes_until(100, 0);
    expect("");
    looks(100, 5);
    expect("value DOWN good -> some #3 at 100d+5 by INTERACTION e2\n");
    answers(100, 5, 0);
    expect("value DOWN some -> rest #4 at 100d+5 by FEEDBACK e3\n");
    end();
}

static void one_step_may_end_in_a_tier_that_fits(void **state) {
    (void)state;
    begin_ladder("set value one_step");
    buys(0, 0, 100);
    buys(5, 0, 60);
    time_passes_until(10, 0);
    expect("value FIRST -> vip #1 at 0d+0 by PURCHASE e1\n"
           "value DOWN vip -> good #2 at 10d+0 by TIME\n");
    assert_int_equal(customer->tiers[0].pending_ms, TIME_NEVER);
    looks(11, 0);
    expect("");
    end();
}

/* A rise goes to the fitting tier at once, by however many steps. */
static void rises_know_no_steps(void **state) {
    (void)state;
    begin_ladder("set value hold 1d grace 1d one_step");
    looks(0, 0);
    buys(0, 1, 100);
    expect("value FIRST -> rest #1 at 0d+0 by INTERACTION e1\n"
           "value UP rest -> vip #2 at 0d+1 by PURCHASE e2\n");
    end();
}

/* ---- several sets ---- */

static void sets_are_evaluated_in_the_order_of_the_file(void **state) {
    (void)state;
    begin("set above\n"
          "tier with = tier(value) = vip\n"
          "tier without\n"
          "set value\n"
          "tier vip = purchases(10d) >= 1\n"
          "tier rest\n"
          "set below\n"
          "tier with = tier(value) = vip\n"
          "tier ever = tier(value) != vip and (purchases >= 2 or tier(below) = ever)\n"
          "tier without\n");
    buys(0, 0, 1);
    /* Sets higher in the file have been evaluated already, lower ones have not. */
    expect("above FIRST -> without #1 at 0d+0 by PURCHASE e1\n"
           "value FIRST -> vip #1 at 0d+0 by PURCHASE e1\n"
           "below FIRST -> with #1 at 0d+0 by PURCHASE e1\n");
    looks(1, 0);
    expect("above UP without -> with #2 at 1d+0 by INTERACTION e2\n");
    time_passes_until(50, 0);
    expect("value DOWN vip -> rest #2 at 10d+0 by TIME\n"
           "below DOWN with -> without #2 at 10d+0 by TIME\n"
           "above DOWN with -> without #3 at 11d+0 by TIME\n"); /* day 1 leaves: a due instant, though nobody bought */
    buys(51, 1, 1);
    time_passes_until(70, 0);
    expect("value UP rest -> vip #3 at 51d+1 by PURCHASE e3\n"
           "below UP without -> with #3 at 51d+1 by PURCHASE e3\n"
           "above UP without -> with #4 at 61d+0 by TIME\n"
           "value DOWN vip -> rest #4 at 61d+0 by TIME\n"
           "below DOWN with -> ever #4 at 61d+0 by TIME\n");
    assert_int_equal(happens(test_reversal(PURCHASE_KIND_CANCELLATION, "back", TEST_AT(71, 0), 100, TEST_AT(51, 0))),
                     APPLIED_LATE);
    expect("above DOWN with -> without #5 at 71d+0 by REFUND back\n"); /* below: once ever, always ever */
    end();
}

/* ---- late events, and events out of order ---- */

static void a_late_event_counts_in_the_whole_life(void **state) {
    (void)state;
    begin("set recent\n"
          "tier active = purchases(10d) >= 2\n"
          "tier rest\n"
          "set life\n"
          "tier loyal = purchases >= 3 and tenure >= 300\n"
          "tier rest\n");
    buys(300, 0, 1);
    expect("recent FIRST -> rest #1 at 300d+0 by PURCHASE e1\n"
           "life FIRST -> rest #1 at 300d+0 by PURCHASE e1\n");
    assert_int_equal(happens(test_purchase("late1", TEST_AT(290, HOURS(24) - 1), 100)), APPLIED_LATE);
    assert_int_equal(happens(test_purchase("late2", TEST_AT(0, 0), 100)), APPLIED_LATE);
    /* The customer's time does not go back: the change takes effect now. */
    expect("life UP rest -> loyal #2 at 300d+0 by PURCHASE late2\n");
    assert_int_equal(customer->now_ms, TEST_AT(300, 0));
    assert_int_equal(customer->first_purchase_ms, TEST_AT(0, 0));
    assert_int_equal(customer->last_purchase_ms, TEST_AT(300, 0));
    /* The first day within the window is not late. */
    assert_int_equal(happens(test_purchase("in time", TEST_AT(291, 0), 100)), APPLIED);
    expect("recent UP rest -> active #2 at 300d+0 by PURCHASE in time\n");
    /* A refund belongs to the day of its order. */
    assert_int_equal(happens(test_reversal(PURCHASE_KIND_CANCELLATION, "back1", TEST_AT(300, 0), 100, TEST_AT(290, 0))),
                     APPLIED_LATE);
    assert_int_equal(happens(test_reversal(PURCHASE_KIND_REFUND, "back2", TEST_AT(200, 0), 100, TEST_AT(300, 0))),
                     APPLIED);
    expect("");
    end();
}

static void without_windows_nothing_is_late(void **state) {
    (void)state;
    begin("set life\n"
          "tier loyal = purchases >= 2\n"
          "tier rest\n");
    buys(300, 0, 1);
    assert_int_equal(happens(test_purchase("old", TEST_AT(0, 0), 100)), APPLIED);
    expect("life FIRST -> rest #1 at 300d+0 by PURCHASE e1\n"
           "life UP rest -> loyal #2 at 300d+0 by PURCHASE old\n");
    end();
}

static void due_instants_come_before_the_event(void **state) {
    (void)state;
    begin("set value\n"
          "tier vip = purchases(10d) >= 1\n"
          "tier rest\n");
    buys(0, 0, 1);
    expect("value FIRST -> vip #1 at 0d+0 by PURCHASE e1\n");
    buys(10, 0, 1); /* at the very instant at which the first purchase leaves */
    assert_true(found.first->before_activity);
    assert_false(found.last->before_activity);
    expect("value DOWN vip -> rest #2 at 10d+0 by TIME\n"
           "value UP rest -> vip #3 at 10d+0 by PURCHASE e2\n");
    end();
}

/* Tiers whose rules begin alike are not taken for lines across the same number; those that are, are. */
static void nearly_the_same_left_sides_are_told_apart(void **state) {
    (void)state;
    begin("score f high 2 3 4 = purchases(30d)\n"
          "set it\n"
          "tier a = f + 1 >= 5\n"
          "tier b = f + 2 >= 5\n"
          "tier c = f - 2 >= 0\n"
          "tier d = f + 1 >= 2\n"
          "tier e\n");
    for (int day = 0; day < 4; day++) {
        buys(day, 0, 1);
    }
    expect("it FIRST -> d #1 at 0d+0 by PURCHASE e1\n"
           "it UP d -> c #2 at 1d+0 by PURCHASE e2\n"
           "it UP c -> b #3 at 2d+0 by PURCHASE e3\n"
           "it UP b -> a #4 at 3d+0 by PURCHASE e4\n");
    end();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_fitting_tier_is_taken),
        cmocka_unit_test(the_best_tier_may_be_the_first),
        cmocka_unit_test(nearly_the_same_left_sides_are_told_apart),
        cmocka_unit_test(each_change_names_its_cause),
        cmocka_unit_test(stay_keeps_but_does_not_let_in),
        cmocka_unit_test(a_fall_waits_for_the_end_of_hold),
        cmocka_unit_test(a_fall_is_pending_for_grace),
        cmocka_unit_test(a_fall_needs_both_hold_and_grace),
        cmocka_unit_test(one_step_falls_by_one),
        cmocka_unit_test(one_step_without_waiting_falls_at_the_next_evaluation),
        cmocka_unit_test(one_step_may_end_in_a_tier_that_fits),
        cmocka_unit_test(rises_know_no_steps),
        cmocka_unit_test(sets_are_evaluated_in_the_order_of_the_file),
        cmocka_unit_test(a_late_event_counts_in_the_whole_life),
        cmocka_unit_test(without_windows_nothing_is_late),
        cmocka_unit_test(due_instants_come_before_the_event),
    };
    return cmocka_run_group_tests(tests, builder_set_up, builder_tear_down);
}

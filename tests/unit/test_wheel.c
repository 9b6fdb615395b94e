/* The wheel over a small store in memory: who is due is handed out, once the store has it, and hours are dropped when they are
 * done with. In any order, and with crashes: test_wheel_life.c. */
#include "wheel_support.h"

static void drop(void *arg, int64_t hour) {
    struct shelf *shelf = arg;
    size_t size = strlen(shelf->dropped);
    snprintf(shelf->dropped + size, sizeof shelf->dropped - size, "%d ", (int)(hour - START_HOUR));
}

/* Lets the round run to its end, and tells who was handed out: "c1@5 c2@77 ", times within the first hour from START_HOUR. */
static const char *round_of(struct shelf *shelf, int64_t clock_ms) {
    static char text[4096];
    size_t size = 0;
    text[0] = '\0';
    wheel_turn(&shelf->wheel, clock_ms);
    for (;;) {
        struct wheel_entry entry;
        enum wheel_step step = wheel_next(&shelf->wheel, &entry);
        if (step == WHEEL_DUE) {
            assert_true(entry.due_ms <= shelf->wheel.target_ms);
            size += (size_t)snprintf(text + size, sizeof text - size, "%.*s@%lld ", (int)entry.id_size, entry.id,
                                     (long long)(entry.due_ms - TEST_START_MS));
            assert_true(size < sizeof text);
            free(entry.id);
        } else if (step == WHEEL_DONE) {
            shelf->dropped[0] = '\0';
            wheel_fired(&shelf->wheel, drop, shelf);
        } else if (shelf->done) {
            answer(shelf);
        } else {
            return text;
        }
    }
}

/* ---- one thing at a time ---- */

static void hours_are_counted_from_1970(void **state) {
    (void)state;
    assert_int_equal(wheel_hour(0), 0);
    assert_int_equal(wheel_hour(MS_PER_HOUR - 1), 0);
    assert_int_equal(wheel_hour(MS_PER_HOUR), 1);
    assert_int_equal(wheel_hour(-1), -1);
    assert_int_equal(wheel_hour(-MS_PER_HOUR), -1);
    assert_int_equal(wheel_hour(-MS_PER_HOUR - 1), -2);
}

static void who_is_due_is_handed_out_in_order(void **state) {
    (void)state;
    struct shelf *shelf = shelf_create();
    shelf->piece = 10000;
    shelf_put(shelf, "c", AT(0, 300));
    shelf_put(shelf, "a", AT(0, 100));
    shelf_put(shelf, "d", AT(0, 301));
    shelf_put(shelf, "b", AT(0, 200));
    shelf_put(shelf, "e", AT(1, 0));
    shelf_put(shelf, "g", AT(3, 7));
    shelf_put(shelf, "f", AT(3, 6));
    shelf_put(shelf, "h", AT(5, MS_PER_HOUR - 2));
    shelf_put(shelf, "i", AT(5, MS_PER_HOUR - 1));
    open_wheel(shelf, AT(0, 0));
    assert_string_equal(round_of(shelf, AT(0, 300)), "a@100 b@200 c@300 ");
    assert_int_equal(shelf->wheel.fired_ms, AT(0, 300));
    assert_int_equal(shelf->reads, 1);
    assert_string_equal(shelf->dropped, ""); /* the hour is not over */
    assert_string_equal(round_of(shelf, AT(0, 301)), "d@301 ");
    assert_int_equal(shelf->reads, 1); /* it was held in memory */
    assert_string_equal(round_of(shelf, AT(3, 6)), "e@3600000 f@10800006 ");
    assert_string_equal(shelf->dropped, "0 1 ");
    assert_int_equal(wheel_hours_count(&shelf->wheel), 2);
    assert_string_equal(round_of(shelf, AT(3, MS_PER_HOUR - 1)), "g@10800007 ");
    assert_string_equal(shelf->dropped, "3 ");
    assert_string_equal(round_of(shelf, AT(5, MS_PER_HOUR - 2)), "h@21599998 ");
    assert_string_equal(shelf->dropped, "");
    assert_string_equal(round_of(shelf, AT(5, MS_PER_HOUR - 1)), "i@21599999 ");
    assert_string_equal(shelf->dropped, "5 "); /* the hour's last millisecond is over */
    assert_int_equal(wheel_hours_count(&shelf->wheel), 0);
    assert_int_equal(shelf->reads, 4);
    shelf_destroy(shelf);
}

static void where_nothing_is_due_time_just_passes(void **state) {
    (void)state;
    struct shelf *shelf = shelf_create();
    shelf_put(shelf, "a", AT(5, 100));
    open_wheel(shelf, AT(0, 0));
    wheel_turn(&shelf->wheel, AT(4, MS_PER_HOUR - 1));
    struct wheel_entry entry;
    assert_int_equal(wheel_next(&shelf->wheel, &entry), WHEEL_IDLE);
    assert_int_equal(shelf->wheel.fired_ms, AT(4, MS_PER_HOUR - 1));
    assert_int_equal(shelf->wheel.target_ms, TIME_NONE);
    wheel_turn(&shelf->wheel, AT(3, 0)); /* a clock does not take back what has fired */
    assert_int_equal(shelf->wheel.fired_ms, AT(4, MS_PER_HOUR - 1));
    assert_int_equal(shelf->reads, 0);
    assert_string_equal(round_of(shelf, AT(5, 99)), ""); /* its hour is read, though */
    assert_int_equal(shelf->reads, 1);
    wheel_turn(&shelf->wheel, AT(5, 99));
    assert_int_equal(shelf->wheel.target_ms, TIME_NONE);
    assert_string_equal(round_of(shelf, AT(5, 100)), "a@18000100 ");
    shelf_destroy(shelf);
}

/* A batch on its way may append to the hour: reading before it is applied would miss what it brings. */
static void an_hour_is_read_when_its_batches_are_applied(void **state) {
    (void)state;
    struct shelf *shelf = shelf_create();
    open_wheel(shelf, AT(0, 0));
    assert_int_equal(wheel_arm(&shelf->wheel, bytes_of_text("a"), AT(1, 5), 3), 0);
    assert_int_equal(wheel_arm(&shelf->wheel, bytes_of_text("b"), AT(1, 9), 4), 0);
    assert_int_equal(wheel_arm(&shelf->wheel, bytes_of_text("c"), AT(9, 0), 5), 0);
    assert_int_equal(wheel_hours_count(&shelf->wheel), 2);
    shelf_put(shelf, "a", AT(1, 5));
    shelf->wheel.applied_batch = 3;
    assert_string_equal(round_of(shelf, AT(1, 30)), "");
    assert_int_equal(shelf->wheel.fired_ms, AT(0, 0)); /* not before */
    assert_int_equal(shelf->reads, 0);
    shelf_put(shelf, "b", AT(1, 9));
    shelf->wheel.applied_batch = 4; /* batch 5 is of an hour behind the clock */
    assert_string_equal(round_of(shelf, AT(1, 30)), "a@3600005 b@3600009 ");
    /* The open hour is appended to, and held as well: another batch to wait for, and no other read. */
    assert_int_equal(wheel_arm(&shelf->wheel, bytes_of_text("d"), AT(1, 50), 6), 0);
    assert_string_equal(round_of(shelf, AT(1, 60)), "");
    shelf->wheel.applied_batch = 6;
    assert_string_equal(round_of(shelf, AT(1, 60)), "d@3600050 ");
    assert_int_equal(shelf->reads, 1);
    shelf_destroy(shelf);
}

static void a_round_rests_until_its_entries_are_scored(void **state) {
    (void)state;
    struct shelf *shelf = shelf_create();
    shelf_put(shelf, "a", AT(0, 5));
    open_wheel(shelf, AT(0, 0));
    struct wheel_entry entry;
    wheel_turn(&shelf->wheel, AT(2, 0));
    assert_int_equal(wheel_next(&shelf->wheel, &entry), WHEEL_IDLE); /* asks the store */
    assert_int_equal(wheel_next(&shelf->wheel, &entry), WHEEL_IDLE);
    assert_int_equal(shelf->reads, 1);
    answer(shelf);
    assert_int_equal(wheel_next(&shelf->wheel, &entry), WHEEL_DUE);
    assert_int_equal(entry.due_ms, AT(0, 5));
    free(entry.id);
    assert_int_equal(wheel_next(&shelf->wheel, &entry), WHEEL_DONE);
    assert_int_equal(wheel_next(&shelf->wheel, &entry), WHEEL_IDLE);
    assert_int_equal(shelf->wheel.fired_ms, AT(0, 0)); /* not true yet */
    wheel_turn(&shelf->wheel, AT(5, 0));               /* no other round meanwhile */
    assert_int_equal(shelf->wheel.target_ms, AT(2, 0));
    wheel_fired(&shelf->wheel, drop, shelf);
    assert_int_equal(shelf->wheel.fired_ms, AT(2, 0));
    assert_string_equal(shelf->dropped, "0 ");
    shelf_destroy(shelf);
}

/* Scored during a round, armed later than its target, in the hour that the round is about to open: the store does not have
 * it when the hour is read. */
static void what_is_armed_during_a_round_is_held(void **state) {
    (void)state;
    struct shelf *shelf = shelf_create();
    shelf_put(shelf, "a", AT(0, 5));
    shelf_put(shelf, "b", AT(2, 5));
    open_wheel(shelf, AT(0, 0));
    struct wheel_entry entry;
    wheel_turn(&shelf->wheel, AT(2, 10));
    assert_int_equal(wheel_next(&shelf->wheel, &entry), WHEEL_IDLE);
    answer(shelf);
    assert_int_equal(wheel_next(&shelf->wheel, &entry), WHEEL_DUE);
    free(entry.id);
    assert_int_equal(wheel_arm(&shelf->wheel, bytes_of_text("a"), AT(2, 11), 1), 0);
    assert_int_equal(wheel_arm(&shelf->wheel, bytes_of_text("c"), AT(3, 0), 1), 0);
    assert_string_equal(round_of(shelf, AT(2, 10)), "b@7200005 ");
    shelf->wheel.applied_batch = 1;
    shelf_put(shelf, "c", AT(3, 0));
    assert_string_equal(round_of(shelf, AT(2, 11)), "a@7200011 ");
    assert_string_equal(round_of(shelf, AT(3, 0)), "c@10800000 ");
    shelf_destroy(shelf);
}

/* More in an hour than is held: the later half is left in the store, and read again when its time comes. */
static void too_many_are_halved_and_read_again(void **state) {
    (void)state;
    struct shelf *shelf = shelf_create();
    char expected[4096] = "";
    for (int i = 0; i < 50; i++) { /* in an order far from sorted */
        char id[8];
        snprintf(id, sizeof id, "%d", i * 37 % 50);
        shelf_put(shelf, id, AT(0, 1000 + i * 37 % 50));
    }
    for (size_t i = 0, size = 0; i < 50; i++) {
        size += (size_t)snprintf(expected + size, sizeof expected - size, "%zu@%zu ", i, 1000 + i);
    }
    open_wheel(shelf, AT(0, 0));
    shelf->wheel.held_max = 8;
    assert_string_equal(round_of(shelf, AT(0, 999)), "");
    assert_in_range(shelf->wheel.held_count, 1, 8);
    assert_true(shelf->wheel.dropped_from_ms > AT(0, 999));
    int reads = shelf->reads;
    char all[4096] = "";
    for (int ms = 1000; ms < 1050; ms++) { /* one at a time, each exactly once */
        strcat(all, round_of(shelf, AT(0, ms)));
        assert_true(shelf->wheel.held_count <= 8);
    }
    assert_string_equal(all, expected);
    assert_true(shelf->reads > reads + 2);
    shelf->wheel.applied_batch = 1;
    shelf_put(shelf, "later", AT(2, 0));
    assert_int_equal(wheel_arm(&shelf->wheel, bytes_of_text("later"), AT(2, 0), 1), 0);
    assert_string_equal(round_of(shelf, AT(1, 0)), "");
    assert_string_equal(round_of(shelf, AT(2, 0)), "later@7200000 ");
    assert_string_equal(shelf->dropped, "0 "); /* with the next round */
    shelf_destroy(shelf);
}

/* All due at once: they cannot be halved, and are all handed out at their time. */
static void many_due_at_one_instant_are_all_handed_out(void **state) {
    (void)state;
    struct shelf *shelf = shelf_create();
    for (int i = 0; i < 30; i++) {
        shelf_put(shelf, "same", AT(0, 77));
    }
    open_wheel(shelf, AT(0, 0));
    shelf->wheel.held_max = 4;
    assert_string_equal(round_of(shelf, AT(0, 76)), "");
    assert_int_equal(shelf->wheel.dropped_from_ms, AT(0, 77));
    const char *text = round_of(shelf, AT(0, 77));
    assert_int_equal(strlen(text), 30 * strlen("same@77 "));
    shelf_destroy(shelf);
}

static void a_store_that_fails_ends_the_wheel(void **state) {
    (void)state;
    struct shelf *shelf = shelf_create();
    shelf_put(shelf, "a", AT(0, 5));
    open_wheel(shelf, AT(0, 0));
    struct wheel_entry entry;
    wheel_turn(&shelf->wheel, AT(0, 5));
    assert_int_equal(wheel_next(&shelf->wheel, &entry), WHEEL_IDLE);
    shelf->done(shelf->arg, ERR_FENCED, bytes_of(NULL, 0), true);
    assert_int_equal(shelf->wheel.error, ERR_FENCED);
    assert_int_equal(shelf->wakes, 1);
    shelf_destroy(shelf);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hours_are_counted_from_1970),
        cmocka_unit_test(who_is_due_is_handed_out_in_order),
        cmocka_unit_test(where_nothing_is_due_time_just_passes),
        cmocka_unit_test(an_hour_is_read_when_its_batches_are_applied),
        cmocka_unit_test(a_round_rests_until_its_entries_are_scored),
        cmocka_unit_test(what_is_armed_during_a_round_is_held),
        cmocka_unit_test(too_many_are_halved_and_read_again),
        cmocka_unit_test(many_due_at_one_instant_are_all_handed_out),
        cmocka_unit_test(a_store_that_fails_ends_the_wheel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

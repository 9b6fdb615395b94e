/* The wheel over a small store in memory: who is due is handed out, once the store has it, and hours are dropped when they are
 * done with. The last test lets everything happen in any order, and owners crash. */
#include "run/wheel.h"

#include "state/customer_codec.h"
#include "support/model_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { HOURS_MAX = 400, ENTRIES_MAX = 400, BATCHES_MAX = 512, DROPS_MAX = 64, PIECE = 64, SEEDS = 2000, STEPS = 800 };

#define START_HOUR (TEST_START_MS / MS_PER_HOUR)
#define AT(hour, ms) (TEST_START_MS + (int64_t)(hour)*MS_PER_HOUR + (ms))

/* ---- the store: hours of entries, read in small pieces when the test says so ---- */

struct shelf {
    struct store store;
    struct wheel wheel;
    struct buffer hours[HOURS_MAX]; /* from START_HOUR on */
    bool present[HOURS_MAX];
    store_slot_fn done; /* of the outstanding read */
    void *arg;
    int64_t hour;
    size_t offset;
    int reads;
    int wakes;
    size_t piece;
    char dropped[256]; /* "0 1 2 " */
};

static void read_slot(void *context, int64_t hour, size_t offset, store_slot_fn done, void *arg) {
    struct shelf *shelf = context;
    assert_null(shelf->done);
    shelf->done = done;
    shelf->arg = arg;
    shelf->hour = hour - START_HOUR;
    shelf->offset = offset;
    shelf->reads++;
}

static const struct store_ops ops = {.read_slot = read_slot};

static void wake(void *arg) {
    struct shelf *shelf = arg;
    shelf->wakes++;
}

static void shelf_put(struct shelf *shelf, const char *id, int64_t due_ms) {
    int64_t hour = wheel_hour(due_ms) - START_HOUR;
    assert_in_range(hour, 0, HOURS_MAX - 1);
    due_entry_encode(&shelf->hours[hour], bytes_of_text(id), (uint32_t)(due_ms - AT(hour, 0)));
    shelf->present[hour] = true;
}

static void open_wheel(struct shelf *shelf, int64_t fired_ms) {
    int64_t hours[HOURS_MAX];
    size_t count = 0;
    for (int hour = HOURS_MAX - 1; hour >= 0; hour--) { /* the store lists them in no order */
        if (shelf->present[hour]) {
            hours[count++] = START_HOUR + hour;
        }
    }
    wheel_init(&shelf->wheel, &shelf->store, hours, count, fired_ms);
    shelf->wheel.wake = wake;
    shelf->wheel.wake_arg = shelf;
    shelf->wheel.applied_batch = 0;
    assert_int_equal(wheel_hours_count(&shelf->wheel), count);
}

static struct shelf *shelf_create(void) {
    struct shelf *shelf = calloc(1, sizeof *shelf);
    assert_non_null(shelf);
    shelf->store = (struct store){shelf, &ops};
    shelf->piece = PIECE;
    return shelf;
}

static void shelf_destroy(struct shelf *shelf) {
    wheel_finish(&shelf->wheel);
    for (int hour = 0; hour < HOURS_MAX; hour++) {
        buffer_finish(&shelf->hours[hour]);
    }
    free(shelf);
}

/* The outstanding read is answered: with at most a piece, from memory that is gone afterwards. */
static void answer(struct shelf *shelf) {
    store_slot_fn done = shelf->done;
    assert_non_null(done);
    shelf->done = NULL;
    struct bytes all = buffer_bytes(&shelf->hours[shelf->hour]);
    size_t left = all.size > shelf->offset ? all.size - shelf->offset : 0;
    size_t size = left < shelf->piece ? left : shelf->piece;
    char *piece = malloc(size ? size : 1);
    assert_non_null(piece);
    if (size > 0) {
        memcpy(piece, all.data + shelf->offset, size);
    }
    int wakes = shelf->wakes;
    done(shelf->arg, 0, bytes_of(piece, size), size == left);
    assert_int_equal(shelf->wakes, wakes + 1);
    free(piece);
}

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

/* ---- everything in any order ---- */

struct expected {
    char id[16];
    int64_t due_ms;
    uint64_t batch;
    bool handed;
    bool gone; /* its batch was never applied, and its owner is no more */
};

struct batch { /* what one takes to the store beside entries */
    int64_t fired_ms;
    int64_t drops[DROPS_MAX];
    size_t drops_count;
};

struct life {
    struct shelf *shelf;
    struct test_random random;
    int64_t clock_ms;
    struct expected entries[ENTRIES_MAX];
    size_t count;
    struct batch batches[BATCHES_MAX];
    uint64_t applied;
    uint64_t sealed;
};

static void life_arm(struct life *life) {
    struct wheel *wheel = &life->shelf->wheel;
    if (life->count == ENTRIES_MAX) {
        return;
    }
    /* Later than what has fired, or is about to (customer.h). */
    int64_t after_ms = wheel->target_ms != TIME_NONE ? wheel->target_ms : wheel->fired_ms;
    int64_t ahead_ms = test_random_below(&life->random, 2) ? 50 : 3 * (int64_t)MS_PER_HOUR;
    struct expected *entry = &life->entries[life->count];
    snprintf(entry->id, sizeof entry->id, "c%zu", life->count);
    entry->due_ms = after_ms + 1 + test_random_below(&life->random, ahead_ms);
    entry->batch = life->sealed + 1;
    if (entry->due_ms < AT(HOURS_MAX, 0)) {
        life->count++;
        assert_int_equal(wheel_arm(wheel, bytes_of_text(entry->id), entry->due_ms, entry->batch), 0);
    }
}

static void life_apply(struct life *life) {
    if (life->applied == life->sealed) {
        return;
    }
    const struct batch *batch = &life->batches[++life->applied];
    for (size_t i = 0; i < life->count; i++) {
        if (life->entries[i].batch == life->applied && !life->entries[i].gone) {
            shelf_put(life->shelf, life->entries[i].id, life->entries[i].due_ms);
        }
    }
    for (size_t i = 0; i < batch->drops_count; i++) {
        buffer_reset(&life->shelf->hours[batch->drops[i]]);
        life->shelf->present[batch->drops[i]] = false;
    }
    life->shelf->wheel.applied_batch = life->applied;
}

static void life_seal(struct life *life) {
    assert_true(life->sealed + 2 < BATCHES_MAX);
    life->batches[++life->sealed].fired_ms = life->shelf->wheel.fired_ms;
    life->batches[life->sealed + 1] = (struct batch){.drops_count = 0};
}

static void life_drop(void *arg, int64_t hour) {
    struct life *life = arg;
    struct batch *batch = &life->batches[life->sealed + 1];
    for (size_t i = 0; i < life->count; i++) { /* nothing is dropped that is still to come */
        const struct expected *entry = &life->entries[i];
        assert_true(entry->gone || wheel_hour(entry->due_ms) != hour || entry->handed);
    }
    assert_true(batch->drops_count < DROPS_MAX);
    batch->drops[batch->drops_count++] = hour - START_HOUR;
}

static void life_hand_out(struct life *life, const struct wheel_entry *entry) {
    size_t index = (size_t)strtoul(entry->id + 1, NULL, 10);
    assert_true(index < life->count);
    assert_int_equal(life->entries[index].due_ms, entry->due_ms);
    assert_true(entry->due_ms <= life->shelf->wheel.target_ms && entry->due_ms <= life->clock_ms);
    life->entries[index].handed = true;
}

static void life_fire(struct life *life) {
    struct wheel *wheel = &life->shelf->wheel;
    for (size_t i = 0; i < life->count; i++) {
        const struct expected *entry = &life->entries[i];
        assert_true(entry->gone || entry->due_ms > wheel->target_ms || entry->handed);
    }
    wheel_fired(wheel, life_drop, life);
}

static void life_step(struct life *life) {
    struct wheel *wheel = &life->shelf->wheel;
    struct wheel_entry entry;
    char id[16];
    switch (wheel_next(wheel, &entry)) {
    case WHEEL_IDLE:
        break;
    case WHEEL_DUE:
        snprintf(id, sizeof id, "%.*s", (int)entry.id_size, entry.id);
        free(entry.id);
        entry.id = id;
        life_hand_out(life, &entry);
        break;
    case WHEEL_DONE:
        if (test_random_below(&life->random, 2)) { /* scored during the round, while it rests */
            life_arm(life);
        }
        life_fire(life);
        break;
    }
}

/* Somebody else takes over what is in the store. */
static void life_crash(struct life *life) {
    struct shelf *shelf = life->shelf;
    wheel_finish(&shelf->wheel);
    shelf->done = NULL;
    int64_t fired_ms = life->batches[life->applied].fired_ms;
    for (size_t i = 0; i < life->count; i++) {
        struct expected *entry = &life->entries[i];
        entry->gone |= entry->batch > life->applied;
        entry->handed &= entry->due_ms <= fired_ms;
    }
    life->sealed = life->applied;
    life->batches[life->sealed + 1] = (struct batch){.drops_count = 0};
    open_wheel(shelf, fired_ms);
    shelf->wheel.applied_batch = life->applied;
    shelf->wheel.held_max = (size_t)(2 + test_random_below(&life->random, 20));
}

static void life_go_on(struct life *life) {
    int64_t what = test_random_below(&life->random, 100);
    if (what < 15) {
        life_arm(life);
    } else if (what < 25) {
        bool far = test_random_below(&life->random, 3) == 0;
        life->clock_ms += test_random_below(&life->random, far ? 2 * (int64_t)MS_PER_HOUR : 30);
        wheel_turn(&life->shelf->wheel, life->clock_ms);
    } else if (what < 70) {
        life_step(life);
    } else if (what < 80 && life->shelf->done) {
        answer(life->shelf);
    } else if (what < 88) {
        life_seal(life);
    } else if (what < 99) {
        life_apply(life);
    } else if (test_random_below(&life->random, 3) == 0) {
        life_crash(life);
    }
}

static void nobody_is_forgotten(void **state) {
    (void)state;
    struct life *life = malloc(sizeof *life);
    assert_non_null(life);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        memset(life, 0, sizeof *life);
        life->shelf = shelf_create();
        life->random = test_random_of(seed);
        life->clock_ms = AT(0, 0);
        life->batches[0].fired_ms = AT(0, 0);
        life->shelf->piece = (size_t)(16 + test_random_below(&life->random, 100));
        life_crash(life);
        for (int step = 0; step < STEPS; step++) {
            life_go_on(life);
        }
        /* Quiet at last: everyone left is handed out, and the store ends up empty. */
        life->clock_ms = AT(HOURS_MAX, 0);
        for (int turn = 0; turn < 3; turn++) {
            life_seal(life);
            while (life->applied < life->sealed) {
                life_apply(life);
            }
            wheel_turn(&life->shelf->wheel, life->clock_ms);
            while (life->shelf->wheel.target_ms != TIME_NONE) {
                if (life->shelf->done) {
                    answer(life->shelf);
                }
                life_step(life);
            }
        }
        for (size_t i = 0; i < life->count; i++) {
            assert_true(life->entries[i].gone || life->entries[i].handed);
        }
        for (int hour = 0; hour < HOURS_MAX; hour++) {
            assert_false(life->shelf->present[hour]);
        }
        assert_int_equal(wheel_hours_count(&life->shelf->wheel), 0);
        shelf_destroy(life->shelf);
    }
    free(life);
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
        cmocka_unit_test(nobody_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

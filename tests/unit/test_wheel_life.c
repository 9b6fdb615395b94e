/* The wheel's life: entries are armed, batches applied, clocks go on and owners crash in any order, and nobody who is due is
 * forgotten, nor handed out before their time. */
#include "wheel_support.h"

enum { ENTRIES_MAX = 400, BATCHES_MAX = 512, DROPS_MAX = 64, SEEDS = 2000, STEPS = 800 };

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
        cmocka_unit_test(nobody_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

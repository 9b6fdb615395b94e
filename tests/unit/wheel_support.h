/* What the tests of the wheel share: a small store in memory, whose answers come when the test says so. */
#ifndef TIDEMARK_TESTS_UNIT_WHEEL_SUPPORT_H
#define TIDEMARK_TESTS_UNIT_WHEEL_SUPPORT_H

#include "run/wheel.h"

#include "state/customer_codec.h"
#include "support/model_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { HOURS_MAX = 400, PIECE = 64 };

#define START_HOUR (TEST_START_MS / MS_PER_HOUR)
#define AT(hour, ms) (TEST_START_MS + (int64_t)(hour)*MS_PER_HOUR + (ms))

/* Hours of entries, read in pieces. */
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
    char dropped[256]; /* as the test likes to note it */
};

static inline void shelf_read_slot(void *context, int64_t hour, size_t offset, store_slot_fn done, void *arg) {
    struct shelf *shelf = context;
    assert_null(shelf->done);
    shelf->done = done;
    shelf->arg = arg;
    shelf->hour = hour - START_HOUR;
    shelf->offset = offset;
    shelf->reads++;
}

static const struct store_ops shelf_ops = {.read_slot = shelf_read_slot};

static inline void shelf_wake(void *arg) {
    struct shelf *shelf = arg;
    shelf->wakes++;
}

static inline void shelf_put(struct shelf *shelf, const char *id, int64_t due_ms) {
    int64_t hour = wheel_hour(due_ms) - START_HOUR;
    assert_in_range(hour, 0, HOURS_MAX - 1);
    due_entry_encode(&shelf->hours[hour], bytes_of_text(id), (uint32_t)(due_ms - AT(hour, 0)));
    shelf->present[hour] = true;
}

static inline void open_wheel(struct shelf *shelf, int64_t fired_ms) {
    int64_t hours[HOURS_MAX];
    size_t count = 0;
    for (int hour = HOURS_MAX - 1; hour >= 0; hour--) { /* the store lists them in no order */
        if (shelf->present[hour]) {
            hours[count++] = START_HOUR + hour;
        }
    }
    wheel_init(&shelf->wheel, &shelf->store, hours, count, fired_ms);
    shelf->wheel.wake = shelf_wake;
    shelf->wheel.wake_arg = shelf;
    shelf->wheel.applied_batch = 0;
    assert_int_equal(wheel_hours_count(&shelf->wheel), count);
}

static inline struct shelf *shelf_create(void) {
    struct shelf *shelf = calloc(1, sizeof *shelf);
    assert_non_null(shelf);
    shelf->store = (struct store){shelf, &shelf_ops};
    shelf->piece = PIECE;
    return shelf;
}

static inline void shelf_destroy(struct shelf *shelf) {
    wheel_finish(&shelf->wheel);
    for (int hour = 0; hour < HOURS_MAX; hour++) {
        buffer_finish(&shelf->hours[hour]);
    }
    free(shelf);
}

/* The outstanding read is answered: with at most a piece, from memory that is gone afterwards. */
static inline void answer(struct shelf *shelf) {
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

#endif

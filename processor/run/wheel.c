#include "run/wheel.h"

#include "state/customer_codec.h"

#include <stdlib.h>

#define HOUR_NONE INT64_MIN

enum { WHEEL_HOURS_FIRST = 64, WHEEL_HELD_FIRST = 256 };

int64_t wheel_hour(int64_t time_ms) {
    return time_ms >= 0 ? time_ms / MS_PER_HOUR : -((-time_ms + MS_PER_HOUR - 1) / MS_PER_HOUR);
}

void wheel_init(struct wheel *wheel, struct store *store, const int64_t *hours, size_t hours_count, int64_t fired_ms) {
    *wheel = (struct wheel){
        .store = store,
        .held_max = WHEEL_HELD_MAX,
        .open = {HOUR_NONE, 0},
        .dropped_from_ms = TIME_NEVER,
        .rescan_from_ms = TIME_NONE,
        .fired_ms = fired_ms,
        .target_ms = TIME_NONE,
    };
    for (size_t i = 0; i < hours_count; i++) {
        /* Every hour is behind the open one (there is none), so this only inserts. */
        int error = wheel_arm(wheel, (struct bytes){NULL, 0}, hours[i] * MS_PER_HOUR, 0);
        ASSERT(!error);
    }
}

void wheel_finish(struct wheel *wheel) {
    for (size_t i = 0; i < wheel->held_count; i++) {
        free(wheel->held[i].id);
    }
    free(wheel->held);
    free(wheel->hours);
    free(wheel->done_hours);
    *wheel = (struct wheel){0};
}

size_t wheel_hours_count(const struct wheel *wheel) {
    return wheel->hours_count - wheel->hours_first + (wheel->open.hour != HOUR_NONE);
}

/* Makes room for one more element; the array moves to *array. */
static int grow(void **array, size_t *capacity, size_t count, size_t element, size_t first) {
    if (count < *capacity) {
        return 0;
    }
    size_t wanted = *capacity ? *capacity * 2 : first;
    void *moved = realloc(*array, wanted * element);
    if (!moved) {
        return ERR_NO_MEMORY;
    }
    *array = moved;
    *capacity = wanted;
    return 0;
}

static void held_sift_up(struct wheel_entry *held, size_t at) {
    while (at > 0 && held[(at - 1) / 2].due_ms > held[at].due_ms) {
        struct wheel_entry parent = held[(at - 1) / 2];
        held[(at - 1) / 2] = held[at];
        held[at] = parent;
        at = (at - 1) / 2;
    }
}

static void held_sift_down(struct wheel_entry *held, size_t count, size_t at) {
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < count; child++) {
            least = held[child].due_ms < held[least].due_ms ? child : least;
        }
        if (least == at) {
            return;
        }
        struct wheel_entry entry = held[at];
        held[at] = held[least];
        held[least] = entry;
        at = least;
    }
}

static int by_due(const void *a, const void *b) {
    int64_t first = ((const struct wheel_entry *)a)->due_ms;
    int64_t second = ((const struct wheel_entry *)b)->due_ms;
    return (first > second) - (first < second);
}

/* Forgets the later half of the held entries; the store still has them, and their time is noted. */
static void held_halve(struct wheel *wheel) {
    qsort(wheel->held, wheel->held_count, sizeof *wheel->held, by_due); /* sorted is a heap, too */
    size_t keep = wheel->held_count / 2;
    int64_t from_ms = wheel->held[keep].due_ms;
    while (keep > 0 && wheel->held[keep - 1].due_ms == from_ms) {
        keep--;
    }
    for (size_t i = keep; i < wheel->held_count; i++) {
        free(wheel->held[i].id);
    }
    wheel->held_count = keep;
    wheel->dropped_from_ms = from_ms < wheel->dropped_from_ms ? from_ms : wheel->dropped_from_ms;
}

static int held_push(struct wheel *wheel, struct bytes id, int64_t due_ms) {
    int error =
        grow((void **)&wheel->held, &wheel->held_capacity, wheel->held_count, sizeof *wheel->held, WHEEL_HELD_FIRST);
    char *copy = error ? NULL : malloc(id.size ? id.size : 1);
    if (!copy) {
        return ERR_NO_MEMORY;
    }
    memcpy(copy, id.data, id.size);
    wheel->held[wheel->held_count] = (struct wheel_entry){due_ms, copy, (uint32_t)id.size};
    held_sift_up(wheel->held, wheel->held_count++);
    return 0;
}

static struct wheel_entry held_pop(struct wheel *wheel) {
    struct wheel_entry entry = wheel->held[0];
    wheel->held[0] = wheel->held[--wheel->held_count];
    held_sift_down(wheel->held, wheel->held_count, 0);
    return entry;
}

/* Room for one hour more: that of those that were opened is used again before more is asked for. */
static int hours_grow(struct wheel *wheel) {
    if (wheel->hours_first > wheel->hours_capacity / 2) {
        wheel->hours_count -= wheel->hours_first;
        memmove(wheel->hours, wheel->hours + wheel->hours_first, wheel->hours_count * sizeof *wheel->hours);
        wheel->hours_first = 0;
    }
    return grow((void **)&wheel->hours, &wheel->hours_capacity, wheel->hours_count, sizeof *wheel->hours,
                WHEEL_HOURS_FIRST);
}

/* The place of an hour in the ascending list: its index, or where it belongs. */
static size_t hours_find(const struct wheel *wheel, int64_t hour) {
    size_t low = wheel->hours_first;
    size_t high = wheel->hours_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (wheel->hours[middle].hour < hour) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

int wheel_arm(struct wheel *wheel, struct bytes id, int64_t due_ms, uint64_t batch) {
    int64_t hour = wheel_hour(due_ms);
    if (hour == wheel->open.hour) {
        wheel->open.batch = batch;
        return held_push(wheel, id, due_ms);
    }
    ASSERT(wheel->open.hour == HOUR_NONE || hour > wheel->open.hour);
    if (wheel->target_ms != TIME_NONE && hour <= wheel_hour(wheel->target_ms)) {
        /* The round may open this hour before the batch with the entry is applied, and so not read it: hold it now. */
        int error = held_push(wheel, id, due_ms);
        if (error) {
            return error;
        }
    }
    int error = hours_grow(wheel);
    if (error) {
        return error;
    }
    size_t at = hours_find(wheel, hour);
    if (at < wheel->hours_count && wheel->hours[at].hour == hour) {
        wheel->hours[at].batch = batch;
        return 0;
    }
    memmove(wheel->hours + at + 1, wheel->hours + at, (wheel->hours_count - at) * sizeof *wheel->hours);
    wheel->hours[at] = (struct wheel_hour){hour, batch};
    wheel->hours_count++;
    return 0;
}

/* Whether the store has all entries of the hours up to an instant: a batch on its way may append to them, and reading before
 * it is applied would miss what it brings. */
static bool hours_are_applied(const struct wheel *wheel, int64_t until_ms) {
    bool applied = wheel->open.hour == HOUR_NONE || wheel->open.batch <= wheel->applied_batch;
    for (size_t i = wheel->hours_first; i < wheel->hours_count && wheel->hours[i].hour * MS_PER_HOUR <= until_ms; i++) {
        applied &= wheel->hours[i].batch <= wheel->applied_batch;
    }
    return applied;
}

void wheel_turn(struct wheel *wheel, int64_t clock_ms) {
    if (wheel->target_ms != TIME_NONE || clock_ms <= wheel->fired_ms) {
        return;
    }
    bool held_due = wheel->held_count > 0 && wheel->held[0].due_ms <= clock_ms;
    bool unread = wheel->open.hour != HOUR_NONE && (!wheel->scanned_all || wheel->dropped_from_ms <= clock_ms);
    bool reached =
        wheel->hours_first < wheel->hours_count && wheel->hours[wheel->hours_first].hour * MS_PER_HOUR <= clock_ms;
    if (!held_due && !unread && !reached) {
        wheel->fired_ms = clock_ms;
    } else if (hours_are_applied(wheel, clock_ms)) {
        wheel->target_ms = clock_ms;
        wheel->handed_out = false;
    }
}

static void slot_read(void *arg, int error, struct bytes piece, bool last) {
    struct wheel *wheel = arg;
    wheel->reading = false;
    if (error) {
        wheel->error = error;
        wheel->wake(wheel->wake_arg);
        return;
    }
    struct cursor in = cursor_of(piece);
    struct bytes id;
    uint32_t offset_ms;
    int64_t hour_ms = wheel->open.hour * MS_PER_HOUR;
    while (due_entry_decode(&in, &id, &offset_ms)) {
        int64_t due_ms = hour_ms + offset_ms;
        if (due_ms < wheel->rescan_from_ms || due_ms >= wheel->dropped_from_ms) {
            continue;
        }
        error = held_push(wheel, id, due_ms);
        ASSERT(!error);
        if (wheel->held_count > wheel->held_max && wheel->held[0].due_ms > wheel->target_ms) {
            held_halve(wheel);
        }
    }
    wheel->scanned += piece.size - cursor_left(&in);
    wheel->scanned_all = last;
    wheel->wake(wheel->wake_arg);
}

/* Starts the next read the round needs. False: nothing left to read up to the target. */
static bool read_on(struct wheel *wheel) {
    if (wheel->open.hour != HOUR_NONE && wheel->scanned_all && wheel->dropped_from_ms <= wheel->target_ms) {
        wheel->rescan_from_ms = wheel->dropped_from_ms;
        wheel->dropped_from_ms = TIME_NEVER;
        wheel->scanned = 0;
        wheel->scanned_all = false;
    }
    if (wheel->open.hour == HOUR_NONE || wheel->scanned_all) {
        if (wheel->hours_first == wheel->hours_count ||
            wheel->hours[wheel->hours_first].hour * MS_PER_HOUR > wheel->target_ms) {
            return false;
        }
        if (wheel->open.hour != HOUR_NONE) {
            int error = grow((void **)&wheel->done_hours, &wheel->done_capacity, wheel->done_count,
                             sizeof *wheel->done_hours, WHEEL_HOURS_FIRST);
            ASSERT(!error);
            wheel->done_hours[wheel->done_count++] = wheel->open.hour;
        }
        wheel->open = wheel->hours[wheel->hours_first++];
        wheel->scanned = 0;
        wheel->scanned_all = false;
        wheel->rescan_from_ms = TIME_NONE;
    }
    wheel->reading = true;
    wheel->store->ops->read_slot(wheel->store->context, wheel->open.hour, wheel->scanned, slot_read, wheel);
    return true;
}

enum wheel_step wheel_next(struct wheel *wheel, struct wheel_entry *entry) {
    if (wheel->target_ms == TIME_NONE || wheel->handed_out) {
        return WHEEL_IDLE;
    }
    if (wheel->held_count > 0 && wheel->held[0].due_ms <= wheel->target_ms) {
        *entry = held_pop(wheel);
        return WHEEL_DUE;
    }
    if (wheel->reading || read_on(wheel)) {
        return WHEEL_IDLE;
    }
    wheel->handed_out = true;
    return WHEEL_DONE;
}

void wheel_fired(struct wheel *wheel, void (*drop)(void *arg, int64_t hour), void *arg) {
    ASSERT(wheel->handed_out && wheel->target_ms > wheel->fired_ms);
    for (size_t i = 0; i < wheel->done_count; i++) {
        drop(arg, wheel->done_hours[i]);
    }
    wheel->done_count = 0;
    if (wheel->open.hour != HOUR_NONE && (wheel->open.hour + 1) * MS_PER_HOUR - 1 <= wheel->target_ms) {
        drop(arg, wheel->open.hour);
        wheel->open.hour = HOUR_NONE;
    }
    wheel->fired_ms = wheel->target_ms;
    wheel->target_ms = TIME_NONE;
    wheel->handed_out = false;
}

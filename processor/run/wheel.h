/* The wheel: which customers are due, without asking each of them.
 *
 * Due instants are kept in the store by hour, as appended entries (id, instant); the hour that the task's clock has reached
 * is held in memory as a heap. The wheel turns in rounds. A round has a target instant, not later than the clock at which the
 * last activity was scored; it hands out every entry due up to the target, then says that the target is reached and which
 * hours are done with. Whatever is scored after a round began is armed later than its target (customer.h), so "fired up to
 * the target" is true in the store at every moment.
 *
 * Entries are hints: a customer whose due instant has moved on meanwhile is found not to be due, and armed anew. */
#ifndef TIDEMARK_RUN_WHEEL_H
#define TIDEMARK_RUN_WHEEL_H

#include "base/bytes.h"
#include "base/clock.h"
#include "state/store.h"

enum {
    /* Entries of the open hour held in memory, about 64 bytes each. Beyond that the later half is dropped and the hour is
     * read again when its time comes. */
    WHEEL_HELD_MAX = 100000,
};

struct wheel_hour {
    int64_t hour;   /* ms / 3600000 */
    uint64_t batch; /* the latest batch that appends to it: it is read only when that one is applied */
};

struct wheel_entry {
    int64_t due_ms;
    char *id; /* owned */
    uint32_t id_size;
};

struct wheel {
    struct store *store;
    struct wheel_hour *hours; /* ascending, from hours_first on: hours with entries in the store, behind the open one */
    size_t hours_first;
    size_t hours_count; /* those before hours_first included */
    size_t hours_capacity;

    struct wheel_entry *held; /* min-heap by due_ms: entries of the open hour and of earlier ones */
    size_t held_count;
    size_t held_capacity;
    size_t held_max;

    struct wheel_hour open; /* being read or held in memory; hour INT64_MIN: none */
    size_t scanned;         /* bytes of it read so far */
    bool scanned_all;
    bool reading;            /* a read is outstanding */
    int64_t dropped_from_ms; /* entries due from here on were left in the store for want of room; TIME_NEVER: none */
    int64_t rescan_from_ms;  /* during another reading: take only entries due from here on */

    int64_t *done_hours; /* handed out completely in this round */
    size_t done_count;
    size_t done_capacity;

    int error;               /* from the store, sticky: the task drops this wheel */
    uint64_t applied_batch;  /* set by the task: batches up to here are in the store */
    int64_t fired_ms;        /* everything due up to here has been handed out and scored */
    int64_t target_ms;       /* of the round in progress; TIME_NONE: no round */
    bool handed_out;         /* the round waits for wheel_fired */
    void (*wake)(void *arg); /* a piece was read: go on */
    void *wake_arg;
};

void wheel_init(struct wheel *wheel, struct store *store, const int64_t *hours, size_t hours_count, int64_t fired_ms);
void wheel_finish(struct wheel *wheel);

/* Notes that an entry for (id, due_ms) goes to the store with batch number `batch`. */
int wheel_arm(struct wheel *wheel, struct bytes id, int64_t due_ms, uint64_t batch) MUST_CHECK;

/* Begins a round if something may be due up to clock_ms and the store has all entries of its hours; if nothing can be due, just
 * moves fired_ms. No-op during a round. */
void wheel_turn(struct wheel *wheel, int64_t clock_ms);

enum wheel_step {
    WHEEL_IDLE, /* no round, or waiting for the store */
    WHEEL_DUE,  /* *entry is due: score it; the caller frees entry->id */
    WHEEL_DONE, /* everything due up to target_ms has been handed out: when it is scored, call wheel_fired */
};
/* The next step of the round. After WHEEL_DONE the round rests until wheel_fired. */
enum wheel_step wheel_next(struct wheel *wheel, struct wheel_entry *entry);
/* The round's entries are scored: the round ends. Hours that are done with are passed to `drop`, in order. */
void wheel_fired(struct wheel *wheel, void (*drop)(void *arg, int64_t hour), void *arg);

/* The hour (since 1970) of an instant. */
int64_t wheel_hour(int64_t time_ms);
/* Hours that have entries, the open one included. */
size_t wheel_hours_count(const struct wheel *wheel);

#endif

/* A world for replaying: one task's Kafka and Redis in memory, and owners that live, crash, and
 * overlap.
 *
 * The real run/task.c runs over fakes whose every effect and every answer is a step of its own,
 * taken in an order that the test chooses. An owner may be dropped between any two steps; what it
 * had sent may still take effect afterwards (a ghost), as bytes on a wire do. Kafka and Redis
 * survive owners; Redis may be set back to an earlier state, as after losing its tail. All memory
 * comes from one arena, so a world is forgotten at once. */
#ifndef TIDEMARK_TESTS_FAKE_WORLD_H
#define TIDEMARK_TESTS_FAKE_WORLD_H

#include "run/task.h"

struct fake_record {
    int64_t timestamp_ms;
    struct bytes key;
    struct bytes value;
};

struct fake_pair { /* of a map: name to bytes */
    struct bytes name;
    struct bytes value;
    int64_t number;
};

struct fake_map {
    struct fake_pair *pairs;
    size_t count;
    size_t capacity;
};

struct fake_redis {
    bool present;
    struct store_meta meta;
    struct fake_map customers;
    struct fake_map slots; /* name: the hour as 8 bytes */
    struct fake_map populations;
    struct fake_map histograms;
    struct fake_map alerts; /* name: set, a slash and the customer; number: what is at risk */
    struct bytes cuts;
    struct fake_map influence; /* name: the referrer; number: customers x 10^9 and revenue */
    struct fake_map feedback;  /* name: the day, a slash and the field */
    struct stored_output *outbox;
    size_t outbox_count;
    size_t outbox_capacity;
};

struct fake_owner;

struct fake_world {
    struct arena arena;
    const struct model *model;
    struct task_options options;
    struct fake_record *records[INPUTS];
    size_t records_count[INPUTS];

    struct fake_redis redis;
    int64_t committed[INPUTS];
    char marks[INPUTS][PUBLICATION_MARK_BYTES];
    uint64_t generation;   /* of the group: owners of older ones cannot commit */
    struct bytes *outputs; /* packed, as consumers see them */
    size_t outputs_count;
    size_t outputs_capacity;
    int64_t now_ms;   /* monotonic */
    uint64_t rewinds; /* times that Redis lost its tail */
    uint64_t losses;  /* and everything */
    bool exchanges;   /* tasks are told histograms and cut points */
};

/* A world without records. */
void fake_world_init(struct fake_world *world, const struct task_options *options);
void fake_world_finish(struct fake_world *world);
void fake_world_add(struct fake_world *world, enum input input, int64_t timestamp_ms, struct bytes key,
                    struct bytes value);

/* Redis as it is now, to be put back later. */
struct fake_redis fake_redis_snapshot(struct fake_world *world);

/* A new owner in a new generation; it begins to take over. */
struct fake_owner *fake_owner_start(struct fake_world *world);
/* It is gone; what it has sent to Redis may yet take effect, one fake_owner_step_ghost at a time.
 */
void fake_owner_crash(struct fake_owner *owner);
struct task *fake_owner_task(struct fake_owner *owner);

enum fake_step {
    FAKE_PUMP,
    FAKE_PUMP_BESIDE, /* while the wheel of another task of its worker turns */
    FAKE_STORE,
    FAKE_SINK,
    FAKE_REVEAL, /* + an input: a few more of its records have arrived */
    FAKE_STEPS = FAKE_REVEAL + INPUTS
};
/* Takes one step of this kind; false when there is nothing of the kind to do. */
bool fake_owner_step(struct fake_owner *owner, enum fake_step step);
/* One effect of what a crashed owner had sent; false when none is left. */
bool fake_owner_step_ghost(struct fake_owner *owner);

#endif

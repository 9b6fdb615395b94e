/* A play: owners that live, crash, overlap and are fenced over one world, every step of which is drawn from a seed. */
#ifndef TIDEMARK_TESTS_FAKE_PLAY_H
#define TIDEMARK_TESTS_FAKE_PLAY_H

#include "support/fake_world.h"

enum { FAKE_OWNERS_MAX = 3, FAKE_GHOSTS_MAX = 64 };

/* Everything drawn from here on follows from the seed. */
void fake_random_seed(uint64_t seed);
/* 0..limit-1 */
int64_t fake_up_to(int64_t limit);

/* A month or two of a small shop, perhaps with long holidays; one record in twenty is a dead letter. */
void fake_fill_shop(struct fake_world *world, int customers, int events_max);

/* A task of these rules, with batches and queues so small that a play meets their ends. */
struct task_options fake_task_options(struct model *model);

/* Runs the owner until nothing is left to do; false: it does not come to an end. */
bool fake_finish(struct fake_owner *owner);

struct fake_play {
    struct fake_world world;
    int crashes_left;
    bool rewinds; /* Redis may lose its tail, or everything */
    const struct task_options
        *upgrade; /* other rules, to which owners come, by starting with them or while they live; NULL: none */
    const struct task_options *former; /* those before, to which the newest owner may be told to go back meanwhile */
    uint64_t renewals;                 /* times that rules came into force while their owner lived */
    struct fake_owner *owners[FAKE_OWNERS_MAX]; /* the newest is the group's; older ones are zombies */
    size_t owners_count;
    struct fake_owner *ghosts[FAKE_GHOSTS_MAX];
    size_t ghosts_count;
    struct fake_redis saved;
    bool has_saved;
    const char *problem;
};

/* Plays until the last owner has done everything, and ends all owners. NULL, or what went wrong. */
const char *fake_play_out(struct fake_play *play);

#endif

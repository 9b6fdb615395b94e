#include "support/fake_play.h"

#include "publish/encode_activity.h"
#include "run/task_metrics.h"
#include "run/task_parts.h"

#include <stdio.h>

enum { STEPS_MAX = 20000, DRAIN_STEPS_MAX = 500 };

static uint64_t random_state;

void fake_random_seed(uint64_t seed) {
    random_state = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
}

static uint64_t next_random(void) { /* xorshift64*; Vigna 2016 */
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * UINT64_C(2685821657736338717);
}

struct task_options fake_task_options(struct model *model) {
    static struct currency_rate euro = {"EUR", 1000000000, 0};
    struct task_options options = {
        .partition = 0,
        .partitions = 1,
        .model = model,
        .decoder = {.format = FORMAT_PROTOBUF, .currencies = &euro, .currencies_count = 1, .max_future_ms = 300000},
        .encoder = {.format = OUTPUT_PROTOBUF,
                    .group = bytes_of_text("g"),
                    .tier_changes = bytes_of_text("tier-changes"),
                    .dead_letters = bytes_of_text("dead-letters"),
                    .customer_scores = bytes_of_text("customer-scores"),
                    .model = model},
        .topics = {"purchases", "interactions", "feedback"},
        .clock_event = true,
        .merge_wait_ms = 1000,
        .batch_items_max = 7,
        .pending_max = 16,
        .unpublished_max = 3,
        .wheel_held_max = 2,
    };
    options.metrics = task_metrics_of(model, options.topics);
    return options;
}

int64_t fake_up_to(int64_t limit) {
    return (int64_t)((next_random() >> 11) % (uint64_t)limit);
}

void fake_fill_shop(struct fake_world *world, int customers, int events_max) {
    int64_t now_ms = INT64_C(1735689600000);
    int64_t events = 10 + fake_up_to(events_max - 10);
    struct buffer value = {0};
    for (int64_t i = 0; i < events; i++) {
        char id[8];
        char event_id[24];
        now_ms += fake_up_to(4) == 0 ? fake_up_to(3 * MS_PER_DAY) : fake_up_to(MS_PER_HOUR);
        now_ms += fake_up_to(50) == 0 ? fake_up_to(450) * MS_PER_DAY : 0; /* feedback of old days goes */
        snprintf(id, sizeof id, "c%d", (int)fake_up_to(customers));
        snprintf(event_id, sizeof event_id, "e%d", (int)(fake_up_to(8) == 0 && i > 0 ? i - 1 : i));
        struct activity activity = {.type = (enum activity_type)fake_up_to(INPUTS),
                                    .customer_id = bytes_of_text(id),
                                    .event_id = bytes_of_text(event_id),
                                    .time_ms = fake_up_to(10) == 0 ? now_ms - fake_up_to(4 * MS_PER_DAY) : now_ms};
        if (activity.type == ACTIVITY_PURCHASE) {
            activity.purchase =
                (struct purchase){.kind = fake_up_to(8) == 0 ? PURCHASE_KIND_REFUND : PURCHASE_KIND_PURCHASE,
                                  .amount_minor = 500 + fake_up_to(3000),
                                  .order_time_ms = activity.time_ms};
            activity.purchase.referrer_id = bytes_of_text(fake_up_to(4) == 0 ? "c0" : "");
        } else if (activity.type == ACTIVITY_INTERACTION) {
            activity.interaction.kind = (enum interaction_kind)(1 + fake_up_to(INTERACTION_KINDS));
        } else {
            bool nps = fake_up_to(3) != 0;
            activity.feedback = (struct feedback){.survey = nps ? SURVEY_NPS : SURVEY_CSAT,
                                                  .score = (int)(nps ? fake_up_to(11) : 1 + fake_up_to(5)),
                                                  .channel = bytes_of_text(fake_up_to(2) == 0 ? "web" : "store")};
        }
        buffer_reset(&value);
        int error = encode_activity(ACTIVITY_AS_PROTOBUF, &activity, bytes_of_text("EUR"), &value);
        ASSERT(!error);
        bool dead = fake_up_to(20) == 0;
        fake_world_add(world, (enum input)activity.type, now_ms, bytes_of_text(dead ? "other" : id),
                       buffer_bytes(&value));
    }
    buffer_finish(&value);
}

bool fake_finish(struct fake_owner *owner) {
    for (int idle = 0, steps = 0; idle < 3 && steps < STEPS_MAX; steps++) {
        bool any = false;
        for (int step = 0; step < FAKE_STEPS; step++) {
            any |= fake_owner_step(owner, (enum fake_step)step);
        }
        idle = any ? 0 : idle + 1;
    }
    return task_is_idle(fake_owner_task(owner));
}

static void crash(struct fake_play *play, size_t at) {
    fake_owner_crash(play->owners[at]);
    play->ghosts[play->ghosts_count++] = play->owners[at];
    memmove(play->owners + at, play->owners + at + 1, (play->owners_count - at - 1) * sizeof(struct fake_owner *));
    play->owners_count--;
}

static void crash_newest(struct fake_play *play) {
    crash(play, play->owners_count - 1);
}

/* Ends the newest owner as SIGTERM does. */
static void leave(struct fake_play *play) {
    struct fake_owner *owner = play->owners[play->owners_count - 1];
    struct task *task = fake_owner_task(owner);
    task_drain(task);
    for (int step = 0; step < DRAIN_STEPS_MAX && task_state(task) == TASK_DRAINING; step++) {
        fake_owner_step(owner, (enum fake_step)(step % FAKE_STEPS));
    }
    crash_newest(play);
}

/* The group gives the newest owner's task to somebody else. */
static void give_up(struct fake_play *play) {
    struct task *task = fake_owner_task(play->owners[play->owners_count - 1]);
    task_settle(task, 0);
    if (task->in_flight && !task->store_error) {
        play->problem = "a batch of which nobody knows what became of it";
    }
    crash_newest(play);
}

static void use_rules(struct fake_play *play, const struct task_options *options) {
    play->world.options = *options;
    play->world.model = options->model;
}

/* The newest owner is given other rules while it lives; whoever starts later has them from the beginning. */
static void renew(struct fake_play *play, const struct task_options *options) {
    struct task_rules rules = {options->model, options->metrics, options->ranked_refresh_ms};
    use_rules(play, options);
    task_set_rules(fake_owner_task(play->owners[play->owners_count - 1]), &rules);
}

/* Redis comes back without its tail, or without anything: then an operator has asked for a rebuild. */
static void lose(struct fake_play *play) {
    struct fake_world *world = &play->world;
    if (fake_up_to(3) == 0) {
        world->redis = (struct fake_redis){0};
        world->options.rebuild = true;
        world->losses++;
    } else {
        world->redis = play->saved;
        world->rewinds++;
    }
    play->saved = fake_redis_snapshot(world);
}

/* Something happens: a crash, an orderly end, a zombie, Redis losing its tail. */
static void disturb(struct fake_play *play) {
    play->crashes_left--;
    bool rewind = play->rewinds && play->has_saved && fake_up_to(3) == 0;
    if (rewind) {
        /* Every connection is gone, and with it whatever was on its way. */
        while (play->owners_count > 0) {
            crash(play, 0);
        }
        play->ghosts_count = 0;
        lose(play);
    } else if (fake_up_to(3) != 0 || play->owners_count == FAKE_OWNERS_MAX) {
        static void (*const ends[])(struct fake_play *) = {leave, give_up, crash_newest};
        ends[fake_up_to(3)](play);
    }
    if (play->upgrade && fake_up_to(2) == 0) {
        use_rules(play, play->upgrade);
    }
    play->owners[play->owners_count++] = fake_owner_start(&play->world);
}

static void drop_fenced(struct fake_play *play) {
    for (size_t i = 0; i < play->owners_count; i++) {
        struct task *task = fake_owner_task(play->owners[i]);
        if (task_state(task) == TASK_REFUSED) {
            play->problem = "a task refused";
        }
        bool newest = i + 1 == play->owners_count;
        if (task_state(task) == TASK_FENCED) {
            crash(play, i--);
            if (newest) { /* the group says it is ours: take it back, as the worker does */
                play->owners[play->owners_count++] = fake_owner_start(&play->world);
            }
        }
    }
}

/* Whether something happens at this step: in some plays early, while an owner takes over, in others late; and rather within
 * a round of the wheel than elsewhere, because there the most depends on the moment. */
static bool is_disturbed(const struct fake_play *play, int64_t calm_steps) {
    const struct task *newest = fake_owner_task(play->owners[play->owners_count - 1]);
    int64_t chance = task_in_round(newest) ? calm_steps / 4 : calm_steps;
    return play->crashes_left > 0 && fake_up_to(chance) == 0;
}

/* The newest owner finishes; if an older one has fenced it and it did not know yet, the next one does. */
static bool finish(struct fake_play *play) {
    bool idle = fake_finish(play->owners[play->owners_count - 1]);
    if (task_state(fake_owner_task(play->owners[play->owners_count - 1])) == TASK_FENCED) {
        drop_fenced(play);
        idle = fake_finish(play->owners[play->owners_count - 1]);
    }
    return idle;
}

const char *fake_play_out(struct fake_play *play) {
    int64_t calm_steps = 8 << fake_up_to(7); /* from one disturbance to the next, on average */
    play->owners[play->owners_count++] = fake_owner_start(&play->world);
    for (int step = 0; step < STEPS_MAX && !play->problem; step++) {
        play->world.now_ms += fake_up_to(50);
        struct fake_owner *owner = play->owners[fake_up_to((int64_t)play->owners_count)];
        const struct model *model = task_model(fake_owner_task(owner));
        fake_owner_step(owner, (enum fake_step)fake_up_to(FAKE_STEPS));
        play->renewals += task_model(fake_owner_task(owner)) != model;
        if (play->former && fake_up_to(60) == 0) {
            renew(play, fake_up_to(3) == 0 ? play->former : play->upgrade);
        }
        if (play->ghosts_count > 0 && fake_up_to(6) == 0) {
            fake_owner_step_ghost(play->ghosts[fake_up_to((int64_t)play->ghosts_count)]);
        }
        drop_fenced(play);
        if (play->rewinds && play->world.redis.present && fake_up_to(40) == 0) {
            play->saved = fake_redis_snapshot(&play->world);
            play->has_saved = true;
        }
        if (is_disturbed(play, calm_steps)) {
            disturb(play);
        }
        if (play->crashes_left == 0 && step % 8 == 0 &&
            task_is_idle(fake_owner_task(play->owners[play->owners_count - 1]))) {
            break;
        }
    }
    if (play->upgrade && play->world.model != play->upgrade->model) {
        if (play->former && fake_up_to(2) == 0) {
            renew(play, play->upgrade);
        } else {
            crash(play, play->owners_count - 1);
            use_rules(play, play->upgrade);
            play->owners[play->owners_count++] = fake_owner_start(&play->world);
        }
    }
    bool idle = play->problem || finish(play);
    while (play->owners_count > 0) {
        crash(play, 0);
    }
    return play->problem ? play->problem : idle ? NULL : "the disturbed run did not finish";
}

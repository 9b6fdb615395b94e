/* Replay: the real task over a world in memory, dropped and taken over at every step, must publish what an undisturbed run
 * publishes, each tier change once and in order.
 *
 * Every interleaving is made from a seed; a failing one is printed and can be run alone: TIDEMARK_REPLAY_SEED=123.
 * TIDEMARK_REPLAY_SEEDS sets their number. */
#include "base/log.h"
#include "publish/encode_activity.h"
#include "publish/output.h"
#include "run/task_metrics.h"
#include "support/fake_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { CUSTOMERS = 5, SEEDS_DEFAULT = 100000, STEPS_MAX = 20000, EVENTS_MAX = 60 };

static uint64_t random_state;

static uint64_t next_random(void) { /* xorshift64*; Vigna 2016 */
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * UINT64_C(2685821657736338717);
}

static int64_t up_to(int64_t limit) {
    return (int64_t)((next_random() >> 11) % (uint64_t)limit);
}

static struct arena model_arena;
static struct model *model;
static struct currency_rate euro = {"EUR", 1000000000, 0};
static struct task_options options;

static struct spec_text text(const char *words) {
    return (struct spec_text){bytes_of_text(words), 1, 1};
}

static int set_up(void **state) {
    (void)state;
    static const double f_steps[] = {2, 3};
    static const double r_steps[] = {2, 5};
    struct score_spec scores[] = {
        {.name = text("r"),
         .metric = text("days_since_purchase"),
         .steps = r_steps,
         .steps_count = 2,
         .best_low = true},
        {.name = text("f"), .metric = text("purchases(7d)"), .steps = f_steps, .steps_count = 2},
    };
    struct tier_spec value_tiers[] = {
        {.name = text("vip"), .enter = text("r + f >= 5"), .stay = text("r + f >= 4")},
        {.name = text("good"), .enter = text("r + f >= 3 and revenue(10d) > 20")},
        {.name = text("rest")},
    };
    struct tier_spec mood_tiers[] = {
        {.name = text("happy"), .enter = text("nps(5d) >= 0 and days_since_seen <= 3.5")},
        {.name = text("active"), .enter = text("interactions(3d) >= 1 or tier(value) = vip")},
        {.name = text("quiet")},
    };
    struct tier_set_spec sets[] = {
        {.name = text("value"), .tiers = value_tiers, .tiers_count = 3},
        {.name = text("mood"),
         .tiers = mood_tiers,
         .tiers_count = 3,
         .grace_ms = MS_PER_DAY,
         .one_step = true,
         .hold_ms = 36 * (int64_t)MS_PER_HOUR},
    };
    struct model_spec spec = {.zone = &zone_utc,
                              .money_decimals = 2,
                              .dedupe = 4,
                              .tiles_max = 128,
                              .scores = scores,
                              .scores_count = 2,
                              .sets = sets,
                              .sets_count = 2};
    struct model_error error;
    log_set_level(LOG_ERROR);
    arena_init(&model_arena, 1 << 24);
    if (model_compile(&model_arena, &spec, &model, &error)) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    options = (struct task_options){
        .partition = 0,
        .partitions = 1,
        .model = model,
        .decoder = {.format = FORMAT_PROTOBUF, .currencies = &euro, .currencies_count = 1, .max_future_ms = 300000},
        .encoder = {.format = OUTPUT_PROTOBUF,
                    .group = bytes_of_text("g"),
                    .tier_changes = bytes_of_text("tier-changes"),
                    .dead_letters = bytes_of_text("dead-letters"),
                    .model = model},
        .topics = {"purchases", "interactions", "feedback"},
        .clock_event = true,
        .merge_wait_ms = 1000,
        .batch_items_max = 7,
        .pending_max = 16,
        .unpublished_max = 3,
    };
    options.metrics = task_metrics_of(model, options.topics);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    arena_finish(&model_arena);
    return 0;
}

/* A month or two of a small shop, perhaps with long holidays; one record in twenty is a dead letter. */
static void fill(struct fake_world *world) {
    int64_t now_ms = INT64_C(1735689600000);
    int64_t events = 10 + up_to(EVENTS_MAX - 10);
    struct buffer value = {0};
    for (int64_t i = 0; i < events; i++) {
        char id[8];
        char event_id[24];
        now_ms += up_to(4) == 0 ? up_to(3 * MS_PER_DAY) : up_to(MS_PER_HOUR);
        now_ms += up_to(50) == 0 ? up_to(450) * MS_PER_DAY : 0; /* feedback of old days goes */
        snprintf(id, sizeof id, "c%d", (int)up_to(CUSTOMERS));
        snprintf(event_id, sizeof event_id, "e%d", (int)(up_to(8) == 0 && i > 0 ? i - 1 : i));
        struct activity activity = {.type = (enum activity_type)up_to(INPUTS),
                                    .customer_id = bytes_of_text(id),
                                    .event_id = bytes_of_text(event_id),
                                    .time_ms = up_to(10) == 0 ? now_ms - up_to(4 * MS_PER_DAY) : now_ms};
        if (activity.type == ACTIVITY_PURCHASE) {
            activity.purchase = (struct purchase){.kind = up_to(8) == 0 ? PURCHASE_KIND_REFUND : PURCHASE_KIND_PURCHASE,
                                                  .amount_minor = 500 + up_to(3000),
                                                  .order_time_ms = activity.time_ms};
        } else if (activity.type == ACTIVITY_INTERACTION) {
            activity.interaction.kind = (enum interaction_kind)(1 + up_to(INTERACTION_KINDS));
        } else {
            bool nps = up_to(3) != 0;
            activity.feedback = (struct feedback){.survey = nps ? SURVEY_NPS : SURVEY_CSAT,
                                                  .score = (int)(nps ? up_to(11) : 1 + up_to(5)),
                                                  .channel = bytes_of_text(up_to(2) == 0 ? "web" : "store")};
        }
        buffer_reset(&value);
        assert_int_equal(encode_activity(ACTIVITY_AS_PROTOBUF, &activity, bytes_of_text("EUR"), &value), 0);
        bool dead = up_to(20) == 0;
        fake_world_add(world, (enum input)activity.type, now_ms, bytes_of_text(dead ? "other" : id),
                       buffer_bytes(&value));
    }
    buffer_finish(&value);
}

/* Runs the owner until nothing is left to do. */
static bool finish_undisturbed(struct fake_owner *owner) {
    for (int idle = 0, steps = 0; idle < 3 && steps < STEPS_MAX; steps++) {
        bool any = false;
        for (int step = 0; step < FAKE_STEPS; step++) {
            any |= fake_owner_step(owner, (enum fake_step)step);
        }
        idle = any ? 0 : idle + 1;
    }
    return task_is_idle(fake_owner_task(owner));
}

/* What a subscriber sees of each customer, in order: key and value, one after the other. */
static void subscriber(const struct fake_world *world, struct bytes key, struct buffer *out) {
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < world->outputs_count; i++) {
        struct output output;
        assert_int_equal(output_unpack(world->outputs[i], &arena, &output), 0);
        if (bytes_equal(output.key, key)) {
            buffer_put_sized(out, output.topic);
            buffer_put_sized(out, output.value);
        }
    }
    arena_finish(&arena);
}

static int64_t number_in(const struct fake_map *map, struct bytes name) {
    for (size_t i = 0; i < map->count; i++) {
        if (bytes_equal(map->pairs[i].name, name)) {
            return map->pairs[i].number;
        }
    }
    return 0;
}

/* A number that is 0 may be there or not. */
static bool holds_numbers(const struct fake_map *map, const struct fake_map *numbers) {
    for (size_t i = 0; i < numbers->count; i++) {
        if (number_in(map, numbers->pairs[i].name) != numbers->pairs[i].number) {
            return false;
        }
    }
    return true;
}

static bool same_numbers(const struct fake_map *a, const struct fake_map *b) {
    return holds_numbers(a, b) && holds_numbers(b, a);
}

static const char *compare_worlds(const struct fake_world *expected, const struct fake_world *actual) {
    struct buffer a = {0};
    struct buffer b = {0};
    const char *problem = NULL;
    for (int customer = 0; customer <= CUSTOMERS && !problem; customer++) {
        char id[8];
        snprintf(id, sizeof id, customer < CUSTOMERS ? "c%d" : "other", customer);
        buffer_reset(&a);
        buffer_reset(&b);
        subscriber(expected, bytes_of_text(id), &a);
        subscriber(actual, bytes_of_text(id), &b);
        problem = bytes_equal(buffer_bytes(&a), buffer_bytes(&b)) ? NULL : "outputs differ";
    }
    if (!problem && !same_numbers(&expected->redis.populations, &actual->redis.populations)) {
        problem = "populations differ";
    }
    if (!problem && !same_numbers(&expected->redis.feedback, &actual->redis.feedback)) {
        problem = "feedback differs";
    }
    if (!problem && memcmp(expected->redis.meta.next_offset, actual->redis.meta.next_offset,
                           sizeof expected->redis.meta.next_offset) != 0) {
        problem = "offsets differ";
    }
    buffer_finish(&a);
    buffer_finish(&b);
    return problem;
}

enum { OWNERS_MAX = 3 };

struct play {
    struct fake_world world;
    struct fake_owner *owners[OWNERS_MAX]; /* the newest is the group's; older ones are zombies */
    size_t owners_count;
    struct fake_owner *ghosts[64];
    size_t ghosts_count;
    struct fake_redis saved;
    bool has_saved;
    int crashes_left;
    bool rewinds;
};

static void crash(struct play *play, size_t at) {
    fake_owner_crash(play->owners[at]);
    play->ghosts[play->ghosts_count++] = play->owners[at];
    memmove(play->owners + at, play->owners + at + 1, (play->owners_count - at - 1) * sizeof(struct fake_owner *));
    play->owners_count--;
}

/* Something goes wrong: a crash, a zombie, Redis losing its tail. */
static void disturb(struct play *play) {
    play->crashes_left--;
    bool rewind = play->rewinds && play->has_saved && up_to(3) == 0;
    if (rewind) {
        /* Redis comes back without its tail: every connection is gone, and with it whatever was on its way. */
        while (play->owners_count > 0) {
            crash(play, 0);
        }
        play->ghosts_count = 0;
        play->world.redis = play->saved;
        play->saved = fake_redis_snapshot(&play->world);
        play->world.rewinds++;
    } else if (up_to(3) != 0 || play->owners_count == OWNERS_MAX) {
        crash(play, play->owners_count - 1);
    }
    play->owners[play->owners_count++] = fake_owner_start(&play->world);
}

static uint64_t seed_now; /* for messages */

static void drop_fenced(struct play *play) {
    for (size_t i = 0; i < play->owners_count; i++) {
        struct task *task = fake_owner_task(play->owners[i]);
        if (task_state(task) == TASK_REFUSED) {
            fail_msg("TIDEMARK_REPLAY_SEED=%llu: a task refused: %s", (unsigned long long)seed_now, task_problem(task));
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

static bool play_out(struct play *play) {
    play->owners[play->owners_count++] = fake_owner_start(&play->world);
    for (int step = 0; step < STEPS_MAX; step++) {
        play->world.now_ms += up_to(50);
        struct fake_owner *owner = play->owners[up_to((int64_t)play->owners_count)];
        fake_owner_step(owner, (enum fake_step)up_to(FAKE_STEPS));
        if (play->ghosts_count > 0 && up_to(6) == 0) {
            fake_owner_step_ghost(play->ghosts[up_to((int64_t)play->ghosts_count)]);
        }
        drop_fenced(play);
        if (play->rewinds && play->world.redis.present && up_to(40) == 0) {
            play->saved = fake_redis_snapshot(&play->world);
            play->has_saved = true;
        }
        if (play->crashes_left > 0 && up_to(25) == 0) {
            disturb(play);
        }
        if (play->crashes_left == 0 && step % 8 == 0 &&
            task_is_idle(fake_owner_task(play->owners[play->owners_count - 1]))) {
            break;
        }
    }
    struct fake_owner *owner = play->owners[play->owners_count - 1];
    bool idle = finish_undisturbed(owner);
    while (play->owners_count > 0) {
        crash(play, 0);
    }
    return idle;
}

static const char *run_seed(uint64_t seed, uint64_t *rewinds) {
    struct fake_world calm;
    struct play play = {.crashes_left = 0};
    seed_now = seed;
    random_state = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    fake_world_init(&calm, &options);
    fill(&calm);
    random_state = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    fake_world_init(&play.world, &options);
    fill(&play.world);

    struct fake_owner *owner = fake_owner_start(&calm);
    const char *problem = finish_undisturbed(owner) ? NULL : "the undisturbed run did not finish";
    fake_owner_crash(owner);
    play.crashes_left = 1 + (int)up_to(6);
    play.rewinds = up_to(2) == 0;
    if (!problem && !play_out(&play)) {
        problem = "the disturbed run did not finish";
    }
    problem = problem ? problem : compare_worlds(&calm, &play.world);
    *rewinds += play.world.rewinds;
    fake_world_finish(&calm);
    fake_world_finish(&play.world);
    return problem;
}

static uint64_t number_of(const char *name, uint64_t otherwise) {
    const char *value = getenv(name);
    return value ? strtoull(value, NULL, 10) : otherwise;
}

static void outputs_equal_those_of_an_undisturbed_run(void **state) {
    (void)state;
    uint64_t first = number_of("TIDEMARK_REPLAY_SEED", 0);
    uint64_t count = first ? 1 : number_of("TIDEMARK_REPLAY_SEEDS", SEEDS_DEFAULT);
    uint64_t rewinds = 0;
    for (uint64_t seed = first ? first : 1; count > 0; seed++, count--) {
        const char *problem = run_seed(seed, &rewinds);
        if (problem) {
            fail_msg("TIDEMARK_REPLAY_SEED=%llu: %s (rewinds so far %llu)", (unsigned long long)seed, problem,
                     (unsigned long long)rewinds);
        }
    }
    printf("replayed; Redis lost its tail %llu times\n", (unsigned long long)rewinds);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(outputs_equal_those_of_an_undisturbed_run)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

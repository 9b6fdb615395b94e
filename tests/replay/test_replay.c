/* Replay: the real task over a world in memory, dropped and taken over at every step, must publish what an undisturbed run
 * publishes, each tier change once and in order.
 *
 * Every interleaving is made from a seed; a failing one is printed and can be run alone: TIDEMARK_REPLAY_SEED=123.
 * TIDEMARK_REPLAY_SEEDS sets their number. */
#include "base/log.h"
#include "publish/output.h"
#include "support/fake_play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { CUSTOMERS = 5, SEEDS_DEFAULT = 100000, EVENTS_MAX = 60 };

static struct arena model_arena;
static struct model *model;
static struct task_options options;

static struct spec_text text(const char *words) {
    return (struct spec_text){bytes_of_text(words), 1, 1};
}

static int compile_model(void) {
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
    static const struct label_spec alert[] = {{{"alert", 5}, {"us", 2}}};
    struct tier_spec risk_tiers[] = {
        {.name = text("low"), .enter = text("p_alive >= 0.6")},
        {.name = text("high"), .treatment = alert, .treatment_count = 1},
    };
    struct tier_set_spec sets[] = {
        {.name = text("value"), .tiers = value_tiers, .tiers_count = 3},
        {.name = text("mood"),
         .tiers = mood_tiers,
         .tiers_count = 3,
         .grace_ms = MS_PER_DAY,
         .notice_ms = 2 * (int64_t)MS_PER_DAY,
         .one_step = true,
         .hold_ms = 36 * (int64_t)MS_PER_HOUR},
        {.name = text("risk"), .tiers = risk_tiers, .tiers_count = 2},
    };
    struct model_spec spec = {.zone = &zone_utc,
                              .money_decimals = 2,
                              .dedupe = 4,
                              .tiles_max = 128,
                              .scores = scores,
                              .scores_count = 2,
                              .sets = sets,
                              .sets_count = 3};
    struct model_error error;
    int result = model_compile(&model_arena, &spec, &model, &error);
    if (result) {
        fprintf(stderr, "%s\n", error.message);
    }
    return result;
}

static int set_up(void **state) {
    (void)state;
    log_set_level(LOG_ERROR);
    arena_init(&model_arena, 1 << 24);
    if (compile_model()) {
        return 1;
    }
    options = fake_task_options(model);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    arena_finish(&model_arena);
    return 0;
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
    if (!problem && !same_numbers(&expected->redis.alerts, &actual->redis.alerts)) {
        problem = "alerts differ";
    }
    if (!problem && !same_numbers(&expected->redis.feedback, &actual->redis.feedback)) {
        problem = "feedback differs";
    }
    if (!problem && !same_numbers(&expected->redis.influence, &actual->redis.influence)) {
        problem = "influence differs";
    }
    if (!problem && memcmp(expected->redis.meta.next_offset, actual->redis.meta.next_offset,
                           sizeof expected->redis.meta.next_offset) != 0) {
        problem = "offsets differ";
    }
    buffer_finish(&a);
    buffer_finish(&b);
    return problem;
}

struct tally {
    uint64_t rewinds;
    uint64_t losses;
};

static const char *run_seed(uint64_t seed, struct tally *tally) {
    struct fake_world calm;
    struct fake_play play = {.crashes_left = 0};
    fake_random_seed(seed);
    fake_world_init(&calm, &options);
    fake_fill_shop(&calm, CUSTOMERS, EVENTS_MAX);
    fake_random_seed(seed);
    fake_world_init(&play.world, &options);
    fake_fill_shop(&play.world, CUSTOMERS, EVENTS_MAX);

    struct fake_owner *owner = fake_owner_start(&calm);
    const char *problem = fake_finish(owner) ? NULL : "the undisturbed run did not finish";
    fake_owner_crash(owner);
    play.crashes_left = 1 + (int)fake_up_to(6);
    play.rewinds = fake_up_to(2) == 0;
    if (!play.rewinds) { /* else a split round may be published twice, with the same ids */
        play.world.options.round_whole_max = seed % 4;
    }
    problem = problem ? problem : fake_play_out(&play);
    problem = problem ? problem : compare_worlds(&calm, &play.world);
    tally->rewinds += play.world.rewinds;
    tally->losses += play.world.losses;
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
    struct tally tally = {0, 0};
    for (uint64_t seed = first ? first : 1; count > 0; seed++, count--) {
        const char *problem = run_seed(seed, &tally);
        if (problem) {
            fail_msg("TIDEMARK_REPLAY_SEED=%llu: %s (rewinds so far %llu)", (unsigned long long)seed, problem,
                     (unsigned long long)tally.rewinds);
        }
    }
    printf("replayed; Redis lost its tail %llu times, everything %llu times\n", (unsigned long long)tally.rewinds,
           (unsigned long long)tally.losses);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(outputs_equal_those_of_an_undisturbed_run)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

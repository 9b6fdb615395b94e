/* Editions: rules change, cut points come and go, owners crash; whatever happens, each customer's changes are one chain without gaps,
 * everybody is at last where the newest rules and cut points say, and populations and histograms are exactly what is there.
 *
 * When cut points are adopted depends on the play, so there is no undisturbed run to compare with: these are the invariants.
 * TIDEMARK_REPLAY_SEED=123 runs one play alone, TIDEMARK_REPLAY_SEEDS sets their number (a tenth of it here). */
#include "base/log.h"
#include "publish/output.h"
#include "state/customer_codec.h"
#include "state/cut_points_codec.h"
#include "support/fake_play.h"
#include "support/model_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <tier_change.pb-c.h>

enum { CUSTOMERS = 6, EVENTS_MAX = 60, SEEDS_DEFAULT = 20000 };

static const char RULES[] =
    "score r low quantiles 3 = days_since_purchase\n"
    "score m high quantiles 4 10 40 = revenue(10d)\n"
    "set value notice 2d\ntier vip = m >= 3\ntier good = m >= 2 or r >= 3\ntier rest\nlabel alert us\n"
    "set mood grace 1d\ntier happy = nps(5d) >= 0\ntier quiet\n";
static const char OTHER_RULES[] =
    "score m high quantiles 2 30 = revenue(20d)\n"
    "set value\ntier best = m >= 2 and purchases >= 2\ntier good = purchases(10d) >= 1\nlabel alert us\ntier rest\n"
    "set activity hold 1d\ntier busy = interactions(3d) >= 2\ntier idle\n"
    "set risk\ntier low = p_alive >= 0.6 and clv(90d) > 5\ntier high\nlabel alert us\n";

static struct task_options before;
static struct task_options after;

static struct task_options options_of(const char *rules) {
    struct task_options options = fake_task_options(model_of(&builder, rules));
    options.ranked_refresh_ms = 2000;
    return options;
}

static int set_up(void **state) {
    (void)state;
    log_set_level(LOG_ERROR);
    model_builder_init(&builder);
    builder.ranked_minimum = 3;
    before = options_of(RULES);
    after = options_of(OTHER_RULES);
    return 0;
}

/* ---- the chain of each customer and set ---- */

struct link {
    char name[64];
    uint32_t sequence;
    char to[16];
};

static const char *check_chain(const Tidemark__V1__TierChange *change, struct link *links, size_t *count) {
    char name[64];
    size_t at = 0;
    snprintf(name, sizeof name, "%s/%s", change->tier_set, change->customer_id);
    while (at < *count && strcmp(links[at].name, name) != 0) {
        at++;
    }
    if (at == *count) {
        snprintf(links[at].name, sizeof links[at].name, "%s", name);
        links[(*count)++].sequence = 0;
    }
    struct link *link = &links[at];
    if (change->direction == TIDEMARK__V1__TIER_CHANGE__DIRECTION__WILL_FALL) {
        return change->sequence == link->sequence && strcmp(change->from, link->to) == 0 ? NULL
                                                                                         : "a notice of another tier";
    }
    if (change->sequence != link->sequence + 1) {
        return "a gap, or a change twice";
    }
    /* A tier that the new rules do not have is nobody's `from`. */
    if (change->from && strcmp(change->from, link->to) != 0) {
        return "from is not where the last change led";
    }
    link->sequence = change->sequence;
    snprintf(link->to, sizeof link->to, "%s", change->to);
    return NULL;
}

/* NULL, or what is wrong with one tier change. */
typedef const char *(*change_check_fn)(void *context, const Tidemark__V1__TierChange *change);

/* Every tier change published, in order, until one is wrong. */
static const char *check_changes(const struct fake_world *world, change_check_fn check, void *context) {
    struct arena arena;
    const char *problem = NULL;
    arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < world->outputs_count && !problem; i++) {
        struct output output;
        assert_int_equal(output_unpack(world->outputs[i], &arena, &output), 0);
        if (!bytes_equal_text(output.topic, "tier-changes")) {
            continue;
        }
        Tidemark__V1__TierChange *change =
            tidemark__v1__tier_change__unpack(NULL, output.value.size, (const uint8_t *)output.value.data);
        assert_non_null(change);
        problem = check(context, change);
        tidemark__v1__tier_change__free_unpacked(change, NULL);
    }
    arena_finish(&arena);
    return problem;
}

struct chains {
    struct link *links;
    size_t *count;
};

static const char *check_link(void *context, const Tidemark__V1__TierChange *change) {
    struct chains *chains = context;
    return check_chain(change, chains->links, chains->count);
}

static const char *check_outputs(const struct fake_world *world, struct link *links, size_t *count) {
    struct chains chains = {links, count};
    return check_changes(world, check_link, &chains);
}

/* ---- what is stored ---- */

/* An alert is open exactly while the customer stands in a tier that has the label, with what was spent; it is taken off. */
static const char *take_alert(struct fake_redis *redis, const struct model *model, const struct customer *customer,
                              size_t set, struct bytes id) {
    size_t labels = 0;
    char member[80];
    struct bytes name = model_set_name(model, set);
    (void)model_treatment(model, set, (size_t)customer->tiers[set].tier, &labels);
    snprintf(member, sizeof member, "%.*s/%.*s", (int)name.size, name.data, (int)id.size, id.data);
    for (size_t i = 0; i < redis->alerts.count; i++) {
        if (bytes_equal_text(redis->alerts.pairs[i].name, member)) {
            bool right = labels > 0 && redis->alerts.pairs[i].number == tiles_total(&customer->tiles, TILE_REVENUE);
            redis->alerts.pairs[i] = redis->alerts.pairs[--redis->alerts.count];
            return right ? NULL : "an alert is open that should not be, or is of another value";
        }
    }
    return labels > 0 ? "an alert is not open" : NULL;
}

/* The customer stands where the newest edition says, was told so, and is counted there; counts are taken off the stored ones. */
static const char *check_customer(const struct fake_pair *pair, struct model *model, struct fake_redis *redis,
                                  const struct link *links, size_t links_count) {
    struct customer *customer;
    const char *problem = NULL;
    assert_int_equal(customer_decode(pair->value, model, &customer), 0);
    if (customer->edition != redis->meta.edition) {
        problem = "a customer of an older edition";
    }
    for (size_t set = 0; set < model_sets_count(model) && !problem; set++) {
        struct bytes tier = model_tier_name(model, set, (size_t)customer->tiers[set].tier);
        struct bytes name = model_set_name(model, set);
        char field[80];
        snprintf(field, sizeof field, "%.*s/%.*s", (int)name.size, name.data, (int)pair->name.size, pair->name.data);
        bool told = false;
        for (size_t i = 0; i < links_count; i++) {
            told |= strcmp(links[i].name, field) == 0 && bytes_equal_text(tier, links[i].to) &&
                    links[i].sequence == customer->tiers[set].sequence;
        }
        problem = told ? NULL : "the last change told is not where the customer stands";
        snprintf(field, sizeof field, "tier/%.*s/%.*s", (int)name.size, name.data, (int)tier.size, tier.data);
        problem = problem ? problem : take_alert(redis, model, customer, set, pair->name);
        for (size_t i = 0; i < redis->populations.count; i++) {
            redis->populations.pairs[i].number -= bytes_equal_text(redis->populations.pairs[i].name, field);
        }
    }
    for (size_t i = 0; i < model_ranked_count(model); i++) {
        char field[80];
        struct bytes name = model_ranked_name(model, i);
        snprintf(field, sizeof field, "%.*s/%d", (int)name.size, name.data, (int)customer->ranks[i]);
        for (size_t j = 0; j < redis->histograms.count && customer->ranks[i] != RANK_NONE; j++) {
            redis->histograms.pairs[j].number -= bytes_equal_text(redis->histograms.pairs[j].name, field);
        }
    }
    /* Evaluated once more by the same edition under another number, nothing may move. */
    struct edition again = *model_edition(model);
    struct changes changes;
    again.number++;
    again.since_ms = TIME_NONE;
    model_set_edition(model, &again);
    changes_init(&changes, &builder.arena);
    customer_advance(customer, model, TIME_NONE, &changes);
    for (const struct tier_change *change = changes.first; change && !problem; change = change->next) {
        problem =
            change->direction == DIRECTION_WILL_FALL ? NULL : "a customer stands where the newest rules do not say";
    }
    customer_destroy(customer);
    return problem;
}

static const char *check_store(struct fake_world *world, const struct link *links, size_t links_count) {
    struct fake_redis *redis = &world->redis;
    struct model *model = model_copy_for_task(world->model);
    struct edition edition = {.number = redis->meta.edition, .since_ms = redis->meta.edition_since_ms};
    const char *problem = redis->meta.swept_edition == redis->meta.edition ? NULL : "not everybody was evaluated";
    if (redis->cuts.data && cut_points_decode(redis->cuts, model, &edition.cuts)) {
        edition.cuts = (struct cut_points){0}; /* of the former rules */
    }
    for (size_t i = 0; i < redis->customers.count && !problem; i++) {
        model_set_edition(model, &edition);
        problem = check_customer(&redis->customers.pairs[i], model, redis, links, links_count);
    }
    for (size_t i = 0; i < redis->populations.count && !problem; i++) {
        bool tier = memcmp(redis->populations.pairs[i].name.data, "tier/", 5) == 0;
        problem = !tier || redis->populations.pairs[i].number == 0 ? NULL : "populations are not what is there";
    }
    problem = !problem && redis->alerts.count > 0 ? "an alert of nobody is open" : problem;
    for (size_t i = 0; i < redis->histograms.count && !problem; i++) {
        problem = redis->histograms.pairs[i].number == 0 ? NULL : "histograms are not what is there";
    }
    model_copy_destroy(model);
    return problem;
}

struct tally {
    uint64_t editions;
    uint64_t renewals;
};

static const char *run_seed(uint64_t seed, struct tally *tally) {
    static struct link links[CUSTOMERS * 4];
    struct fake_play play = {.upgrade = &after, .former = seed % 2 ? &before : NULL};
    size_t count = 0;
    fake_random_seed(seed);
    fake_world_init(&play.world, &before);
    play.world.exchanges = true;
    fake_fill_shop(&play.world, CUSTOMERS, EVENTS_MAX);
    play.crashes_left = (int)fake_up_to(5);
    const char *problem = fake_play_out(&play);
    problem = problem ? problem : check_outputs(&play.world, links, &count);
    problem = problem ? problem : check_store(&play.world, links, count);
    tally->editions += play.world.redis.meta.edition;
    tally->renewals += play.renewals;
    fake_world_finish(&play.world);
    return problem;
}

static uint64_t number_of(const char *name, uint64_t otherwise) {
    const char *value = getenv(name);
    return value ? strtoull(value, NULL, 10) : otherwise;
}

static void everybody_is_where_the_newest_edition_says(void **state) {
    (void)state;
    uint64_t first = number_of("TIDEMARK_REPLAY_SEED", 0);
    uint64_t count = first ? 1 : number_of("TIDEMARK_REPLAY_SEEDS", SEEDS_DEFAULT) / 10;
    struct tally tally = {0, 0};
    uint64_t plays = count;
    for (uint64_t seed = first ? first : 1; count > 0; seed++, count--) {
        const char *problem = run_seed(seed, &tally);
        if (problem) {
            fail_msg("TIDEMARK_REPLAY_SEED=%llu: %s", (unsigned long long)seed, problem);
        }
    }
    printf("replayed %llu plays with %llu changes of edition, %llu of rules while their owner lived\n",
           (unsigned long long)plays, (unsigned long long)tally.editions, (unsigned long long)tally.renewals);
    assert_true(first || tally.editions > plays); /* more than the change of rules that each has */
    assert_true(first || tally.renewals > plays / 2);
}

/* ---- the place where rules change ---- */

struct border {
    int64_t since_ms;
    bool known[CUSTOMERS];
    size_t *counts; /* of changes by the former rules, and by the new ones */
};

static const char *check_side(void *context, const Tidemark__V1__TierChange *change) {
    struct border *border = context;
    bool is_new = bytes_equal_text(model_version(after.model), change->rules_version);
    bool *is_known = &border->known[change->customer_id[1] - '0'];
    border->counts[is_new]++;
    *is_known |= !is_new;
    if (is_new ? *is_known && change->effective_time_ms < border->since_ms
               : change->effective_time_ms > border->since_ms) {
        return is_new ? "the new rules decided what was due before them" : "the former rules went on";
    }
    return NULL;
}

/* Up to the instant at which the new rules came into force, the former have decided everything; from there on the new ones. Only who is
 * heard of later, and late, begins before it. */
static const char *check_border(const struct fake_world *world, size_t counts[2]) {
    struct border border = {.since_ms = world->redis.meta.edition_since_ms, .counts = counts};
    return check_changes(world, check_side, &border);
}

static const char *run_renewal(uint64_t seed, size_t counts[2]) {
    static struct link links[CUSTOMERS * 4];
    struct fake_world world;
    struct task_rules rules = {after.model, after.metrics, after.ranked_refresh_ms};
    size_t count = 0;
    fake_random_seed(seed);
    fake_world_init(&world, &before);
    fake_fill_shop(&world, CUSTOMERS, EVENTS_MAX);
    struct fake_owner *owner = fake_owner_start(&world);
    for (int64_t step = fake_up_to(600); step > 0; step--) {
        world.now_ms += fake_up_to(50);
        fake_owner_step(owner, (enum fake_step)fake_up_to(FAKE_STEPS));
    }
    world.model = after.model;
    task_set_rules(fake_owner_task(owner), &rules);
    const char *problem = fake_finish(owner) ? NULL : "it did not come to an end";
    fake_owner_crash(owner);
    problem = problem || world.redis.meta.edition <= 1 ? problem : "more than one edition";
    problem = problem ? problem : check_outputs(&world, links, &count);
    problem = problem ? problem : check_store(&world, links, count);
    problem = problem ? problem : check_border(&world, counts);
    fake_world_finish(&world);
    return problem;
}

static void what_was_due_is_decided_by_the_former_rules(void **state) {
    (void)state;
    size_t counts[2] = {0, 0};
    for (uint64_t seed = 1; seed <= number_of("TIDEMARK_REPLAY_SEEDS", SEEDS_DEFAULT) / 10; seed++) {
        const char *problem = run_renewal(seed, counts);
        if (problem) {
            fail_msg("renewal %llu: %s", (unsigned long long)seed, problem);
        }
    }
    printf("%zu changes by the former rules, %zu by the new ones\n", counts[0], counts[1]);
    assert_true(counts[0] > 100 && counts[1] > 100);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everybody_is_where_the_newest_edition_says),
        cmocka_unit_test(what_was_due_is_decided_by_the_former_rules),
    };
    return cmocka_run_group_tests(tests, set_up, builder_tear_down);
}

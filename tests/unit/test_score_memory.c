/* Every allocation that scoring makes fails once, the first, the second, and so on until there is none left to fail: what needs
 * memory says that there was none, leaks nothing (AddressSanitizer), and leaves whole what it was given.
 *
 * The linker leads the calls here (--wrap, in tests/CMakeLists.txt). */
#include "score/evaluate.h"
#include "score/explain.h"
#include "support/history.h"
#include "support/model_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ALLOCATIONS_MAX = 4000 };

/* ---- allocations that fail ---- */

static struct {
    bool armed;
    bool for_good; /* the ones after it fail, too */
    int left;      /* so many succeed before */
    bool refused;
} memory;

static bool refuses(void) {
    if (!memory.armed || memory.left-- > 0) {
        return false;
    }
    memory.armed = memory.for_good;
    memory.refused = true;
    return true;
}

#define WRAP(type, name, parameters, ...)                                                                              \
    type __real_##name parameters;                                                                                     \
    type __wrap_##name parameters;                                                                                     \
    type __wrap_##name parameters {                                                                                    \
        return refuses() ? (type){0} : __real_##name(__VA_ARGS__);                                                     \
    }
typedef void *address;
typedef struct bytes slice;
WRAP(address, malloc, (size_t size), size)
WRAP(address, calloc, (size_t count, size_t size), count, size)
WRAP(address, realloc, (void *old, size_t size), old, size)
WRAP(address, arena_alloc, (struct arena * arena, size_t size), arena, size)
WRAP(address, arena_alloc_zero, (struct arena * arena, size_t size), arena, size)
WRAP(slice, arena_copy, (struct arena * arena, struct bytes bytes), arena, bytes)

/* Whether an allocation has failed since `arm`. */
static bool disarm(void) {
    memory.armed = false;
    return memory.refused;
}

static void arm(int left, bool for_good) {
    memory.left = left;
    memory.for_good = for_good;
    memory.refused = false;
    memory.armed = true;
}

/* One attempt: arms, does it, disarms, checks what has come of it, and tells whether an allocation failed. */
typedef bool (*attempt_fn)(int left, bool for_good);

/* With each allocation failing in its turn, there being at least so many. */
static void try_each(attempt_fn attempt, int least) {
    for (int for_good = 0; for_good < 2; for_good++) {
        int left = 0;
        while (attempt(left, for_good)) {
            assert_true(++left < ALLOCATIONS_MAX);
        }
        assert_true(left >= least);
    }
}

/* ---- a model with everything ---- */

static const char *const rules = "score r low 7 14 30 60 = days_since_purchase\n"
                                 "score f high 1 2 3 5 = purchases(30d)\n"
                                 "score m high 10 20 quantiles 3 = revenue(90d)\n"
                                 "score e high shares 50 80 = engagement\n"
                                 "set value hold 3d grace 12h notice 5d topic elsewhere\n"
                                 "tier vip = r + f >= 6 and trend(revenue, 30d) > 1 | r + f >= 5\n"
                                 "label service dedicated\n"
                                 "label gift yearly\n"
                                 "tier some = revenue(30d, ago 10d) > 50 or rising(20d) or m + e > 5\n"
                                 "tier rest\n"
                                 "set steps grace 1d one_step\n"
                                 "tier high = interactions(login, 20d) >= 2 or tier(value) = vip\n"
                                 "tier middle = tenure <= 40 and stage != after_sales\n"
                                 "tier low\n";

static const char *const restless_rules = "set hare hold 1h\ntier up = tier(hound) = down\ntier down\n"
                                          "set hound hold 1h\ntier up = tier(hare) = up\ntier down\n";

static struct scoring_options options;
static struct model_spec spec;
static struct model *model;
static struct model *restless;
static struct customer *customer; /* with something of everything */
static struct changes changes;

#define WORDS(words) ((struct spec_text){bytes_of_text(words), 1, 1})

static const struct purchase_item items[] = {{.category = {"books", 5}, .quantity = 1},
                                             {.category = {"food", 4}, .quantity = 2}};

static struct activity bought(int day) {
    struct activity activity = test_purchase(NULL, TEST_AT(day, 0), 3000);
    activity.purchase.items = items;
    activity.purchase.items_count = 2;
    activity.purchase.channel = bytes_of_text("shop");
    activity.purchase.referrer_id = bytes_of_text("somebody");
    return activity;
}

static struct arena given; /* what an attempt may use; forgotten after it */

static void apply(struct customer *to, const struct activity *activity) {
    changes_init(&changes, &given);
    assert_int_equal(customer_apply(to, model, activity, TIME_NONE, &changes), APPLIED);
}

static int set_up(void **state) {
    static struct multiplier_spec multipliers[2];
    multipliers[0] = (struct multiplier_spec){WORDS("value"), WORDS("vip"), 2};
    multipliers[1] = (struct multiplier_spec){WORDS("value"), WORDS("some"), 3};
    builder_set_up(state);
    arena_init(&given, (size_t)1 << 26);
    options = scoring_options_default();
    options.points.multipliers = multipliers;
    options.points.multipliers_count = 2;
    options.points.kept = options.engagement.kept = true;
    restless = model_of(&builder, restless_rules);
    builder.options = &options;
    model = model_of(&builder, rules);
    spec = model_builder_read(&builder, rules);
    customer = customer_create(model);
    assert_int_equal(customer_reserve_tiers(customer, model_sets_count(model) + 2), 0); /* of rules of yore */
    for (int i = 0; i < 4; i++) {
        struct activity activity = bought(3 * i);
        struct activity login = test_interaction(NULL, TEST_AT(3 * i, 5), INTERACTION_LOGIN);
        struct activity answer = test_feedback(NULL, TEST_AT(3 * i, 6), SURVEY_CES, 6);
        apply(customer, &activity);
        apply(customer, &login);
        apply(customer, &answer);
    }
    return 0;
}

static int tear_down(void **state) {
    customer_destroy(customer);
    arena_finish(&given);
    return builder_tear_down(state);
}

/* ---- the model ---- */

static bool compile(int left, bool for_good) {
    struct model *compiled = NULL;
    struct model_error error = {.message = "none"};
    arm(left, for_good);
    int result = model_compile(&given, &spec, &compiled, &error);
    bool refused = disarm();
    assert_int_equal(result, refused ? ERR_NO_MEMORY : 0);
    if (refused) {
        assert_null(compiled);
        assert_string_equal(error.message, "the rules need more memory than they may have");
    } else {
        assert_true(bytes_equal(model_version(compiled), model_version(model)));
    }
    arena_reset(&given);
    return refused;
}

static bool copy_model(int left, bool for_good) {
    arm(left, for_good);
    struct model *copy = model_copy_for_task(model);
    bool refused = disarm();
    assert_true(refused ? copy == NULL : bytes_equal(model_version(copy), model_version(model)));
    model_copy_destroy(copy);
    return refused;
}

static void a_model_is_compiled_whole_or_not_at_all(void **state) {
    (void)state;
    try_each(compile, 100);
    try_each(copy_model, 1);
}

/* ---- a customer's life ---- */

static bool create(int left, bool for_good) {
    arm(left, for_good);
    struct customer *created = customer_create(model);
    bool refused = disarm();
    assert_true(refused ? created == NULL : customer_is_valid(created, model));
    customer_destroy(created);
    return refused;
}

static bool copy(int left, bool for_good) {
    arm(left, for_good);
    struct customer *copied = customer_copy(customer, model);
    bool refused = disarm();
    assert_true(refused == (copied == NULL));
    if (copied) {
        assert_same_customer(customer, copied);
    }
    customer_destroy(copied);
    return refused;
}

static void a_customer_is_made_and_copied_whole_or_not_at_all(void **state) {
    (void)state;
    try_each(create, 1);
    try_each(copy, 7);
}

/* A copy with room for what is to come: without it customer_apply cannot go on, and aborts. */
static struct customer *roomy(void) {
    struct customer *copied = customer_copy(customer, model);
    assert_non_null(copied);
    assert_int_equal(tiles_reserve(&copied->tiles, copied->tiles.count + 64U), 0);
    assert_int_equal(purchase_days_reserve(&copied->purchase_days, copied->purchase_days.count + 2U), 0);
    return copied;
}

/* What has changed is lost where it does not fit, and said to be; the customer goes on all the same. */
static bool check_changes(struct customer *changed, struct customer *expected, size_t count, bool refused) {
    assert_int_equal(changes.error, refused ? ERR_NO_MEMORY : 0);
    assert_true(changes.count <= count && (refused || changes.count == count));
    assert_true(customer_is_valid(changed, model));
    assert_same_life(changed, expected);
    for (size_t i = 0; i < model_sets_count(model); i++) {
        assert_int_equal(changed->tiers[i].tier, expected->tiers[i].tier);
        assert_int_equal(changed->tiers[i].sequence, expected->tiers[i].sequence);
    }
    customer_destroy(changed);
    customer_destroy(expected);
    arena_reset(&given);
    return refused;
}

static bool buy(int left, bool for_good) {
    struct customer *expected = roomy();
    struct customer *buying = roomy();
    struct activity activity = bought(60);
    apply(expected, &activity);
    size_t count = changes.count;
    assert_true(count >= 6);
    changes_init(&changes, &given);
    changes.standings = true;
    arm(left, for_good);
    customer_apply(buying, model, &activity, TIME_NONE, &changes);
    return check_changes(buying, expected, count, disarm());
}

static bool wait(int left, bool for_good) {
    struct customer *expected = roomy();
    struct customer *waiting = roomy();
    changes_init(&changes, &given);
    customer_advance(expected, model, TEST_AT(200, 0), &changes);
    size_t count = changes.count;
    int notices = 0;
    for (const struct tier_change *change = changes.first; change; change = change->next) {
        notices += change->direction == DIRECTION_WILL_FALL;
    }
    assert_true(count >= 5 && notices > 0);
    changes_init(&changes, &given);
    changes.standings = true;
    arm(left, for_good);
    customer_advance(waiting, model, TEST_AT(200, 0), &changes);
    return check_changes(waiting, expected, count, disarm());
}

/* Two sets that never rest, so what lies ahead is found out by evaluating a copy. */
static bool chase(int left, bool for_good) {
    struct customer *chased = customer_create(restless);
    struct activity activity = bought(0);
    activity.purchase.items_count = 0;
    activity.purchase.channel = activity.purchase.referrer_id = bytes_of_text("");
    assert_int_equal(tiles_reserve(&chased->tiles, 8), 0);
    assert_int_equal(purchase_days_reserve(&chased->purchase_days, 1), 0);
    changes_init(&changes, &given);
    changes.standings = true;
    arm(left, for_good);
    customer_apply(chased, restless, &activity, TIME_NONE, &changes);
    bool refused = disarm();
    assert_int_equal(changes.error, refused ? ERR_NO_MEMORY : 0);
    if (!refused) {
        assert_int_equal(changes.count, 2);
        assert_int_equal(changes.first->forecast_ms, TEST_AT(0, MS_PER_HOUR));
    }
    assert_true(customer_is_valid(chased, restless));
    assert_int_equal(chased->tiers[1].tier, 1);
    customer_destroy(chased);
    arena_reset(&given);
    return refused;
}

static void changes_that_do_not_fit_are_said_to_be_lost(void **state) {
    (void)state;
    try_each(chase, 7);
    try_each(buy, 20);
    try_each(wait, 20);
}

static bool explain(int left, bool for_good) {
    struct customer *before = customer_copy(customer, model);
    struct customer_view view;
    arm(left, for_good);
    int error = customer_explain(customer, model, TEST_AT(20, 0), &given, &view);
    bool refused = disarm();
    assert_int_equal(error, refused ? ERR_NO_MEMORY : 0);
    assert_same_customer(customer, before);
    if (!refused) {
        assert_int_equal(view.top_categories_count, 2);
        assert_true(bytes_equal_text(view.top_categories[0].name, "food"));
        assert_true(view.tiers[0].ahead_count > 0);
    }
    customer_destroy(before);
    arena_reset(&given);
    return refused;
}

static bool foretell(int left, bool for_good) {
    int64_t alert_ms;
    arm(left, for_good);
    int error = explain_alert(customer, model, TEST_AT(200, 0), &alert_ms);
    bool refused = disarm();
    assert_int_equal(error, refused ? ERR_NO_MEMORY : 0);
    return refused;
}

static void a_customer_is_told_of_whole_or_not_at_all(void **state) {
    (void)state;
    try_each(explain, 25);
    try_each(foretell, 1);
}

/* ---- its parts ---- */

/* Adds to each part what it has no room for: an error, and the part is as it was. */
static bool grow(int left, bool for_good) {
    struct customer *grown = customer_copy(customer, model);
    struct tiles tiles = {0};
    struct purchase_days days = {0};
    struct favourites favourites = {0};
    const struct bytes stored = bytes_of("\x01"
                                         "a\x05\x01",
                                         4);
    arm(left, for_good);
    int results[] = {
        tiles_add(&tiles, 1, TILE_ITEMS, 5), purchase_days_add(&days, 7), favourites_take(&favourites, stored),
        favourites_add(&favourites, bytes_of_text("a name that needs room"), 1), customer_reserve_tiers(grown, 50)};
    bool refused = disarm();
    int failures = 0;
    for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
        assert_true(results[i] == 0 || results[i] == ERR_NO_MEMORY);
        failures += results[i] != 0;
    }
    assert_true(refused == (failures > 0));
    assert_int_equal(tiles.count, results[0] == 0);
    assert_int_equal(days.count, results[1] == 0);
    assert_int_equal(favourites.count, (results[2] == 0) + (results[3] == 0));
    assert_int_equal(grown->tiers_count, results[4] ? customer->tiers_count : 50);
    assert_int_equal(tiles_sum(&tiles, TILE_ITEMS, 1, 1), results[0] ? 0 : 5);
    tiles_finish(&tiles);
    purchase_days_finish(&days);
    favourites_finish(&favourites);
    customer_destroy(grown);
    return refused;
}

static void what_finds_no_room_stays_as_it_was(void **state) {
    (void)state;
    try_each(grow, 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_is_compiled_whole_or_not_at_all),
        cmocka_unit_test(a_customer_is_made_and_copied_whole_or_not_at_all),
        cmocka_unit_test(changes_that_do_not_fit_are_said_to_be_lost),
        cmocka_unit_test(a_customer_is_told_of_whole_or_not_at_all),
        cmocka_unit_test(what_finds_no_room_stays_as_it_was),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* Customers at the edges: ids beyond those remembered, invariants broken on purpose, and memory that is not there. */
#include "customer_support.h"

static void only_the_latest_ids_are_known(void **state) {
    (void)state;
    builder.dedupe = 3;
    const struct model *model = model_of(&builder, usual_text);
    builder.dedupe = 0;
    const struct model *none = model_of(&builder, usual_text);
    builder.dedupe = 16;
    static const char *const ids[] = {"e0", "e1", "e2", "e3"};
    struct customer *customer = created(model);
    struct customer *forgetful = created(none);
    for (int i = 0; i < 4; i++) {
        struct activity activity = test_interaction(ids[i], TEST_AT(i, 0), INTERACTION_LOGIN);
        apply(customer, model, &activity);
        apply(forgetful, none, &activity);
        apply(forgetful, none, &activity);
    }
    struct changes changes;
    changes_init(&changes, &builder.arena);
    for (int i = 3; i >= 1; i--) { /* the latest three, whichever is asked first */
        struct activity activity = test_interaction(ids[i], TEST_AT(i, 0), INTERACTION_LOGIN);
        assert_int_equal(customer_apply(customer, model, &activity, TIME_NONE, &changes), APPLIED_DUPLICATE);
    }
    struct activity forgotten = test_interaction("e0", TEST_AT(0, 0), INTERACTION_LOGIN);
    apply(customer, model, &forgotten);
    assert_int_equal(customer->recent_count, 3);
    assert_int_equal(tiles_total(&customer->tiles, TILE_INTERACTIONS + INTERACTION_LOGIN), 5);
    assert_int_equal(tiles_total(&forgetful->tiles, TILE_INTERACTIONS + INTERACTION_LOGIN), 8);
    customer_destroy(customer);
    customer_destroy(forgetful);
}

static void a_new_customer_has_seen_nothing(void **state) {
    (void)state;
    struct customer *customer = created(usual);
    struct customer *copy = copied(customer, usual);
    struct changes changes;
    changes_init(&changes, &builder.arena);
    assert_true(customer_is_valid(customer, usual));
    assert_int_equal(customer->now_ms, TIME_NONE);
    assert_int_equal(customer->wake_ms, TIME_NEVER);
    customer_advance(customer, usual, TEST_AT(1000, 0), &changes);
    test_reevaluate(customer, usual, TEST_AT(1000, 0), &changes);
    assert_int_equal(changes.count, 0);
    assert_same_customer(customer, copy);
    customer_destroy(copy);
    customer_destroy(customer);
}

static void items_are_counted(void **state) {
    (void)state;
    static const struct purchase_item items[] = {{.quantity = 2, .amount_minor = 100}, {.quantity = 5}};
    struct customer *customer = created(usual);
    struct activity activity = test_purchase("e1", TEST_AT(0, 0), 700);
    activity.purchase.items = items;
    activity.purchase.items_count = 2;
    apply(customer, usual, &activity);
    assert_int_equal(tiles_total(&customer->tiles, TILE_ITEMS), 7);
    customer_destroy(customer);
}

static void a_broken_invariant_is_seen(void **state) {
    (void)state;
    struct history history = {.count = 0};
    for (int i = 0; i < 3; i++) {
        history.activities[history.count++] = test_purchase(NULL, TEST_AT(i, 0), 100);
    }
    struct customer *good = customer_of(usual, &history);
    for (int what = 0; what < 14; what++) {
        struct customer *bad = copied(good, usual);
        bad->tiles.cells[1].value = what == 0 ? 0 : bad->tiles.cells[1].value;
        bad->tiles.cells[1].field = what == 1 ? bad->tiles.cells[0].field : bad->tiles.cells[1].field;
        bad->tiles.cells[0].day += what == 2 ? 100 : 0;
        bad->tiers[0].set_tag ^= what == 3;
        bad->tiers[1].tier = what == 4 ? 3 : bad->tiers[1].tier;
        bad->tiers[1].tier_tag ^= what == 5;
        bad->first_seen_ms = what == 6 ? bad->last_seen_ms + 1 : bad->first_seen_ms;
        bad->first_purchase_ms = what == 7 ? bad->last_purchase_ms + 1 : bad->first_purchase_ms;
        bad->wake_ms = what == 8 ? bad->now_ms : bad->wake_ms;
        bad->now_ms = what == 9 ? TIME_NONE : bad->now_ms;
        bad->recent_count = what == 10 ? 17 : bad->recent_count;
        bad->purchase_days.known[1] = what == 11 ? bad->purchase_days.known[2] : bad->purchase_days.known[1];
        bad->tiers_count = what == 13 ? 1 : bad->tiers_count;
        bad->journey.latest = what == 12 ? STAGE_AFTER_SALES : bad->journey.latest;
        assert_false(customer_is_valid(bad, usual));
        customer_destroy(bad);
    }
    assert_true(customer_is_valid(good, usual));
    customer_destroy(good);
}

static void ids_have_their_memory_from_the_beginning(void **state) {
    (void)state;
    size_t bytes[2];
    for (int many = 0; many < 2; many++) {
        builder.dedupe = many ? 40 : 16;
        const struct model *model = model_of(&builder, usual_text);
        struct customer *customer = created(model);
        char id[8];
        for (int i = 0; i < 20; i++) { /* of one kind and one day: nothing else grows */
            snprintf(id, sizeof id, "e%d", i);
            struct activity activity = test_interaction(id, TEST_AT(0, i), INTERACTION_LOGIN);
            apply(customer, model, &activity);
            bytes[many] = i == 0 ? customer_bytes(customer) : bytes[many];
            assert_int_equal(customer_bytes(customer), bytes[many]);
        }
        customer_destroy(customer);
    }
    builder.dedupe = 16;
    assert_int_equal(bytes[1] - bytes[0], (40 - 16) * sizeof(uint64_t));
}

/* A later release may have stored fields that this one does not know. */
static void only_interactions_are_interactions(void **state) {
    (void)state;
    const struct model *model = model_of(&builder, "set it\ntier yes = interactions(30d) > 1\ntier no\n");
    struct history history = {.activities = {test_interaction(NULL, TEST_AT(0, 0), INTERACTION_OTHER)}, .count = 1};
    struct customer *customer = customer_of(model, &history);
    assert_int_equal(tiles_add(&customer->tiles, customer->tiles.cells[0].day, TILE_FIELDS_MAX - 1, 5), 0);
    struct evaluation evaluation;
    evaluation_init(&evaluation, customer, model, customer->now_ms);
    assert_true(evaluation_metric(&evaluation, 0) == 1);
    customer_destroy(customer);
}

/* Who never bought has no chance of being alive that could fall. */
static void nobody_knows_when_nothing_falls(void **state) {
    (void)state;
    const struct model *model = model_of(&builder, "set it\ntier yes = p_alive > 0.5\ntier no\n");
    struct customer *customer = created(model);
    const struct metric_slot *slot = &model->slots.slots[0];
    struct evaluation evaluation;
    evaluation_init(&evaluation, customer, model, TEST_AT(0, 0));
    struct metric_at at = evaluation_at(&evaluation);
    assert_true(metric_rows[METRIC_P_ALIVE].reaches_ms(slot, &at, 0.5) == TIME_NEVER);
    struct activity activity = test_purchase(NULL, TEST_AT(0, 0), 100);
    apply(customer, model, &activity);
    assert_true(metric_rows[METRIC_P_ALIVE].reaches_ms(slot, &at, 0.5) < TIME_NEVER);
    customer_destroy(customer);
}

/* Changes that no longer fit are lost and said to be; the customer moves on all the same. */
static void changes_say_when_memory_runs_out(void **state) {
    (void)state;
    struct arena arena;
    struct activity activity = test_purchase("e1", TEST_AT(0, 0), 100);
    struct history history = {.activities = {activity}, .count = 1};
    struct customer *expected = customer_of(usual, &history);
    int failed = 0;
    for (size_t room = 0; room < 8192; room += 16) {
        struct changes changes;
        struct customer *customer = created(usual);
        arena_init(&arena, 65536);
        assert_non_null(arena_alloc(&arena, 65536 - room));
        changes_init(&changes, &arena);
        assert_int_equal(customer_apply(customer, usual, &activity, TIME_NONE, &changes), APPLIED);
        assert_true(changes.error == 0 || changes.error == ERR_NO_MEMORY);
        assert_true(changes.error || changes.count == 2);
        for (const struct tier_change *change = changes.first; change && !changes.error; change = change->next) {
            assert_non_null(change->metrics); /* each is whole */
        }
        failed += changes.error != 0;
        assert_same_customer(expected, customer);
        struct customer_view view;
        int error = customer_explain(customer, usual, customer->now_ms, &arena, &view);
        assert_true(error == ERR_NO_MEMORY || (error == 0 && view.tiers_count == 2 && view.values.metrics_count == 7));
        customer_destroy(customer);
        arena_finish(&arena);
    }
    assert_in_range(failed, 10, 400);
    customer_destroy(expected);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_latest_ids_are_known),
        cmocka_unit_test(a_new_customer_has_seen_nothing),
        cmocka_unit_test(items_are_counted),
        cmocka_unit_test(a_broken_invariant_is_seen),
        cmocka_unit_test(ids_have_their_memory_from_the_beginning),
        cmocka_unit_test(only_interactions_are_interactions),
        cmocka_unit_test(nobody_knows_when_nothing_falls),
        cmocka_unit_test(changes_say_when_memory_runs_out),
    };
    return cmocka_run_group_tests(tests, set_up, builder_tear_down);
}

/* The stored form of customers: what goes in comes out, by every reader of protobuf. Bytes that nobody wrote:
 * test_customer_codec_damage.c. */
#include "codec_support.h"

#include <customer_state.pb-c.h>

enum { SEEDS = 1000 };

/* ---- round trips ---- */

static void a_customer_comes_back_as_it_was(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct test_random random = test_random_of(seed);
        const struct model *model = model_of(&builder, rules);
        struct customer *customer = random_customer(model, &random);
        struct buffer packed = encoded(customer);
        struct customer *back = decoded(buffer_bytes(&packed), model);
        assert_same_customer(customer, back);
        struct buffer again = encoded(back);
        assert_true(bytes_equal(buffer_bytes(&packed), buffer_bytes(&again)));
        buffer_finish(&packed);
        buffer_finish(&again);
        customer_destroy(customer);
        customer_destroy(back);
        arena_reset(&builder.arena);
    }
}

static void a_customer_never_seen_has_no_stored_form(void **state) {
    (void)state;
    const struct model *model = model_of(&builder, rules);
    struct customer *customer = customer_create(model);
    struct buffer packed = encoded(customer);
    assert_int_equal(packed.size, 0);
    customer_destroy(customer);
    assert_int_equal(customer_decode(buffer_bytes(&packed), model, &customer), ERR_INVALID);
    assert_null(customer);
    buffer_finish(&packed);
}

/* The bytes themselves: states written by any version must stay readable. */
static void the_stored_form_stays_the_same(void **state) {
    (void)state;
    static const unsigned char expected[] = {
        0x08, 0x8c, 0xf0, 0xcb, 0xf2, 0x83, 0x65,             /* 1: now, 6 ms after the start */
        0x10, 0x80, 0xf0, 0xb2, 0x52,                         /* 2: due a day after now, at the end of grace */
        0x28, 0x0c, 0x30, 0x00, 0x38, 0x0c, 0x40, 0x0c,       /* 5..8: seen 6 ms ago and now, bought 6 ms ago */
        0x4a, 0x06, 0x56, 0x34, 0x12, 0xef, 0xcd, 0xab,       /* 9: one hash */
        0x52, 0x0c, 0x00, 0xf2, 0xb9, 0x02, 0x03,             /* 10: no residue; day 20089, 3 cells */
        0x01, 0x02, 0x02, 0xac, 0x02, 0x22, 0x02,             /* a purchase, 150 cents, a search */
        0x5a, 0x07, 0xf0, 0xf0, 0x1d, 0x63, 0x01, 0x0c, 0x00, /* 11: value, some, #1, since 6 ms, pending since now */
        0x62, 0x05, 0xac, 0x02, 0xf2, 0xb9, 0x02,             /* 12: 150 cents on the first purchase day, 20089 */
        0x6a, 0x03, 0x88, 0x00, 0x0c,                         /* 13: reached stage 4, at once; latest 6 ms ago */
    };
    const struct model *model = model_of(&builder, "set value grace 1d\n"
                                                   "tier some = purchases(9d) >= 1 and interactions(9d) = 0\n"
                                                   "tier rest\n");
    struct customer *customer = customer_create(model);
    struct changes changes;
    changes_init(&changes, &builder.arena);
    struct activity bought = test_purchase(NULL, TEST_AT(0, 0), 150);
    struct activity seen = test_interaction("x", TEST_AT(0, 6), INTERACTION_SEARCH);
    seen.event_hash = UINT64_C(0xabcdef123456);
    (void)customer_apply(customer, model, &bought, TIME_NONE, &changes);
    (void)customer_apply(customer, model, &seen, TIME_NONE, &changes);
    customer->armed_ms = customer->wake_ms;
    struct buffer packed = encoded(customer);
    assert_int_equal(packed.size, sizeof expected);
    assert_memory_equal(packed.data, expected, sizeof expected);
    buffer_finish(&packed);
    customer_destroy(customer);
}

static void any_reader_of_protobuf_can_read_it(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct test_random random = test_random_of(seed);
        const struct model *model = model_of(&builder, rules);
        struct customer *customer = random_customer(model, &random);
        struct buffer packed = encoded(customer);
        Tidemark__V1__CustomerState *message =
            tidemark__v1__customer_state__unpack(NULL, packed.size, (const uint8_t *)packed.data);
        assert_non_null(message);
        assert_int_equal(message->base.n_unknown_fields, 0);
        assert_true(message->has_now_ms);
        int64_t now_ms = message->now_ms;
        assert_int_equal(now_ms, customer->now_ms);
        assert_int_equal(message->has_due_after_ms ? now_ms + message->due_after_ms : TIME_NEVER, customer->wake_ms);
        assert_true(message->has_armed_after_ms + message->has_unarmed <= 1);
        assert_int_equal(message->has_armed_after_ms ? now_ms + message->armed_after_ms
                         : message->has_unarmed      ? TIME_NEVER
                                                     : customer->wake_ms,
                         customer->armed_ms);
        assert_int_equal(now_ms - message->first_seen_ago_ms, customer->first_seen_ms);
        assert_int_equal(now_ms - message->last_seen_ago_ms, customer->last_seen_ms);
        assert_int_equal(message->has_first_purchase_ago_ms, customer->first_purchase_ms != TIME_NONE);
        assert_int_equal(message->has_last_purchase_ago_ms, customer->last_purchase_ms != TIME_NONE);
        assert_int_equal(message->recent_events.len, 6 * customer->recent_count);
        assert_int_equal(message->has_tiles, customer->tiles.count > 0);
        assert_int_equal(message->n_tiers, 2);
        tidemark__v1__customer_state__free_unpacked(message, NULL);
        buffer_finish(&packed);
        customer_destroy(customer);
        arena_reset(&builder.arena);
    }
}

/* ---- other versions, other rules ---- */

static void unknown_fields_are_skipped(void **state) {
    (void)state;
    struct test_random random = test_random_of(1);
    const struct model *model = model_of(&builder, rules);
    struct customer *customer = random_customer(model, &random);
    struct buffer packed = encoded(customer);
    struct buffer more = {0};
    buffer_put(&more, packed.data, 7); /* now */
    buffer_put_varint(&more, 90U << 3 | 0);
    buffer_put_varint(&more, UINT64_MAX);
    buffer_put_varint(&more, 91U << 3 | 2);
    buffer_put_sized(&more, bytes_of_text("of a newer version"));
    buffer_put(&more, packed.data + 7, packed.size - 7);
    buffer_put_varint(&more, 3000U << 3 | 0);
    buffer_put_varint(&more, 5);
    buffer_put_varint(&more, 536870911U << 3 | 2);
    buffer_put_sized(&more, bytes_of("", 0));
    struct customer *back = decoded(buffer_bytes(&more), model);
    assert_same_customer(customer, back);
    buffer_finish(&packed);
    buffer_finish(&more);
    customer_destroy(customer);
    customer_destroy(back);
}

/* A set that the rules no longer have is kept for the day on which they have it again. */
static void unknown_sets_are_kept(void **state) {
    (void)state;
    const struct model *both = model_of(&builder, rules);
    const struct model *other = model_of(&builder, "set other\ntier yes = purchases >= 1\ntier no\n");
    const struct model *turned = model_of(&builder, "set mood\n"
                                                    "tier happy = nps(60d) > 0 and complaints(30d) = 0\n"
                                                    "tier rest\n"
                                                    "set fresh\n"
                                                    "tier yes = purchases >= 1\n"
                                                    "tier no\n"
                                                    "set value\n"
                                                    "tier rest = purchases(90d) >= 3\n"
                                                    "tier other\n");
    struct test_random random = test_random_of(3);
    struct customer *customer = random_customer(both, &random);
    while (customer->tiers[0].tier != 2) { /* rest */
        customer_destroy(customer);
        customer = random_customer(both, &random);
    }
    struct buffer packed = encoded(customer);
    struct customer *stranger = decoded(buffer_bytes(&packed), other);
    assert_int_equal(stranger->tiers_count, 3);
    assert_int_equal(stranger->tiers[0].tier, -1); /* in no tier yet */
    assert_int_equal(stranger->tiers[0].sequence, 0);
    assert_int_equal(stranger->tiers[0].pending_ms, TIME_NEVER);
    struct buffer again = encoded(stranger);
    assert_true(bytes_equal(buffer_bytes(&packed), buffer_bytes(&again)));
    struct customer *back = decoded(buffer_bytes(&again), both);
    assert_same_customer(customer, back);
    /* Sets and tiers may be in another order: names are what counts. */
    struct customer *moved = decoded(buffer_bytes(&packed), turned);
    assert_int_equal(moved->tiers_count, 3);
    assert_int_equal(moved->tiers[0].tier, customer->tiers[1].tier);
    assert_int_equal(moved->tiers[0].sequence, customer->tiers[1].sequence);
    assert_int_equal(moved->tiers[1].tier, -1);
    assert_int_equal(moved->tiers[2].tier, 0);
    assert_int_equal(moved->tiers[2].since_ms, customer->tiers[0].since_ms);
    buffer_finish(&packed);
    buffer_finish(&again);
    customer_destroy(customer);
    customer_destroy(stranger);
    customer_destroy(back);
    customer_destroy(moved);
}

/* A tier that the rules no longer have: the customer is in none, but has been, and the next change says so. */
static void a_tier_may_be_gone(void **state) {
    (void)state;
    const struct model *before = model_of(&builder, "set value\ntier vip = purchases >= 1\ntier rest\n");
    const struct model *after = model_of(&builder, "set value\n"
                                                   "tier gold = purchases >= 9\n"
                                                   "tier silver = purchases >= 2\n"
                                                   "tier rest\n");
    struct customer *customer = customer_create(before);
    struct changes changes;
    changes_init(&changes, &builder.arena);
    struct activity activity = test_purchase(NULL, TEST_AT(0, 0), 100);
    (void)customer_apply(customer, before, &activity, TIME_NONE, &changes);
    struct buffer packed = encoded(customer);
    struct customer *homeless = decoded(buffer_bytes(&packed), after);
    assert_int_equal(homeless->tiers[0].tier, -1);
    assert_int_equal(homeless->tiers[0].sequence, 1);
    struct buffer again = encoded(homeless);
    assert_true(bytes_equal(buffer_bytes(&packed), buffer_bytes(&again)));
    struct customer *other = customer_copy(homeless, after);
    changes_init(&changes, &builder.arena);
    test_reevaluate(homeless, after, TEST_AT(1, 0), &changes);
    (void)customer_apply(other, after, &activity, TIME_NONE, &changes);
    assert_string_equal(changes_text(&builder, after, &changes), "value DOWN -> rest #2 at 1d+0 by RULES\n"
                                                                 "value UP -> silver #2 at 0d+0 by PURCHASE\n");
    buffer_finish(&packed);
    buffer_finish(&again);
    customer_destroy(customer);
    customer_destroy(homeless);
    customer_destroy(other);
}

static void the_newest_ids_stay_when_fewer_are_remembered(void **state) {
    (void)state;
    const struct model *sixteen = model_of(&builder, rules);
    builder.dedupe = 2;
    const struct model *two = model_of(&builder, rules);
    builder.dedupe = 0;
    const struct model *none = model_of(&builder, rules);
    builder.dedupe = 16;
    struct test_random random = test_random_of(5);
    struct customer *customer = random_customer(sixteen, &random);
    assert_true(customer->recent_count > 2);
    struct buffer packed = encoded(customer);
    struct customer *back = decoded(buffer_bytes(&packed), two);
    assert_int_equal(back->recent_count, 2);
    assert_int_equal(back->recent[0], customer->recent[customer->recent_count - 2]);
    assert_int_equal(back->recent[1], customer->recent[customer->recent_count - 1]);
    customer_destroy(back);
    back = decoded(buffer_bytes(&packed), none);
    assert_int_equal(back->recent_count, 0);
    customer_destroy(back);
    customer_destroy(customer);
    buffer_finish(&packed);
}

/* ---- entries of the wheel ---- */

static void due_entries_come_back_in_order(void **state) {
    (void)state;
    static const struct {
        const char *id;
        uint32_t offset_ms;
    } entries[] = {
        {"c1", 0}, {"", 1}, {"another customer, with a longer name", MS_PER_HOUR - 1}, {"c1", 127}, {"x", 128}};
    enum { COUNT = sizeof entries / sizeof *entries };
    struct buffer out = {0};
    size_t ends[COUNT + 1] = {0};
    for (size_t i = 0; i < COUNT; i++) {
        due_entry_encode(&out, bytes_of_text(entries[i].id), entries[i].offset_ms);
        ends[i + 1] = out.size;
    }
    assert_int_equal(out.error, 0);
    for (size_t size = 0; size <= out.size; size++) { /* read in two pieces, cut anywhere */
        struct cursor in = cursor_of(bytes_of(out.data, size));
        struct bytes id;
        uint32_t offset_ms;
        size_t count = 0;
        while (due_entry_decode(&in, &id, &offset_ms)) {
            assert_true(count < COUNT);
            assert_true(bytes_equal_text(id, entries[count].id));
            assert_int_equal(offset_ms, entries[count].offset_ms);
            count++;
            assert_int_equal(in.at - out.data, ends[count]); /* stands where the rest begins */
        }
        assert_true(ends[count] <= size && (count == COUNT || size < ends[count + 1]));
        assert_int_equal(in.at - out.data, ends[count]);
        assert_int_equal(in.error, 0);
    }
    buffer_finish(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_customer_comes_back_as_it_was),
        cmocka_unit_test(a_customer_never_seen_has_no_stored_form),
        cmocka_unit_test(the_stored_form_stays_the_same),
        cmocka_unit_test(any_reader_of_protobuf_can_read_it),
        cmocka_unit_test(unknown_fields_are_skipped),
        cmocka_unit_test(unknown_sets_are_kept),
        cmocka_unit_test(a_tier_may_be_gone),
        cmocka_unit_test(the_newest_ids_stay_when_fewer_are_remembered),
        cmocka_unit_test(due_entries_come_back_in_order),
    };
    return cmocka_run_group_tests(tests, builder_set_up, builder_tear_down);
}

/* Favourites: exact for few names, bounded and honest for many. */
#include "score/favourites.h"

#include "state/customer_codec.h"
#include "support/model_fixture.h"
#include "support/scoring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { SEEDS = 300, NAMES = 40 };

static const struct model *model;

static int set_up(void **state) {
    (void)state;
    model_builder_init(&builder);
    model = model_of(&builder, "set any\ntier yes = revenue(30d) > 0\ntier no\n");
    return 0;
}

static void add(struct favourites *favourites, const char *name, int64_t weight) {
    assert_int_equal(favourites_add(favourites, bytes_of_text(name), weight), 0);
}

/* "books 5, food 2-1": from the heaviest down, with the overcount. */
static const char *shown(const struct favourites *favourites) {
    static char text[2048];
    struct favourite top[FAVOURITES_MAX];
    size_t count = favourites_top(favourites, top);
    size_t size = 0;
    text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        size += (size_t)snprintf(text + size, sizeof text - size, "%s%.*s %lld", i ? ", " : "", (int)top[i].name.size,
                                 top[i].name.data, (long long)top[i].weight);
        if (top[i].over) {
            size += (size_t)snprintf(text + size, sizeof text - size, "-%lld", (long long)top[i].over);
        }
    }
    return text;
}

static void few_names_are_exact(void **state) {
    (void)state;
    struct favourites favourites = {0};
    assert_string_equal(shown(&favourites), "");
    add(&favourites, "food", 2);
    add(&favourites, "books", 3);
    add(&favourites, "food", 4);
    add(&favourites, "art", 3);
    add(&favourites, "", 100);
    add(&favourites, "none", 0);
    add(&favourites, "less", -1);
    assert_string_equal(shown(&favourites), "food 6, art 3, books 3");
    assert_int_equal(favourites_total(&favourites), 12);
    favourites_finish(&favourites);
    assert_int_equal(favourites.count, 0);
}

static void a_ninth_name_takes_over_the_lightest_counter(void **state) {
    (void)state;
    struct favourites favourites = {0};
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    for (int i = 0; i < FAVOURITES_MAX; i++) {
        add(&favourites, names[i], 10 + i);
    }
    add(&favourites, "new", 2);
    assert_string_equal(shown(&favourites), "h 17, g 16, f 15, e 14, d 13, c 12, new 12-10, b 11");
    add(&favourites, "new", 1);
    add(&favourites, "a", 1); /* gone, so new again */
    assert_string_equal(shown(&favourites), "h 17, g 16, f 15, e 14, d 13, new 13-10, a 12-11, c 12");
    assert_int_equal(favourites_total(&favourites), 10 + 11 + 12 + 13 + 14 + 15 + 16 + 17 + 2 + 1 + 1);
    favourites_finish(&favourites);
}

static void names_are_cut_between_characters(void **state) {
    (void)state;
    struct favourites favourites = {0};
    char name[80];
    memset(name, 'x', sizeof name);
    name[64] = '\0';
    add(&favourites, name, 1); /* fits */
    name[64] = 'y';
    name[70] = '\0';
    add(&favourites, name, 1); /* the same when cut */
    assert_int_equal(favourites.count, 1);
    memcpy(name + 62, "\xE2\x82\xAC!", 5); /* a euro sign over the edge */
    add(&favourites, name, 5);
    struct favourite top[FAVOURITES_MAX];
    assert_int_equal(favourites_top(&favourites, top), 2);
    assert_int_equal(top[0].name.size, 62);
    assert_int_equal(top[0].weight, 5);
    assert_int_equal(top[1].name.size, 64);
    assert_int_equal(top[1].weight, 2);
    favourites_finish(&favourites);
    assert_int_equal(name_cut(bytes_of("\x80\x80\x80", 3), 2).size, 0); /* no text at all */
    assert_int_equal(name_cut(bytes_of("abc", 3), 3).size, 3);
}

static void any_order_of_few_names_gives_the_same_state(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct test_random random = test_random_of(seed);
        struct favourites runs[2] = {{0}, {0}};
        char names[NAMES][4];
        int64_t weights[NAMES];
        int order[NAMES];
        for (int i = 0; i < NAMES; i++) {
            snprintf(names[i], sizeof names[i], "%c", 'a' + (char)test_random_below(&random, FAVOURITES_MAX));
            weights[i] = test_random_below(&random, 50);
        }
        for (int run = 0; run < 2; run++) {
            test_shuffle(&random, order, NAMES);
            for (int i = 0; i < NAMES; i++) {
                add(&runs[run], names[order[i]], weights[order[i]]);
            }
        }
        assert_int_equal(runs[0].size, runs[1].size);
        assert_memory_equal(runs[0].entries, runs[1].entries, runs[0].size);
        favourites_finish(&runs[0]);
        favourites_finish(&runs[1]);
    }
}

/* The promises of Space-Saving against true counts. */
static void many_names_are_bounded(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct test_random random = test_random_of(seed);
        struct favourites favourites = {0};
        int64_t truth[NAMES] = {0};
        int64_t total = 0;
        for (int i = 0; i < 400; i++) {
            int name =
                (int)test_random_below(&random, 1 + test_random_below(&random, NAMES)); /* some much more often */
            int64_t weight = 1 + test_random_below(&random, 5);
            char text[16];
            snprintf(text, sizeof text, "n%d", name);
            add(&favourites, text, weight);
            truth[name] += weight;
            total += weight;
        }
        assert_int_equal(favourites_total(&favourites), total);
        struct favourite top[FAVOURITES_MAX];
        size_t count = favourites_top(&favourites, top);
        for (int name = 0; name < NAMES; name++) {
            char text[16];
            snprintf(text, sizeof text, "n%d", name);
            bool found = false;
            for (size_t i = 0; i < count; i++) {
                if (bytes_equal_text(top[i].name, text)) {
                    found = true;
                    assert_true(top[i].weight - top[i].over <= truth[name] && truth[name] <= top[i].weight);
                }
            }
            assert_true(found || truth[name] * FAVOURITES_MAX <= total);
        }
        favourites_finish(&favourites);
    }
}

/* ---- of a customer ---- */

static void purchases_tell_categories_and_channels(void **state) {
    (void)state;
    static const struct purchase_item items[] = {{.category = {"books", 5}, .quantity = 2},
                                                 {.quantity = 7},
                                                 {.category = {"art", 3}, .quantity = 3},
                                                 {.category = {"books", 5}, .quantity = 2}};
    struct customer *customer = customer_create(model);
    struct activity purchase = test_purchase(NULL, TEST_AT(0, 0), 1);
    purchase.purchase.items = items;
    purchase.purchase.items_count = 4;
    purchase.purchase.channel = bytes_of_text("web");
    test_apply(&builder, customer, model, purchase);
    struct activity refund = test_reversal(PURCHASE_KIND_REFUND, NULL, TEST_AT(0, 0), 1, TEST_AT(0, 0));
    refund.purchase.items = items;
    refund.purchase.items_count = 4;
    refund.purchase.channel = bytes_of_text("web");
    test_apply(&builder, customer, model, refund);
    struct activity visit = test_interaction(NULL, TEST_AT(0, 0), INTERACTION_STORE_VISIT);
    test_apply(&builder, customer, model, visit);
    visit.interaction.channel = bytes_of_text("store");
    test_apply(&builder, customer, model, visit);
    test_apply(&builder, customer, model, visit);
    assert_string_equal(shown(&customer->categories), "books 4, art 3");
    assert_string_equal(shown(&customer->channels), "store 2, web 1");
    test_store(&customer, model);
    assert_string_equal(shown(&customer->categories), "books 4, art 3");
    assert_string_equal(shown(&customer->channels), "store 2, web 1");
    for (int i = 0; i < 20; i++) { /* with overcounts */
        char name[16];
        snprintf(name, sizeof name, "c%d", i);
        visit.interaction.channel = bytes_of_text(name);
        test_apply(&builder, customer, model, visit);
    }
    char before[2048];
    snprintf(before, sizeof before, "%s", shown(&customer->channels));
    assert_non_null(strchr(before, '-'));
    test_store(&customer, model);
    assert_string_equal(shown(&customer->channels), before);
    customer_destroy(customer);
}

static void a_customer_without_them_holds_no_memory(void **state) {
    (void)state;
    struct customer *customer = customer_create(model);
    test_apply(&builder, customer, model, test_interaction(NULL, TEST_AT(0, 0), INTERACTION_LOGIN));
    assert_null(customer->categories.entries);
    assert_null(customer->channels.entries);
    assert_null(customer->purchase_days.known);
    size_t bytes = customer_bytes(customer);
    assert_int_equal(favourites_add(&customer->channels, bytes_of_text("web"), 1), 0);
    assert_true(customer_bytes(customer) > bytes);
    customer_destroy(customer);
}

static void broken_favourites_are_refused(void **state) {
    (void)state;
    static const char *const bodies[] = {
        "\x01\x00",               /* no name, and no weight */
        "\x02\x00\x02",           /* no name */
        "\x03\x01x\x00",          /* no weight */
        "\x03\x01x\x03",          /* its overcount is missing */
        "\x04\x01x\x03\x05",      /* more overcount than weight */
        "\x06\x01x\x02\x01x\x02", /* twice */
        "\x06\x01y\x02\x01x\x02", /* not by name */
        "\x03\x09x\x02",          /* ends within the name */
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct customer *customer = NULL;
        char text[32] = {1 << 3, 10, 5 << 3, 4, 6 << 3, 4, 15 << 3 | 2};
        size_t size = 1 + (size_t)bodies[i][0];
        memcpy(text + 7, bodies[i], size);
        assert_int_not_equal(customer_decode(bytes_of(text, 7 + size), model, &customer), 0);
    }
    static const struct {
        const char *bytes;
        size_t size;
    } whole[] = {
        {"\x01x\x03\x00", 4}, /* an overcount of nothing is not told */
        {"\x01"
         "a\x02\x01"
         "b\x02\x01"
         "c\x02\x01"
         "d\x02\x01"
         "e\x02\x01"
         "f\x02\x01"
         "g\x02\x01"
         "h\x02\x01"
         "i\x02",
         27},                                                                              /* one too many */
        {"\x41xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\x02", 67}, /* a name that is too long */
    };
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        struct favourites favourites = {0};
        assert_int_equal(favourites_take(&favourites, bytes_of(whole[i].bytes, whole[i].size)), ERR_INVALID);
        assert_int_equal(favourites.count, 0);
        favourites_finish(&favourites);
    }
    struct favourites eight = {0};
    assert_int_equal(favourites_take(&eight, bytes_of("", 0)), 0);
    assert_int_equal(eight.count, 0);
    assert_int_equal(favourites_take(&eight, bytes_of(whole[1].bytes, 24)), 0);
    assert_int_equal(eight.count, FAVOURITES_MAX);
    assert_int_equal(favourites_total(&eight), FAVOURITES_MAX);
    favourites_finish(&eight);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_names_are_exact),
        cmocka_unit_test(a_ninth_name_takes_over_the_lightest_counter),
        cmocka_unit_test(names_are_cut_between_characters),
        cmocka_unit_test(any_order_of_few_names_gives_the_same_state),
        cmocka_unit_test(many_names_are_bounded),
        cmocka_unit_test(purchases_tell_categories_and_channels),
        cmocka_unit_test(a_customer_without_them_holds_no_memory),
        cmocka_unit_test(broken_favourites_are_refused),
    };
    return cmocka_run_group_tests(tests, set_up, builder_tear_down);
}

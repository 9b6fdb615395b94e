#include "score/tiles.h"

#include "support/model_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SEEDS = 2000, DAYS = 24, FIELDS = 5, RESIDUE = DAYS };

static void add(struct tiles *tiles, int32_t day, uint16_t field, int64_t value) {
    assert_int_equal(tiles_add(tiles, day, field, value), 0);
}

/* Cells as text, to compare whole tiles: "10.1=5 10.2=7 11.1=-1", the residue's day as R. */
static const char *shown(const struct tiles *tiles) {
    static char text[4096];
    size_t size = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < tiles->count; i++) {
        const struct cell *cell = &tiles->cells[i];
        char day[16] = "R";
        if (cell->day != DAY_RESIDUE) {
            snprintf(day, sizeof day, "%d", cell->day);
        }
        size += (size_t)snprintf(text + size, sizeof text - size, "%s%s.%d=%lld", i ? " " : "", day, cell->field,
                                 (long long)cell->value);
        assert_true(size < sizeof text);
    }
    return text;
}

static void cells_are_sorted_and_summed(void **state) {
    (void)state;
    struct tiles tiles = {0};
    add(&tiles, 11, 1, 4);
    add(&tiles, 10, 2, 7);
    add(&tiles, 10, 1, 5);
    add(&tiles, 12, 1, 1);
    add(&tiles, 11, 1, 3);
    add(&tiles, -3, 9, -8);
    add(&tiles, DAY_RESIDUE, 2, 6);
    add(&tiles, 11, 2, 0);
    assert_string_equal(shown(&tiles), "R.2=6 -3.9=-8 10.1=5 10.2=7 11.1=7 12.1=1");
    tiles_finish(&tiles);
    assert_null(tiles.cells);
    assert_int_equal(tiles.count, 0);
}

static void a_cell_that_becomes_zero_goes_away(void **state) {
    (void)state;
    struct tiles tiles = {0};
    add(&tiles, 10, 1, 5);
    add(&tiles, 10, 2, 7);
    add(&tiles, 11, 1, 9);
    add(&tiles, 10, 2, -7);
    assert_string_equal(shown(&tiles), "10.1=5 11.1=9");
    add(&tiles, 10, 1, -6);
    assert_string_equal(shown(&tiles), "10.1=-1 11.1=9");
    add(&tiles, 10, 1, 1);
    add(&tiles, 11, 1, -9);
    assert_int_equal(tiles.count, 0);
    tiles_finish(&tiles);
}

static void a_sum_takes_both_ends_and_no_residue(void **state) {
    (void)state;
    struct tiles tiles = {0};
    add(&tiles, DAY_RESIDUE, 1, 1000);
    add(&tiles, 10, 1, 1);
    add(&tiles, 11, 1, 10);
    add(&tiles, 11, 2, 5000);
    add(&tiles, 12, 1, 100);
    assert_int_equal(tiles_sum(&tiles, 1, 10, 12), 111);
    assert_int_equal(tiles_sum(&tiles, 1, 11, 11), 10);
    assert_int_equal(tiles_sum(&tiles, 1, 11, 12), 110);
    assert_int_equal(tiles_sum(&tiles, 1, 10, 11), 11);
    assert_int_equal(tiles_sum(&tiles, 1, 13, 20), 0);
    assert_int_equal(tiles_sum(&tiles, 1, 0, 9), 0);
    assert_int_equal(tiles_sum(&tiles, 1, 12, 11), 0);
    assert_int_equal(tiles_sum(&tiles, 3, 0, 20), 0);
    assert_int_equal(tiles_sum(&tiles, 1, DAY_RESIDUE, 20), 111);
    assert_int_equal(tiles_total(&tiles, 1), 1111);
    assert_int_equal(tiles_total(&tiles, 2), 5000);
    assert_int_equal(tiles_total(&tiles, 3), 0);
    tiles_finish(&tiles);
}

static void a_sum_too_large_stays_at_the_end(void **state) {
    (void)state;
    struct tiles tiles = {0};
    add(&tiles, 10, 1, INT64_MAX);
    add(&tiles, 10, 1, 1);
    add(&tiles, 11, 1, INT64_MAX);
    add(&tiles, 10, 2, INT64_MIN);
    add(&tiles, 10, 2, -1);
    assert_int_equal(tiles_sum(&tiles, 1, 10, 10), INT64_MAX);
    assert_int_equal(tiles_sum(&tiles, 1, 10, 11), INT64_MAX);
    assert_int_equal(tiles_slide(&tiles, 1, INT64_MAX, 10, 11, 1), tiles_sum(&tiles, 1, 11, 12));
    assert_int_equal(tiles_slide(&tiles, 1, 0, 8, 9, 1), INT64_MAX); /* what enters is no exact number */
    add(&tiles, 20, 3, INT64_MAX);
    add(&tiles, 21, 3, INT64_MIN);
    add(&tiles, 22, 3, 4);
    assert_int_equal(tiles_slide(&tiles, 3, -1, 20, 21, 1), INT64_MIN + 4); /* nor is what leaves */
    assert_int_equal(tiles_total(&tiles, 2), INT64_MIN);
    tiles_finish(&tiles);
}

static void old_days_go_to_the_residue(void **state) {
    (void)state;
    struct tiles tiles = {0};
    tiles_trim(&tiles, 100, 1);
    assert_int_equal(tiles.count, 0);
    add(&tiles, 10, 1, 1);
    add(&tiles, 11, 1, 2);
    add(&tiles, 11, 2, 5);
    add(&tiles, 12, 1, 4);
    tiles_trim(&tiles, 10, 128);
    assert_string_equal(shown(&tiles), "10.1=1 11.1=2 11.2=5 12.1=4");
    tiles_trim(&tiles, 12, 128);
    assert_string_equal(shown(&tiles), "R.1=3 R.2=5 12.1=4");
    add(&tiles, 12, 2, -5);
    tiles_trim(&tiles, 13, 128);
    assert_string_equal(shown(&tiles), "R.1=7");
    tiles_trim(&tiles, 1000, 128);
    assert_string_equal(shown(&tiles), "R.1=7");
    add(&tiles, DAY_RESIDUE, 2, 3);
    tiles_trim(&tiles, 1000, 1); /* the residue is no day */
    assert_string_equal(shown(&tiles), "R.1=7 R.2=3");
    tiles_finish(&tiles);
}

static void the_two_oldest_days_become_the_younger(void **state) {
    (void)state;
    struct tiles tiles = {0};
    add(&tiles, DAY_RESIDUE, 1, 100);
    add(&tiles, 10, 1, 1);
    add(&tiles, 10, 2, 9);
    add(&tiles, 15, 1, 2);
    add(&tiles, 20, 1, 4);
    tiles_trim(&tiles, 0, 3);
    assert_string_equal(shown(&tiles), "R.1=100 10.1=1 10.2=9 15.1=2 20.1=4");
    tiles_trim(&tiles, 0, 2);
    assert_string_equal(shown(&tiles), "R.1=100 15.1=3 15.2=9 20.1=4");
    tiles_trim(&tiles, 0, 1);
    assert_string_equal(shown(&tiles), "R.1=100 20.1=7 20.2=9");
    tiles_finish(&tiles);
}

/* Fewer days allowed than are there (state.tiles became smaller), and merging empties one of them.
 */
static void days_that_cancel_count_no_more(void **state) {
    (void)state;
    struct tiles tiles = {0};
    add(&tiles, 10, 1, 1);
    add(&tiles, 11, 1, -1);
    add(&tiles, 12, 1, 7);
    tiles_trim(&tiles, 0, 1);
    assert_string_equal(shown(&tiles), "12.1=7");
    add(&tiles, 10, 1, 1);
    add(&tiles, 11, 1, -1);
    add(&tiles, 13, 1, 8);
    tiles_trim(&tiles, 0, 2);
    assert_string_equal(shown(&tiles), "12.1=7 13.1=8");
    tiles_finish(&tiles);
}

/* Everything against a plain table, in which the residue is one day more. */
struct table {
    int64_t value[DAYS + 1][FIELDS];
};

static bool table_has(const struct table *table, int day) {
    for (int field = 0; field < FIELDS; field++) {
        if (table->value[day][field] != 0) {
            return true;
        }
    }
    return false;
}

static void table_move(struct table *table, int from, int to) {
    for (int field = 0; field < FIELDS; field++) {
        table->value[to][field] += table->value[from][field];
        table->value[from][field] = 0;
    }
}

static void table_trim(struct table *table, int first_day, int days_max) {
    for (int day = 0; day < first_day; day++) {
        table_move(table, day, RESIDUE);
    }
    for (;;) {
        int days = 0;
        int oldest = -1;
        int second = -1;
        for (int day = DAYS - 1; day >= 0; day--) {
            if (table_has(table, day)) {
                days++;
                second = oldest;
                oldest = day;
            }
        }
        if (days <= days_max) {
            return;
        }
        table_move(table, oldest, second);
    }
}

static void compare(const struct table *table, const struct tiles *tiles, struct test_random *r) {
    size_t cells = 0;
    for (int day = 0; day <= DAYS; day++) {
        for (int field = 0; field < FIELDS; field++) {
            cells += table->value[day][field] != 0;
        }
    }
    assert_int_equal(tiles->count, cells);
    assert_true(tiles->capacity >= tiles->count);
    for (uint32_t i = 0; i < tiles->count; i++) {
        const struct cell *cell = &tiles->cells[i];
        int day = cell->day == DAY_RESIDUE ? RESIDUE : cell->day;
        assert_int_equal(cell->value, table->value[day][cell->field]);
        assert_true(i == 0 || cell[-1].day < cell->day || (cell[-1].day == cell->day && cell[-1].field < cell->field));
    }
    uint16_t field = (uint16_t)test_random_below(r, FIELDS);
    int first = (int)test_random_below(r, DAYS);
    int last = (int)test_random_below(r, DAYS);
    int64_t sum = 0;
    int64_t total = 0;
    for (int day = 0; day <= DAYS; day++) {
        total += table->value[day][field];
        sum += day >= first && day <= last ? table->value[day][field] : 0;
    }
    assert_int_equal(tiles_sum(tiles, field, first, last), sum);
    assert_int_equal(tiles_total(tiles, field), total);
    int days = (int)test_random_below(r, DAYS);
    int64_t later = tiles_sum(tiles, field, first + days, last + days);
    assert_int_equal(tiles_slide(tiles, field, sum, first, last, days), later);
    assert_int_equal(tiles_slide(tiles, field, later, first + days, last + days, -days), sum);
}

static void tiles_are_a_sparse_table(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct test_random r = test_random_of(seed);
        struct table table = {0};
        struct tiles tiles = {0};
        int first_day = 0;
        for (int step = 0; step < 60; step++) {
            int day = first_day + (int)test_random_below(&r, DAYS - first_day);
            uint16_t field = (uint16_t)test_random_below(&r, FIELDS);
            int64_t value = test_random_below(&r, 5) - 2; /* small: many cells become zero */
            add(&tiles, day, field, value);
            table.value[day][field] += value;
            if (test_random_below(&r, 8) == 0) {
                first_day += (int)test_random_below(&r, 2);
                int days_max = 1 + (int)test_random_below(&r, 8);
                tiles_trim(&tiles, first_day, (size_t)days_max);
                table_trim(&table, first_day, days_max);
            }
            compare(&table, &tiles, &r);
        }
        tiles_finish(&tiles);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_are_sorted_and_summed),
        cmocka_unit_test(a_cell_that_becomes_zero_goes_away),
        cmocka_unit_test(a_sum_takes_both_ends_and_no_residue),
        cmocka_unit_test(a_sum_too_large_stays_at_the_end),
        cmocka_unit_test(old_days_go_to_the_residue),
        cmocka_unit_test(the_two_oldest_days_become_the_younger),
        cmocka_unit_test(days_that_cancel_count_no_more),
        cmocka_unit_test(tiles_are_a_sparse_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

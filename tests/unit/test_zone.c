#include "score/zone.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define HOURS(count) ((count)*MS_PER_HOUR)
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Central European time in 2025; clocks change at 01:00 UTC. */
static const struct zone_offset berlin_offsets[] = {
    {TIME_NONE, HOURS(1)},
    {INT64_C(1743296400000), HOURS(2)}, /* 2025-03-30 02:00 becomes 03:00 */
    {INT64_C(1761440400000), HOURS(1)}, /* 2025-10-26 03:00 becomes 02:00 */
};
static const struct zone berlin = {berlin_offsets, COUNT(berlin_offsets)};

/* Brazil changed its clocks at midnight. */
static const struct zone_offset sao_paulo_offsets[] = {
    {TIME_NONE, HOURS(-2)},
    {INT64_C(1518919200000), HOURS(-3)}, /* 2018-02-18 00:00 becomes 02-17 23:00 */
    {INT64_C(1541300400000), HOURS(-2)}, /* 2018-11-04 00:00 becomes 01:00 */
};
static const struct zone sao_paulo = {sao_paulo_offsets, COUNT(sao_paulo_offsets)};

/* Samoa crossed the date line: there was no 2011-12-30. */
static const struct zone_offset samoa_offsets[] = {
    {TIME_NONE, HOURS(-10)}, {INT64_C(1325239200000), HOURS(14)}, /* 2011-12-30 00:00 becomes 12-31 00:00 */
};
static const struct zone samoa = {samoa_offsets, COUNT(samoa_offsets)};

static const struct zone_offset kathmandu_offset = {TIME_NONE, HOURS(5) + 45 * MS_PER_MINUTE};
static const struct zone kathmandu = {&kathmandu_offset, 1};

static void days_of_utc(void **state) {
    (void)state;
    assert_int_equal(zone_day(&zone_utc, 0), 0);
    assert_int_equal(zone_day(&zone_utc, MS_PER_DAY - 1), 0);
    assert_int_equal(zone_day(&zone_utc, MS_PER_DAY), 1);
    assert_int_equal(zone_day(&zone_utc, -1), -1);
    assert_int_equal(zone_day(&zone_utc, -MS_PER_DAY), -1);
    assert_int_equal(zone_day(&zone_utc, -MS_PER_DAY - 1), -2);
    assert_int_equal(zone_day(&zone_utc, INT64_C(1735689600000)), 20089); /* 2025-01-01 */
    assert_int_equal(zone_day_start_ms(&zone_utc, 20089), INT64_C(1735689600000));
    assert_int_equal(zone_day_start_ms(&zone_utc, 0), 0);
    assert_int_equal(zone_day_start_ms(&zone_utc, -2), -2 * (int64_t)MS_PER_DAY);
}

static void days_of_a_fixed_offset(void **state) {
    (void)state;
    assert_int_equal(zone_day_start_ms(&kathmandu, 20089), INT64_C(1735668900000));
    assert_int_equal(zone_day(&kathmandu, INT64_C(1735668900000)), 20089);
    assert_int_equal(zone_day(&kathmandu, INT64_C(1735668899999)), 20088);
}

static void days_of_23_and_25_hours(void **state) {
    (void)state;
    int32_t spring = zone_day(&berlin, INT64_C(1743296400000));
    int32_t autumn = zone_day(&berlin, INT64_C(1761440400000));
    int64_t starts_ms = zone_day_start_ms(&berlin, spring);
    assert_int_equal(starts_ms, INT64_C(1743289200000)); /* 2025-03-29 23:00 UTC */
    assert_int_equal(zone_day_start_ms(&berlin, spring + 1) - starts_ms, HOURS(23));
    assert_int_equal(zone_day_start_ms(&berlin, spring + 2) - starts_ms, HOURS(47));
    starts_ms = zone_day_start_ms(&berlin, autumn);
    assert_int_equal(starts_ms, INT64_C(1761429600000)); /* 2025-10-25 22:00 UTC */
    assert_int_equal(zone_day_start_ms(&berlin, autumn + 1) - starts_ms, HOURS(25));
    assert_int_equal(zone_day_start_ms(&berlin, autumn + 2) - starts_ms, HOURS(49));
}

static void a_day_without_midnight_begins_at_the_change(void **state) {
    (void)state;
    int64_t change_ms = INT64_C(1541300400000);
    int32_t day = zone_day(&sao_paulo, change_ms);
    assert_int_equal(day, 17839); /* 2018-11-04 */
    assert_int_equal(zone_day(&sao_paulo, change_ms - 1), 17838);
    assert_int_equal(zone_day_start_ms(&sao_paulo, day), change_ms);
    assert_int_equal(zone_day_start_ms(&sao_paulo, day + 1), change_ms + HOURS(23));
}

static void a_day_begins_at_the_midnight_that_stays(void **state) {
    (void)state;
    int64_t change_ms = INT64_C(1518919200000); /* one instant before would have been midnight */
    assert_int_equal(zone_day(&sao_paulo, change_ms - 1), 17579);
    assert_int_equal(zone_day(&sao_paulo, change_ms), 17579); /* 2018-02-17 again */
    assert_int_equal(zone_day_start_ms(&sao_paulo, 17580), change_ms + HOURS(1));
}

static void a_day_that_never_was_begins_with_the_next(void **state) {
    (void)state;
    int64_t change_ms = INT64_C(1325239200000);
    assert_int_equal(zone_day(&samoa, change_ms - 1), 15337); /* 2011-12-29 */
    assert_int_equal(zone_day(&samoa, change_ms), 15339);     /* 2011-12-31 */
    assert_int_equal(zone_day_start_ms(&samoa, 15337), change_ms - HOURS(24));
    assert_int_equal(zone_day_start_ms(&samoa, 15338), change_ms);
    assert_int_equal(zone_day_start_ms(&samoa, 15339), change_ms);
    assert_int_equal(zone_day_start_ms(&samoa, 15340), change_ms + HOURS(24));
}

/* The definition: the first instant that belongs to the day, for every day of the years around. */
static void a_day_starts_with_its_first_instant(void **state) {
    (void)state;
    const struct zone *const zones[] = {&zone_utc, &berlin, &sao_paulo, &samoa, &kathmandu};
    for (size_t i = 0; i < COUNT(zones); i++) {
        for (int32_t day = -1000; day < 21000; day++) {
            int64_t starts_ms = zone_day_start_ms(zones[i], day);
            if (zones[i] != &samoa || day != 15338) {
                assert_int_equal(zone_day(zones[i], starts_ms), day);
            }
            assert_true(zone_day(zones[i], starts_ms - 1) < day);
            assert_true(starts_ms <= zone_day_start_ms(zones[i], day + 1));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_of_utc),
        cmocka_unit_test(days_of_a_fixed_offset),
        cmocka_unit_test(days_of_23_and_25_hours),
        cmocka_unit_test(a_day_without_midnight_begins_at_the_change),
        cmocka_unit_test(a_day_begins_at_the_midnight_that_stays),
        cmocka_unit_test(a_day_that_never_was_begins_with_the_next),
        cmocka_unit_test(a_day_starts_with_its_first_instant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

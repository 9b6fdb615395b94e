#include "run/config_units.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void durations(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t ms; /* -1: none */
    } cases[] = {
        {"0ms", 0},
        {"250ms", 250},
        {"5s", 5000},
        {"10m", 600000},
        {"2h", 7200000},
        {"14d", 14 * (int64_t)MS_PER_DAY},
        {"1.5h", 5400000},
        {".5d", MS_PER_DAY / 2},
        {"0.3ms", 0},
        {"0.5ms", 1},
        {"1000000d", 1000000 * (int64_t)MS_PER_DAY},
        {"1157407d", 1157407 * (int64_t)MS_PER_DAY},
        {"1157408d", -1}, /* beyond 10^14 ms */
        {"", -1},
        {"5", -1},
        {"0", -1},
        {"s", -1},
        {"-5s", -1},
        {"+5s", -1},
        {"5 s", -1},
        {"5s ", -1},
        {" 5s", -1},
        {"5S", -1},
        {"5sec", -1},
        {"5w", -1},
        {"1h30m", -1},
        {"1e3s", -1},
        {"1..5s", -1},
        {".s", -1},
        {"nans", -1},
        {"00000000000000000000000000000000000000000000000000000000000000000001s", -1},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t ms = -1;
        bool parsed = parse_duration(bytes_of_text(cases[i].text), &ms);
        if (parsed != (cases[i].ms >= 0) || (parsed && ms != cases[i].ms)) {
            fail_msg("'%s' gives %lld", cases[i].text, (long long)ms);
        }
    }
}

static void sizes(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t bytes; /* -1: none */
    } cases[] = {
        {"0", 0},           {"4096", 4096}, {"64KiB", 65536}, {"1MiB", 1048576}, {"1.5GiB", 1610612736},
        {"1e3", -1},        {"64KB", -1},   {"64kib", -1},    {"64 MiB", -1},    {"-1", -1},
        {"", -1},           {"MiB", -1},    {"5TiB", -1},     {"64K", -1},       {"64Ki", -1},
        {"1000000GiB", -1},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t bytes = 0;
        bool parsed = parse_size(bytes_of_text(cases[i].text), &bytes);
        if (parsed != (cases[i].bytes >= 0) || (parsed && bytes != (size_t)cases[i].bytes)) {
            fail_msg("'%s' gives %zu", cases[i].text, bytes);
        }
    }
}

static void whole_numbers(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t number;
    } good[] = {{"0", 0},
                {"7", 7},
                {"-7", -7},
                {"007", 7},
                {"9223372036854775807", INT64_MAX},
                {"-9223372036854775808", INT64_MIN}};
    static const char *const bad[] = {"",
                                      "-",
                                      "+7",
                                      "7.0",
                                      "7e2",
                                      " 7",
                                      "7 ",
                                      "0x7",
                                      "1_000",
                                      "seven",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "99999999999999999999999999"};
    int64_t number;
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_true(parse_whole(bytes_of_text(good[i].text), &number));
        assert_int_equal(number, good[i].number);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_false(parse_whole(bytes_of_text(bad[i]), &number));
    }
    assert_false(parse_whole(bytes_of("7\0", 2), &number));
}

static void numbers(void **state) {
    (void)state;
    static const struct {
        const char *text;
        double number;
    } good[] = {{"0", 0},    {"7", 7},  {"-7.25", -7.25}, {"+7", 7},
                {".5", 0.5}, {"5.", 5}, {"1e3", 1000},    {"1E-3", 0.001}};
    static const char *const bad[] = {"",    " 7",   "7 ",       "7x",    "0x10", "0X1p3", "nan",   "NaN",
                                      "inf", "-inf", "infinity", "1e999", "1,5",  "1_000", "1.2.3", "e5"};
    double number;
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_true(parse_number(bytes_of_text(good[i].text), &number));
        assert_true(number == good[i].number);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (parse_number(bytes_of_text(bad[i]), &number)) {
            fail_msg("'%s' is taken for a number", bad[i]);
        }
    }
    assert_false(parse_number(bytes_of("7\0", 2), &number));
}

/* Rates of currencies: exact, in 10^-9. */
static void decimals_times_a_billion(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t nano; /* 0: none */
    } cases[] = {
        {"1", 1000000000},
        {"0.92", 920000000},
        {"0.000000001", 1},
        {"1.123456789", 1123456789},
        {"1000000", INT64_C(1000000000000000)},
        {".5", 500000000},
        {"5.", INT64_C(5000000000)},
        {"0", 0},
        {"0.000", 0},
        {"0.0000000001", 0},
        {"1.1234567890", 0},
        {"-1", 0},
        {"+1", 0},
        {"", 0},
        {".", 0},
        {"1e3", 0},
        {"1.2.3", 0},
        {" 1", 0},
        {"1 ", 0},
        {"9223372036", INT64_C(9223372036000000000)},
        {"9223372037", 0},
        {"20000000000", 0},
        {"99999999999999999999", 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t nano = 0;
        bool parsed = parse_nano(bytes_of_text(cases[i].text), &nano);
        if (parsed != (cases[i].nano != 0) || (parsed && nano != cases[i].nano)) {
            fail_msg("'%s' gives %lld", cases[i].text, (long long)nano);
        }
    }
}

static void flags(void **state) {
    (void)state;
    bool flag = false;
    assert_true(parse_flag(bytes_of_text("true"), &flag));
    assert_true(flag);
    assert_true(parse_flag(bytes_of_text("false"), &flag));
    assert_false(flag);
    static const char *const bad[] = {"", "yes", "no", "on", "1", "True", "FALSE", "true "};
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_false(parse_flag(bytes_of_text(bad[i]), &flag));
    }
}

static void addresses(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *host; /* NULL: none */
        int port;
    } cases[] = {
        {"127.0.0.1:8080", "127.0.0.1", 8080},
        {"localhost:0", "localhost", 0},
        {":8080", "0.0.0.0", 8080},
        {"[::1]:443", "::1", 443},
        {"::1:443", "::1", 443},
        {"host:65535", "host", 65535},
        {"host", NULL, 0},
        {"host:", NULL, 0},
        {"host:65536", NULL, 0},
        {"host:-1", NULL, 0},
        {"host:http", NULL, 0},
        {"", NULL, 0},
        {"host:80 ", NULL, 0},
        {"8080", NULL, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char host[256];
        int port;
        bool parsed = parse_address(bytes_of_text(cases[i].text), host, &port);
        assert_int_equal(parsed, cases[i].host != NULL);
        if (parsed) {
            assert_string_equal(host, cases[i].host);
            assert_int_equal(port, cases[i].port);
        }
    }
    char longest[300];
    char host[256];
    int port;
    memset(longest, 'h', sizeof longest);
    memcpy(longest + 255, ":1", 3);
    assert_true(parse_address(bytes_of_text(longest), host, &port));
    assert_int_equal(strlen(host), 255);
    longest[255] = 'h';
    memcpy(longest + 256, ":1", 3);
    assert_false(parse_address(bytes_of_text(longest), host, &port));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations), cmocka_unit_test(sizes), cmocka_unit_test(whole_numbers),
        cmocka_unit_test(numbers),   cmocka_unit_test(flags), cmocka_unit_test(decimals_times_a_billion),
        cmocka_unit_test(addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Addresses of Redis: what each part means, and what is refused. */
#include "state/redis_url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct redis_url parsed(const char *text) {
    struct redis_url url;
    if (redis_url_parse(text, &url)) {
        fail_msg("%s is refused", text);
    }
    return url;
}

static void a_host_alone_has_the_default_port_and_database(void **state) {
    (void)state;
    struct redis_url url = parsed("redis://cache.internal");
    assert_string_equal(url.host, "cache.internal");
    assert_string_equal(url.port, "6379");
    assert_string_equal(url.user, "");
    assert_string_equal(url.password, "");
    assert_int_equal(url.database, 0);
    assert_false(url.tls);
    assert_false(url.unix_socket);
    assert_int_equal(parsed("redis://h/").database, 0);
}

static void every_part_arrives(void **state) {
    (void)state;
    struct redis_url url = parsed("rediss://ann:s%3ae%40c%2Fret@10.0.0.7:6380/12");
    assert_true(url.tls);
    assert_string_equal(url.user, "ann");
    assert_string_equal(url.password, "s:e@c/ret");
    assert_string_equal(url.host, "10.0.0.7");
    assert_string_equal(url.port, "6380");
    assert_int_equal(url.database, 12);
    url = parsed("redis://:pa@ss:word@h");
    assert_string_equal(url.user, "");
    assert_string_equal(url.password, "pa@ss:word");
    assert_string_equal(url.host, "h");
}

static void an_ipv6_address_is_in_brackets(void **state) {
    (void)state;
    struct redis_url url = parsed("redis://[::1]:7000/3");
    assert_string_equal(url.host, "::1");
    assert_string_equal(url.port, "7000");
    assert_int_equal(url.database, 3);
    assert_string_equal(parsed("redis://[fe80::1]").port, "6379");
}

static void a_socket_is_an_absolute_path(void **state) {
    (void)state;
    struct redis_url url = parsed("unix:///run/redis/redis%20server.sock?db=4");
    assert_true(url.unix_socket);
    assert_string_equal(url.host, "/run/redis/redis server.sock");
    assert_int_equal(url.database, 4);
    assert_int_equal(parsed("unix:///s").database, 0);
}

static void anything_else_is_refused(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "",
        "localhost:6379",
        "http://h",
        "REDIS://h",
        "redis://",
        "redis://:6379",
        "redis://user@",
        "redis://h:",
        "redis://h:0",
        "redis://h:65536",
        "redis://h:12x",
        "redis://h:-1",
        "redis://h:99999999999",
        "redis://h/x",
        "redis://h/-1",
        "redis://h/1/2",
        "redis://h/99999999999",
        "redis://h/1?ssl=1",
        "redis://[::1",
        "redis://[::1]6379",
        "redis://[]",
        "redis://u:p%4@h",
        "redis://u:p%zz@h",
        "redis://u:p%00@h",
        "redis://h%00x",
        "unix://run/redis.sock",
        "unix://",
        "unix:///s?database=1",
        "unix:///s?db=",
        "unix:///s?db=1&x=2",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct redis_url url;
        if (!redis_url_parse(wrong[i], &url)) {
            fail_msg("%s is taken", wrong[i]);
        }
    }
}

static void a_part_that_is_too_long_is_refused_not_cut(void **state) {
    (void)state;
    char text[700] = "redis://u:";
    struct redis_url url;
    size_t start = strlen(text);
    memset(text + start, 'p', 255);
    strcpy(text + start + 255, "@h");
    assert_int_equal(strlen(parsed(text).password), 255);
    memset(text + start, 'p', 256);
    strcpy(text + start + 256, "@h");
    assert_int_equal(redis_url_parse(text, &url), ERR_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_alone_has_the_default_port_and_database),
        cmocka_unit_test(every_part_arrives),
        cmocka_unit_test(an_ipv6_address_is_in_brackets),
        cmocka_unit_test(a_socket_is_an_absolute_path),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(a_part_that_is_too_long_is_refused_not_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

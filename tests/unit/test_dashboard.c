/* The dashboard's files as HTTP serves them. tests/e2e/test_dashboard.py opens them in a browser. */
#include "http_support.h"

#include "serve/dashboard.h"
#include "serve/http_parts.h"

static void encodings_are_chosen_by_weight(void **state) {
    (void)state;
    static const char *const accepted[] = {"gzip",         "GZIP", "br, gzip",         "gzip;q=0.5",
                                           "gzip ; q=1.0", "*",    "identity,*;q=0.1", "deflate,gzip;q=0.001",
                                           "*;q=0, gzip"};
    static const char *const refused[] = {"",       "identity", "gzip;q=0", "gzip; q=0.000", "br;q=1.0, gzip;q=0, *",
                                          "x-gzip", "gzipped",  "*;q=0",    "deflate, br"};
    assert_false(http_accepts_gzip(NULL));
    for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++) {
        if (!http_accepts_gzip(accepted[i])) {
            fail_msg("\"%s\" allows gzip", accepted[i]);
        }
    }
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        if (http_accepts_gzip(refused[i])) {
            fail_msg("\"%s\" does not allow gzip", refused[i]);
        }
    }
}

static void the_page_comes_with_its_policy(void **state) {
    (void)state;
    struct world world;
    world_start(&world, NULL);
    const struct reply *reply = ask(&world, "GET / HTTP/1.1\r\n\r\n");
    assert_int_equal(reply->status, 200);
    assert_header(reply, "Content-Type", "text/html; charset=utf-8");
    assert_header(reply, "X-Content-Type-Options", "nosniff");
    assert_header(reply, "Vary", "Accept-Encoding");
    assert_header(reply, "Referrer-Policy", "no-referrer");
    assert_header(reply, "Content-Security-Policy",
                  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
                  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
    assert_null(header(reply, "Content-Encoding"));
    assert_memory_equal(reply->body, "<!doctype html>", 15);
    assert_memory_equal(reply->body + reply->body_size - 8, "</html>\n", 8);
    world_stop(&world);
}

static void packed_and_plain_are_the_same_with_different_tags(void **state) {
    (void)state;
    struct world world;
    struct dashboard_file file;
    struct buffer plain = {0};
    char etag[1100];
    char request[1300];
    world_start(&world, NULL);
    assert_true(dashboard_find(bytes_of_text("main.js"), &file));
    assert_int_equal(dashboard_unpack(&file, &plain), 0);
    const struct reply *reply = ask(&world, "GET /dashboard/main.js HTTP/1.1\r\n\r\n");
    assert_header(reply, "Content-Type", "text/javascript; charset=utf-8");
    assert_int_equal(reply->body_size, plain.size);
    assert_memory_equal(reply->body, plain.data, plain.size);
    snprintf(etag, sizeof etag, "%s", header(reply, "ETag"));
    reply = ask(&world, "GET /dashboard/main.js HTTP/1.1\r\nAccept-Encoding: gzip\r\n\r\n");
    assert_header(reply, "Content-Encoding", "gzip");
    assert_int_equal(reply->body_size, file.gzip.size);
    assert_memory_equal(reply->body, file.gzip.data, file.gzip.size);
    assert_string_not_equal(header(reply, "ETag"), etag);
    snprintf(request, sizeof request, "GET /dashboard/main.js HTTP/1.1\r\nIf-None-Match: %s\r\n\r\n", etag);
    assert_int_equal(ask(&world, request)->status, 304);
    buffer_finish(&plain);
    world_stop(&world);
}

/* More than one piece, and every file whole: a build that cuts one would show only in a browser. */
static void every_file_unpacks(void **state) {
    (void)state;
    static const char *const names[] = {"index.html", "style.css", "icon.svg", "charts.js", "echarts.js"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct dashboard_file file;
        struct buffer plain = {0};
        assert_true(dashboard_find(bytes_of_text(names[i]), &file));
        assert_int_equal(dashboard_unpack(&file, &plain), 0);
        assert_true(plain.size > 100 && plain.size >= file.gzip.size / 2);
        assert_true(strcmp(names[i], "echarts.js") != 0 || plain.size > 500000);
        buffer_finish(&plain);
    }
    struct dashboard_file none;
    assert_false(dashboard_find(bytes_of_text("main"), &none));
    assert_false(dashboard_find(bytes_of_text(""), &none));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodings_are_chosen_by_weight),
        cmocka_unit_test(the_page_comes_with_its_policy),
        cmocka_unit_test(packed_and_plain_are_the_same_with_different_tags),
        cmocka_unit_test(every_file_unpacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

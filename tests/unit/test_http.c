#include "http_support.h"

#include <inttypes.h>

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"
#define WITH(path, header) "GET " path " HTTP/1.1\r\nHost: x\r\n" header "\r\n\r\n"

/* ---- routes ---- */

static void health_is_well_unless_it_hangs(void **state) {
    (void)state;
    struct world world;
    world_start(&world, NULL);
    world.ready = false;
    const struct reply *reply = ask(&world, GET("/healthz"));
    assert_int_equal(reply->status, 200);
    assert_header(reply, "Content-Type", "application/json");
    assert_header(reply, "Cache-Control", "no-store");
    assert_header(reply, "X-Content-Type-Options", "nosniff");
    assert_memory_equal(reply->body, "{\"status\":\"ok\"}", reply->body_size);
    world.alive = false;
    assert_problem(ask(&world, GET("/healthz")), 503);
    world_stop(&world);
}

static void readiness_says_what_is_missing(void **state) {
    (void)state;
    struct world world;
    world_start(&world, NULL);
    assert_int_equal(ask(&world, GET("/readyz"))->status, 200);
    world.ready = false;
    const struct reply *reply = ask(&world, GET("/readyz"));
    assert_problem(reply, 503);
    assert_non_null(strstr(reply->body, "Redis is \\\"away\\\"."));
    world_stop(&world);
}

static void metrics_are_refreshed_and_written(void **state) {
    (void)state;
    struct world world;
    world_start(&world, NULL);
    metric_set(metrics_series(&metric_redis_up, ""), 1);
    const struct reply *reply = ask(&world, GET("/metrics"));
    assert_int_equal(reply->status, 200);
    assert_header(reply, "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    assert_header(reply, "Cache-Control", "no-store");
    assert_non_null(strstr(reply->body, "\ntidemark_redis_up 1\n"));
    assert_int_equal(world.refreshed, 1);
    world_stop(&world);
}

static void head_is_get_without_the_body(void **state) {
    (void)state;
    struct world world;
    world_start(&world, NULL);
    static struct reply reply;
    int fd = client_open(&world);
    client_say(&world, fd, "HEAD /v1/customers/c1 HTTP/1.1\r\n\r\n" GET("/healthz"));
    client_read(&world, fd, true, &reply);
    assert_int_equal(reply.status, 200);
    assert_header(&reply, "Content-Length", "7");
    assert_non_null(header(&reply, "ETag"));
    client_read(&world, fd, false, &reply); /* had there been a body, this would not be a reply */
    assert_int_equal(reply.status, 200);
    close(fd);
    world_stop(&world);
}

static void what_is_not_there_is_a_problem(void **state) {
    (void)state;
    static const char *const paths[] = {
        "/metrics/",       "/dashboard", "/dashboard/",      "/dashboard/nothing.js", "/dashboard/../style.css",
        "/metricsx",       "/Metrics",   "/v1/customers",    "/v1/customers/",        "/v1/customers/a/b",
        "/v1/customersc1", "//metrics",  "/v2/customers/c1", "/../metrics",           "*"};
    struct world world;
    world_start(&world, NULL);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        char request[200];
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n\r\n", paths[i]);
        assert_problem(ask(&world, request), 404);
    }
    assert_problem(ask(&world, "POST /nowhere HTTP/1.1\r\n\r\n"), 404);
    assert_int_equal(world.asked, 0);
    world_stop(&world);
}

static void everything_is_read_only(void **state) {
    (void)state;
    static const char *const methods[] = {"POST", "PUT", "DELETE", "PATCH", "TRACE", "BREW", "OPTIONS"};
    static const char *const paths[] = {"/metrics", "/healthz", "/readyz", "/v1/customers/c1"};
    struct world world;
    world_start(&world, NULL);
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        for (size_t j = 0; j < sizeof paths / sizeof *paths; j++) {
            char request[200];
            snprintf(request, sizeof request, "%s %s HTTP/1.1\r\nContent-Length: 0\r\n\r\n", methods[i], paths[j]);
            const struct reply *reply = ask(&world, request);
            assert_problem(reply, 405);
            assert_header(reply, "Allow", "GET, HEAD");
        }
    }
    assert_int_equal(world.asked, 0);
    world_stop(&world);
}

/* ---- customers ---- */

#define TEN(text) text text text text text text text text text text
#define ID_250 TEN(TEN("aa")) TEN("bbbbb")

static void a_customer_is_asked_for_by_its_own_name(void **state) {
    (void)state;
    static const struct {
        const char *path;
        const char *id;
        int64_t at_ms;
    } cases[] = {
        {"/v1/customers/c1", "c1", TIME_NONE},
        {"/v1/customers/c1?", "c1", TIME_NONE},
        {"/v1/customers/a%2Fb%2f..", "a/b/..", TIME_NONE},
        {"/v1/customers/%C3%A9+%20%25?x=1&at=1735689600000", "\xC3\xA9+ %", 1735689600000},
        {"/v1/customers/\xC3\xA9", "\xC3\xA9", TIME_NONE},
        {"/v1/customers/a@b.c:d?at=0&attic=5", "a@b.c:d", 0},
        {"/v1/customers/c1?at=253402300799999", "c1", 253402300799999},
        {"/v1/customers/%01%7F", "\x01\x7F", TIME_NONE},
        {"http://tidemark/v1/customers/c1", "c1", TIME_NONE},
        {"/v1/customers/" ID_250 "%3F56789", ID_250 "?56789", TIME_NONE},
    };
    struct world world;
    world_start(&world, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char request[1000];
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", cases[i].path);
        const struct reply *reply = ask(&world, request);
        assert_int_equal(reply->status, 200);
        assert_header(reply, "Content-Type", "application/json");
        assert_header(reply, "Cache-Control", "private, no-cache");
        assert_header(reply, "X-Content-Type-Options", "nosniff");
        assert_memory_equal(reply->body, "{\"a\":1}", 7);
        assert_string_equal(world.id, cases[i].id);
        assert_int_equal(world.id_size, strlen(cases[i].id));
        assert_int_equal(world.at_ms, cases[i].at_ms);
    }
    assert_problem(ask(&world, GET("/v1/customers/nobody")), 404);
    world_stop(&world);
}

static void a_malformed_request_for_a_customer_is_refused(void **state) {
    (void)state;
    static const char *const paths[] = {
        "a%00b",
        "a%",
        "a%2",
        "a%2G",
        "a%G2",
        "a%%41",
        "%C3",
        "%C0%80",
        "%ED%A0%80",
        "%FF",
        ID_250 "%2F567890",
        "c1?at=",
        "c1?at",
        "c1?at=-1",
        "c1?at=1e3",
        "c1?at=now",
        "c1?at=%31",
        "c1?at=1&at=2",
        "c1?at=+1",
        "c1?at=253402300800000",
        "c1?x=1&at= 1",
        "c1?at=1.5",
        "c1?at=99999999999999999999999999",
    };
    struct world world;
    world_start(&world, NULL);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        char request[1000];
        snprintf(request, sizeof request, "GET /v1/customers/%s HTTP/1.1\r\n\r\n", paths[i]);
        assert_problem(ask(&world, request), 400);
    }
    assert_int_equal(world.asked, 0);
    world_stop(&world);
}

static void an_unchanged_customer_is_not_sent_again(void **state) {
    (void)state;
    struct world world;
    world_start(&world, NULL);
    char etag[20];
    snprintf(etag, sizeof etag, "\"%016" PRIx64 "\"", bytes_hash(bytes_of_text("{\"a\":1}")));
    assert_header(ask(&world, GET("/v1/customers/c1")), "ETag", etag);
    static const struct {
        const char *format;
        int status;
    } cases[] = {
        {"%s", 304},        {"W/%s", 304},       {"*", 304},          {"\"a,b\", W/\"\",%s", 304},
        {"\"other\"", 200}, {"", 200},           {"\"unclosed", 200}, {"unquoted, %s", 200},
        {"W/", 200},        {" ,\t, %s ,", 304}, {"w/%s", 200},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char request[400];
        int size = snprintf(request, sizeof request, "GET /v1/customers/c1 HTTP/1.1\r\n");
        char *tag = strstr(cases[i].format, "%s");
        size +=
            snprintf(request + size, sizeof request - (size_t)size, "If-None-Match: %.*s%s%s\r\n\r\n",
                     tag ? (int)(tag - cases[i].format) : 100, cases[i].format, tag ? etag : "", tag ? tag + 2 : "");
        const struct reply *reply = ask(&world, request);
        assert_int_equal(reply->status, cases[i].status);
        assert_header(reply, "ETag", etag);
        assert_int_equal(reply->body_size, cases[i].status == 304 ? 0 : 7);
    }
    world.body = "{\"a\":2}";
    char request[400];
    snprintf(request, sizeof request, "GET /v1/customers/c1 HTTP/1.1\r\nIf-None-Match: %s\r\n\r\n", etag);
    assert_int_equal(ask(&world, request)->status, 200);
    assert_null(header(ask(&world, GET("/v1/customers/nobody")), "ETag"));
    assert_null(header(ask(&world, GET("/healthz")), "ETag"));
    world_stop(&world);
}

/* ---- tokens ---- */

static void the_token_opens_everything_but_probes(void **state) {
    (void)state;
    static const char *const refused[] = {
        GET("/metrics"),
        GET("/v1/customers/c1"),
        GET("/v1/customers/%00"),
        GET("/nowhere"),
        "POST /metrics HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
        WITH("/metrics", "Authorization: Bearer s3cre"),
        WITH("/metrics", "Authorization: Bearer s3cret2"),
        WITH("/metrics", "Authorization: Bearer s3creT"),
        WITH("/metrics", "Authorization: Bearer"),
        WITH("/metrics", "Authorization: Bearer "),
        WITH("/metrics", "Authorization: Basic s3cret"),
        WITH("/metrics", "Authorization: s3cret"),
        WITH("/metrics", "Authorization: "),
    };
    struct world world;
    world_start(&world, "s3cret");
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        const struct reply *reply = ask(&world, refused[i]);
        assert_problem(reply, 401);
        assert_header(reply, "WWW-Authenticate", "Bearer realm=\"tidemark\"");
        assert_null(strstr(reply->text, "s3cret"));
    }
    assert_int_equal(world.asked + world.refreshed, 0);
    assert_int_equal(ask(&world, GET("/healthz"))->status, 200);
    assert_int_equal(ask(&world, GET("/readyz"))->status, 200);
    assert_int_equal(ask(&world, WITH("/metrics", "Authorization: Bearer s3cret"))->status, 200);
    assert_int_equal(ask(&world, WITH("/v1/customers/c1", "authorization: bearer   s3cret"))->status, 200);
    assert_problem(ask(&world, WITH("/nowhere", "Authorization: Bearer s3cret")), 404);
    world_stop(&world);
}

/* ---- answers, later ---- */

static void an_answer_may_come_later(void **state) {
    (void)state;
    struct world world;
    world_start(&world, NULL);
    world.late = true;
    static struct reply reply;
    int fd = client_open(&world);
    client_say(&world, fd, GET("/v1/customers/c1"));
    loop_for_ms(&world, 50);
    assert_non_null(world.answer);
    assert_int_equal(ask(&world, GET("/healthz"))->status, 200); /* others need not wait */
    http_answer_send(world.answer, 200, "application/json", bytes_of_text("{\"late\":1}"));
    client_read(&world, fd, false, &reply);
    assert_int_equal(reply.status, 200);
    assert_memory_equal(reply.body, "{\"late\":1}", 10);
    close(fd);
    world_stop(&world);
}

static void an_answer_to_nobody_goes_nowhere(void **state) {
    (void)state;
    struct world world;
    world_start(&world, NULL);
    world.late = true;
    for (int i = 0; i < 2; i++) {
        int fd = client_open(&world);
        client_say(&world, fd, GET("/v1/customers/c1"));
        loop_for_ms(&world, 50);
        assert_non_null(world.answer);
        const struct linger reset = {.l_onoff = i};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(fd);
        loop_for_ms(&world, 50);
        http_answer_send(world.answer, 200, "application/json", bytes_of_text("{}"));
        loop_for_ms(&world, 50);
    }
    world.late = false;
    assert_int_equal(ask(&world, GET("/v1/customers/c1"))->status, 200);
    world_stop(&world);
}

static void an_answer_outlives_the_server(void **state) {
    (void)state;
    struct world world;
    struct http_answer *answers[3];
    int fds[5];
    world_start(&world, NULL);
    world.late = true;
    for (size_t i = 0; i < 3; i++) {
        fds[i] = client_open(&world);
        client_say(&world, fds[i], GET("/v1/customers/c1"));
        loop_for_ms(&world, 20);
        answers[i] = world.answer;
    }
    fds[3] = client_open(&world);
    client_say(&world, fds[3], "GET /v1/cust"); /* half a request */
    loop_for_ms(&world, 20);
    http_answer_send(answers[2], 200, "application/json", bytes_of_text("{}")); /* not written yet */
    fds[4] = client_open(&world);                                               /* not accepted yet */
    http_server_destroy(world.server);
    http_answer_send(answers[0], 200, "application/json", bytes_of_text("{}"));
    http_answer_problem(answers[1], 404, "Not Found", "No such customer.");
    for (size_t i = 0; i < 5; i++) {
        assert_true(client_is_closed(&world, fds[i], 1000));
        close(fds[i]);
    }
    event_base_free(world.base);
}

/* ---- starting ---- */

static void a_port_in_use_is_said(void **state) {
    (void)state;
    struct world world;
    world_start(&world, NULL);
    const struct http_callbacks callbacks = world_callbacks(&world);
    const struct http_options options = {.host = "127.0.0.1", .port = http_server_port(world.server)};
    char problem[256];
    char expected[256];
    assert_null(http_server_create(world.base, &options, &callbacks, problem));
    snprintf(expected, sizeof expected, "cannot listen on 127.0.0.1:%d: Address already in use", options.port);
    assert_string_equal(problem, expected);
    world_stop(&world);
    http_server_destroy(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(health_is_well_unless_it_hangs),
        cmocka_unit_test(readiness_says_what_is_missing),
        cmocka_unit_test(metrics_are_refreshed_and_written),
        cmocka_unit_test(head_is_get_without_the_body),
        cmocka_unit_test(what_is_not_there_is_a_problem),
        cmocka_unit_test(everything_is_read_only),
        cmocka_unit_test(a_customer_is_asked_for_by_its_own_name),
        cmocka_unit_test(a_malformed_request_for_a_customer_is_refused),
        cmocka_unit_test(an_unchanged_customer_is_not_sent_again),
        cmocka_unit_test(the_token_opens_everything_but_probes),
        cmocka_unit_test(an_answer_may_come_later),
        cmocka_unit_test(an_answer_to_nobody_goes_nowhere),
        cmocka_unit_test(an_answer_outlives_the_server),
        cmocka_unit_test(a_port_in_use_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

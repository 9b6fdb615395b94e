#include "http_support.h"

#define HEALTH "GET /healthz HTTP/1.1\r\n\r\n"

enum {
    LIMIT_MS = 10000, /* per request */
    CONNECTIONS_MAX = 256,
    BODY_MAX = 64 * 1024,
    BODY_LARGE = 24 * 1024 * 1024, /* more than the kernel keeps for a client that does not read */
};

/* The whole text of a request with a header of so many bytes. */
static char *request_with_header(size_t size) {
    char *request = malloc(size + 100);
    int start = sprintf(request, "GET /healthz HTTP/1.1\r\nX: ");
    memset(request + start, 'x', size);
    strcpy(request + start + size, "\r\n\r\n");
    return request;
}

static char *request_with_body(size_t size) {
    char *request = malloc(size + 100);
    int start = sprintf(request, "GET /healthz HTTP/1.1\r\nContent-Length: %zu\r\n\r\n", size);
    memset(request + start, 'x', size);
    request[(size_t)start + size] = '\0';
    return request;
}

/* ---- sizes ---- */

static void headers_are_limited(void **state) {
    (void)state;
    static const struct {
        size_t size;
        int status;
    } cases[] = {{8000, 200}, {8192, 400}, {12000, 400}};
    struct world world;
    world_start(&world, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *request = request_with_header(cases[i].size);
        const struct reply *reply = ask(&world, request);
        assert_int_equal(reply->status, cases[i].status);
        if (cases[i].status != 200) {
            assert_problem(reply, cases[i].status);
            assert_header(reply, "Connection", "close");
        }
        free(request);
    }
    assert_int_equal(ask(&world, HEALTH)->status, 200);
    world_stop(&world);
}

static void many_small_headers_are_limited_together(void **state) {
    (void)state;
    struct world world;
    world_start(&world, NULL);
    static struct reply reply;
    int fd = client_open(&world);
    client_say(&world, fd, "GET /healthz HTTP/1.1\r\n");
    for (int i = 0; i < 900; i++) {
        client_say(&world, fd, "X: 1234567\r\n"); /* no empty line ever */
    }
    client_read(&world, fd, false, &reply);
    assert_problem(&reply, 400);
    close(fd);
    world_stop(&world);
}

static void bodies_are_limited(void **state) {
    (void)state;
    struct world world;
    world_start(&world, NULL);
    char *fits = request_with_body(BODY_MAX);
    char *large = request_with_body(BODY_MAX + 1);
    char *larger = request_with_body(4 * 1024 * 1024);
    assert_int_equal(ask(&world, fits)->status, 200);
    assert_problem(ask(&world, large), 413);
    assert_problem(ask(&world, larger), 413);
    assert_problem(ask(&world, "GET /healthz HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "10001\r\n"),
                   413);
    assert_int_equal(ask(&world, "GET /healthz HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
                                 "3\r\nabc\r\n0\r\n\r\n")
                         ->status,
                     200);
    free(fits);
    free(large);
    free(larger);
    world_stop(&world);
}

static void what_evhttp_refuses_is_a_problem_too(void **state) {
    (void)state;
    static const struct {
        const char *request;
        int status;
    } cases[] = {
        {"nonsense that is no request\r\n\r\n", 400},
        {"\r\n\r\n", 400},
        {"GET /healthz HTTP/7.x\r\n\r\n", 400},
        {"GET /healthz HTTP/1.1\r\nno colon\r\n\r\n", 400},
        {"GET /healthz HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400},
        {"GET /healthz HTTP/1.1\r\nContent-Length: 1x\r\n\r\n", 400},
        {"POST /healthz HTTP/1.1\r\nContent-Length: 5\r\nExpect: miracles\r\n\r\nabcde", 417},
    };
    struct world world;
    world_start(&world, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_problem(ask(&world, cases[i].request), cases[i].status);
    }
    assert_int_equal(ask(&world, "CONNECT a:1 HTTP/1.1\r\n\r\n")->status, 404);
    assert_int_equal(ask(&world, HEALTH)->status, 200);
    world_stop(&world);
}

static void a_page_replaced_also_closes_the_connection(void **state) {
    (void)state;
    struct world world;
    world_start(&world, NULL);
    static struct reply reply;
    int fd = client_open(&world);
    client_say(&world, fd, HEALTH);
    client_read(&world, fd, false, &reply);
    assert_int_equal(reply.status, 200);
    client_say(&world, fd, "GET /\r\n\r\n" HEALTH);
    client_read(&world, fd, false, &reply);
    assert_problem(&reply, 400);
    assert_true(client_is_closed(&world, fd, 1000));
    close(fd);
    world_stop(&world);
}

/* ---- connections ---- */

/* Reads until the server closes; the number of bytes. */
static size_t client_drain(struct world *world, int fd) {
    static char bytes[65536];
    size_t received = 0;
    for (int64_t end = clock_monotonic_ms() + PATIENCE_MS; clock_monotonic_ms() < end;) {
        ssize_t size = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
        if (size == 0 || (size < 0 && errno != EAGAIN)) {
            break;
        }
        received += size > 0 ? (size_t)size : 0;
        loop(world);
    }
    return received;
}

static void a_connection_serves_one_request_after_another(void **state) {
    (void)state;
    struct world world;
    world_start(&world, NULL);
    static struct reply reply;
    int fd = client_open(&world);
    client_say(&world, fd, HEALTH HEALTH "GET /nowhere HTTP/1.1\r\n\r\n" HEALTH);
    for (int i = 0; i < 4; i++) {
        client_read(&world, fd, false, &reply);
        assert_int_equal(reply.status, i == 2 ? 404 : 200);
    }
    client_say(&world, fd, "GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n");
    client_read(&world, fd, false, &reply);
    assert_int_equal(reply.status, 200);
    assert_true(client_is_closed(&world, fd, 1000));
    close(fd);
    world_stop(&world);
}

/* The answer is too large to be written at once, so that the end of sending is seen in between. */
static void a_client_that_sends_no_more_still_gets_its_answer(void **state) {
    (void)state;
    static const char request[] = "GET /v1/customers/c1 HTTP/1.1\r\n\r\n";
    struct world world;
    world_start(&world, NULL);
    char *body = calloc(1, BODY_LARGE);
    world.body = body;
    world.body_size = BODY_LARGE;
    int fd = client_open(&world);
    client_say(&world, fd, request);
    shutdown(fd, SHUT_WR);
    assert_true(client_drain(&world, fd) > BODY_LARGE);
    close(fd);
    free(body);
    world_stop(&world);
}

static void one_connection_too_many_waits_for_another_to_close(void **state) {
    (void)state;
    struct world world;
    world_start(&world, NULL);
    static struct reply reply;
    int fds[CONNECTIONS_MAX + 2];
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        fds[i] = client_open(&world);
        loop(&world);
    }
    loop_for_ms(&world, 20);
    for (size_t i = CONNECTIONS_MAX; i < CONNECTIONS_MAX + 2; i++) {
        fds[i] = client_open(&world);
        client_say(&world, fds[i], HEALTH);
    }
    loop_for_ms(&world, 50);
    char byte;
    assert_int_equal(recv(fds[CONNECTIONS_MAX], &byte, 1, MSG_DONTWAIT), -1);
    client_say(&world, fds[CONNECTIONS_MAX - 1], HEALTH); /* those inside are served */
    client_read(&world, fds[CONNECTIONS_MAX - 1], false, &reply);
    assert_int_equal(reply.status, 200);
    close(fds[0]);
    client_read(&world, fds[CONNECTIONS_MAX], false, &reply);
    assert_int_equal(reply.status, 200);
    assert_int_equal(recv(fds[CONNECTIONS_MAX + 1], &byte, 1, MSG_DONTWAIT), -1); /* one for one */
    for (size_t i = 1; i < CONNECTIONS_MAX + 2; i++) {
        close(fds[i]);
    }
    loop_for_ms(&world, 50);
    assert_int_equal(ask(&world, HEALTH)->status, 200);
    world_stop(&world);
}

/* ---- time ---- */

/* All that is slow at once, as each takes the ten seconds. */
static void nobody_holds_a_connection_for_long(void **state) {
    (void)state;
    struct world world;
    world_start(&world, NULL);
    char *body = calloc(1, BODY_LARGE);
    world.body = body;
    world.body_size = BODY_LARGE;
    enum { SILENT, DRIPPING, IDLE, UNREAD, UNANSWERED, SLOW };
    static struct reply reply;
    int fds[SLOW];
    for (size_t i = 0; i < SLOW; i++) {
        fds[i] = client_open(&world);
    }
    client_say(&world, fds[IDLE], HEALTH);
    client_read(&world, fds[IDLE], false, &reply);
    assert_int_equal(reply.status, 200);
    client_say(&world, fds[UNREAD], "GET /v1/customers/large HTTP/1.1\r\n\r\n");
    loop_for_ms(&world, 50);
    world.late = true;
    client_say(&world, fds[UNANSWERED], "GET /v1/customers/late HTTP/1.1\r\n\r\n");
    client_say(&world, fds[DRIPPING], "GET /healthz HTTP/1.1\r\nX: ");

    int64_t started_ms = clock_monotonic_ms();
    while (clock_monotonic_ms() < started_ms + LIMIT_MS - 1000) {
        client_say(&world, fds[DRIPPING], "x");
        loop_for_ms(&world, 200);
    }
    for (size_t i = 0; i < UNREAD; i++) { /* not too early either */
        assert_false(client_is_closed(&world, fds[i], 10));
    }
    while (clock_monotonic_ms() < started_ms + LIMIT_MS + 1000) {
        client_say(&world, fds[DRIPPING], "x");
        loop_for_ms(&world, 200);
    }
    for (size_t i = 0; i < UNREAD; i++) {
        assert_true(client_is_closed(&world, fds[i], 10));
    }
    client_read(&world, fds[UNANSWERED], false, &reply);
    assert_problem(&reply, 504);
    assert_null(header(&reply, "ETag"));
    assert_non_null(world.answer);
    http_answer_send(world.answer, 200, "text/plain", bytes_of_text("too late"));
    world.late = false;
    client_say(&world, fds[UNANSWERED], HEALTH); /* the connection is as good as before */
    client_read(&world, fds[UNANSWERED], false, &reply);
    assert_int_equal(reply.status, 200);
    assert_true(client_drain(&world, fds[UNREAD]) < BODY_LARGE); /* cut off */
    for (size_t i = 0; i < SLOW; i++) {
        close(fds[i]);
    }
    free(body);
    world_stop(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_are_limited),
        cmocka_unit_test(many_small_headers_are_limited_together),
        cmocka_unit_test(bodies_are_limited),
        cmocka_unit_test(what_evhttp_refuses_is_a_problem_too),
        cmocka_unit_test(a_page_replaced_also_closes_the_connection),
        cmocka_unit_test(a_connection_serves_one_request_after_another),
        cmocka_unit_test(a_client_that_sends_no_more_still_gets_its_answer),
        cmocka_unit_test(one_connection_too_many_waits_for_another_to_close),
        cmocka_unit_test(nobody_holds_a_connection_for_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "http_support.h"

#define CHANGES "GET /v1/changes HTTP/1.1\r\n\r\n"

enum { LIMIT_MS = 10000, WAITING_MAX = 256 * 1024 };

/* Reads what has come, until the text is there or the server has closed. */
static bool client_hears(struct world *world, int fd, const char *text) {
    static char heard[REPLY_BYTES_MAX + 1];
    size_t size = 0;
    for (int64_t end = clock_monotonic_ms() + PATIENCE_MS; clock_monotonic_ms() < end;) {
        loop(world);
        ssize_t more = recv(fd, heard + size, REPLY_BYTES_MAX - size, MSG_DONTWAIT);
        size += more > 0 ? (size_t)more : 0;
        heard[size] = '\0';
        if (strstr(heard, text)) {
            return true;
        }
        if (more == 0) {
            return false;
        }
    }
    return false;
}

static int open_stream(struct world *world) {
    int fd = client_open(world);
    client_say(world, fd, CHANGES);
    assert_true(client_hears(world, fd, "\r\n\r\n"));
    assert_non_null(world->stream);
    return fd;
}

static bool say(struct world *world, const char *text) {
    return http_stream_send(world->stream, bytes_of_text(text));
}

static void a_stream_tells_as_it_comes(void **state) {
    (void)state;
    struct world world;
    world_start(&world, NULL);
    static struct reply reply;
    int fd = client_open(&world);
    client_say(&world, fd, CHANGES);
    client_read(&world, fd, true, &reply);
    assert_int_equal(reply.status, 200);
    assert_header(&reply, "Content-Type", "text/event-stream");
    assert_header(&reply, "Cache-Control", "no-store");
    assert_header(&reply, "Transfer-Encoding", "chunked");
    assert_null(header(&reply, "ETag"));
    for (int i = 0; i < 3; i++) {
        char text[40];
        snprintf(text, sizeof text, "data: number %d\n\n", i);
        assert_true(say(&world, text));
        assert_true(client_hears(&world, fd, text));
    }
    loop_for_ms(&world, 20);
    assert_true(world.drained >= 3);
    assert_int_equal(ask(&world, "GET /healthz HTTP/1.1\r\n\r\n")->status, 200);
    http_stream_end(world.stream);
    assert_true(client_hears(&world, fd, "0\r\n\r\n"));
    assert_true(client_is_closed(&world, fd, 1000));
    assert_int_equal(world.closed, 0);
    close(fd);
    world_stop(&world);
}

static void parameters_reach_the_stream(void **state) {
    (void)state;
    static const struct {
        const char *request;
        const char *tier_set;
        const char *last_event_id;
    } cases[] = {
        {"GET /v1/changes HTTP/1.1\r\n\r\n", "(all)", ""},
        {"GET /v1/changes?tier_set=value HTTP/1.1\r\nLast-Event-ID: a:1,2\r\n\r\n", "value", "a:1,2"},
        {"GET /v1/changes?x=1&tier_set=v%C3%A9%20 HTTP/1.1\r\nlast-event-id: b\r\n\r\n", "v\xC3\xA9 ", "b"},
        {"GET /v1/changes?tier_sets=v HTTP/1.1\r\nLast-Event-ID:\r\n\r\n", "(all)", ""},
    };
    static const char *const wrong[] = {"?tier_set=%00", "?tier_set=%F", "?tier_set=%FF", "?tier_set=a&tier_set=b"};
    struct world world;
    world_start(&world, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int fd = client_open(&world);
        client_say(&world, fd, cases[i].request);
        assert_true(client_hears(&world, fd, "200 OK"));
        assert_string_equal(world.tier_set, cases[i].tier_set);
        assert_string_equal(world.last_event_id, cases[i].last_event_id);
        close(fd);
    }
    int asked = world.asked;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char request[200];
        snprintf(request, sizeof request, "GET /v1/changes%s HTTP/1.1\r\n\r\n", wrong[i]);
        assert_problem(ask(&world, request), 400);
    }
    assert_int_equal(world.asked, asked);
    world_stop(&world);
}

static void only_headers_are_no_stream(void **state) {
    (void)state;
    struct world world;
    world_start(&world, NULL);
    static struct reply reply;
    int fd = client_open(&world);
    client_say(&world, fd, "HEAD /v1/changes HTTP/1.1\r\n\r\nGET /healthz HTTP/1.1\r\n\r\n");
    client_read(&world, fd, true, &reply);
    assert_int_equal(reply.status, 200);
    assert_header(&reply, "Content-Type", "text/event-stream");
    assert_null(world.stream);
    client_read(&world, fd, false, &reply);
    assert_int_equal(reply.status, 200);
    close(fd);
    world_stop(&world);
}

static void a_client_that_goes_is_noticed(void **state) {
    (void)state;
    struct world world;
    world_start(&world, NULL);
    for (int i = 0; i < 2; i++) {
        int fd = open_stream(&world);
        const struct linger reset = {.l_onoff = i};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(fd);
        for (int64_t end = clock_monotonic_ms() + PATIENCE_MS; world.closed == i && clock_monotonic_ms() < end;) {
            loop(&world);
        }
        assert_int_equal(world.closed, i + 1);
    }
    world_stop(&world);
}

/* Sends until no more is taken; the bytes sent. */
static size_t fill(struct world *world) {
    static char block[10001];
    size_t sent = 0;
    memset(block, 'x', sizeof block - 1);
    while (world->stream && sent < ((size_t)64 << 20) && say(world, block)) {
        sent += sizeof block - 1;
        loop(world);
    }
    return sent;
}

static void what_waits_for_a_client_is_bounded(void **state) {
    (void)state;
    struct world world;
    world_start(&world, NULL);
    int fd = open_stream(&world);
    size_t sent = fill(&world);
    assert_non_null(world.stream);
    assert_true(sent >= WAITING_MAX - 10000);
    assert_true(sent < ((size_t)64 << 20));
    static char block[20001];
    memset(block, 'x', sizeof block - 1);
    assert_false(say(&world, block));
    static char taken[1 << 20];
    int drained = world.drained;
    for (int64_t end = clock_monotonic_ms() + PATIENCE_MS; world.drained == drained && clock_monotonic_ms() < end;) {
        loop(&world);
        (void)!recv(fd, taken, sizeof taken, MSG_DONTWAIT);
    }
    assert_true(world.drained > drained);
    assert_true(say(&world, "data: more\n\n"));
    close(fd);
    world_stop(&world);
}

static void a_slow_client_is_cut_off_but_a_silent_stream_is_not(void **state) {
    (void)state;
    struct world world;
    world_start(&world, NULL);
    int slow = open_stream(&world);
    struct http_stream *slow_stream = world.stream;
    int patient = open_stream(&world);
    struct http_stream *patient_stream = world.stream;
    world.stream = slow_stream;
    fill(&world);
    int64_t start = clock_monotonic_ms();
    while (world.closed == 0 && clock_monotonic_ms() - start < LIMIT_MS + 5000) {
        loop(&world);
    }
    assert_int_equal(world.closed, 1);
    assert_true(clock_monotonic_ms() - start >= LIMIT_MS - 1000);
    loop_for_ms(&world, 1000);
    assert_int_equal(world.closed, 1);
    world.stream = patient_stream;
    assert_true(say(&world, "data: still here\n\n"));
    assert_true(client_hears(&world, patient, "data: still here\n\n"));
    close(slow);
    close(patient);
    world_stop(&world);
}

/* What a client says while it listens is not read, and not kept without limit either. */
static void a_client_that_talks_is_not_listened_to(void **state) {
    (void)state;
    struct world world;
    world_start(&world, NULL);
    int fd = open_stream(&world);
    static char noise[1 << 20];
    size_t sent = 0;
    for (int i = 0; i < 2000; i++) {
        ssize_t more = send(fd, noise, sizeof noise, MSG_DONTWAIT | MSG_NOSIGNAL);
        sent += more > 0 ? (size_t)more : 0;
        loop(&world);
    }
    assert_true(sent < ((size_t)64 << 20)); /* the kernel's buffers, and little more */
    assert_non_null(world.stream);
    assert_true(say(&world, "data: still here\n\n"));
    assert_true(client_hears(&world, fd, "data: still here\n\n"));
    close(fd);
    world_stop(&world);
}

static void a_stream_ends_with_the_server(void **state) {
    (void)state;
    struct world world;
    world_start(&world, NULL);
    int fd = open_stream(&world);
    http_server_destroy(world.server);
    assert_int_equal(world.closed, 1);
    assert_true(client_is_closed(&world, fd, 1000));
    close(fd);
    event_base_free(world.base);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_tells_as_it_comes),
        cmocka_unit_test(parameters_reach_the_stream),
        cmocka_unit_test(only_headers_are_no_stream),
        cmocka_unit_test(a_client_that_goes_is_noticed),
        cmocka_unit_test(what_waits_for_a_client_is_bounded),
        cmocka_unit_test(a_slow_client_is_cut_off_but_a_silent_stream_is_not),
        cmocka_unit_test(a_client_that_talks_is_not_listened_to),
        cmocka_unit_test(a_stream_ends_with_the_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

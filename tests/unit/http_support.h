/* An HTTP server and raw sockets on one loop, in one thread: a client writes what it likes, then
 * the loop runs until the answer is there.
 *
 *     struct world world;
 *     world_start(&world, NULL);
 *     struct reply reply = ask(&world, "GET /healthz HTTP/1.1\r\n\r\n");
 *     assert_int_equal(reply.status, 200);
 *     world_stop(&world); */
#ifndef TIDEMARK_TESTS_HTTP_SUPPORT_H
#define TIDEMARK_TESTS_HTTP_SUPPORT_H

#include "base/clock.h"
#include "base/metrics.h"
#include "serve/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/thread.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <yyjson.h>

enum { PATIENCE_MS = 20000, REPLY_BYTES_MAX = 256 * 1024 };

struct world {
    struct event_base *base;
    struct http_server *server;
    bool alive;
    bool ready;
    bool late; /* keep the answer instead of giving it */
    struct http_answer *answer;
    char id[257];
    size_t id_size;
    int64_t at_ms;
    int days;
    int limit;
    enum http_feedback_by by;
    char tier_set[257]; /* "(all)": of all */
    char last_event_id[257];
    struct http_stream *stream; /* the latest */
    int drained;
    int closed;
    int asked;
    int refreshed;
    const char *body; /* of every customer */
    size_t body_size;
};

struct reply {
    int status; /* 0: none came */
    bool closed;
    size_t size;
    char text[REPLY_BYTES_MAX + 1];
    const char *body;
    size_t body_size;
};

/* ---- the server ---- */

static inline bool on_alive(void *context) {
    const struct world *world = context;
    return world->alive;
}

static inline bool on_ready(void *context, char *reason) {
    const struct world *world = context;
    snprintf(reason, 256, "Redis is \"away\".");
    return world->ready;
}

static inline void on_before_metrics(void *context) {
    struct world *world = context;
    world->refreshed++;
}

static inline void on_customer(void *context, struct bytes id, int64_t at_ms, struct http_answer *answer) {
    struct world *world = context;
    world->asked++;
    world->at_ms = at_ms;
    world->id_size = id.size;
    memcpy(world->id, id.data, id.size);
    world->id[id.size] = '\0';
    if (world->late) {
        world->answer = answer;
    } else if (bytes_equal_text(id, "nobody")) {
        http_answer_problem(answer, 404, "Not Found", "No such customer.");
    } else {
        http_answer_send(answer, 200, "application/json", bytes_of(world->body, world->body_size));
    }
}

static inline void on_plain(void *context, struct http_answer *answer) {
    struct world *world = context;
    world->asked++;
    http_answer_send(answer, 200, "application/json", bytes_of(world->body, world->body_size));
}

static inline void on_feedback(void *context, int days, enum http_feedback_by by, struct http_answer *answer) {
    struct world *world = context;
    world->days = days;
    world->by = by;
    on_plain(world, answer);
}

static inline void on_alerts(void *context, int limit, struct http_answer *answer) {
    struct world *world = context;
    world->limit = limit;
    on_plain(world, answer);
}

static inline void on_value(void *context, int days, struct http_answer *answer) {
    struct world *world = context;
    world->days = days;
    on_plain(world, answer);
}

static inline void on_drained(void *context) {
    struct world *world = context;
    world->drained++;
}

static inline void on_closed(void *context) {
    struct world *world = context;
    world->closed++;
    world->stream = NULL;
}

static inline void on_changes(void *context, struct bytes tier_set, struct bytes last_event_id,
                              struct http_answer *answer) {
    struct world *world = context;
    const struct http_stream_callbacks callbacks = {world, on_drained, on_closed};
    world->asked++;
    snprintf(world->tier_set, sizeof world->tier_set, "%.*s", tier_set.data ? (int)tier_set.size : 5,
             tier_set.data ? tier_set.data : "(all)");
    snprintf(world->last_event_id, sizeof world->last_event_id, "%.*s", (int)last_event_id.size,
             last_event_id.data ? last_event_id.data : "");
    world->stream = http_answer_stream(answer, "text/event-stream", &callbacks);
}

static inline struct http_callbacks world_callbacks(struct world *world) {
    return (struct http_callbacks){
        .context = world,
        .alive = on_alive,
        .ready = on_ready,
        .before_metrics = on_before_metrics,
        .customer = on_customer,
        .tiers = on_plain,
        .feedback = on_feedback,
        .alerts = on_alerts,
        .value = on_value,
        .tasks = on_plain,
        .changes = on_changes,
    };
}

static inline void world_start(struct world *world, const char *token) {
    signal(SIGPIPE, SIG_IGN); /* as the app does */
    evthread_use_pthreads();
    *world = (struct world){.base = event_base_new(), .alive = true, .ready = true, .body = "{\"a\":1}"};
    world->body_size = strlen(world->body);
    const struct http_options options = {.host = "127.0.0.1", .port = 0, .token = token};
    const struct http_callbacks callbacks = world_callbacks(world);
    char problem[256];
    world->server = http_server_create(world->base, &options, &callbacks, problem);
    assert_non_null(world->server);
    assert_string_equal(problem, "");
    assert_true(http_server_port(world->server) > 0);
}

static inline void world_stop(struct world *world) {
    http_server_destroy(world->server);
    event_base_free(world->base);
}

static inline void loop(struct world *world) {
    event_base_loop(world->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

static inline void loop_for_ms(struct world *world, int64_t time_ms) {
    for (int64_t end = clock_monotonic_ms() + time_ms; clock_monotonic_ms() < end;) {
        loop(world);
        usleep(500);
    }
}

/* ---- a client ---- */

static inline int client_open(const struct world *world) {
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)http_server_port(world->server)),
                                        .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* Runs the loop while the socket is full. A client that was cut off gives up writing. */
static inline void client_write(struct world *world, int fd, const char *data, size_t size) {
    while (size > 0) {
        ssize_t sent = send(fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) {
            return;
        }
        data += sent > 0 ? sent : 0;
        size -= sent > 0 ? (size_t)sent : 0;
        loop(world);
    }
}

static inline void client_say(struct world *world, int fd, const char *text) {
    client_write(world, fd, text, strlen(text));
}

/* The value of a header, up to the line's end, in a buffer that the next call reuses; NULL: not
 * there. */
static inline const char *header(const struct reply *reply, const char *name) {
    static char value[1024];
    const char *end = strstr(reply->text, "\r\n\r\n");
    size_t size = strlen(name);
    for (const char *line = strstr(reply->text, "\r\n"); line && line < end; line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, name, size) == 0 && line[2 + size] == ':') {
            const char *start = line + 2 + size + 1;
            start += strspn(start, " ");
            snprintf(value, sizeof value, "%.*s", (int)strcspn(start, "\r"), start);
            return value;
        }
    }
    return NULL;
}

static inline bool reply_is_whole(struct reply *reply, bool without_body) {
    const char *end = strstr(reply->text, "\r\n\r\n");
    if (!end) {
        return false;
    }
    const char *length = header(reply, "Content-Length");
    reply->status = atoi(reply->text + 9);
    reply->body = end + 4;
    reply->body_size = length && !without_body ? strtoul(length, NULL, 10) : 0;
    return (size_t)(reply->text + reply->size - reply->body) >= reply->body_size;
}

/* One reply, byte by byte so that the next one on the connection stays in the socket. */
static inline void client_read(struct world *world, int fd, bool without_body, struct reply *reply) {
    *reply = (struct reply){0};
    int64_t end = clock_monotonic_ms() + PATIENCE_MS;
    while (!reply->closed && !reply_is_whole(reply, without_body) && reply->size < REPLY_BYTES_MAX &&
           clock_monotonic_ms() < end) {
        ssize_t size = recv(fd, reply->text + reply->size, 1, MSG_DONTWAIT);
        reply->size += size > 0 ? (size_t)size : 0;
        reply->closed = size == 0 || (size < 0 && errno != EAGAIN);
        if (size < 0) {
            loop(world);
        }
    }
}

/* True if the server closes the connection within the time. */
static inline bool client_is_closed(struct world *world, int fd, int64_t time_ms) {
    char byte;
    for (int64_t end = clock_monotonic_ms() + time_ms; clock_monotonic_ms() < end;) {
        loop(world);
        ssize_t size = recv(fd, &byte, 1, MSG_DONTWAIT);
        if (size == 0 || (size < 0 && errno != EAGAIN)) {
            return true;
        }
        usleep(500);
    }
    return false;
}

/* One request on a connection of its own. */
static inline struct reply *ask(struct world *world, const char *request) {
    static struct reply reply;
    int fd = client_open(world);
    client_say(world, fd, request);
    client_read(world, fd, strncmp(request, "HEAD", 4) == 0, &reply);
    close(fd);
    return &reply;
}

/* ---- what is expected ---- */

static inline void assert_header(const struct reply *reply, const char *name, const char *expected) {
    const char *value = header(reply, name);
    if (!value || strcmp(value, expected) != 0) {
        fail_msg("%s is \"%s\", not \"%s\"", name, value ? value : "(none)", expected);
    }
}

static inline void assert_problem(const struct reply *reply, int status) {
    if (reply->status != status) {
        fail_msg("status %d, not %d: %s", reply->status, status, reply->text);
    }
    assert_header(reply, "Content-Type", "application/problem+json");
    assert_header(reply, "Cache-Control", "no-store");
    assert_header(reply, "X-Content-Type-Options", "nosniff");
    yyjson_doc *document = yyjson_read(reply->body, reply->body_size, 0);
    assert_non_null(document);
    yyjson_val *root = yyjson_doc_get_root(document);
    assert_int_equal(yyjson_obj_size(root), 4);
    assert_string_equal(yyjson_get_str(yyjson_obj_get(root, "type")), "about:blank");
    assert_int_equal(yyjson_get_int(yyjson_obj_get(root, "status")), status);
    assert_true(yyjson_get_len(yyjson_obj_get(root, "title")) > 0);
    assert_true(yyjson_get_len(yyjson_obj_get(root, "detail")) > 0);
    yyjson_doc_free(document);
}

#endif

#include "base/log.h"
#include "serve/http_parts.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdlib.h>

/* evhttp of libevent 2.1 has no limit on connections, only an idle time-out (a client that sends a
 * byte now and then holds its connection for ever), and answers malformed requests by itself, in
 * HTML. It does let us make the bufferevent of each new connection, and we follow the connection
 * from there:
 *
 *     connection_create   evhttp asks for a bufferevent; its own connection does not exist yet
 *     settle              a moment later, in the same pass of the loop: find evhttp's connection
 * behind the bufferevent, and have it tell us when it closes; later on: replace a page that evhttp
 * wrote on_deadline         closes, or says 504 if it is us who are late on_close            evhttp
 * closes the connection for whatever reason, also after on_deadline */

enum { ACCEPT_AGAIN_SECONDS = 1, STATUS_LINE_BYTES = 12 /* HTTP/1.1 400 */ };

struct http_connection {
    LIST_ENTRY(http_connection) entry;
    struct http_server *server;
    struct bufferevent *stream;       /* evhttp's; ours too until settled */
    struct evhttp_connection *evhttp; /* NULL until settled */
    struct event *settle;
    struct event *deadline;
    struct http_answer *answer;     /* asked for and not given yet */
    struct http_stream *endless;    /* the answer that goes on; NULL: none */
    struct evhttp_request *request; /* of it */
    bool replying;                  /* what is being written is ours */
};

static void deadline_restart(struct http_connection *connection) {
    const struct timeval limit = {.tv_sec = HTTP_REQUEST_SECONDS_MAX};
    event_add(connection->deadline, &limit);
}

/* ---- an answer that never comes ---- */

/* The answer stays valid for its holder and goes nowhere. */
static void abandon_answer(struct http_connection *connection) {
    struct http_answer *answer = connection->answer;
    connection->answer = NULL;
    if (!answer) {
        return;
    }
    /* evhttp leaves a request to us if it sees its connection break before the answer. (2.1 does
     * not look at a connection meanwhile, so there only on_deadline and the server's end come here,
     * with the request still evhttp's.) */
    if (!evhttp_request_get_connection(answer->request)) {
        evhttp_request_free(answer->request);
    }
    answer->connection = NULL;
    answer->request = NULL;
}

/* evhttp leaves the request to us here too, if it is not it that frees the connection. */
static void abandon_stream(struct http_connection *connection) {
    struct http_stream *stream = connection->endless;
    connection->endless = NULL;
    if (!evhttp_request_get_connection(connection->request)) {
        evhttp_request_free(connection->request);
    }
    http_stream_closed(stream);
}

static void on_deadline(evutil_socket_t fd, short what, void *argument) {
    (void)fd;
    (void)what;
    struct http_connection *connection = argument;
    if (!connection->answer) {
        evhttp_connection_free(connection->evhttp); /* calls on_close */
        return;
    }
    const struct http_answer late = *connection->answer;
    abandon_answer(connection);
    http_answer_write_problem(&late, 504, "Gateway Timeout", "The answer did not come within 10 seconds.");
}

/* ---- pages of evhttp ---- */

/* The status of a whole response in the buffer, 0: none. */
static int status_of(struct evbuffer *output) {
    char line[STATUS_LINE_BYTES + 1] = "";
    if (evbuffer_copyout(output, line, STATUS_LINE_BYTES) != STATUS_LINE_BYTES || strncmp(line, "HTTP/1.", 7) != 0) {
        return 0;
    }
    return atoi(line + 9);
}

static void write_page(int status, struct evbuffer *output) {
    const char *title = "Bad Request";
    const char *detail = "The request is malformed, or its headers are larger than 8 KB.";
    if (status == HTTP_ENTITYTOOLARGE) {
        title = "Content Too Large";
        detail = "The body is larger than 64 KB.";
    } else if (status == HTTP_EXPECTATIONFAILED) {
        title = "Expectation Failed";
        detail = "The only expectation that can be met is 100-continue.";
    }
    struct buffer problem = {0};
    http_problem_write(status, title, detail, &problem);
    evbuffer_add_printf(output,
                        "HTTP/1.1 %d %s\r\n"
                        "Content-Type: application/problem+json\r\nContent-Length: %zu\r\n"
                        "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
                        "Connection: close\r\n\r\n",
                        status, title, problem.size);
    evbuffer_add(output, buffer_bytes(&problem).data, problem.size);
    buffer_finish(&problem);
}

/* Nothing is on its way yet: a socket is written to in the loop's next pass. evhttp waits for the
 * buffer to become empty and then closes, whatever the buffer holds. */
static void replace_page(struct http_connection *connection) {
    struct evbuffer *output = bufferevent_get_output(connection->stream);
    evbuffer_unfreeze(output, 1); /* a bufferevent freezes the end it writes from */
    int status = status_of(output);
    if (status >= HTTP_BADREQUEST) {
        connection->replying = true;
        evbuffer_drain(output, evbuffer_get_length(output));
        write_page(status, output);
        deadline_restart(connection);
    }
    evbuffer_freeze(output, 1);
}

/* ---- coming and going ---- */

static void on_output(struct evbuffer *output, const struct evbuffer_cb_info *info, void *argument) {
    (void)output;
    struct http_connection *connection = argument;
    if (info->n_added > 0 && !connection->replying) {
        event_active(connection->settle, EV_TIMEOUT, 0);
    }
}

static void connection_destroy(struct http_connection *connection) {
    struct http_server *server = connection->server;
    abandon_answer(connection);
    if (connection->endless) {
        abandon_stream(connection);
    }
    evbuffer_remove_cb(bufferevent_get_output(connection->stream), on_output, connection);
    LIST_REMOVE(connection, entry);
    server->connections_count--;
    if (server->listener) {
        evconnlistener_enable(server->listener);
    }
    event_free(connection->settle);
    event_free(connection->deadline);
    free(connection);
}

static void on_close(struct evhttp_connection *evhttp, void *argument) {
    (void)evhttp;
    connection_destroy(argument);
}

/* The bufferevent's callbacks belong to evhttp and carry its connection, or nothing if that was
 * given up already. */
static void adopt(struct http_connection *connection) {
    void *evhttp = NULL;
    bufferevent_getcb(connection->stream, NULL, NULL, NULL, &evhttp);
    struct bufferevent *stream = connection->stream;
    if (evhttp) {
        connection->evhttp = evhttp;
        evhttp_connection_set_closecb(evhttp, on_close, connection);
    } else {
        connection_destroy(connection);
    }
    bufferevent_decref(stream);
}

static void on_settle(evutil_socket_t fd, short what, void *argument) {
    (void)fd;
    (void)what;
    struct http_connection *connection = argument;
    if (!connection->evhttp) {
        adopt(connection);
    } else if (!connection->replying) {
        replace_page(connection);
    }
}

static struct http_connection *connection_init(struct http_connection *connection, struct http_server *server) {
    *connection = (struct http_connection){
        .server = server,
        .stream = bufferevent_socket_new(server->base, -1, 0),
        .settle = event_new(server->base, -1, 0, on_settle, connection),
        .deadline = event_new(server->base, -1, 0, on_deadline, connection),
    };
    if (connection->stream && connection->settle && connection->deadline &&
        evbuffer_add_cb(bufferevent_get_output(connection->stream), on_output, connection)) {
        return connection;
    }
    if (connection->stream) {
        bufferevent_free(connection->stream);
    }
    if (connection->settle) {
        event_free(connection->settle);
    }
    if (connection->deadline) {
        event_free(connection->deadline);
    }
    return NULL;
}

/* Without memory NULL: evhttp then makes a bufferevent for itself, and http_connection_await
 * refuses what comes on it. */
static struct bufferevent *connection_create(struct event_base *base, void *argument) {
    (void)base;
    struct http_server *server = argument;
    struct http_connection *connection = malloc(sizeof *connection);
    if (!connection || !connection_init(connection, server)) {
        free(connection);
        return NULL;
    }
    bufferevent_incref(connection->stream);
    event_active(connection->settle, EV_TIMEOUT, 0);
    deadline_restart(connection);
    LIST_INSERT_HEAD(&server->connections, connection, entry);
    if (++server->connections_count == HTTP_CONNECTIONS_MAX) {
        evconnlistener_disable(server->listener);
    }
    return connection->stream;
}

/* ---- requests and replies ---- */

static struct http_connection *connection_of(const struct http_server *server, struct evhttp_request *request) {
    struct http_connection *connection;
    LIST_FOREACH(connection, &server->connections, entry) {
        if (connection->evhttp == evhttp_request_get_connection(request)) {
            return connection;
        }
    }
    return NULL;
}

struct http_answer *http_connection_await(struct http_server *server, struct evhttp_request *request) {
    struct http_connection *connection = connection_of(server, request);
    struct http_answer *answer = connection ? malloc(sizeof *answer) : NULL;
    if (answer) {
        *answer = (struct http_answer){.connection = connection, .request = request};
        connection->answer = answer;
        deadline_restart(connection);
    }
    return answer;
}

/* The client may send its next request on the connection. */
static void on_reply_complete(struct evhttp_request *request, void *argument) {
    (void)request;
    struct http_connection *connection = argument;
    connection->replying = false;
    deadline_restart(connection);
}

void http_connection_reply(struct http_connection *connection, struct evhttp_request *request, int status,
                           struct evbuffer *body) {
    connection->answer = NULL;
    connection->replying = true;
    deadline_restart(connection);
    evhttp_request_set_on_complete_cb(request, on_reply_complete, connection);
    evhttp_send_reply(request, status, NULL, body);
    /* evhttp would go on reading, into memory without limit, and take a client that has closed its
     * sending side for gone. */
    bufferevent_disable(connection->stream, EV_READ);
}

/* ---- streams ---- */

enum { STREAM_READ_MAX = 4096 }; /* of what a client says while it listens: nothing is expected, and it is not read */

struct bufferevent *http_connection_stream(struct http_connection *connection, struct evhttp_request *request,
                                           struct http_stream *stream) {
    if (evhttp_request_get_command(request) == EVHTTP_REQ_HEAD) {
        http_connection_reply(connection, request, HTTP_OK, NULL);
        return NULL;
    }
    connection->answer = NULL;
    connection->replying = true;
    connection->endless = stream;
    connection->request = request;
    /* What was changed for the stream would be wrong for another request. */
    evhttp_add_header(evhttp_request_get_output_headers(request), "Connection", "close");
    evhttp_send_reply_start(request, HTTP_OK, NULL);
    /* Reading goes on, to hear of the client's going; but not for ever, and silence is no reason to close. */
    bufferevent_set_timeouts(connection->stream, NULL, NULL);
    bufferevent_setwatermark(connection->stream, EV_READ, 0, STREAM_READ_MAX);
    return connection->stream;
}

void http_connection_waits(struct http_connection *connection, bool waits) {
    if (!waits) {
        event_del(connection->deadline);
    } else if (!evtimer_pending(connection->deadline, NULL)) {
        deadline_restart(connection);
    }
}

void http_connection_end_stream(struct http_connection *connection) {
    connection->endless = NULL;
    deadline_restart(connection);
    evhttp_send_reply_end(connection->request); /* closes, once what waits is taken; perhaps at once */
}

/* ---- the listener ---- */

static void on_resume(evutil_socket_t fd, short what, void *argument) {
    (void)fd;
    (void)what;
    const struct http_server *server = argument;
    evconnlistener_enable(server->listener);
}

/* Most likely the process is out of file descriptors. Trying at once would keep the loop busy with
 * nothing else. */
static void on_accept_error(struct evconnlistener *listener, void *argument) {
    const struct http_server *server = argument;
    const struct timeval pause = {.tv_sec = ACCEPT_AGAIN_SECONDS};
    log_warning("could not accept an HTTP connection", "error=\"%s\"", strerror(errno));
    evconnlistener_disable(listener);
    event_add(server->resume, &pause);
}

int http_connections_init(struct http_server *server) {
    LIST_INIT(&server->connections);
    server->resume = event_new(server->base, -1, 0, on_resume, server);
    if (!server->resume) {
        return ERR_NO_MEMORY;
    }
    evhttp_set_max_headers_size(server->http, HTTP_HEADERS_BYTES_MAX);
    evhttp_set_max_body_size(server->http, HTTP_BODY_BYTES_MAX);
    evhttp_set_timeout(server->http, HTTP_REQUEST_SECONDS_MAX);
    /* Closing on a client that still sends would reset the connection before it reads our 413. */
    evhttp_set_flags(server->http, EVHTTP_SERVER_LINGERING_CLOSE);
    evhttp_set_bevcb(server->http, connection_create, server);
    evconnlistener_set_error_cb(server->listener, on_accept_error);
    return 0;
}

void http_connections_finish(struct http_server *server) {
    struct http_connection *connection;
    struct http_connection *next;
    for (connection = LIST_FIRST(&server->connections); connection; connection = next) {
        next = LIST_NEXT(connection, entry);
        if (!connection->evhttp) {
            adopt(connection);
        }
    }
    server->listener = NULL; /* evhttp frees it before its connections */
    if (server->resume) {
        event_free(server->resume);
    }
}

#include "serve/http_parts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <yyjson.h>

enum {
    PROBLEM_BYTES = 256,
    ALL_METHODS = 0xFFFF /* even unknown ones, so that it is us who answer */
};

/* ---- answers ---- */

void http_problem_write(int status, const char *title, const char *detail, struct buffer *out) {
    yyjson_mut_doc *document = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(document);
    yyjson_mut_doc_set_root(document, root);
    yyjson_mut_obj_add_str(document, root, "type", "about:blank");
    yyjson_mut_obj_add_str(document, root, "title", title);
    yyjson_mut_obj_add_int(document, root, "status", status);
    yyjson_mut_obj_add_str(document, root, "detail", detail);
    size_t size = 0;
    char *json = yyjson_mut_write(document, YYJSON_WRITE_ALLOW_INVALID_UNICODE, &size);
    if (json) {
        buffer_put(out, json, size);
    }
    free(json);
    yyjson_mut_doc_free(document);
}

void http_answer_add_header(const struct http_answer *answer, const char *name, const char *value) {
    evhttp_add_header(evhttp_request_get_output_headers(answer->request), name, value);
}

/* A tag over the body's bytes. Returns true if the client has exactly these. */
static bool set_entity_tag(const struct http_answer *answer, struct bytes body) {
    char etag[HTTP_ETAG_BYTES];
    snprintf(etag, sizeof etag, "\"%016" PRIx64 "\"", bytes_hash(body));
    http_answer_add_header(answer, "ETag", etag);
    const struct evkeyvalq *headers = evhttp_request_get_input_headers(answer->request);
    return http_etag_matches(evhttp_find_header(headers, "If-None-Match"), etag);
}

static void write_answer(const struct http_answer *answer, int status, const char *type, struct bytes body) {
    bool revalidates = answer->revalidates && status == HTTP_OK;
    http_answer_add_header(answer, "X-Content-Type-Options", "nosniff");
    http_answer_add_header(answer, "Cache-Control", revalidates ? "private, no-cache" : "no-store");
    if (revalidates && set_entity_tag(answer, body)) {
        http_connection_reply(answer->connection, answer->request, HTTP_NOTMODIFIED, NULL);
        return;
    }
    char length[24];
    snprintf(length, sizeof length, "%zu", body.size);
    http_answer_add_header(answer, "Content-Type", type);
    http_answer_add_header(answer, "Content-Length", length);
    struct evbuffer *output = evhttp_request_get_output_buffer(answer->request);
    if (evhttp_request_get_command(answer->request) != EVHTTP_REQ_HEAD) {
        evbuffer_add(output, body.data, body.size);
    }
    http_connection_reply(answer->connection, answer->request, status, NULL);
}

void http_answer_send(struct http_answer *answer, int status, const char *type, struct bytes body) {
    ASSERT(status >= 200 && status <= 599);
    if (answer->connection) {
        write_answer(answer, status, type, body);
    }
    free(answer);
}

void http_answer_write_problem(const struct http_answer *answer, int status, const char *title, const char *detail) {
    struct buffer problem = {0};
    http_problem_write(status, title, detail, &problem);
    write_answer(answer, status, "application/problem+json", buffer_bytes(&problem));
    buffer_finish(&problem);
}

void http_answer_problem(struct http_answer *answer, int status, const char *title, const char *detail) {
    ASSERT(status >= 200 && status <= 599);
    if (answer->connection) {
        http_answer_write_problem(answer, status, title, detail);
    }
    free(answer);
}

/* ---- the server ---- */

static void on_request(struct evhttp_request *request, void *argument) {
    struct http_server *server = argument;
    struct http_answer *answer = http_connection_await(server, request);
    if (answer) {
        http_dispatch(server, answer);
    } else {
        evhttp_send_error(request, HTTP_SERVUNAVAIL, NULL);
    }
}

static int bound_port(evutil_socket_t fd) {
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &size)) {
        return 0;
    }
    /* The port is at the same place for both families; through memcpy, as the types differ. */
    struct sockaddr_in internet;
    memcpy(&internet, &address, sizeof internet);
    return ntohs(internet.sin_port);
}

static int server_listen(struct http_server *server, const struct http_options *options, char *problem) {
    errno = 0;
    struct evhttp_bound_socket *bound =
        evhttp_bind_socket_with_handle(server->http, options->host, (uint16_t)options->port);
    if (!bound) {
        snprintf(problem, PROBLEM_BYTES, "cannot listen on %.150s:%d: %s", options->host, options->port,
                 errno ? strerror(errno) : "unknown host");
        return ERR_IO;
    }
    server->listener = evhttp_bound_socket_get_listener(bound);
    server->port = bound_port(evhttp_bound_socket_get_fd(bound));
    return 0;
}

static int server_init(struct http_server *server, const struct http_options *options, char *problem) {
    snprintf(problem, PROBLEM_BYTES, "no memory for the HTTP server");
    server->http = evhttp_new(server->base);
    server->token = options->token ? strdup(options->token) : NULL;
    if (!server->http || (options->token && !server->token)) {
        return ERR_NO_MEMORY;
    }
    evhttp_set_allowed_methods(server->http, ALL_METHODS);
    evhttp_set_default_content_type(server->http, NULL);
    evhttp_set_gencb(server->http, on_request, server);
    int err = server_listen(server, options, problem);
    return err ? err : http_connections_init(server);
}

struct http_server *http_server_create(struct event_base *base, const struct http_options *options,
                                       const struct http_callbacks *callbacks, char *problem) {
    ASSERT(callbacks->ready && callbacks->before_metrics && callbacks->customer && callbacks->tiers);
    ASSERT(callbacks->feedback && callbacks->alerts && callbacks->tasks && callbacks->changes);
    struct http_server *server = calloc(1, sizeof *server);
    if (!server) {
        snprintf(problem, PROBLEM_BYTES, "no memory for the HTTP server");
        return NULL;
    }
    server->base = base;
    server->callbacks = *callbacks;
    if (server_init(server, options, problem)) {
        http_server_destroy(server);
        return NULL;
    }
    problem[0] = '\0';
    return server;
}

int http_server_port(const struct http_server *server) {
    return server->port;
}

void http_server_destroy(struct http_server *server) {
    if (!server) {
        return;
    }
    http_connections_finish(server);
    if (server->http) {
        evhttp_free(server->http); /* closes every connection */
    }
    free(server->token);
    free(server);
}

#include "base/clock.h"
#include "base/metrics.h"
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

/* A tag over the body's bytes. Returns true if the client has exactly these. */
static bool set_entity_tag(const struct http_answer *answer, struct bytes body) {
    char etag[HTTP_ETAG_BYTES];
    snprintf(etag, sizeof etag, "\"%016" PRIx64 "\"", bytes_hash(body));
    evhttp_add_header(evhttp_request_get_output_headers(answer->request), "ETag", etag);
    const struct evkeyvalq *headers = evhttp_request_get_input_headers(answer->request);
    return http_etag_matches(evhttp_find_header(headers, "If-None-Match"), etag);
}

static void write_answer(const struct http_answer *answer, int status, const char *type, struct bytes body) {
    struct evkeyvalq *headers = evhttp_request_get_output_headers(answer->request);
    bool revalidates = answer->customer && status == HTTP_OK;
    evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
    evhttp_add_header(headers, "Cache-Control", revalidates ? "private, no-cache" : "no-store");
    if (revalidates && set_entity_tag(answer, body)) {
        http_connection_reply(answer->connection, answer->request, HTTP_NOTMODIFIED, NULL);
        return;
    }
    char length[24];
    snprintf(length, sizeof length, "%zu", body.size);
    evhttp_add_header(headers, "Content-Type", type);
    evhttp_add_header(headers, "Content-Length", length);
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

static void add_header(const struct http_answer *answer, const char *name, const char *value) {
    evhttp_add_header(evhttp_request_get_output_headers(answer->request), name, value);
}

/* ---- routes ---- */

static void serve_metrics(const struct http_server *server, struct http_answer *answer) {
    struct buffer text = {0};
    server->callbacks.before_metrics(server->callbacks.context);
    metrics_write(&text);
    if (text.error) {
        http_answer_problem(answer, HTTP_INTERNAL, "Internal Server Error", "There is no memory for the metrics.");
    } else {
        http_answer_send(answer, HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", buffer_bytes(&text));
    }
    buffer_finish(&text);
}

static void serve_health(struct http_answer *answer) {
    http_answer_send(answer, HTTP_OK, "application/json", bytes_of_text("{\"status\":\"ok\"}"));
}

static void serve_ready(const struct http_server *server, struct http_answer *answer) {
    char reason[PROBLEM_BYTES] = "";
    if (server->callbacks.ready(server->callbacks.context, reason)) {
        http_answer_send(answer, HTTP_OK, "application/json", bytes_of_text("{\"status\":\"ready\"}"));
    } else {
        http_answer_problem(answer, HTTP_SERVUNAVAIL, "Service Unavailable", reason);
    }
}

static void serve_customer(const struct http_server *server, struct bytes escaped, struct http_answer *answer) {
    char id[HTTP_ID_BYTES_MAX];
    size_t size = 0;
    int64_t at_ms = TIME_NONE;
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(answer->request);
    const char *wrong = http_customer_id(escaped, id, &size);
    if (!wrong) {
        wrong = http_query_at(evhttp_uri_get_query(uri), &at_ms);
    }
    if (wrong) {
        http_answer_problem(answer, HTTP_BADREQUEST, "Bad Request", wrong);
        return;
    }
    answer->customer = true;
    server->callbacks.customer(server->callbacks.context, bytes_of(id, size), at_ms, answer);
}

enum route { ROUTE_NONE, ROUTE_METRICS, ROUTE_HEALTH, ROUTE_READY, ROUTE_CUSTOMER };

/* Paths are compared as sent: a '/' inside of an id comes as %2F. */
static enum route route_of(const char *path, struct bytes *id) {
    static const char customers[] = "/v1/customers/";
    if (strcmp(path, "/metrics") == 0) {
        return ROUTE_METRICS;
    }
    if (strcmp(path, "/healthz") == 0) {
        return ROUTE_HEALTH;
    }
    if (strcmp(path, "/readyz") == 0) {
        return ROUTE_READY;
    }
    *id = bytes_of_text(path);
    if (strncmp(path, customers, sizeof customers - 1) == 0) {
        *id = bytes_of_text(path + sizeof customers - 1);
        return id->size > 0 && !strchr(id->data, '/') ? ROUTE_CUSTOMER : ROUTE_NONE;
    }
    return ROUTE_NONE;
}

/* Probes must work without the secret; they tell nothing about customers. */
static bool is_allowed(const struct http_server *server, const struct http_answer *answer, enum route route) {
    if (!server->token || route == ROUTE_HEALTH || route == ROUTE_READY) {
        return true;
    }
    const struct evkeyvalq *headers = evhttp_request_get_input_headers(answer->request);
    return http_token_matches(evhttp_find_header(headers, "Authorization"), server->token);
}

static void dispatch(const struct http_server *server, struct http_answer *answer) {
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(answer->request);
    const char *path = evhttp_uri_get_path(uri);
    struct bytes id = {NULL, 0};
    enum route route = route_of(path ? path : "", &id);
    if (!is_allowed(server, answer, route)) {
        add_header(answer, "WWW-Authenticate", "Bearer realm=\"tidemark\"");
        http_answer_problem(answer, 401, "Unauthorized",
                            "This needs the header 'Authorization: Bearer TOKEN' with the "
                            "token of the configuration.");
        return;
    }
    enum evhttp_cmd_type method = evhttp_request_get_command(answer->request);
    if (route != ROUTE_NONE && method != EVHTTP_REQ_GET && method != EVHTTP_REQ_HEAD) {
        add_header(answer, "Allow", "GET, HEAD");
        http_answer_problem(answer, HTTP_BADMETHOD, "Method Not Allowed", "This can only be read, with GET or HEAD.");
        return;
    }
    switch (route) {
    case ROUTE_METRICS:
        serve_metrics(server, answer);
        break;
    case ROUTE_HEALTH:
        serve_health(answer);
        break;
    case ROUTE_READY:
        serve_ready(server, answer);
        break;
    case ROUTE_CUSTOMER:
        serve_customer(server, id, answer);
        break;
    case ROUTE_NONE:
        http_answer_problem(answer, HTTP_NOTFOUND, "Not Found", "There is nothing at this path.");
        break;
    }
}

static void on_request(struct evhttp_request *request, void *argument) {
    struct http_server *server = argument;
    struct http_answer *answer = http_connection_await(server, request);
    if (answer) {
        dispatch(server, answer);
    } else {
        evhttp_send_error(request, HTTP_SERVUNAVAIL, NULL);
    }
}

/* ---- the server ---- */

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
    ASSERT(callbacks->ready && callbacks->before_metrics && callbacks->customer);
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

/* What there is to ask for: one row a route. */
#include "base/clock.h"
#include "base/metrics.h"
#include "serve/dashboard.h"
#include "serve/http_parts.h"
#include "serve/openapi.h"

/* The end of the year 9999: a later instant is a mistake (microseconds, say), and far below where sums would overflow. */
#define AT_MS_MAX INT64_C(253402300799999)

enum {
    REASON_BYTES = 256,
    DAYS_DEFAULT = 90,
    DAYS_MAX = 400,
    ALERTS_DEFAULT = 50,
    ALERTS_MAX = 500,
    RISK_DAYS_DEFAULT = 28,
    RISK_DAYS_MAX = 92,
};

typedef void (*serve_fn)(const struct http_server *server, struct bytes rest, struct http_query *query,
                         struct http_answer *answer);

/* A parameter is malformed: answers. */
static bool is_wrong(const struct http_query *query, struct http_answer *answer) {
    if (query->wrong[0]) {
        http_answer_problem(answer, HTTP_BADREQUEST, "Bad Request", query->wrong);
    }
    return query->wrong[0] != '\0';
}

static void serve_metrics(const struct http_server *server, struct bytes rest, struct http_query *query,
                          struct http_answer *answer) {
    struct buffer text = {0};
    (void)rest;
    (void)query;
    server->callbacks.before_metrics(server->callbacks.context);
    metrics_write(&text);
    if (text.error) {
        http_answer_problem(answer, HTTP_INTERNAL, "Internal Server Error", "There is no memory for the metrics.");
    } else {
        http_answer_send(answer, HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", buffer_bytes(&text));
    }
    buffer_finish(&text);
}

static void serve_health(const struct http_server *server, struct bytes rest, struct http_query *query,
                         struct http_answer *answer) {
    (void)rest;
    (void)query;
    if (server->callbacks.alive(server->callbacks.context)) {
        http_answer_send(answer, HTTP_OK, "application/json", bytes_of_text("{\"status\":\"ok\"}"));
    } else {
        http_answer_problem(answer, HTTP_SERVUNAVAIL, "Service Unavailable", "A worker or its publisher hangs.");
    }
}

static void serve_ready(const struct http_server *server, struct bytes rest, struct http_query *query,
                        struct http_answer *answer) {
    char reason[REASON_BYTES] = "";
    (void)rest;
    (void)query;
    if (server->callbacks.ready(server->callbacks.context, reason)) {
        http_answer_send(answer, HTTP_OK, "application/json", bytes_of_text("{\"status\":\"ready\"}"));
    } else {
        http_answer_problem(answer, HTTP_SERVUNAVAIL, "Service Unavailable", reason);
    }
}

static void serve_openapi(const struct http_server *server, struct bytes rest, struct http_query *query,
                          struct http_answer *answer) {
    (void)server;
    (void)rest;
    (void)query;
    http_answer_send(answer, HTTP_OK, "application/json", openapi_document());
}

static void serve_customer(const struct http_server *server, struct bytes escaped, struct http_query *query,
                           struct http_answer *answer) {
    char id[HTTP_ID_BYTES_MAX];
    size_t size = 0;
    const char *wrong = http_customer_id(escaped, id, &size);
    if (wrong) {
        http_answer_problem(answer, HTTP_BADREQUEST, "Bad Request", wrong);
        return;
    }
    int64_t at_ms = http_query_number(query, "at", 0, AT_MS_MAX, TIME_NONE);
    if (!is_wrong(query, answer)) {
        server->callbacks.customer(server->callbacks.context, bytes_of(id, size), at_ms, answer);
    }
}

static void serve_tiers(const struct http_server *server, struct bytes rest, struct http_query *query,
                        struct http_answer *answer) {
    (void)rest;
    (void)query;
    server->callbacks.tiers(server->callbacks.context, answer);
}

static void serve_feedback(const struct http_server *server, struct bytes rest, struct http_query *query,
                           struct http_answer *answer) {
    static const char *const words[] = {"tier", "channel", "touchpoint", NULL};
    (void)rest;
    int days = (int)http_query_number(query, "days", 1, DAYS_MAX, DAYS_DEFAULT);
    int by = 1 + http_query_word(query, "by", words);
    if (!is_wrong(query, answer)) {
        server->callbacks.feedback(server->callbacks.context, days, (enum http_feedback_by)by, answer);
    }
}

static void serve_alerts(const struct http_server *server, struct bytes rest, struct http_query *query,
                         struct http_answer *answer) {
    (void)rest;
    int limit = (int)http_query_number(query, "limit", 1, ALERTS_MAX, ALERTS_DEFAULT);
    if (!is_wrong(query, answer)) {
        server->callbacks.alerts(server->callbacks.context, limit, answer);
    }
}

static void serve_value(const struct http_server *server, struct bytes rest, struct http_query *query,
                        struct http_answer *answer) {
    (void)rest;
    int days = (int)http_query_number(query, "days", 1, RISK_DAYS_MAX, RISK_DAYS_DEFAULT);
    if (!is_wrong(query, answer)) {
        server->callbacks.value(server->callbacks.context, days, answer);
    }
}

static void serve_tasks(const struct http_server *server, struct bytes rest, struct http_query *query,
                        struct http_answer *answer) {
    (void)rest;
    (void)query;
    server->callbacks.tasks(server->callbacks.context, answer);
}

static void serve_changes(const struct http_server *server, struct bytes rest, struct http_query *query,
                          struct http_answer *answer) {
    char room[HTTP_ID_BYTES_MAX];
    (void)rest;
    struct bytes tier_set = http_query_text(query, "tier_set", room);
    const struct evkeyvalq *headers = evhttp_request_get_input_headers(answer->request);
    const char *last = evhttp_find_header(headers, "Last-Event-ID");
    if (!is_wrong(query, answer)) {
        server->callbacks.changes(server->callbacks.context, tier_set,
                                  last && last[0] ? bytes_of_text(last) : bytes_of(NULL, 0), answer);
    }
}

/* Scripts, styles and data from here only; nothing inside the page runs by itself, and nobody may frame it. */
static const char content_security_policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'";

static void serve_dashboard(const struct http_server *server, struct bytes name, struct http_query *query,
                            struct http_answer *answer) {
    struct dashboard_file file;
    struct buffer unpacked = {0};
    (void)server;
    (void)query;
    if (!dashboard_find(name, &file)) {
        http_answer_problem(answer, HTTP_NOTFOUND, "Not Found", "The dashboard has no such file.");
        return;
    }
    http_answer_add_header(answer, "Content-Security-Policy", content_security_policy);
    http_answer_add_header(answer, "Referrer-Policy", "no-referrer");
    http_answer_add_header(answer, "Vary", "Accept-Encoding");
    const struct evkeyvalq *headers = evhttp_request_get_input_headers(answer->request);
    if (http_accepts_gzip(evhttp_find_header(headers, "Accept-Encoding"))) {
        http_answer_add_header(answer, "Content-Encoding", "gzip");
        http_answer_send(answer, HTTP_OK, file.type, file.gzip);
    } else if (dashboard_unpack(&file, &unpacked)) {
        http_answer_problem(answer, HTTP_INTERNAL, "Internal Server Error", "There is no memory for the file.");
    } else {
        http_answer_send(answer, HTTP_OK, file.type, buffer_bytes(&unpacked));
    }
    buffer_finish(&unpacked);
}

static void serve_page(const struct http_server *server, struct bytes rest, struct http_query *query,
                       struct http_answer *answer) {
    (void)rest;
    serve_dashboard(server, bytes_of_text("index.html"), query, answer);
}

struct route {
    const char *path; /* one that ends in "{...}" takes whatever stands there, but no '/' */
    bool open;        /* needs no token: it tells nothing about customers, and probes and the page that asks for the
                         token must work without the secret */
    bool revalidates; /* its answer has an entity tag */
    serve_fn serve;
};

static const struct route routes[] = {
    {"/", true, true, serve_page},
    {"/dashboard/{file}", true, true, serve_dashboard},
    {"/metrics", false, false, serve_metrics},
    {"/healthz", true, false, serve_health},
    {"/readyz", true, false, serve_ready},
    {"/openapi.json", false, true, serve_openapi},
    {"/v1/customers/{id}", false, true, serve_customer},
    {"/v1/tiers", false, true, serve_tiers},
    {"/v1/feedback", false, true, serve_feedback},
    {"/v1/alerts", false, true, serve_alerts},
    {"/v1/value", false, true, serve_value},
    {"/v1/tasks", false, true, serve_tasks},
    {"/v1/changes", false, false, serve_changes},
};

enum { ROUTES = sizeof routes / sizeof *routes };

const char *http_route_path(size_t route) {
    return route < ROUTES ? routes[route].path : NULL;
}

/* Paths are compared as sent: a '/' inside of an id comes as %2F. */
static bool matches(const struct route *route, const char *path, struct bytes *rest) {
    const char *brace = strchr(route->path, '{');
    size_t fixed = brace ? (size_t)(brace - route->path) : strlen(route->path);
    if (strncmp(path, route->path, fixed) != 0) {
        return false;
    }
    *rest = bytes_of_text(path + fixed);
    return brace ? rest->size > 0 && !strchr(rest->data, '/') : rest->size == 0;
}

static const struct route *route_of(const char *path, struct bytes *rest) {
    for (size_t i = 0; i < ROUTES; i++) {
        if (matches(&routes[i], path, rest)) {
            return &routes[i];
        }
    }
    return NULL;
}

static bool is_allowed(const struct http_server *server, const struct http_answer *answer, const struct route *route) {
    if (!server->token || (route && route->open)) {
        return true;
    }
    const struct evkeyvalq *headers = evhttp_request_get_input_headers(answer->request);
    return http_token_matches(evhttp_find_header(headers, "Authorization"), server->token);
}

void http_dispatch(const struct http_server *server, struct http_answer *answer) {
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(answer->request);
    const char *path = evhttp_uri_get_path(uri);
    struct bytes rest = {NULL, 0};
    const struct route *route = route_of(path ? path : "", &rest);
    if (!is_allowed(server, answer, route)) {
        http_answer_add_header(answer, "WWW-Authenticate", "Bearer realm=\"tidemark\"");
        http_answer_problem(answer, 401, "Unauthorized",
                            "This needs the header 'Authorization: Bearer TOKEN' with the token of the configuration.");
        return;
    }
    if (!route) {
        http_answer_problem(answer, HTTP_NOTFOUND, "Not Found", "There is nothing at this path.");
        return;
    }
    enum evhttp_cmd_type method = evhttp_request_get_command(answer->request);
    if (method != EVHTTP_REQ_GET && method != EVHTTP_REQ_HEAD) {
        http_answer_add_header(answer, "Allow", "GET, HEAD");
        http_answer_problem(answer, HTTP_BADMETHOD, "Method Not Allowed", "This can only be read, with GET or HEAD.");
        return;
    }
    struct http_query query = {.text = evhttp_uri_get_query(uri)};
    answer->revalidates = route->revalidates;
    route->serve(server, rest, &query, answer);
}

/* HTTP: a small server over libevent's evhttp for metrics, health and customers.
 *
 *     GET /metrics  /healthz  /readyz  /v1/customers/{id}
 *
 * What it shows comes through the callbacks, set by the app; so this folder knows no workers, no Redis and no Kafka. All
 * callbacks run on the loop's thread. Errors are application/problem+json. */
#ifndef TIDEMARK_SERVE_HTTP_H
#define TIDEMARK_SERVE_HTTP_H

#include "base/bytes.h"

struct event_base;
struct http_server;

/* The answer to one request, to be given exactly once, now or later. */
struct http_answer;
/* status 200..599; type e.g. "application/json". The body is copied. Frees the answer. */
void http_answer_send(struct http_answer *answer, int status, const char *type, struct bytes body);
/* A problem document; detail is one English sentence. Frees the answer. */
void http_answer_problem(struct http_answer *answer, int status, const char *title, const char *detail);

struct http_callbacks {
    void *context;
    /* True when ready; else `reason` (256 bytes) says why not, in one line. */
    bool (*ready)(void *context, char *reason);
    /* Refreshes gauges that nobody sets by themselves; called before metrics are written. */
    void (*before_metrics)(void *context);
    /* Looks a customer up and answers with JSON or a problem; at_ms TIME_NONE: now. */
    void (*customer)(void *context, struct bytes id, int64_t at_ms, struct http_answer *answer);
};

struct http_options {
    const char *host;
    int port;          /* 0: any free one */
    const char *token; /* NULL: none; required when host is not loopback (config checks) */
};

/* Listens at once. NULL, and one line in `problem` (256 bytes), when it cannot. */
struct http_server *http_server_create(struct event_base *base, const struct http_options *options,
                                       const struct http_callbacks *callbacks, char *problem);
int http_server_port(const struct http_server *server);
/* Unanswered requests are cut off; their answers stay valid and go nowhere. */
void http_server_destroy(struct http_server *server);

#endif

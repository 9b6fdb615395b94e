/* HTTP: a small server over libevent's evhttp for metrics, health and customers.
 *
 *     GET /metrics  /healthz  /readyz  /openapi.json
 *         /v1/customers/{id}  /v1/tiers  /v1/feedback  /v1/alerts  /v1/value  /v1/tasks  /v1/changes
 *
 * schemas/openapi.json says what each takes and answers. What it shows comes through the callbacks, set by the app; so this
 * folder knows no workers, no Redis and no Kafka. All callbacks run on the loop's thread. Errors are
 * application/problem+json. */
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

/* An answer that goes on until one side ends it: server-sent events. */
struct http_stream;
struct http_stream_callbacks {
    void *context;
    /* What was sent has gone out: more may be sent. */
    void (*drained)(void *context);
    /* The client has gone, was too slow, or the server ends. The stream is gone. */
    void (*closed)(void *context);
};
/* Begins a stream of this type. Frees the answer. NULL: there is nobody to stream to (any more), or only the headers were
 * asked for; no callback will come. */
struct http_stream *http_answer_stream(struct http_answer *answer, const char *type,
                                       const struct http_stream_callbacks *callbacks);
/* Sends bytes, which are copied. False: so many wait to be taken that no more will be; nothing was sent, `drained` will come.
 * A client that has not taken all that waits after HTTP_REQUEST_SECONDS_MAX is cut off. */
bool http_stream_send(struct http_stream *stream, struct bytes bytes) MUST_CHECK;
/* Ends and frees the stream, without telling; what was sent still goes out. */
void http_stream_end(struct http_stream *stream);

enum http_feedback_by { HTTP_FEEDBACK_ALL, HTTP_FEEDBACK_TIER, HTTP_FEEDBACK_CHANNEL, HTTP_FEEDBACK_TOUCHPOINT };

struct http_callbacks {
    void *context;
    /* False: it hangs, and should be started again. */
    bool (*alive)(void *context);
    /* True when ready; else `reason` (256 bytes) says why not, in one line. */
    bool (*ready)(void *context, char *reason);
    /* Refreshes gauges that nobody sets by themselves; called before metrics are written. */
    void (*before_metrics)(void *context);
    /* Looks a customer up and answers with JSON or a problem; at_ms TIME_NONE: now. */
    void (*customer)(void *context, struct bytes id, int64_t at_ms, struct http_answer *answer);
    /* The population of every tier. */
    void (*tiers)(void *context, struct http_answer *answer);
    /* Company-wide feedback of the last 1..400 days. */
    void (*feedback)(void *context, int days, enum http_feedback_by by, struct http_answer *answer);
    /* The worst open alerts, 1..500. */
    void (*alerts)(void *context, int limit, struct http_answer *answer);
    /* What customers are worth, and what of it is at risk on the next 1..92 days. */
    void (*value)(void *context, int days, struct http_answer *answer);
    void (*tasks)(void *context, struct http_answer *answer);
    /* Tier changes as they come, of one tier set (data NULL: of all), from behind the event with this id on (data NULL: from
     * now on). */
    void (*changes)(void *context, struct bytes tier_set, struct bytes last_event_id, struct http_answer *answer);
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

/* The path of a route as OpenAPI writes it, "/v1/customers/{id}"; NULL beyond the last. */
const char *http_route_path(size_t route);

#endif

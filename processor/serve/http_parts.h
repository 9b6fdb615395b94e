/* What the files of the HTTP server share; nobody else includes this.
 *
 *     http.c             the server, its routes, and answering
 *     http_connection.c  the life of one connection: how many, how long, and what evhttp would
 * answer by itself http_request.c     what a client wrote, without any libevent: ids, times,
 * tokens, entity tags */
#ifndef TIDEMARK_SERVE_HTTP_PARTS_H
#define TIDEMARK_SERVE_HTTP_PARTS_H

#include "serve/http.h"

#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <sys/queue.h>

enum {
    HTTP_HEADERS_BYTES_MAX = 8 * 1024, /* a request line with the longest id, escaped, takes under 1 KB */
    HTTP_BODY_BYTES_MAX = 64 * 1024,   /* bodies are read only to be skipped: no route takes one */
    HTTP_REQUEST_SECONDS_MAX = 10,     /* for a request to come; and again for its answer to be taken */
    HTTP_CONNECTIONS_MAX = 256,        /* more wait in the kernel's queue until one closes */
    HTTP_ID_BYTES_MAX = 256,           /* as ids of events are limited */
    HTTP_ETAG_BYTES = 2 + 16 + 1,      /* quotes, 64 bits in hex, NUL */
};

struct http_connection;
LIST_HEAD(http_connections, http_connection);

struct http_server {
    struct event_base *base;
    struct evhttp *http;
    struct evconnlistener *listener;
    struct event *resume; /* accepts again some time after accepting failed */
    struct http_connections connections;
    int connections_count;
    int port;
    char *token; /* NULL: none */
    struct http_callbacks callbacks;
};

struct http_answer {
    struct http_connection *connection; /* NULL: the answer goes nowhere */
    struct evhttp_request *request;
    bool customer; /* may be revalidated by its entity tag */
};

/* ---- http.c ---- */

/* Writes the answer without freeing it. */
void http_answer_write_problem(const struct http_answer *answer, int status, const char *title, const char *detail);
/* A problem document; empty without memory. */
void http_problem_write(int status, const char *title, const char *detail, struct buffer *out);

/* ---- http_connection.c ---- */

/* Sets limits and deadlines for every connection that server->http will accept from
 * server->listener. */
int http_connections_init(struct http_server *server) MUST_CHECK;
/* Before evhttp_free: afterwards every connection will be told when it is closed. */
void http_connections_finish(struct http_server *server);
/* An answer for the request, with a new deadline; NULL without memory. */
struct http_answer *http_connection_await(struct http_server *server, struct evhttp_request *request);
/* Sends the request's reply, whose headers are set, and gives the client a new deadline to take it.
 */
void http_connection_reply(struct http_connection *connection, struct evhttp_request *request, int status,
                           struct evbuffer *body);

/* ---- http_request.c ---- */

/* Undoes percent-encoding. NULL, or one English sentence that says what is wrong with the id. */
const char *http_customer_id(struct bytes escaped, char id[HTTP_ID_BYTES_MAX], size_t *size);
/* The parameter `at` of a query (NULL: no query); TIME_NONE if it is not there. NULL, or what is
 * wrong. */
const char *http_query_at(const char *query, int64_t *at_ms);
/* True if the Authorization header (NULL: none) carries the token. */
bool http_token_matches(const char *authorization, const char *token);
/* True if an If-None-Match header (NULL: none) names the tag or any. */
bool http_etag_matches(const char *if_none_match, const char *etag);

#endif

/* What the files of the HTTP server share; nobody else includes this.
 *
 *     http.c             the server, and answering
 *     http_routes.c      what there is to ask for, and who may
 *     http_connection.c  the life of one connection: how many, how long, and what evhttp would answer by itself
 *     http_stream.c      answers that go on: server-sent events
 *     http_request.c     what a client wrote, without any libevent: ids, parameters, tokens, encodings,
 *                        entity tags */
#ifndef TIDEMARK_SERVE_HTTP_PARTS_H
#define TIDEMARK_SERVE_HTTP_PARTS_H

#include "serve/http.h"

#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <sys/queue.h>

enum {
    HTTP_HEADERS_BYTES_MAX = 8 * 1024,  /* a request line with the longest id, escaped, takes under 1 KB */
    HTTP_BODY_BYTES_MAX = 64 * 1024,    /* bodies are read only to be skipped: no route takes one */
    HTTP_REQUEST_SECONDS_MAX = 10,      /* for a request to come; and again for its answer to be taken */
    HTTP_CONNECTIONS_MAX = 256,         /* more wait in the kernel's queue until one closes */
    HTTP_ID_BYTES_MAX = 256,            /* as ids of events are limited */
    HTTP_ETAG_BYTES = 2 + 16 + 1,       /* quotes, 64 bits in hex, NUL */
    HTTP_STREAM_BYTES_MAX = 256 * 1024, /* of a stream, waiting to be taken by the client */
    HTTP_WRONG_BYTES = 160,             /* one sentence about a parameter */
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
    bool revalidates; /* by its entity tag */
};

/* ---- http.c ---- */

void http_answer_add_header(const struct http_answer *answer, const char *name, const char *value);

/* Writes the answer without freeing it. */
void http_answer_write_problem(const struct http_answer *answer, int status, const char *title, const char *detail);
/* A problem document; empty without memory. */
void http_problem_write(int status, const char *title, const char *detail, struct buffer *out);

/* ---- http_routes.c ---- */

/* Answers the request, now or later. */
void http_dispatch(const struct http_server *server, struct http_answer *answer);

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

/* The request's reply, whose headers are set, goes on until the connection is closed. The connection's bufferevent; NULL: only
 * the headers were asked for, and are sent. */
struct bufferevent *http_connection_stream(struct http_connection *connection, struct evhttp_request *request,
                                           struct http_stream *stream);
/* Something waits to be taken by the client, for so long and no longer; or nothing does any more. */
void http_connection_waits(struct http_connection *connection, bool waits);
/* The stream is over: nobody is told. The client has as long as for any answer to take the rest. */
void http_connection_end_stream(struct http_connection *connection);

/* ---- http_stream.c ---- */

/* The connection goes, for whatever reason: tells, and frees. */
void http_stream_closed(struct http_stream *stream);

/* ---- http_request.c ---- */

/* Undoes percent-encoding. NULL, or one English sentence that says what is wrong with the id. */
const char *http_customer_id(struct bytes escaped, char id[HTTP_ID_BYTES_MAX], size_t *size);

/* The parameters of a request; zero `wrong` to start. Read straight through and check `wrong` once at the end: it says what is
 * wrong first. Parameters that nobody asks for are left alone, as anywhere on the web. */
struct http_query {
    const char *text; /* NULL: none */
    char wrong[HTTP_WRONG_BYTES];
};
/* A whole number, or `absent`. */
int64_t http_query_number(struct http_query *query, const char *name, int64_t least, int64_t most, int64_t absent);
/* The number of the word among `words` (a NULL at their end), or -1 if the parameter is not there. */
int http_query_word(struct http_query *query, const char *name, const char *const *words);
/* Undoes percent-encoding; data NULL: not there. */
struct bytes http_query_text(struct http_query *query, const char *name, char room[HTTP_ID_BYTES_MAX]);

/* True if the Authorization header (NULL: none) carries the token. */
bool http_token_matches(const char *authorization, const char *token);
/* True if an Accept-Encoding header (NULL: none) allows gzip. */
bool http_accepts_gzip(const char *accept_encoding);
/* True if an If-None-Match header (NULL: none) names the tag or any. */
bool http_etag_matches(const char *if_none_match, const char *etag);

#endif

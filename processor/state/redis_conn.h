/* A connection to Redis on an event loop: connects, authenticates, reconnects for ever with growing pauses.
 *
 * Commands are bytes in Redis' protocol (resp.h). Each gets its answer through a callback; when the connection is lost, the
 * answers still owed come as NULL ("outcome unknown"), then `down` is called; after a successful reconnect `up`. */
#ifndef TIDEMARK_STATE_REDIS_CONN_H
#define TIDEMARK_STATE_REDIS_CONN_H

#include "state/redis_store.h"

struct redis_conn;
struct redisReply;

struct redis_conn_callbacks {
    void *context;
    void (*up)(void *context);
    void (*down)(void *context);
};

/* reply NULL: the connection was lost; borrowed until the callback returns. */
typedef void (*redis_reply_fn)(void *context, const struct redisReply *reply);

/* Starts connecting. NULL and one line in `problem` (256 bytes) when the options make no sense. */
struct redis_conn *redis_conn_create(struct event_base *base, const struct redis_options *options,
                                     const struct redis_conn_callbacks *callbacks, char *problem);
/* Closes; no callback is called any more. Accepts NULL. Not from inside a reply callback. */
void redis_conn_destroy(struct redis_conn *conn);
bool redis_conn_is_up(const struct redis_conn *conn);
/* Sends one command. Only while up. */
void redis_conn_send(struct redis_conn *conn, struct bytes command, redis_reply_fn done, void *arg);
/* Sends a run of commands, which end at `ends`, a piece at a time as the connection takes it: hiredis moves all that it has not
 * written whenever it has written some. Each answer goes to `each`, the last to `last`. Only while up, and one run at a time; what is
 * sent later is sent behind it. `commands` and `ends` are borrowed until the last answer, or `down`. */
struct redis_run {
    struct bytes commands;
    const size_t *ends;
    size_t count;
    redis_reply_fn each;
    redis_reply_fn last;
    void *arg;
};
void redis_conn_send_run(struct redis_conn *conn, const struct redis_run *run);
/* Waits for the connection instead of the event loop, which stands meanwhile, and does what can be done then: callbacks are called
 * from inside. False: nothing came for so long. Only while up, and not from inside a reply callback. */
bool redis_conn_wait(struct redis_conn *conn, int wait_ms);
/* Drops the connection and connects again after a while (the server said that it is not the one to talk to). */
void redis_conn_reconnect(struct redis_conn *conn);
/* The last reason why the connection is down; "" while up. */
const char *redis_conn_problem(const struct redis_conn *conn);

/* Appends a command's head ("*<count>"), and one argument, in Redis' protocol. */
void resp_begin(struct buffer *out, size_t arguments);
void resp_bytes(struct buffer *out, struct bytes argument);
/* One argument, given in two pieces. */
void resp_joined(struct buffer *out, struct bytes head, struct bytes tail);
void resp_text(struct buffer *out, const char *argument);
void resp_number(struct buffer *out, int64_t argument);

#endif

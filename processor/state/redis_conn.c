#include "state/redis_conn.h"

#include "base/clock.h"
#include "base/log.h"
#include "state/redis_tls.h"
#include "state/redis_url.h"

#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>
#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <hiredis/hiredis_ssl.h>
#include <inttypes.h>
#include <netdb.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
    BACKOFF_MS_MIN = 50,
    BACKOFF_MS_MAX = 5000,
    CONNECT_TIMEOUT_MS = 5000,
    COMMAND_TIMEOUT_MS = 10000,
    PROBLEM_BYTES = 256,
    RUN_PIECE_BYTES = 256 << 10, /* given to hiredis at once, about */
};

/* What hiredis asks of an event library, on libevent; freed when hiredis says so. */
struct adapter {
    redisAsyncContext *context;
    struct event *read;
    struct event *write;
    struct event *timer;
    bool writes; /* something is left to be written */
};

/* One command that waits for a run to be sent. */
struct waiting {
    struct waiting *next;
    redis_reply_fn done;
    void *arg;
    size_t size;
    char command[];
};

struct redis_conn {
    struct event_base *base;
    struct evdns_base *dns;
    struct evdns_getaddrinfo_request *resolving;
    struct event *retry;
    const struct redis_options *options;
    struct redis_conn_callbacks callbacks;
    struct redis_url endpoint;
    redisSSLContext *ssl;
    redisAsyncContext *context;
    struct redis_run run;    /* count 0: none, or all of it has been given to hiredis */
    size_t run_next;         /* command of the run */
    struct waiting *waiting; /* oldest first */
    struct waiting **waiting_end;
    bool up;
    bool closing;
    int setup_left; /* answers to AUTH, SELECT and the like still owed */
    int backoff_ms;
    bool logged;
    char problem[PROBLEM_BYTES];
};

static void start(struct redis_conn *conn);
static void send_piece(struct redis_conn *conn);

/* ---- libevent adapter ---- */

static void on_readable(evutil_socket_t fd, short what, void *arg) {
    struct adapter *adapter = arg;
    (void)fd;
    (void)what;
    redisAsyncHandleRead(adapter->context);
}

static void on_writable(evutil_socket_t fd, short what, void *arg) {
    const struct adapter *adapter = arg;
    redisAsyncContext *context = adapter->context;
    struct redis_conn *conn = context->data;
    (void)fd;
    (void)what;
    redisAsyncHandleWrite(context);
    while (conn && conn->context == context && conn->run.count > 0 && !adapter->writes) { /* the socket took it all */
        send_piece(conn);
        redisAsyncHandleWrite(context);
    }
}

static void on_timer(evutil_socket_t fd, short what, void *arg) {
    struct adapter *adapter = arg;
    (void)fd;
    (void)what;
    redisAsyncHandleTimeout(adapter->context);
}

static void add_read(void *arg) {
    event_add(((struct adapter *)arg)->read, NULL);
}

static void del_read(void *arg) {
    event_del(((struct adapter *)arg)->read);
}

static void add_write(void *arg) {
    struct adapter *adapter = arg;
    adapter->writes = true;
    event_add(adapter->write, NULL);
}

static void del_write(void *arg) {
    struct adapter *adapter = arg;
    adapter->writes = false;
    event_del(adapter->write);
}

static void schedule_timer(void *arg, struct timeval after) {
    evtimer_add(((struct adapter *)arg)->timer, &after);
}

static void clean_up(void *arg) {
    struct adapter *adapter = arg;
    event_free(adapter->read);
    event_free(adapter->write);
    event_free(adapter->timer);
    free(adapter);
}

static void attach(struct redis_conn *conn, redisAsyncContext *context) {
    struct adapter *adapter = calloc(1, sizeof *adapter);
    ASSERT(adapter);
    adapter->context = context;
    adapter->read = event_new(conn->base, context->c.fd, EV_READ | EV_PERSIST, on_readable, adapter);
    adapter->write = event_new(conn->base, context->c.fd, EV_WRITE | EV_PERSIST, on_writable, adapter);
    adapter->timer = evtimer_new(conn->base, on_timer, adapter);
    ASSERT(adapter->read && adapter->write && adapter->timer);
    context->ev.data = adapter;
    context->ev.addRead = add_read;
    context->ev.delRead = del_read;
    context->ev.addWrite = add_write;
    context->ev.delWrite = del_write;
    context->ev.cleanup = clean_up;
    context->ev.scheduleTimer = schedule_timer;
}

/* ---- up and down ---- */

static void set_problem(struct redis_conn *conn, const char *problem) {
    snprintf(conn->problem, sizeof conn->problem, "%s", problem && problem[0] ? problem : "connection lost");
    if (!conn->logged) {
        log_warning("cannot use Redis; tries again", "error=\"%s\"", conn->problem);
        conn->logged = true;
    }
}

static void retry_later(struct redis_conn *conn) {
    if (conn->closing) {
        return;
    }
    int wait_ms = conn->backoff_ms / 2 + rand() % (conn->backoff_ms / 2 + 1); /* jitter: not all clients at once */
    struct timeval wait = {wait_ms / 1000, (wait_ms % 1000) * 1000};
    conn->backoff_ms = conn->backoff_ms * 2 < BACKOFF_MS_MAX ? conn->backoff_ms * 2 : BACKOFF_MS_MAX;
    evtimer_add(conn->retry, &wait);
}

/* Why a connection ended. hiredis says nothing, or "Success", when TLS fails: OpenSSL knows more. */
static const char *disconnect_text(const struct redis_conn *conn, const redisAsyncContext *context) {
    const char *text = context->errstr ? context->errstr : "";
    unsigned long code = conn->endpoint.tls && !conn->up ? ERR_peek_last_error() : 0;
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    if (reason) {
        return reason;
    }
    if (text[0] && strcmp(text, "Success") != 0) {
        return text;
    }
    return conn->endpoint.tls && !conn->up ? "the TLS handshake failed" : "connection lost";
}

/* What has not been given to hiredis will not be sent any more; its outcome counts as unknown like that of all the rest. */
static void drop_waiting(struct redis_conn *conn) {
    struct waiting *waiting = conn->waiting;
    conn->run.count = 0;
    conn->waiting = NULL;
    while (waiting) {
        struct waiting *next = waiting->next;
        if (!conn->closing) {
            waiting->done(waiting->arg, NULL);
        }
        free(waiting);
        waiting = next;
    }
}

static void on_disconnect(const redisAsyncContext *context, int status) {
    struct redis_conn *conn = context->data;
    if (!conn || conn->context != context) {
        return;
    }
    bool was_up = conn->up;
    if (status != REDIS_OK) {
        set_problem(conn, disconnect_text(conn, context));
    }
    ERR_clear_error();
    conn->context = NULL;
    conn->up = false;
    drop_waiting(conn);
    if (was_up) {
        conn->callbacks.down(conn->callbacks.context);
    }
    retry_later(conn);
}

static void on_setup(redisAsyncContext *context, void *answer, void *arg) {
    struct redis_conn *conn = context->data;
    const redisReply *reply = answer;
    const char *what = arg;
    if (!conn || conn->context != context || !reply) {
        return;
    }
    if (reply->type == REDIS_REPLY_ERROR) {
        char problem[PROBLEM_BYTES];
        snprintf(problem, sizeof problem, "%s was refused: %.180s", what, reply->str);
        set_problem(conn, problem);
        conn->backoff_ms = BACKOFF_MS_MAX; /* a wrong password does not get right by hammering */
        redisAsyncDisconnect(context);
        return;
    }
    if (--conn->setup_left == 0) {
        if (conn->logged) {
            log_info("can use Redis again", "%s", "");
        }
        conn->logged = false;
        conn->problem[0] = '\0';
        conn->backoff_ms = BACKOFF_MS_MIN;
        conn->up = true;
        conn->callbacks.up(conn->callbacks.context);
    }
}

static void on_connect(redisAsyncContext *context, int status) {
    struct redis_conn *conn = context->data;
    if (!conn || conn->context != context) {
        return;
    }
    if (status != REDIS_OK) {
        conn->context = NULL; /* hiredis frees it */
        set_problem(conn, context->errstr && context->errstr[0] ? context->errstr : "cannot connect");
        retry_later(conn);
        return;
    }
    const char *user = conn->options->username ? conn->options->username : conn->endpoint.user;
    const char *password = conn->options->password ? conn->options->password : conn->endpoint.password;
    conn->setup_left = 1 + (conn->endpoint.database != 0) + (password[0] != '\0');
    static char auth[] = "AUTH", select[] = "SELECT", ping[] = "PING";
    if (password[0] && user[0]) {
        redisAsyncCommand(context, on_setup, auth, "AUTH %s %s", user, password);
    } else if (password[0]) {
        redisAsyncCommand(context, on_setup, auth, "AUTH %s", password);
    }
    if (conn->endpoint.database != 0) {
        redisAsyncCommand(context, on_setup, select, "SELECT %d", conn->endpoint.database);
    }
    redisAsyncCommand(context, on_setup, ping, "PING"); /* tells LOADING and NOAUTH before anything depends on it */
}

static struct timeval duration_of(int ms, int otherwise_ms) {
    ms = ms ? ms : otherwise_ms;
    return (struct timeval){.tv_sec = ms / MS_PER_SECOND, .tv_usec = (suseconds_t)(ms % MS_PER_SECOND) * 1000};
}

static void open_context(struct redis_conn *conn, const char *address) {
    struct timeval connect_wait = duration_of(conn->options->connect_timeout_ms, CONNECT_TIMEOUT_MS);
    struct timeval command_wait = duration_of(conn->options->command_timeout_ms, COMMAND_TIMEOUT_MS);
    redisOptions options = {.connect_timeout = &connect_wait, .command_timeout = &command_wait};
    if (conn->endpoint.unix_socket) {
        REDIS_OPTIONS_SET_UNIX(&options, address);
    } else {
        REDIS_OPTIONS_SET_TCP(&options, address, atoi(conn->endpoint.port));
    }
    redisAsyncContext *context = redisAsyncConnectWithOptions(&options);
    if (!context || context->err) {
        set_problem(conn, context ? context->errstr : "out of memory");
        if (context) {
            redisAsyncFree(context);
        }
        retry_later(conn);
        return;
    }
    context->data = conn;
    conn->context = context;
    if (conn->ssl && redisInitiateSSLWithContext(&context->c, conn->ssl) != REDIS_OK) {
        set_problem(conn, context->c.errstr);
        conn->context = NULL;
        redisAsyncFree(context);
        retry_later(conn);
        return;
    }
    attach(conn, context);
    redisAsyncSetConnectCallbackNC(context, on_connect);
    redisAsyncSetDisconnectCallback(context, on_disconnect);
}

static void on_resolved(int error, struct evutil_addrinfo *found, void *arg) {
    struct redis_conn *conn = arg;
    char address[NI_MAXHOST];
    conn->resolving = NULL;
    if (error == EVUTIL_EAI_CANCEL) {
        return;
    }
    if (error || getnameinfo(found->ai_addr, found->ai_addrlen, address, sizeof address, NULL, 0, NI_NUMERICHOST)) {
        char problem[PROBLEM_BYTES + 64];
        snprintf(problem, sizeof problem, "cannot resolve %s: %s", conn->endpoint.host, evutil_gai_strerror(error));
        set_problem(conn, problem);
        retry_later(conn);
    } else {
        open_context(conn, address);
    }
    if (found) {
        evutil_freeaddrinfo(found);
    }
}

static void start(struct redis_conn *conn) {
    if (conn->endpoint.unix_socket) {
        open_context(conn, conn->endpoint.host);
        return;
    }
    struct evutil_addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = EVUTIL_AI_ADDRCONFIG}; /* AF_UNSPEC is 0 */
    struct evdns_getaddrinfo_request *request =
        evdns_getaddrinfo(conn->dns, conn->endpoint.host, conn->endpoint.port, &hints, on_resolved, conn);
    conn->resolving = request; /* NULL when it was answered at once */
}

static void on_retry(evutil_socket_t fd, short what, void *arg) {
    (void)fd;
    (void)what;
    start(arg);
}

/* ---- for others ---- */

struct redis_conn *redis_conn_create(struct event_base *base, const struct redis_options *options,
                                     const struct redis_conn_callbacks *callbacks, char *problem) {
    struct redis_conn *conn = calloc(1, sizeof *conn);
    ASSERT(conn);
    conn->base = base;
    conn->options = options;
    conn->callbacks = *callbacks;
    conn->backoff_ms = BACKOFF_MS_MIN;
    int error = redis_url_parse(options->url, &conn->endpoint);
    if (error) {
        snprintf(problem, PROBLEM_BYTES,
                 "redis.url is not redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE], the same with "
                 "rediss://, or unix:///PATH[?db=DATABASE]");
    }
    if (!error && conn->endpoint.tls) {
        conn->ssl = redis_tls_create(options, conn->endpoint.host, problem);
        error = conn->ssl ? 0 : ERR_INVALID;
    }
    if (error) {
        free(conn);
        return NULL;
    }
    conn->dns = evdns_base_new(base, EVDNS_BASE_INITIALIZE_NAMESERVERS | EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    conn->dns = conn->dns ? conn->dns : evdns_base_new(base, EVDNS_BASE_DISABLE_WHEN_INACTIVE); /* no resolv.conf */
    conn->retry = evtimer_new(base, on_retry, conn);
    ASSERT(conn->dns && conn->retry);
    struct timeval at_once = {0, 0};
    evtimer_add(conn->retry, &at_once);
    return conn;
}

void redis_conn_destroy(struct redis_conn *conn) {
    if (!conn) {
        return;
    }
    conn->closing = true;
    if (conn->resolving) {
        evdns_getaddrinfo_cancel(conn->resolving);
    }
    if (conn->context) {
        conn->context->data = NULL; /* the callbacks it still owes go nowhere */
        redisAsyncFree(conn->context);
    }
    drop_waiting(conn);
    event_free(conn->retry);
    evdns_base_free(conn->dns, 1);
    if (conn->ssl) {
        redisFreeSSLContext(conn->ssl);
    }
    free(conn);
}

bool redis_conn_is_up(const struct redis_conn *conn) {
    return conn->up;
}

const char *redis_conn_problem(const struct redis_conn *conn) {
    return conn->problem;
}

struct pending {
    redis_reply_fn done;
    void *arg;
};

static void on_reply(redisAsyncContext *context, void *reply, void *arg) {
    struct pending pending = *(struct pending *)arg;
    free(arg);
    if (context->data) {
        pending.done(pending.arg, reply);
    }
}

static void send_now(struct redis_conn *conn, struct bytes command, redis_reply_fn done, void *arg) {
    struct pending *pending = malloc(sizeof *pending);
    ASSERT(pending);
    *pending = (struct pending){done, arg};
    if (redisAsyncFormattedCommand(conn->context, on_reply, pending, command.data, command.size) != REDIS_OK) {
        free(pending); /* the connection is going down: its end is told by `down` */
    }
}

static void send_waiting(struct redis_conn *conn) {
    while (conn->waiting) {
        struct waiting *waiting = conn->waiting;
        conn->waiting = waiting->next;
        send_now(conn, bytes_of(waiting->command, waiting->size), waiting->done, waiting->arg);
        free(waiting);
    }
}

/* Gives hiredis the next piece of the run, and behind its last what waits. */
static void send_piece(struct redis_conn *conn) {
    struct redis_run *run = &conn->run;
    size_t given = 0;
    while (conn->run_next < run->count && given < RUN_PIECE_BYTES) {
        size_t i = conn->run_next++;
        size_t start = i ? run->ends[i - 1] : 0;
        size_t size = run->ends[i] - start;
        send_now(conn, bytes_of(run->commands.data + start, size), i + 1 == run->count ? run->last : run->each,
                 run->arg);
        given += size;
    }
    if (conn->run_next == run->count) {
        run->count = 0;
        send_waiting(conn);
    }
}

void redis_conn_send_run(struct redis_conn *conn, const struct redis_run *run) {
    ASSERT(conn->up && conn->run.count == 0);
    conn->run = *run;
    conn->run_next = 0;
    send_piece(conn);
}

void redis_conn_send(struct redis_conn *conn, struct bytes command, redis_reply_fn done, void *arg) {
    ASSERT(conn->up);
    if (conn->run.count == 0) {
        send_now(conn, command, done, arg);
        return;
    }
    struct waiting *waiting = malloc(sizeof *waiting + command.size);
    ASSERT(waiting);
    *waiting = (struct waiting){.done = done, .arg = arg, .size = command.size};
    memcpy(waiting->command, command.data, command.size);
    if (!conn->waiting) {
        conn->waiting_end = &conn->waiting;
    }
    *conn->waiting_end = waiting;
    conn->waiting_end = &waiting->next;
}

bool redis_conn_wait(struct redis_conn *conn, int wait_ms) {
    redisAsyncContext *context = conn->context;
    struct adapter *adapter = context->ev.data;
    struct pollfd ready = {.fd = context->c.fd, .events = (short)(adapter->writes ? POLLIN | POLLOUT : POLLIN)};
    bool came = poll(&ready, 1, wait_ms) > 0;
    if (ready.revents & POLLOUT) {
        on_writable(ready.fd, EV_WRITE, adapter);
    }
    if ((ready.revents & ~POLLOUT) && conn->context == context) {
        redisAsyncHandleRead(context);
    }
    return came;
}

void redis_conn_reconnect(struct redis_conn *conn) {
    if (conn->context) {
        redisAsyncFree(conn->context); /* deferred by hiredis inside a callback; then on_disconnect */
    }
}

/* A look at Redis before anything depends on it, for check and run. */
#include "state/redis_parts.h"

#include <stdio.h>
#include <stdlib.h>

enum { PROBE_BYTES = 256, PROBE_GIVE_UP_MS = 5000 };

struct probe {
    const struct redis_options *options;
    struct event_base *base;
    struct redis_conn *conn;
    struct redis_memory *memory;
    char *problem;
    int result;
    int waiting; /* answers */
    int major;
    int minor;
    bool aof;
};

static void refuse(struct probe *probe, const char *text) {
    snprintf(probe->problem, PROBE_BYTES, "%s", text);
    probe->result = ERR_REFUSED;
}

static const char *line_of(const struct redisReply *reply, const char *name) {
    const char *at = reply && reply->type == REDIS_REPLY_STRING ? strstr(reply->str, name) : NULL;
    return at ? at + strlen(name) : "";
}

static void one_less(struct probe *probe) {
    if (--probe->waiting == 0) {
        event_base_loopbreak(probe->base);
    }
}

static void on_info(void *context, const struct redisReply *reply) {
    struct probe *probe = context;
    if (!reply) {
        return;
    }
    const char *policy = line_of(reply, "maxmemory_policy:");
    int64_t limit_bytes = atoll(line_of(reply, "\nmaxmemory:"));
    probe->memory->used_bytes = atoll(line_of(reply, "\nused_memory:"));
    probe->memory->limit_bytes = limit_bytes > 0 ? limit_bytes : atoll(line_of(reply, "\ntotal_system_memory:"));
    if (reply->type == REDIS_REPLY_ERROR) {
        snprintf(probe->problem, PROBE_BYTES, "Redis refuses INFO: %.200s", reply->str);
        probe->result = ERR_REFUSED;
    } else if (*policy && strncmp(policy, "noeviction", strlen("noeviction")) != 0) {
        snprintf(probe->problem, PROBE_BYTES,
                 "Redis may evict customers: its maxmemory-policy is %.*s; set it to noeviction",
                 (int)strcspn(policy, "\r\n"), policy);
        probe->result = ERR_REFUSED;
    }
    probe->major = atoi(line_of(reply, "redis_version:"));
    const char *minor = strchr(line_of(reply, "redis_version:"), '.');
    probe->minor = minor ? atoi(minor + 1) : 0;
    probe->aof = atoi(line_of(reply, "aof_enabled:")) != 0;
    if (probe->result == 0 && probe->options->durability == DURABILITY_FSYNC && !probe->aof) {
        refuse(probe, "redis.durability is fsync, but Redis keeps no append-only file: set appendonly yes and "
                      "appendfsync always");
    }
    if (probe->result == 0 && probe->options->durability == DURABILITY_REPLICAS &&
        atoi(line_of(reply, "connected_slaves:")) < probe->options->replicas) {
        snprintf(probe->problem, PROBE_BYTES, "redis.durability asks for %d replicas, but only %d are connected",
                 probe->options->replicas, atoi(line_of(reply, "connected_slaves:")));
        probe->result = ERR_REFUSED;
    }
    one_less(probe);
}

static void on_fsync(void *context, const struct redisReply *reply) {
    struct probe *probe = context;
    if (!reply) {
        return;
    }
    bool always =
        reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 && strcmp(reply->element[1]->str, "always") == 0;
    bool can_wait = probe->major > 7 || (probe->major == 7 && probe->minor >= 2); /* WAITAOF came with 7.2 */
    if (probe->result == 0 && !always && !can_wait) {
        refuse(probe,
               "redis.durability is fsync, but this Redis neither has appendfsync always nor knows WAITAOF (7.2)");
    }
    one_less(probe);
}

static void ask(struct probe *probe, size_t count, const char *const *words, redis_reply_fn done) {
    struct buffer command = {0};
    resp_begin(&command, count);
    for (size_t i = 0; i < count; i++) {
        resp_text(&command, words[i]);
    }
    ASSERT(!command.error);
    probe->waiting++;
    redis_conn_send(probe->conn, buffer_bytes(&command), done, probe);
    buffer_finish(&command);
}

static void on_up(void *context) {
    struct probe *probe = context;
    probe->result = 0;
    probe->waiting = 0;
    ask(probe, 1, (const char *const[]){"INFO"}, on_info);
    if (probe->options->durability == DURABILITY_FSYNC) {
        ask(probe, 3, (const char *const[]){"CONFIG", "GET", "appendfsync"}, on_fsync);
    }
}

static void on_down(void *context) {
    struct probe *probe = context;
    probe->result = ERR_UNAVAILABLE;
}

int redis_probe(const struct redis_options *options, struct redis_memory *memory, char *problem) {
    struct probe probe = {
        .options = options, .memory = memory, .problem = problem, .result = ERR_UNAVAILABLE, .waiting = 1};
    struct redis_conn_callbacks callbacks = {&probe, on_up, on_down};
    struct timeval limit = {PROBE_GIVE_UP_MS / 1000, 0};
    probe.base = event_base_new();
    ASSERT(probe.base);
    probe.conn = redis_conn_create(probe.base, options, &callbacks, problem);
    if (!probe.conn) {
        event_base_free(probe.base);
        return ERR_REFUSED;
    }
    event_base_loopexit(probe.base, &limit);
    event_base_dispatch(probe.base);
    if (probe.result == ERR_UNAVAILABLE || probe.waiting > 0) {
        const char *reason = redis_conn_problem(probe.conn);
        /* Loading, a failover, a script that does not end: these pass. Only a wrong password or missing rights do not. */
        bool refused = strstr(reason, "NOAUTH") || strstr(reason, "WRONGPASS") || strstr(reason, "NOPERM") ||
                       strstr(reason, "ERR AUTH") || strstr(reason, "invalid DB index");
        snprintf(problem, PROBE_BYTES, "Redis cannot be used: %.200s", reason[0] ? reason : "no answer in time");
        probe.result = refused ? ERR_REFUSED : ERR_UNAVAILABLE;
    }
    redis_conn_destroy(probe.conn);
    event_base_free(probe.base);
    return probe.result;
}

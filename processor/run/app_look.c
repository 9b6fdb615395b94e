#include "run/app_look.h"

#include "base/log.h"
#include "base/metrics.h"

#include <event2/event.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    RETRY_S = 1,       /* between looks at what cannot be reached */
    LOOK_AGAIN_S = 30, /* while running: has the partition count changed? */
};

struct app_look {
    void (*news)(void *context);
    void *context;
    struct event *looked; /* activated by the thread */
    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    /* under the lock */
    bool end;
    struct rules *rules; /* in force */
    int error;
    int32_t partitions;
    char problem[CHECK_PROBLEM_BYTES]; /* why it does not run yet; "" once it does */
};

/* ---- on the thread ---- */

/* Waits unless told to end; true: go on. */
static bool pause_for(struct app_look *look, int seconds) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += seconds;
    pthread_mutex_lock(&look->lock);
    while (!look->end && pthread_cond_timedwait(&look->wake, &look->lock, &until) == 0) {
    }
    bool go_on = !look->end;
    pthread_mutex_unlock(&look->lock);
    return go_on;
}

static void show_memory(const struct redis_memory *memory) {
    if (memory->limit_bytes > 0) {
        metric_set(metrics_series(&metric_redis_memory_used_bytes, ""), (double)memory->used_bytes);
        metric_set(metrics_series(&metric_redis_memory_limit_bytes, ""), (double)memory->limit_bytes);
    }
}

/* Looks at everything that the process, with the rules in force, depends on. */
static int look_once(struct app_look *look, int32_t *partitions, char *problem) {
    pthread_mutex_lock(&look->lock);
    struct rules *rules = rules_hold(look->rules);
    pthread_mutex_unlock(&look->lock);
    struct redis_memory memory = {0};
    int error = check_environment(rules_config(rules), partitions, &memory, problem);
    show_memory(&memory);
    rules_release(rules);
    return error;
}

static void *look_thread(void *context) {
    struct app_look *look = context;
    pthread_setname_np(pthread_self(), "looker");
    bool started = false;
    bool refused = false; /* at the last look */
    bool more;
    do {
        char problem[CHECK_PROBLEM_BYTES] = "";
        int32_t partitions = 0;
        int error = look_once(look, &partitions, problem);
        bool moved = started && !error && partitions != look->partitions;
        bool news = !started || moved || error == ERR_REFUSED || refused;
        refused = error == ERR_REFUSED;
        if (error == ERR_UNAVAILABLE && !started) {
            log_warning("waits", "for=\"%s\"", problem);
        }
        if (news) {
            pthread_mutex_lock(&look->lock);
            look->error = error;
            look->partitions = error || started ? look->partitions : partitions;
            if (started && error == ERR_REFUSED) {
                log_error("must be put right", "problem=\"%s\"", problem);
                look->error = 0; /* it runs: what it has is safe; it is not ready until somebody has seen to it */
            }
            if (moved) {
                snprintf(problem, sizeof problem,
                         "the topics now have %" PRId32 " partitions instead of %" PRId32
                         ": keys have moved. Use a new group, or restore the partition count",
                         partitions, look->partitions);
                look->error = ERR_REFUSED;
            }
            snprintf(look->problem, sizeof look->problem, "%s", problem);
            pthread_mutex_unlock(&look->lock);
            event_active(look->looked, EV_READ, 1);
        }
        started |= !error;
        more = pause_for(look, started ? LOOK_AGAIN_S : RETRY_S);
    } while (more);
    return NULL;
}

/* ---- on the loop ---- */

static void on_looked(evutil_socket_t fd, short what, void *context) {
    const struct app_look *look = context;
    (void)fd;
    (void)what;
    look->news(look->context);
}

struct app_look *app_look_create(struct event_base *base, struct rules *rules, void (*news)(void *context),
                                 void *context) {
    struct app_look *look = calloc(1, sizeof *look);
    ASSERT(look);
    look->news = news;
    look->context = context;
    look->rules = rules_hold(rules);
    look->looked = event_new(base, -1, 0, on_looked, look);
    ASSERT(look->looked);
    pthread_mutex_init(&look->lock, NULL);
    pthread_cond_init(&look->wake, NULL);
    snprintf(look->problem, sizeof look->problem, "looks for Kafka and Redis");
    return look;
}

void app_look_start(struct app_look *look) {
    look->started = pthread_create(&look->thread, NULL, look_thread, look) == 0;
    ASSERT(look->started);
}

void app_look_set_rules(struct app_look *look, struct rules *rules) {
    pthread_mutex_lock(&look->lock);
    rules_release(look->rules);
    look->rules = rules_hold(rules);
    pthread_mutex_unlock(&look->lock);
}

int app_look_result(struct app_look *look, int32_t *partitions, char *problem) {
    pthread_mutex_lock(&look->lock);
    int error = look->error;
    *partitions = look->partitions;
    snprintf(problem, CHECK_PROBLEM_BYTES, "%s", look->problem);
    pthread_mutex_unlock(&look->lock);
    return error;
}

void app_look_destroy(struct app_look *look) {
    if (!look) {
        return;
    }
    if (look->started) {
        pthread_mutex_lock(&look->lock);
        look->end = true;
        pthread_cond_signal(&look->wake);
        pthread_mutex_unlock(&look->lock);
        pthread_join(look->thread, NULL);
    }
    rules_release(look->rules);
    event_free(look->looked);
    pthread_cond_destroy(&look->wake);
    pthread_mutex_destroy(&look->lock);
    free(look);
}

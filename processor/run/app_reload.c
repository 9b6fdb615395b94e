#include "run/app_reload.h"

#include "base/log.h"
#include "base/metrics.h"
#include "run/check.h"
#include "run/config_changes.h"

#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

struct app_reload {
    const struct config *config;
    app_reload_fn done;
    void *context;
    struct event *hangup; /* NULL: not from a file */
    struct event *ended;  /* activated by the thread */
    struct metric *ok;
    struct metric *refused;
    pthread_t thread;
    bool running;
    bool again;          /* asked for while running */
    struct rules *rules; /* what the thread has read; NULL: refused */
};

/* ---- on the thread ---- */

static void log_problems(const struct config *running, const struct config_problems *problems) {
    for (size_t i = 0; i < problems->count; i++) {
        const struct config_problem *problem = &problems->items[i];
        log_error("refused the new configuration: the former rules go on", "file=%s line=%d column=%d problem=\"%s\"",
                  problem->file[0] ? problem->file : running->path, problem->line, problem->column, problem->message);
    }
}

static void log_changes(const struct config *running, const struct config *again) {
    struct buffer names = {0};
    config_changes(running, again, &names);
    if (names.size > 0) {
        log_warning("ignored changes that need a restart", "options=\"%.*s\"", (int)names.size, names.data);
    }
    buffer_finish(&names);
}

static struct rules *read_rules(const struct config *running) {
    struct config_problems problems = {.count = 0};
    struct config *again = config_load_again(running, &problems);
    if (!again) {
        log_problems(running, &problems);
        return NULL;
    }
    log_changes(running, again);
    char problem[CHECK_PROBLEM_BYTES];
    int32_t partitions;
    struct redis_memory memory;
    struct config checked = *running; /* what only a restart can change stays as it is */
    checked.model = again->model;
    if (check_environment(&checked, &partitions, &memory, problem)) {
        log_error("refused the new rules: the former ones go on", "problem=\"%s\"", problem);
        config_destroy(again);
        return NULL;
    }
    return rules_create(running, again);
}

static void *reload_thread(void *context) {
    struct app_reload *reload = context;
    pthread_setname_np(pthread_self(), "reloader");
    reload->rules = read_rules(reload->config);
    event_active(reload->ended, EV_READ, 1);
    return NULL;
}

/* ---- on the loop ---- */

static void start(struct app_reload *reload) {
    reload->again = reload->running;
    if (!reload->running) {
        reload->running = pthread_create(&reload->thread, NULL, reload_thread, reload) == 0;
        ASSERT(reload->running);
    }
}

static void on_hangup(evutil_socket_t number, short what, void *context) {
    (void)number;
    (void)what;
    start(context);
}

static void on_ended(evutil_socket_t fd, short what, void *context) {
    struct app_reload *reload = context;
    (void)fd;
    (void)what;
    pthread_join(reload->thread, NULL);
    reload->running = false;
    struct rules *rules = reload->rules;
    reload->rules = NULL;
    metric_add(rules ? reload->ok : reload->refused, 1);
    if (rules) {
        struct bytes version = model_version(rules_model(rules));
        log_info("read new rules", "rules=%.*s", (int)version.size, version.data);
        reload->done(reload->context, rules);
    }
    if (reload->again) {
        start(reload);
    }
}

struct app_reload *app_reload_create(struct event_base *base, const struct config *config, app_reload_fn done,
                                     void *context) {
    struct app_reload *reload = calloc(1, sizeof *reload);
    ASSERT(reload);
    reload->config = config;
    reload->done = done;
    reload->context = context;
    reload->ok = metrics_series(&metric_reloads_total, "result=\"ok\"");
    reload->refused = metrics_series(&metric_reloads_total, "result=\"refused\"");
    reload->ended = event_new(base, -1, 0, on_ended, reload);
    ASSERT(reload->ended);
    if (config->from_file) {
        reload->hangup = evsignal_new(base, SIGHUP, on_hangup, reload);
        ASSERT(reload->hangup);
        event_add(reload->hangup, NULL);
    }
    return reload;
}

void app_reload_destroy(struct app_reload *reload) {
    if (!reload) {
        return;
    }
    if (reload->running) {
        pthread_join(reload->thread, NULL);
    }
    rules_release(reload->rules);
    if (reload->hangup) {
        event_free(reload->hangup);
    }
    event_free(reload->ended);
    free(reload);
}

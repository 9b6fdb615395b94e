#include "run/app.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "run/app_changes.h"
#include "run/app_look.h"
#include "run/app_reload.h"
#include "run/app_service.h"
#include "run/check.h"
#include "run/commands.h"
#include "run/lookup.h"
#include "run/overview.h"
#include "run/slot.h"
#include "run/worker.h"
#include "serve/http.h"

#include <event2/event.h>
#include <event2/thread.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

enum {
    STOPPING_TICK_MS = 20,
    STOP_MS_MAX = 9500, /* of the 10 s that a stop may take */
    REASON_BYTES = SERVICE_REASON_BYTES,
    STUCK_MS = 10000, /* a worker whose loop has not turned for so long hangs: no step of it takes 0.1 s */
};

struct app {
    const struct config *config;
    struct event_base *base;
    struct event *terminate;
    struct event *interrupt;
    struct event *stop;
    struct event *stopping_tick;
    struct http_server *http;
    struct lookup *lookup;
    struct overview *overview;
    struct app_changes *changes;
    struct service *service; /* NULL: no service manager asked to be told */
    struct redis_health redis_health;
    struct metric *redis_up;
    struct metric *kafka_up;
    struct metric *ready;
    struct app_look *look;
    struct app_reload *reload;
    struct rules *rules; /* in force */
    struct worker_shared shared;
    struct worker **workers;
    int workers_count;
    bool stopping;
    int64_t stop_by_ms; /* monotonic */
    int exit_code;
};

/* ---- workers ---- */

static void stop(struct app *app, int exit_code) {
    if (app->stopping) {
        return;
    }
    app->stopping = true;
    app->stop_by_ms = clock_monotonic_ms() + STOP_MS_MAX;
    app->exit_code = exit_code;
    log_info("stops", "%s", "");
    app_changes_stop(app->changes);
    service_stopping(app->service);
    for (int i = 0; i < app->workers_count; i++) {
        worker_stop(app->workers[i]);
    }
    struct timeval tick = {0, STOPPING_TICK_MS * 1000};
    event_add(app->stopping_tick, &tick);
}

static void on_stopping_tick(evutil_socket_t fd, short what, void *context) {
    struct app *app = context;
    (void)fd;
    (void)what;
    bool ended = true;
    for (int i = 0; i < app->workers_count; i++) {
        ended &= worker_has_ended(app->workers[i]);
    }
    if (ended) {
        event_base_loopbreak(app->base);
    } else if (clock_monotonic_ms() >= app->stop_by_ms) {
        /* A broker that does not answer holds a thread. Everything scored is in the store or will be scored again: leaving
         * now is what a crash would be, and the next owner goes on from there. */
        log_warning("left without an answer from Kafka; the next owner finishes what is open", "exit=%d",
                    app->exit_code);
        _exit(app->exit_code);
    }
}

static void start_workers(struct app *app, int32_t partitions) {
    char problem[CHECK_PROBLEM_BYTES];
    app->overview = overview_create(app->base, app->config, app->rules, partitions, problem);
    app->lookup = app->overview ? lookup_create(app->base, app->config, partitions, problem) : NULL;
    if (!app->lookup) {
        log_error("cannot start", "error=\"%s\"", problem);
        stop(app, EX_CONFIG);
        return;
    }
    lookup_set_rules(app->lookup, app->rules);
    int count =
        app->config->workers < partitions ? app->config->workers : partitions; /* more would have nothing to do */
    app->shared = (struct worker_shared){
        .config = app->config,
        .partitions = partitions,
        .workers = count,
        .rules = app->rules,
        .redis_health = &app->redis_health,
    };
    for (int i = 0; i < count; i++) {
        struct worker *worker = worker_create(&app->shared, i, problem);
        if (!worker) {
            log_error("cannot start a worker", "error=\"%s\"", problem);
            stop(app, EX_CONFIG);
            return;
        }
        app->workers[app->workers_count++] = worker;
    }
    struct bytes version = model_version(rules_model(app->rules));
    log_info("started", "version=%s workers=%d partitions=%" PRId32 " delivery=%s rules=%.*s", TIDEMARK_VERSION, count,
             partitions, app->config->exactly_once ? "exactly_once" : "at_least_once", (int)version.size, version.data);
}

static void on_rules(void *context, struct rules *rules) {
    struct app *app = context;
    rules_release(app->rules);
    app->rules = rules;
    app_look_set_rules(app->look, rules);
    app_changes_set_rules(app->changes, rules);
    if (app->lookup) {
        lookup_set_rules(app->lookup, rules);
        overview_set_rules(app->overview, rules);
    }
    for (int i = 0; i < app->workers_count; i++) {
        worker_set_rules(app->workers[i], rules);
    }
}

static void on_looked(void *context) {
    struct app *app = context;
    int32_t partitions;
    char problem[CHECK_PROBLEM_BYTES];
    int error = app_look_result(app->look, &partitions, problem);
    if (app->stopping) {
        return;
    }
    if (error == ERR_REFUSED) {
        fprintf(stderr, "tidemark: %s\n", problem);
        stop(app, EX_CONFIG);
    } else if (!error && app->workers_count == 0) {
        start_workers(app, partitions);
    }
}

/* ---- HTTP ---- */

static bool is_ready(void *context, char *reason) {
    struct app *app = context;
    int32_t partitions;
    char problem[CHECK_PROBLEM_BYTES];
    app_look_result(app->look, &partitions, problem);
    snprintf(reason, REASON_BYTES, "%.255s", problem);
    if (reason[0]) {
        return false;
    }
    if (app->stopping || app->workers_count == 0) {
        snprintf(reason, REASON_BYTES, "%s", app->stopping ? "stops" : "starts");
        return false;
    }
    if (app->redis_health.evicts) {
        snprintf(reason, REASON_BYTES, "Redis may evict customers: set maxmemory-policy noeviction");
        return false;
    }
    if (app->redis_health.connected < app->redis_health.stores) {
        snprintf(reason, REASON_BYTES, "Redis cannot be reached");
        return false;
    }
    for (int i = 0; i < app->workers_count; i++) {
        if (!worker_is_ready(app->workers[i], reason)) {
            return false;
        }
    }
    return true;
}

/* A stop has its own limit, after which the process leaves. */
static bool is_alive(void *context) {
    struct app *app = context;
    int64_t now_ms = clock_monotonic_ms();
    bool alive = true;
    for (int i = 0; i < app->workers_count && !app->stopping; i++) {
        alive &= now_ms - worker_turned_ms(app->workers[i]) < STUCK_MS;
    }
    return alive;
}

static bool kafka_is_up(const struct app *app) {
    bool up = app->workers_count > 0;
    for (int i = 0; i < app->workers_count; i++) {
        up &= worker_kafka_is_up(app->workers[i]);
    }
    return up;
}

static bool redis_is_up(const struct app *app) {
    return app->workers_count > 0 && app->redis_health.connected == app->redis_health.stores;
}

static void before_metrics(void *context) {
    struct app *app = context;
    char reason[REASON_BYTES];
    metric_set(app->ready, is_ready(app, reason) ? 1 : 0);
    metric_set(app->kafka_up, kafka_is_up(app) ? 1 : 0);
    metric_set(app->redis_up, redis_is_up(app) ? 1 : 0);
}

static void on_json(void *arg, int error, struct bytes json) {
    struct http_answer *answer = arg;
    switch (error) {
    case 0:
        http_answer_send(answer, 200, "application/json", json);
        break;
    case ERR_NOT_FOUND:
        http_answer_problem(answer, 404, "Unknown customer", "No event of this customer has been read.");
        break;
    case ERR_UNAVAILABLE:
        http_answer_problem(answer, 503, "Unavailable", "Redis cannot be reached at present.");
        break;
    default:
        http_answer_problem(answer, 500, "Unreadable", "What is stored cannot be read.");
        break;
    }
}

/* Before the workers start there is nobody to ask; then this answers, and returns true. */
static bool is_waiting(const struct app *app, struct http_answer *answer) {
    if (!app->lookup) {
        http_answer_problem(answer, 503, "Unavailable", "The process is still waiting for Kafka or Redis.");
    }
    return !app->lookup;
}

static void tell_customer(void *context, struct bytes id, int64_t at_ms, struct http_answer *answer) {
    struct app *app = context;
    if (!is_waiting(app, answer)) {
        lookup_customer(app->lookup, id, at_ms, on_json, answer);
    }
}

static void tell_tiers(void *context, struct http_answer *answer) {
    struct app *app = context;
    if (!is_waiting(app, answer)) {
        overview_tiers(app->overview, on_json, answer);
    }
}

static void tell_feedback(void *context, int days, enum http_feedback_by by, struct http_answer *answer) {
    static const enum feedback_by kinds[] = {[HTTP_FEEDBACK_ALL] = FEEDBACK_BY_NOTHING,
                                             [HTTP_FEEDBACK_TIER] = FEEDBACK_BY_TIER,
                                             [HTTP_FEEDBACK_CHANNEL] = FEEDBACK_BY_CHANNEL,
                                             [HTTP_FEEDBACK_TOUCHPOINT] = FEEDBACK_BY_TOUCHPOINT};
    struct app *app = context;
    if (!is_waiting(app, answer)) {
        overview_feedback(app->overview, days, kinds[by], on_json, answer);
    }
}

static void tell_alerts(void *context, int limit, struct http_answer *answer) {
    struct app *app = context;
    if (!is_waiting(app, answer)) {
        overview_alerts(app->overview, limit, on_json, answer);
    }
}

static void tell_value(void *context, int days, struct http_answer *answer) {
    struct app *app = context;
    if (!is_waiting(app, answer)) {
        overview_value(app->overview, days, on_json, answer);
    }
}

static void tell_tasks(void *context, struct http_answer *answer) {
    struct app *app = context;
    char reason[256];
    if (is_waiting(app, answer)) {
        return;
    }
    size_t room = (size_t)app->workers_count * (size_t)app->shared.partitions + 1;
    struct slot_status *statuses = calloc(room, sizeof *statuses);
    int *workers = calloc(room, sizeof *workers);
    ASSERT(statuses && workers);
    struct overview_process process = {.reason = is_ready(app, reason) ? NULL : reason,
                                       .kafka_up = kafka_is_up(app),
                                       .redis_up = redis_is_up(app),
                                       .workers = app->workers_count,
                                       .statuses = statuses,
                                       .status_workers = workers,
                                       .ends_of = app->workers[0]};
    for (int i = 0; i < app->workers_count; i++) {
        size_t count = worker_statuses(app->workers[i], statuses + process.statuses_count);
        for (; count > 0; count--) {
            workers[process.statuses_count++] = i;
        }
    }
    overview_tasks(app->overview, &process, on_json, answer);
    free(statuses);
    free(workers);
}

static void tell_changes(void *context, struct bytes tier_set, struct bytes last_event_id, struct http_answer *answer) {
    struct app *app = context;
    if (!is_waiting(app, answer)) {
        app_changes_stream(app->changes, tier_set, last_event_id, answer);
    }
}

static int open_http(struct app *app, char *problem) {
    const struct config *config = app->config;
    if (!config->http_host) {
        return 0;
    }
    struct http_options options = {config->http_host, config->http_port, config->http_token};
    struct http_callbacks callbacks = {
        .context = app,
        .alive = is_alive,
        .ready = is_ready,
        .before_metrics = before_metrics,
        .customer = tell_customer,
        .tiers = tell_tiers,
        .feedback = tell_feedback,
        .alerts = tell_alerts,
        .value = tell_value,
        .tasks = tell_tasks,
        .changes = tell_changes,
    };
    app->http = http_server_create(app->base, &options, &callbacks, problem);
    return app->http ? 0 : ERR_IO;
}

/* ---- the process ---- */

static void on_signal(evutil_socket_t number, short what, void *context) {
    (void)number;
    (void)what;
    stop(context, 0);
}

static void on_stop(evutil_socket_t fd, short what, void *context) {
    (void)fd;
    (void)what;
    stop(context, 0);
}

struct app *app_create(const struct config *config, char *problem) {
    struct app *app = calloc(1, sizeof *app);
    ASSERT(app);
    evthread_use_pthreads();
    signal(SIGPIPE, SIG_IGN);
    app->config = config;
    app->base = event_base_new();
    app->workers = calloc((size_t)config->workers, sizeof *app->workers);
    ASSERT(app->base && app->workers);
    app->redis_up = metrics_series(&metric_redis_up, "");
    app->kafka_up = metrics_series(&metric_kafka_up, "");
    app->ready = metrics_series(&metric_ready, "");
    metric_set(metrics_series(&metric_build_info, "version=\"" TIDEMARK_VERSION "\""), 1);
    app->terminate = evsignal_new(app->base, SIGTERM, on_signal, app);
    app->interrupt = evsignal_new(app->base, SIGINT, on_signal, app);
    app->stop = event_new(app->base, -1, 0, on_stop, app);
    app->stopping_tick = event_new(app->base, -1, EV_PERSIST, on_stopping_tick, app);
    ASSERT(app->terminate && app->interrupt && app->stop && app->stopping_tick);
    app->rules = rules_create(config, NULL);
    app->look = app_look_create(app->base, app->rules, on_looked, app);
    app->changes = app_changes_create(app->base, app->rules);
    event_add(app->terminate, NULL);
    event_add(app->interrupt, NULL);
    app->reload = app_reload_create(app->base, config, on_rules, app);
    if (open_http(app, problem)) {
        app_destroy(app);
        return NULL;
    }
    app->service = service_create(app->base, &(struct service_callbacks){app, is_ready, is_alive});
    return app;
}

int app_run(struct app *app) {
    app_look_start(app->look);
    event_base_loop(app->base, EVLOOP_NO_EXIT_ON_EMPTY);
    log_info("ended", "exit=%d", app->exit_code);
    return app->exit_code;
}

void app_stop(struct app *app) {
    event_active(app->stop, EV_READ, 1);
}

int app_http_port(const struct app *app) {
    return app->http ? http_server_port(app->http) : 0;
}

void app_destroy(struct app *app) {
    app_look_destroy(app->look);
    app_reload_destroy(app->reload);
    for (int i = 0; i < app->workers_count; i++) {
        worker_destroy(app->workers[i]);
    }
    if (app->http) {
        http_server_destroy(app->http);
    }
    lookup_destroy(app->lookup);
    overview_destroy(app->overview);
    service_destroy(app->service);
    event_free(app->terminate);
    event_free(app->interrupt);
    event_free(app->stop);
    event_free(app->stopping_tick);
    app_changes_destroy(app->changes);
    rules_release(app->rules);
    event_base_free(app->base);
    free(app->workers);
    free(app);
}

int command_run(const struct config *config) {
    char problem[CHECK_PROBLEM_BYTES];
    struct app *app = app_create(config, problem);
    if (!app) {
        fprintf(stderr, "tidemark: %s\n", problem);
        return EX_CONFIG;
    }
    int exit_code = app_run(app);
    app_destroy(app);
    return exit_code;
}

#include "run/worker.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "ingest/kafka_ends.h"
#include "publish/kafka_sink.h"
#include "run/kafka_admin.h"
#include "run/slot.h"
#include "run/worker_population.h"
#include "run/worker_wake.h"

#include <event2/event.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    TURN_MS_MAX = 50,         /* of pumping tasks: then sockets, Kafka's answers and time-outs are served */
    TICK_MS = 100,            /* timers that nothing else wakes for */
    ENDS_MS = 1000,           /* how often the ends of partitions are asked for */
    RETAKE_MS = 3000,         /* after being fenced: by then the group has told us if the task is still ours */
    DRAIN_TIMEOUT_MS = 6000,  /* leaves the rest of the 10 s that a stop may take for leaving the group */
    SETTLE_TIMEOUT_MS = 1000, /* for all tasks of a rebalance: Redis answers much sooner, or is in trouble */
    REASON_BYTES = 256,
};

struct worker {
    struct worker_shared shared;
    int index;
    pthread_t thread;
    struct event_base *base;
    struct worker_wake *wake;
    struct event *tick;
    struct kafka_consumer *consumer;
    struct kafka_ends *ends; /* of all tasks; NULL: another worker asks, or nobody wants to know */
    struct kafka_sink *sink;
    struct cache *cache;
    const struct task *turning; /* see run/task.h */
    struct worker_population *population;
    struct rules *rules; /* of tasks to come */
    struct metric *cache_bytes;
    struct slot *slots;
    size_t slots_count;
    size_t next_slot; /* whose turn it is, by its number and any multiple of their count */
    bool joined;
    bool uneven;
    int64_t ends_ms;
    bool draining;
    int64_t drain_until_ms;

    _Atomic bool stop;
    _Atomic bool kafka_up;
    _Atomic int64_t turned_ms;
    _Atomic bool ended;
    _Atomic bool has_coming;
    pthread_mutex_t lock; /* of what follows */
    char reason[REASON_BYTES];
    struct slot_status *statuses; /* room for every partition */
    size_t statuses_count;
    struct rules *coming; /* to be taken by the loop; NULL: none */
};

static void wake_worker(void *context) {
    struct worker *worker = context;
    worker_wake_up(worker->wake);
}

static int64_t wall_ms(void *context) {
    (void)context;
    return clock_wall_ms();
}

static int64_t monotonic_ms(void *context) {
    (void)context;
    return clock_monotonic_ms();
}

static struct store *open_store(void *context, int32_t partition) {
    struct worker *worker = context;
    char problem[256];
    struct store *store = redis_store_create(worker->base, &worker->shared.config->redis, worker->shared.redis_health,
                                             partition, problem);
    if (!store) {
        log_error("could not open a store", "error=\"%s\"", problem);
    }
    return store;
}

static void slot_open(struct worker *worker, struct slot *slot) {
    slot->rules = rules_hold(worker->rules);
    slot->source = kafka_source_create(worker->consumer, slot->partition);
    ASSERT(slot->source);
    struct task_options options = slot_task_options(slot, worker->shared.config, worker->shared.partitions);
    struct task_ports ports = {
        .source = kafka_source_port(slot->source),
        .sink = kafka_sink_port(worker->sink),
        .open_store = open_store,
        .open_store_context = worker,
        .population = worker_population_port(worker->population),
        .cache = worker->cache,
        .turning = &worker->turning,
        .wall_ms = wall_ms,
        .monotonic_ms = monotonic_ms,
        .wake = wake_worker,
        .wake_context = worker,
    };
    slot->task = task_create(&options, &ports);
    ASSERT(slot->task);
}

/* Copies what other threads may know of the tasks. */
static void update_statuses(struct worker *worker) {
    pthread_mutex_lock(&worker->lock);
    size_t room = (size_t)worker->shared.partitions; /* partitions that came later are not served */
    worker->statuses_count = worker->slots_count < room ? worker->slots_count : room;
    for (size_t i = 0; i < worker->statuses_count; i++) {
        slot_status(&worker->slots[i], &worker->statuses[i]);
    }
    pthread_mutex_unlock(&worker->lock);
}

/* What is in flight to Redis happens anyway: so that it is counted, its answers are waited for, which are all on their way. */
static void settle_slots(struct worker *worker) {
    int64_t until_ms = clock_monotonic_ms() + SETTLE_TIMEOUT_MS;
    for (size_t i = 0; i < worker->slots_count; i++) {
        if (worker->slots[i].task) {
            task_settle(worker->slots[i].task, until_ms);
        }
    }
}

static void close_slots(struct worker *worker) {
    for (size_t i = 0; i < worker->slots_count; i++) {
        slot_close(&worker->slots[i]);
        slot_gauges_hide(&worker->slots[i]);
    }
    free(worker->slots);
    worker->slots = NULL;
    worker->slots_count = 0;
    update_statuses(worker);
}

static void assigned(void *context, const int32_t *partitions, size_t count) {
    struct worker *worker = context;
    worker->joined = true;
    worker->uneven = false;
    if (worker->draining) {
        return;
    }
    kafka_sink_own(worker->sink, true);
    worker->slots = calloc(count + 1, sizeof *worker->slots);
    ASSERT(worker->slots);
    worker->slots_count = count;
    for (size_t i = 0; i < count; i++) {
        struct slot *slot = &worker->slots[i];
        slot->partition = partitions[i];
        slot_gauges_find(slot, worker->shared.config->topics);
        slot_open(worker, slot);
    }
}

static void revoked(void *context, bool lost) {
    struct worker *worker = context;
    worker->joined &= !lost;
    if (worker->sink) {
        kafka_sink_own(worker->sink, false);
    }
    settle_slots(worker);
    close_slots(worker);
}

static void uneven(void *context) {
    struct worker *worker = context;
    worker->uneven = true;
    log_error("was given partitions of one topic without those of the others: all members must use the same topics",
              "%s", "");
}

static void set_reason(struct worker *worker, const char *reason) {
    pthread_mutex_lock(&worker->lock);
    snprintf(worker->reason, sizeof worker->reason, "%s", reason);
    pthread_mutex_unlock(&worker->lock);
}

/* Says why the worker is not ready, or that it is. */
static void update_reason(struct worker *worker) {
    char reason[REASON_BYTES] = "";
    if (!worker->joined) {
        snprintf(reason, sizeof reason, "waits to join the consumer group");
    } else if (worker->uneven) {
        snprintf(reason, sizeof reason, "members of the group use different topics");
    } else if (!kafka_consumer_is_up(worker->consumer) && worker->slots_count > 0) {
        snprintf(reason, sizeof reason, "Kafka does not answer");
    }
    for (size_t i = 0; i < worker->slots_count && !reason[0]; i++) {
        slot_reason(&worker->slots[i], reason, sizeof reason);
    }
    set_reason(worker, reason);
    /* A worker without a task asks Kafka nothing: being in the group is all it can tell. */
    worker->kafka_up = worker->slots_count > 0 ? kafka_consumer_is_up(worker->consumer) : worker->joined;
}

static void update_gauges(struct worker *worker) {
    for (size_t i = 0; i < worker->slots_count; i++) {
        slot_gauges_update(&worker->slots[i]);
    }
    metric_set(worker->cache_bytes, (double)cache_bytes(worker->cache));
}

/* A fenced task may still be ours: the other owner may be one that the group has left behind. Try again in a while; if the
 * task is not ours, a rebalance will have taken it away by then. */
static void retake_fenced(struct worker *worker, struct slot *slot) {
    int64_t now_ms = clock_monotonic_ms();
    if (slot->task && task_state(slot->task) == TASK_FENCED) {
        slot_close(slot);
        slot->retake_ms = now_ms + RETAKE_MS;
    } else if (!slot->task && now_ms >= slot->retake_ms && !worker->draining) {
        slot_open(worker, slot);
    }
}

static bool all_drained(const struct worker *worker) {
    for (size_t i = 0; i < worker->slots_count; i++) {
        const struct task *task = worker->slots[i].task;
        if (task && (task_state(task) == TASK_DRAINING || task_state(task) == TASK_RUNNING)) {
            return false;
        }
    }
    return true;
}

static void drain(struct worker *worker) {
    int64_t now_ms = clock_monotonic_ms();
    if (!worker->draining) {
        worker->draining = true;
        worker->drain_until_ms = now_ms + DRAIN_TIMEOUT_MS;
        for (size_t i = 0; i < worker->slots_count; i++) {
            if (worker->slots[i].task) {
                task_drain(worker->slots[i].task);
            }
        }
    }
    bool done = all_drained(worker);
    if (done || now_ms >= worker->drain_until_ms) {
        log_info(done ? "finished its work" : "gave up finishing its work in time; the next owner will", "worker=%d",
                 worker->index);
        event_base_loopbreak(worker->base);
    }
}

/* Hands new rules on to the tasks. */
static void take_rules(struct worker *worker) {
    pthread_mutex_lock(&worker->lock);
    struct rules *rules = worker->coming;
    worker->coming = NULL;
    pthread_mutex_unlock(&worker->lock);
    if (rules) {
        rules_release(worker->rules);
        worker->rules = rules;
        for (size_t i = 0; i < worker->slots_count; i++) {
            slot_set_rules(&worker->slots[i], rules);
        }
    }
}

/* Gives each task its turn; after TURN_MS_MAX those that are left come first in the next one. True: there is more to do. */
static bool pump_slots(struct worker *worker) {
    int64_t until_ms = clock_monotonic_ms() + TURN_MS_MAX;
    bool more = false;
    for (size_t i = 0; i < worker->slots_count; i++) {
        struct slot *slot = &worker->slots[worker->next_slot++ % worker->slots_count];
        if (slot->task) {
            more |= task_pump(slot->task);
            slot_follow_rules(slot);
        }
        retake_fenced(worker, slot);
        if (clock_monotonic_ms() >= until_ms) {
            return true;
        }
    }
    return more;
}

/* One turn of the loop. */
static void turn(void *context) {
    struct worker *worker = context;
    kafka_consumer_serve(worker->consumer);
    kafka_sink_serve(worker->sink);
    if (worker->has_coming) {
        worker->has_coming = false;
        take_rules(worker);
    }
    bool more = pump_slots(worker);
    if (worker->stop) {
        drain(worker);
    }
    if (more) {
        worker_wake_up(worker->wake);
    }
}

static void on_tick(evutil_socket_t fd, short what, void *context) {
    struct worker *worker = context;
    (void)fd;
    (void)what;
    int64_t now_ms = clock_monotonic_ms();
    worker->turned_ms = kafka_sink_hangs(worker->sink) ? worker->turned_ms : now_ms;
    if (now_ms - worker->ends_ms >= ENDS_MS) {
        worker->ends_ms = now_ms;
        kafka_consumer_tick(worker->consumer);
        kafka_ends_tick(worker->ends);
        update_gauges(worker);
    }
    turn(worker);
    update_reason(worker);
    update_statuses(worker);
}

static struct rd_kafka_conf_s *producer_conf(void *context) {
    struct worker *worker = context;
    char problem[512];
    struct rd_kafka_conf_s *conf = kafka_producer_conf(worker->shared.config, problem);
    if (!conf) {
        log_error("could not configure a producer", "error=\"%s\"", problem);
    }
    return conf;
}

static void *worker_thread(void *context) {
    struct worker *worker = context;
    pthread_setname_np(pthread_self(), "worker");
    event_base_dispatch(worker->base);
    /* Tasks go before the sink they publish to, the sink before the consumer whose membership it uses. */
    close_slots(worker);
    kafka_sink_destroy(worker->sink);
    worker->sink = NULL;
    kafka_ends_close(worker->ends);
    kafka_consumer_destroy(worker->consumer);
    worker->consumer = NULL;
    worker->ended = true;
    return NULL;
}

static int worker_open(struct worker *worker, char *problem) {
    const struct config *config = worker->shared.config;
    struct kafka_consumer_callbacks callbacks = {worker, assigned, revoked, uneven};
    struct rd_kafka_conf_s *conf = kafka_consumer_conf(config, problem);
    if (!conf) {
        return ERR_INVALID;
    }
    worker->consumer = kafka_consumer_create(conf, config->topics, worker_wake_fd(worker->wake), &callbacks, problem);
    if (!worker->consumer) {
        return ERR_INVALID;
    }
    if (worker->index == 0 && config->http_host) {
        worker->ends =
            kafka_ends_create(kafka_consumer_handle(worker->consumer), config->topics, worker->shared.partitions);
    }
    struct kafka_sink_options options = {
        .exactly_once = config->exactly_once,
        .topics = {config->topics[0], config->topics[1], config->topics[2]},
        .producer_conf = producer_conf,
        .context = worker,
        .wake_fd = worker_wake_fd(worker->wake),
        .group = config->group,
    };
    worker->sink = kafka_sink_create(&options, kafka_consumer_handle(worker->consumer));
    return worker->sink ? 0 : ERR_NO_MEMORY;
}

static struct metric *worker_gauge(const struct metric_family *family, int index) {
    char labels[32];
    snprintf(labels, sizeof labels, "worker=\"%d\"", index);
    return metrics_series(family, labels);
}

struct worker *worker_create(const struct worker_shared *shared, int index, char *problem) {
    struct worker *worker = calloc(1, sizeof *worker);
    ASSERT(worker);
    snprintf(problem, 512, "out of memory");
    worker->shared = *shared;
    worker->index = index;
    pthread_mutex_init(&worker->lock, NULL);
    set_reason(worker, "starts");
    worker->rules = rules_hold(shared->rules);
    worker->base = event_base_new();
    ASSERT(worker->base);
    worker->wake = worker_wake_create(worker->base, turn, worker);
    worker->population = worker_population_create(worker->base, &shared->config->redis);
    worker->cache = cache_create(shared->config->cache_bytes / (size_t)shared->workers);
    worker->cache_bytes = worker_gauge(&metric_cache_bytes, index);
    worker->statuses = calloc((size_t)shared->partitions + 1, sizeof *worker->statuses);
    ASSERT(worker->population && worker->cache && worker->statuses);
    struct timeval tick = {0, TICK_MS * 1000};
    worker->tick = event_new(worker->base, -1, EV_PERSIST, on_tick, worker);
    ASSERT(worker->tick);
    event_add(worker->tick, &tick);
    worker->turned_ms = clock_monotonic_ms();
    if (worker_open(worker, problem) || pthread_create(&worker->thread, NULL, worker_thread, worker)) {
        kafka_sink_destroy(worker->sink);
        kafka_ends_close(worker->ends);
        kafka_consumer_destroy(worker->consumer);
        worker->thread = 0;
        worker_destroy(worker);
        return NULL;
    }
    return worker;
}

void worker_stop(struct worker *worker) {
    worker->stop = true;
    worker_wake_up(worker->wake);
}

void worker_set_rules(struct worker *worker, struct rules *rules) {
    pthread_mutex_lock(&worker->lock);
    rules_release(worker->coming);
    worker->coming = rules_hold(rules);
    pthread_mutex_unlock(&worker->lock);
    worker->has_coming = true;
    worker_wake_up(worker->wake);
}

bool worker_has_ended(const struct worker *worker) {
    return worker->ended;
}

void worker_destroy(struct worker *worker) {
    if (!worker) {
        return;
    }
    if (worker->thread) {
        pthread_join(worker->thread, NULL);
    }
    worker_population_destroy(worker->population);
    worker_wake_destroy(worker->wake);
    event_free(worker->tick);
    event_base_free(worker->base);
    cache_destroy(worker->cache);
    free(worker->statuses);
    kafka_ends_destroy(worker->ends);
    rules_release(worker->rules);
    rules_release(worker->coming);
    pthread_mutex_destroy(&worker->lock);
    free(worker);
}

bool worker_is_ready(struct worker *worker, char *reason) {
    pthread_mutex_lock(&worker->lock);
    snprintf(reason, REASON_BYTES, "%s", worker->reason);
    pthread_mutex_unlock(&worker->lock);
    return reason[0] == '\0';
}

size_t worker_statuses(struct worker *worker, struct slot_status *out) {
    pthread_mutex_lock(&worker->lock);
    size_t count = worker->statuses_count;
    memcpy(out, worker->statuses, count * sizeof *out);
    pthread_mutex_unlock(&worker->lock);
    return count;
}

int64_t worker_end_of(const struct worker *worker, int32_t partition, enum input input) {
    return kafka_ends_of(worker->ends, partition, input);
}

bool worker_kafka_is_up(const struct worker *worker) {
    return worker->kafka_up;
}

int64_t worker_turned_ms(const struct worker *worker) {
    return worker->turned_ms;
}

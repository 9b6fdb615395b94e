#include "base/metrics.h"

#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

/* Seconds: from what a local publish takes to the longest time-outs. */
static const double seconds_bounds[] = {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60};

#define FAMILY(variable, kind, family_name, text)                                                                      \
    const struct metric_family variable = {.name = family_name, .help = text, .type = kind}

FAMILY(
    metric_events_total, METRIC_COUNTER, "tidemark_events_total",
    "Events by topic and by what became of them: applied, duplicate, late (only whole-life numbers), dead (letter).");
FAMILY(metric_tier_changes_total, METRIC_COUNTER, "tidemark_tier_changes_total", "Tier changes put in the outbox.");
FAMILY(metric_dead_letters_total, METRIC_COUNTER, "tidemark_dead_letters_total", "Dead letters by reason.");
FAMILY(metric_consumer_lag, METRIC_GAUGE, "tidemark_consumer_lag", "Records of the partition not taken yet.");
FAMILY(metric_event_latency_seconds, METRIC_HISTOGRAM, "tidemark_event_latency_seconds",
       "From the timestamp of a record to the acknowledgement of the outputs that it caused.");
FAMILY(metric_apply_seconds, METRIC_HISTOGRAM, "tidemark_apply_seconds",
       "From sending a batch to Redis to its answer.");
FAMILY(metric_commit_seconds, METRIC_HISTOGRAM, "tidemark_commit_seconds",
       "One turn of publishing: outputs and offsets to Kafka.");
FAMILY(metric_cache_hits_total, METRIC_COUNTER, "tidemark_cache_hits_total", "Customers found in the cache.");
FAMILY(metric_cache_misses_total, METRIC_COUNTER, "tidemark_cache_misses_total", "Customers loaded from Redis.");
FAMILY(metric_cache_bytes, METRIC_GAUGE, "tidemark_cache_bytes", "Memory of cached customers.");
FAMILY(metric_due_fired_total, METRIC_COUNTER, "tidemark_due_fired_total",
       "Customers evaluated because a due instant was reached without an event.");
FAMILY(metric_task_clock_seconds, METRIC_GAUGE, "tidemark_task_clock_seconds",
       "The task's clock as Unix time: up to here time itself has moved customers.");
FAMILY(metric_outbox_entries, METRIC_GAUGE, "tidemark_outbox_entries", "Outputs of the task not known to be in Kafka.");
FAMILY(metric_takeovers_total, METRIC_COUNTER, "tidemark_takeovers_total", "Tasks taken over.");
FAMILY(metric_fenced_total, METRIC_COUNTER, "tidemark_fenced_total",
       "Tasks dropped because another process had taken them over.");
FAMILY(metric_rewinds_total, METRIC_COUNTER, "tidemark_rewinds_total",
       "Tasks found with state older than what was committed: Redis lost acknowledged writes.");
FAMILY(metric_suppressed_total, METRIC_COUNTER, "tidemark_suppressed_total",
       "Outputs made again after a rewind and dropped because they were published before.");
FAMILY(metric_merge_left_behind_total, METRIC_COUNTER, "tidemark_merge_left_behind_total",
       "Times the merge went on without a partition whose end stayed unknown.");
FAMILY(metric_misrouted_total, METRIC_COUNTER, "tidemark_misrouted_total",
       "Records whose key does not hash to their partition.");
FAMILY(metric_reloads_total, METRIC_COUNTER, "tidemark_reloads_total",
       "Times the configuration was read again: ok (its rules came into force), refused (the former ones go on).");
FAMILY(metric_redis_up, METRIC_GAUGE, "tidemark_redis_up", "1 if every task has a working connection to Redis.");
FAMILY(metric_kafka_up, METRIC_GAUGE, "tidemark_kafka_up", "1 if every worker has heard from a broker lately.");
FAMILY(metric_ready, METRIC_GAUGE, "tidemark_ready", "1 if /readyz answers 200.");
FAMILY(metric_redis_memory_used_bytes, METRIC_GAUGE, "tidemark_redis_memory_used_bytes",
       "Memory that Redis uses, as it says itself.");
FAMILY(metric_redis_memory_limit_bytes, METRIC_GAUGE, "tidemark_redis_memory_limit_bytes",
       "maxmemory of Redis; without one, the memory of its machine.");
FAMILY(metric_build_info, METRIC_GAUGE, "tidemark_build_info", "Always 1; the labels tell the versions.");

static const struct metric_family *const families[] = {
    &metric_events_total,
    &metric_tier_changes_total,
    &metric_dead_letters_total,
    &metric_consumer_lag,
    &metric_event_latency_seconds,
    &metric_apply_seconds,
    &metric_commit_seconds,
    &metric_cache_hits_total,
    &metric_cache_misses_total,
    &metric_cache_bytes,
    &metric_due_fired_total,
    &metric_task_clock_seconds,
    &metric_outbox_entries,
    &metric_takeovers_total,
    &metric_fenced_total,
    &metric_rewinds_total,
    &metric_suppressed_total,
    &metric_merge_left_behind_total,
    &metric_misrouted_total,
    &metric_reloads_total,
    &metric_redis_up,
    &metric_kafka_up,
    &metric_ready,
    &metric_redis_memory_used_bytes,
    &metric_redis_memory_limit_bytes,
    &metric_build_info,
};

struct metric {
    struct metric *next; /* of all series, oldest first; written once, under the lock */
    const struct metric_family *family;
    char *labels;
    atomic_bool shown;
    _Atomic uint64_t count;
    _Atomic uint64_t gauge_bits; /* a double's */
    _Atomic uint64_t sum_nano;   /* of a histogram, in 10^-9 */
    _Atomic uint64_t buckets[METRIC_BUCKETS_MAX];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct metric *_Atomic first;
static struct metric *last;

static const double *bounds_of(const struct metric_family *family, size_t *count) {
    *count = family->bounds ? family->bounds_count : sizeof seconds_bounds / sizeof *seconds_bounds;
    return family->bounds ? family->bounds : seconds_bounds;
}

struct metric *metrics_series(const struct metric_family *family, const char *labels) {
    pthread_mutex_lock(&lock);
    struct metric *metric = first;
    while (metric && (metric->family != family || strcmp(metric->labels, labels) != 0)) {
        metric = metric->next;
    }
    if (!metric) {
        metric = calloc(1, sizeof *metric);
        ASSERT(metric);
        metric->family = family;
        metric->labels = strdup(labels);
        ASSERT(metric->labels);
        atomic_store(&metric->shown, family->type != METRIC_GAUGE);
        if (last) {
            last->next = metric;
        } else {
            first = metric;
        }
        last = metric;
    }
    pthread_mutex_unlock(&lock);
    return metric;
}

void metrics_label(struct buffer *labels, const char *name, struct bytes value) {
    if (labels->size > 0) {
        buffer_put_byte(labels, ',');
    }
    buffer_put_text(labels, name);
    buffer_put_text(labels, "=\"");
    for (size_t i = 0; i < value.size; i++) {
        char c = value.data[i];
        if (c == '\n') {
            buffer_put_text(labels, "\\n");
            continue;
        }
        if (c == '"' || c == '\\') {
            buffer_put_byte(labels, '\\');
        }
        buffer_put_byte(labels, (uint8_t)c);
    }
    buffer_put_byte(labels, '"');
}

void metric_add(struct metric *metric, uint64_t amount) {
    atomic_fetch_add_explicit(&metric->count, amount, memory_order_relaxed);
}

void metric_set(struct metric *metric, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    atomic_store_explicit(&metric->gauge_bits, bits, memory_order_relaxed);
    atomic_store_explicit(&metric->shown, true, memory_order_relaxed);
}

void metric_hide(struct metric *metric) {
    atomic_store_explicit(&metric->shown, false, memory_order_relaxed);
}

void metric_observe(struct metric *metric, double value) {
    size_t count;
    const double *bounds = bounds_of(metric->family, &count);
    size_t bucket = 0;
    value = value > 0 ? value : 0; /* clocks of two machines differ a little */
    while (bucket < count && value > bounds[bucket]) {
        bucket++;
    }
    if (bucket < count) {
        atomic_fetch_add_explicit(&metric->buckets[bucket], 1, memory_order_relaxed);
    }
    atomic_fetch_add_explicit(&metric->sum_nano, (uint64_t)fmin(value * 1e9, 9e18), memory_order_relaxed);
    atomic_fetch_add_explicit(&metric->count, 1, memory_order_relaxed);
}

uint64_t metric_count(const struct metric *metric) {
    return atomic_load_explicit(&metric->count, memory_order_relaxed);
}

static void write_histogram(const struct metric *metric, struct buffer *out) {
    const char *name = metric->family->name;
    const char *comma = metric->labels[0] ? "," : "";
    size_t count;
    const double *bounds = bounds_of(metric->family, &count);
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++) {
        total += atomic_load_explicit(&metric->buckets[i], memory_order_relaxed);
        buffer_printf(out, "%s_bucket{%s%sle=\"%g\"} %" PRIu64 "\n", name, metric->labels, comma, bounds[i], total);
    }
    uint64_t all = metric_count(metric);
    all = all > total ? all : total; /* an observation may be half done */
    buffer_printf(out, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", name, metric->labels, comma, all);
    const char *open = metric->labels[0] ? "{" : "";
    const char *close = metric->labels[0] ? "}" : "";
    double sum = (double)atomic_load_explicit(&metric->sum_nano, memory_order_relaxed) / 1e9;
    buffer_printf(out, "%s_sum%s%s%s %.9g\n", name, open, metric->labels, close, sum);
    buffer_printf(out, "%s_count%s%s%s %" PRIu64 "\n", name, open, metric->labels, close, all);
}

static void write_series(const struct metric *metric, struct buffer *out) {
    const char *open = metric->labels[0] ? "{" : "";
    const char *close = metric->labels[0] ? "}" : "";
    if (metric->family->type == METRIC_HISTOGRAM) {
        write_histogram(metric, out);
        return;
    }
    buffer_printf(out, "%s%s%s%s ", metric->family->name, open, metric->labels, close);
    if (metric->family->type == METRIC_COUNTER) {
        buffer_printf(out, "%" PRIu64 "\n", metric_count(metric));
        return;
    }
    uint64_t bits = atomic_load_explicit(&metric->gauge_bits, memory_order_relaxed);
    double value;
    memcpy(&value, &bits, sizeof value);
    buffer_printf(out, "%.15g\n", value);
}

void metrics_write(struct buffer *out) {
    static const char *const types[] = {"counter", "gauge", "histogram"};
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        const struct metric_family *family = families[i];
        buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n", family->name, family->help, family->name,
                      types[family->type]);
        for (const struct metric *metric = first; metric; metric = metric->next) {
            if (metric->family == family && atomic_load_explicit(&metric->shown, memory_order_relaxed)) {
                write_series(metric, out);
            }
        }
    }
    pthread_mutex_unlock(&lock);
}

/* Metrics: atomic numbers that any thread may change, told to Prometheus as text.
 *
 * Metrics live for the whole process. A family is registered once with its help text; a series is one combination of label
 * values, looked up once (under a lock) and then changed without one:
 *
 *     events = metrics_series(&metric_events_total, "topic=\"purchases\",result=\"applied\"");
 *     metric_add(events, 1); */
#ifndef TIDEMARK_BASE_METRICS_H
#define TIDEMARK_BASE_METRICS_H

#include "base/bytes.h"

#include <stdatomic.h>

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

enum { METRIC_BUCKETS_MAX = 20 };

struct metric_family {
    const char *name; /* ends in its unit, or in _total */
    const char *help;
    enum metric_type type;
    const double *bounds; /* of a histogram's buckets, ascending; NULL: METRIC_SECONDS_BOUNDS */
    size_t bounds_count;
};

/* All families of interface.md are declared here and defined in metrics.c, which also registers them, so that each shows up
 * in /metrics with its help even before its first series. */
extern const struct metric_family metric_events_total;       /* topic, result */
extern const struct metric_family metric_tier_changes_total; /* tier_set, from, to */
extern const struct metric_family metric_dead_letters_total; /* reason */
extern const struct metric_family metric_consumer_lag;       /* topic, partition */
extern const struct metric_family metric_event_latency_seconds;
extern const struct metric_family metric_apply_seconds;
extern const struct metric_family metric_commit_seconds;
extern const struct metric_family metric_cache_hits_total;
extern const struct metric_family metric_cache_misses_total;
extern const struct metric_family metric_cache_bytes;
extern const struct metric_family metric_due_fired_total;
extern const struct metric_family metric_task_clock_seconds; /* task */
extern const struct metric_family metric_outbox_entries;     /* task */
extern const struct metric_family metric_takeovers_total;
extern const struct metric_family metric_fenced_total;
extern const struct metric_family metric_rewinds_total;
extern const struct metric_family
    metric_suppressed_total; /* outputs known to be published already, dropped after a rewind */
extern const struct metric_family metric_merge_left_behind_total; /* partitions the merge went on without */
extern const struct metric_family metric_misrouted_total;
extern const struct metric_family metric_reloads_total; /* result */
extern const struct metric_family metric_redis_up;
extern const struct metric_family metric_kafka_up;
extern const struct metric_family metric_ready;
extern const struct metric_family metric_redis_memory_used_bytes;
extern const struct metric_family metric_redis_memory_limit_bytes;
extern const struct metric_family metric_build_info; /* version, librdkafka, hiredis */

struct metric;

/* The series of a family with these labels (Prometheus syntax without braces, values escaped; "" for none). Never fails: it
 * aborts without memory at start-up. The same labels give the same series. */
struct metric *metrics_series(const struct metric_family *family, const char *labels);
/* Appends `name="value"` with the value escaped, and a comma before it unless the text is empty. */
void metrics_label(struct buffer *labels, const char *name, struct bytes value);

void metric_add(struct metric *metric, uint64_t amount);  /* counter */
void metric_set(struct metric *metric, double value);     /* gauge */
void metric_observe(struct metric *metric, double value); /* histogram, in seconds */
/* A gauge that should no longer be shown (a task that went away). metric_set shows it again. */
void metric_hide(struct metric *metric);
uint64_t metric_count(const struct metric *metric); /* counter value, or a histogram's number of observations */

/* The whole registry in Prometheus' text format 0.0.4. */
void metrics_write(struct buffer *out);

#endif

/* The series that tasks count in, looked up once per process. */
#ifndef TIDEMARK_RUN_TASK_METRICS_H
#define TIDEMARK_RUN_TASK_METRICS_H

#include "base/metrics.h"
#include "ingest/decode.h"
#include "score/model.h"

enum event_result { RESULT_APPLIED, RESULT_DUPLICATE, RESULT_LATE, RESULT_DEAD, RESULTS };

struct task_metrics {
    struct metric *events[INPUTS][RESULTS];
    struct metric *dead_letters[DEAD_REASONS];
    struct metric ***tier_changes; /* [set][(from + 1) * tiers + to] */
    size_t sets_count;
    struct metric *apply_seconds;
    struct metric *cache_hits;
    struct metric *cache_misses;
    struct metric *due_fired;
    struct metric *takeovers;
    struct metric *fenced;
    struct metric *rewinds;
    struct metric *suppressed;
    struct metric *left_behind;
    struct metric *misrouted;
};

/* The series for a model; make it once and share it. */
struct task_metrics *task_metrics_of(const struct model *model, const char *const topics[INPUTS]);
/* Accepts NULL. The series stay. */
void task_metrics_destroy(struct task_metrics *metrics);

#endif

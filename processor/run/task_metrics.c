#include "run/task_metrics.h"

#include <stdlib.h>

static struct metric *labelled(const struct metric_family *family, struct buffer *labels) {
    struct metric *metric;
    buffer_put_byte(labels, '\0');
    ASSERT(!labels->error);
    metric = metrics_series(family, labels->data);
    buffer_reset(labels);
    return metric;
}

static void *zeroed(size_t count, size_t size) {
    void *memory = calloc(count ? count : 1, size);
    ASSERT(memory);
    return memory;
}

static struct metric **set_series(const struct model *model, size_t set, struct buffer *labels) {
    size_t tiers = model_tiers_count(model, set);
    struct metric **series = zeroed((tiers + 1) * tiers, sizeof *series);
    for (size_t from = 0; from <= tiers; from++) {
        for (size_t to = 0; to < tiers; to++) {
            if (from == to + 1) {
                continue;
            }
            metrics_label(labels, "tier_set", model_set_name(model, set));
            metrics_label(labels, "from", from ? model_tier_name(model, set, from - 1) : bytes_of_text(""));
            metrics_label(labels, "to", model_tier_name(model, set, to));
            series[from * tiers + to] = labelled(&metric_tier_changes_total, labels);
        }
    }
    return series;
}

struct task_metrics *task_metrics_of(const struct model *model, const char *const topics[INPUTS]) {
    static const char *const results[RESULTS] = {"applied", "duplicate", "late", "dead"};
    struct task_metrics *metrics = zeroed(1, sizeof *metrics);
    struct buffer labels = {0};
    for (int input = 0; input < INPUTS; input++) {
        for (int result = 0; result < RESULTS; result++) {
            metrics_label(&labels, "topic", bytes_of_text(topics[input]));
            metrics_label(&labels, "result", bytes_of_text(results[result]));
            metrics->events[input][result] = labelled(&metric_events_total, &labels);
        }
    }
    for (int reason = DEAD_NOT + 1; reason < DEAD_REASONS; reason++) {
        metrics_label(&labels, "reason", bytes_of_text(dead_reason_text((enum dead_reason)reason)));
        metrics->dead_letters[reason] = labelled(&metric_dead_letters_total, &labels);
    }
    metrics->sets_count = model_sets_count(model);
    metrics->tier_changes = zeroed(model_sets_count(model), sizeof *metrics->tier_changes);
    for (size_t set = 0; set < model_sets_count(model); set++) {
        metrics->tier_changes[set] = set_series(model, set, &labels);
    }
    buffer_finish(&labels);
    metrics->apply_seconds = metrics_series(&metric_apply_seconds, "");
    metrics->cache_hits = metrics_series(&metric_cache_hits_total, "");
    metrics->cache_misses = metrics_series(&metric_cache_misses_total, "");
    metrics->due_fired = metrics_series(&metric_due_fired_total, "");
    metrics->takeovers = metrics_series(&metric_takeovers_total, "");
    metrics->fenced = metrics_series(&metric_fenced_total, "");
    metrics->rewinds = metrics_series(&metric_rewinds_total, "");
    metrics->suppressed = metrics_series(&metric_suppressed_total, "");
    metrics->left_behind = metrics_series(&metric_merge_left_behind_total, "");
    metrics->misrouted = metrics_series(&metric_misrouted_total, "");
    return metrics;
}

void task_metrics_destroy(struct task_metrics *metrics) {
    for (size_t set = 0; metrics && set < metrics->sets_count; set++) {
        free(metrics->tier_changes[set]);
    }
    if (metrics) {
        free(metrics->tier_changes);
        free(metrics);
    }
}

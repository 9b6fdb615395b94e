#include "run/slot.h"

#include "base/clock.h"
#include "base/metrics.h"

#include <inttypes.h>
#include <stdio.h>

struct task_options slot_task_options(const struct slot *slot, const struct config *config, int32_t partitions) {
    const struct task_rules *rules = rules_of_tasks(slot->rules);
    struct task_options options = {
        .partition = slot->partition,
        .partitions = partitions,
        .model = rules->model,
        .decoder = config_decoder(config),
        .encoder = config_encoder(config),
        .topics = {config->topics[0], config->topics[1], config->topics[2]},
        .metrics = rules->metrics,
        .partitioner = config->partitioner,
        .currency = config->currency_base,
        .misrouted_reject = config->misrouted_reject,
        .clock_event = config->clock_event,
        .rebuild = config->rebuild,
        .merge_wait_ms = config->merge_wait_ms,
        .ranked_refresh_ms = rules->ranked_refresh_ms,
    };
    options.encoder.model = rules->model;
    return options;
}

void slot_set_rules(struct slot *slot, struct rules *rules) {
    if (slot->task) {
        rules_release(slot->coming);
        slot->coming = rules_hold(rules);
        task_set_rules(slot->task, rules_of_tasks(rules));
    }
}

void slot_follow_rules(struct slot *slot) {
    if (slot->coming && task_model(slot->task) == rules_model(slot->coming)) {
        rules_release(slot->rules);
        slot->rules = slot->coming;
        slot->coming = NULL;
    }
}

void slot_close(struct slot *slot) {
    task_destroy(slot->task);
    kafka_source_destroy(slot->source);
    rules_release(slot->rules);
    rules_release(slot->coming);
    slot->task = NULL;
    slot->source = NULL;
    slot->rules = slot->coming = NULL;
}

static struct metric *gauge_of(const struct metric_family *family, const char *topic, int32_t partition) {
    struct buffer labels = {0};
    char number[16];
    snprintf(number, sizeof number, "%" PRId32, partition);
    if (topic) {
        metrics_label(&labels, "topic", bytes_of_text(topic));
    }
    metrics_label(&labels, topic ? "partition" : "task", bytes_of_text(number));
    buffer_put_byte(&labels, '\0');
    struct metric *metric = metrics_series(family, labels.data);
    buffer_finish(&labels);
    return metric;
}

void slot_gauges_find(struct slot *slot, const char *const topics[INPUTS]) {
    for (int input = 0; input < INPUTS; input++) {
        slot->lag[input] = gauge_of(&metric_consumer_lag, topics[input], slot->partition);
    }
    slot->clock = gauge_of(&metric_task_clock_seconds, NULL, slot->partition);
    slot->outbox = gauge_of(&metric_outbox_entries, NULL, slot->partition);
}

void slot_gauges_update(struct slot *slot) {
    if (!slot->task || task_state(slot->task) != TASK_RUNNING) {
        return;
    }
    for (int input = 0; input < INPUTS; input++) {
        int64_t lag = kafka_source_lag(slot->source, (enum input)input);
        if (lag >= 0) {
            metric_set(slot->lag[input], (double)lag);
        }
    }
    int64_t clock_ms = task_clock_ms(slot->task);
    if (clock_ms != TIME_NONE) {
        metric_set(slot->clock, (double)clock_ms / MS_PER_SECOND);
    }
    metric_set(slot->outbox, (double)task_unpublished(slot->task));
}

void slot_gauges_hide(struct slot *slot) {
    for (int input = 0; input < INPUTS; input++) {
        metric_hide(slot->lag[input]);
    }
    metric_hide(slot->clock);
    metric_hide(slot->outbox);
}

void slot_reason(const struct slot *slot, char *reason, size_t size) {
    if (!slot->task || task_state(slot->task) == TASK_FENCED) {
        snprintf(reason, size, "task %" PRId32 " was fenced", slot->partition);
    } else if (task_problem(slot->task)) {
        snprintf(reason, size, "task %" PRId32 ": %.200s", slot->partition, task_problem(slot->task));
    } else if (task_state(slot->task) == TASK_TAKING_OVER) {
        snprintf(reason, size, "task %" PRId32 " is being taken over", slot->partition);
    }
}

void slot_status(const struct slot *slot, struct slot_status *out) {
    const struct task *task = slot->task;
    *out = (struct slot_status){.partition = slot->partition,
                                .state = task ? task_state(task) : TASK_FENCED,
                                .clock_ms = task ? task_clock_ms(task) : TIME_NONE};
    const char *problem = task ? task_problem(task) : NULL;
    snprintf(out->problem, sizeof out->problem, "%s", problem ? problem : "");
    bool reads = task && task_state(task) == TASK_RUNNING;
    for (int input = 0; input < INPUTS; input++) {
        out->lag[input] = reads ? kafka_source_lag(slot->source, (enum input)input) : -1;
    }
}

#include "run/rules.h"

#include "run/task_metrics.h"

#include <stdatomic.h>
#include <stdlib.h>

struct rules {
    struct config config; /* the running one with this model; owns nothing */
    struct config *owned; /* NULL: somebody else's */
    struct task_rules tasks;
    _Atomic unsigned holders;
};

struct rules *rules_create(const struct config *running, struct config *again) {
    const struct config *of = again ? again : running;
    struct rules *rules = calloc(1, sizeof *rules);
    ASSERT(rules);
    rules->config = *running;
    rules->config.model = of->model;
    rules->config.scoring = of->scoring;
    rules->config.ranked_refresh_ms = of->ranked_refresh_ms;
    rules->owned = again;
    rules->tasks = (struct task_rules){
        .model = of->model,
        .metrics = task_metrics_of(of->model, running->topics),
        .ranked_refresh_ms = of->ranked_refresh_ms,
    };
    rules->holders = 1;
    return rules;
}

struct rules *rules_hold(struct rules *rules) {
    rules->holders++;
    return rules;
}

void rules_release(struct rules *rules) {
    if (rules && --rules->holders == 0) {
        task_metrics_destroy(rules->tasks.metrics);
        config_destroy(rules->owned);
        free(rules);
    }
}

const struct task_rules *rules_of_tasks(const struct rules *rules) {
    return &rules->tasks;
}

const struct model *rules_model(const struct rules *rules) {
    return rules->tasks.model;
}

const struct config *rules_config(const struct rules *rules) {
    return &rules->config;
}

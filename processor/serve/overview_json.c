#include "serve/overview_json.h"

#include "base/clock.h"
#include "score/answer.h"
#include "score/metrics.h"
#include "serve/json_tree.h"

#include <time.h>

static yyjson_mut_val *treatment_value(struct tree *tree, const struct model *model, size_t set, size_t tier) {
    yyjson_mut_val *object = tree_object(tree);
    size_t count = 0;
    const struct label_spec *labels = model_treatment(model, set, tier, &count);
    for (size_t i = 0; i < count; i++) {
        tree_add_named(tree, object, labels[i].name, tree_text(tree, labels[i].value));
    }
    return object;
}

/* ---- populations ---- */

static void add_set(struct tree *tree, yyjson_mut_val *sets, const struct model *model, size_t set,
                    const int64_t *customers) {
    size_t tiers = model_tiers_count(model, set);
    int64_t all = 0;
    for (size_t tier = 0; tier < tiers; tier++) {
        all += customers[tier];
    }
    yyjson_mut_val *object = tree_element(tree, sets);
    tree_add(tree, object, "name", tree_text(tree, model_set_name(model, set)));
    tree_add(tree, object, "customers", tree_integer(tree, all));
    yyjson_mut_val *array = tree_array(tree);
    for (size_t tier = 0; tier < tiers; tier++) {
        yyjson_mut_val *of = tree_element(tree, array);
        tree_add(tree, of, "name", tree_text(tree, model_tier_name(model, set, tier)));
        tree_add(tree, of, "customers", tree_integer(tree, customers[tier]));
        tree_add(tree, of, "share", tree_number(tree, all > 0 ? (double)customers[tier] / (double)all : NO_VALUE));
        tree_add(tree, of, "treatment", treatment_value(tree, model, set, tier));
    }
    tree_add(tree, object, "tiers", array);
}

int tiers_json_write(const struct model *model, const int64_t *customers, bool counting, struct buffer *out) {
    struct tree tree;
    yyjson_mut_val *root = tree_begin(&tree);
    yyjson_mut_val *sets = tree_array(&tree);
    for (size_t set = 0; set < model_sets_count(model); set++) {
        add_set(&tree, sets, model, set, customers);
        customers += model_tiers_count(model, set);
    }
    tree_add(&tree, root, "counting", tree_bool(&tree, counting));
    tree_add(&tree, root, "tier_sets", sets);
    return tree_finish(&tree, out);
}

/* ---- feedback ---- */

static double count_of(const int64_t counts[ANSWER_COUNTERS], enum tile_field field) {
    return (double)counts[field - TILE_PROMOTERS];
}

static void add_count(struct tree *tree, yyjson_mut_val *object, const char *name,
                      const int64_t counts[ANSWER_COUNTERS], enum tile_field field) {
    tree_add(tree, object, name, tree_integer(tree, counts[field - TILE_PROMOTERS]));
}

static void add_stats(struct tree *tree, yyjson_mut_val *object, const int64_t counts[ANSWER_COUNTERS],
                      bool ces_share) {
    const struct recommendations answers = {.promoters = count_of(counts, TILE_PROMOTERS),
                                            .passives = count_of(counts, TILE_PASSIVES),
                                            .detractors = count_of(counts, TILE_DETRACTORS)};
    double satisfied = answer_mean(100.0 * count_of(counts, TILE_CSAT_TOP), count_of(counts, TILE_CSAT_COUNT));
    double csat_mean = answer_mean(count_of(counts, TILE_CSAT_SUM), count_of(counts, TILE_CSAT_COUNT));
    double effort = ces_share ? 100.0 * (count_of(counts, TILE_CES_EASY) - count_of(counts, TILE_CES_HARD))
                              : count_of(counts, TILE_CES_SUM);
    double reviews = count_of(counts, TILE_REVIEW_COUNT);
    tree_add(tree, object, "nps", tree_number(tree, answer_nps(answers)));
    tree_add(tree, object, "nps_margin", tree_number(tree, answer_nps_margin(answers)));
    tree_add(tree, object, "nps_low", tree_number(tree, answer_nps_bound(answers, -1)));
    tree_add(tree, object, "nps_high", tree_number(tree, answer_nps_bound(answers, 1)));
    add_count(tree, object, "promoters", counts, TILE_PROMOTERS);
    add_count(tree, object, "passives", counts, TILE_PASSIVES);
    add_count(tree, object, "detractors", counts, TILE_DETRACTORS);
    tree_add(tree, object, "csat", tree_number(tree, satisfied));
    tree_add(tree, object, "csat_mean", tree_number(tree, csat_mean));
    add_count(tree, object, "csat_answers", counts, TILE_CSAT_COUNT);
    tree_add(tree, object, "ces", tree_number(tree, answer_mean(effort, count_of(counts, TILE_CES_COUNT))));
    add_count(tree, object, "ces_answers", counts, TILE_CES_COUNT);
    add_count(tree, object, "complaints", counts, TILE_COMPLAINTS);
    tree_add(tree, object, "review_mean", tree_number(tree, answer_mean(count_of(counts, TILE_REVIEW_SUM), reviews)));
    add_count(tree, object, "reviews", counts, TILE_REVIEW_COUNT);
}

static yyjson_mut_val *date_value(const struct tree *tree, int32_t day) {
    char text[32];
    time_t seconds = (time_t)day * (MS_PER_DAY / MS_PER_SECOND);
    struct tm broken;
    gmtime_r(&seconds, &broken);
    size_t size = strftime(text, sizeof text, "%Y-%m-%d", &broken);
    return yyjson_mut_strncpy(tree->document, text, size);
}

int feedback_json_write(const struct feedback_overview *feedback, struct buffer *out) {
    struct tree tree;
    int64_t total[ANSWER_COUNTERS] = {0};
    yyjson_mut_val *root = tree_begin(&tree);
    yyjson_mut_val *days = tree_array(&tree);
    yyjson_mut_val *groups = tree_array(&tree);
    yyjson_mut_val *all = tree_object(&tree);
    for (size_t i = 0; i < feedback->days_count; i++) {
        const struct feedback_day *day = &feedback->days[i];
        yyjson_mut_val *object = tree_element(&tree, days);
        tree_add(&tree, object, "date", date_value(&tree, day->day));
        tree_add(&tree, object, "start_ms", tree_time(&tree, day->start_ms));
        add_stats(&tree, object, day->counts, feedback->ces_share);
        for (int counter = 0; counter < ANSWER_COUNTERS; counter++) {
            total[counter] += day->counts[counter];
        }
    }
    for (size_t i = 0; i < feedback->groups_count; i++) {
        const struct feedback_group *group = &feedback->groups[i];
        yyjson_mut_val *object = tree_element(&tree, groups);
        tree_add(&tree, object, "tier_set", tree_text(&tree, group->tier_set));
        tree_add(&tree, object, "name", tree_text(&tree, group->name));
        add_stats(&tree, object, group->counts, feedback->ces_share);
    }
    add_stats(&tree, all, total, feedback->ces_share);
    tree_add(&tree, root, "days", tree_integer(&tree, (int64_t)feedback->days_count));
    tree_add(&tree, root, "by", tree_text(&tree, bytes_of_text(feedback->by)));
    tree_add(&tree, root, "ces_is", tree_text(&tree, bytes_of_text(feedback->ces_share ? "share" : "mean")));
    tree_add(&tree, root, "total", all);
    tree_add(&tree, root, "by_day", days);
    tree_add(&tree, root, "groups", groups);
    return tree_finish(&tree, out);
}

/* ---- alerts ---- */

int alerts_json_write(const struct model *model, const struct alert *alerts, size_t count, int64_t open, int limit,
                      struct buffer *out) {
    struct tree tree;
    yyjson_mut_val *root = tree_begin(&tree);
    yyjson_mut_val *array = tree_array(&tree);
    for (size_t i = 0; i < count; i++) {
        const struct alert *alert = &alerts[i];
        yyjson_mut_val *object = tree_element(&tree, array);
        tree_add(&tree, object, "customer_id", tree_text(&tree, alert->customer_id));
        tree_add(&tree, object, "tier_set", tree_text(&tree, model_set_name(model, alert->set)));
        tree_add(&tree, object, "tier", tree_text(&tree, model_tier_name(model, alert->set, alert->tier)));
        tree_add(&tree, object, "since_ms", tree_time(&tree, alert->since_ms));
        tree_add(&tree, object, "treatment", treatment_value(&tree, model, alert->set, alert->tier));
        tree_add(&tree, object, "value_at_risk", tree_number(&tree, alert->value_at_risk));
        tree_add(&tree, object, "p_alive", tree_number(&tree, alert->p_alive));
        tree_add(&tree, object, "last_purchase_ms", tree_time(&tree, alert->last_purchase_ms));
    }
    tree_add(&tree, root, "open", tree_integer(&tree, open));
    tree_add(&tree, root, "limit", tree_integer(&tree, limit));
    tree_add(&tree, root, "alerts", array);
    return tree_finish(&tree, out);
}

/* ---- value ---- */

static void add_valued(struct tree *tree, yyjson_mut_val *object, const struct model *model,
                       const struct valued *valued) {
    tree_add(tree, object, "customers", tree_integer(tree, valued->customers));
    tree_add(tree, object, "value", tree_number(tree, (double)valued->revenue_minor / model_money_scale(model)));
}

static yyjson_mut_val *value_of_sets(struct tree *tree, const struct model *model, const struct valued *tiers) {
    yyjson_mut_val *sets = tree_array(tree);
    for (size_t set = 0; set < model_sets_count(model); set++) {
        yyjson_mut_val *object = tree_element(tree, sets);
        yyjson_mut_val *array = tree_array(tree);
        tree_add(tree, object, "name", tree_text(tree, model_set_name(model, set)));
        tree_add(tree, object, "tiers", array);
        for (size_t tier = 0; tier < model_tiers_count(model, set); tier++) {
            yyjson_mut_val *of = tree_element(tree, array);
            tree_add(tree, of, "name", tree_text(tree, model_tier_name(model, set, tier)));
            add_valued(tree, of, model, tiers++);
        }
    }
    return sets;
}

int value_json_write(const struct model *model, const struct value_overview *value, struct buffer *out) {
    struct tree tree;
    yyjson_mut_val *root = tree_begin(&tree);
    yyjson_mut_val *days = tree_array(&tree);
    yyjson_mut_val *risk = tree_object(&tree);
    yyjson_mut_val *now = tree_object(&tree);
    for (int i = 0; i < value->days_count; i++) {
        yyjson_mut_val *object = tree_element(&tree, days);
        tree_add(&tree, object, "date", date_value(&tree, value->today + i));
        tree_add(&tree, object, "start_ms", tree_time(&tree, zone_day_start_ms(value->zone, value->today + i)));
        add_valued(&tree, object, model, &value->days[i]);
    }
    add_valued(&tree, now, model, &value->alerting);
    tree_add(&tree, risk, "now", now);
    tree_add(&tree, risk, "by_day", days);
    tree_add(&tree, root, "as_of_ms", tree_time(&tree, value->as_of_ms));
    tree_add(&tree, root, "counted", tree_number(&tree, value->counted));
    add_valued(&tree, root, model, &value->all);
    tree_add(&tree, root, "days", tree_integer(&tree, value->days_count));
    tree_add(&tree, root, "at_risk", risk);
    tree_add(&tree, root, "tier_sets", value_of_sets(&tree, model, value->tiers));
    return tree_finish(&tree, out);
}

/* ---- tasks ---- */

static yyjson_mut_val *count_value(const struct tree *tree, int64_t count) {
    return count >= 0 ? tree_integer(tree, count) : tree_null(tree);
}

static yyjson_mut_val *inputs_value(struct tree *tree, const struct process_overview *process,
                                    const struct task_overview *task) {
    static const char *const names[INPUTS] = {"purchases", "interactions", "feedback"};
    yyjson_mut_val *inputs = tree_object(tree);
    for (int input = 0; input < INPUTS; input++) {
        yyjson_mut_val *object = tree_object(tree);
        tree_add(tree, object, "topic", tree_text(tree, bytes_of_text(process->topics[input])));
        tree_add(tree, object, "offset", count_value(tree, task->offsets[input]));
        tree_add(tree, object, "lag", count_value(tree, task->lag[input]));
        tree_add(tree, inputs, names[input], object);
    }
    return inputs;
}

static void add_task(struct tree *tree, yyjson_mut_val *array, const struct process_overview *process,
                     const struct task_overview *task) {
    yyjson_mut_val *object = tree_element(tree, array);
    tree_add(tree, object, "task", tree_integer(tree, task->partition));
    tree_add(tree, object, "owner", tree_text(tree, task->owner));
    tree_add(tree, object, "here", tree_bool(tree, task->worker >= 0));
    tree_add(tree, object, "worker", count_value(tree, task->worker));
    tree_add(tree, object, "state", tree_text(tree, bytes_of_text(task->state)));
    tree_add(tree, object, "problem", tree_text(tree, bytes_of_text(task->problem)));
    tree_add(tree, object, "clock_ms", tree_time(tree, task->clock_ms));
    tree_add(tree, object, "fired_ms", tree_time(tree, task->fired_ms));
    tree_add(tree, object, "inputs", inputs_value(tree, process, task));
    tree_add(tree, object, "outbox", tree_integer(tree, (int64_t)task->outbox));
    tree_add(tree, object, "wheel_hours", tree_integer(tree, (int64_t)task->wheel_hours));
    tree_add(tree, object, "edition", tree_integer(tree, task->edition));
    tree_add(tree, object, "sweeping", tree_bool(tree, task->sweeping));
}

int tasks_json_write(const struct process_overview *process, struct buffer *out) {
    struct tree tree;
    yyjson_mut_val *root = tree_begin(&tree);
    yyjson_mut_val *tasks = tree_array(&tree);
    for (size_t i = 0; i < process->tasks_count; i++) {
        add_task(&tree, tasks, process, &process->tasks[i]);
    }
    tree_add(&tree, root, "group", tree_text(&tree, bytes_of_text(process->group)));
    tree_add(&tree, root, "version", tree_text(&tree, bytes_of_text(TIDEMARK_VERSION)));
    tree_add(&tree, root, "rules", tree_text(&tree, process->rules));
    tree_add(&tree, root, "ready", tree_bool(&tree, !process->reason));
    tree_add(&tree, root, "reason", tree_text(&tree, bytes_of_text(process->reason)));
    tree_add(&tree, root, "kafka_up", tree_bool(&tree, process->kafka_up));
    tree_add(&tree, root, "redis_up", tree_bool(&tree, process->redis_up));
    tree_add(&tree, root, "workers", tree_integer(&tree, process->workers));
    tree_add(&tree, root, "tasks", tasks);
    return tree_finish(&tree, out);
}

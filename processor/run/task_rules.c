/* Rules that change while the task runs.
 *
 * A customer, the populations and the cut points have the shape of the model they were made for. So the model is replaced where
 * nothing of that shape is on its way: everything taken is scored, everything due up to the clock is decided by the former rules,
 * and all of it is applied. Taking rests meanwhile, which is for some ms; what was published before and what comes after are told
 * apart by the record offsets in the log, so that anybody can work out what must have happened. */
#include "run/task_parts.h"

#include "base/log.h"
#include "state/cut_points_codec.h"

#include <inttypes.h>

void task_set_rules(struct task *task, const struct task_rules *rules) {
    task->coming = *rules;
    task_wake(task);
}

const struct model *task_model(const struct task *task) {
    return task->given;
}

/* While a lost stretch is read again, no new edition begins: it would decide what was not decided then. */
bool rules_wait(const struct task *task) {
    return task->coming.model && task->state == TASK_RUNNING && !intake_replays(task);
}

static bool is_at_border(const struct task *task) {
    bool fired = task->take_clock_ms == TIME_NONE || task->wheel.fired_ms >= task->take_clock_ms;
    return rules_wait(task) && task->items.count == 0 && !task->in_flight && !task->open->needed &&
           task->wheel.target_ms == TIME_NONE && fired;
}

/* Cut points of scores that both models have in the same places stay in force; otherwise there are none until new ones are made. */
static void carry_cuts(struct task *task, const struct model *former) {
    buffer_reset(&task->scratch);
    cut_points_encode(&task->edition.cuts, former, &task->scratch);
    ASSERT(!task->scratch.error);
    if (cut_points_decode(buffer_bytes(&task->scratch), task->options.model, &task->edition.cuts)) {
        task->edition.cuts = (struct cut_points){.version = task->edition.cuts.version};
    }
}

static void replace(struct task *task) {
    struct task_rules rules = task->coming;
    struct model *former = task->model;
    task->model = model_copy_for_task(rules.model);
    ASSERT(task->model && !task->loads);
    task->given = rules.model;
    task->options.model = task->model;
    task->options.encoder.model = rules.model;
    task->options.ranked_refresh_ms = rules.ranked_refresh_ms;
    task->metrics = task->options.metrics = rules.metrics;
    task->coming = (struct task_rules){.model = NULL};
    cache_drop_task(task->ports.cache, task->options.partition);
    batch_reshape(task);
    exchange_drop(task);
    task->proposal = PROPOSAL_NONE;
    carry_cuts(task, former);
    model_set_edition(task->model, &task->edition);
    model_copy_destroy(former);
}

bool rules_look(struct task *task) {
    if (task->state == TASK_TAKING_OVER && task->coming.model) {
        replace(task); /* the stored rules are compared with these, once everything is known */
        return false;
    }
    if (!is_at_border(task)) {
        return false;
    }
    bool same = bytes_equal(model_version(task->given), model_version(task->coming.model));
    replace(task);
    if (!same) {
        edition_renew(task);
    }
    const struct store_meta *meta = &task->open->meta;
    struct bytes version = model_version(task->given);
    log_info("took new rules",
             "task=%" PRId32 " rules=%.*s edition=%" PRIu32 " clock=%" PRId64 " offsets=%" PRId64 ",%" PRId64
             ",%" PRId64,
             task->options.partition, (int)version.size, version.data, task->edition.number, task->take_clock_ms,
             meta->next_offset[0], meta->next_offset[1], meta->next_offset[2]);
    return true;
}

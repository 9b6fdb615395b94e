#include "run/task.h"

#include "base/log.h"
#include "base/mutation.h"
#include "run/task_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    SCORE_MAX = 2 * TASK_TAKE_MAX, /* items scored in one pass: keeps up with taking, leaves room for other tasks */
    SCORE_MS_MAX = 20,     /* however costly the rules are: the loop has other tasks, sockets and time-outs to serve */
    SCORE_LOOK_EVERY = 16, /* items between looks at the clock */
};

struct task *task_create(const struct task_options *options, const struct task_ports *ports) {
    struct task *task = calloc(1, sizeof *task);
    if (!task) {
        return NULL;
    }
    task->options = *options;
    task->ports = *ports;
    task->metrics = options->metrics;
    task->model = model_copy_for_task(options->model);
    task->options.model = task->model;
    task->given = options->model;
    if (!task->model || intake_init(task) || batch_init(task)) {
        task_destroy(task);
        return NULL;
    }
    takeover_begin(task);
    return task;
}

/* Drops everything that is not in the store, and the connection to it. */
static void reset(struct task *task) {
    task->ports.sink.ops->abandon(task->ports.sink.context, task->options.partition);
    if (task->store) {
        task->store->ops->destroy(task->store->context);
        task->store = NULL;
    }
    intake_clear(task);
    intake_forget_loads(task);
    edition_finish(task);
    struct store_meta nothing = {0};
    batch_start(task, &nothing);
    cache_drop_task(task->ports.cache, task->options.partition);
    intake_end_turn(task);
    wheel_finish(&task->wheel);
    arena_finish(&task->found_arena);
    task->unacked = 0;
    task->clearing = false;
    task->store_error = 0;
}

void task_destroy(struct task *task) {
    if (!task) {
        return;
    }
    if (task->open) {
        reset(task);
    }
    intake_finish(task);
    batch_finish(task);
    buffer_finish(&task->sweep.ids);
    model_copy_destroy(task->model);
    free(task);
}

void task_refuse(struct task *task, const char *problem) {
    snprintf(task->problem, sizeof task->problem, "%s", problem);
    task_wake(task);
}

static void on_published(void *arg, uint64_t through_seq) {
    struct task *task = arg;
    ASSERT(task->unacked > 0);
    task->unacked--;
    task->published_seq = through_seq > task->published_seq ? through_seq : task->published_seq;
    task_wake(task);
}

static int64_t later(int64_t a, int64_t b) {
    return a > b ? a : b;
}

void task_publish(struct task *task, const struct store_meta *meta, struct buffer *outputs, size_t outputs_count,
                  bool urgent) {
    struct publication publication = {
        .task = task->options.partition,
        .through_seq = meta->output_seq,
        .outputs = *outputs,
        .outputs_count = outputs_count,
    };
    _Static_assert((int)PUBLICATION_MARK_BYTES >= (int)MARK_BYTES_MAX, "a mark fits into a publication");
    mark_format(publication.mark, meta->output_seq, later(meta->fired_ms, task->suppress_fired_ms));
    /* While a lost stretch is read again, what is committed stays where it was: it must never go back. */
    for (int input = 0; input < INPUTS; input++) {
        publication.next_offset[input] = later(meta->next_offset[input], task->suppress_before[input]);
    }
    *outputs = (struct buffer){0};
    task->unacked++;
    task->ports.sink.ops->publish(task->ports.sink.context, &publication, urgent, on_published, task);
}

static void on_applied(void *arg, int error) {
    struct task *task = arg;
    if (error == ERR_REFUSED) {
        task_refuse(task, "Redis refused a part of a batch: a key of this task holds data of another kind. Remove it, "
                          "and the task's meta key, and start with state.rebuild: true");
        return;
    }
    if (error) {
        task->store_error = error;
        task_wake(task);
        return;
    }
    task->clearing = false;
    struct batch *batch = task->in_flight;
    size_t room = batch->outputs.size;
    task_publish(task, &batch->meta, &batch->outputs, batch->outputs_count, task->state == TASK_DRAINING);
    (void)buffer_reserve(&batch->outputs, room); /* the next ones need about as much, and need not grow to it */
    batch_applied(task);
    task_wake(task);
}

static size_t round_whole_max(const struct task *task) {
    return task->options.round_whole_max ? task->options.round_whole_max : TASK_ROUND_WHOLE_MAX;
}

static bool round_is_half_scored(const struct task *task) {
    return task->round_scored > 0 && task->round_scored < round_whole_max(task);
}

bool task_in_round(const struct task *task) {
    return round_is_half_scored(task) && task->state == TASK_RUNNING;
}

/* A round too large for one batch is split, but not into one batch for each of its hours: half of what the first took comes
 * together, so that it is scored while the other half is published. */
static bool gathers(const struct task *task) {
    return task->round_scored >= round_whole_max(task) && task->open->items < round_whole_max(task) / 2 &&
           task->state == TASK_RUNNING && !intake_is_full(task);
}

/* The customers of the items to come are on their way from memory while others are scored. */
static void prefetch_items(const struct items *items) {
    if (items->count > PREFETCH_ENTRY) {
        prefetch(items_at(items, PREFETCH_ENTRY)->entry);
        entry_prefetch(items_at(items, PREFETCH_CUSTOMER)->entry);
        entry_prefetch_parts(items_at(items, PREFETCH_PARTS)->entry);
    }
}

/* Scores what is ready, in order. True when it stopped for fairness only. */
static bool score(struct task *task) {
    size_t batch_max = task->options.batch_items_max ? task->options.batch_items_max : TASK_BATCH_ITEMS_MAX;
    int64_t until_ms = task->ports.monotonic_ms(task->ports.time_context) + SCORE_MS_MAX;
    for (size_t scored = 0; scored < SCORE_MAX; scored++) {
        bool look = scored % SCORE_LOOK_EVERY == SCORE_LOOK_EVERY - 1;
        if (look && task->ports.monotonic_ms(task->ports.time_context) >= until_ms) {
            return true;
        }
        const struct item *item = items_head(&task->items);
        /* A batch of nothing but entries that were replaced is not sent, however many there are: it must not be full of them. */
        bool full = (task->open->needed && task->open->items >= batch_max) || intake_is_full(task);
        if (!item || (full && !task_in_round(task)) || (item->entry && item->entry->state != CACHE_READY)) {
            return false;
        }
        prefetch_items(&task->items);
        batch_score(task, item);
        intake_pop(task);
    }
    return true;
}

/* Sends the open batch unless another is in flight: then it grows on. */
static void apply(struct task *task) {
    if (task->in_flight || task_in_round(task) || gathers(task)) {
        return;
    }
    bool untrimmed = task->published_seq > task->trimmed_seq;
    int64_t now_ms = task->ports.monotonic_ms(task->ports.time_context);
    if (!task->open->needed && untrimmed) {
        task->idle_since_ms = task->idle_since_ms ? task->idle_since_ms : now_ms;
        task->open->needed = now_ms - task->idle_since_ms >= TASK_TRIM_AFTER_MS;
    }
    if (task->open->needed) {
        task->idle_since_ms = 0;
        batch_send(task, on_applied);
    }
}

/* Half a round must not be published, or the mark would not tell which of its outputs are: a rebuild without state publishes by
 * the mark alone. So what is open is left to the next owner, as after a crash. */
static void drain_without_open(struct task *task) {
    if (!task->in_flight && task->unacked == 0) {
        log_info("left half a round of the wheel to the next owner", "task=%" PRId32 " customers=%zu",
                 task->options.partition, task->round_scored);
        reset(task);
        task->state = TASK_DRAINED;
    }
}

static void drain(struct task *task) {
    if (round_is_half_scored(task) && !MUTATED(HALF_ROUND)) {
        drain_without_open(task);
        return;
    }
    apply(task);
    if (task->in_flight || task->open->needed) {
        return;
    }
    if (!task->commit_asked) {
        struct buffer nothing = {0};
        task->commit_asked = true;
        task_publish(task, &task->open->meta, &nothing, 0, true);
    } else if (task->unacked == 0) {
        task->state = TASK_DRAINED;
    }
}

/* The store said that it is not ours any more, or not what it was. */
static void store_failed(struct task *task, int error) {
    log_warning(error == ERR_FENCED ? "was fenced: another process owns the task" : "found the store rewound",
                "task=%" PRId32, task->options.partition);
    bool draining = task->state == TASK_DRAINING || task->state == TASK_DRAINED;
    reset(task);
    if (error == ERR_FENCED) {
        metric_add(task->metrics->fenced, 1);
        task->state = TASK_FENCED;
    } else if (draining) {
        task->state = TASK_DRAINED;
    } else {
        takeover_begin(task);
    }
}

bool task_pump(struct task *task) {
    if (task->problem[0] == '\0' && task->state == TASK_RUNNING) {
        const char *problem = task->ports.source.ops->problem(task->ports.source.context);
        if (problem) {
            task_refuse(task, problem);
        }
    }
    if (task->problem[0] && task->state != TASK_REFUSED) {
        log_error("stopped a task: an operator must decide", "task=%" PRId32 " problem=\"%s\"", task->options.partition,
                  task->problem);
        reset(task);
        task->state = TASK_REFUSED;
    }
    int error = task->store_error ? task->store_error : task->store ? task->wheel.error : 0;
    if (error && task->state != TASK_REFUSED && task->state != TASK_FENCED) {
        store_failed(task, error);
    }
    bool more = false;
    switch (task->state) {
    case TASK_RUNNING:
        if (task->clearing) {
            apply(task);
            return false;
        }
        if (!rules_wait(task)) {
            exchange_look(task);
        }
        more = intake_take(task);
        more |= score(task);
        more |= intake_has_room_for_due(task);
        apply(task);
        more |= rules_look(task);
        cache_shrink(task->ports.cache);
        return more;
    case TASK_DRAINING:
        drain(task);
        return false;
    case TASK_TAKING_OVER:
        return rules_look(task);
    case TASK_DRAINED:
    case TASK_FENCED:
    case TASK_REFUSED:
        return false;
    }
    return false;
}

void task_settle(struct task *task, int64_t until_ms) {
    if (task->in_flight) {
        task->store->ops->settle(task->store->context, until_ms);
    }
}

void task_drain(struct task *task) {
    if (task->state == TASK_RUNNING) {
        task->state = TASK_DRAINING;
        intake_clear(task);
    } else if (task->state == TASK_TAKING_OVER) {
        reset(task);
        task->state = TASK_DRAINED;
    }
    task_wake(task);
}

enum task_state task_state(const struct task *task) {
    return task->state;
}

const char *task_problem(const struct task *task) {
    return task->state == TASK_REFUSED ? task->problem : NULL;
}

int32_t task_partition(const struct task *task) {
    return task->options.partition;
}

int64_t task_clock_ms(const struct task *task) {
    return task->state == TASK_RUNNING ? task->take_clock_ms : task->open->meta.clock_ms;
}

size_t task_unpublished(const struct task *task) {
    return task->state == TASK_RUNNING ? (size_t)(task->open->meta.output_seq - task->published_seq) : 0;
}

int64_t task_next_offset(const struct task *task, enum input input) {
    return task->open->meta.next_offset[input];
}

bool task_is_idle(const struct task *task) {
    return task->state == TASK_RUNNING && task->at_end && task->items.count == 0 && !task->in_flight &&
           !task->open->needed && task->unacked == 0 && task->wheel.target_ms == TIME_NONE && !task->sweep.active &&
           task->proposal == PROPOSAL_NONE && !task->exchange && !task->coming.model;
}

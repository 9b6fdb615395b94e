/* Taking over: the store first (which fences the last owner), then Kafka's committed offsets, then recovery's decision. */
#include "run/task_parts.h"

#include "base/log.h"
#include "base/mutation.h"

#include <inttypes.h>
#include <stdio.h>

enum { FOUND_BYTES_MAX = 1 << 30 }; /* outbox entries are bounded by TASK_UNPUBLISHED_MAX, dead letters by their size */

/* The store's answer is borrowed and Kafka's comes later: keep a copy. */
static void copy_found(struct task *task, const struct store_found *found) {
    struct arena *arena = &task->found_arena;
    arena_finish(arena);
    arena_init(arena, FOUND_BYTES_MAX);
    task->found = *found;
    int64_t *hours = arena_alloc(arena, found->wheel_hours_count * sizeof *hours);
    struct stored_output *outputs = arena_alloc(arena, found->outputs_count * sizeof *outputs);
    ASSERT(hours && outputs);
    for (size_t i = 0; i < found->wheel_hours_count; i++) {
        hours[i] = found->wheel_hours[i];
    }
    for (size_t i = 0; i < found->outputs_count; i++) {
        outputs[i] = (struct stored_output){found->outputs[i].seq, arena_copy(arena, found->outputs[i].record)};
        ASSERT(outputs[i].record.data);
    }
    task->found.cuts = found->cuts.data ? arena_copy(arena, found->cuts) : found->cuts;
    task->found.wheel_hours = hours;
    task->found.outputs = outputs;
}

/* Publishes what the last owner had applied but perhaps not published; and brings Kafka's offsets up to the store's, even where
 * no output goes with them, or a lag would be shown until the next record comes. */
static void publish_outbox(struct task *task, const struct store_meta *meta, const struct committed *committed) {
    bool behind = false;
    for (int input = 0; input < INPUTS; input++) {
        behind |= meta->next_offset[input] > committed->offset[input];
    }
    struct buffer outputs = {0};
    size_t count = 0;
    for (size_t i = 0; i < task->found.outputs_count; i++) {
        const struct stored_output *output = &task->found.outputs[i];
        if (output->seq > meta->published_seq) {
            buffer_put_sized(&outputs, output->record);
            count++;
        }
    }
    ASSERT(!outputs.error);
    if (count > 0) {
        log_info("published what the last owner had left in the outbox", "task=%" PRId32 " outputs=%zu",
                 task->options.partition, count);
    }
    if (count > 0 || behind) {
        task_publish(task, meta, &outputs, count, true);
    }
}

static void go_on_from(struct task *task, const struct recovery *recovery, const struct committed *committed) {
    struct store_meta meta = recovery->meta;
    meta.partitions = (uint32_t)task->options.partitions;
    snprintf(meta.currency, sizeof meta.currency, "%s", task->options.currency ? task->options.currency : "");
    memcpy(task->suppress_before, recovery->suppress_before, sizeof task->suppress_before);
    task->suppress_fired_ms = recovery->suppress_fired_ms;
    task->published_seq = meta.published_seq;
    task->trimmed_seq = task->found.meta.published_seq;
    memcpy(task->take_offset, meta.next_offset, sizeof task->take_offset);
    task->take_clock_ms = meta.clock_ms;
    task->at_end = false;
    merge_init(&task->merge, task->options.merge_wait_ms);
    task->left_behind_seen = 0;
    wheel_init(&task->wheel, task->store, task->found.wheel_hours, task->found.wheel_hours_count, meta.fired_ms);
    if (task->options.wheel_held_max) {
        task->wheel.held_max = task->options.wheel_held_max;
    }
    task->wheel.wake = task->ports.wake;
    task->wheel.wake_arg = task->ports.wake_context;
    bool news = edition_start(task, &task->found, &meta);
    batch_start(task, &meta);
    task->clearing = task->found.absent;
    if (task->clearing) {
        task->store->ops->drop_all(task->store->context);
    }
    task->open->needed = news || task->clearing;
    task->state = TASK_RUNNING;
    publish_outbox(task, &meta, committed);
    arena_finish(&task->found_arena);
    task->ports.source.ops->start(task->ports.source.context, meta.next_offset);
    metric_add(task->metrics->takeovers, 1);
    log_info("took over",
             "task=%" PRId32 " epoch=%" PRIu64 " offsets=%" PRId64 ",%" PRId64 ",%" PRId64 " output=%" PRIu64,
             task->options.partition, meta.epoch, meta.next_offset[0], meta.next_offset[1], meta.next_offset[2],
             meta.output_seq);
    task_wake(task);
}

static void on_committed(void *arg, int error, const struct sink_committed *answer) {
    struct task *task = arg;
    ASSERT(!error);
    struct committed committed = {.published_seq = 0, .fired_ms = TIME_NONE};
    for (int input = 0; input < INPUTS; input++) {
        uint64_t seq;
        int64_t fired_ms;
        committed.offset[input] = answer->offset[input];
        if (mark_parse(answer->mark[input], &seq, &fired_ms) && !MUTATED(NO_MARK)) {
            committed.published_seq = seq > committed.published_seq ? seq : committed.published_seq;
            committed.fired_ms = fired_ms > committed.fired_ms ? fired_ms : committed.fired_ms;
        }
    }
    struct recovery recovery = recovery_decide(&task->found, &committed, task->options.rebuild);
    switch (recovery.kind) {
    case RECOVERY_LOST:
        if (!task->lost_before) {
            /* The store was read before Kafka: another owner may have come and gone on in between. Look once more. */
            task->lost_before = true;
            task->store_error = ERR_REWOUND;
            task_wake(task);
            return;
        }
        task_refuse(task,
                    "Kafka has committed offsets for this task, but Redis holds no state: it was lost, or key_prefix "
                    "or group changed. Restore Redis, or set state.rebuild: true to read everything again");
        return;
    case RECOVERY_REWOUND:
        metric_add(task->metrics->rewinds, 1);
        log_warning(
            "found the store behind Kafka: it lost acknowledged writes; reading them again, publishing none twice",
            "task=%" PRId32 " stored=%" PRId64 ",%" PRId64 ",%" PRId64 " committed=%" PRId64 ",%" PRId64 ",%" PRId64,
            task->options.partition, task->found.meta.next_offset[0], task->found.meta.next_offset[1],
            task->found.meta.next_offset[2], committed.offset[0], committed.offset[1], committed.offset[2]);
        break;
    case RECOVERY_REBUILD:
        metric_add(task->metrics->rewinds, 1);
        log_warning("rebuilds the state from the beginning of the topics", "task=%" PRId32, task->options.partition);
        break;
    case RECOVERY_FRESH:
    case RECOVERY_RESUMED:
        break;
    }
    task->lost_before = false;
    go_on_from(task, &recovery, &committed);
}

static void on_found(void *arg, int error, const struct store_found *found) {
    struct task *task = arg;
    if (error == ERR_REFUSED) {
        task_refuse(task, "the stored state has a version that this program cannot read");
        return;
    }
    if (error) {
        task->store_error = error;
        task_wake(task);
        return;
    }
    if (!found->absent && found->meta.partitions != (uint32_t)task->options.partitions) {
        char problem[sizeof task->problem];
        snprintf(problem, sizeof problem,
                 "the stored state is for %" PRIu32 " partitions, but the topics have %" PRId32
                 ": keys have moved. Use a new group, or restore the partition count",
                 found->meta.partitions, task->options.partitions);
        task_refuse(task, problem);
        return;
    }
    if (!found->absent && task->options.currency && found->meta.currency[0] &&
        strcmp(found->meta.currency, task->options.currency) != 0) {
        char problem[sizeof task->problem];
        snprintf(problem, sizeof problem,
                 "the stored sums are in %s, but currency.base is %s now: use a new group, or restore currency.base",
                 found->meta.currency, task->options.currency);
        task_refuse(task, problem);
        return;
    }
    if (!found->absent && !bytes_equal_text(model_version(task->options.model), found->meta.rules_version)) {
        log_info("found other rules: every customer is evaluated by the new ones", "task=%" PRId32 " stored=%s",
                 task->options.partition, found->meta.rules_version);
    }
    copy_found(task, found);
    task->ports.sink.ops->committed(task->ports.sink.context, task->options.partition, on_committed, task);
}

void takeover_begin(struct task *task) {
    task->state = TASK_TAKING_OVER;
    task->store_error = 0;
    task->store = task->ports.open_store(task->ports.open_store_context, task->options.partition);
    ASSERT(task->store);
    task->store->ops->take_over(task->store->context, on_found, task);
}

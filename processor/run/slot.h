/* One task of a worker: its source, the task itself, the rules that it scores by, the gauges that show it, and what
 * may be told of it to other threads. */
#ifndef TIDEMARK_RUN_SLOT_H
#define TIDEMARK_RUN_SLOT_H

#include "ingest/kafka_consumer.h"
#include "run/rules.h"

struct metric;

struct slot {
    int32_t partition;
    struct kafka_source *source;
    struct task *task;    /* NULL: fenced, waiting for retake_ms */
    int64_t retake_ms;    /* monotonic */
    struct rules *rules;  /* held while there is a task: those that it scores by */
    struct rules *coming; /* those that it will take next; NULL: none */
    struct metric *lag[INPUTS];
    struct metric *clock;
    struct metric *outbox;
};

/* What its task works by: the config, and the rules that it holds, of which it borrows. `partitions`: of each input. */
struct task_options slot_task_options(const struct slot *slot, const struct config *config, int32_t partitions);

/* Gives the task other rules, to be taken when it can. */
void slot_set_rules(struct slot *slot, struct rules *rules);
/* Lets go of the former rules once the task has taken the others. */
void slot_follow_rules(struct slot *slot);
/* Drops the task, its source, and the rules that were held for it. */
void slot_close(struct slot *slot);

/* Looks the gauges up. */
void slot_gauges_find(struct slot *slot, const char *const topics[INPUTS]);
void slot_gauges_update(struct slot *slot);
void slot_gauges_hide(struct slot *slot);

enum { SLOT_PROBLEM_BYTES = 256 };

struct slot_status { /* a copy, for whoever asks */
    int32_t partition;
    enum task_state state;
    char problem[SLOT_PROBLEM_BYTES]; /* why it is refused; empty otherwise */
    int64_t clock_ms;                 /* TIME_NONE: none yet */
    int64_t lag[INPUTS];              /* -1: not known */
};

/* Why the slot's task does not run; leaves `reason` alone if it does. */
void slot_reason(const struct slot *slot, char *reason, size_t size);
void slot_status(const struct slot *slot, struct slot_status *out);

#endif

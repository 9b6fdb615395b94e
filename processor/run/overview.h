/* What HTTP tells of all customers and tasks at once, read from Redis by a connection of its own: every task is asked, and the
 * answers are added up. Owns nothing, so it may be a batch behind the owners. Nothing blocks; how many questions are open at a
 * time is bounded. */
#ifndef TIDEMARK_RUN_OVERVIEW_H
#define TIDEMARK_RUN_OVERVIEW_H

#include "run/config.h"
#include "run/lookup.h"
#include "serve/overview_json.h"

struct overview;
struct rules;

/* NULL and a line in `problem` (256 bytes). The running configuration is borrowed. */
struct overview *overview_create(struct event_base *base, const struct config *config, struct rules *rules,
                                 int32_t partitions, char *problem);
/* Other rules, for what is asked from now on. */
void overview_set_rules(struct overview *overview, struct rules *rules);
/* Open questions are answered with ERR_UNAVAILABLE. Accepts NULL. */
void overview_destroy(struct overview *overview);

/* Each answers once, as lookup_customer does: JSON; or ERR_UNAVAILABLE, ERR_INVALID. */
void overview_tiers(struct overview *overview, lookup_done_fn done, void *arg);

enum feedback_by { FEEDBACK_BY_NOTHING, FEEDBACK_BY_TIER, FEEDBACK_BY_CHANNEL, FEEDBACK_BY_TOUCHPOINT };
/* The last `days` days (1..FEEDBACK_DAYS), up to and with that of the wall clock (clock: event: of the latest task clock). */
void overview_feedback(struct overview *overview, int days, enum feedback_by by, lookup_done_fn done, void *arg);

/* The open alerts with the most at risk (run/alerts.h), at most `limit`. */
void overview_alerts(struct overview *overview, int limit, lookup_done_fn done, void *arg);

enum { VALUE_DAYS_MAX = 92 };
/* What customers are worth, by tier, and what is at risk on each of the next `days` days (1..VALUE_DAYS_MAX): see
 * overview_value.c. Answered with what has been counted after VALUE_PATIENCE_MS at the latest. */
void overview_value(struct overview *overview, int days, lookup_done_fn done, void *arg);

struct slot_status;
struct worker;
/* What this process knows by itself, to be joined with what is stored. tasks' `worker`, `state`, `problem` and `lag` are filled
 * in from the workers for the tasks they have; the lag of the others is from what they have applied to the ends. */
struct overview_process {
    const char *reason; /* NULL: ready */
    bool kafka_up;
    bool redis_up;
    int workers;
    const struct slot_status *statuses; /* of all workers, one worker's after the other's */
    const int *status_workers;          /* whose each is */
    size_t statuses_count;
    const struct worker *ends_of; /* who knows the ends of all partitions; it outlives the question */
};
/* Everything of `process` is copied. */
void overview_tasks(struct overview *overview, const struct overview_process *process, lookup_done_fn done, void *arg);

#endif

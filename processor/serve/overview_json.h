/* What HTTP tells of all customers and tasks, as JSON; schemas/openapi.json says what each field means. */
#ifndef TIDEMARK_SERVE_OVERVIEW_JSON_H
#define TIDEMARK_SERVE_OVERVIEW_JSON_H

#include "base/inputs.h"
#include "score/model.h"
#include "score/tiles.h"
#include "score/zone.h"

/* Populations by the model's tiers, sets one after the other. counting: not everybody is counted by the present rules yet. */
int tiers_json_write(const struct model *model, const int64_t *customers, bool counting, struct buffer *out) MUST_CHECK;

/* What answers add up to, in the order of a customer's tiles: TILE_PROMOTERS .. TILE_REVIEW_SUM. */
enum { ANSWER_COUNTERS = TILE_REVIEW_SUM - TILE_PROMOTERS + 1 };

struct feedback_day {
    int32_t day; /* since 1970 */
    int64_t start_ms;
    int64_t counts[ANSWER_COUNTERS];
};

struct feedback_group {
    struct bytes tier_set; /* data NULL: it is no tier */
    struct bytes name;
    int64_t counts[ANSWER_COUNTERS];
};

struct feedback_overview {
    const char *by;                  /* NULL: nothing */
    bool ces_share;                  /* ces is a share, not a mean */
    const struct feedback_day *days; /* oldest first; the total is theirs */
    size_t days_count;
    const struct feedback_group *groups;
    size_t groups_count;
};

int feedback_json_write(const struct feedback_overview *feedback, struct buffer *out) MUST_CHECK;

struct alert {
    struct bytes customer_id;
    size_t set; /* of the model */
    size_t tier;
    int64_t since_ms;
    double value_at_risk; /* major units */
    double p_alive;
    int64_t last_purchase_ms;
};

/* Alerts in the order of telling; open: how many there are in all. */
int alerts_json_write(const struct model *model, const struct alert *alerts, size_t count, int64_t open, int limit,
                      struct buffer *out) MUST_CHECK;

/* Some customers, and what they have spent so far: their value. */
struct valued {
    int64_t customers;
    int64_t revenue_minor;
};

struct value_overview {
    int64_t as_of_ms;
    double counted; /* share of everybody, 0..1: the figures are of these */
    struct valued all;
    const struct valued *tiers; /* by the model's tiers, sets one after the other */
    struct valued alerting;     /* stand in a tier that alerts */
    const struct zone *zone;    /* of the days */
    int32_t today;              /* days[0] */
    const struct valued *days;  /* who will first stand in such a tier then, if nothing happens */
    int days_count;
};

int value_json_write(const struct model *model, const struct value_overview *value, struct buffer *out) MUST_CHECK;

struct task_overview {
    int32_t partition;
    struct bytes owner; /* data NULL: nobody yet */
    int worker;         /* of this process; -1: none */
    const char *state;
    const char *problem; /* NULL: none */
    int64_t clock_ms;
    int64_t fired_ms;
    int64_t offsets[INPUTS]; /* -1: none */
    int64_t lag[INPUTS];     /* -1: not known */
    uint64_t outbox;
    uint64_t wheel_hours;
    uint32_t edition;
    bool sweeping;
};

struct process_overview {
    const char *group;
    const char *const *topics; /* by enum input */
    struct bytes rules;
    const char *reason; /* NULL: ready */
    bool kafka_up;
    bool redis_up;
    int workers;
    const struct task_overview *tasks;
    size_t tasks_count;
};

int tasks_json_write(const struct process_overview *process, struct buffer *out) MUST_CHECK;

#endif

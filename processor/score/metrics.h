/* Metrics: numbers computed from a customer's state at an instant.
 *
 * A slot is one metric with its arguments, as rules and scores use it: revenue(90d, ago 30d). Each distinct one has one slot,
 * so that it is computed once per evaluation however many rules name it. A new metric is one row of the table in metrics.c. */
#ifndef TIDEMARK_SCORE_METRICS_H
#define TIDEMARK_SCORE_METRICS_H

#include "base/arena.h"
#include "score/zone.h"

#include <math.h>

struct customer;

/* A metric without a value: nobody has answered, never bought. */
#define NO_VALUE ((double)NAN)

enum { METRIC_SLOTS_MAX = 128, WINDOW_DAYS_MAX = 3660 };

enum metric_kind {
    METRIC_PURCHASES,
    METRIC_REVENUE,
    METRIC_REFUNDS,
    METRIC_AOV,
    METRIC_INTERACTIONS,
    METRIC_NPS,
    METRIC_COMPLAINTS,
    METRIC_DAYS_SINCE_PURCHASE,
    METRIC_DAYS_SINCE_SEEN,
    METRIC_TENURE,
    METRIC_KINDS
};

struct metric_row {
    const char *name;
    bool window;      /* takes a window, and `ago` */
    bool interaction; /* takes an interaction kind */
    bool elapsed;     /* grows with time: (now - base) in days */
};

extern const struct metric_row metric_rows[METRIC_KINDS];

struct metric_slot {
    enum metric_kind kind;
    int interaction; /* enum interaction_kind, 0: all */
    int window_days; /* 0: the whole life */
    int ago_days;
    struct bytes text; /* "revenue(90d, ago 30d)" */
};

struct metric_slots {
    struct metric_slot slots[METRIC_SLOTS_MAX];
    size_t count;
};

/* The metric's value for the customer at now_ms (local day `today`); NO_VALUE (a NAN): none. money_scale: minor units per major unit. */
double metric_value(const struct metric_slot *slot, const struct customer *customer, int64_t now_ms, int32_t today,
                    double money_scale);

/* For an elapsed metric, the instant from which it counts; TIME_NONE when it has no value. */
int64_t metric_base_ms(const struct metric_slot *slot, const struct customer *customer);

/* The name of an interaction kind as rules write it ("page_view"), NULL beyond the last; and back, 0: unknown. */
const char *interaction_name(int kind);
int interaction_by_name(struct bytes name);

#endif

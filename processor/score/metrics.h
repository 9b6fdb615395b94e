/* Metrics: numbers computed from a customer's state at an instant.
 *
 * A slot is one metric with its arguments, as rules and scores use it: revenue(90d, ago 30d). Each distinct one has one slot,
 * so that it is computed once per evaluation however many rules name it.
 *
 * A new metric is a kind, one row of the table in metrics.c, and its function. Most stand still until something happens or
 * a day enters or leaves their window. Those that time itself changes say how: `elapsed` ones grow by 1 a day; those that
 * `fall` never rise while nothing happens, so a comparison with them turns once, and due.c looks for that instant; where a
 * formula tells about when, `reaches_ms` saves it the search. `fields` and `moved_by` say what cannot change it, so that it
 * need not be looked at again. */
#ifndef TIDEMARK_SCORE_METRICS_H
#define TIDEMARK_SCORE_METRICS_H

#include "base/arena.h"
#include "score/lifetime_value.h"
#include "score/zone.h"

#include <math.h>

struct customer;
struct model;

/* A metric without a value: nobody has answered, never bought. */
#define NO_VALUE ((double)NAN)

enum { METRIC_SLOTS_MAX = 128, WINDOW_DAYS_MAX = 3660 };

enum metric_kind {
    METRIC_PURCHASES,
    METRIC_REVENUE,
    METRIC_REFUNDS,
    METRIC_AOV,
    METRIC_ITEMS,
    METRIC_BASKET_SIZE,
    METRIC_INTERACTIONS,
    METRIC_REFERRALS,
    METRIC_POINTS,
    METRIC_NPS,
    METRIC_NPS_MARGIN,
    METRIC_NPS_LOW,
    METRIC_NPS_HIGH,
    METRIC_CSAT,
    METRIC_CSAT_MEAN,
    METRIC_CES,
    METRIC_COMPLAINTS,
    METRIC_REVIEWS,
    METRIC_REVIEW_MEAN,
    METRIC_DAYS_SINCE_PURCHASE,
    METRIC_DAYS_SINCE_SEEN,
    METRIC_TENURE,
    METRIC_PURCHASE_DAYS,
    METRIC_MEAN_INTERVAL,
    METRIC_INTERVAL_SPREAD,
    METRIC_FREQUENCY,
    METRIC_STAGE,
    METRIC_FURTHEST_STAGE,
    METRIC_ENGAGEMENT,
    METRIC_P_ALIVE,
    METRIC_EXPECTED_PURCHASES,
    METRIC_MEAN_SPEND,
    METRIC_CLV,
    METRIC_KINDS
};

struct metric_slot {
    enum metric_kind kind;
    int interaction; /* enum interaction_kind, 0: all */
    int window_days; /* 0: the whole life */
    int ago_days;
    int horizon_days;  /* of those that look ahead; 0: of the others */
    uint16_t field;    /* the only tile field it sums up over its window; 0: several, or none */
    struct bytes text; /* "revenue(90d, ago 30d)" */
};

struct metric_slots {
    struct metric_slot slots[METRIC_SLOTS_MAX];
    size_t count;
};

/* A customer's history for lifetime value, made when a metric first asks for it. Only t depends on the time. */
struct metric_lifetime {
    struct ltv_history history;
    bool purchases_known; /* x, t_x */
    bool spend_known;     /* mean_spend */
};

/* Sums over windows as last asked for, by slot: the same window some days later differs by those days only. */
struct metric_sums {
    uint64_t known[METRIC_SLOTS_MAX / 64];
    struct {
        int64_t sum;
        int32_t last_day;
    } of[METRIC_SLOTS_MAX];
};

/* Whose value, and when. */
struct metric_at {
    const struct customer *customer;
    const struct model *model;
    int64_t now_ms;
    int32_t today; /* the local day that windows end on: of now_ms, or an earlier one while looking ahead */
    struct metric_lifetime *lifetime; /* kept from metric to metric, and from one instant to another */
    struct metric_sums *sums;         /* likewise */
};

/* NO_VALUE (a NAN): none. */
typedef double (*metric_value_fn)(const struct metric_slot *slot, const struct metric_at *at);
/* About when (to some ms) a metric that falls is down to `value`, which it has not reached yet; TIME_NEVER: nobody knows. */
typedef int64_t (*metric_reaches_fn)(const struct metric_slot *slot, const struct metric_at *at, double value);

struct metric_row {
    const char *name;
    metric_value_fn value;
    uint64_t fields;   /* the tile fields it sums up, as bits; 0: none. Of one kind of interactions see metric_fields */
    unsigned moved_by; /* the activities that can change it, as bits */
    bool window;       /* takes a window, and `ago` */
    bool horizon;      /* needs a horizon: how far ahead it looks */
    bool interaction;  /* takes an interaction kind */
    bool elapsed;      /* grows with time: (now - base) in days, see metric_base_ms */
    bool falls;        /* never rises with time; whether it has a value does not change by time either */
    metric_reaches_fn reaches_ms; /* of one that falls; NULL: no formula */
};

extern const struct metric_row metric_rows[METRIC_KINDS];

static inline double metric_value(const struct metric_slot *slot, const struct metric_at *at) {
    return metric_rows[slot->kind].value(slot, at);
}

/* The tile fields that a slot sums up, as bits: days without any of them come and go unnoticed. */
uint64_t metric_fields(const struct metric_slot *slot);

/* Whether time alone changes it from one millisecond to the next. */
static inline bool metric_moves(enum metric_kind kind) {
    return metric_rows[kind].elapsed || metric_rows[kind].falls;
}

/* For an elapsed metric, the instant from which it counts; TIME_NONE when it has no value. */
int64_t metric_base_ms(const struct metric_slot *slot, const struct customer *customer);

#endif

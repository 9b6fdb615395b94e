/* A customer: everything Tidemark remembers of one person, and the two functions that change it.
 *
 *     customer_apply(customer, model, activity, clock_ms, &changes);    something happened
 *     customer_advance(customer, model, clock_ms, &changes);           nothing happened, but time went on
 *
 * Both are pure: no clock, no I/O; the same calls in the same order give the same state and the same tier changes on every
 * machine. Each tier change found on the way is appended to `changes`.
 *
 * A customer's logical time now_ms is the largest event time or due instant applied so far. customer_apply first evaluates
 * every due instant up to max(clock_ms, activity time) (up to the clock because the wheel may lag behind the task's clock,
 * and the result must not depend on when it gets round to a customer), then adds the activity to its day, evaluates the
 * rules at max(now_ms, activity time), and then evaluates due instants that the activity created at or before clock_ms.
 * So after either call: wake_ms > clock_ms.
 *
 * Most due instants change nothing. wake_ms is the next one that may (outlook.h), and those before it are passed over; and an
 * activity that cannot move any metric in use is added without an evaluation.
 *
 * A customer last evaluated by an older edition of the model (other rules, other cut points) is first brought to the present
 * one: due instants up to the edition's beginning, then an evaluation there with CAUSE_RULES. */
#ifndef TIDEMARK_SCORE_CUSTOMER_H
#define TIDEMARK_SCORE_CUSTOMER_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/prefetch.h"
#include "score/activity.h"
#include "score/engagement.h"
#include "score/favourites.h"
#include "score/journey.h"
#include "score/model.h"
#include "score/purchase_days.h"
#include "score/tiles.h"

/* Where a customer stands in one tier set. */
struct tier_state {
    uint16_t set_tag;  /* model's tag of the set (hash of its name); also for sets the rules no longer have */
    uint16_t tier_tag; /* tag of the tier; 0 while in none */
    int16_t tier;      /* index in the model's set, -1: none yet, or a tier that the rules no longer have */
    uint32_t sequence; /* tier changes so far */
    int64_t since_ms;
    int64_t pending_ms; /* since when a fall is pending; TIME_NEVER: none */
    int64_t noticed_ms; /* the coming fall that has been announced; TIME_NEVER: none */
    int64_t falls_ms;   /* the coming fall, if the customer's forecast_known; TIME_NEVER: none. Not stored */
};

/* In an order without gaps: a customer is cold when its next event comes, and each line of it is another miss. */
struct customer {
    int64_t now_ms;   /* logical time; TIME_NONE for a customer never seen */
    int64_t wake_ms;  /* by when it must be advanced: until then no due instant changes anything; or TIME_NEVER */
    int64_t armed_ms; /* the instant for which an entry stands on the wheel; TIME_NEVER: none. The task's, not ours */

    int64_t first_seen_ms; /* TIME_NONE: never */
    int64_t last_seen_ms;
    int64_t first_purchase_ms;
    int64_t last_purchase_ms;

    struct tiles tiles; /* sums per day, and the residue of days past every window */

    /* Behind the customer in the same piece of memory, as is all whose size the model gives: a further piece would be another miss,
     * mostly of the TLB, too. */
    uint64_t *recent;         /* hashes of the latest event ids, oldest first */
    struct tier_state *tiers; /* the model's sets in their order, then those only the state still knows */
    int32_t *ranks;           /* per ranked score the bucket in which it is counted; RANK_NONE: in none */
    uint64_t forecast_known;  /* sets, as bits, of whom falls_ms is right: nothing has moved them since. Not stored */

    uint16_t recent_count;
    uint16_t tiers_count; /* at least model_sets_count(model) */
    uint16_t ranks_count; /* those of the model */
    uint16_t referrer_size;
    uint32_t edition; /* of the model, by which it was evaluated last */
    bool tiers_apart; /* more tiers than the model's: in a piece of their own */
    char *referrer;   /* who referred the customer: the first that a purchase named; NULL: nobody. Owned */

    struct purchase_days purchase_days;
    struct journey journey;
    struct favourites categories; /* by quantity bought */
    struct favourites channels;   /* by purchases and interactions */
    struct engagement engagement;
};

/* A new customer fit for the model (arrays of the model's sizes), nothing seen yet. NULL without memory. */
struct customer *customer_create(const struct model *model);
/* Accepts NULL. */
void customer_destroy(struct customer *customer);
/* A deep copy for looking ahead; NULL without memory. */
struct customer *customer_copy(const struct customer *customer, const struct model *model);
/* Room for `count` tier states in all (decoding a state that knows sets which the rules no longer have). */
int customer_reserve_tiers(struct customer *customer, size_t count) MUST_CHECK;
/* Remembers who referred the customer, unless it is known already; an empty id is nobody. */
int customer_set_referrer(struct customer *customer, struct bytes referrer) MUST_CHECK;
static inline struct bytes customer_referrer(const struct customer *customer) {
    return bytes_of(customer->referrer, customer->referrer_size);
}
/* Bytes of memory the customer occupies: what the cache counts. */
size_t customer_bytes(const struct customer *customer);
/* True if every stated invariant holds: sorted tiles, times in order, tiers within their sets. For tests and ASSERTs. */
bool customer_is_valid(const struct customer *customer, const struct model *model);

/* Hints that the customer will be used soon: first the one, and once that can have had its effect the other, for what the customer
 * points to. */
static inline void customer_prefetch(const struct customer *customer) {
    for (size_t at = 0; at < sizeof *customer; at += PREFETCH_LINE) {
        prefetch((const char *)customer + at);
    }
}
static inline void customer_prefetch_parts(const struct customer *customer) {
    prefetch(customer->tiles.cells);
    prefetch(customer->tiles.cells + customer->tiles.count / 2);
    prefetch(customer->tiles.cells + customer->tiles.count);
    prefetch(customer->tiers);
    prefetch(customer->recent);
    prefetch(customer->recent + customer->recent_count);
    prefetch(customer->categories.entries);
    prefetch(customer->categories.entries + customer->categories.size);
    prefetch(customer->channels.entries);
    prefetch(customer->channels.entries + customer->channels.size);
    prefetch(customer->purchase_days.known);
    prefetch(customer->purchase_days.known + customer->purchase_days.count);
}

enum direction { DIRECTION_FIRST, DIRECTION_UP, DIRECTION_DOWN, DIRECTION_WILL_FALL };
enum cause { CAUSE_PURCHASE, CAUSE_REFUND, CAUSE_INTERACTION, CAUSE_FEEDBACK, CAUSE_TIME, CAUSE_RULES };

/* One comparison of a rule, as it stood. NAN: no value. */
struct condition {
    struct bytes rule; /* the comparison's own text, as in the config with single spaces: "r + f + m >= 13" */
    double value;
    double threshold;
    bool met;
};

struct named_value {
    struct bytes name; /* "revenue(90d)", "r" */
    double value;      /* NAN: no value */
};

struct tier_change {
    struct tier_change *next;
    size_t set;        /* index in the model */
    struct bytes from; /* tier name; data NULL: none */
    struct bytes to;
    int from_tier; /* index in the set, -1: none (or no longer in the rules) */
    int to_tier;
    enum direction direction;
    enum cause cause;
    uint32_t sequence;
    int64_t effective_ms;
    struct bytes cause_event_id; /* data NULL for TIME and RULES */
    const struct condition *conditions;
    size_t conditions_count;
    const struct named_value *metrics;
    size_t metrics_count;
    struct bytes forecast_tier; /* data NULL: stays as it is for ever if nothing happens */
    int64_t forecast_ms;
    uint64_t cuts_version; /* of the cut points by which it was decided */
    /* Found at a due instant before the activity was added (or by customer_advance), by an edition that the customer had been
     * evaluated by before: the wheel has met the instant if it has come so far. */
    bool before_activity;
    const struct customer_standing *standing; /* on the last change of an instant, where standings are wanted */
};

struct customer_values {
    const struct named_value *scores; /* of the model, in its order */
    size_t scores_count;
    const struct named_value *metrics; /* that any rule or score uses */
    size_t metrics_count;
};

/* How the customer stood when all changes of an instant were made. */
struct customer_standing {
    int64_t as_of_ms;
    const struct tier_state *tiers; /* of the model's sets */
    struct customer_values values;
};

/* Tier changes in the order in which they became true. Everything they point to lives in the arena, the model or the
 * activity. error is sticky: out of memory or past the arena's cap. */
struct changes {
    struct arena *arena;
    bool standings; /* wanted; false at first */
    struct tier_change *first;
    struct tier_change *last;
    size_t count;
    int error;
};

static inline void changes_init(struct changes *changes, struct arena *arena) {
    *changes = (struct changes){.arena = arena};
}

/* How often a customer buys; the numbers are those of the metric. */
enum frequency { FREQUENCY_NONE, FREQUENCY_ONE_OFF, FREQUENCY_INFREQUENT, FREQUENCY_FREQUENT };
enum frequency customer_frequency(const struct customer *customer, const struct model *model);
/* "one_off", "infrequent", "frequent"; NULL for any other number. */
const char *frequency_name(int frequency);

enum applied { APPLIED, APPLIED_LATE, APPLIED_DUPLICATE };

/* Applies one activity (see above). APPLIED_DUPLICATE: its id is among the latest, nothing at all changed.
 * APPLIED_LATE: its day lies before every window, so only whole-life numbers changed (rules were evaluated all the same). */
enum applied customer_apply(struct customer *customer, const struct model *model, const struct activity *activity,
                            int64_t clock_ms, struct changes *changes);

/* Evaluates every due instant up to and including clock_ms, in order. A customer never seen stays as it is. */
void customer_advance(struct customer *customer, const struct model *model, int64_t clock_ms, struct changes *changes);

/* The next due instant after now_ms, whether it changes anything or not; TIME_NEVER: none. */
int64_t customer_due_ms(const struct customer *customer, const struct model *model);

/* How far ahead a view looks. */
enum { VIEW_PURCHASES_DAYS = 90, VIEW_CLV_DAYS = 365 };

/* The state of one set as people want it told. */
struct tier_view {
    struct bytes set;
    struct bytes tier; /* data NULL: none yet */
    int64_t since_ms;
    uint32_t sequence;
    const struct condition *conditions; /* of the rule that keeps the customer here; none for the last tier */
    size_t conditions_count;
    struct bytes next_tier;          /* the next better tier; data NULL at the top */
    const struct condition *to_next; /* of its enter rule */
    size_t to_next_count;
    struct bytes forecast_tier; /* data NULL: never changes by time alone */
    int64_t forecast_ms;
    const struct condition *forecast_conditions; /* as they will stand then */
    size_t forecast_conditions_count;
    const struct tier_step *ahead; /* every change of the coming year if nothing happens */
    size_t ahead_count;
};

struct tier_step {
    struct bytes tier;
    int64_t time_ms;
};

struct favourite_view {
    struct bytes name;
    double share; /* of everything that had a name, 0..1 */
    int64_t weight;
};

struct stage_view {
    int64_t first_ms; /* TIME_NONE: never reached */
    double days;      /* in it, or until now; NAN: never reached */
};

struct customer_view {
    int64_t as_of_ms;
    const struct tier_view *tiers;
    size_t tiers_count;
    struct customer_values values;
    int64_t first_purchase_ms; /* TIME_NONE: never bought */
    int64_t last_purchase_ms;
    int64_t orders;
    double revenue;                              /* whole life, major units */
    const struct favourite_view *top_categories; /* the heaviest first */
    size_t top_categories_count;
    const struct favourite_view *top_channels;
    size_t top_channels_count;
    struct stage_view stages[STAGES]; /* of stage 1, 2, ... */
    double mean_interval_days;        /* NAN: fewer than 2 purchase days */
    enum frequency frequency;
    int64_t referrals;
    int64_t referred_customers; /* whom the customer has referred; filled by who looks them up: they are anywhere */
    int64_t referred_revenue_minor;
    double money_scale;
    double p_alive;            /* NAN, as those below: never bought */
    double expected_purchases; /* in the next VIEW_PURCHASES_DAYS */
    double clv;                /* of the next VIEW_CLV_DAYS */
};

/* How the customer stands at at_ms (at least now_ms) if nothing more happens until then. Does not change the customer.
 * Everything in the arena. */
int customer_explain(const struct customer *customer, const struct model *model, int64_t at_ms, struct arena *arena,
                     struct customer_view *out) MUST_CHECK;

#endif

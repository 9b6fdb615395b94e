/* What happens to a customer, and what is told of it: activities, the time that goes by, and other rules. */
#include "score/customer.h"

#include "score/add_activity.h"
#include "score/due.h"
#include "score/explain.h"
#include "score/outlook.h"
#include "score/step.h"
#include "score/tiers.h"

/* ---- tier changes ---- */

struct occasion { /* why an evaluation happens */
    enum cause cause;
    struct bytes event_id;
    bool before_activity;
};

/* Appends a change of the set between two tiers (from -1: none), with what is the same for all of them: set, tiers, cause, metrics.
 * NULL and an error without memory. */
static struct tier_change *new_change(struct evaluation *evaluation, size_t index, int from, int to,
                                      const struct occasion *occasion, struct changes *changes) {
    const struct tier_set *set = &evaluation->model->sets[index];
    struct tier_change *change = changes->error ? NULL : arena_alloc_zero(changes->arena, sizeof *change);
    if (!change) {
        changes->error = ERR_NO_MEMORY;
        return NULL;
    }
    if (changes->last) {
        changes->last->next = change;
    } else {
        changes->first = change;
    }
    changes->last = change;
    changes->count++;
    change->set = index;
    change->from_tier = from;
    change->to_tier = to;
    change->from = from >= 0 ? set->tiers[from].name : (struct bytes){NULL, 0};
    change->to = set->tiers[to].name;
    change->cause = occasion->cause;
    change->cause_event_id = occasion->event_id;
    change->before_activity = occasion->before_activity;
    change->sequence = evaluation->customer->tiers[index].sequence;
    change->effective_ms = evaluation->now_ms;
    change->cuts_version = evaluation->model->edition->cuts.version;
    changes->error = explain_metrics(evaluation, set, changes->arena, &change->metrics, &change->metrics_count);
    return change;
}

static enum direction direction_of(int from, int to, uint32_t sequence, size_t tiers) {
    if (from >= 0) {
        return to < from ? DIRECTION_UP : DIRECTION_DOWN;
    }
    if (sequence == 1) {
        return DIRECTION_FIRST;
    }
    return to + 1 < (int)tiers ? DIRECTION_UP : DIRECTION_DOWN; /* from a tier the rules no longer have */
}

static void record_change(struct evaluation *evaluation, size_t index, int from, const struct occasion *occasion,
                          struct changes *changes) {
    const struct tier_set *set = &evaluation->model->sets[index];
    int to = evaluation->customer->tiers[index].tier;
    struct tier_change *change = new_change(evaluation, index, from, to, occasion, changes);
    if (!change) {
        return;
    }
    change->direction = direction_of(from, to, change->sequence, set->tiers_count);
    int error =
        explain_change(evaluation, set, from, to, changes->arena, &change->conditions, &change->conditions_count);
    changes->error = error ? error : changes->error;
}

static void set_forecast(struct tier_change *change, const struct model *model, const struct forecast *forecast) {
    if (forecast->tier >= 0) {
        change->forecast_tier = model->sets[change->set].tiers[forecast->tier].name;
        change->forecast_ms = forecast->time_ms;
    }
}

/* The announcement of a fall. */
static void record_notice(struct evaluation *evaluation, size_t index, const struct forecast *forecast,
                          const struct occasion *occasion, struct changes *changes) {
    int from = evaluation->customer->tiers[index].tier;
    struct tier_change *notice = new_change(evaluation, index, from, forecast->tier, occasion, changes);
    if (notice) {
        notice->direction = DIRECTION_WILL_FALL;
        notice->conditions = forecast->conditions;
        notice->conditions_count = forecast->conditions_count;
        set_forecast(notice, evaluation->model, forecast);
    }
}

/* The fall that lies ahead of the set is near enough: it is told with the conditions as they will stand. */
static void give_notice(struct evaluation *evaluation, struct customer *customer, size_t index,
                        const struct occasion *occasion, struct changes *changes) {
    struct forecast forecasts[SETS_MAX];
    customer->tiers[index].noticed_ms = customer->tiers[index].falls_ms;
    changes->error = explain_forecast(customer, evaluation->model, bit(index), changes->arena, forecasts);
    if (!changes->error) {
        record_notice(evaluation, index, &forecasts[index], occasion, changes);
    }
}

/* Gives notice of the falls that are near enough, or makes the customer wake up for it. */
static void give_notices(struct evaluation *evaluation, struct customer *customer, const struct occasion *occasion,
                         struct changes *changes) {
    for (size_t i = 0; i < evaluation->model->sets_count && !changes->error; i++) {
        const struct tier_set *set = &evaluation->model->sets[i];
        const struct tier_state *state = &customer->tiers[i];
        if (set->notice_ms == 0 || state->falls_ms == TIME_NEVER || state->falls_ms == state->noticed_ms) {
            continue;
        }
        int64_t notice_ms = state->falls_ms - set->notice_ms;
        if (notice_ms <= evaluation->now_ms) {
            give_notice(evaluation, customer, i, occasion, changes);
        } else {
            customer->wake_ms = notice_ms < customer->wake_ms ? notice_ms : customer->wake_ms;
        }
    }
}

/* The forecasts of the changes since `first`, and when the sets that give notice will fall. While only time goes on, what lies ahead
 * stays what it was. */
static void tell_ahead(struct outlook *outlook, struct customer *customer, uint64_t changed, struct tier_change *first,
                       struct changes *changes) {
    const struct model *model = outlook->evaluation->model;
    uint64_t unknown = model->notices & ~customer->forecast_known;
    int error = changes->error ? changes->error : outlook_forecast(outlook, changed | unknown);
    if (error) {
        changes->error = error;
        return;
    }
    for (struct tier_change *change = first; change; change = change->next) {
        set_forecast(change, model, &outlook->forecasts[change->set]);
    }
    for (size_t i = 0; i < model->sets_count && unknown >> i; i++) {
        if (unknown & bit(i)) {
            struct tier_state *state = &customer->tiers[i];
            const struct forecast *forecast = &outlook->forecasts[i];
            state->falls_ms = forecast->tier > state->tier ? forecast->time_ms : TIME_NEVER;
        }
    }
    customer->forecast_known |= unknown;
}

/* How the customer stands after the changes just recorded, where that is wanted. */
static void take_standing(struct evaluation *evaluation, const struct customer *customer, struct changes *changes) {
    size_t sets = evaluation->model->sets_count;
    if (!changes->standings || changes->error) {
        return;
    }
    struct customer_standing *standing = arena_alloc_zero(changes->arena, sizeof *standing);
    struct tier_state *tiers = arena_alloc(changes->arena, sets * sizeof *tiers);
    if (!standing || !tiers) {
        changes->error = ERR_NO_MEMORY;
        return;
    }
    memcpy(tiers, customer->tiers, sets * sizeof *tiers);
    standing->as_of_ms = evaluation->now_ms;
    standing->tiers = tiers;
    changes->error = explain_values(evaluation, changes->arena, &standing->values);
    changes->last->standing = standing;
}

/* Where the customer now stands among all, for the scores that are cut by all. */
static void take_ranks(struct evaluation *evaluation, struct customer *customer) {
    for (size_t i = 0; i < evaluation->model->ranked_count; i++) {
        customer->ranks[i] = evaluation_rank(evaluation, &evaluation->model->scores[evaluation->model->ranked[i]]);
    }
}

/* ---- evaluating ---- */

/* Decides the sets concerned, and those whose rules refer to one that changes. The sets that change, as bits; they are recorded
 * unless changes is NULL. */
static uint64_t decide(struct evaluation *evaluation, struct customer *customer, uint64_t concerned,
                       const struct occasion *occasion, struct changes *changes) {
    const struct model *model = evaluation->model;
    uint64_t changed = 0;
    for (size_t i = 0; i < model->sets_count; i++) {
        struct tier_state *state = &customer->tiers[i];
        int from = state->tier;
        int to = concerned & bit(i) ? tier_decide(evaluation, &model->sets[i], state) : from;
        if (to != from) {
            tier_enter(evaluation, &model->sets[i], state, to);
            changed |= bit(i);
            concerned |= model->sets[i].referrers;
            if (changes) {
                record_change(evaluation, i, from, occasion, changes);
            }
        }
    }
    return changed;
}

/* Sets that the rules of one concerned refer to, or the other way round, share its fate. */
static uint64_t with_relatives(const struct model *model, uint64_t concerned) {
    uint64_t all = concerned;
    for (size_t i = 0; i < model->sets_count && concerned != SETS_ALL; i++) {
        all |= model->sets[i].needs & concerned ? bit(i) : 0;
    }
    return all;
}

/* Decides the sets concerned at the evaluation's instant, and finds out by when the customer must be looked at again. The sets that
 * change, as bits. */
static uint64_t settle(struct outlook *outlook, struct evaluation *evaluation, struct customer *customer,
                       uint64_t concerned, const struct occasion *occasion, struct changes *changes) {
    const struct model *model = evaluation->model;
    uint64_t changed = decide(evaluation, customer, concerned, occasion, changes);
    outlook_begin(outlook, evaluation, changed);
    customer->wake_ms = outlook_wake_ms(outlook);
    customer->forecast_known &= occasion->cause == CAUSE_TIME ? ~changed : ~with_relatives(model, concerned);
    return changed;
}

static const struct occasion silence = {CAUSE_TIME, {NULL, 0}, true};

/* Evaluates every set at now_ms without telling anybody. */
static void evaluate_silently(struct customer *customer, const struct model *model) {
    struct evaluation evaluation;
    struct outlook outlook;
    evaluation_init(&evaluation, customer, model, customer->now_ms);
    settle(&outlook, &evaluation, customer, SETS_ALL, &silence, NULL);
}

/* Evaluates the sets concerned at now_ms. changes NULL: nobody is told, and no ranks are taken. */
static void evaluate(struct customer *customer, const struct model *model, uint64_t concerned,
                     const struct occasion *occasion, struct changes *changes) {
    struct evaluation evaluation;
    struct outlook outlook;
    struct tier_change *last_before = changes ? changes->last : NULL;
    evaluation_init(&evaluation, customer, model, customer->now_ms);
    uint64_t changed = settle(&outlook, &evaluation, customer, concerned, occasion, changes);
    if (changes) {
        struct tier_change *first = last_before ? last_before->next : changes->first;
        if (first) {
            take_standing(&evaluation, customer, changes);
        }
        take_ranks(&evaluation, customer);
        tell_ahead(&outlook, customer, changed, first, changes);
        give_notices(&evaluation, customer, occasion, changes);
    }
}

/* Moves the logical time; days that no window sees any more go to the residue. True: days were merged, for there are too many. */
static bool move_to(struct customer *customer, const struct model *model, int64_t now_ms) {
    customer->now_ms = now_ms;
    int32_t today = zone_day(model->zone, now_ms);
    return tiles_trim(&customer->tiles, today - model->span_days + 1, model->tiles_max);
}

static void step(struct customer *customer, const struct model *model, int64_t at_ms, bool before_activity,
                 struct changes *changes) {
    struct occasion occasion = {CAUSE_TIME, {NULL, 0}, before_activity};
    move_to(customer, model, at_ms);
    evaluate(customer, model, SETS_ALL, &occasion, changes);
}

void step_to(struct customer *customer, const struct model *model, int64_t at_ms) {
    move_to(customer, model, at_ms);
    evaluate_silently(customer, model);
}

static void step_through(struct customer *customer, const struct model *model, int64_t until_ms, bool before_activity,
                         struct changes *changes) {
    while (customer->wake_ms <= until_ms) {
        step(customer, model, customer->wake_ms, before_activity, changes);
    }
}

/* Brings a customer to the present edition: time first, then the evaluation by which it differs. True: it was of another. */
static bool catch_up(struct customer *customer, const struct model *model, struct changes *changes) {
    if (customer->edition == model->edition->number) {
        return false;
    }
    customer->edition = model->edition->number;
    if (customer->now_ms == TIME_NONE) {
        return false;
    }
    struct occasion occasion = {CAUSE_RULES, {NULL, 0}, false};
    int64_t since_ms = model->edition->since_ms;
    step_through(customer, model, since_ms, false, changes);
    move_to(customer, model, since_ms > customer->now_ms ? since_ms : customer->now_ms);
    evaluate(customer, model, SETS_ALL, &occasion, changes);
    return true;
}

void customer_advance(struct customer *customer, const struct model *model, int64_t clock_ms, struct changes *changes) {
    bool renewed = catch_up(customer, model, changes);
    step_through(customer, model, clock_ms, !renewed, changes);
}

/* ---- applying ---- */

static bool is_duplicate(const struct customer *customer, uint64_t hash) {
    for (uint16_t i = 0; i < customer->recent_count && hash; i++) {
        if (customer->recent[i] == hash) {
            return true;
        }
    }
    return false;
}

static void remember(struct customer *customer, const struct model *model, uint64_t hash) {
    if (!hash || model->dedupe == 0) {
        return;
    }
    if (customer->recent_count == model->dedupe) {
        memmove(customer->recent, customer->recent + 1, (model->dedupe - 1) * sizeof *customer->recent);
        customer->recent_count--;
    }
    customer->recent[customer->recent_count++] = hash;
}

static enum cause cause_of(const struct activity *activity) {
    if (activity->type == ACTIVITY_INTERACTION) {
        return CAUSE_INTERACTION;
    }
    if (activity->type == ACTIVITY_FEEDBACK) {
        return CAUSE_FEEDBACK;
    }
    return activity->purchase.kind == PURCHASE_KIND_PURCHASE ? CAUSE_PURCHASE : CAUSE_REFUND;
}

int64_t customer_due_ms(const struct customer *customer, const struct model *model) {
    struct evaluation evaluation;
    evaluation_init(&evaluation, customer, model, customer->now_ms);
    int64_t due_ms = customer->now_ms == TIME_NONE ? TIME_NEVER : due_next(&evaluation, TIME_NEVER);
    return due_ms < customer->wake_ms ? due_ms : customer->wake_ms; /* a notice is due by itself */
}

/* The last due instant up to until_ms, or now_ms: none of them changes anything, but time has gone on to it. */
static int64_t last_due_ms(const struct customer *customer, const struct model *model, int64_t now_ms,
                           int64_t until_ms) {
    struct evaluation evaluation;
    int64_t due_ms = now_ms;
    for (;;) {
        evaluation_init(&evaluation, customer, model, due_ms);
        int64_t next_ms = due_next(&evaluation, until_ms + 1);
        if (next_ms > until_ms) {
            return due_ms;
        }
        due_ms = next_ms;
    }
}

/* Whether the last evaluation changed a tier, so that another may change one again though nothing has moved. */
static bool may_be_restless(const struct customer *customer, const struct model *model) {
    for (size_t i = 0; i < model->sets_count; i++) {
        if (customer->tiers[i].tier < 0 || customer->tiers[i].since_ms >= customer->now_ms) {
            return true;
        }
    }
    return false;
}

/* Adds the activity; the sets that it concerns, as bits. */
static uint64_t add(struct customer *customer, const struct model *model, const struct activity *activity,
                    int64_t now_ms, bool *late) {
    bool restless = customer->now_ms == TIME_NONE || may_be_restless(customer, model);
    bool merged = move_to(customer, model, now_ms);
    remember(customer, model, activity->event_hash);
    *late = add_activity(customer, model, activity);
    merged |= tiles_trim(&customer->tiles, DAY_RESIDUE + 1, model->tiles_max);
    return restless || merged ? SETS_ALL : model->activity_sets[activity->type];
}

enum applied customer_apply(struct customer *customer, const struct model *model, const struct activity *activity,
                            int64_t clock_ms, struct changes *changes) {
    if (is_duplicate(customer, activity->event_hash)) {
        return APPLIED_DUPLICATE;
    }
    int64_t until_ms = activity->time_ms > clock_ms ? activity->time_ms : clock_ms;
    bool renewed = catch_up(customer, model, changes);
    step_through(customer, model, until_ms, !renewed, changes);
    int64_t now_ms = activity->time_ms > customer->now_ms ? activity->time_ms : customer->now_ms;
    if (now_ms < until_ms && customer->now_ms != TIME_NONE) {
        now_ms = last_due_ms(customer, model, now_ms, until_ms);
    }
    bool late;
    uint64_t concerned = add(customer, model, activity, now_ms, &late);
    struct occasion occasion = {cause_of(activity), activity->event_id, false};
    if (concerned || model->activity_ranks[activity->type]) {
        evaluate(customer, model, concerned, &occasion, changes);
    }
    while (customer->wake_ms <= clock_ms) {
        step(customer, model, customer->wake_ms, false, changes);
    }
    return late ? APPLIED_LATE : APPLIED;
}

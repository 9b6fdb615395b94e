#include "score/customer.h"

#include "score/add_activity.h"
#include "score/due.h"
#include "score/explain.h"
#include "score/step.h"
#include "score/tiers.h"

#include <stdlib.h>

/* ---- lifetime ---- */

struct customer *customer_create(const struct model *model) {
    struct customer *customer = calloc(1, sizeof *customer);
    if (!customer) {
        return NULL;
    }
    customer->now_ms = TIME_NONE;
    customer->due_ms = customer->armed_ms = TIME_NEVER;
    customer->first_seen_ms = customer->last_seen_ms = TIME_NONE;
    customer->first_purchase_ms = customer->last_purchase_ms = TIME_NONE;
    journey_init(&customer->journey);
    customer->recent = calloc(model->dedupe ? model->dedupe : 1, sizeof *customer->recent);
    customer->ranks = model->ranked_count ? malloc(model->ranked_count * sizeof *customer->ranks) : NULL;
    if (!customer->recent || (model->ranked_count && !customer->ranks) ||
        customer_reserve_tiers(customer, model->sets_count)) {
        customer_destroy(customer);
        return NULL;
    }
    for (size_t i = 0; i < model->sets_count; i++) {
        customer->tiers[i] = (struct tier_state){.set_tag = model->sets[i].tag,
                                                 .tier = -1,
                                                 .since_ms = TIME_NONE,
                                                 .pending_ms = TIME_NEVER,
                                                 .noticed_ms = TIME_NEVER};
    }
    customer->ranks_count = (uint16_t)model->ranked_count;
    for (size_t i = 0; i < model->ranked_count; i++) {
        customer->ranks[i] = RANK_NONE;
    }
    return customer;
}

void customer_destroy(struct customer *customer) {
    if (customer) {
        tiles_finish(&customer->tiles);
        purchase_days_finish(&customer->purchase_days);
        favourites_finish(&customer->categories);
        free(customer->referrer);
        favourites_finish(&customer->channels);
        free(customer->recent);
        free(customer->tiers);
        free(customer->ranks);
        free(customer);
    }
}

int customer_reserve_tiers(struct customer *customer, size_t count) {
    if (count <= customer->tiers_count) {
        return 0;
    }
    struct tier_state *tiers = realloc(customer->tiers, count * sizeof *tiers);
    if (!tiers) {
        return ERR_NO_MEMORY;
    }
    memset(tiers + customer->tiers_count, 0, (count - customer->tiers_count) * sizeof *tiers);
    customer->tiers = tiers;
    customer->tiers_count = (uint16_t)count;
    return 0;
}

int customer_set_referrer(struct customer *customer, struct bytes referrer) {
    if (customer->referrer || referrer.size == 0) {
        return 0;
    }
    ASSERT(referrer.size <= UINT16_MAX);
    customer->referrer = malloc(referrer.size);
    if (!customer->referrer) {
        return ERR_NO_MEMORY;
    }
    memcpy(customer->referrer, referrer.data, referrer.size);
    customer->referrer_size = (uint16_t)referrer.size;
    return 0;
}

struct customer *customer_copy(const struct customer *customer, const struct model *model) {
    struct customer *copy = customer_create(model);
    if (!copy || customer_reserve_tiers(copy, customer->tiers_count) ||
        tiles_reserve(&copy->tiles, customer->tiles.count) ||
        purchase_days_copy(&copy->purchase_days, &customer->purchase_days) ||
        favourites_copy(&copy->categories, &customer->categories) ||
        customer_set_referrer(copy, customer_referrer(customer)) ||
        favourites_copy(&copy->channels, &customer->channels)) {
        customer_destroy(copy);
        return NULL;
    }
    struct customer own = *copy; /* what it has memory of its own for */
    memcpy(own.recent, customer->recent, customer->recent_count * sizeof *own.recent);
    memcpy(own.tiers, customer->tiers, customer->tiers_count * sizeof *own.tiers);
    if (own.ranks) {
        memcpy(own.ranks, customer->ranks, model->ranked_count * sizeof *own.ranks);
    }
    if (customer->tiles.count > 0) {
        memcpy(own.tiles.cells, customer->tiles.cells, customer->tiles.count * sizeof *own.tiles.cells);
    }
    own.tiles.count = customer->tiles.count;
    *copy = *customer;
    copy->recent = own.recent;
    copy->tiles = own.tiles;
    copy->tiers = own.tiers;
    copy->ranks = own.ranks;
    copy->purchase_days = own.purchase_days;
    copy->categories = own.categories;
    copy->referrer = own.referrer;
    copy->channels = own.channels;
    return copy;
}

size_t customer_bytes(const struct customer *customer) {
    enum { MALLOC_OVERHEAD = 16, RECENT_USUAL = 16 };
    return sizeof *customer + customer->tiles.capacity * sizeof *customer->tiles.cells +
           (customer->recent_count > RECENT_USUAL ? customer->recent_count : RECENT_USUAL) * sizeof *customer->recent +
           customer->tiers_count * sizeof *customer->tiers + customer->ranks_count * sizeof *customer->ranks +
           customer->referrer_size + customer->purchase_days.capacity * sizeof *customer->purchase_days.known +
           customer->categories.capacity + customer->channels.capacity + (size_t)8 * MALLOC_OVERHEAD;
}

bool customer_is_valid(const struct customer *customer, const struct model *model) {
    for (uint32_t i = 0; i < customer->tiles.count; i++) {
        const struct cell *cell = &customer->tiles.cells[i];
        if (cell->value == 0 ||
            (i > 0 && (cell[-1].day > cell->day || (cell[-1].day == cell->day && cell[-1].field >= cell->field)))) {
            return false;
        }
    }
    for (size_t i = 0; i < model->sets_count; i++) {
        const struct tier_state *state = &customer->tiers[i];
        if (state->set_tag != model->sets[i].tag || state->tier >= (int)model->sets[i].tiers_count ||
            (state->tier >= 0 && state->tier_tag != model->sets[i].tiers[state->tier].tag)) {
            return false;
        }
    }
    bool seen = customer->now_ms != TIME_NONE;
    return customer->tiers_count >= model->sets_count && customer->recent_count <= model->dedupe &&
           customer->first_seen_ms <= customer->last_seen_ms &&
           customer->first_purchase_ms <= customer->last_purchase_ms &&
           purchase_days_are_valid(&customer->purchase_days) && journey_is_valid(&customer->journey) &&
           (seen || customer->tiles.count == 0) && (!seen || customer->due_ms > customer->now_ms);
}

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

/* What lies ahead of the customer, found out when it is first asked for. */
struct ahead {
    struct forecast forecasts[SETS_MAX];
    bool known;
};

static void look_ahead(struct ahead *ahead, struct evaluation *evaluation, struct customer *customer,
                       struct changes *changes) {
    const struct model *model = evaluation->model;
    if (ahead->known || changes->error) {
        return;
    }
    ahead->known = true;
    changes->error = explain_forecast(customer, model, model->notices ? changes->arena : NULL, ahead->forecasts,
                                      &customer->forecast_known);
    for (size_t i = 0; i < model->sets_count && !changes->error; i++) {
        const struct forecast *forecast = &ahead->forecasts[i];
        struct tier_state *state = &customer->tiers[i];
        state->falls_ms = state->tier >= 0 && forecast->tier > state->tier ? forecast->time_ms : TIME_NEVER;
    }
}

/* Announces falls that are near enough, or makes the instant of the announcement due. */
static void give_notices(struct ahead *ahead, struct evaluation *evaluation, struct customer *customer,
                         const struct occasion *occasion, struct changes *changes) {
    for (size_t i = 0; i < evaluation->model->sets_count && !changes->error; i++) {
        const struct tier_set *set = &evaluation->model->sets[i];
        struct tier_state *state = &customer->tiers[i];
        if (set->notice_ms == 0 || state->tier < 0) {
            continue;
        }
        if (state->falls_ms == TIME_NEVER) {
            state->noticed_ms = TIME_NEVER;
        } else if (state->falls_ms - set->notice_ms > evaluation->now_ms) {
            int64_t notice_ms = state->falls_ms - set->notice_ms;
            state->noticed_ms = TIME_NEVER;
            customer->due_ms = notice_ms < customer->due_ms ? notice_ms : customer->due_ms;
        } else if (state->falls_ms != state->noticed_ms) {
            state->noticed_ms = state->falls_ms;
            look_ahead(ahead, evaluation, customer, changes); /* for the conditions as they will stand */
            record_notice(evaluation, i, &ahead->forecasts[i], occasion, changes);
        }
    }
}

/* Once all sets are decided and the next due instant is known: the forecasts of the changes since `first`, and notices. While only
 * time goes on, what lies ahead stays what it was. */
static void tell_ahead(struct evaluation *evaluation, struct customer *customer, struct tier_change *first,
                       const struct occasion *occasion, struct changes *changes) {
    const struct model *model = evaluation->model;
    struct ahead ahead = {.known = false};
    if ((!first && !model->notices) || changes->error) {
        return;
    }
    evaluation_move(evaluation, customer->now_ms); /* due_next may have moved it */
    if (first || !customer->forecast_known) {
        look_ahead(&ahead, evaluation, customer, changes);
    }
    for (struct tier_change *change = first; change && !changes->error; change = change->next) {
        set_forecast(change, model, &ahead.forecasts[change->set]);
    }
    if (model->notices) {
        give_notices(&ahead, evaluation, customer, occasion, changes);
    }
}

/* Where the customer now stands among all, for the scores that are cut by all. */
static void take_ranks(struct evaluation *evaluation, struct customer *customer) {
    for (size_t i = 0; i < evaluation->model->ranked_count; i++) {
        customer->ranks[i] = evaluation_rank(evaluation, &evaluation->model->scores[evaluation->model->ranked[i]]);
    }
}

/* ---- evaluating ---- */

/* Evaluates every set at now_ms and finds the next due instant. changes NULL: only looking ahead. */
static void evaluate(struct customer *customer, const struct model *model, const struct occasion *occasion,
                     struct changes *changes) {
    struct evaluation evaluation;
    evaluation_init(&evaluation, customer, model, customer->now_ms);
    struct tier_change *last_before = changes ? changes->last : NULL;
    for (size_t i = 0; i < model->sets_count; i++) {
        const struct tier_set *set = &model->sets[i];
        struct tier_state *state = &customer->tiers[i];
        int from = state->tier;
        int to = tier_decide(&evaluation, set, state);
        if (to != from) {
            tier_enter(&evaluation, set, state, to);
            if (changes) {
                record_change(&evaluation, i, from, occasion, changes);
            }
        }
    }
    customer->due_ms = due_next(&evaluation);
    customer->forecast_known &= occasion->cause == CAUSE_TIME;
    if (changes) {
        take_ranks(&evaluation, customer);
        struct tier_change *first = last_before ? last_before->next : changes->first;
        tell_ahead(&evaluation, customer, first, occasion, changes);
    }
}

/* Moves the logical time; days that no window sees any more go to the residue. */
static void move_to(struct customer *customer, const struct model *model, int64_t now_ms) {
    customer->now_ms = now_ms;
    int32_t today = zone_day(model->zone, now_ms);
    tiles_trim(&customer->tiles, today - model->span_days + 1, model->tiles_max);
}

static void step(struct customer *customer, const struct model *model, int64_t at_ms, bool before_activity,
                 struct changes *changes) {
    struct occasion occasion = {CAUSE_TIME, {NULL, 0}, before_activity};
    move_to(customer, model, at_ms);
    evaluate(customer, model, &occasion, changes);
}

void step_to(struct customer *customer, const struct model *model, int64_t at_ms) {
    step(customer, model, at_ms, true, NULL);
}

void step_through(struct customer *customer, const struct model *model, int64_t until_ms, struct changes *changes) {
    while (customer->due_ms <= until_ms) {
        step(customer, model, customer->due_ms, true, changes);
    }
}

/* Brings a customer to the present edition: time first, then the evaluation by which it differs. */
static void catch_up(struct customer *customer, const struct model *model, struct changes *changes) {
    if (customer->edition == model->edition->number) {
        return;
    }
    customer->edition = model->edition->number;
    if (customer->now_ms == TIME_NONE) {
        return;
    }
    struct occasion occasion = {CAUSE_RULES, {NULL, 0}, false};
    int64_t since_ms = model->edition->since_ms;
    step_through(customer, model, since_ms, changes);
    move_to(customer, model, since_ms > customer->now_ms ? since_ms : customer->now_ms);
    evaluate(customer, model, &occasion, changes);
}

void customer_advance(struct customer *customer, const struct model *model, int64_t clock_ms, struct changes *changes) {
    catch_up(customer, model, changes);
    step_through(customer, model, clock_ms, changes);
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

enum applied customer_apply(struct customer *customer, const struct model *model, const struct activity *activity,
                            int64_t clock_ms, struct changes *changes) {
    if (is_duplicate(customer, activity->event_hash)) {
        return APPLIED_DUPLICATE;
    }
    catch_up(customer, model, changes);
    step_through(customer, model, activity->time_ms > clock_ms ? activity->time_ms : clock_ms, changes);
    move_to(customer, model, activity->time_ms > customer->now_ms ? activity->time_ms : customer->now_ms);
    remember(customer, model, activity->event_hash);
    bool late = add_activity(customer, model, activity);
    tiles_trim(&customer->tiles, DAY_RESIDUE + 1, model->tiles_max);
    struct occasion occasion = {cause_of(activity), activity->event_id, false};
    evaluate(customer, model, &occasion, changes);
    while (customer->due_ms <= clock_ms) {
        step(customer, model, customer->due_ms, false, changes);
    }
    return late ? APPLIED_LATE : APPLIED;
}

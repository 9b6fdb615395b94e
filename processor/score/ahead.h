/* Ahead: what becomes of a customer if nothing happens any more, found without evaluating what cannot have changed.
 *
 *     struct ahead ahead;
 *     ahead_begin(&ahead, &evaluation, sets);         as the customer has just been evaluated
 *     while (ahead_step(&ahead)) { ... ahead.changed ... }
 *
 * A step goes to the next due instant of the sets that are looked at, and decides those sets that something concerns there: a day
 * with tiles that they use has left a window, a comparison has turned, a grace is over. For all others an evaluation would find
 * what the last one found. That holds while the sets are calm: an evaluation that changed a tier may make another one, at any
 * due instant after it, change a tier again (rules that ask for their own tier, a fall by one step). ahead_is_calm tells; of a
 * customer that is not, only whole evaluations (step.h) tell what comes. */
#ifndef TIDEMARK_SCORE_AHEAD_H
#define TIDEMARK_SCORE_AHEAD_H

#include "score/evaluate.h"

enum { AHEAD_TURNS_MAX = 256 /* in a model; one with more cannot be looked ahead of so */ };

struct ahead {
    const struct model *model;
    struct customer customer;     /* as it will be; all but its tiers borrowed */
    struct evaluation evaluation; /* of it */
    uint64_t sets;                /* looked at, as bits: may be narrowed between steps, to whole `needs` */
    uint64_t changed;             /* by the last step: sets with another tier */
    bool touched;  /* by the last step: a fall has become pending or is none any more, or a rank may differ */
    bool restless; /* the last step changed a tier and left the sets not calm: no further steps */
    bool ranks;    /* whether days that may move a rank are steps, too */
    int32_t window_days[WINDOWS_MAX];   /* on which the next day enters or leaves; INT32_MAX: none */
    uint32_t window_cells[WINDOWS_MAX]; /* the first cell of the window that has not left */
    struct ahead_turn {
        int64_t at_ms; /* the instant, or one before which it does not come */
        bool exact;
    } turns[AHEAD_TURNS_MAX];
    struct tier_state tiers[SETS_MAX];
};

/* Whether the model can be looked ahead of. */
bool ahead_is_possible(const struct model *model);
/* Whether another evaluation at the same instant would change nothing: `changed` are the sets whose tier the last one changed. */
bool ahead_is_calm(struct evaluation *evaluation, uint64_t changed);
/* The customer must be calm, and the model possible. The evaluation's customer, and its model, must outlive `ahead`. */
void ahead_begin(struct ahead *ahead, const struct evaluation *evaluation, uint64_t sets);
/* To the next instant at which anything may change; false: there is none, or the customer is restless. */
bool ahead_step(struct ahead *ahead);

#endif

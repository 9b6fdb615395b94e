/* Looking a customer up in Redis, for `tidemark get` and GET /v1/customers/{id}. Owns nothing, so it may be slightly behind the
 * worker that owns the customer, by one batch at most. */
#ifndef TIDEMARK_RUN_LOOKUP_H
#define TIDEMARK_RUN_LOOKUP_H

#include "run/config.h"

struct event_base;
struct lookup;
struct rules;

/* NULL and a line in `problem` (256 bytes). partitions 0: find out from the stored state. */
struct lookup *lookup_create(struct event_base *base, const struct config *config, int32_t partitions, char *problem);
void lookup_destroy(struct lookup *lookup);
/* Other rules than the configuration's: customers looked up from now on are told by them. */
void lookup_set_rules(struct lookup *lookup, struct rules *rules);

/* error: 0 and the customer as one line of JSON; ERR_NOT_FOUND; ERR_UNAVAILABLE; ERR_INVALID: stored bytes unreadable. */
typedef void (*lookup_done_fn)(void *arg, int error, struct bytes json);
/* The customer as of at_ms, or where that is TIME_NONE as of now (clock: event: as of the task's clock), and never before the
 * latest thing that happened. The id is copied. */
void lookup_customer(struct lookup *lookup, struct bytes id, int64_t at_ms, lookup_done_fn done, void *arg);

/* The number in an answer of the store; 0 where there is none. */
int64_t lookup_number(struct bytes text);

#endif

/* What the tasks of a worker ask the store of each other: histograms and cut points, for scores that are cut by all customers. The
 * connection is made when the first such score asks, for rules to come may have one. */
#ifndef TIDEMARK_RUN_WORKER_POPULATION_H
#define TIDEMARK_RUN_WORKER_POPULATION_H

#include "run/task.h"

struct event_base;
struct redis_options;
struct worker_population;

/* NULL without memory. base and options are borrowed. */
struct worker_population *worker_population_create(struct event_base *base, const struct redis_options *options);
struct population_port worker_population_port(struct worker_population *population);
/* Questions that are open are given up. Accepts NULL. */
void worker_population_destroy(struct worker_population *population);

#endif

/* Looking at everything outside that the process depends on: Kafka's topics, Redis, the stored state. That takes a while, so a thread
 * does it: every second until all is well for the first time, then every half minute, for partitions may be added while it runs. */
#ifndef TIDEMARK_RUN_APP_LOOK_H
#define TIDEMARK_RUN_APP_LOOK_H

#include "run/check.h"
#include "run/rules.h"

struct event_base;
struct app_look;

/* `news`: something else was found than before; on the loop's thread. */
struct app_look *app_look_create(struct event_base *base, struct rules *rules, void (*news)(void *context),
                                 void *context);
void app_look_start(struct app_look *look);
/* Other rules: from now on it looks at what those need. */
void app_look_set_rules(struct app_look *look, struct rules *rules);
/* What was found last: 0 and the partitions of the topics; ERR_UNAVAILABLE: it waits; ERR_REFUSED: an operator must decide, and the
 * process cannot go on. `problem` (CHECK_PROBLEM_BYTES) tells why it does not run, or is not ready; it is "" if all is well. */
int app_look_result(struct app_look *look, int32_t *partitions, char *problem);
/* Waits for the thread. Accepts NULL. */
void app_look_destroy(struct app_look *look);

#endif

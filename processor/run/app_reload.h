/* New rules for a running process: on SIGHUP its configuration file is read again.
 *
 * The file is checked and, with its rules, Kafka and Redis, as `tidemark check` does; that takes a while, so a thread does it. Wrong
 * rules are refused: every reason is logged, and the former go on. Changes of what only a restart can change are logged too, and
 * ignored. */
#ifndef TIDEMARK_RUN_APP_RELOAD_H
#define TIDEMARK_RUN_APP_RELOAD_H

#include "run/rules.h"

struct event_base;
struct app_reload;

/* New rules are in force from now on; they are the callee's to release. On the loop's thread. */
typedef void (*app_reload_fn)(void *context, struct rules *rules);

/* Catches SIGHUP, unless the configuration is not from a file. The configuration must outlive the rules. */
struct app_reload *app_reload_create(struct event_base *base, const struct config *config, app_reload_fn done,
                                     void *context);
/* Waits for what is being read. Accepts NULL. */
void app_reload_destroy(struct app_reload *reload);

#endif

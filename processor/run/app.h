/* The process of `tidemark run`: signals, HTTP, and the workers.
 *
 * HTTP answers from the first moment, so that a probe sees "not ready" and why. Kafka and Redis are looked at on a thread,
 * again and again until they can be reached; then the workers start. On SIGHUP the configuration is read again (app_reload.h), and its
 * rules replace those that the tasks score by. On SIGTERM the workers finish what they have, and the process ends. */
#ifndef TIDEMARK_RUN_APP_H
#define TIDEMARK_RUN_APP_H

#include "run/config.h"

struct app;

/* Listens for HTTP and catches SIGTERM, SIGINT and, with a configuration from a file, SIGHUP. NULL and a line in `problem` (512 bytes). */
struct app *app_create(const struct config *config, char *problem);
/* Runs until stopped; returns the exit code. */
int app_run(struct app *app);
/* Asks it to stop, as SIGTERM does; from any thread. */
void app_stop(struct app *app);
int app_http_port(const struct app *app); /* 0: no HTTP */
void app_destroy(struct app *app);

#endif

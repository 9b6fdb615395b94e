/* GET /v1/changes: brings each client's stream and a feed of tier changes together. What the client does not take stays in the
 * feed, which then stops reading; a client that is too slow even for that is cut off by the server. */
#ifndef TIDEMARK_RUN_APP_CHANGES_H
#define TIDEMARK_RUN_APP_CHANGES_H

#include "run/rules.h"
#include "serve/http.h"

struct event_base;
struct app_changes;

struct app_changes *app_changes_create(struct event_base *base, struct rules *rules);
/* Other rules, for streams that begin from now on. */
void app_changes_set_rules(struct app_changes *changes, struct rules *rules);
/* Waits for the feeds' threads. Accepts NULL. */
void app_changes_destroy(struct app_changes *changes);
/* As the callback of serve/http.h. */
void app_changes_stream(struct app_changes *changes, struct bytes tier_set, struct bytes last_event_id,
                        struct http_answer *answer);
/* Ends every stream; none begins any more. */
void app_changes_stop(struct app_changes *changes);

#endif

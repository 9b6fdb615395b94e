/* What a configuration that is read again says otherwise than the running one, apart from the rules. */
#ifndef TIDEMARK_RUN_CONFIG_CHANGES_H
#define TIDEMARK_RUN_CONFIG_CHANGES_H

#include "run/config.h"

/* Appends the names of the options that differ and need a restart to take effect, separated by commas: "redis.url, workers". Scores,
 * tier sets and whatever else belongs to the rules need none. */
void config_changes(const struct config *running, const struct config *again, struct buffer *out);

#endif

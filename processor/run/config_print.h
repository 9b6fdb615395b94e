/* The configuration as it resulted, for people who want to know what is really in force.
 *
 * First every option as YAML, from all files, --set and defaults together, with secrets hidden; it can be read again as a
 * configuration. Then, as comments, what each score and tier set says in words. */
#ifndef TIDEMARK_RUN_CONFIG_PRINT_H
#define TIDEMARK_RUN_CONFIG_PRINT_H

#include "run/config.h"

void config_print(const struct config *config, struct buffer *out);

#endif

/* include: other files' scores, tier sets and the options that go with them, taken into one configuration.
 *
 *     include: [value.yaml, /etc/tidemark/churn.yaml]
 *
 * What is included stands before the file's own scores and tier sets, in the order of the list; options that the file says itself
 * win. A name that stands twice is a mistake unless it is written identically both times, as scores are that files share. */
#ifndef TIDEMARK_RUN_CONFIG_INCLUDE_H
#define TIDEMARK_RUN_CONFIG_INCLUDE_H

#include "run/config_node.h"

enum { INCLUDE_DEPTH_MAX = 8 }; /* files that include files: more is hardly meant, and the reading recurses */

/* Reads a whole file. NULL, or why not. */
const char *config_read_bytes(const char *path, struct buffer *out);

/* The tree of a configuration from its text with the files that it includes, and the overrides on top. The files' paths live in
 * the arena. NULL: not even a tree; more problems may have been found in any case. */
struct node *config_read_tree(struct arena *arena, const char *path, struct bytes text, const char *const *overrides,
                              size_t overrides_count, struct config_problems *problems);

#endif

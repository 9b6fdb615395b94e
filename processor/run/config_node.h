/* The configuration file as a tree: what libyaml read, with ${...} expanded and every node's place kept for messages. */
#ifndef TIDEMARK_RUN_CONFIG_NODE_H
#define TIDEMARK_RUN_CONFIG_NODE_H

#include "run/config.h"

enum node_kind { NODE_SCALAR, NODE_MAP, NODE_LIST };

struct node {
    struct node *next;     /* in the parent's order */
    struct node *children; /* of a map or list */
    struct bytes key;      /* in a map */
    int key_line;
    int key_column;
    enum node_kind kind;
    struct bytes text; /* of a scalar, with a NUL behind it */
    int line;          /* counting on from file to file; 0: from an override */
    int column;
};

/* Reads YAML into the arena; NULL and a problem when it is not YAML or its top is not a map. Lines count on from lines_before. */
struct node *config_read_yaml(struct arena *arena, struct bytes text, int lines_before,
                              struct config_problems *problems);
/* Sets "a.b.c=value" in the tree; below `kafka` the rest of the path is one key. A value that begins with [ or { is YAML. */
void config_override(struct arena *arena, struct node *root, const char *assignment, struct config_problems *problems);

/* The child of a map, or NULL. */
struct node *node_child(const struct node *map, const char *key);
size_t node_count(const struct node *node);
/* A map's key, with its place, for the model. */
struct spec_text node_key(const struct node *node);

/* The file that the line is in, and the line as that file counts it; NULL: none. */
const struct config_file *config_file_of(const struct config_problems *problems, int *line);

/* Adds a problem at a node's line; beyond CONFIG_PROBLEMS_MAX they are dropped. */
void config_problem(struct config_problems *problems, int line, int column, const char *format, ...) PRINTF_LIKE(4, 5);
/* "unknown key 'x' in y; did you mean 'z'?" at the node's key. */
void config_unknown_key(struct config_problems *problems, const struct node *node, const char *where,
                        const char *const *known, size_t known_count);
/* Whether the node is a map; a problem, "<where>: expected a map like <example>", if it is none. */
bool config_is_map(struct config_problems *problems, const struct node *node, const char *where, const char *example);
/* The map; NULL if there is none, if it is empty, or, with the same problem, if it is something else. */
const struct node *config_optional_map(struct config_problems *problems, const struct node *node, const char *where,
                                       const char *example);

#endif

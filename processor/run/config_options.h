/* The options of the configuration, in one table: name, kind, default, limits, and what it is for. */
#ifndef TIDEMARK_RUN_CONFIG_OPTIONS_H
#define TIDEMARK_RUN_CONFIG_OPTIONS_H

#include "run/config_node.h"

enum option_kind {
    OPTION_SECTION,  /* holds other options */
    OPTION_TEXT,     /* const char * */
    OPTION_SECRET,   /* the same, not shown */
    OPTION_CHOICE,   /* int, by the order of the choices */
    OPTION_FLAG,     /* bool */
    OPTION_WHOLE,    /* int */
    OPTION_COUNT,    /* size_t */
    OPTION_SIZE,     /* size_t, bytes */
    OPTION_DURATION, /* int64_t, ms */
    OPTION_NUMBER,   /* double */
    OPTION_SPECIAL,  /* read by the part that it belongs to */
};

struct option {
    const char *name; /* with its section: "redis.url" */
    enum option_kind kind;
    size_t offset;         /* in struct config */
    const char *otherwise; /* default, as one would write it; NULL: none */
    const char *choices;   /* "protobuf|json" */
    double least;
    double most;
    const char *help;
};

extern const struct option CONFIG_OPTIONS[];
extern const size_t CONFIG_OPTIONS_COUNT;

/* Binds defaults and every plain option of the tree; reports unknown keys and wrong values. */
void config_bind(struct config *config, const struct node *root, struct config_problems *problems);

/* config_lifetime_value.c */
void config_bind_lifetime_value(struct config *config, const struct node *root, struct config_problems *problems);

/* config_behaviour.c: feedback, behaviour, points and engagement. */
void config_bind_behaviour(struct config *config, const struct node *root, struct config_problems *problems);

/* config_scoring.c: currencies, scores and tier sets, and the compiled model. */
void config_bind_currencies(struct config *config, const struct node *root, struct config_problems *problems);
void config_compile_model(struct config *config, const struct node *root, struct config_problems *problems);

#endif

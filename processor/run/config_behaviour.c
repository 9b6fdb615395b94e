/* The parts of the configuration that say how behaviour counts: points, engagement, frequency. */
#include "run/config_options.h"
#include "run/config_units.h"

#include "base/clock.h"

#include <stdio.h>

enum { WHERE_BYTES = 200 };

#define NUMBER_MAX 1e6 /* of points, factors and weights: beyond any use, and far from where sums lose thousandths */

static void bind_number(const struct node *node, const char *where, double least, double *out,
                        struct config_problems *problems) {
    double number;
    bool is_number = node->kind == NODE_SCALAR && parse_number(node->text, &number);
    if (!is_number || number < least || number > NUMBER_MAX) {
        config_problem(problems, node->line, node->column, "%s.%.80s: expected a number from %.0f to %.0f, not '%.40s'",
                       where, node->key.data, least, NUMBER_MAX, node->kind == NODE_SCALAR ? node->text.data : "a map");
        return;
    }
    *out = number;
}

/* The first child of section.key, which must be a map; NULL: none. */
static const struct node *children_of(const struct node *root, const char *section, const char *key,
                                      const char *example, struct config_problems *problems) {
    char where[WHERE_BYTES];
    const struct node *parent = node_child(root, section);
    snprintf(where, sizeof where, "%s.%s", section, key);
    const struct node *map = parent && parent->kind == NODE_MAP ? node_child(parent, key) : NULL;
    map = config_optional_map(problems, map, where, example);
    return map ? map->children : NULL;
}

static void bind_events(struct config *config, const struct node *root, struct config_problems *problems) {
    const char *names[ACTIVITY_KINDS];
    for (int kind = 0; kind < ACTIVITY_KINDS; kind++) {
        names[kind] = activity_kind_name(kind);
    }
    const struct node *child = children_of(root, "points", "events", "{login: 5, nps: 20}", problems);
    for (; child; child = child->next) {
        int kind = 0;
        while (kind < ACTIVITY_KINDS && !bytes_equal_text(child->key, names[kind])) {
            kind++;
        }
        if (kind == ACTIVITY_KINDS) {
            config_unknown_key(problems, child, "points.events", names, ACTIVITY_KINDS);
        } else {
            bind_number(child, "points.events", -NUMBER_MAX, &config->scoring.points.events[kind], problems);
        }
    }
}

static void bind_weights(struct config *config, const struct node *root, struct config_problems *problems) {
    const char *names[INTERACTION_KINDS];
    for (int kind = 0; kind < INTERACTION_KINDS; kind++) {
        names[kind] = interaction_name(kind + INTERACTION_PAGE_VIEW);
    }
    const struct node *child = children_of(root, "engagement", "weights", "{page_view: 0.2}", problems);
    for (; child; child = child->next) {
        int kind = interaction_by_name(child->key);
        if (kind == 0) {
            config_unknown_key(problems, child, "engagement.weights", names, INTERACTION_KINDS);
        } else {
            bind_number(child, "engagement.weights", 0, &config->scoring.engagement.weights[kind], problems);
        }
    }
}

/* Which sets and tiers there are is for the model to say. */
static void bind_multipliers(struct config *config, const struct node *root, struct config_problems *problems) {
    const struct node *sets = children_of(root, "points", "multipliers", "{value: {vip: 2}}", problems);
    size_t count = 0;
    for (const struct node *set = sets; set; set = set->next) {
        count += set->kind == NODE_MAP ? node_count(set) : 0;
        if (set->kind != NODE_MAP) {
            config_problem(problems, set->line, set->column, "points.multipliers.%.80s: expected a map like {vip: 2}",
                           set->key.data);
        }
    }
    struct multiplier_spec *specs = arena_alloc_zero(&config->arena, (count + 1) * sizeof *specs);
    ASSERT(specs);
    struct points_options *points = &config->scoring.points;
    for (const struct node *set = sets; set; set = set->next) {
        for (const struct node *tier = set->kind == NODE_MAP ? set->children : NULL; tier; tier = tier->next) {
            char where[WHERE_BYTES];
            struct multiplier_spec *spec = &specs[points->multipliers_count++];
            snprintf(where, sizeof where, "points.multipliers.%.80s", set->key.data);
            spec->set = node_key(set);
            spec->tier = node_key(tier);
            bind_number(tier, where, 0, &spec->factor, problems);
        }
    }
    points->multipliers = specs;
}

void config_bind_behaviour(struct config *config, const struct node *root, struct config_problems *problems) {
    struct scoring_options *scoring = &config->scoring;
    scoring->ces = config->ces == 1 ? CES_SHARE : CES_MEAN;
    scoring->frequent_interval_days = (double)config->frequent_interval_ms / (double)MS_PER_DAY;
    scoring->points.kept = node_child(root, "points") != NULL;
    scoring->engagement.kept = node_child(root, "engagement") != NULL;
    bind_events(config, root, problems);
    bind_multipliers(config, root, problems);
    bind_weights(config, root, problems);
}

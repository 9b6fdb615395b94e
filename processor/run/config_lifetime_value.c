/* The part of the configuration about lifetime value:
 *     lifetime_value: {model: mbg_nbd, unit: 7d, r: 0.525, alpha: 6.183, a: 0.891, b: 1.614, gamma_gamma: {p: 6.25, q: 3.74, v: 15.44},
 *                      discount: 0.1}
 * Whatever is left out is as fitted to CDNOW, an online shop of 1997: a place to start from until `tidemark fit`. */
#include "run/config_options.h"
#include "run/config_units.h"

#include <math.h>

enum { UNIT_MS_MIN = MS_PER_MINUTE };

/* One number of the parameters. */
struct number {
    const char *name;
    double *value;
    double least;
    bool more; /* it must be more than that */
};

static void bind_number(const struct node *node, const char *where, const struct number *number,
                        struct config_problems *problems) {
    double value;
    if (node->kind != NODE_SCALAR || !parse_number(node->text, &value) || !isfinite(value) || value < number->least ||
        (number->more && value == number->least)) {
        config_problem(problems, node->line, node->column, "%s.%s: expected a number %s %g, not '%.40s'", where,
                       number->name, number->more ? "above" : "from", number->least,
                       node->kind == NODE_SCALAR ? node->text.data : "");
        return;
    }
    *number->value = value;
}

/* True if the key is one of the numbers. */
static bool bind_numbers(const struct node *node, const char *where, const struct number *numbers, size_t count,
                         struct config_problems *problems) {
    for (size_t i = 0; i < count; i++) {
        if (bytes_equal_text(node->key, numbers[i].name)) {
            bind_number(node, where, &numbers[i], problems);
            return true;
        }
    }
    return false;
}

static void bind_spend(struct ltv_params *params, const struct node *map, struct config_problems *problems) {
    static const char where[] = "lifetime_value.gamma_gamma";
    static const char *const known[] = {"p", "q", "v"};
    const struct number numbers[] = {
        {"p", &params->p, 0, true}, {"q", &params->q, 1, true}, {"v", &params->v, 0, true}};
    if (!config_is_map(problems, map, where, "{p: 6.25, q: 3.74, v: 15.44}")) {
        return;
    }
    for (const struct node *child = map->children; child; child = child->next) {
        if (!bind_numbers(child, where, numbers, 3, problems)) {
            config_unknown_key(problems, child, where, known, 3);
        }
    }
}

static void bind_model(struct ltv_params *params, const struct node *node, struct config_problems *problems) {
    params->model = bytes_equal_text(node->text, "bg_nbd") ? LTV_BG_NBD : LTV_MBG_NBD;
    if (params->model == LTV_MBG_NBD && !bytes_equal_text(node->text, "mbg_nbd")) {
        config_problem(problems, node->line, node->column,
                       "lifetime_value.model: expected mbg_nbd or bg_nbd, not '%.40s'",
                       node->kind == NODE_SCALAR ? node->text.data : "");
    }
}

static void bind_unit(struct ltv_params *params, const struct node *node, struct config_problems *problems) {
    int64_t unit_ms;
    if (node->kind != NODE_SCALAR || !parse_duration(node->text, &unit_ms) || unit_ms < UNIT_MS_MIN) {
        config_problem(problems, node->line, node->column,
                       "lifetime_value.unit: expected a duration of at least 1m, like 7d, not '%.40s'",
                       node->kind == NODE_SCALAR ? node->text.data : "");
        return;
    }
    params->unit_ms = (double)unit_ms;
}

void config_bind_lifetime_value(struct config *config, const struct node *root, struct config_problems *problems) {
    static const char where[] = "lifetime_value";
    static const char *const known[] = {"model", "unit", "r", "alpha", "a", "b", "gamma_gamma", "discount"};
    struct ltv_params *params = &config->scoring.lifetime_value;
    const struct number numbers[] = {{"r", &params->r, 0, true},
                                     {"alpha", &params->alpha, 0, true},
                                     {"a", &params->a, 0, true},
                                     {"b", &params->b, 0, true},
                                     {"discount", &params->discount, 0, false}};
    const struct node *map = node_child(root, where);
    params->money_scale = pow(10, fmax(currency_decimals(config->currency_base), 0));
    bool given = map && config_is_map(problems, map, where, "{model: mbg_nbd, unit: 7d, r: 0.525, ...}");
    for (const struct node *child = given ? map->children : NULL; child; child = child->next) {
        if (bytes_equal_text(child->key, "model")) {
            bind_model(params, child, problems);
        } else if (bytes_equal_text(child->key, "unit")) {
            bind_unit(params, child, problems);
        } else if (bytes_equal_text(child->key, "gamma_gamma")) {
            bind_spend(params, child, problems);
        } else if (!bind_numbers(child, where, numbers, 5, problems)) {
            config_unknown_key(problems, child, where, known, sizeof known / sizeof *known);
        }
    }
}

/* The parts of the configuration that say how customers are scored: currencies, scores, tier sets. */
#include "run/config_options.h"
#include "run/config_units.h"

#include <stdio.h>

enum { CURRENCIES_MAX = 256, SETS_MAX = 64, TIERS_MAX = 64, SCORES_MAX = 64, STEPS_MAX = 32, LABELS_MAX = 64 };

#define RATE_NANO_MAX INT64_C(1000000000000000) /* a million base units for one: beyond any currency there is */

static void *zeroed(struct config *config, size_t count, size_t size) {
    void *room = arena_alloc_zero(&config->arena, count * size + 1);
    ASSERT(room);
    return room;
}

/* ---- currencies ---- */

static bool set_code(struct currency_rate *rate, struct bytes code) {
    if (code.size != 3) {
        return false;
    }
    memcpy(rate->code, code.data, 3);
    rate->code[3] = '\0';
    return currency_decimals(rate->code) >= 0;
}

void config_bind_currencies(struct config *config, const struct node *root, struct config_problems *problems) {
    const struct node *section = node_child(root, "currency");
    const struct node *rates = section ? node_child(section, "rates") : NULL;
    size_t count = rates ? node_count(rates) : 0;
    config->currencies = zeroed(config, count + 1, sizeof *config->currencies);
    struct currency_rate *base = config->currencies;
    if (!set_code(base, bytes_of_text(config->currency_base))) {
        const struct node *node = section ? node_child(section, "base") : NULL;
        config_problem(problems, node ? node->line : 0, node ? node->column : 0,
                       "currency.base: '%.20s' is not an ISO 4217 code like EUR", config->currency_base);
        return;
    }
    base->rate_nano = 1000000000;
    config->currencies_count = 1;
    rates = config_optional_map(problems, rates, "currency.rates", "{USD: 0.92}");
    if (!rates) {
        return;
    }
    if (count > CURRENCIES_MAX) {
        config_problem(problems, rates->line, rates->column, "currency.rates: more than %d of them", CURRENCIES_MAX);
        return;
    }
    for (const struct node *child = rates->children; child; child = child->next) {
        struct currency_rate *rate = &config->currencies[config->currencies_count];
        if (!set_code(rate, child->key)) {
            config_problem(problems, child->key_line, child->key_column,
                           "currency.rates: '%.20s' is not an ISO 4217 code like USD", child->key.data);
        } else if (strcmp(rate->code, base->code) == 0) {
            config_problem(problems, child->key_line, child->key_column,
                           "currency.rates: %s is the base currency itself", rate->code);
        } else if (child->kind != NODE_SCALAR || !parse_nano(child->text, &rate->rate_nano) ||
                   rate->rate_nano > RATE_NANO_MAX) {
            config_problem(problems, child->line, child->column,
                           "currency.rates.%s: expected a positive decimal number with at most 9 places, not '%.60s'",
                           rate->code, child->text.data);
        } else {
            rate->decimals_difference = currency_decimals(base->code) - currency_decimals(rate->code);
            config->currencies_count++;
        }
    }
}

/* ---- maps with known keys ---- */

/* Reports every key of the map that is not among `known`. */
static void only(struct config_problems *problems, const struct node *map, const char *where, const char *const *known,
                 size_t known_count) {
    for (const struct node *child = map->children; child; child = child->next) {
        bool found = false;
        for (size_t i = 0; i < known_count; i++) {
            found |= bytes_equal_text(child->key, known[i]);
        }
        if (!found) {
            config_unknown_key(problems, child, where, known, known_count);
        }
    }
}

static struct spec_text text_of(const struct node *node) {
    return node ? (struct spec_text){node->text, node->line, node->column} : (struct spec_text){{NULL, 0}, 0, 0};
}

/* ---- scores ---- */

/* A list of numbers, each greater than the one before; NULL and a problem if it is none. */
static const double *bind_ascending(struct config *config, const struct node *node, const char *where, const char *what,
                                    int count_max, size_t *count_out, struct config_problems *problems) {
    size_t count = node->kind == NODE_LIST ? node_count(node) : 0;
    if (count == 0 || count > (size_t)count_max) {
        config_problem(problems, node->line, node->column, "%s.%s: expected a list of 1 to %d numbers", where, what,
                       count_max);
        return NULL;
    }
    double *steps = zeroed(config, count, sizeof *steps);
    size_t at = 0;
    for (const struct node *child = node->children; child; child = child->next, at++) {
        if (!parse_number(child->text, &steps[at])) {
            config_problem(problems, child->line, child->column, "%s.%s: '%.40s' is not a number", where, what,
                           child->text.data);
            return NULL;
        }
        if (at > 0 && steps[at] <= steps[at - 1]) {
            config_problem(problems, child->line, child->column, "%s.%s must ascend, but %s follows %g", where, what,
                           child->text.data, steps[at - 1]);
            return NULL;
        }
    }
    *count_out = count;
    return steps;
}

static void bind_quantiles(const struct node *node, const char *where, struct score_spec *spec,
                           struct config_problems *problems) {
    int64_t quantiles = 0;
    if (node->kind != NODE_SCALAR || !parse_whole(node->text, &quantiles) || quantiles < 2 ||
        quantiles > CUTS_MAX + 1) {
        config_problem(problems, node->line, node->column, "%s.quantiles: expected a whole number from 2 to %d", where,
                       CUTS_MAX + 1);
        return;
    }
    spec->quantiles = (int)quantiles;
}

static void bind_score(struct config *config, const struct node *node, struct score_spec *spec,
                       struct config_problems *problems) {
    static const char *const keys[] = {"metric", "steps", "quantiles", "shares", "best"};
    char where[120];
    snprintf(where, sizeof where, "scores.%.80s", node->key.data);
    spec->name = node_key(node);
    if (!config_is_map(problems, node, where, "{metric: \"purchases(90d)\", steps: [2, 3, 5]}")) {
        return;
    }
    only(problems, node, where, keys, sizeof keys / sizeof *keys);
    const struct node *metric = node_child(node, "metric");
    const struct node *steps = node_child(node, "steps");
    const struct node *quantiles = node_child(node, "quantiles");
    const struct node *shares = node_child(node, "shares");
    const struct node *best = node_child(node, "best");
    if (!metric || (!steps && !quantiles && !shares)) {
        config_problem(problems, node->line, node->column, "%s needs %s", where,
                       metric ? "'steps', 'quantiles' or 'shares'" : "'metric'");
        return;
    }
    spec->metric = text_of(metric);
    if (steps) {
        spec->steps = bind_ascending(config, steps, where, "steps", STEPS_MAX, &spec->steps_count, problems);
    }
    if (shares) {
        spec->shares = bind_ascending(config, shares, where, "shares", CUTS_MAX, &spec->shares_count, problems);
    }
    if (quantiles) {
        bind_quantiles(quantiles, where, spec, problems);
    }
    spec->best_low = best && bytes_equal_text(best->text, "low");
    if (best && !spec->best_low && !bytes_equal_text(best->text, "high")) {
        config_problem(problems, best->line, best->column, "%s.best: expected low or high, not '%.40s'", where,
                       best->text.data);
    }
}

static void bind_scores(struct config *config, const struct node *root, struct model_spec *spec,
                        struct config_problems *problems) {
    const struct node *map = node_child(root, "scores");
    if (!map || !config_is_map(problems, map, "scores", "r: {metric: ..., steps: [...]}")) {
        return;
    }
    struct score_spec *scores = zeroed(config, node_count(map), sizeof *scores);
    for (const struct node *child = map->children; child; child = child->next) {
        if (spec->scores_count == SCORES_MAX) {
            config_problem(problems, child->key_line, child->key_column, "more than %d scores", SCORES_MAX);
            return;
        }
        bind_score(config, child, &scores[spec->scores_count++], problems);
    }
    spec->scores = scores;
}

/* ---- tier sets ---- */

static void bind_treatment(struct config *config, const struct node *node, const char *where, struct tier_spec *tier,
                           struct config_problems *problems) {
    if (!node || !config_is_map(problems, node, where, "{service: dedicated}")) {
        return;
    }
    size_t count = node_count(node);
    struct label_spec *labels = zeroed(config, count, sizeof *labels);
    for (const struct node *child = node->children; child; child = child->next) {
        if (child->kind != NODE_SCALAR || tier->treatment_count == LABELS_MAX) {
            config_problem(problems, child->line, child->column, "%s: labels have plain values, at most %d of them",
                           where, LABELS_MAX);
            return;
        }
        labels[tier->treatment_count++] = (struct label_spec){child->key, child->text};
    }
    tier->treatment = labels;
}

static void bind_tier(struct config *config, const struct node *node, const char *set, struct tier_spec *tier,
                      struct config_problems *problems) {
    static const char *const keys[] = {"name", "enter", "stay", "treatment"};
    char where[160];
    snprintf(where, sizeof where, "%s.tiers", set);
    if (!config_is_map(problems, node, where, "{name: vip, enter: \"revenue(365d) >= 1000\"}")) {
        return;
    }
    only(problems, node, where, keys, sizeof keys / sizeof *keys);
    const struct node *name = node_child(node, "name");
    if (!name) {
        config_problem(problems, node->line, node->column, "%s: a tier needs a name", where);
        return;
    }
    tier->name = text_of(name);
    tier->enter = text_of(node_child(node, "enter"));
    tier->stay = text_of(node_child(node, "stay"));
    bind_treatment(config, node_child(node, "treatment"), where, tier, problems);
}

static int64_t bind_time(const struct node *set, const char *key, const char *where, struct config_problems *problems) {
    const struct node *node = node_child(set, key);
    int64_t ms = 0;
    if (node && (node->kind != NODE_SCALAR || !parse_duration(node->text, &ms))) {
        config_problem(problems, node->line, node->column,
                       "%s.%s: expected a duration like 0d, 12h or 30d, not '%.40s'", where, key, node->text.data);
    }
    return ms;
}

static void bind_set(struct config *config, const struct node *node, struct tier_set_spec *set,
                     struct config_problems *problems) {
    static const char *const keys[] = {"topic", "hold", "grace", "notice", "demote", "tiers"};
    char where[120];
    snprintf(where, sizeof where, "tier_sets.%.80s", node->key.data);
    set->name = node_key(node);
    if (!config_is_map(problems, node, where, "{tiers: [...]}")) {
        return;
    }
    only(problems, node, where, keys, sizeof keys / sizeof *keys);
    const struct node *topic = node_child(node, "topic");
    const struct node *demote = node_child(node, "demote");
    const struct node *tiers = node_child(node, "tiers");
    set->topic = topic ? topic->text : bytes_of(NULL, 0);
    if (topic && (topic->kind != NODE_SCALAR || topic->text.size == 0)) {
        config_problem(problems, topic->line, topic->column, "%s.topic: expected the name of a topic", where);
    }
    set->hold_ms = bind_time(node, "hold", where, problems);
    set->grace_ms = bind_time(node, "grace", where, problems);
    set->notice_ms = bind_time(node, "notice", where, problems);
    set->one_step = demote && bytes_equal_text(demote->text, "one_step");
    if (demote && !set->one_step && !bytes_equal_text(demote->text, "to_fit")) {
        config_problem(problems, demote->line, demote->column, "%s.demote: expected to_fit or one_step, not '%.40s'",
                       where, demote->text.data);
    }
    size_t count = tiers && tiers->kind == NODE_LIST ? node_count(tiers) : 0;
    if (count == 0 || count > TIERS_MAX) {
        config_problem(problems, tiers ? tiers->line : node->line, tiers ? tiers->column : node->column,
                       "%s.tiers: expected a list of 1 to %d tiers, best first", where, TIERS_MAX);
        return;
    }
    struct tier_spec *specs = zeroed(config, count, sizeof *specs);
    for (const struct node *child = tiers->children; child; child = child->next) {
        bind_tier(config, child, where, &specs[set->tiers_count++], problems);
    }
    set->tiers = specs;
}

static void bind_sets(struct config *config, const struct node *root, struct model_spec *spec,
                      struct config_problems *problems) {
    const struct node *map = node_child(root, "tier_sets");
    if (!map || map->kind != NODE_MAP || !map->children) {
        config_problem(problems, map ? map->line : 0, map ? map->column : 0,
                       "tier_sets: expected at least one set of tiers: without it there is nothing to publish");
        return;
    }
    struct tier_set_spec *sets = zeroed(config, node_count(map), sizeof *sets);
    for (const struct node *child = map->children; child; child = child->next) {
        if (spec->sets_count == SETS_MAX) {
            config_problem(problems, child->key_line, child->key_column, "more than %d tier sets", SETS_MAX);
            return;
        }
        bind_set(config, child, &sets[spec->sets_count++], problems);
    }
    spec->sets = sets;
}

void config_compile_model(struct config *config, const struct node *root, struct config_problems *problems) {
    struct model_spec spec = {
        .zone = &config->zone,
        .money_decimals = currency_decimals(config->currency_base),
        .dedupe = config->dedupe,
        .tiles_max = config->tiles_max,
        .ranked_minimum = (int64_t)config->ranked_minimum,
        .options = &config->scoring,
    };
    size_t before = problems->count;
    bind_scores(config, root, &spec, problems);
    bind_sets(config, root, &spec, problems);
    if (problems->count > before || spec.money_decimals < 0) {
        return; /* the compiler would only repeat it */
    }
    struct model_error error;
    struct model *model = NULL;
    if (model_compile(&config->arena, &spec, &model, &error)) {
        config_problem(problems, error.line, error.column, "%s", error.message);
    }
    config->model = model;
}

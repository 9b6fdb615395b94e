#include "score/model.h"

#include "base/clock.h"
#include "score/model_parts.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum { WHERE_BYTES_MAX = 160, VERSION_DIGITS = 16 };

int model_fail(struct model_error *error, const struct spec_text *at, const char *format, ...) {
    error->line = at->line;
    error->column = at->column;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    return ERR_INVALID;
}

int model_out_of_memory(struct model_error *error) {
    static const struct spec_text nowhere = {{"", 0}, 0, 0};
    model_fail(error, &nowhere, "the rules need more memory than they may have");
    return ERR_NO_MEMORY;
}

/* The stored mark of a name: never 0, which means none. */
uint16_t model_tag_of(struct bytes name) {
    uint16_t tag = (uint16_t)bytes_hash(name);
    return tag ? tag : 1;
}

static bool is_word(struct bytes name) {
    for (size_t i = 0; i < name.size; i++) {
        unsigned char c = (unsigned char)name.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
        if (!letter && (i == 0 || c < '0' || c > '9')) {
            return false;
        }
    }
    return name.size > 0 && name.size <= 64;
}

/* Names stand in rules and in JSON, and some have a meaning of their own. */
int model_check_name(const struct spec_text *name, const char *kind, struct model_error *error) {
    static const char *const reserved[] = {"and", "or", "not", "min", "max", "known", "ago", "tier"};
    if (!is_word(name->text)) {
        return model_fail(error, name, "%s '%.*s' is not a name: letters, digits and _, at most 64, not a digit first",
                          kind, TEXT_ARGS(name->text));
    }
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
        if (bytes_equal_text(name->text, reserved[i])) {
            return model_fail(error, name, "%s '%s' is a word of the rule language", kind, reserved[i]);
        }
    }
    return 0;
}

/* ---- tier sets ---- */

static int compile_rules(struct rule_scope *scope, const struct tier_set_spec *set, size_t index, struct tier *out,
                         struct model_error *error) {
    const struct tier_spec *spec = &set->tiers[index];
    bool last = index + 1 == set->tiers_count;
    char where[WHERE_BYTES_MAX];
    scope->where = where;
    out->everyone = !spec->enter.text.data;
    if (last && (spec->enter.text.data || spec->stay.text.data)) {
        return model_fail(error, spec->enter.text.data ? &spec->enter : &spec->stay,
                          "tier '%.*s' is the last of its set and takes everyone else: it has no rule",
                          TEXT_ARGS(spec->name.text));
    }
    if (!last && out->everyone) {
        return model_fail(error, &spec->name,
                          "tier '%.*s' needs an 'enter' rule: only the last tier takes everyone else",
                          TEXT_ARGS(spec->name.text));
    }
    if (last) {
        return 0;
    }
    snprintf(where, sizeof where, "tier_sets.%.*s.tiers[%zu].enter", TEXT_ARGS(set->name.text), index);
    int result = rule_compile(scope, &spec->enter, &out->enter, error);
    out->stay = out->enter;
    if (!result && spec->stay.text.data) {
        snprintf(where, sizeof where, "tier_sets.%.*s.tiers[%zu].stay", TEXT_ARGS(set->name.text), index);
        result = rule_compile(scope, &spec->stay, &out->stay, error);
    }
    return result;
}

static int copy_treatment(struct arena *arena, const struct tier_spec *spec, struct tier *out,
                          struct model_error *error) {
    struct label_spec *labels = arena_alloc(arena, spec->treatment_count * sizeof *labels);
    if (!labels) {
        return model_out_of_memory(error);
    }
    for (size_t i = 0; i < spec->treatment_count; i++) {
        labels[i].name = arena_copy(arena, spec->treatment[i].name);
        labels[i].value = arena_copy(arena, spec->treatment[i].value);
        if (!labels[i].name.data || !labels[i].value.data) {
            return model_out_of_memory(error);
        }
    }
    out->treatment = labels;
    out->treatment_count = spec->treatment_count;
    return 0;
}

static int compile_tiers(struct rule_scope *scope, const struct tier_set_spec *spec, struct tier_set *out,
                         struct model_error *error) {
    for (size_t i = 0; i < spec->tiers_count; i++) {
        struct tier *tier = &out->tiers[i];
        const struct spec_text *name = &spec->tiers[i].name;
        int result = model_check_name(name, "tier", error);
        if (result) {
            return result;
        }
        tier->name = arena_copy(scope->arena, name->text);
        if (!tier->name.data) {
            return ERR_NO_MEMORY;
        }
        tier->tag = model_tag_of(name->text);
        for (size_t j = 0; j < i; j++) {
            if (bytes_equal(out->tiers[j].name, name->text)) {
                return model_fail(error, name, "tier '%.*s' stands twice in its set", TEXT_ARGS(name->text));
            }
            if (out->tiers[j].tag == tier->tag) {
                return model_fail(error, name,
                                  "tiers '%.*s' and '%.*s' cannot be told apart in the stored state: rename one",
                                  TEXT_ARGS(name->text), TEXT_ARGS(out->tiers[j].name));
            }
        }
        result = compile_rules(scope, spec, i, tier, error);
        result = result ? result : copy_treatment(scope->arena, &spec->tiers[i], tier, error);
        if (result) {
            return result;
        }
        out->tiers_count++;
    }
    return 0;
}

static void note(uint16_t *list, size_t *count, size_t value) {
    for (size_t i = 0; i < *count; i++) {
        if (list[i] == value) {
            return;
        }
    }
    list[(*count)++] = (uint16_t)value;
}

/* What the set's rules use, in order of first use. */
static int collect_used(struct arena *arena, const struct model *model, struct tier_set *set) {
    uint16_t *scores = arena_alloc(arena, SCORES_MAX * sizeof *scores);
    uint16_t *slots = arena_alloc(arena, METRIC_SLOTS_MAX * sizeof *slots);
    if (!scores || !slots) {
        return ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < set->tiers_count; i++) {
        const struct rule *rules[2] = {&set->tiers[i].enter, &set->tiers[i].stay};
        for (size_t j = 0; j < 2; j++) {
            for (size_t k = 0; k < rules[j]->ops_count; k++) {
                const struct op *op = &rules[j]->ops[k];
                if (op->code == OP_SCORE) {
                    note(scores, &set->scores_count, op->index);
                    note(slots, &set->slots_count, model->scores[op->index].slot);
                } else if (op->code == OP_METRIC) {
                    note(slots, &set->slots_count, op->index);
                }
            }
        }
    }
    set->scores = scores;
    set->slots = slots;
    return 0;
}

static int compile_set(struct arena *arena, const struct model_spec *spec, size_t index, struct model *model,
                       struct model_error *error) {
    const struct tier_set_spec *from = &spec->sets[index];
    struct tier_set *set = &model->sets[index];
    struct rule_scope scope = {.arena = arena,
                               .slots = &model->slots,
                               .scores = spec->scores,
                               .scores_count = spec->scores_count,
                               .sets = spec->sets,
                               .sets_count = spec->sets_count,
                               .rising_below = model->options.rising_below};
    int result = model_check_name(&from->name, "tier set", error);
    if (result) {
        return result;
    }
    if (from->tiers_count == 0 || from->tiers_count > TIERS_MAX) {
        return model_fail(error, &from->name, "tier set '%.*s' needs 1 to %d tiers", TEXT_ARGS(from->name.text),
                          TIERS_MAX);
    }
    set->name = arena_copy(arena, from->name.text);
    set->topic = from->topic.data ? arena_copy(arena, from->topic) : from->topic;
    set->tag = model_tag_of(from->name.text);
    set->hold_ms = from->hold_ms;
    set->grace_ms = from->grace_ms;
    set->notice_ms = from->notice_ms;
    model->notices |= (uint64_t)(from->notice_ms > 0) << index;
    set->one_step = from->one_step;
    set->tiers = arena_alloc_zero(arena, from->tiers_count * sizeof *set->tiers);
    if (!set->name.data || (from->topic.data && !set->topic.data) || !set->tiers) {
        return ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < index; i++) {
        if (model->sets[i].tag == set->tag) {
            return model_fail(error, &from->name, "tier sets '%.*s' and '%.*s' %s", TEXT_ARGS(model->sets[i].name),
                              TEXT_ARGS(from->name.text),
                              bytes_equal(model->sets[i].name, from->name.text)
                                  ? "have the same name"
                                  : "cannot be told apart in the stored state: rename one");
        }
    }
    result = compile_tiers(&scope, from, set, error);
    return result ? result : collect_used(arena, model, set);
}

/* A hash over everything that decides: two models of one version score alike. */
static int make_version(struct arena *arena, struct model *model) {
    struct buffer all = {0};
    buffer_printf(&all, "v1 %d %zu;", model->money_decimals, model->tiles_max);
    for (size_t i = 0; i < model->scores_count; i++) {
        const struct score *score = &model->scores[i];
        buffer_put_sized(&all, score->name);
        buffer_put_sized(&all, model->slots.slots[score->slot].text);
        buffer_put(&all, score->steps, score->steps_count * sizeof *score->steps);
        buffer_put_byte(&all, score->best_low);
        buffer_printf(&all, "%d;", score->rank_rule.quantiles);
        buffer_put(&all, score->rank_rule.shares, score->rank_rule.shares_count * sizeof *score->rank_rule.shares);
    }
    for (size_t i = 0; i < model->sets_count; i++) {
        const struct tier_set *set = &model->sets[i];
        buffer_put_sized(&all, set->name);
        buffer_printf(&all, "%" PRId64 " %" PRId64 " %" PRId64 " %d;", set->hold_ms, set->grace_ms, set->notice_ms,
                      set->one_step);
        for (size_t j = 0; j < set->tiers_count; j++) {
            buffer_put_sized(&all, set->tiers[j].name);
            buffer_put_sized(&all, set->tiers[j].enter.text);
            buffer_put_sized(&all, set->tiers[j].stay.text);
            buffer_put_text(&all,
                            model_tier_alerts(model, i, j) ? "alert" : ""); /* who is told of must be found anew */
        }
    }
    for (size_t i = 0; i < model->zone->count; i++) {
        buffer_put_signed(&all, model->zone->offsets[i].from_ms);
        buffer_put_signed(&all, model->zone->offsets[i].offset_ms);
    }
    model_options_digest(model, &all);
    char digits[VERSION_DIGITS + 1];
    snprintf(digits, sizeof digits, "%016" PRIx64, bytes_hash(buffer_bytes(&all)));
    int error = all.error;
    buffer_finish(&all);
    model->version = arena_copy(arena, bytes_of(digits, VERSION_DIGITS));
    return error || !model->version.data ? ERR_NO_MEMORY : 0;
}

static const struct edition FIRST_EDITION = {.since_ms = TIME_NONE};

int model_compile(struct arena *arena, const struct model_spec *spec, struct model **out, struct model_error *error) {
    struct model *model = arena_alloc_zero(arena, sizeof *model);
    if (!model) {
        return model_out_of_memory(error);
    }
    model->zone = spec->zone;
    model->money_decimals = spec->money_decimals;
    model->money_scale = pow(10, spec->money_decimals);
    model->dedupe = spec->dedupe;
    model->tiles_max = spec->tiles_max;
    model->ranked_minimum = spec->ranked_minimum;
    model->edition = &FIRST_EDITION;
    model->options = spec->options ? *spec->options : scoring_options_default();
    model->options.lifetime_value.money_scale = model->money_scale;
    int result = model_compile_scores(arena, spec, model, error);
    if (!result && (spec->sets_count == 0 || spec->sets_count > SETS_MAX)) {
        static const struct spec_text nowhere = {{"", 0}, 0, 0};
        result = model_fail(error, spec->sets_count ? &spec->sets[SETS_MAX].name : &nowhere,
                            "1 to %d tier sets are needed", SETS_MAX);
    }
    model->sets = arena_alloc_zero(arena, (spec->sets_count + 1) * sizeof *model->sets);
    for (size_t i = 0; i < spec->sets_count && !result && model->sets; i++) {
        result = compile_set(arena, spec, i, model, error);
        model->sets_count++;
    }
    result = result || !model->sets ? result : model_resolve_options(arena, model, error);
    if (!result && (!model->sets || model_collect_reach(arena, model) || make_version(arena, model))) {
        result = model_out_of_memory(error);
    }
    *out = result ? NULL : model;
    return result == ERR_NO_MEMORY ? model_out_of_memory(error) : result;
}

/* ---- what others may know ---- */

size_t model_sets_count(const struct model *model) {
    return model->sets_count;
}

struct bytes model_set_name(const struct model *model, size_t set) {
    return model->sets[set].name;
}

struct bytes model_set_topic(const struct model *model, size_t set) {
    return model->sets[set].topic;
}

uint16_t model_set_tag(const struct model *model, size_t set) {
    return model->sets[set].tag;
}

size_t model_tiers_count(const struct model *model, size_t set) {
    return model->sets[set].tiers_count;
}

size_t model_all_tiers_count(const struct model *model) {
    size_t count = 0;
    for (size_t set = 0; set < model->sets_count; set++) {
        count += model->sets[set].tiers_count;
    }
    return count;
}

struct bytes model_tier_name(const struct model *model, size_t set, size_t tier) {
    return model->sets[set].tiers[tier].name;
}

uint16_t model_tier_tag(const struct model *model, size_t set, size_t tier) {
    return model->sets[set].tiers[tier].tag;
}

const struct label_spec *model_treatment(const struct model *model, size_t set, size_t tier, size_t *count) {
    *count = model->sets[set].tiers[tier].treatment_count;
    return model->sets[set].tiers[tier].treatment;
}

bool model_tier_alerts(const struct model *model, size_t set, size_t tier) {
    const struct tier *of = &model->sets[set].tiers[tier];
    bool alerts = false;
    for (size_t i = 0; i < of->treatment_count; i++) {
        alerts |= bytes_equal_text(of->treatment[i].name, "alert");
    }
    return alerts;
}

size_t model_dedupe(const struct model *model) {
    return model->dedupe;
}

int model_money_decimals(const struct model *model) {
    return model->money_decimals;
}

double model_money_scale(const struct model *model) {
    return model->money_scale;
}

const struct zone *model_zone(const struct model *model) {
    return model->zone;
}

struct bytes model_version(const struct model *model) {
    return model->version;
}

int model_span_days(const struct model *model) {
    return model->span_days;
}

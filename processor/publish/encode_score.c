/* How a customer stands, for the compacted topic customer_scores. It follows tier changes only, so the libraries write it. */
#include "publish/encode_json_parts.h"

#include <customer_score.pb-c.h>
#include <math.h>

/* What both formats say. */
struct standing_text {
    const struct model *model;
    struct bytes customer_id;
    const struct customer_standing *standing;
    uint64_t cuts_version;
};

/* "<group>/customer-score/<customer>/<as_of_ms>/<tier changes so far>": no tier set's name has a hyphen, so it is no tier
 * change's id, and a record that is made again has the same. */
static struct bytes score_id(const struct encoder *encoder, const struct standing_text *text, struct arena *arena) {
    struct buffer id = encode_id(encoder, bytes_of_text("customer-score"), text->customer_id, arena);
    if (!id.data) {
        return (struct bytes){NULL, 0};
    }
    int64_t changes = 0;
    for (size_t set = 0; set < model_sets_count(text->model); set++) {
        changes += text->standing->tiers[set].sequence;
    }
    buffer_put_decimal(&id, text->standing->as_of_ms);
    buffer_put_byte(&id, '/');
    buffer_put_decimal(&id, changes);
    return buffer_bytes(&id);
}

/* The tier in a set; data NULL: none. */
static struct bytes tier_of(const struct standing_text *text, size_t set) {
    int tier = text->standing->tiers[set].tier;
    return tier >= 0 ? model_tier_name(text->model, set, (size_t)tier) : (struct bytes){NULL, 0};
}

/* ---- JSON ---- */

static yyjson_mut_val *tiers_value(struct tree *tree, const struct standing_text *text) {
    yyjson_mut_val *tiers = yyjson_mut_obj(tree->document);
    for (size_t set = 0; set < model_sets_count(text->model); set++) {
        const struct tier_state *state = &text->standing->tiers[set];
        struct bytes tier = tier_of(text, set);
        if (!tier.data) {
            continue;
        }
        yyjson_mut_val *object = yyjson_mut_obj(tree->document);
        tree->whole &= yyjson_mut_obj_add_val(tree->document, object, "tier", encode_json_text(tree, tier));
        tree->whole &=
            yyjson_mut_obj_add_val(tree->document, object, "since_ms", encode_json_integer(tree, state->since_ms));
        tree->whole &=
            yyjson_mut_obj_add_val(tree->document, object, "sequence", encode_json_integer(tree, state->sequence));
        encode_json_add(tree, tiers, model_set_name(text->model, set), object);
    }
    return tiers;
}

static void build(struct tree *tree, const void *context) {
    const struct standing_text *text = context;
    const struct customer_values *values = &text->standing->values;
    yyjson_mut_doc *document = tree->document;
    yyjson_mut_val *root = yyjson_mut_obj(document);
    yyjson_mut_doc_set_root(document, root);
    bool whole = yyjson_mut_obj_add_val(document, root, "customer_id", encode_json_text(tree, text->customer_id));
    whole &= yyjson_mut_obj_add_val(document, root, "as_of_ms", encode_json_integer(tree, text->standing->as_of_ms));
    whole &= yyjson_mut_obj_add_val(document, root, "tiers", tiers_value(tree, text));
    whole &= yyjson_mut_obj_add_val(document, root, "scores",
                                    encode_json_values(tree, values->scores, values->scores_count));
    whole &= yyjson_mut_obj_add_val(document, root, "metrics",
                                    encode_json_values(tree, values->metrics, values->metrics_count));
    whole &=
        yyjson_mut_obj_add_val(document, root, "rules_version", encode_json_text(tree, model_version(text->model)));
    whole &= yyjson_mut_obj_add_val(document, root, "cut_points_version",
                                    encode_json_integer(tree, (int64_t)text->cuts_version));
    tree->whole &= whole;
}

/* ---- protobuf ---- */

/* protobuf-c wants texts with their end. */
static char *ended(struct arena *arena, struct bytes text) {
    struct bytes copy = text.data ? arena_copy(arena, text) : (struct bytes){NULL, 0};
    return (char *)(uintptr_t)copy.data; /* arena_copy puts a NUL behind it */
}

typedef Tidemark__V1__CustomerScore__Tier tier_message;
typedef Tidemark__V1__CustomerScore__Value value_message;

static int tier_messages(const struct standing_text *text, struct arena *arena, Tidemark__V1__CustomerScore *out) {
    size_t sets = model_sets_count(text->model);
    tier_message *tiers = arena_alloc(arena, sets * sizeof *tiers);
    out->tiers = arena_alloc(arena, sets * sizeof *out->tiers);
    if (!tiers || !out->tiers) {
        return ERR_NO_MEMORY;
    }
    for (size_t set = 0; set < sets; set++) {
        struct bytes name = tier_of(text, set);
        if (!name.data) {
            continue;
        }
        tier_message *tier = &tiers[out->n_tiers];
        tidemark__v1__customer_score__tier__init(tier);
        tier->tier_set = ended(arena, model_set_name(text->model, set));
        tier->tier = ended(arena, name);
        tier->has_since_ms = tier->has_sequence = true;
        tier->since_ms = text->standing->tiers[set].since_ms;
        tier->sequence = text->standing->tiers[set].sequence;
        if (!tier->tier_set || !tier->tier) {
            return ERR_NO_MEMORY;
        }
        out->tiers[out->n_tiers++] = tier;
    }
    return 0;
}

/* NULL without memory. */
static value_message **value_messages(const struct named_value *values, size_t count, struct arena *arena) {
    value_message *messages = arena_alloc(arena, count * sizeof *messages);
    value_message **list = arena_alloc(arena, count * sizeof *list);
    for (size_t i = 0; messages && list && i < count; i++) {
        tidemark__v1__customer_score__value__init(&messages[i]);
        messages[i].name = ended(arena, values[i].name);
        messages[i].has_value = isfinite(values[i].value);
        messages[i].value = values[i].value;
        if (!messages[i].name) {
            return NULL;
        }
        list[i] = &messages[i];
    }
    return messages ? list : NULL;
}

static int encode_protobuf(const struct standing_text *text, struct arena *arena, struct bytes *out) {
    Tidemark__V1__CustomerScore score = TIDEMARK__V1__CUSTOMER_SCORE__INIT;
    const struct customer_values *values = &text->standing->values;
    int error = tier_messages(text, arena, &score);
    score.customer_id = ended(arena, text->customer_id);
    score.has_as_of_ms = score.has_cut_points_version = true;
    score.as_of_ms = text->standing->as_of_ms;
    score.n_scores = values->scores_count;
    score.scores = value_messages(values->scores, values->scores_count, arena);
    score.n_metrics = values->metrics_count;
    score.metrics = value_messages(values->metrics, values->metrics_count, arena);
    score.rules_version = ended(arena, model_version(text->model));
    score.cut_points_version = text->cuts_version;
    if (error || !score.customer_id || !score.scores || !score.metrics || !score.rules_version) {
        return ERR_NO_MEMORY;
    }
    size_t size = tidemark__v1__customer_score__get_packed_size(&score);
    char *packed = arena_alloc(arena, size);
    if (!packed) {
        return ERR_NO_MEMORY;
    }
    *out = bytes_of(packed, tidemark__v1__customer_score__pack(&score, (uint8_t *)packed));
    return 0;
}

int encode_customer_score(const struct encoder *encoder, struct bytes customer_id, const struct tier_change *change,
                          struct arena *arena, struct output *out) {
    const struct standing_text text = {encoder->model, arena_copy(arena, customer_id), change->standing,
                                       change->cuts_version};
    ASSERT(encoder->customer_scores.data && change->standing);
    const struct cloud_event event = {
        .type = "io.tidemark.customer_score.v1",
        .id = text.customer_id.data ? score_id(encoder, &text, arena) : text.customer_id,
        .subject = text.customer_id,
        .time_ms = change->standing->as_of_ms,
    };
    if (!event.id.data) {
        return ERR_NO_MEMORY;
    }
    *out = (struct output){.topic = encoder->customer_scores, .key = text.customer_id, .caused_ms = TIME_NONE};
    int error = encoder->format == OUTPUT_JSON ? encode_json_built(build, &text, false, arena, &out->value)
                                               : encode_protobuf(&text, arena, &out->value);
    return error ? error : encode_cloud_event(encoder, &event, arena, out);
}

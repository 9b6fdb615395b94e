#include "publish/encode_json_parts.h"

#include <math.h>

/* yyjson builds a tree and then writes it. Both happen in a scratch on the stack, and only the text
 * goes into the arena; a change too large for the scratch is built in the arena altogether. */

enum {
    SCRATCH_BYTES = 24 * 1024,
    VALUES_USUAL = 160 /* of the tree, 24 bytes each, in one piece; more come by and by */
};

static const char *direction_text(enum direction direction) {
    switch (direction) {
    case DIRECTION_FIRST:
        return "FIRST";
    case DIRECTION_UP:
        return "UP";
    case DIRECTION_DOWN:
        return "DOWN";
    case DIRECTION_WILL_FALL:
        return "WILL_FALL";
    }
    ASSERT(false); /* no other direction */
}

static const char *cause_text(enum cause cause) {
    switch (cause) {
    case CAUSE_PURCHASE:
        return "PURCHASE";
    case CAUSE_REFUND:
        return "REFUND";
    case CAUSE_INTERACTION:
        return "INTERACTION";
    case CAUSE_FEEDBACK:
        return "FEEDBACK";
    case CAUSE_TIME:
        return "TIME";
    case CAUSE_RULES:
        return "RULES";
    }
    ASSERT(false); /* no other cause */
}

/* Names that are literals go straight to yyjson's adders, which are always inlined: so their length, and that nothing in
 * them needs escaping, are known when this is compiled. */

/* True where one of the eight bytes is below ' ' or above ASCII, or a quote or a backslash: where the byte sought is, and none
 * with a high bit, the subtraction's borrow sets one. */
static inline bool needs_care(const char *at) {
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t word;
    memcpy(&word, at, 8);
    return ((word | (word - ones * ' ') | ((word ^ ones * '"') - ones) | ((word ^ ones * '\\') - ones)) & ones << 7) !=
           0;
}

bool encode_json_is_plain(struct bytes text) {
    if (text.size < 8) {
        char padded[8] = {'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a'};
        for (size_t i = 0; i < text.size; i++) {
            padded[i] = text.data[i];
        }
        return !needs_care(padded);
    }
    for (size_t i = 0; i + 8 < text.size; i += 8) {
        if (needs_care(text.data + i)) {
            return false;
        }
    }
    return !needs_care(text.data + text.size - 8); /* the last eight, some of them perhaps once more */
}

yyjson_mut_val *encode_json_text(const struct tree *tree, struct bytes text) {
    if (!text.data) {
        return yyjson_mut_null(tree->document);
    }
    yyjson_mut_val *value = yyjson_mut_strn(tree->document, text.data, text.size);
    yyjson_mut_set_str_noesc(value, encode_json_is_plain(text));
    return value;
}

static yyjson_mut_val *blank(const struct tree *tree) {
    static const char text[] = {ENCODE_JSON_BLANK};
    return yyjson_mut_rawn(tree->document, text, sizeof text);
}

/* A text of this customer's, not of the rules. */
static yyjson_mut_val *own_value(const struct tree *tree, struct bytes text) {
    return tree->blanks ? blank(tree) : encode_json_text(tree, text);
}

yyjson_mut_val *encode_json_integer(const struct tree *tree, int64_t number) {
    return tree->blanks ? blank(tree) : yyjson_mut_sint(tree->document, number);
}

static yyjson_mut_val *number_value(const struct tree *tree, double number) {
    if (tree->blanks) {
        return blank(tree);
    }
    return isfinite(number) ? yyjson_mut_real(tree->document, number) : yyjson_mut_null(tree->document);
}

void encode_json_add(struct tree *tree, yyjson_mut_val *object, struct bytes name, yyjson_mut_val *value) {
    tree->whole = yyjson_mut_obj_add(object, encode_json_text(tree, name), value) && tree->whole;
}

static yyjson_mut_val *conditions_value(struct tree *tree, const struct tier_change *change) {
    yyjson_mut_doc *document = tree->document;
    yyjson_mut_val *array = yyjson_mut_arr(document);
    for (size_t i = 0; i < change->conditions_count; i++) {
        const struct condition *condition = &change->conditions[i];
        yyjson_mut_val *object = yyjson_mut_arr_add_obj(document, array);
        tree->whole &= yyjson_mut_obj_add_val(document, object, "rule", encode_json_text(tree, condition->rule));
        tree->whole &= yyjson_mut_obj_add_val(document, object, "value", number_value(tree, condition->value));
        tree->whole &= yyjson_mut_obj_add_val(document, object, "threshold", number_value(tree, condition->threshold));
        tree->whole &= yyjson_mut_obj_add_bool(document, object, "met", condition->met);
    }
    return array;
}

yyjson_mut_val *encode_json_values(struct tree *tree, const struct named_value *values, size_t count) {
    yyjson_mut_val *object = yyjson_mut_obj(tree->document);
    for (size_t i = 0; i < count; i++) {
        encode_json_add(tree, object, values[i].name, number_value(tree, values[i].value));
    }
    return object;
}

static yyjson_mut_val *forecast_value(struct tree *tree, const struct tier_change *change) {
    if (!change->forecast_tier.data) {
        return yyjson_mut_null(tree->document);
    }
    yyjson_mut_val *object = yyjson_mut_obj(tree->document);
    tree->whole &=
        yyjson_mut_obj_add_val(tree->document, object, "tier", encode_json_text(tree, change->forecast_tier));
    tree->whole &=
        yyjson_mut_obj_add_val(tree->document, object, "time_ms", encode_json_integer(tree, change->forecast_ms));
    return object;
}

static yyjson_mut_val *treatment_value(struct tree *tree, const struct model *model, const struct tier_change *change) {
    yyjson_mut_val *object = yyjson_mut_obj(tree->document);
    size_t count = 0;
    const struct label_spec *labels = model_treatment(model, change->set, (size_t)change->to_tier, &count);
    for (size_t i = 0; i < count; i++) {
        encode_json_add(tree, object, labels[i].name, encode_json_text(tree, labels[i].value));
    }
    return object;
}

static void build(struct tree *tree, const void *context) {
    const struct tier_change_text *text = context;
    const struct tier_change *change = text->change;
    yyjson_mut_doc *document = tree->document;
    yyjson_mut_val *root = yyjson_mut_obj(document);
    yyjson_mut_doc_set_root(document, root);
    bool whole = yyjson_mut_obj_add_val(document, root, "id", own_value(tree, text->id));
    whole &= yyjson_mut_obj_add_val(document, root, "customer_id", own_value(tree, text->customer_id));
    whole &= yyjson_mut_obj_add_val(document, root, "tier_set",
                                    encode_json_text(tree, model_set_name(text->model, change->set)));
    whole &= yyjson_mut_obj_add_val(document, root, "from", encode_json_text(tree, change->from));
    whole &= yyjson_mut_obj_add_val(document, root, "to", encode_json_text(tree, change->to));
    whole &= yyjson_mut_obj_add_str(document, root, "direction", direction_text(change->direction));
    whole &= yyjson_mut_obj_add_val(document, root, "sequence", encode_json_integer(tree, change->sequence));
    whole &=
        yyjson_mut_obj_add_val(document, root, "effective_time_ms", encode_json_integer(tree, change->effective_ms));
    whole &= yyjson_mut_obj_add_str(document, root, "cause", cause_text(change->cause));
    whole &= yyjson_mut_obj_add_val(document, root, "cause_event_id", own_value(tree, change->cause_event_id));
    whole &= yyjson_mut_obj_add_val(document, root, "conditions", conditions_value(tree, change));
    whole &= yyjson_mut_obj_add_val(document, root, "metrics",
                                    encode_json_values(tree, change->metrics, change->metrics_count));
    whole &= yyjson_mut_obj_add_val(document, root, "forecast", forecast_value(tree, change));
    whole &= yyjson_mut_obj_add_val(document, root, "treatment", treatment_value(tree, text->model, change));
    whole &=
        yyjson_mut_obj_add_val(document, root, "rules_version", encode_json_text(tree, model_version(text->model)));
    whole &= yyjson_mut_obj_add_val(document, root, "cut_points_version",
                                    encode_json_integer(tree, (int64_t)change->cuts_version));
    tree->whole &= whole;
}

/* Builds and writes with the allocator; the text lives where the allocator's memory does. */
static int write(encode_json_build_fn make, const void *context, bool blanks, const yyjson_alc *allocator,
                 struct bytes *out) {
    struct tree tree = {.document = yyjson_mut_doc_new(allocator), .blanks = blanks, .whole = true};
    if (!tree.document || !yyjson_mut_doc_set_val_pool_size(tree.document, VALUES_USUAL)) {
        return ERR_NO_MEMORY;
    }
    make(&tree, context);
    if (!tree.whole) {
        return ERR_NO_MEMORY;
    }
    yyjson_write_err error = {0};
    size_t size = 0;
    const char *json = yyjson_mut_write_opts(tree.document, YYJSON_WRITE_NOFLAG, allocator, &size, &error);
    if (!json) {
        return error.code == YYJSON_WRITE_ERROR_MEMORY_ALLOCATION ? ERR_NO_MEMORY : ERR_INVALID;
    }
    *out = bytes_of(json, size);
    return 0;
}

static void *arena_malloc(void *arena, size_t size) {
    return arena_alloc(arena, size);
}

static void *arena_realloc(void *arena, void *old, size_t old_size, size_t size) {
    if (size <= old_size) {
        return old;
    }
    void *grown = arena_alloc(arena, size);
    if (grown) {
        memcpy(grown, old, old_size);
    }
    return grown;
}

static void arena_free(void *arena, void *memory) {
    (void)arena;
    (void)memory;
}

int encode_json_built(encode_json_build_fn make, const void *context, bool blanks, struct arena *arena,
                      struct bytes *out) {
    _Alignas(16) char scratch[SCRATCH_BYTES];
    yyjson_alc pool;
    ASSERT(yyjson_alc_pool_init(&pool, scratch, sizeof scratch));
    struct bytes json;
    int err = write(make, context, blanks, &pool, &json);
    if (!err) {
        *out = arena_copy(arena, json);
        return out->data ? 0 : ERR_NO_MEMORY;
    }
    if (err != ERR_NO_MEMORY) {
        return err;
    }
    const yyjson_alc from_arena = {arena_malloc, arena_realloc, arena_free, arena};
    return write(make, context, blanks, &from_arena, out);
}

int encode_json_whole(const struct tier_change_text *text, bool blanks, struct arena *arena, struct bytes *out) {
    return encode_json_built(build, text, blanks, arena, out);
}

int encode_tier_change_json(const struct tier_change_text *text, struct arena *arena, struct bytes *out) {
    return text->forms && encode_json_filled(text, arena, out) ? 0 : encode_json_whole(text, false, arena, out);
}

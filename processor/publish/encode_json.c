#include "publish/encode_parts.h"

#include <math.h>
#include <yyjson.h>

/* yyjson builds a tree and then writes it. Both happen in a scratch on the stack, and only the text
 * goes into the arena; a change too large for the scratch is built in the arena altogether. */

enum { SCRATCH_BYTES = 24 * 1024 };

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

/* The adders below return NULL or false without memory; yyjson refuses to go on with NULL, and
 * writing a tree without a root fails, so one check at the end is enough, kept in `whole`. */
struct tree {
    yyjson_mut_doc *document;
    bool whole;
};

static void add(struct tree *tree, yyjson_mut_val *object, struct bytes name, yyjson_mut_val *value) {
    tree->whole =
        yyjson_mut_obj_add(object, yyjson_mut_strn(tree->document, name.data, name.size), value) && tree->whole;
}

static yyjson_mut_val *text_value(const struct tree *tree, struct bytes text) {
    return text.data ? yyjson_mut_strn(tree->document, text.data, text.size) : yyjson_mut_null(tree->document);
}

static yyjson_mut_val *number_value(const struct tree *tree, double number) {
    return isfinite(number) ? yyjson_mut_real(tree->document, number) : yyjson_mut_null(tree->document);
}

static void add_text(struct tree *tree, yyjson_mut_val *object, const char *name, struct bytes text) {
    add(tree, object, bytes_of_text(name), text_value(tree, text));
}

static void add_integer(struct tree *tree, yyjson_mut_val *object, const char *name, int64_t number) {
    add(tree, object, bytes_of_text(name), yyjson_mut_sint(tree->document, number));
}

static yyjson_mut_val *conditions_value(struct tree *tree, const struct tier_change *change) {
    yyjson_mut_val *array = yyjson_mut_arr(tree->document);
    for (size_t i = 0; i < change->conditions_count; i++) {
        const struct condition *condition = &change->conditions[i];
        yyjson_mut_val *object = yyjson_mut_arr_add_obj(tree->document, array);
        add_text(tree, object, "rule", condition->rule);
        add(tree, object, bytes_of_text("value"), number_value(tree, condition->value));
        add(tree, object, bytes_of_text("threshold"), number_value(tree, condition->threshold));
        add(tree, object, bytes_of_text("met"), yyjson_mut_bool(tree->document, condition->met));
    }
    return array;
}

static yyjson_mut_val *metrics_value(struct tree *tree, const struct tier_change *change) {
    yyjson_mut_val *object = yyjson_mut_obj(tree->document);
    for (size_t i = 0; i < change->metrics_count; i++) {
        add(tree, object, change->metrics[i].name, number_value(tree, change->metrics[i].value));
    }
    return object;
}

static yyjson_mut_val *forecast_value(struct tree *tree, const struct tier_change *change) {
    if (!change->forecast_tier.data) {
        return yyjson_mut_null(tree->document);
    }
    yyjson_mut_val *object = yyjson_mut_obj(tree->document);
    add_text(tree, object, "tier", change->forecast_tier);
    add_integer(tree, object, "time_ms", change->forecast_ms);
    return object;
}

static yyjson_mut_val *treatment_value(struct tree *tree, const struct model *model, const struct tier_change *change) {
    yyjson_mut_val *object = yyjson_mut_obj(tree->document);
    size_t count = 0;
    const struct label_spec *labels = model_treatment(model, change->set, (size_t)change->to_tier, &count);
    for (size_t i = 0; i < count; i++) {
        add(tree, object, labels[i].name, text_value(tree, labels[i].value));
    }
    return object;
}

static void build(struct tree *tree, const struct tier_change_text *text) {
    const struct tier_change *change = text->change;
    yyjson_mut_val *root = yyjson_mut_obj(tree->document);
    yyjson_mut_doc_set_root(tree->document, root);
    add_text(tree, root, "id", text->id);
    add_text(tree, root, "customer_id", text->customer_id);
    add_text(tree, root, "tier_set", model_set_name(text->model, change->set));
    add_text(tree, root, "from", change->from);
    add_text(tree, root, "to", change->to);
    add_text(tree, root, "direction", bytes_of_text(direction_text(change->direction)));
    add_integer(tree, root, "sequence", change->sequence);
    add_integer(tree, root, "effective_time_ms", change->effective_ms);
    add_text(tree, root, "cause", bytes_of_text(cause_text(change->cause)));
    add_text(tree, root, "cause_event_id", change->cause_event_id);
    add(tree, root, bytes_of_text("conditions"), conditions_value(tree, change));
    add(tree, root, bytes_of_text("metrics"), metrics_value(tree, change));
    add(tree, root, bytes_of_text("forecast"), forecast_value(tree, change));
    add(tree, root, bytes_of_text("treatment"), treatment_value(tree, text->model, change));
    add_text(tree, root, "rules_version", model_version(text->model));
    add_integer(tree, root, "cut_points_version", (int64_t)change->cuts_version);
}

/* Builds and writes with the allocator; the text lives where the allocator's memory does. */
static int write(const struct tier_change_text *text, const yyjson_alc *allocator, struct bytes *out) {
    struct tree tree = {.document = yyjson_mut_doc_new(allocator), .whole = true};
    if (!tree.document) {
        return ERR_NO_MEMORY;
    }
    build(&tree, text);
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

int encode_tier_change_json(const struct tier_change_text *text, struct arena *arena, struct bytes *out) {
    _Alignas(16) char scratch[SCRATCH_BYTES];
    yyjson_alc pool;
    ASSERT(yyjson_alc_pool_init(&pool, scratch, sizeof scratch));
    struct bytes json;
    int err = write(text, &pool, &json);
    if (!err) {
        *out = arena_copy(arena, json);
        return out->data ? 0 : ERR_NO_MEMORY;
    }
    if (err != ERR_NO_MEMORY) {
        return err;
    }
    const yyjson_alc from_arena = {arena_malloc, arena_realloc, arena_free, arena};
    return write(text, &from_arena, out);
}

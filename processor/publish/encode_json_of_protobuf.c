/* A published tier change in protobuf as the JSON it would have been: the same fields in the same order as encode_json.c. */
#include "publish/encode.h"

#include <math.h>
#include <stdlib.h>
#include <tier_change.pb-c.h>
#include <yyjson.h>

struct tree { /* yyjson refuses to go on with NULL, so one check at the end is enough */
    yyjson_mut_doc *document;
    bool whole;
};

static void add(struct tree *tree, yyjson_mut_val *object, const char *name, yyjson_mut_val *value) {
    tree->whole = yyjson_mut_obj_add(object, yyjson_mut_str(tree->document, name), value) && tree->whole;
}

static yyjson_mut_val *text_value(const struct tree *tree, const char *text) {
    return text ? yyjson_mut_str(tree->document, text) : yyjson_mut_null(tree->document);
}

static yyjson_mut_val *number_value(const struct tree *tree, protobuf_c_boolean has, double number) {
    return has && isfinite(number) ? yyjson_mut_real(tree->document, number) : yyjson_mut_null(tree->document);
}

static yyjson_mut_val *enum_value(const struct tree *tree, const ProtobufCEnumDescriptor *descriptor, int number) {
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(descriptor, number);
    return text_value(tree, value ? value->name : NULL);
}

static yyjson_mut_val *conditions_value(struct tree *tree, const Tidemark__V1__TierChange *change) {
    yyjson_mut_val *array = yyjson_mut_arr(tree->document);
    for (size_t i = 0; i < change->n_conditions; i++) {
        const Tidemark__V1__TierChange__Condition *condition = change->conditions[i];
        yyjson_mut_val *object = yyjson_mut_arr_add_obj(tree->document, array);
        add(tree, object, "rule", text_value(tree, condition->rule));
        add(tree, object, "value", number_value(tree, condition->has_value, condition->value));
        add(tree, object, "threshold", number_value(tree, condition->has_threshold, condition->threshold));
        add(tree, object, "met", yyjson_mut_bool(tree->document, condition->met != 0));
    }
    return array;
}

static yyjson_mut_val *metrics_value(struct tree *tree, const Tidemark__V1__TierChange *change) {
    yyjson_mut_val *object = yyjson_mut_obj(tree->document);
    for (size_t i = 0; i < change->n_metrics; i++) {
        const Tidemark__V1__TierChange__Metric *metric = change->metrics[i];
        add(tree, object, metric->name ? metric->name : "", number_value(tree, metric->has_value, metric->value));
    }
    return object;
}

static yyjson_mut_val *forecast_value(struct tree *tree, const Tidemark__V1__TierChange *change) {
    if (!change->forecast) {
        return yyjson_mut_null(tree->document);
    }
    yyjson_mut_val *object = yyjson_mut_obj(tree->document);
    add(tree, object, "tier", text_value(tree, change->forecast->tier));
    add(tree, object, "time_ms", yyjson_mut_sint(tree->document, change->forecast->time_ms));
    return object;
}

static yyjson_mut_val *treatment_value(struct tree *tree, const Tidemark__V1__TierChange *change) {
    yyjson_mut_val *object = yyjson_mut_obj(tree->document);
    for (size_t i = 0; i < change->n_treatment; i++) {
        const Tidemark__V1__TierChange__TreatmentEntry *entry = change->treatment[i];
        add(tree, object, entry->key ? entry->key : "", text_value(tree, entry->value));
    }
    return object;
}

static void build(struct tree *tree, const Tidemark__V1__TierChange *change) {
    yyjson_mut_doc *document = tree->document;
    yyjson_mut_val *root = yyjson_mut_obj(document);
    yyjson_mut_doc_set_root(document, root);
    add(tree, root, "id", text_value(tree, change->id));
    add(tree, root, "customer_id", text_value(tree, change->customer_id));
    add(tree, root, "tier_set", text_value(tree, change->tier_set));
    add(tree, root, "from", text_value(tree, change->from));
    add(tree, root, "to", text_value(tree, change->to));
    add(tree, root, "direction",
        enum_value(tree, &tidemark__v1__tier_change__direction__descriptor, (int)change->direction));
    add(tree, root, "sequence", yyjson_mut_uint(document, change->sequence));
    add(tree, root, "effective_time_ms", yyjson_mut_sint(document, change->effective_time_ms));
    add(tree, root, "cause", enum_value(tree, &tidemark__v1__tier_change__cause__descriptor, (int)change->cause));
    add(tree, root, "cause_event_id", text_value(tree, change->cause_event_id));
    add(tree, root, "conditions", conditions_value(tree, change));
    add(tree, root, "metrics", metrics_value(tree, change));
    add(tree, root, "forecast", forecast_value(tree, change));
    add(tree, root, "treatment", treatment_value(tree, change));
    add(tree, root, "rules_version", text_value(tree, change->rules_version));
    add(tree, root, "cut_points_version", yyjson_mut_uint(document, change->cut_points_version));
}

int encode_json_of_protobuf(struct bytes message, struct buffer *out) {
    Tidemark__V1__TierChange *change =
        tidemark__v1__tier_change__unpack(NULL, message.size, (const uint8_t *)message.data);
    if (!change) {
        return ERR_INVALID;
    }
    struct tree tree = {.document = yyjson_mut_doc_new(NULL), .whole = true};
    if (!tree.document) {
        tidemark__v1__tier_change__free_unpacked(change, NULL);
        return ERR_NO_MEMORY;
    }
    build(&tree, change);
    size_t size = 0;
    char *json = tree.whole ? yyjson_mut_write(tree.document, YYJSON_WRITE_NOFLAG, &size) : NULL;
    if (json) {
        buffer_put(out, json, size);
    }
    int error = json ? out->error : ERR_INVALID;
    free(json);
    yyjson_mut_doc_free(tree.document);
    tidemark__v1__tier_change__free_unpacked(change, NULL);
    return error;
}

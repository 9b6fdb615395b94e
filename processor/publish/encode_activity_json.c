#include "publish/encode_activity.h"

#include <stdlib.h>
#include <yyjson.h>

enum { SCRATCH_BYTES = 16 * 1024 };

static const char *const purchase_kinds[] = {"KIND_UNSPECIFIED", "PURCHASE", "REFUND", "CANCELLATION"};
static const char *const interaction_kinds[] = {
    "KIND_UNSPECIFIED", "PAGE_VIEW", "SEARCH", "CART_ADD",    "CHECKOUT", "EMAIL_OPEN", "EMAIL_CLICK", "LOGIN",
    "SUPPORT_CONTACT",  "REFERRAL",  "SOCIAL", "STORE_VISIT", "OTHER"};
static const char *const stages[] = {"STAGE_UNSPECIFIED", "AWARENESS", "INTEREST",
                                     "DECISION",          "PURCHASE",  "AFTER_SALES"};
static const char *const surveys[] = {"SURVEY_UNSPECIFIED", "NPS", "CSAT", "CES", "COMPLAINT", "REVIEW"};

/* The object under construction. Adders that fail for want of memory clear `whole`. */
struct object {
    yyjson_mut_doc *document;
    yyjson_mut_val *value;
    bool whole;
};

static void add_text(struct object *object, const char *name, struct bytes text) {
    if (text.data) {
        object->whole =
            yyjson_mut_obj_add_strn(object->document, object->value, name, text.data, text.size) && object->whole;
    }
}

static void add_number(struct object *object, const char *name, int64_t number) {
    object->whole = yyjson_mut_obj_add_sint(object->document, object->value, name, number) && object->whole;
}

static void add_items(struct object *object, const struct purchase *purchase) {
    yyjson_mut_val *array = yyjson_mut_obj_add_arr(object->document, object->value, "items");
    for (size_t i = 0; i < purchase->items_count; i++) {
        struct object item = {.document = object->document,
                              .value = yyjson_mut_arr_add_obj(object->document, array),
                              .whole = object->whole};
        add_text(&item, "sku", purchase->items[i].sku);
        add_text(&item, "category", purchase->items[i].category);
        add_number(&item, "quantity", purchase->items[i].quantity);
        add_number(&item, "amount_minor", purchase->items[i].amount_minor);
        object->whole = item.whole;
    }
}

static void add_purchase(struct object *object, const struct purchase *purchase, struct bytes currency) {
    add_text(object, "kind", bytes_of_text(purchase_kinds[purchase->kind]));
    add_text(object, "order_id", purchase->order_id);
    add_number(object, "amount_minor", purchase->amount_minor);
    add_text(object, "currency", currency);
    add_text(object, "channel", purchase->channel);
    if (purchase->items_count > 0) {
        add_items(object, purchase);
    }
    add_text(object, "referrer_id", purchase->referrer_id);
    if (purchase->kind != PURCHASE_KIND_PURCHASE) {
        add_number(object, "order_time_ms", purchase->order_time_ms);
    }
}

static void add_interaction(struct object *object, const struct interaction *interaction) {
    add_text(object, "kind", bytes_of_text(interaction_kinds[interaction->kind]));
    if (interaction->stage != STAGE_NONE) {
        add_text(object, "stage", bytes_of_text(stages[interaction->stage]));
    }
    add_text(object, "channel", interaction->channel);
    add_text(object, "campaign", interaction->campaign);
}

static void add_feedback(struct object *object, const struct feedback *feedback) {
    add_text(object, "survey", bytes_of_text(surveys[feedback->survey]));
    if (feedback->survey != SURVEY_COMPLAINT) {
        add_number(object, "score", feedback->score);
    }
    add_text(object, "touchpoint", feedback->touchpoint);
    add_text(object, "channel", feedback->channel);
}

static void build(struct object *object, const struct activity *activity, struct bytes currency) {
    add_text(object, "event_id", activity->event_id);
    add_text(object, "customer_id", activity->customer_id);
    add_number(object, "event_time_ms", activity->time_ms);
    switch (activity->type) {
    case ACTIVITY_PURCHASE:
        add_purchase(object, &activity->purchase, currency);
        return;
    case ACTIVITY_INTERACTION:
        add_interaction(object, &activity->interaction);
        return;
    case ACTIVITY_FEEDBACK:
        add_feedback(object, &activity->feedback);
        return;
    case ACTIVITY_TYPES:
        break;
    }
    ASSERT(false); /* no such activity */
}

static int write(const struct activity *activity, struct bytes currency, const yyjson_alc *allocator,
                 struct buffer *out) {
    struct object root = {.document = yyjson_mut_doc_new(allocator), .whole = true};
    if (!root.document) {
        return ERR_NO_MEMORY;
    }
    root.value = yyjson_mut_obj(root.document);
    yyjson_mut_doc_set_root(root.document, root.value);
    build(&root, activity, currency);
    yyjson_write_err error = {0};
    size_t size = 0;
    char *json =
        root.whole ? yyjson_mut_write_opts(root.document, YYJSON_WRITE_NOFLAG, allocator, &size, &error) : NULL;
    if (json) {
        buffer_put(out, json, size);
        if (allocator) {
            allocator->free(allocator->ctx, json);
        } else {
            free(json);
        }
    }
    yyjson_mut_doc_free(root.document);
    if (json) {
        return out->error;
    }
    return !root.whole || error.code == YYJSON_WRITE_ERROR_MEMORY_ALLOCATION ? ERR_NO_MEMORY : ERR_INVALID;
}

int encode_activity_json(const struct activity *activity, struct bytes currency, struct buffer *out) {
    _Alignas(16) char scratch[SCRATCH_BYTES];
    yyjson_alc pool;
    ASSERT(yyjson_alc_pool_init(&pool, scratch, sizeof scratch));
    int err = write(activity, currency, &pool, out);
    /* Too much for the scratch, a thousand items perhaps: then with malloc. */
    return err == ERR_NO_MEMORY ? write(activity, currency, NULL, out) : err;
}

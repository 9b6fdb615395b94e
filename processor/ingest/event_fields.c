#include "ingest/decode_raw.h"

#include <stdarg.h>
#include <stdio.h>

/* The tables of fields, the same as in schemas/ *.proto (test_decode_protobuf compares them). */

#define FIELD(name, camel, field, type)                                                                                \
    { (name), (camel), sizeof(name) - 1, sizeof(camel) - 1, (field), (type), NULL, 0 }
#define ENUM_FIELD(name, field, names)                                                                                 \
    {                                                                                                                  \
        (name), (name), sizeof(name) - 1, sizeof(name) - 1, (field), FIELD_ENUM, (names),                              \
            sizeof(names) / sizeof *(names)                                                                            \
    }

static const char *const purchase_kinds[] = {"KIND_UNSPECIFIED", "PURCHASE", "REFUND", "CANCELLATION"};

static const char *const interaction_kinds[] = {
    "KIND_UNSPECIFIED", "PAGE_VIEW", "SEARCH", "CART_ADD",    "CHECKOUT", "EMAIL_OPEN", "EMAIL_CLICK", "LOGIN",
    "SUPPORT_CONTACT",  "REFERRAL",  "SOCIAL", "STORE_VISIT", "OTHER"};

static const char *const stages[] = {"STAGE_UNSPECIFIED", "AWARENESS", "INTEREST",
                                     "DECISION",          "PURCHASE",  "AFTER_SALES"};

static const char *const surveys[] = {"SURVEY_UNSPECIFIED", "NPS", "CSAT", "CES", "COMPLAINT", "REVIEW"};

static const struct field_spec purchase_fields[] = {
    FIELD("event_id", "eventId", RAW_EVENT_ID, FIELD_TEXT),
    FIELD("customer_id", "customerId", RAW_CUSTOMER_ID, FIELD_TEXT),
    FIELD("event_time_ms", "eventTimeMs", RAW_TIME, FIELD_INT64),
    ENUM_FIELD("kind", RAW_KIND, purchase_kinds),
    FIELD("order_id", "orderId", RAW_ORDER_ID, FIELD_TEXT),
    FIELD("amount_minor", "amountMinor", RAW_AMOUNT, FIELD_INT64),
    FIELD("currency", "currency", RAW_CURRENCY, FIELD_TEXT),
    FIELD("channel", "channel", RAW_CHANNEL, FIELD_TEXT),
    FIELD("items", "items", RAW_ITEMS, FIELD_ITEMS),
    FIELD("referrer_id", "referrerId", RAW_REFERRER_ID, FIELD_TEXT),
    FIELD("order_time_ms", "orderTimeMs", RAW_ORDER_TIME, FIELD_INT64),
};

static const struct field_spec interaction_fields[] = {
    FIELD("event_id", "eventId", RAW_EVENT_ID, FIELD_TEXT),
    FIELD("customer_id", "customerId", RAW_CUSTOMER_ID, FIELD_TEXT),
    FIELD("event_time_ms", "eventTimeMs", RAW_TIME, FIELD_INT64),
    ENUM_FIELD("kind", RAW_KIND, interaction_kinds),
    ENUM_FIELD("stage", RAW_STAGE, stages),
    FIELD("channel", "channel", RAW_CHANNEL, FIELD_TEXT),
    FIELD("campaign", "campaign", RAW_CAMPAIGN, FIELD_TEXT),
};

static const struct field_spec feedback_fields[] = {
    FIELD("event_id", "eventId", RAW_EVENT_ID, FIELD_TEXT),
    FIELD("customer_id", "customerId", RAW_CUSTOMER_ID, FIELD_TEXT),
    FIELD("event_time_ms", "eventTimeMs", RAW_TIME, FIELD_INT64),
    ENUM_FIELD("survey", RAW_SURVEY, surveys),
    FIELD("score", "score", RAW_SCORE, FIELD_INT32),
    FIELD("touchpoint", "touchpoint", RAW_TOUCHPOINT, FIELD_TEXT),
    FIELD("comment", "comment", RAW_FIELDS, FIELD_IGNORED_TEXT),
    FIELD("channel", "channel", RAW_CHANNEL, FIELD_TEXT),
};

static const struct field_spec item_field_list[] = {
    FIELD("sku", "sku", RAW_SKU, FIELD_TEXT),
    FIELD("category", "category", RAW_CATEGORY, FIELD_TEXT),
    FIELD("quantity", "quantity", RAW_QUANTITY, FIELD_INT64),
    FIELD("amount_minor", "amountMinor", RAW_ITEM_AMOUNT, FIELD_INT64),
};

#define TABLE(list)                                                                                                    \
    { (list), sizeof(list) / sizeof *(list) }

const struct field_table activity_fields[ACTIVITY_TYPES] = {
    [ACTIVITY_PURCHASE] = TABLE(purchase_fields),
    [ACTIVITY_INTERACTION] = TABLE(interaction_fields),
    [ACTIVITY_FEEDBACK] = TABLE(feedback_fields),
};
const struct field_table item_fields = TABLE(item_field_list);

enum dead_reason dead_detail(char *detail, enum dead_reason reason, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(detail, DEAD_DETAIL_BYTES_MAX, format, arguments);
    va_end(arguments);
    return reason;
}

enum dead_reason raw_reserve_items(struct raw_activity *raw, size_t count, struct arena *arena, char *detail) {
    raw->items_count = count;
    if (count == 0 || count > ITEMS_MAX) {
        return DEAD_NOT;
    }
    raw->items = arena_alloc(arena, count * sizeof *raw->items);
    return raw->items ? DEAD_NOT : dead_detail(detail, DEAD_TOO_LARGE, "no memory is left in the batch");
}

struct purchase_item raw_item(const union raw_value values[RAW_ITEM_FIELDS], uint32_t seen) {
    struct purchase_item item = {.quantity = 1};
    if (seen & 1u << RAW_SKU) {
        item.sku = values[RAW_SKU].text;
    }
    if (seen & 1u << RAW_CATEGORY) {
        item.category = values[RAW_CATEGORY].text;
    }
    if (seen & 1u << RAW_QUANTITY) {
        item.quantity = values[RAW_QUANTITY].number;
    }
    if (seen & 1u << RAW_ITEM_AMOUNT) {
        item.amount_minor = values[RAW_ITEM_AMOUNT].number;
    }
    return item;
}

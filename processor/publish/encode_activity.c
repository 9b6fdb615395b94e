#include "publish/encode_activity.h"

#include "publish/wire.h"

/* Protobuf by hand: a few fields, no allocation, and slices need no NUL. The numbers are those of
 * schemas/ *.proto; test_encode reads the result back with the code generated from there. */

/* Magic byte, schema id 1, and the short form of message index [0]. */
static const char confluent_framing[] = {0, 0, 0, 0, 1, 0};

static void put_number(struct buffer *out, unsigned field, int64_t number) {
    buffer_put_varint(out, field << 3 | WIRE_VARINT);
    buffer_put_varint(out, (uint64_t)number);
}

static void put_text(struct buffer *out, unsigned field, struct bytes text) {
    if (text.data) {
        buffer_put_varint(out, field << 3 | WIRE_SIZED);
        buffer_put_sized(out, text);
    }
}

static void put_item(struct buffer *out, unsigned field, const struct purchase_item *item) {
    size_t size = wire_text_size(1, item->sku) + wire_text_size(2, item->category) +
                  wire_number_size(3, (uint64_t)item->quantity) + wire_number_size(4, (uint64_t)item->amount_minor);
    buffer_put_varint(out, field << 3 | WIRE_SIZED);
    buffer_put_varint(out, size);
    put_text(out, 1, item->sku);
    put_text(out, 2, item->category);
    put_number(out, 3, item->quantity);
    put_number(out, 4, item->amount_minor);
}

static void put_purchase(struct buffer *out, const struct purchase *purchase, struct bytes currency) {
    put_number(out, 4, purchase->kind);
    put_text(out, 5, purchase->order_id);
    put_number(out, 6, purchase->amount_minor);
    put_text(out, 7, currency);
    put_text(out, 8, purchase->channel);
    for (size_t i = 0; i < purchase->items_count; i++) {
        put_item(out, 9, &purchase->items[i]);
    }
    put_text(out, 10, purchase->referrer_id);
    if (purchase->kind != PURCHASE_KIND_PURCHASE) {
        put_number(out, 11, purchase->order_time_ms);
    }
}

static void put_interaction(struct buffer *out, const struct interaction *interaction) {
    put_number(out, 4, interaction->kind);
    if (interaction->stage != STAGE_NONE) {
        put_number(out, 5, interaction->stage);
    }
    put_text(out, 6, interaction->channel);
    put_text(out, 7, interaction->campaign);
}

static void put_feedback(struct buffer *out, const struct feedback *feedback) {
    put_number(out, 4, feedback->survey);
    if (feedback->survey != SURVEY_COMPLAINT) {
        put_number(out, 5, feedback->score);
    }
    put_text(out, 6, feedback->touchpoint);
    put_text(out, 8, feedback->channel);
}

int encode_activity_protobuf(const struct activity *activity, struct bytes currency, struct buffer *out) {
    put_text(out, 1, activity->event_id);
    put_text(out, 2, activity->customer_id);
    put_number(out, 3, activity->time_ms);
    switch (activity->type) {
    case ACTIVITY_PURCHASE:
        put_purchase(out, &activity->purchase, currency);
        break;
    case ACTIVITY_INTERACTION:
        put_interaction(out, &activity->interaction);
        break;
    case ACTIVITY_FEEDBACK:
        put_feedback(out, &activity->feedback);
        break;
    case ACTIVITY_TYPES:
        ASSERT(false); /* no such activity */
    }
    return out->error;
}

int encode_activity(enum activity_format format, const struct activity *activity, struct bytes currency,
                    struct buffer *out) {
    if (format == ACTIVITY_AS_JSON) {
        return encode_activity_json(activity, currency, out);
    }
    if (format == ACTIVITY_AS_CONFLUENT_PROTOBUF) {
        buffer_put(out, confluent_framing, sizeof confluent_framing);
    }
    return encode_activity_protobuf(activity, currency, out);
}

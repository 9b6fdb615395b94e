#include "mix.h"

#include "publish/encode_activity.h"
#include "run/generate_random.h"

#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <math.h>
#include <stdio.h>

enum { REFUND_PER_MILLE = 20, PEERS_KINDS = 8, NPS_ANSWERS = 11 };

static const char *const channels[] = {"web", "app", "store", "phone"};
static const char *const categories[] = {"grocery", "apparel", "electronics", "home",
                                         "beauty",  "sports",  "toys",        "books"};

double mix_uniform(struct mix *mix) {
    return (double)(random_next(&mix->random) >> 11) * 0x1p-53;
}

int mix_partition(const char *customer_id, int partitions) {
    return rd_kafka_msg_partitioner_murmur2(NULL, customer_id, strlen(customer_id), partitions, NULL, NULL);
}

static void draw_customer(struct mix *mix, char *id) {
    do {
        bool hot = random_below(&mix->random, 100) < (uint32_t)mix->hot_percent;
        double u = mix_uniform(mix);
        int64_t number = mix->first_customer + (hot ? 0 : (int64_t)((double)mix->customers * u * u * u));
        snprintf(id, MIX_TEXT_BYTES, "c%08" PRId64, number);
    } while (mix->partition >= 0 && mix_partition(id, mix->partitions) != mix->partition);
}

static void name_event(struct mix *mix, int64_t time_ms, struct mix_event *out) {
    int64_t number = mix->first_id + mix->made++;
    snprintf(out->event_id, sizeof out->event_id, "e%012" PRId64, number);
    snprintf(out->order_id, sizeof out->order_id, "o%012" PRId64, number);
    out->activity = (struct activity){
        .customer_id = bytes_of_text(out->customer_id), .event_id = bytes_of_text(out->event_id), .time_ms = time_ms};
}

static void fill_purchase(struct mix_event *out, size_t items_count, enum purchase_kind kind, const char *channel) {
    int64_t amount_minor = 0;
    for (size_t i = 0; i < items_count; i++) {
        amount_minor += out->items[i].amount_minor;
    }
    out->activity.type = ACTIVITY_PURCHASE;
    out->activity.purchase = (struct purchase){.kind = kind,
                                               .amount_minor = amount_minor,
                                               .order_time_ms = out->activity.time_ms,
                                               .order_id = bytes_of_text(out->order_id),
                                               .channel = bytes_of_text(channel),
                                               .items = out->items,
                                               .items_count = items_count};
}

static void draw_purchase(struct mix *mix, struct mix_event *out) {
    size_t items_count = 1 + random_below(&mix->random, MIX_ITEMS_MAX);
    for (size_t i = 0; i < items_count; i++) {
        out->items[i] = (struct purchase_item){.sku = bytes_of_text("SKU-10293"),
                                               .category = bytes_of_text(categories[random_below(&mix->random, 8)]),
                                               .quantity = 1 + random_below(&mix->random, 2),
                                               .amount_minor = (int64_t)(500 + exp(mix_uniform(mix) * 6) * 50)};
    }
    bool refund = random_chance(&mix->random, REFUND_PER_MILLE);
    fill_purchase(out, items_count, refund ? PURCHASE_KIND_REFUND : PURCHASE_KIND_PURCHASE,
                  channels[random_below(&mix->random, 4)]);
}

void mix_event(struct mix *mix, int64_t time_ms, struct mix_event *out) {
    draw_customer(mix, out->customer_id);
    name_event(mix, time_ms, out);
    uint32_t kind = random_below(&mix->random, 10);
    if (kind < 5) {
        draw_purchase(mix, out);
    } else if (kind < 9) {
        out->activity.type = ACTIVITY_INTERACTION;
        out->activity.interaction =
            (struct interaction){.kind = (enum interaction_kind)(1 + random_below(&mix->random, PEERS_KINDS)),
                                 .channel = bytes_of_text(channels[random_below(&mix->random, 4)]),
                                 .campaign = bytes_of_text("spring-25")};
    } else {
        out->activity.type = ACTIVITY_FEEDBACK;
        out->activity.feedback =
            (struct feedback){.survey = SURVEY_NPS, .score = (int)random_below(&mix->random, NPS_ANSWERS)};
    }
}

void mix_purchase(struct mix *mix, const char *probe, int64_t number, int64_t amount_minor, int64_t time_ms,
                  struct mix_event *out) {
    snprintf(out->customer_id, sizeof out->customer_id, "%s%08" PRId64, probe ? probe : "c", number);
    name_event(mix, time_ms, out);
    out->items[0] = (struct purchase_item){.sku = bytes_of_text("SKU-10293"),
                                           .category = bytes_of_text("home"),
                                           .quantity = 1,
                                           .amount_minor = amount_minor};
    fill_purchase(out, 1, PURCHASE_KIND_PURCHASE, "web");
}

/* The fields of shared/peers/load/events.proto, in the order of their numbers; what is 0 or empty is left out, as proto3
 * does. */

static void put_number(struct buffer *out, unsigned field, int64_t value) {
    if (value != 0) {
        buffer_put_varint(out, field << 3);
        buffer_put_varint(out, (uint64_t)value);
    }
}

static void put_bytes(struct buffer *out, unsigned field, struct bytes value) {
    if (value.size > 0) {
        buffer_put_varint(out, field << 3 | 2);
        buffer_put_sized(out, value);
    }
}

static void put_item(struct buffer *out, const struct purchase_item *item) {
    struct buffer inner = {0};
    put_bytes(&inner, 1, item->sku);
    put_bytes(&inner, 2, item->category);
    put_number(&inner, 3, item->quantity);
    put_number(&inner, 4, item->amount_minor);
    put_bytes(out, 8, buffer_bytes(&inner));
    buffer_finish(&inner);
}

static void encode_for_peers(const struct activity *activity, struct buffer *out) {
    put_bytes(out, 1, activity->event_id);
    put_bytes(out, 2, activity->customer_id);
    put_number(out, 3, activity->time_ms);
    if (activity->type == ACTIVITY_PURCHASE) {
        const struct purchase *purchase = &activity->purchase;
        put_bytes(out, 4, purchase->order_id);
        put_number(out, 5, purchase->amount_minor);
        put_bytes(out, 6, bytes_of_text("EUR"));
        put_bytes(out, 7, purchase->channel);
        for (size_t i = 0; i < purchase->items_count; i++) {
            put_item(out, &purchase->items[i]);
        }
        put_number(out, 9, purchase->kind == PURCHASE_KIND_REFUND);
    } else if (activity->type == ACTIVITY_INTERACTION) {
        put_number(out, 4, (int64_t)activity->interaction.kind);
        put_bytes(out, 5, activity->interaction.channel);
        put_bytes(out, 6, activity->interaction.campaign);
    } else {
        put_number(out, 4, (int64_t)activity->feedback.survey);
        put_number(out, 5, activity->feedback.score);
    }
}

void mix_encode(const struct mix_event *event, enum mix_schema schema, struct buffer *out) {
    buffer_reset(out);
    if (schema == MIX_FOR_PEERS) {
        encode_for_peers(&event->activity, out);
    } else {
        int error = encode_activity_protobuf(&event->activity, bytes_of_text("EUR"), out);
        ASSERT(!error);
    }
    ASSERT(!out->error);
}

/* libFuzzer target: decode_record, in every format and for every input.
 *
 * Whatever comes in, it must neither crash nor read or write where it should not; what it accepts
 * must be valid; and the protobuf reader must agree with protobuf-c on what is a message and on
 * what it says. The first byte chooses format, input and headers, the rest is the record's value.
 */
#include "support/decode_oracle.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FORMATS = 3, HEADER_MODES = 4 };

#define NOW_MS INT64_C(1735689600000)

static const struct currency_rate currencies[] = {{"EUR", 1000000000, 0}, {"USD", 920000000, 0}, {"JPY", 6100000, 2}};

static void check_text(struct bytes text) {
    if (text.data) {
        ASSERT(text.size > 0 && text.data[text.size] == '\0' && bytes_are_text(text));
    }
}

static void check_activity(const struct activity *activity) {
    ASSERT(bytes_equal_text(activity->customer_id, "c1"));
    ASSERT(activity->event_id.size <= CUSTOMER_ID_BYTES_MAX);
    ASSERT((activity->event_hash != 0) == (activity->event_id.data != NULL));
    ASSERT(activity->event_hash >> 48 == 0);
    ASSERT(activity->time_ms > 0 && activity->time_ms <= NOW_MS);
    check_text(activity->event_id);
    if (activity->type == ACTIVITY_INTERACTION) {
        ASSERT(activity->interaction.kind >= 1 && activity->interaction.kind <= INTERACTION_KINDS);
        ASSERT(activity->interaction.stage <= STAGES);
        check_text(activity->interaction.channel);
        check_text(activity->interaction.campaign);
    } else if (activity->type == ACTIVITY_FEEDBACK) {
        ASSERT(activity->feedback.survey >= 1 && activity->feedback.survey <= SURVEY_REVIEW);
        ASSERT(activity->feedback.score >= 0 && activity->feedback.score <= 10);
        check_text(activity->feedback.touchpoint);
        check_text(activity->feedback.channel);
    } else {
        const struct purchase *purchase = &activity->purchase;
        ASSERT(purchase->kind >= 1 && purchase->kind <= PURCHASE_KIND_CANCELLATION);
        ASSERT(purchase->amount_minor >= 0 && purchase->amount_minor <= AMOUNT_MINOR_MAX);
        ASSERT(purchase->order_time_ms > 0 && purchase->order_time_ms <= NOW_MS);
        ASSERT(purchase->items_count <= ITEMS_MAX);
        check_text(purchase->order_id);
        check_text(purchase->channel);
        check_text(purchase->referrer_id);
        for (size_t i = 0; i < purchase->items_count; i++) {
            ASSERT(purchase->items[i].amount_minor >= 0 && purchase->items[i].quantity >= 0);
            ASSERT(!purchase->items[i].sku.data || bytes_are_text(purchase->items[i].sku));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct header modes[HEADER_MODES] = {
        {{NULL, 0}, {NULL, 0}},
        {{"__value_schema_id", 17},
         {"\x01"
          "0123456789abcdef\0",
          18}},
        {{"content-type", 12}, {"application/json", 16}},
        {{"content-type", 12}, {"application/x-protobuf", 22}},
    };
    if (size == 0) {
        return 0;
    }
    unsigned choice = data[0];
    struct decoder decoder = {.format = (enum decode_format)(choice % FORMATS),
                              .currencies = currencies,
                              .currencies_count = sizeof currencies / sizeof *currencies};
    struct record record = {.input = (enum input)(choice / FORMATS % INPUTS),
                            .key = {"c1", 2},
                            .value = {(const char *)data + 1, size - 1}};
    unsigned mode = choice / (FORMATS * INPUTS) % HEADER_MODES;
    char detail[DEAD_DETAIL_BYTES_MAX];
    struct activity activity;
    struct arena arena;
    arena_init(&arena, 4 * 1024 * 1024);
    enum dead_reason reason =
        decode_record(&decoder, &record, mode ? &modes[mode] : NULL, mode ? 1 : 0, NOW_MS, &arena, &activity, detail);
    ASSERT(memchr(detail, '\0', sizeof detail));
    ASSERT((reason != DEAD_NOT) == (detail[0] != '\0'));
    if (!reason) {
        check_activity(&activity);
    }
    arena_reset(&arena);
    decode_oracle_compare(record.input, record.value, &arena);
    arena_finish(&arena);
    return 0;
}

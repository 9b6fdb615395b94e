#include "base/clock.h"
#include "ingest/currency.h"
#include "ingest/decode_raw.h"

/* The checks, in the order in which they are documented: the first that fails names the reason. */

#define QUANTITY_MAX INT64_C(1000000000)
#define HIGH_BITS UINT64_C(0x8080808080808080)
#define LOW_BITS UINT64_C(0x0101010101010101)

/* A high bit is set where one of the eight bytes is not ASCII, or is zero (its borrow sets the bit). */
static inline bool may_be_other(const char *at) {
    uint64_t word;
    memcpy(&word, at, 8);
    return ((word | (word - LOW_BITS)) & HIGH_BITS) != 0;
}

/* Texts are nearly always ASCII: eight bytes at a time, the last eight perhaps once more; in full where that fails. */
static bool is_text(struct bytes text) {
    if (text.size < 8) {
        for (size_t i = 0; i < text.size; i++) {
            if ((signed char)text.data[i] <= 0) {
                return bytes_are_text(text);
            }
        }
        return true;
    }
    for (size_t i = 0; i + 8 < text.size; i += 8) {
        if (may_be_other(text.data + i)) {
            return bytes_are_text(text);
        }
    }
    return !may_be_other(text.data + text.size - 8) || bytes_are_text(text);
}

/* An absent and an empty text are the same: not known. What was not read is zero, so nobody needs to ask whether it was. */
static inline struct bytes text_of(const struct raw_activity *raw, enum raw_field field) {
    struct bytes text = raw->values[field].text;
    return text.size > 0 ? text : (struct bytes){NULL, 0};
}

static inline int64_t number_of(const struct raw_activity *raw, enum raw_field field) {
    return raw->values[field].number;
}

static enum dead_reason check_texts(const struct raw_activity *raw, char *detail) {
    static const struct {
        enum raw_field field;
        const char *name;
    } texts[] = {{RAW_CHANNEL, "channel"}, {RAW_CAMPAIGN, "campaign"}, {RAW_TOUCHPOINT, "touchpoint"}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (!is_text(text_of(raw, texts[i].field))) {
            return dead_detail(detail, DEAD_UNDECODABLE, "%s is not UTF-8 without NUL", texts[i].name);
        }
    }
    for (size_t i = 0; raw->items && i < raw->items_count; i++) {
        if (!is_text(raw->items[i].sku) || !is_text(raw->items[i].category)) {
            return dead_detail(detail, DEAD_UNDECODABLE, "items[%zu] is not UTF-8 without NUL", i);
        }
    }
    return DEAD_NOT;
}

static enum dead_reason check_id(const struct raw_activity *raw, enum raw_field field, const char *name, char *detail) {
    struct bytes id = text_of(raw, field);
    if (id.size > CUSTOMER_ID_BYTES_MAX) {
        return dead_detail(detail, DEAD_BAD_ID, "%s is longer than %d bytes", name, CUSTOMER_ID_BYTES_MAX);
    }
    if (!is_text(id)) {
        return dead_detail(detail, DEAD_BAD_ID, "%s is not UTF-8 without NUL", name);
    }
    return DEAD_NOT;
}

static enum dead_reason check_ids(const struct record *record, const struct raw_activity *raw, char *detail) {
    if (text_of(raw, RAW_CUSTOMER_ID).size == 0) {
        return dead_detail(detail, DEAD_BAD_ID, "customer_id is missing or empty");
    }
    enum dead_reason reason = check_id(raw, RAW_CUSTOMER_ID, "customer_id", detail);
    reason = reason ? reason : check_id(raw, RAW_EVENT_ID, "event_id", detail);
    if (raw->type == ACTIVITY_PURCHASE) {
        reason = reason ? reason : check_id(raw, RAW_ORDER_ID, "order_id", detail);
        reason = reason ? reason : check_id(raw, RAW_REFERRER_ID, "referrer_id", detail);
    }
    if (reason) {
        return reason;
    }
    if (!record->key.data) {
        return dead_detail(detail, DEAD_KEY_MISMATCH, "the record has no key");
    }
    if (!bytes_equal(record->key, text_of(raw, RAW_CUSTOMER_ID))) {
        return dead_detail(detail, DEAD_KEY_MISMATCH, "the record's key is not its customer_id");
    }
    return DEAD_NOT;
}

static enum dead_reason check_times(const struct decoder *decoder, const struct raw_activity *raw, int64_t reference_ms,
                                    char *detail) {
    int64_t time_ms = number_of(raw, RAW_TIME);
    int64_t order_ms = number_of(raw, RAW_ORDER_TIME);
    if (time_ms == 0) {
        return dead_detail(detail, DEAD_BAD_TIME, "event_time_ms is missing");
    }
    if (time_ms < 0 || order_ms < 0) {
        return dead_detail(detail, DEAD_BAD_TIME, "%s is negative", time_ms < 0 ? "event_time_ms" : "order_time_ms");
    }
    int64_t latest_ms; /* within calendars, whatever a record's timestamp says */
    if (__builtin_add_overflow(reference_ms, decoder->max_future_ms, &latest_ms) || latest_ms > TIME_MS_MAX) {
        latest_ms = TIME_MS_MAX;
    }
    if (time_ms > latest_ms || order_ms > latest_ms) {
        return dead_detail(detail, DEAD_FUTURE_TIME, "%s is too far ahead",
                           time_ms > latest_ms ? "event_time_ms" : "order_time_ms");
    }
    return DEAD_NOT;
}

static enum dead_reason check_enum(const struct raw_activity *raw, enum raw_field field, const char *name,
                                   int64_t first, int64_t last, char *detail) {
    if (!raw_has(raw, field)) {
        return first == 0 ? DEAD_NOT : dead_detail(detail, DEAD_UNKNOWN_ENUM, "%s is missing", name);
    }
    int64_t number = raw->values[field].number;
    return number >= first && number <= last ? DEAD_NOT
                                             : dead_detail(detail, DEAD_UNKNOWN_ENUM, "%s is not a known one", name);
}

static enum dead_reason check_amounts(const struct currency_rate *rate, const struct raw_activity *raw,
                                      struct purchase *purchase, char *detail) {
    int64_t amount = number_of(raw, RAW_AMOUNT);
    if (amount < 0) {
        return dead_detail(detail, DEAD_NEGATIVE_AMOUNT, "amount_minor is negative");
    }
    for (size_t i = 0; i < raw->items_count; i++) {
        if (raw->items[i].amount_minor < 0 || raw->items[i].quantity < 0) {
            return dead_detail(detail, DEAD_NEGATIVE_AMOUNT, "items[%zu].%s is negative", i,
                               raw->items[i].amount_minor < 0 ? "amount_minor" : "quantity");
        }
    }
    if (amount == INT64_MAX || !currency_convert(rate, amount, &purchase->amount_minor)) {
        return dead_detail(detail, DEAD_OVERFLOW, "amount_minor is too large");
    }
    for (size_t i = 0; i < raw->items_count; i++) {
        struct purchase_item *item = &raw->items[i];
        if (item->amount_minor == INT64_MAX || item->quantity > QUANTITY_MAX ||
            !currency_convert(rate, item->amount_minor, &item->amount_minor)) {
            return dead_detail(detail, DEAD_OVERFLOW, "items[%zu] is too large", i);
        }
    }
    return DEAD_NOT;
}

static enum dead_reason check_purchase(const struct decoder *decoder, const struct raw_activity *raw,
                                       struct activity *out, char *detail) {
    struct purchase *purchase = &out->purchase;
    *purchase = (struct purchase){.kind = PURCHASE_KIND_PURCHASE, .order_time_ms = out->time_ms};
    if (raw_has(raw, RAW_KIND)) {
        enum dead_reason reason =
            check_enum(raw, RAW_KIND, "kind", PURCHASE_KIND_PURCHASE, PURCHASE_KIND_CANCELLATION, detail);
        if (reason) {
            return reason;
        }
        purchase->kind = (enum purchase_kind)raw->values[RAW_KIND].number;
    }
    const struct currency_rate *rate = currency_find(decoder, text_of(raw, RAW_CURRENCY));
    if (!rate) {
        return dead_detail(detail, DEAD_UNKNOWN_CURRENCY,
                           raw_has(raw, RAW_CURRENCY) ? "currency is not among the configured ones"
                                                      : "currency is missing");
    }
    /* A purchase counts on its own day, whatever else it says. */
    int64_t order_ms = number_of(raw, RAW_ORDER_TIME);
    if (purchase->kind != PURCHASE_KIND_PURCHASE && order_ms > 0) {
        purchase->order_time_ms = order_ms;
    }
    purchase->order_id = text_of(raw, RAW_ORDER_ID);
    purchase->channel = text_of(raw, RAW_CHANNEL);
    purchase->referrer_id = text_of(raw, RAW_REFERRER_ID);
    purchase->items = raw->items;
    purchase->items_count = raw->items_count;
    return check_amounts(rate, raw, purchase, detail);
}

static enum dead_reason check_interaction(const struct raw_activity *raw, struct activity *out, char *detail) {
    enum dead_reason reason = check_enum(raw, RAW_KIND, "kind", INTERACTION_PAGE_VIEW, INTERACTION_KINDS, detail);
    reason = reason ? reason : check_enum(raw, RAW_STAGE, "stage", STAGE_NONE, STAGES, detail);
    if (reason) {
        return reason;
    }
    out->interaction = (struct interaction){
        .kind = (enum interaction_kind)raw->values[RAW_KIND].number,
        .stage = (enum journey_stage)number_of(raw, RAW_STAGE),
        .channel = text_of(raw, RAW_CHANNEL),
        .campaign = text_of(raw, RAW_CAMPAIGN),
    };
    return DEAD_NOT;
}

static enum dead_reason check_feedback(const struct raw_activity *raw, struct activity *out, char *detail) {
    static const struct {
        int least;
        int most;
    } scales[] = {[SURVEY_NPS] = {0, 10},
                  [SURVEY_CSAT] = {1, 5},
                  [SURVEY_CES] = {1, 7},
                  [SURVEY_COMPLAINT] = {0, 0},
                  [SURVEY_REVIEW] = {1, 5}};
    enum dead_reason reason = check_enum(raw, RAW_SURVEY, "survey", SURVEY_NPS, SURVEY_REVIEW, detail);
    if (reason) {
        return reason;
    }
    enum survey survey = (enum survey)raw->values[RAW_SURVEY].number;
    int64_t score = survey == SURVEY_COMPLAINT ? 0 : number_of(raw, RAW_SCORE);
    if (survey != SURVEY_COMPLAINT && !raw_has(raw, RAW_SCORE)) {
        return dead_detail(detail, DEAD_BAD_SCORE, "score is missing");
    }
    if (score < scales[survey].least || score > scales[survey].most) {
        return dead_detail(detail, DEAD_BAD_SCORE, "score is not within %d..%d", scales[survey].least,
                           scales[survey].most);
    }
    out->feedback = (struct feedback){
        .survey = survey,
        .score = (int)score,
        .touchpoint = text_of(raw, RAW_TOUCHPOINT),
        .channel = text_of(raw, RAW_CHANNEL),
    };
    return DEAD_NOT;
}

enum dead_reason validate_activity(const struct decoder *decoder, const struct record *record,
                                   const struct raw_activity *raw, int64_t reference_ms, struct activity *out,
                                   char *detail) {
    if (raw->items_count > ITEMS_MAX) {
        return dead_detail(detail, DEAD_TOO_LARGE, "more than %d items", ITEMS_MAX);
    }
    enum dead_reason reason = check_texts(raw, detail);
    reason = reason ? reason : check_ids(record, raw, detail);
    reason = reason ? reason : check_times(decoder, raw, reference_ms, detail);
    if (reason) {
        return reason;
    }
    out->type = raw->type;
    out->customer_id = text_of(raw, RAW_CUSTOMER_ID);
    out->event_id = text_of(raw, RAW_EVENT_ID);
    out->time_ms = number_of(raw, RAW_TIME);
    switch (raw->type) {
    case ACTIVITY_PURCHASE:
        return check_purchase(decoder, raw, out, detail);
    case ACTIVITY_INTERACTION:
        return check_interaction(raw, out, detail);
    case ACTIVITY_FEEDBACK:
        return check_feedback(raw, out, detail);
    case ACTIVITY_TYPES:
        break;
    }
    ASSERT(false); /* no other type */
}

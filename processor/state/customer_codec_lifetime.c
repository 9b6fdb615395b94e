#include "state/customer_codec_parts.h"

#include <math.h>

/* Fields of schemas/customer_state.proto, all bytes. Those up to 15 have keys of one byte, so the usual ones come first. */
enum {
    FIELD_PURCHASE_DAYS = 12,
    FIELD_JOURNEY = 13,
    FIELD_CATEGORIES = 14,
    FIELD_CHANNELS = 15,
    FIELD_FORGOTTEN_DAYS = 16,
    FIELD_ENGAGEMENT = 17,
    FIELD_REFERRER = 20, /* bytes: a customer id */
    DOUBLE_BYTES = 8,
};

/* ---- purchase days ---- */

/* sint64 revenue of the first day, sint64 oldest known day, and uint64 days from each known day to the next. */
static char *put_purchase_days(const struct customer *customer, char *at) {
    const struct purchase_days *days = &customer->purchase_days;
    at = signed_put(at, days->first_day_minor);
    at = signed_put(at, days->known[0]);
    for (size_t i = 1; i < days->count; i++) {
        at = varint_put(at, (uint64_t)((int64_t)days->known[i] - days->known[i - 1]));
    }
    return at;
}

static int take_purchase_days(struct bytes body, struct purchase_days *days) {
    struct cursor in = cursor_of(body);
    days->first_day_minor = cursor_signed(&in);
    int64_t day = cursor_signed(&in);
    while (!in.error) {
        bool fits = day > INT32_MIN && day <= INT32_MAX && days->count < PURCHASE_DAYS_MAX;
        if (!fits || (days->count > 0 && day <= days->known[days->count - 1])) {
            return ERR_INVALID;
        }
        int error = purchase_days_reserve(days, (size_t)days->count + 1);
        if (error) {
            return error;
        }
        days->known[days->count++] = (int32_t)day;
        if (cursor_left(&in) == 0) {
            return 0;
        }
        uint64_t gap = cursor_varint(&in);
        day += gap <= UINT32_MAX ? (int64_t)gap : INT64_C(1) << 40;
    }
    return in.error;
}

/* uint64 number of forgotten days, uint64 sum of the squares of their gaps, uint64 oldest known day less the first of all. */
static char *put_forgotten_days(const struct customer *customer, char *at) {
    const struct purchase_days *days = &customer->purchase_days;
    at = varint_put(at, days->forgotten);
    at = varint_put(at, days->gap_squares);
    return varint_put(at, (uint64_t)((int64_t)days->known[0] - days->first_day));
}

/* Behind the known days. */
static int take_forgotten_days(struct bytes body, struct purchase_days *days) {
    struct cursor in = cursor_of(body);
    uint64_t forgotten = cursor_varint(&in);
    uint64_t gap_squares = cursor_varint(&in);
    uint64_t before = cursor_varint(&in);
    if (in.error || days->count == 0 || forgotten == 0 || forgotten > UINT32_MAX || before == 0 ||
        before > (uint64_t)((int64_t)days->known[0] - INT32_MIN)) {
        return ERR_INVALID;
    }
    days->forgotten = (uint32_t)forgotten;
    days->gap_squares = gap_squares;
    days->first_day = (int32_t)(days->known[0] - (int64_t)before);
    return 0;
}

/* ---- journey ---- */

/* A byte: which stages were reached (bit 0 the first) and, from bit 5 on, the latest; then, for each reached one, sint64 its first
 * time less that of the customer; then sint64 now less the latest time. */
static char *put_journey(const struct customer *customer, char *at) {
    const struct journey *journey = &customer->journey;
    unsigned head = (unsigned)journey->latest << STAGES;
    for (int i = 0; i < STAGES; i++) {
        head |= (unsigned)(journey->first_ms[i] != TIME_NONE) << i;
    }
    *at++ = (char)head;
    for (int i = 0; i < STAGES; i++) {
        if (journey->first_ms[i] != TIME_NONE) {
            at = signed_put(at, journey->first_ms[i] - customer->first_seen_ms);
        }
    }
    return signed_put(at, customer->now_ms - journey->latest_ms);
}

static int take_journey(struct bytes body, struct customer *customer) {
    struct journey *journey = &customer->journey;
    struct cursor in = cursor_of(body);
    unsigned head = cursor_byte(&in);
    journey->latest = (enum journey_stage)(head >> STAGES);
    bool overflow = false;
    for (int i = 0; i < STAGES; i++) {
        if (head >> i & 1) {
            int64_t after_ms = cursor_signed(&in);
            overflow |=
                __builtin_add_overflow(customer->first_seen_ms, after_ms, &journey->first_ms[i]) || after_ms < 0;
        }
    }
    int64_t ago_ms = cursor_signed(&in);
    overflow |= __builtin_sub_overflow(customer->now_ms, ago_ms, &journey->latest_ms) || ago_ms < 0;
    bool right = !in.error && !overflow && customer->now_ms != TIME_NONE && customer->first_seen_ms != TIME_NONE;
    return right && journey_is_valid(journey) ? 0 : ERR_INVALID;
}

/* ---- favourites ---- */

/* As they are in memory (score/favourites.h). */
static char *put_favourites(const struct favourites *favourites, char *at) {
    struct bytes bytes = favourites_bytes(favourites);
    memcpy(at, bytes.data, bytes.size);
    return at + bytes.size;
}

static char *put_categories(const struct customer *customer, char *at) {
    return put_favourites(&customer->categories, at);
}

static char *put_channels(const struct customer *customer, char *at) {
    return put_favourites(&customer->channels, at);
}

/* The field may come once. */
static int take_favourites(struct bytes body, struct favourites *favourites) {
    return favourites->count == 0 ? favourites_take(favourites, body) : ERR_INVALID;
}

/* ---- engagement ---- */

/* Its 8 bytes as an IEEE 754 double, little endian, then sint64 now less its instant. */
static char *put_engagement(const struct customer *customer, char *at) {
    uint64_t bits;
    memcpy(&bits, &customer->engagement.sum, sizeof bits);
    for (int i = 0; i < DOUBLE_BYTES; i++) {
        *at++ = (char)(bits >> (8 * i));
    }
    return signed_put(at, customer->now_ms - customer->engagement.at_ms);
}

static int take_engagement(struct bytes body, struct customer *customer) {
    struct engagement *engagement = &customer->engagement;
    struct cursor in = cursor_of(body);
    uint64_t bits = 0;
    for (int i = 0; i < DOUBLE_BYTES; i++) {
        bits |= (uint64_t)cursor_byte(&in) << (8 * i);
    }
    memcpy(&engagement->sum, &bits, sizeof bits);
    int64_t ago_ms = cursor_signed(&in);
    bool right = !in.error && customer->now_ms != TIME_NONE && ago_ms >= 0 &&
                 !__builtin_sub_overflow(customer->now_ms, ago_ms, &engagement->at_ms);
    return right && isfinite(engagement->sum) && engagement->sum > 0 ? 0 : ERR_INVALID;
}

/* ---- referrer ---- */

static char *put_referrer(const struct customer *customer, char *at) {
    struct bytes referrer = customer_referrer(customer);
    memcpy(at, referrer.data, referrer.size);
    return at + referrer.size;
}

static int take_referrer(struct bytes body, struct customer *customer) {
    enum { REFERRER_BYTES_MAX = 256 }; /* of a customer id */
    return body.size > 0 && body.size <= REFERRER_BYTES_MAX ? customer_set_referrer(customer, body) : ERR_INVALID;
}

/* ---- all together ---- */

size_t codec_lifetime_room(const struct customer *customer) {
    enum {
        BODIES = 7, /* see codec_put_lifetime */
        NAMES_MAX = 2 * FAVOURITES_MAX,
        NAME_ROOM = FAVOURITE_NAME_BYTES_MAX + 3 * VARINT_BYTES_MAX,
        NUMBERS_MAX = 2 + 3 + STAGES + 1 + 1, /* of purchase days, of forgotten ones, of the journey, of engagement */
        BYTES_MAX = 1 + DOUBLE_BYTES,
    };
    return BODIES * FIELD_HEAD_BYTES_MAX + NAMES_MAX * NAME_ROOM + NUMBERS_MAX * VARINT_BYTES_MAX + BYTES_MAX +
           (size_t)customer->purchase_days.count * VARINT_BYTES_MAX + customer_referrer(customer).size;
}

char *codec_put_lifetime(const struct customer *customer, char *at) {
    if (customer->purchase_days.count > 0) {
        at = codec_put_body(customer, at, FIELD_PURCHASE_DAYS, put_purchase_days);
    }
    if (customer->journey.latest != STAGE_NONE) {
        at = codec_put_body(customer, at, FIELD_JOURNEY, put_journey);
    }
    if (customer->categories.count > 0) {
        at = codec_put_body(customer, at, FIELD_CATEGORIES, put_categories);
    }
    if (customer->channels.count > 0) {
        at = codec_put_body(customer, at, FIELD_CHANNELS, put_channels);
    }
    if (customer->purchase_days.forgotten > 0) {
        at = codec_put_body(customer, at, FIELD_FORGOTTEN_DAYS, put_forgotten_days);
    }
    if (customer->engagement.sum > 0) {
        at = codec_put_body(customer, at, FIELD_ENGAGEMENT, put_engagement);
    }
    if (customer->referrer) {
        at = codec_put_body(customer, at, FIELD_REFERRER, put_referrer);
    }
    return at;
}

int codec_take_lifetime(uint64_t field, struct bytes body, struct customer *customer) {
    switch (field) {
    case FIELD_PURCHASE_DAYS:
        return take_purchase_days(body, &customer->purchase_days);
    case FIELD_JOURNEY:
        return take_journey(body, customer);
    case FIELD_CATEGORIES:
        return take_favourites(body, &customer->categories);
    case FIELD_CHANNELS:
        return take_favourites(body, &customer->channels);
    case FIELD_ENGAGEMENT:
        return take_engagement(body, customer);
    case FIELD_REFERRER:
        return take_referrer(body, customer);
    case FIELD_FORGOTTEN_DAYS:
        return take_forgotten_days(body, &customer->purchase_days);
    default:
        return 0;
    }
}

/* Fields of schemas/customer_state.proto. All times are zigzag differences from the one before, in the order below, so that
 * most take a few bytes; TIME_NONE and TIME_NEVER are simply absent. */
#include "state/customer_codec_parts.h"

enum {
    FIELD_NOW = 1,        /* sint64: now_ms */
    FIELD_DUE = 2,        /* sint64: due_ms - now_ms */
    FIELD_ARMED = 3,      /* sint64: armed_ms - now_ms, only when not the due instant */
    FIELD_UNARMED = 4,    /* bool: due, but nothing on the wheel */
    FIELD_FIRST_SEEN = 5, /* sint64: now_ms - first_seen_ms, and so on */
    FIELD_LAST_SEEN = 6,
    FIELD_FIRST_PURCHASE = 7,
    FIELD_LAST_PURCHASE = 8,
    FIELD_RECENT = 9,   /* bytes: 6 a hash, little endian */
    FIELD_TILES = 10,   /* bytes: day by day */
    FIELD_TIERS = 11,   /* bytes, repeated: one tier set each */
    FIELD_EDITION = 18, /* sint64 */
    FIELD_RANKS = 19,   /* bytes: a sint32 each */
    RECENT_BYTES = 6,
    DAYS_MAX = TIME_MS_MAX / MS_PER_DAY + 1,
    TIER_STATES_MAX = 1024, /* sets that the rules ever had; more was not written by any version */
};

static char *put_key(char *at, unsigned field, unsigned wire) {
    return varint_put(at, field << 3 | wire);
}

static char *put_time(char *at, unsigned field, int64_t difference) {
    return signed_put(put_key(at, field, WIRE_VARINT), difference);
}

static char *put_recent(const struct customer *customer, char *at) {
    at = varint_put(put_key(at, FIELD_RECENT, WIRE_BYTES), (uint64_t)customer->recent_count * RECENT_BYTES);
    for (uint16_t i = 0; i < customer->recent_count; i++) {
        for (int b = 0; b < RECENT_BYTES; b++) {
            *at++ = (char)(customer->recent[i] >> (8 * b));
        }
    }
    return at;
}

/* A day is: difference to the day before (the first: to day 0; the residue, which is first, is told by a leading 0), number of
 * cells, and per cell the field and the value. */
static char *put_tiles_body(const struct customer *customer, char *at) {
    const struct tiles *tiles = &customer->tiles;
    int32_t day = 0;
    bool residue = tiles->count > 0 && tiles->cells[0].day == DAY_RESIDUE;
    *at++ = (char)residue;
    for (uint32_t i = 0; i < tiles->count;) {
        uint32_t end = i;
        while (end < tiles->count && tiles->cells[end].day == tiles->cells[i].day) {
            end++;
        }
        if (tiles->cells[i].day != DAY_RESIDUE) {
            at = signed_put(at, (int64_t)tiles->cells[i].day - day);
            day = tiles->cells[i].day;
        }
        at = varint_put(at, end - i);
        for (; i < end; i++) {
            at = varint_put(at, tiles->cells[i].field);
            at = signed_put(at, tiles->cells[i].value);
        }
    }
    return at;
}

/* A byte is left for the length, and the body moved if it needs more. */
char *codec_put_body(const struct customer *customer, char *at, unsigned field,
                     char *(*body)(const struct customer *customer, char *at)) {
    char *length_at = put_key(at, field, WIRE_BYTES);
    char *end = body(customer, length_at + 1);
    size_t size = (size_t)(end - length_at) - 1;
    unsigned more = varint_size(size) - 1;
    if (more > 0) {
        memmove(length_at + 1 + more, length_at + 1, size);
    }
    (void)varint_put(length_at, size);
    return end + more;
}

enum { NOT_PENDING = -1 }; /* in the place of a time that is never ahead */

/* set tag, tier tag (2 bytes each), sequence, now - since; if a fall is pending or announced, now - pending; if it is announced,
 * its instant - now. */
static char *put_tier(const struct tier_state *state, int64_t now_ms, char *at) {
    const char tags[4] = {(char)state->set_tag, (char)(state->set_tag >> 8), (char)state->tier_tag,
                          (char)(state->tier_tag >> 8)};
    bool noticed = state->noticed_ms != TIME_NEVER;
    bool pending = noticed || state->pending_ms != TIME_NEVER;
    uint64_t since = zigzag(now_ms - state->since_ms);
    uint64_t waited = state->pending_ms != TIME_NEVER ? zigzag(now_ms - state->pending_ms) : zigzag(NOT_PENDING);
    uint64_t notice = noticed ? zigzag(state->noticed_ms - now_ms) : 0;
    at = varint_put(put_key(at, FIELD_TIERS, WIRE_BYTES), sizeof tags + varint_size(state->sequence) +
                                                              varint_size(since) + (pending ? varint_size(waited) : 0) +
                                                              (noticed ? varint_size(notice) : 0));
    memcpy(at, tags, sizeof tags);
    at = varint_put(at + sizeof tags, state->sequence);
    at = varint_put(at, since);
    if (pending) {
        at = varint_put(at, waited);
    }
    return noticed ? varint_put(at, notice) : at;
}

static char *put_ranks_body(const struct customer *customer, char *at) {
    for (size_t i = 0; i < customer->ranks_count; i++) {
        at = signed_put(at, customer->ranks[i]);
    }
    return at;
}

static char *put_times(const struct customer *customer, char *at) {
    int64_t now_ms = customer->now_ms;
    at = put_time(at, FIELD_NOW, now_ms);
    if (customer->wake_ms != TIME_NEVER) {
        at = put_time(at, FIELD_DUE, customer->wake_ms - now_ms);
    }
    if (customer->armed_ms != customer->wake_ms) {
        bool armed = customer->armed_ms != TIME_NEVER;
        at = put_time(at, armed ? FIELD_ARMED : FIELD_UNARMED, armed ? customer->armed_ms - now_ms : -1);
    }
    at = put_time(at, FIELD_FIRST_SEEN, now_ms - customer->first_seen_ms);
    at = put_time(at, FIELD_LAST_SEEN, now_ms - customer->last_seen_ms);
    if (customer->first_purchase_ms != TIME_NONE) {
        at = put_time(at, FIELD_FIRST_PURCHASE, now_ms - customer->first_purchase_ms);
        at = put_time(at, FIELD_LAST_PURCHASE, now_ms - customer->last_purchase_ms);
    }
    return customer->edition > 0 ? put_time(at, FIELD_EDITION, customer->edition) : at;
}

/* At most; hot paths look at their room once. */
static size_t room_for(const struct customer *customer) {
    enum {
        NUMBERS_MAX = FIELD_LAST_PURCHASE + 1, /* put_times */
        CELL_ROOM = 4 * VARINT_BYTES_MAX,      /* each on a day of its own */
        TIER_ROOM = FIELD_HEAD_BYTES_MAX + 4 + 4 * VARINT_BYTES_MAX,
        BODIES = 3, /* recent, ranks, tiles */
    };
    return (NUMBERS_MAX + BODIES) * FIELD_HEAD_BYTES_MAX + (size_t)customer->recent_count * RECENT_BYTES +
           customer->ranks_count * VARINT_BYTES_MAX + 1 + (size_t)customer->tiles.count * CELL_ROOM +
           (size_t)customer->tiers_count * TIER_ROOM + codec_lifetime_room(customer);
}

void customer_encode(const struct customer *customer, struct buffer *out) {
    size_t room = room_for(customer);
    char *start = customer->now_ms != TIME_NONE ? buffer_reserve(out, room) : NULL;
    if (!start) {
        return;
    }
    char *at = put_times(customer, start);
    if (customer->recent_count > 0) {
        at = put_recent(customer, at);
    }
    if (customer->ranks_count > 0) {
        at = codec_put_body(customer, at, FIELD_RANKS, put_ranks_body);
    }
    if (customer->tiles.count > 0) {
        at = codec_put_body(customer, at, FIELD_TILES, put_tiles_body);
    }
    for (uint16_t i = 0; i < customer->tiers_count; i++) {
        if (customer->tiers[i].sequence > 0) {
            at = put_tier(&customer->tiers[i], customer->now_ms, at);
        }
    }
    at = codec_put_lifetime(customer, at);
    ASSERT((size_t)(at - start) <= room);
    out->size += (size_t)(at - start);
}

/* A cell's field and value; most stand where there is room enough to look only once. */
static void take_cell(struct cursor *in, uint64_t *field, int64_t *value) {
    if (cursor_left(in) < 2 * VARINT_BYTES_MAX) {
        *field = cursor_varint(in);
        *value = cursor_signed(in);
        return;
    }
    uint64_t number;
    const char *middle = varint_get(in->at, field);
    in->at = varint_get(middle, &number);
    *value = unzigzag(number);
    in->error = (middle[-1] | in->at[-1]) & 0x80 ? ERR_INVALID : 0;
}

/* The cells of one day. */
static int take_day(struct cursor *in, int64_t day, struct tiles *tiles) {
    uint64_t cells = cursor_varint(in);
    if (in->error || cells > cursor_left(in) || tiles_reserve(tiles, tiles->count + cells)) {
        return ERR_INVALID;
    }
    int64_t after = -1; /* fields ascend */
    for (uint64_t i = 0; i < cells; i++) {
        uint64_t field;
        int64_t value;
        take_cell(in, &field, &value);
        if (in->error || field >= TILE_FIELDS_MAX || value == 0 || (int64_t)field <= after) {
            return ERR_INVALID;
        }
        after = (int64_t)field;
        tiles->cells[tiles->count++] = (struct cell){(int32_t)day, (uint16_t)field, value};
    }
    return 0;
}

static int take_tiles(struct bytes body, struct tiles *tiles) {
    struct cursor in = cursor_of(body);
    int error = tiles->count > 0 ? ERR_INVALID : 0; /* the field may come once */
    int64_t day = 0;
    int64_t before = DAY_RESIDUE;
    if (cursor_byte(&in) != 0 && !error) {
        error = take_day(&in, DAY_RESIDUE, tiles);
    }
    while (!error && cursor_left(&in) > 0) {
        bool overflow = __builtin_add_overflow(day, cursor_signed(&in), &day);
        if (overflow || day < -DAYS_MAX || day > DAYS_MAX || day <= before) {
            return ERR_INVALID;
        }
        before = day;
        error = take_day(&in, day, tiles);
    }
    return error ? error : in.error;
}

static int take_recent(struct bytes body, const struct model *model, struct customer *customer) {
    size_t count = body.size / RECENT_BYTES;
    if (body.size % RECENT_BYTES != 0 || customer->recent_count > 0) {
        return ERR_INVALID;
    }
    size_t skipped = count > model_dedupe(model) ? count - model_dedupe(model) : 0; /* state.dedupe became smaller */
    for (size_t i = skipped; i < count; i++) {
        uint64_t hash = 0;
        for (int b = 0; b < RECENT_BYTES; b++) {
            hash |= (uint64_t)(uint8_t)body.data[i * RECENT_BYTES + (size_t)b] << (8 * b);
        }
        customer->recent[customer->recent_count++] = hash;
    }
    return 0;
}

/* The state's place: of the set in the model that has the tag, or one more behind them. */
static struct tier_state *tier_place(struct customer *customer, const struct model *model, uint16_t set_tag,
                                     size_t *set) {
    for (*set = 0; *set < model_sets_count(model); ++*set) {
        if (model_set_tag(model, *set) == set_tag) {
            return &customer->tiers[*set];
        }
    }
    if (customer->tiers_count >= TIER_STATES_MAX ||
        customer_reserve_tiers(customer, (size_t)customer->tiers_count + 1)) {
        return NULL;
    }
    return &customer->tiers[customer->tiers_count - 1];
}

static int take_tier(struct bytes body, const struct model *model, struct customer *customer) {
    struct cursor in = cursor_of(body);
    uint16_t tags[2];
    for (int i = 0; i < 2; i++) {
        tags[i] = cursor_byte(&in);
        tags[i] = (uint16_t)(tags[i] | cursor_byte(&in) << 8);
    }
    uint64_t sequence = cursor_varint(&in);
    int64_t since = cursor_signed(&in);
    bool pending = !in.error && cursor_left(&in) > 0;
    int64_t waited = pending ? cursor_signed(&in) : NOT_PENDING;
    bool noticed = !in.error && cursor_left(&in) > 0;
    int64_t notice = noticed ? cursor_signed(&in) : 0;
    int64_t since_ms;
    int64_t pending_ms;
    int64_t noticed_ms;
    if (in.error || sequence == 0 || sequence > UINT32_MAX || cursor_left(&in) > 0 ||
        __builtin_sub_overflow(customer->now_ms, since, &since_ms) ||
        __builtin_sub_overflow(customer->now_ms, waited, &pending_ms) ||
        __builtin_add_overflow(customer->now_ms, notice, &noticed_ms)) {
        return ERR_INVALID;
    }
    size_t set;
    struct tier_state *state = tier_place(customer, model, tags[0], &set);
    if (!state) {
        return ERR_INVALID;
    }
    *state = (struct tier_state){.set_tag = tags[0],
                                 .tier_tag = tags[1],
                                 .tier = -1,
                                 .sequence = (uint32_t)sequence,
                                 .since_ms = since_ms,
                                 .pending_ms = waited != NOT_PENDING ? pending_ms : TIME_NEVER,
                                 .noticed_ms = noticed ? noticed_ms : TIME_NEVER};
    for (size_t tier = 0; set < model_sets_count(model) && tier < model_tiers_count(model, set); tier++) {
        if (model_tier_tag(model, set, tier) == tags[1]) {
            state->tier = (int16_t)tier;
        }
    }
    return 0;
}

/* Of the same rules: those of others are as many by chance at most, and then the edition tells (batch.c). */
static int take_ranks(struct bytes body, struct customer *customer) {
    struct cursor in = cursor_of(body);
    for (size_t i = 0; i < customer->ranks_count && cursor_left(&in) > 0; i++) {
        int64_t rank = cursor_signed(&in);
        if (in.error || rank < INT32_MIN || rank > INT32_MAX) {
            return ERR_INVALID;
        }
        customer->ranks[i] = (int32_t)rank;
    }
    return in.error;
}

static int64_t *time_of(struct customer *customer, uint64_t field) {
    switch (field) {
    case FIELD_DUE:
        return &customer->wake_ms;
    case FIELD_ARMED:
        return &customer->armed_ms;
    case FIELD_FIRST_SEEN:
        return &customer->first_seen_ms;
    case FIELD_LAST_SEEN:
        return &customer->last_seen_ms;
    case FIELD_FIRST_PURCHASE:
        return &customer->first_purchase_ms;
    case FIELD_LAST_PURCHASE:
        return &customer->last_purchase_ms;
    default:
        return NULL;
    }
}

static int take_time(struct customer *customer, uint64_t field, int64_t value) {
    int64_t now_ms = customer->now_ms;
    if (field == FIELD_NOW) {
        customer->now_ms = value;
        return 0;
    }
    if (now_ms == TIME_NONE) {
        return ERR_INVALID; /* now comes first */
    }
    if (field == FIELD_EDITION) {
        customer->edition = (uint32_t)value;
        return value > 0 && value <= UINT32_MAX ? 0 : ERR_INVALID;
    }
    if (field == FIELD_UNARMED) {
        customer->armed_ms = TIME_NEVER;
        return 0;
    }
    int64_t *time_ms = time_of(customer, field);
    bool ahead = field == FIELD_DUE || field == FIELD_ARMED;
    if (time_ms &&
        (ahead ? __builtin_add_overflow(now_ms, value, time_ms) : __builtin_sub_overflow(now_ms, value, time_ms))) {
        return ERR_INVALID;
    }
    customer->armed_ms = field == FIELD_DUE ? customer->wake_ms : customer->armed_ms;
    return 0; /* others are fields of a newer version */
}

static int take_field(struct cursor *in, const struct model *model, struct customer *customer) {
    uint64_t key = cursor_varint(in);
    uint64_t field = key >> 3;
    if ((key & 7) == WIRE_VARINT) {
        int64_t value = cursor_signed(in);
        return in->error ? in->error : take_time(customer, field, value);
    }
    if ((key & 7) != WIRE_BYTES) {
        return ERR_INVALID;
    }
    struct bytes body = cursor_sized(in);
    if (in->error) {
        return in->error;
    }
    if (field == FIELD_RECENT) {
        return take_recent(body, model, customer);
    }
    if (field == FIELD_TILES) {
        return take_tiles(body, &customer->tiles);
    }
    if (field == FIELD_RANKS) {
        return take_ranks(body, customer);
    }
    return field == FIELD_TIERS ? take_tier(body, model, customer) : codec_take_lifetime(field, body, customer);
}

static bool is_past(int64_t time_ms, int64_t now_ms) {
    return time_ms >= 0 && time_ms <= now_ms;
}

/* Whether everything holds that scoring takes for granted (customer_is_valid) and that has not been looked at field by field: bytes that
 * no version wrote must not bring a task down later. */
static bool is_sound(const struct customer *customer) {
    int64_t now_ms = customer->now_ms;
    bool bought = customer->first_purchase_ms != TIME_NONE || customer->last_purchase_ms != TIME_NONE;
    bool sound =
        now_ms <= TIME_MS_MAX && customer->wake_ms > now_ms && is_past(customer->first_seen_ms, now_ms) &&
        is_past(customer->last_seen_ms, now_ms) && customer->first_seen_ms <= customer->last_seen_ms &&
        (!bought || (is_past(customer->first_purchase_ms, now_ms) && is_past(customer->last_purchase_ms, now_ms) &&
                     customer->first_purchase_ms <= customer->last_purchase_ms));
    for (uint16_t i = 0; i < customer->tiers_count && sound; i++) {
        const struct tier_state *state = &customer->tiers[i];
        bool pending = state->pending_ms != TIME_NEVER;
        sound = state->sequence == 0 || /* in no tier yet */
                (is_past(state->since_ms, now_ms) && (!pending || is_past(state->pending_ms, now_ms)));
    }
    return sound;
}

int customer_decode(struct bytes packed, const struct model *model, struct customer **out) {
    struct customer *customer = customer_create(model);
    struct cursor in = cursor_of(packed);
    int error = customer ? 0 : ERR_NO_MEMORY;
    while (!error && cursor_left(&in) > 0) {
        error = take_field(&in, model, customer);
    }
    if (!error && !is_sound(customer)) {
        error = ERR_INVALID;
    }
    if (error) {
        customer_destroy(customer);
        customer = NULL;
    }
    *out = customer;
    return error;
}

uint32_t customer_peek_edition(struct bytes packed) {
    struct cursor in = cursor_of(packed);
    while (cursor_left(&in) > 0 && !in.error) {
        uint64_t key = cursor_varint(&in);
        if ((key & 7) == WIRE_VARINT) {
            int64_t value = cursor_signed(&in);
            if (key >> 3 == FIELD_EDITION && !in.error) {
                return (uint32_t)value;
            }
        } else if ((key & 7) == WIRE_BYTES) {
            (void)cursor_sized(&in);
        } else {
            break;
        }
    }
    return 0;
}

void due_entry_encode(struct buffer *out, struct bytes id, uint32_t offset_ms) {
    buffer_put_sized(out, id);
    buffer_put_varint(out, offset_ms);
}

bool due_entry_decode(struct cursor *in, struct bytes *id, uint32_t *offset_ms) {
    struct cursor entry = *in;
    *id = cursor_sized(&entry);
    *offset_ms = (uint32_t)cursor_varint(&entry);
    if (entry.error || cursor_left(in) == 0) {
        return false;
    }
    *in = entry;
    return true;
}

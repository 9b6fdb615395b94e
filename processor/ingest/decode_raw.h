/* Between the formats and the checks: the fields of an event as they came, whatever carried them.
 *
 * The fields are described once, in tables that both the protobuf and the JSON reader follow, so
 * the two cannot disagree about a name, a number or a type. The readers only take apart;
 * validate_activity decides what is acceptable. */
#ifndef TIDEMARK_INGEST_DECODE_RAW_H
#define TIDEMARK_INGEST_DECODE_RAW_H

#include "ingest/decode.h"

enum raw_field {
    RAW_EVENT_ID,
    RAW_CUSTOMER_ID,
    RAW_TIME,
    RAW_KIND, /* of a purchase or an interaction */
    RAW_SURVEY,
    RAW_STAGE,
    RAW_ORDER_ID,
    RAW_AMOUNT,
    RAW_CURRENCY,
    RAW_CHANNEL,
    RAW_ITEMS,
    RAW_REFERRER_ID,
    RAW_ORDER_TIME,
    RAW_CAMPAIGN,
    RAW_SCORE,
    RAW_TOUCHPOINT,
    RAW_FIELDS
};

enum raw_item_field { RAW_SKU, RAW_CATEGORY, RAW_QUANTITY, RAW_ITEM_AMOUNT, RAW_ITEM_FIELDS };

enum field_type {
    FIELD_TEXT,
    FIELD_INT64,
    FIELD_INT32,
    FIELD_ENUM,
    FIELD_ITEMS,
    FIELD_IGNORED_TEXT /* must be a text, but nobody wants it */
};

struct field_spec {
    const char *name; /* as in the schema: event_time_ms */
    const char *camel_name;
    uint8_t name_size;
    uint8_t camel_name_size;
    uint8_t field;                 /* enum raw_field or raw_item_field: index into the values */
    uint8_t type;                  /* enum field_type */
    const char *const *enum_names; /* by number, from 0 */
    size_t enum_names_count;
};

/* The fields of one message; fields[n - 1] has the protobuf number n. */
struct field_table {
    const struct field_spec *fields;
    size_t count;
};

/* By enum activity_type. */
extern const struct field_table activity_fields[ACTIVITY_TYPES];
extern const struct field_table item_fields;

/* What an enum name that nobody knows becomes. */
#define RAW_ENUM_UNKNOWN (-1)

union raw_value {
    struct bytes text;
    int64_t number; /* whole numbers beyond 64 bits are cut to the nearest that fits */
};

/* Everything borrowed: from the record's value (protobuf) or the open json_document. */
struct raw_activity {
    enum activity_type type;
    uint32_t seen; /* bit 1 << raw_field */
    union raw_value values[RAW_FIELDS];
    struct purchase_item *items; /* in the arena; NULL if there are too many */
    size_t items_count;
};

static inline bool raw_has(const struct raw_activity *raw, enum raw_field field) {
    return (raw->seen >> field & 1) != 0;
}

/* Writes the one line that says what is wrong; always returns `reason`. */
enum dead_reason dead_detail(char *detail, enum dead_reason reason, const char *format, ...) PRINTF_LIKE(3, 4);

/* Room for the items of a purchase; leaves raw->items NULL if there are more than ITEMS_MAX, which
 * validate_activity refuses. DEAD_TOO_LARGE if the arena is full. */
enum dead_reason raw_reserve_items(struct raw_activity *raw, size_t count, struct arena *arena, char *detail);
/* An item from the values found in it. */
struct purchase_item raw_item(const union raw_value values[RAW_ITEM_FIELDS], uint32_t seen);

/* Takes a protobuf message apart; raw->type says which. raw is zeroed but for the type. */
enum dead_reason decode_protobuf(struct bytes value, struct raw_activity *raw, struct arena *arena, char *detail);

/* A JSON document that texts of a raw_activity borrow from. */
enum { JSON_SCRATCH_BYTES = 16 * 1024 }; /* enough for any 1200 bytes of JSON */

struct yyjson_doc;
struct json_document {
    struct yyjson_doc *document;
    void *large; /* a longer document's memory: at most 13 times the value, until json_close */
    _Alignas(16) char scratch[JSON_SCRATCH_BYTES];
};

/* Parses JSON, which must be an object. Call json_close in any case. */
enum dead_reason json_open(struct json_document *json, struct bytes value, char *detail);
/* Takes the event apart; raw->type says which. raw is zeroed but for the type. */
enum dead_reason json_read(const struct json_document *json, struct raw_activity *raw, struct arena *arena,
                           char *detail);
/* Another text of the object; data NULL if there is none of the name. */
struct bytes json_text(const struct json_document *json, const char *name);
void json_close(struct json_document *json);

/* Steps over Confluent's framing: *message is what follows. With a __value_schema_id header the
 * value is bare and the header holds the framing. */
enum dead_reason decode_confluent(struct bytes value, const struct header *headers, size_t headers_count,
                                  struct bytes *message, char *detail);

/* Checks everything and fills `out`, whose texts still borrow as raw's do. `amounts` are converted
 * in place in raw->items. */
enum dead_reason validate_activity(const struct decoder *decoder, const struct record *record,
                                   const struct raw_activity *raw, int64_t reference_ms, struct activity *out,
                                   char *detail);

#endif

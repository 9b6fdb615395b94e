#include "ingest/decode_raw.h"

/* Confluent's framing, https://docs.confluent.io/platform/current/schema-registry/fundamentals/
 * serdes-develop/index.html#wire-format: a zero byte, the schema's id (4 bytes, big-endian), then
 * for protobuf the path of the message within its file: a count and so many indexes as zigzag
 * varints; the usual path [0] is the single byte 0. Newer serialisers put the same into the header
 * __value_schema_id, with magic 1 and a 16-byte GUID for the id, and leave the value bare.
 *
 * The registry is never asked, so id and path are checked for form only. */

enum {
    MAGIC_ID = 0,
    MAGIC_GUID = 1,
    ID_BYTES = 4,
    GUID_BYTES = 16,
    INDEXES_MAX = 16, /* nobody nests messages deeper than that */
    INDEX_MAX = 1 << 16
};

static bool skip_indexes(struct cursor *cursor) {
    int64_t count = cursor_signed(cursor);
    if (cursor->error || count < 0 || count > INDEXES_MAX) {
        return false;
    }
    for (int64_t i = 0; i < count; i++) {
        int64_t index = cursor_signed(cursor);
        if (cursor->error || index < 0 || index > INDEX_MAX) {
            return false;
        }
    }
    return true;
}

static enum dead_reason check_header(struct bytes framing, char *detail) {
    struct cursor cursor = cursor_of(framing);
    uint8_t magic = cursor_byte(&cursor);
    (void)cursor_take(&cursor, magic == MAGIC_GUID ? GUID_BYTES : ID_BYTES);
    bool right = !cursor.error && (magic == MAGIC_GUID || magic == MAGIC_ID) &&
                 (cursor_left(&cursor) == 0 || skip_indexes(&cursor)) && cursor_left(&cursor) == 0;
    return right ? DEAD_NOT : dead_detail(detail, DEAD_UNDECODABLE, "header __value_schema_id is malformed");
}

enum dead_reason decode_confluent(struct bytes value, const struct header *headers, size_t headers_count,
                                  struct bytes *message, char *detail) {
    for (size_t i = 0; i < headers_count; i++) {
        if (bytes_equal_text(headers[i].name, "__value_schema_id")) {
            *message = value;
            return check_header(headers[i].value, detail);
        }
    }
    struct cursor cursor = cursor_of(value);
    if (cursor_byte(&cursor) != MAGIC_ID || cursor.error) {
        return dead_detail(detail, DEAD_UNDECODABLE, "no Confluent framing: the first byte is not 0");
    }
    (void)cursor_take(&cursor, ID_BYTES);
    if (cursor.error || !skip_indexes(&cursor)) {
        return dead_detail(detail, DEAD_UNDECODABLE, "malformed Confluent framing");
    }
    *message = bytes_of(cursor.at, cursor_left(&cursor));
    return DEAD_NOT;
}

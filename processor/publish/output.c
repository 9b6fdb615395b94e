#include "publish/output.h"

#include "base/clock.h"

/* Packed form, version 1:
 *
 *     byte     version
 *     sized    topic
 *     optional key
 *     optional value
 *     signed   caused_ms
 *     varint   number of headers, then for each: sized name, optional value
 *
 * where "optional" is a varint 0 for null, else size + 1 and the bytes. */

enum { OUTPUT_VERSION = 1, HEADER_PACKED_BYTES_MIN = 2 };

static void put_optional(struct buffer *out, struct bytes bytes) {
    if (!bytes.data) {
        buffer_put_varint(out, 0);
        return;
    }
    buffer_put_varint(out, (uint64_t)bytes.size + 1);
    buffer_put_bytes(out, bytes);
}

static struct bytes take_optional(struct cursor *cursor) {
    uint64_t size = cursor_varint(cursor);
    return size == 0 ? (struct bytes){NULL, 0} : cursor_take(cursor, size - 1);
}

void output_pack(const struct output *output, struct buffer *out) {
    buffer_put_byte(out, OUTPUT_VERSION);
    buffer_put_sized(out, output->topic);
    put_optional(out, output->key);
    put_optional(out, output->value);
    buffer_put_signed(out, output->caused_ms);
    buffer_put_varint(out, output->headers_count);
    for (size_t i = 0; i < output->headers_count; i++) {
        buffer_put_sized(out, output->headers[i].name);
        put_optional(out, output->headers[i].value);
    }
}

int64_t output_caused_ms(struct bytes packed) {
    struct cursor cursor = cursor_of(packed);
    bool known = cursor_byte(&cursor) == OUTPUT_VERSION;
    (void)cursor_sized(&cursor);
    (void)take_optional(&cursor);
    (void)take_optional(&cursor);
    int64_t caused_ms = cursor_signed(&cursor);
    return known && !cursor.error ? caused_ms : TIME_NONE;
}

int output_unpack(struct bytes packed, struct arena *arena, struct output *out) {
    struct cursor cursor = cursor_of(packed);
    *out = (struct output){0};
    if (cursor_byte(&cursor) != OUTPUT_VERSION) {
        return ERR_INVALID;
    }
    out->topic = cursor_sized(&cursor);
    out->key = take_optional(&cursor);
    out->value = take_optional(&cursor);
    out->caused_ms = cursor_signed(&cursor);
    uint64_t count = cursor_varint(&cursor);
    if (cursor.error || count > cursor_left(&cursor) / HEADER_PACKED_BYTES_MIN) {
        return ERR_INVALID;
    }
    if (count > 0) {
        struct header *headers = arena_alloc(arena, (size_t)count * sizeof *headers);
        if (!headers) {
            return ERR_NO_MEMORY;
        }
        for (size_t i = 0; i < count; i++) {
            headers[i].name = cursor_sized(&cursor);
            headers[i].value = take_optional(&cursor);
        }
        out->headers = headers;
        out->headers_count = (size_t)count;
    }
    return cursor.error || cursor_left(&cursor) > 0 ? ERR_INVALID : 0;
}

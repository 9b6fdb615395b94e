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

static struct bytes take_optional(struct cursor *cursor) {
    uint64_t size = cursor_varint(cursor);
    return size == 0 ? (struct bytes){NULL, 0} : cursor_take(cursor, size - 1);
}

/* With the length that comes before it. */
static char *put(char *at, uint64_t length, struct bytes bytes) {
    at = varint_put(at, length);
    if (bytes.size > 0) {
        memcpy(at, bytes.data, bytes.size);
    }
    return at + bytes.size;
}

static char *put_optional(char *at, struct bytes bytes) {
    return bytes.data ? put(at, (uint64_t)bytes.size + 1, bytes) : varint_put(at, 0);
}

void output_pack(const struct output *output, struct buffer *out) {
    size_t numbers = 6 + 2 * output->headers_count; /* the version, too */
    size_t size = output->topic.size + output->key.size + output->value.size;
    for (size_t i = 0; i < output->headers_count; i++) {
        size += output->headers[i].name.size + output->headers[i].value.size;
    }
    char *room = buffer_reserve(out, size + numbers * VARINT_BYTES_MAX);
    if (!room) {
        return;
    }
    char *at = room;
    *at++ = OUTPUT_VERSION;
    at = put(at, output->topic.size, output->topic);
    at = put_optional(at, output->key);
    at = put_optional(at, output->value);
    at = signed_put(at, output->caused_ms);
    at = varint_put(at, output->headers_count);
    for (size_t i = 0; i < output->headers_count; i++) {
        at = put(at, output->headers[i].name.size, output->headers[i].name);
        at = put_optional(at, output->headers[i].value);
    }
    out->size += (size_t)(at - room);
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

#include "base/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

enum { BUFFER_CAPACITY_FIRST = 256 };

/* The number of bytes of the well-formed sequence at `at`, or 0. */
static size_t utf8_sequence(const unsigned char *at, size_t left) {
    unsigned char lead = at[0];
    size_t size = lead < 0x80                    ? 1
                  : lead >= 0xC2 && lead <= 0xDF ? 2
                  : lead >= 0xE0 && lead <= 0xEF ? 3
                  : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                 : 0;
    if (size == 0 || size > left || lead == 0) {
        return 0;
    }
    for (size_t i = 1; i < size; i++) {
        if ((at[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    bool overlong = (lead == 0xE0 && at[1] < 0xA0) || (lead == 0xF0 && at[1] < 0x90);
    bool surrogate = lead == 0xED && at[1] > 0x9F;
    bool beyond = lead == 0xF4 && at[1] > 0x8F;
    return overlong || surrogate || beyond ? 0 : size;
}

bool bytes_are_text(struct bytes bytes) {
    const unsigned char *at = (const unsigned char *)bytes.data;
    size_t left = bytes.size;
    while (left > 0) {
        size_t size = utf8_sequence(at, left);
        if (size == 0) {
            return false;
        }
        at += size;
        left -= size;
    }
    return true;
}

uint64_t bytes_hash(struct bytes bytes) {
    return XXH3_64bits(bytes.data, bytes.size);
}

void buffer_finish(struct buffer *buffer) {
    free(buffer->data);
    *buffer = (struct buffer){0};
}

char *buffer_grow(struct buffer *buffer, size_t size) {
    if (buffer->error) {
        return NULL;
    }
    if (size > SIZE_MAX / 2 - buffer->size) {
        buffer->error = ERR_NO_MEMORY;
        return NULL;
    }
    size_t needed = buffer->size + size;
    if (needed > buffer->capacity) {
        size_t capacity = buffer->capacity ? buffer->capacity : BUFFER_CAPACITY_FIRST;
        while (capacity < needed) {
            capacity *= 2;
        }
        char *data = realloc(buffer->data, capacity);
        if (!data) {
            buffer->error = ERR_NO_MEMORY;
            return NULL;
        }
        buffer->data = data;
        buffer->capacity = capacity;
    }
    return buffer->data + buffer->size;
}

void buffer_put_decimal(struct buffer *buffer, int64_t value) {
    uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
    size_t size = value < 0 ? 2 : 1;
    for (uint64_t rest = left; rest >= 10; rest /= 10) {
        size++;
    }
    char *room = buffer_reserve(buffer, size);
    if (!room) {
        return;
    }
    buffer->size += size;
    for (; left >= 10; left /= 10) {
        room[--size] = (char)('0' + left % 10);
    }
    room[--size] = (char)('0' + left);
    if (size > 0) {
        room[0] = '-';
    }
}

void buffer_put_long_varint(struct buffer *buffer, uint64_t value) {
    char *room = buffer_reserve(buffer, VARINT_BYTES_MAX);
    if (!room) {
        return;
    }
    buffer->size += (size_t)(varint_put(room, value) - room);
}

void buffer_printf(struct buffer *buffer, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    va_list again;
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *room = size < 0 ? NULL : buffer_reserve(buffer, (size_t)size + 1);
    if (room) {
        (void)vsnprintf(room, (size_t)size + 1, format, again);
        buffer->size += (size_t)size;
    }
    va_end(again);
}

uint8_t cursor_byte(struct cursor *cursor) {
    if (cursor->error || cursor->at == cursor->end) {
        cursor->error = cursor->error ? cursor->error : ERR_TRUNCATED;
        return 0;
    }
    return (uint8_t)*cursor->at++;
}

uint64_t cursor_long_varint(struct cursor *cursor) {
    uint64_t value = 0;
    if (cursor->error) {
        return 0;
    }
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (cursor->at == cursor->end) {
            cursor->error = ERR_TRUNCATED;
            return 0;
        }
        unsigned char byte = (unsigned char)*cursor->at++;
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            return value;
        }
    }
    cursor->error = ERR_INVALID;
    return 0;
}

struct bytes cursor_cut_short(struct cursor *cursor) {
    cursor->error = cursor->error ? cursor->error : ERR_TRUNCATED;
    return (struct bytes){NULL, 0};
}

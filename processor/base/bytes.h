/* Bytes: borrowed slices, a growing buffer to write, and a cursor to read.
 *
 * A buffer or cursor has a sticky error: write or parse straight through and check once at the end.
 *
 *     struct buffer out = {0};
 *     buffer_put_varint(&out, 300);
 *     if (out.error) ...
 *     struct cursor in = cursor_of(buffer_bytes(&out));
 *     uint64_t value = cursor_varint(&in);
 *     if (in.error) ... */
#ifndef TIDEMARK_BASE_BYTES_H
#define TIDEMARK_BASE_BYTES_H

#include "base/error.h"
#include "base/varint.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A borrowed slice; data NULL means absent (size 0 with data not NULL: present and empty). */
struct bytes {
    const char *data;
    size_t size;
};

static inline struct bytes bytes_of(const char *data, size_t size) {
    return (struct bytes){data, size};
}

static inline struct bytes bytes_of_text(const char *text) {
    return (struct bytes){text, text ? strlen(text) : 0};
}

static inline bool bytes_equal(struct bytes a, struct bytes b) {
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline bool bytes_equal_text(struct bytes a, const char *text) {
    return bytes_equal(a, bytes_of_text(text));
}

/* True if the bytes are well-formed UTF-8 without NUL (Unicode 15, table 3-7). */
bool bytes_are_text(struct bytes bytes);

/* 64-bit xxh3 of the bytes: buckets, caches, event ids. The same on every machine and release: it is part of the state. */
uint64_t bytes_hash(struct bytes bytes);

/* A buffer owned by its holder; zero it to start, buffer_finish to free. */
struct buffer {
    char *data;
    size_t size;
    size_t capacity;
    int error;
};

void buffer_finish(struct buffer *buffer);
static inline void buffer_reset(struct buffer *buffer) {
    buffer->size = 0;
    buffer->error = 0;
}
static inline struct bytes buffer_bytes(const struct buffer *buffer) {
    return (struct bytes){buffer->data ? buffer->data : "", buffer->size};
}
/* Makes room where there is none yet; for buffer_reserve. */
char *buffer_grow(struct buffer *buffer, size_t size);
/* Room for `size` more bytes, to be written at data + size by the caller; NULL (and the sticky error) without memory. */
static inline char *buffer_reserve(struct buffer *buffer, size_t size) {
    bool room = !buffer->error && size <= buffer->capacity - buffer->size && buffer->data;
    return room ? buffer->data + buffer->size : buffer_grow(buffer, size);
}
static inline void buffer_put(struct buffer *buffer, const void *data, size_t size) {
    char *room = buffer_reserve(buffer, size);
    if (room && size > 0) {
        memcpy(room, data, size);
        buffer->size += size;
    }
}
static inline void buffer_put_bytes(struct buffer *buffer, struct bytes bytes) {
    buffer_put(buffer, bytes.data, bytes.size);
}
static inline void buffer_put_text(struct buffer *buffer, const char *text) {
    buffer_put(buffer, text, strlen(text));
}
static inline void buffer_put_byte(struct buffer *buffer, uint8_t value) {
    buffer_put(buffer, &value, 1);
}
/* The digits of a number, with a minus if there must be one: hot paths have no time for printf. */
void buffer_put_decimal(struct buffer *buffer, int64_t value);
/* Base-128, as protobuf. Most numbers have one byte, which the caller's own code writes. */
void buffer_put_long_varint(struct buffer *buffer, uint64_t value);
static inline void buffer_put_varint(struct buffer *buffer, uint64_t value) {
    if (value < 0x80) {
        buffer_put_byte(buffer, (uint8_t)value);
    } else {
        buffer_put_long_varint(buffer, value);
    }
}
/* Zigzag, as protobuf's sint64. */
static inline void buffer_put_signed(struct buffer *buffer, int64_t value) {
    buffer_put_varint(buffer, zigzag(value));
}
/* Varint length, then the bytes. */
static inline void buffer_put_sized(struct buffer *buffer, struct bytes bytes) {
    buffer_put_varint(buffer, bytes.size);
    buffer_put_bytes(buffer, bytes);
}
void buffer_printf(struct buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);

struct cursor {
    const char *at;
    const char *end;
    int error;
};

static inline struct cursor cursor_of(struct bytes bytes) {
    return (struct cursor){bytes.data, bytes.data ? bytes.data + bytes.size : bytes.data, 0};
}
static inline size_t cursor_left(const struct cursor *cursor) {
    return (size_t)(cursor->end - cursor->at);
}
uint8_t cursor_byte(struct cursor *cursor);
/* A base-128 number of at most ten bytes; 0 on error. */
uint64_t cursor_long_varint(struct cursor *cursor);
static inline uint64_t cursor_varint(struct cursor *cursor) {
    if (!cursor->error && cursor->at < cursor->end && (unsigned char)*cursor->at < 0x80) {
        return (unsigned char)*cursor->at++;
    }
    return cursor_long_varint(cursor);
}
static inline int64_t cursor_signed(struct cursor *cursor) {
    return unzigzag(cursor_varint(cursor));
}
/* What is taken of a cursor that has not as much left: nothing, and its error is set. */
struct bytes cursor_cut_short(struct cursor *cursor);
static inline struct bytes cursor_take(struct cursor *cursor, size_t size) {
    if (cursor->error || cursor_left(cursor) < size) {
        return cursor_cut_short(cursor);
    }
    struct bytes bytes = {cursor->at, size};
    cursor->at += size;
    return bytes;
}
static inline struct bytes cursor_sized(struct cursor *cursor) {
    return cursor_take(cursor, cursor_varint(cursor));
}

#endif

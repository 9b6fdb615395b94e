/* Numbers of protobuf's wire format, written where there is known to be room: hot paths reserve once for all that they write.
 * base/bytes.h has the same for a buffer that looks at its room each time. */
#ifndef TIDEMARK_BASE_VARINT_H
#define TIDEMARK_BASE_VARINT_H

#include <stdint.h>

enum { VARINT_BYTES_MAX = 10 };

/* Base-128; returns where it ends, at most VARINT_BYTES_MAX bytes further. */
static inline char *varint_put(char *at, uint64_t value) {
    for (; value >= 0x80; value >>= 7) {
        *at++ = (char)(value | 0x80);
    }
    *at++ = (char)value;
    return at;
}

/* The number that stands at `at`, where there are VARINT_BYTES_MAX bytes or it is known to be whole; returns where it ends. One of
 * more bytes is none: the last byte read then says that it goes on. */
static inline const char *varint_get(const char *at, uint64_t *value) {
    uint64_t byte = (unsigned char)*at++;
    *value = byte & 0x7F;
    for (unsigned shift = 7; byte >= 0x80 && shift < 64; shift += 7) {
        byte = (unsigned char)*at++;
        *value |= (byte & 0x7F) << shift;
    }
    return at;
}

static inline unsigned varint_size(uint64_t value) {
    unsigned size = 1;
    for (; value >= 0x80; value >>= 7) {
        size++;
    }
    return size;
}

/* As protobuf's sint64: small numbers of either sign are small. */
static inline uint64_t zigzag(int64_t value) {
    return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
}

static inline int64_t unzigzag(uint64_t value) {
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

static inline char *signed_put(char *at, int64_t value) {
    return varint_put(at, zigzag(value));
}

#endif

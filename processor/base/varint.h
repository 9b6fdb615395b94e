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

static inline char *signed_put(char *at, int64_t value) {
    return varint_put(at, zigzag(value));
}

#endif

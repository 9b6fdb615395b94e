/* Protobuf's wire format, written by hand where there is known to be room: no allocation, and slices need no NUL.
 * Functions that put something write at `at` and return where it ends; absent texts and numbers without a value are left out. */
#ifndef TIDEMARK_PUBLISH_WIRE_H
#define TIDEMARK_PUBLISH_WIRE_H

#include "base/bytes.h"

#include <math.h>

enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_SIZED = 2 };
enum { WIRE_KEY_BYTES_MAX = 2, WIRE_FIXED64_BYTES = 8 }; /* of a key: fields up to 2,047 */

static inline size_t wire_key_size(unsigned field) {
    return varint_size(field << 3);
}
static inline char *wire_put_key(char *at, unsigned field, enum wire_type type) {
    return varint_put(at, field << 3 | type);
}

static inline size_t wire_text_size(unsigned field, struct bytes text) {
    return text.data ? wire_key_size(field) + varint_size(text.size) + text.size : 0;
}
static inline char *wire_put_text(char *at, unsigned field, struct bytes text) {
    if (!text.data) {
        return at;
    }
    at = varint_put(wire_put_key(at, field, WIRE_SIZED), text.size);
    if (text.size > 0) {
        memcpy(at, text.data, text.size);
    }
    return at + text.size;
}

static inline size_t wire_number_size(unsigned field, uint64_t number) {
    return wire_key_size(field) + varint_size(number);
}
static inline char *wire_put_number(char *at, unsigned field, uint64_t number) {
    return varint_put(wire_put_key(at, field, WIRE_VARINT), number);
}

static inline size_t wire_double_size(unsigned field, double value) {
    return isnan(value) ? 0 : wire_key_size(field) + WIRE_FIXED64_BYTES;
}
static inline char *wire_put_double(char *at, unsigned field, double value) {
    if (isnan(value)) {
        return at;
    }
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    at = wire_put_key(at, field, WIRE_FIXED64);
    for (int i = 0; i < WIRE_FIXED64_BYTES; i++) {
        *at++ = (char)(bits >> (8 * i));
    }
    return at;
}

#endif

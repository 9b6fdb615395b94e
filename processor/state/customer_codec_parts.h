/* The inside of the customer codec: customer_codec.c (times, tiles, tiers), customer_codec_lifetime.c (what is kept of the
 * whole life beside sums). */
#ifndef TIDEMARK_STATE_CUSTOMER_CODEC_PARTS_H
#define TIDEMARK_STATE_CUSTOMER_CODEC_PARTS_H

#include "state/customer_codec.h"

enum {
    WIRE_VARINT = 0,
    WIRE_BYTES = 2,
    FIELD_KEY_BYTES_MAX = 2,
    FIELD_HEAD_BYTES_MAX = FIELD_KEY_BYTES_MAX + VARINT_BYTES_MAX, /* and the length, or the number itself */
};

/* Functions that put something write at `at`, where there is room, and return where it ends. */

/* A body of unknown length behind the field's key. */
char *codec_put_body(const struct customer *customer, char *at, unsigned field,
                     char *(*body)(const struct customer *customer, char *at));

/* customer_codec_lifetime.c */

/* The room that codec_put_lifetime needs, at most. */
size_t codec_lifetime_room(const struct customer *customer);
char *codec_put_lifetime(const struct customer *customer, char *at);
/* A field that nobody knows is one of a newer version: 0. */
int codec_take_lifetime(uint64_t field, struct bytes body, struct customer *customer) MUST_CHECK;

#endif

/* The inside of the customer codec: customer_codec.c (times, tiles, tiers), customer_codec_lifetime.c (what is kept of the
 * whole life beside sums). */
#ifndef TIDEMARK_STATE_CUSTOMER_CODEC_PARTS_H
#define TIDEMARK_STATE_CUSTOMER_CODEC_PARTS_H

#include "state/customer_codec.h"

enum { WIRE_VARINT = 0, WIRE_BYTES = 2 };

/* Puts a body of unknown length behind the field's key. */
void codec_put_body(const struct customer *customer, struct buffer *out, unsigned field,
                    void (*body)(const struct customer *customer, struct buffer *out));

/* customer_codec_lifetime.c */
void codec_put_lifetime(const struct customer *customer, struct buffer *out);
/* A field that nobody knows is one of a newer version: 0. */
int codec_take_lifetime(uint64_t field, struct bytes body, struct customer *customer) MUST_CHECK;

#endif

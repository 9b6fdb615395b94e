/* The stored form of a customer: compact, and readable by anyone with schemas/customer_state.proto.
 *
 * The bytes are protobuf wire format, written by hand because this is the hot path; tests compare it with protobuf-c.
 * Nothing that can be derived is stored. Names are stored as the model's 16-bit tags, so that sets and tiers may be
 * reordered in the config. */
#ifndef TIDEMARK_STATE_CUSTOMER_CODEC_H
#define TIDEMARK_STATE_CUSTOMER_CODEC_H

#include "base/bytes.h"
#include "score/customer.h"

/* Appends the packed customer to `out` (sticky error without memory). */
void customer_encode(const struct customer *customer, struct buffer *out);

/* Decodes into a new customer for the model; the caller owns it. ERR_INVALID or ERR_TRUNCATED: not a customer that this
 * version can read. Sets the model has but the state lacks come out as "in no tier yet". */
int customer_decode(struct bytes packed, const struct model *model, struct customer **out) MUST_CHECK;

/* The edition by which a packed customer was evaluated, without decoding it all; 0 when it cannot be read. */
uint32_t customer_peek_edition(struct bytes packed);

/* One entry of a wheel slot: who is due when (within the slot's hour, offset in ms). */
void due_entry_encode(struct buffer *out, struct bytes id, uint32_t offset_ms);
/* False at the end, or when only a part of an entry is left (the cursor then stands at its start). */
bool due_entry_decode(struct cursor *in, struct bytes *id, uint32_t *offset_ms);

#endif

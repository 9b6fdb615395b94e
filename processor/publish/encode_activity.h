/* Encode an activity as an input event: what `generate` writes to the input topics.
 *
 * The inverse of ingest/decode for valid activities. Amounts are taken to be minor units of
 * `currency` as they stand. */
#ifndef TIDEMARK_PUBLISH_ENCODE_ACTIVITY_H
#define TIDEMARK_PUBLISH_ENCODE_ACTIVITY_H

#include "score/activity.h"

/* The numbers of enum decode_format, which this folder must not include. */
enum activity_format { ACTIVITY_AS_PROTOBUF, ACTIVITY_AS_JSON, ACTIVITY_AS_CONFLUENT_PROTOBUF };

/* Appends the event's value to `out`. ERR_NO_MEMORY; ERR_INVALID for texts that are not UTF-8
 * (JSON). Confluent's framing gets schema id 1: without a registry it says nothing. */
int encode_activity(enum activity_format format, const struct activity *activity, struct bytes currency,
                    struct buffer *out) MUST_CHECK;

/* The two it chooses from. */
int encode_activity_protobuf(const struct activity *activity, struct bytes currency, struct buffer *out) MUST_CHECK;
int encode_activity_json(const struct activity *activity, struct bytes currency, struct buffer *out) MUST_CHECK;

#endif

/* What the files of encode share among themselves. */
#ifndef TIDEMARK_PUBLISH_ENCODE_PARTS_H
#define TIDEMARK_PUBLISH_ENCODE_PARTS_H

#include "publish/encode.h"

/* A tier change with what its values on the wire need besides. */
struct tier_change_text {
    const struct model *model;
    const struct tier_change *change;
    struct bytes id;
    struct bytes customer_id;
    struct encoder_forms *forms; /* NULL: none are kept */
};

/* The value as JSON or protobuf, built in the arena. */
int encode_tier_change_json(const struct tier_change_text *text, struct arena *arena, struct bytes *out) MUST_CHECK;
int encode_tier_change_protobuf(const struct tier_change_text *text, struct arena *arena, struct bytes *out) MUST_CHECK;

/* What CloudEvents' Kafka binding says of a record in its headers. */
struct cloud_event {
    const char *type;
    struct bytes id;
    struct bytes subject; /* the customer's id */
    int64_t time_ms;
};
/* Sets the output's headers, built in the arena. */
int encode_cloud_event(const struct encoder *encoder, const struct cloud_event *event, struct arena *arena,
                       struct output *out) MUST_CHECK;

enum { ENCODE_ID_TAIL_BYTES_MAX = 64 };
/* The beginning of an id, "<group>/<kind>/<customer>/", in the arena, with room for its tail, which numbers it; data NULL without
 * memory. */
struct buffer encode_id(const struct encoder *encoder, struct bytes kind, struct bytes customer, struct arena *arena);

/* printf into the arena; data NULL without memory. */
struct bytes encode_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);

/* "2025-01-01T00:00:00.000Z" (RFC 3339). */
struct bytes encode_time(struct arena *arena, int64_t time_ms);

#endif

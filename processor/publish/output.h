/* An output: one Kafka record to be written, and its packed form in the outbox. */
#ifndef TIDEMARK_PUBLISH_OUTPUT_H
#define TIDEMARK_PUBLISH_OUTPUT_H

#include "base/arena.h"
#include "base/record.h"

struct output {
    struct bytes topic;
    struct bytes key;   /* data NULL: none */
    struct bytes value; /* data NULL: a null value */
    const struct header *headers;
    size_t headers_count;
    int64_t
        caused_ms; /* record timestamp of the input that caused it, for the latency figure; TIME_NONE: time itself */
};

/* Appends the packed form. */
void output_pack(const struct output *output, struct buffer *out);
/* Unpacks; slices borrow from `packed`, the headers array lives in the arena. ERR_INVALID on anything else. */
int output_unpack(struct bytes packed, struct arena *arena, struct output *out) MUST_CHECK;
/* caused_ms of a packed output, without unpacking the rest; TIME_NONE, too, for anything else. */
int64_t output_caused_ms(struct bytes packed);

#endif

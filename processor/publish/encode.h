/* Encode: tier changes and dead letters as Kafka records. */
#ifndef TIDEMARK_PUBLISH_ENCODE_H
#define TIDEMARK_PUBLISH_ENCODE_H

#include "publish/output.h"
#include "score/customer.h"

enum output_format { OUTPUT_JSON, OUTPUT_PROTOBUF };

struct encoder {
    enum output_format format;
    struct bytes group;           /* part of ids and of ce_source */
    struct bytes tier_changes;    /* default topic */
    struct bytes dead_letters;    /* topic */
    struct bytes customer_scores; /* topic; data NULL: none */
    const struct model *model;
    struct encoder_forms *forms; /* JSON prepared for changes of the same kind; NULL: each is written from scratch */
};

/* Forms for one encoder, used by one thread; at most some 2 MB, usually 0.1. NULL without memory. */
struct encoder_forms *encoder_forms_create(void);
void encoder_forms_destroy(struct encoder_forms *forms);

/* The record for one tier change as interface.md shows it: JSON, or schemas/tier_change.proto, with CloudEvents headers in
 * Kafka's binary binding (ce_id, ce_type "io.tidemark.tier_change.v1", ce_source "/tidemark/<group>", ce_time, ce_specversion
 * "1.0", ce_subject = customer id, content-type). Built in the arena. */
int encode_tier_change(const struct encoder *encoder, struct bytes customer_id, const struct tier_change *change,
                       int64_t caused_ms, struct arena *arena, struct output *out) MUST_CHECK;

/* The record of how a customer stood after a tier change, for the topic customer_scores, which must be there: JSON, or
 * schemas/customer_score.proto, with CloudEvents headers (ce_type "io.tidemark.customer_score.v1"). The change has a standing.
 * Built in the arena. */
int encode_customer_score(const struct encoder *encoder, struct bytes customer_id, const struct tier_change *change,
                          struct arena *arena, struct output *out) MUST_CHECK;

/* A tier change that was encoded as protobuf, as the JSON it would have been. ERR_INVALID: it is none. */
int encode_json_of_protobuf(struct bytes message, struct buffer *out) MUST_CHECK;

/* The dead letter of a record: original key, value and headers, and tidemark-reason, -detail, -topic, -partition, -offset.
 * A value above DEAD_VALUE_BYTES_MAX is cut, which the header tidemark-truncated (original size) tells.
 * Key, value and original headers stay borrowed from the record: pack the output before releasing it. */
int encode_dead_letter(const struct encoder *encoder, const struct record *record, struct bytes topic,
                       const struct header *headers, size_t headers_count, const char *reason, const char *detail,
                       struct arena *arena, struct output *out) MUST_CHECK;

enum { DEAD_VALUE_BYTES_MAX = 900 * 1024 }; /* leaves room for headers below the broker's default limit of 1 MiB */

#endif

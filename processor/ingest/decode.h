/* Decode: from a record's bytes to a validated activity, or to the reason why it is a dead letter.
 *
 *     reason = decode_record(&decoder, &record, headers, headers_count, reference_ms, arena, &activity, &detail);
 *
 * Nothing a producer can send makes this crash, allocate past the arena's cap, or pass an invalid value on. */
#ifndef TIDEMARK_INGEST_DECODE_H
#define TIDEMARK_INGEST_DECODE_H

#include "base/arena.h"
#include "base/record.h"
#include "score/activity.h"

enum decode_format { FORMAT_PROTOBUF, FORMAT_JSON, FORMAT_CONFLUENT_PROTOBUF };

/* Why a record is a dead letter; the words for the header are in dead_reason_text. */
enum dead_reason {
    DEAD_NOT, /* it is not: the activity is valid */
    DEAD_UNDECODABLE,
    DEAD_KEY_MISMATCH,
    DEAD_BAD_ID,
    DEAD_BAD_TIME,
    DEAD_FUTURE_TIME,
    DEAD_BAD_SCORE,
    DEAD_NEGATIVE_AMOUNT,
    DEAD_OVERFLOW,
    DEAD_UNKNOWN_CURRENCY,
    DEAD_UNKNOWN_ENUM,
    DEAD_TOO_LARGE,
    DEAD_MISROUTED, /* found by the task, not by decode */
    DEAD_REASONS
};

/* "undecodable", "key_mismatch", "bad_id", "bad_time", "future_time", "bad_score", "negative_amount", "overflow",
 * "unknown_currency", "unknown_enum", "too_large", "misrouted". */
const char *dead_reason_text(enum dead_reason reason);

enum {
    CUSTOMER_ID_BYTES_MAX = 256,
    RECORD_BYTES_MAX = 1024 * 1024, /* Kafka's own default limit of a record batch */
    ITEMS_MAX = 1000,               /* a purchase with more is DEAD_TOO_LARGE */
    DEAD_DETAIL_BYTES_MAX = 160,
};
#define AMOUNT_MINOR_MAX INT64_C(1000000000000000) /* 10^15: a million such sums still fit an int64 */

/* One currency that amounts may come in: amount_base = amount * rate, shifted by the currencies' decimals. */
struct currency_rate {
    char code[4];            /* ISO 4217, upper case */
    int64_t rate_nano;       /* units of the base currency for one unit, times 10^9 */
    int decimals_difference; /* decimals of the base currency less those of this one */
};

struct decoder {
    enum decode_format
        format; /* a record's content-type header overrides it: application/json, application/x-protobuf */
    const struct currency_rate *currencies; /* the base currency among them with rate 10^9 */
    size_t currencies_count;
    int64_t max_future_ms;
};

/* Decimals of an ISO 4217 currency (EUR 2, JPY 0, KWD 3); -1 for a code that is not in the standard's list. */
int currency_decimals(const char code[4]);

/* Decodes and validates. headers may be NULL (count 0). reference_ms: an event time later than this + max_future_ms is
 * DEAD_FUTURE_TIME. On a dead letter `detail` (DEAD_DETAIL_BYTES_MAX bytes) is one English line without the data itself. */
enum dead_reason decode_record(const struct decoder *decoder, const struct record *record, const struct header *headers,
                               size_t headers_count, int64_t reference_ms, struct arena *arena, struct activity *out,
                               char *detail);

/* No record needs more of the arena than this. A task that makes sure of it before each record never
 * loses one to a full arena (which decode_record must call DEAD_TOO_LARGE). Everything the activity
 * points to lives in the arena, each text with a NUL behind it, so the record may be released. */
size_t decode_arena_bytes_max(const struct record *record);

/* The partition a key belongs to, as the producers' partitioner has it. */
enum partitioner { PARTITIONER_MURMUR2, PARTITIONER_CRC32 };
int32_t partition_of(enum partitioner partitioner, struct bytes key, int32_t partitions);

#endif

/* Taking over a task: from what the store has (R) and what Kafka has committed (K), decide where to go on.
 *
 * R is the truth. K's offsets carry, in their metadata, the mark "published up to output N, due instants fired up to T".
 * One rule serves every case:
 *   - go on from R's offsets;
 *   - publish R's outbox past N (R ahead of K: the last owner died between apply and commit);
 *   - drop outputs caused by records before K's offsets or by due instants up to T (R behind K: the store lost its tail,
 *     and these were published already). In the ordinary case there are none.
 * Only R absent with K present is refused unless told to rebuild: then R starts empty at the beginning of the log.
 * Pure; the mark's text is ASCII: "tm1 seq=42 fired=1735689600000". */
#ifndef TIDEMARK_STATE_RECOVERY_H
#define TIDEMARK_STATE_RECOVERY_H

#include "state/store.h"

/* What Kafka has committed for the three partitions of a task. */
struct committed {
    int64_t offset[INPUTS]; /* OFFSET_NONE: nothing */
    uint64_t published_seq; /* the mark; 0 without one */
    int64_t fired_ms;       /* TIME_NONE without a mark */
};

enum recovery_kind {
    RECOVERY_FRESH,   /* neither: a new group, start at the beginning */
    RECOVERY_RESUMED, /* R at or ahead of K */
    RECOVERY_REWOUND, /* R behind K in an offset or an output: counted and logged */
    RECOVERY_REBUILD, /* R absent, K present, and told to rebuild */
    RECOVERY_LOST,    /* R absent, K present: refuse */
};

struct recovery {
    enum recovery_kind kind;
    struct store_meta meta;          /* to go on from: next_offset, output_seq = max(R, N), published_seq, clocks */
    int64_t suppress_before[INPUTS]; /* outputs of records before these offsets are known to be published */
    int64_t suppress_fired_ms;       /* likewise outputs of due instants up to here */
};

struct recovery recovery_decide(const struct store_found *found, const struct committed *committed, bool rebuild);

enum { MARK_BYTES_MAX = 80 };
/* Writes the mark; returns its length. */
size_t mark_format(char text[MARK_BYTES_MAX], uint64_t published_seq, int64_t fired_ms);
/* False when the text is not a mark (another program committed): the numbers are then 0 and TIME_NONE. */
bool mark_parse(struct bytes text, uint64_t *published_seq, int64_t *fired_ms);

#endif

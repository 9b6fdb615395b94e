#include "state/recovery.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static bool anything_committed(const struct committed *committed) {
    for (int input = 0; input < INPUTS; input++) {
        if (committed->offset[input] != OFFSET_NONE) {
            return true;
        }
    }
    return false;
}

/* By what has been lost. An older fired_ms alone is no loss: a round that moved neither an offset nor an output changed nothing
 * that anybody has seen, and a state that was rebuilt is without a mark until a round comes. */
static bool is_behind(const struct store_meta *stored, const struct committed *committed) {
    bool behind = stored->output_seq < committed->published_seq;
    for (int input = 0; input < INPUTS; input++) {
        behind |= stored->next_offset[input] < committed->offset[input];
    }
    return behind;
}

static uint64_t larger(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

struct recovery recovery_decide(const struct store_found *found, const struct committed *committed, bool rebuild) {
    struct recovery recovery = {.meta = found->meta, .suppress_fired_ms = committed->fired_ms};
    bool any = anything_committed(committed);
    for (int input = 0; input < INPUTS; input++) {
        recovery.suppress_before[input] = committed->offset[input];
    }
    if (found->absent) {
        recovery.kind = !any ? RECOVERY_FRESH : rebuild ? RECOVERY_REBUILD : RECOVERY_LOST;
        recovery.meta.output_seq = 0;
        recovery.meta.published_seq = 0;
        recovery.meta.clock_ms = TIME_NONE;
        recovery.meta.fired_ms = TIME_NONE;
        for (int input = 0; input < INPUTS; input++) {
            recovery.meta.next_offset[input] = OFFSET_NONE;
        }
    } else {
        recovery.kind = is_behind(&found->meta, committed) ? RECOVERY_REWOUND : RECOVERY_RESUMED;
    }
    /* Numbers of outputs that were published must never be given again: the mark would hide the new ones. */
    recovery.meta.output_seq = larger(recovery.meta.output_seq, committed->published_seq);
    recovery.meta.published_seq = larger(recovery.meta.published_seq, committed->published_seq);
    return recovery;
}

size_t mark_format(char text[MARK_BYTES_MAX], uint64_t published_seq, int64_t fired_ms) {
    int size = snprintf(text, MARK_BYTES_MAX, "tm1 seq=%" PRIu64 " fired=%" PRId64, published_seq, fired_ms);
    ASSERT(size > 0 && size < MARK_BYTES_MAX);
    return (size_t)size;
}

bool mark_parse(struct bytes text, uint64_t *published_seq, int64_t *fired_ms) {
    char copy[MARK_BYTES_MAX];
    char again[MARK_BYTES_MAX];
    *published_seq = 0;
    *fired_ms = TIME_NONE;
    if (!text.data || text.size >= sizeof copy) {
        return false;
    }
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    uint64_t seq;
    int64_t fired;
    if (sscanf(copy, "tm1 seq=%20" SCNu64 " fired=%20" SCNd64, &seq, &fired) != 2 ||
        !bytes_equal(text, bytes_of(again, mark_format(again, seq, fired)))) { /* scanf takes signs, spaces, too much */
        return false;
    }
    *published_seq = seq;
    *fired_ms = fired;
    return true;
}

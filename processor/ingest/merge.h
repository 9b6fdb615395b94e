/* Merge: of a task's three partitions, which record comes next?
 *
 * The oldest by record timestamp; ties go to purchases, then interactions, then feedback. A partition that is known to have
 * more is waited for, however slow its fetches, so that a backlog replays in order and nobody looks churned just because
 * interactions were read before purchases. Only a partition whose end is unknown for `wait_ms` is left behind. */
#ifndef TIDEMARK_INGEST_MERGE_H
#define TIDEMARK_INGEST_MERGE_H

#include "ingest/source.h"

enum {
    MERGE_WAIT = -1, /* a partition without a buffered record may have an older one */
    MERGE_END = -2,  /* all three have been read to their ends */
};

struct merge {
    int64_t wait_ms;
    int64_t unknown_since_ms[INPUTS]; /* monotonic; 0: known */
    bool behind[INPUTS];              /* left behind at present */
    uint64_t left_behind;             /* how often a partition was left behind */
};

void merge_init(struct merge *merge, int64_t wait_ms);
/* The input to take from (0..2), MERGE_WAIT or MERGE_END. now_ms is monotonic. */
int merge_next(struct merge *merge, const struct source *source, int64_t now_ms);

#endif

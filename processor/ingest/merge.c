#include "ingest/merge.h"

#include "base/mutation.h"

void merge_init(struct merge *merge, int64_t wait_ms) {
    *merge = (struct merge){.wait_ms = wait_ms};
}

/* True while the merge has to wait for this partition, which has nothing buffered. */
static bool must_wait(struct merge *merge, const struct source *source, enum input input, int64_t now_ms) {
    enum source_end end = source->ops->end(source->context, input);
    if (end != SOURCE_UNKNOWN) {
        merge->unknown_since_ms[input] = 0;
        merge->behind[input] = false;
        return end == SOURCE_MORE;
    }
    if (merge->unknown_since_ms[input] == 0) {
        merge->unknown_since_ms[input] = now_ms;
    }
    if (now_ms - merge->unknown_since_ms[input] < merge->wait_ms) {
        return true;
    }
    if (!merge->behind[input]) {
        merge->behind[input] = true;
        merge->left_behind++;
    }
    return false;
}

int merge_next(struct merge *merge, const struct source *source, int64_t now_ms) {
    int oldest = MERGE_END;
    int64_t oldest_ms = 0;
    bool wait = false;
    bool behind = false;
    for (int input = 0; input < INPUTS; input++) {
        const struct record *head = source->ops->peek(source->context, (enum input)input);
        if (!head) {
            wait |= must_wait(merge, source, (enum input)input, now_ms);
            behind |= merge->behind[input];
            continue;
        }
        merge->unknown_since_ms[input] = 0;
        merge->behind[input] = false;
        if (MUTATED(NO_MERGE)) {
            return input;
        }
        if (oldest < 0 || head->timestamp_ms < oldest_ms) {
            oldest = input;
            oldest_ms = head->timestamp_ms;
        }
    }
    if (wait || (oldest == MERGE_END && behind)) {
        return MERGE_WAIT;
    }
    return oldest;
}

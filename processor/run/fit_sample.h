/* A fair sample of customers of bounded size: those with the smallest hashes of their ids. The same one whatever order they come
 * in, and a customer who comes twice counts once. */
#ifndef TIDEMARK_RUN_FIT_SAMPLE_H
#define TIDEMARK_RUN_FIT_SAMPLE_H

#include "base/error.h"
#include "score/lifetime_value.h"

#include <stddef.h>

struct fit_sampled {
    uint64_t hash;
    struct ltv_history history;
};

struct fit_sample {
    struct fit_sampled *items; /* in any order until settled; then by hash, each one once, at most `most` */
    size_t count;
    size_t capacity;
    size_t most;
    size_t seen;       /* added in all */
    uint64_t hash_max; /* those above are not wanted any more */
    bool thinned;      /* not everyone is in it */
};

void fit_sample_init(struct fit_sample *sample, size_t most);
void fit_sample_finish(struct fit_sample *sample);
/* ERR_NO_MEMORY. */
int fit_sample_add(struct fit_sample *sample, uint64_t hash, const struct ltv_history *history) MUST_CHECK;
/* Sorts, drops who came twice, and keeps `most` of them. More may be added afterwards. */
void fit_sample_settle(struct fit_sample *sample);

#endif

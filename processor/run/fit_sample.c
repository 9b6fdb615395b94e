#include "run/fit_sample.h"

#include <stdlib.h>

enum { ROOM_FIRST = 4096 };

void fit_sample_init(struct fit_sample *sample, size_t most) {
    *sample = (struct fit_sample){.most = most, .hash_max = UINT64_MAX};
}

void fit_sample_finish(struct fit_sample *sample) {
    free(sample->items);
    *sample = (struct fit_sample){0};
}

static int by_hash(const void *a, const void *b) {
    uint64_t left = ((const struct fit_sampled *)a)->hash, right = ((const struct fit_sampled *)b)->hash;
    return (left > right) - (left < right);
}

void fit_sample_settle(struct fit_sample *sample) {
    size_t kept = 0;
    if (sample->count > 0) {
        qsort(sample->items, sample->count, sizeof *sample->items, by_hash);
    }
    for (size_t i = 0; i < sample->count; i++) {
        if (kept == 0 || sample->items[kept - 1].hash != sample->items[i].hash) {
            sample->items[kept++] = sample->items[i];
        }
    }
    sample->thinned |= kept > sample->most;
    sample->count = kept > sample->most ? sample->most : kept;
    if (sample->thinned) {
        sample->hash_max = sample->items[sample->count - 1].hash;
    }
}

/* Room for twice as many as are wanted: then sorting is rare. */
static int make_room(struct fit_sample *sample) {
    size_t room = sample->capacity ? sample->capacity * 2 : ROOM_FIRST;
    room = room < 2 * sample->most ? room : 2 * sample->most;
    struct fit_sampled *items = realloc(sample->items, room * sizeof *items);
    if (!items) {
        return ERR_NO_MEMORY;
    }
    sample->items = items;
    sample->capacity = room;
    return 0;
}

int fit_sample_add(struct fit_sample *sample, uint64_t hash, const struct ltv_history *history) {
    sample->seen++;
    if (hash > sample->hash_max) {
        return 0;
    }
    if (sample->count == 2 * sample->most) {
        fit_sample_settle(sample);
    }
    if (sample->count == sample->capacity) {
        int error = make_room(sample);
        if (error) {
            return error;
        }
    }
    sample->items[sample->count++] = (struct fit_sampled){hash, *history};
    return 0;
}

/* An arena: allocate, never free singly, drop everything at the end.
 *
 * One arena serves one batch of records (or one compiled configuration). It grows by blocks up to a cap; past the cap, or
 * without memory, arena_alloc returns NULL, so the cap is the memory limit of whatever is built in it. */
#ifndef TIDEMARK_BASE_ARENA_H
#define TIDEMARK_BASE_ARENA_H

#include "base/bytes.h"

struct arena_block;

struct arena {
    struct arena_block *blocks; /* newest first; kept by arena_reset for the next use */
    char *at;
    size_t left;
    size_t bytes_used;
    size_t bytes_max;
};

/* An empty arena that will never hold more than bytes_max. No allocation yet. */
void arena_init(struct arena *arena, size_t bytes_max);
/* Frees everything. */
void arena_finish(struct arena *arena);
/* Forgets all allocations but keeps the first block for the next batch. */
void arena_reset(struct arena *arena);
/* `size` bytes aligned to 16, not zeroed; NULL past the cap. */
void *arena_alloc(struct arena *arena, size_t size);
/* The same, zeroed. */
void *arena_alloc_zero(struct arena *arena, size_t size);
/* A copy of the bytes with a NUL behind it; data NULL past the cap. */
struct bytes arena_copy(struct arena *arena, struct bytes bytes);

#endif

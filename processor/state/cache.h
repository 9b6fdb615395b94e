/* The cache of decoded customers of one worker: bounded by bytes, the longest unused out first, about.
 *
 * An entry that is met again is only marked; when its turn to leave comes, the mark buys it another round (second chance).
 * Keeping an exact order would touch two more entries at each look-up, cold ones mostly.
 *
 * The cache runs ahead of the store: an entry that a batch in the making or in flight has changed is pinned, and only
 * unpinned entries leave. So what is not here is in the store exactly as it was last known.
 *
 *     entry = cache_get(cache, task, id, hash);     finds or creates; created ones are CACHE_EMPTY
 *     cache_pin(entry) ... cache_unpin(cache, entry)
 *     cache_resize(cache, entry)                    after the customer changed its size
 *     cache_shrink(cache)                           evicts unpinned entries, down to the limit in the end */
#ifndef TIDEMARK_STATE_CACHE_H
#define TIDEMARK_STATE_CACHE_H

#include "base/bytes.h"
#include "score/customer.h"

enum cache_state {
    CACHE_EMPTY,   /* just created: nobody has asked the store yet */
    CACHE_LOADING, /* asked */
    CACHE_READY,   /* customer is set */
};

struct cache_entry {
    struct customer *customer; /* owned; NULL until READY */
    uint64_t hash;             /* bytes_hash(id) */
    int32_t task;
    uint32_t pins;
    uint8_t state; /* enum cache_state */
    uint8_t flags; /* the task's */
    bool used;     /* since its turn to leave came last */
    uint16_t id_size;
    /* links of the table and of the list by age are private to cache.c */
    struct cache_entry *chain;
    struct cache_entry *newer;
    struct cache_entry *older;
    size_t bytes; /* as counted */
    char id[];
};

static inline struct bytes cache_entry_id(const struct cache_entry *entry) {
    return bytes_of(entry->id, entry->id_size);
}

struct cache;

/* A cache that holds about bytes_max of entries and customers (the pinned ones may exceed it). NULL without memory. */
struct cache *cache_create(size_t bytes_max);
void cache_destroy(struct cache *cache);

/* Hints that cache_get will be called soon: first the one, and once that can have had its effect the other. */
void cache_prefetch(const struct cache *cache, int32_t task, uint64_t hash);
void cache_prefetch_entry(const struct cache *cache, int32_t task, uint64_t hash);
/* The entry of a customer, marked as used; created when missing. NULL without memory. */
struct cache_entry *cache_get(struct cache *cache, int32_t task, struct bytes id, uint64_t hash);
static inline void cache_pin(struct cache_entry *entry) {
    entry->pins++;
}
void cache_unpin(struct cache *cache, struct cache_entry *entry);
/* Counts the customer's present size. */
void cache_resize(struct cache *cache, struct cache_entry *entry);
/* Evicts until the limit holds, looking at some times as many entries as have been created since the last time: where most are pinned
 * it takes more than one call, each as short as the others. */
void cache_shrink(struct cache *cache);
/* Whether the limit does not hold. */
bool cache_is_over(const struct cache *cache);
/* Drops every entry of a task, pinned or not: the task is gone. */
void cache_drop_task(struct cache *cache, int32_t task);

size_t cache_bytes(const struct cache *cache);
size_t cache_count(const struct cache *cache);

#endif

#include "state/cache.h"

#include <stdlib.h>

enum {
    TABLE_FIRST = 1024,
    MALLOC_OVERHEAD = 16,
    LOOKS_MIN = 1024,
    LOOKS_PER_ENTRY = 4, /* one loses its mark, is looked at again, and may be pinned */
};

struct cache {
    struct cache_entry **table; /* chains by hash; a power of two */
    size_t table_size;
    size_t count;
    size_t bytes;
    size_t bytes_max;
    size_t created; /* entries since it was shrunk last */
    struct cache_entry *newest;
    struct cache_entry *oldest;
};

struct cache *cache_create(size_t bytes_max) {
    struct cache *cache = calloc(1, sizeof *cache);
    if (!cache) {
        return NULL;
    }
    cache->bytes_max = bytes_max;
    cache->table_size = TABLE_FIRST;
    cache->table = calloc(cache->table_size, sizeof(struct cache_entry *));
    if (!cache->table) {
        free(cache);
        return NULL;
    }
    return cache;
}

/* Tasks share the table: the same id may be known to two of them after a change of partitions. */
static size_t place(const struct cache *cache, int32_t task, uint64_t hash) {
    return (size_t)((hash + (uint64_t)task * UINT64_C(0x9E3779B97F4A7C15)) & (cache->table_size - 1));
}

static void list_remove(struct cache *cache, struct cache_entry *entry) {
    if (entry->newer) {
        entry->newer->older = entry->older;
    } else {
        cache->newest = entry->older;
    }
    if (entry->older) {
        entry->older->newer = entry->newer;
    } else {
        cache->oldest = entry->newer;
    }
}

static void list_add(struct cache *cache, struct cache_entry *entry) {
    entry->newer = NULL;
    entry->older = cache->newest;
    if (cache->newest) {
        cache->newest->newer = entry;
    } else {
        cache->oldest = entry;
    }
    cache->newest = entry;
}

static void drop(struct cache *cache, struct cache_entry *entry) {
    struct cache_entry **link = &cache->table[place(cache, entry->task, entry->hash)];
    while (*link != entry) {
        link = &(*link)->chain;
    }
    *link = entry->chain;
    list_remove(cache, entry);
    cache->bytes -= entry->bytes;
    cache->count--;
    customer_destroy(entry->customer);
    free(entry);
}

void cache_destroy(struct cache *cache) {
    if (cache) {
        while (cache->oldest) {
            drop(cache, cache->oldest);
        }
        free(cache->table);
        free(cache);
    }
}

/* Doubles the table; without memory the chains just get longer. */
static void grow(struct cache *cache) {
    size_t size = cache->table_size * 2;
    struct cache_entry **table = calloc(size, sizeof(struct cache_entry *));
    if (!table) {
        return;
    }
    free(cache->table);
    cache->table = table;
    cache->table_size = size;
    cache->bytes += size / 2 * sizeof(struct cache_entry *);
    for (struct cache_entry *entry = cache->oldest; entry; entry = entry->newer) {
        size_t at = place(cache, entry->task, entry->hash);
        entry->chain = table[at];
        table[at] = entry;
    }
}

void cache_prefetch(const struct cache *cache, int32_t task, uint64_t hash) {
    prefetch(&cache->table[place(cache, task, hash)]);
}

void cache_prefetch_entry(const struct cache *cache, int32_t task, uint64_t hash) {
    prefetch(cache->table[place(cache, task, hash)]);
}

struct cache_entry *cache_get(struct cache *cache, int32_t task, struct bytes id, uint64_t hash) {
    struct cache_entry *entry = cache->table[place(cache, task, hash)];
    while (entry && (entry->hash != hash || entry->task != task || !bytes_equal(cache_entry_id(entry), id))) {
        entry = entry->chain;
    }
    if (entry) {
        entry->used = true;
        return entry;
    }
    if (cache->count >= cache->table_size) {
        grow(cache);
    }
    entry = malloc(sizeof *entry + id.size);
    if (!entry) {
        return NULL;
    }
    *entry = (struct cache_entry){
        .hash = hash, .task = task, .id_size = (uint16_t)id.size, .bytes = sizeof *entry + id.size + MALLOC_OVERHEAD};
    memcpy(entry->id, id.data, id.size);
    size_t at = place(cache, task, hash);
    entry->chain = cache->table[at];
    cache->table[at] = entry;
    list_add(cache, entry);
    cache->count++;
    cache->created++;
    cache->bytes += entry->bytes;
    return entry;
}

void cache_unpin(struct cache *cache, struct cache_entry *entry) {
    (void)cache;
    ASSERT(entry->pins > 0);
    entry->pins--;
}

void cache_resize(struct cache *cache, struct cache_entry *entry) {
    size_t bytes =
        sizeof *entry + entry->id_size + MALLOC_OVERHEAD + (entry->customer ? customer_bytes(entry->customer) : 0);
    cache->bytes += bytes - entry->bytes;
    entry->bytes = bytes;
}

void cache_shrink(struct cache *cache) {
    size_t looks = LOOKS_MIN + LOOKS_PER_ENTRY * cache->created;
    cache->created = 0;
    for (; looks > 0 && cache->oldest && cache_is_over(cache); looks--) {
        struct cache_entry *entry = cache->oldest;
        if (entry->pins == 0 && !entry->used) {
            drop(cache, entry);
        } else {
            entry->used = false;
            list_remove(cache, entry);
            list_add(cache, entry);
        }
    }
}

bool cache_is_over(const struct cache *cache) {
    return cache->bytes > cache->bytes_max;
}

void cache_drop_task(struct cache *cache, int32_t task) {
    struct cache_entry *entry = cache->oldest;
    while (entry) {
        struct cache_entry *newer = entry->newer;
        if (entry->task == task) {
            drop(cache, entry);
        }
        entry = newer;
    }
}

size_t cache_bytes(const struct cache *cache) {
    return cache->bytes;
}

size_t cache_count(const struct cache *cache) {
    return cache->count;
}

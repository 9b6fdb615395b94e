#include "base/arena.h"

#include <stdlib.h>

enum { ARENA_BLOCK_BYTES = 64 * 1024, ARENA_ALIGNMENT = 16 };

struct arena_block {
    struct arena_block *next;
    size_t size;
    _Alignas(ARENA_ALIGNMENT) char data[];
};

void arena_init(struct arena *arena, size_t bytes_max) {
    *arena = (struct arena){.bytes_max = bytes_max};
}

void arena_finish(struct arena *arena) {
    struct arena_block *block = arena->blocks;
    while (block) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
    arena_init(arena, arena->bytes_max);
}

void arena_reset(struct arena *arena) {
    struct arena_block *block = arena->blocks;
    while (block && block->next) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
    arena->blocks = block;
    arena->at = block ? block->data : NULL;
    arena->left = block ? block->size : 0;
    arena->bytes_used = block ? block->size : 0;
}

static int arena_grow(struct arena *arena, size_t size) {
    size_t block_size = size > ARENA_BLOCK_BYTES ? size : ARENA_BLOCK_BYTES;
    if (block_size > arena->bytes_max - arena->bytes_used) { /* never more is used than may be */
        return ERR_TOO_LARGE;
    }
    struct arena_block *block = malloc(sizeof *block + block_size);
    if (!block) {
        return ERR_NO_MEMORY;
    }
    block->size = block_size;
    block->next = arena->blocks;
    arena->blocks = block;
    arena->bytes_used += block_size;
    arena->at = block->data;
    arena->left = block_size;
    return 0;
}

void *arena_alloc(struct arena *arena, size_t size) {
    size = size ? size : 1; /* nothing is not NULL: NULL means no room */
    size_t rounded = (size + ARENA_ALIGNMENT - 1) & ~(size_t)(ARENA_ALIGNMENT - 1);
    if (rounded < size || (rounded > arena->left && arena_grow(arena, rounded))) {
        return NULL;
    }
    void *result = arena->at;
    arena->at += rounded;
    arena->left -= rounded;
    return result;
}

void *arena_alloc_zero(struct arena *arena, size_t size) {
    void *result = arena_alloc(arena, size);
    if (result) {
        memset(result, 0, size);
    }
    return result;
}

struct bytes arena_copy(struct arena *arena, struct bytes bytes) {
    char *copy = arena_alloc(arena, bytes.size + 1);
    if (!copy) {
        return (struct bytes){NULL, 0};
    }
    if (bytes.size > 0) {
        memcpy(copy, bytes.data, bytes.size);
    }
    copy[bytes.size] = '\0';
    return (struct bytes){copy, bytes.size};
}

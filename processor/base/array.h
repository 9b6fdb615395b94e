/* Arrays that grow by doubling, for what a thread cannot go on without: it aborts when there is no memory.
 *
 *     list->items = array_grown(list->items, &list->capacity, list->count, sizeof *list->items, 64);
 *     list->items[list->count++] = item; */
#ifndef TIDEMARK_BASE_ARRAY_H
#define TIDEMARK_BASE_ARRAY_H

#include "base/error.h"

#include <stddef.h>
#include <stdlib.h>

/* Room for one more element than `count`, at first for `first` of them. The array, which may have moved. */
static inline void *array_grown(void *array, size_t *capacity, size_t count, size_t element, size_t first) {
    if (count < *capacity) {
        return array;
    }
    *capacity = *capacity ? *capacity * 2 : first;
    void *moved = realloc(array, *capacity * element);
    ASSERT(moved);
    return moved;
}

#endif

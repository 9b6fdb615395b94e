#include "score/favourites.h"

#include "score/saturate.h"

#include <stdlib.h>

enum { GRANULE = 16 };

void favourites_finish(struct favourites *favourites) {
    free(favourites->entries);
    *favourites = (struct favourites){0};
}

static int reserve(struct favourites *favourites, size_t size) {
    if (size <= favourites->capacity) {
        return 0;
    }
    size_t capacity = (size + GRANULE - 1) / GRANULE * GRANULE;
    char *entries = realloc(favourites->entries, capacity);
    if (!entries) {
        return ERR_NO_MEMORY;
    }
    favourites->entries = entries;
    favourites->capacity = (uint16_t)capacity;
    return 0;
}

int favourites_copy(struct favourites *to, const struct favourites *from) {
    int error = reserve(to, from->size);
    if (error || from->size == 0) {
        return error;
    }
    memcpy(to->entries, from->entries, from->size);
    to->size = from->size;
    to->count = from->count;
    return 0;
}

/* Reads a counter of ours; its size. */
static size_t read_entry(const char *entry, struct favourite *out) {
    uint64_t head;
    uint64_t over = 0;
    out->name = bytes_of(entry + 1, (uint8_t)*entry);
    const char *end = varint_get(entry + 1 + out->name.size, &head);
    if (head & 1) {
        end = varint_get(end, &over);
    }
    out->weight = (int64_t)(head >> 1);
    out->over = (int64_t)over;
    return (size_t)(end - entry);
}

static uint64_t head_of(const struct favourite *favourite) {
    return (uint64_t)favourite->weight << 1 | (favourite->over > 0);
}

/* Puts a counter in the place of `had` bytes. Its name must not lie among the entries. */
static int replace(struct favourites *favourites, size_t at, size_t had, const struct favourite *favourite) {
    size_t size = 1 + favourite->name.size + varint_size(head_of(favourite)) +
                  (favourite->over > 0 ? varint_size((uint64_t)favourite->over) : 0);
    int error = reserve(favourites, favourites->size - had + size);
    if (error) {
        return error;
    }
    char *entry = favourites->entries + at;
    if (size != had) {
        memmove(entry + size, entry + had, favourites->size - at - had);
    }
    favourites->size = (uint16_t)(favourites->size - had + size);
    *entry = (char)favourite->name.size;
    memcpy(entry + 1, favourite->name.data, favourite->name.size);
    entry = varint_put(entry + 1 + favourite->name.size, head_of(favourite));
    if (favourite->over > 0) {
        (void)varint_put(entry, (uint64_t)favourite->over);
    }
    return 0;
}

/* As strcmp, by bytes. */
static int compare_names(struct bytes a, struct bytes b) {
    int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

/* Drops the lightest counter, of equal ones the first, and tells its weight. */
static int64_t drop_lightest(struct favourites *favourites) {
    struct favourite favourite;
    int64_t weight = INT64_MAX;
    size_t lightest = 0;
    size_t lightest_size = 0;
    for (size_t at = 0, size; at < favourites->size; at += size) {
        size = read_entry(favourites->entries + at, &favourite);
        if (lightest_size == 0 || favourite.weight < weight) {
            weight = favourite.weight;
            lightest = at;
            lightest_size = size;
        }
    }
    char *entry = favourites->entries + lightest;
    memmove(entry, entry + lightest_size, favourites->size - lightest - lightest_size);
    favourites->size = (uint16_t)(favourites->size - lightest_size);
    favourites->count--;
    return weight;
}

static int insert(struct favourites *favourites, const struct favourite *favourite) {
    struct favourite other;
    size_t at = 0;
    for (size_t size; at < favourites->size; at += size) {
        size = read_entry(favourites->entries + at, &other);
        if (compare_names(other.name, favourite->name) > 0) {
            break;
        }
    }
    int error = replace(favourites, at, 0, favourite);
    favourites->count = (uint8_t)(favourites->count + !error);
    return error;
}

int favourites_add(struct favourites *favourites, struct bytes name, int64_t weight) {
    struct favourite favourite;
    name = name_cut(name, FAVOURITE_NAME_BYTES_MAX);
    if (name.size == 0 || weight <= 0) {
        return 0;
    }
    for (size_t at = 0, size; at < favourites->size; at += size) {
        size = read_entry(favourites->entries + at, &favourite);
        if (bytes_equal(favourite.name, name)) {
            favourite.name = name;
            favourite.weight = saturating_add(favourite.weight, weight);
            return replace(favourites, at, size, &favourite);
        }
    }
    int64_t over = favourites->count == FAVOURITES_MAX ? drop_lightest(favourites) : 0;
    return insert(favourites, &(struct favourite){name, saturating_add(over, weight), over});
}

int favourites_take(struct favourites *to, struct bytes bytes) {
    struct cursor in = cursor_of(bytes);
    struct bytes before = {"", 0};
    uint8_t count = 0;
    while (cursor_left(&in) > 0) {
        struct bytes name = cursor_sized(&in);
        uint64_t head = cursor_varint(&in);
        uint64_t over = head & 1 ? cursor_varint(&in) : 0;
        if (in.error || name.size > FAVOURITE_NAME_BYTES_MAX || compare_names(before, name) >= 0 || head < 2 ||
            over > head >> 1 || (head & 1 && over == 0) || count == FAVOURITES_MAX) {
            return in.error ? in.error : ERR_INVALID;
        }
        before = name;
        count++;
    }
    if (count == 0) {
        return 0;
    }
    int error = reserve(to, bytes.size); /* less than 700 bytes */
    if (error) {
        return error;
    }
    memcpy(to->entries, bytes.data, bytes.size);
    to->size = (uint16_t)bytes.size;
    to->count = count;
    return 0;
}

bool favourites_next(const struct favourites *favourites, size_t *at, struct favourite *out) {
    if (*at >= favourites->size) {
        return false;
    }
    *at += read_entry(favourites->entries + *at, out);
    return true;
}

size_t favourites_top(const struct favourites *favourites, struct favourite top[FAVOURITES_MAX]) {
    struct favourite favourite;
    size_t count = 0;
    for (size_t at = 0; favourites_next(favourites, &at, &favourite);) {
        size_t place = count++;
        for (; place > 0 && top[place - 1].weight < favourite.weight; place--) {
            top[place] = top[place - 1];
        }
        top[place] = favourite;
    }
    return count;
}

int64_t favourites_total(const struct favourites *favourites) {
    struct favourite favourite;
    int64_t total = 0;
    for (size_t at = 0; favourites_next(favourites, &at, &favourite);) {
        total = saturating_add(total, favourite.weight);
    }
    return total;
}

struct bytes name_cut(struct bytes name, size_t size_max) {
    if (name.size <= size_max) {
        return name;
    }
    size_t size = size_max;
    while (size > 0 && ((unsigned char)name.data[size] & 0xC0) == 0x80) {
        size--;
    }
    return bytes_of(name.data, size);
}

/* An entry is weight and overcount (8 bytes each), the name's size (1 byte), and the name. */
#include "score/favourites.h"

#include "score/saturate.h"

#include <stdlib.h>

enum { AT_OVER = 8, AT_SIZE = 16, AT_NAME = 17, GRANULE = 16 };

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

static int64_t number_at(const char *entry, size_t at) {
    int64_t number;
    memcpy(&number, entry + at, sizeof number);
    return number;
}

static void set_number(char *entry, size_t at, int64_t number) {
    memcpy(entry + at, &number, sizeof number);
}

static struct bytes name_of(const char *entry) {
    return bytes_of(entry + AT_NAME, (uint8_t)entry[AT_SIZE]);
}

static size_t size_of(const char *entry) {
    return AT_NAME + (size_t)(uint8_t)entry[AT_SIZE];
}

/* As strcmp, by bytes. */
static int compare_names(struct bytes a, struct bytes b) {
    int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

static int insert(struct favourites *favourites, const struct favourite *favourite) {
    size_t size = AT_NAME + favourite->name.size;
    int error = reserve(favourites, favourites->size + size);
    if (error) {
        return error;
    }
    size_t at = 0;
    while (at < favourites->size && compare_names(name_of(favourites->entries + at), favourite->name) < 0) {
        at += size_of(favourites->entries + at);
    }
    char *entry = favourites->entries + at;
    memmove(entry + size, entry, favourites->size - at);
    set_number(entry, 0, favourite->weight);
    set_number(entry, AT_OVER, favourite->over);
    entry[AT_SIZE] = (char)favourite->name.size;
    memcpy(entry + AT_NAME, favourite->name.data, favourite->name.size);
    favourites->size = (uint16_t)(favourites->size + size);
    favourites->count++;
    return 0;
}

/* Drops the lightest counter, of equal ones the first, and tells its weight. */
static int64_t drop_lightest(struct favourites *favourites) {
    char *lightest = favourites->entries;
    for (size_t at = 0; at < favourites->size; at += size_of(favourites->entries + at)) {
        char *entry = favourites->entries + at;
        lightest = number_at(entry, 0) < number_at(lightest, 0) ? entry : lightest;
    }
    int64_t weight = number_at(lightest, 0);
    size_t size = size_of(lightest);
    memmove(lightest, lightest + size, favourites->size - (size_t)(lightest - favourites->entries) - size);
    favourites->size = (uint16_t)(favourites->size - size);
    favourites->count--;
    return weight;
}

int favourites_add(struct favourites *favourites, struct bytes name, int64_t weight) {
    name = name_cut(name, FAVOURITE_NAME_BYTES_MAX);
    if (name.size == 0 || weight <= 0) {
        return 0;
    }
    for (size_t at = 0; at < favourites->size; at += size_of(favourites->entries + at)) {
        char *entry = favourites->entries + at;
        if (bytes_equal(name_of(entry), name)) {
            set_number(entry, 0, saturating_add(number_at(entry, 0), weight));
            return 0;
        }
    }
    int64_t over = favourites->count == FAVOURITES_MAX ? drop_lightest(favourites) : 0;
    return insert(favourites, &(struct favourite){name, saturating_add(over, weight), over});
}

int favourites_append(struct favourites *favourites, const struct favourite *favourite) {
    struct favourite last = {.name = {"", 0}};
    for (size_t at = 0; favourites_next(favourites, &at, &last);) {
    }
    bool behind = compare_names(last.name, favourite->name) < 0;
    if (!behind || favourite->name.size > FAVOURITE_NAME_BYTES_MAX || favourite->weight < 1 || favourite->over < 0 ||
        favourite->over > favourite->weight || favourites->count == FAVOURITES_MAX) {
        return ERR_INVALID;
    }
    return insert(favourites, favourite);
}

bool favourites_next(const struct favourites *favourites, size_t *at, struct favourite *out) {
    if (*at >= favourites->size) {
        return false;
    }
    const char *entry = favourites->entries + *at;
    *out = (struct favourite){name_of(entry), number_at(entry, 0), number_at(entry, AT_OVER)};
    *at += size_of(entry);
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

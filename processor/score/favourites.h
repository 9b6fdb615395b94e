/* Favourites: which names come up most, and how often: categories bought, channels used.
 *
 * Space-Saving (Metwally, Agrawal, El Abbadi 2005) with FAVOURITES_MAX counters. Up to that many distinct names all is exact,
 * in any order. Beyond, a new name takes over the lightest counter with its weight, and remembers that weight as its possible
 * overcount: the true weight lies between weight - over and weight, and whatever has more than an eighth of the total is
 * among the counters. The weights always add up to the total.
 *
 * Names are cut at FAVOURITE_NAME_BYTES_MAX; cut names that are the same count as one. Memory is what the names need. */
#ifndef TIDEMARK_SCORE_FAVOURITES_H
#define TIDEMARK_SCORE_FAVOURITES_H

#include "base/bytes.h"

enum { FAVOURITES_MAX = 8, FAVOURITE_NAME_BYTES_MAX = 64 };

struct favourite {
    struct bytes name; /* borrowed */
    int64_t weight;    /* at least 1 */
    int64_t over;      /* of which this much may belong to names that are gone */
};

/* Zero it to start. */
struct favourites {
    char *entries; /* one behind the other, by name, as they are stored: see favourites_bytes */
    uint16_t size;
    uint16_t capacity;
    uint8_t count;
};

void favourites_finish(struct favourites *favourites);
/* `to` must be empty. */
int favourites_copy(struct favourites *to, const struct favourites *from) MUST_CHECK;

/* Adds weight to a name; an empty name or a weight that is not above 0 changes nothing. */
int favourites_add(struct favourites *favourites, struct bytes name, int64_t weight) MUST_CHECK;
/* All counters, by name: its name behind a length (a byte), varint twice its weight, plus 1 where varint its overcount follows. Borrowed. */
static inline struct bytes favourites_bytes(const struct favourites *favourites) {
    return bytes_of(favourites->entries, favourites->size);
}
/* Takes a copy of such bytes; `to` must have no counters. ERR_INVALID or ERR_TRUNCATED: they make no sense. */
int favourites_take(struct favourites *to, struct bytes bytes) MUST_CHECK;

/* Steps through the counters by name: *at starts at 0; false at the end. */
bool favourites_next(const struct favourites *favourites, size_t *at, struct favourite *out);
/* The counters from the heaviest down, of equal ones by name; returns their number. */
size_t favourites_top(const struct favourites *favourites, struct favourite top[FAVOURITES_MAX]);
int64_t favourites_total(const struct favourites *favourites);

/* The name without what is beyond `size_max` bytes, never within a character of UTF-8. */
struct bytes name_cut(struct bytes name, size_t size_max);

#endif

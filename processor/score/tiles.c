#include "score/tiles.h"

#include "score/saturate.h"

#include <stdlib.h>
#include <string.h>

enum { TILES_CAPACITY_FIRST = 8 };

void tiles_finish(struct tiles *tiles) {
    free(tiles->cells);
    *tiles = (struct tiles){0};
}

int tiles_reserve(struct tiles *tiles, size_t count) {
    if (count <= tiles->capacity) {
        return 0;
    }
    size_t capacity = tiles->capacity ? tiles->capacity : TILES_CAPACITY_FIRST;
    while (capacity < count) {
        capacity += capacity / 2;
    }
    struct cell *cells = realloc(tiles->cells, capacity * sizeof *cells);
    if (!cells) {
        return ERR_NO_MEMORY;
    }
    tiles->cells = cells;
    tiles->capacity = (uint32_t)capacity;
    return 0;
}

static bool cell_before(const struct cell *cell, int32_t day, uint16_t field) {
    return cell->day < day || (cell->day == day && cell->field < field);
}

int tiles_add(struct tiles *tiles, int32_t day, uint16_t field, int64_t value) {
    if (value == 0) {
        return 0;
    }
    uint32_t at = tiles->count;
    while (at > 0 && !cell_before(&tiles->cells[at - 1], day, field)) { /* most activities are of the latest day */
        at--;
    }
    struct cell *cell = tiles->cells + at;
    if (at < tiles->count && cell->day == day && cell->field == field) {
        cell->value = saturating_add(cell->value, value);
        if (cell->value == 0) {
            tiles->count--;
            memmove(cell, cell + 1, (tiles->count - at) * sizeof *cell);
        }
        return 0;
    }
    int error = tiles_reserve(tiles, (size_t)tiles->count + 1);
    if (error) {
        return error;
    }
    cell = tiles->cells + at;
    memmove(cell + 1, cell, (tiles->count - at) * sizeof *cell);
    *cell = (struct cell){day, field, value};
    tiles->count++;
    return 0;
}

/* The first cell from `from` on that lies behind a day; count if there is none. */
static uint32_t cell_behind(const struct tiles *tiles, uint32_t from, int32_t day) {
    uint32_t end = tiles->count;
    while (from < end) {
        uint32_t middle = from + (end - from) / 2;
        if (tiles->cells[middle].day <= day) {
            from = middle + 1;
        } else {
            end = middle;
        }
    }
    return from;
}

/* The cells of days first_day..last_day: first..end-1. Mostly it is all but the residue, which windows trim. */
static void find_cells(const struct tiles *tiles, int32_t first_day, int32_t last_day, uint32_t *first, uint32_t *end) {
    first_day += first_day == DAY_RESIDUE;
    *first = *end = tiles->count;
    if (tiles->count == 0 || tiles->cells[tiles->count - 1].day < first_day) {
        return;
    }
    uint32_t at = 0;
    while (tiles->cells[at].day == DAY_RESIDUE) { /* the last cell is none of it */
        at++;
    }
    *first = tiles->cells[at].day >= first_day ? at : cell_behind(tiles, at, first_day - 1);
    if (tiles->cells[tiles->count - 1].day > last_day) {
        *end = cell_behind(tiles, *first, last_day);
    }
}

/* Cells first..end-1 of a field; false where the sum would saturate. Without a branch on the field, which nobody can predict. */
static bool sum_plainly(const struct cell *cells, uint32_t first, uint32_t end, uint16_t field, int64_t *sum) {
    bool overflow = false;
    *sum = 0;
    for (uint32_t i = first; i < end; i++) {
        overflow |= __builtin_add_overflow(*sum, cells[i].field == field ? cells[i].value : 0, sum);
    }
    return !overflow;
}

int64_t tiles_sum(const struct tiles *tiles, uint16_t field, int32_t first_day, int32_t last_day) {
    uint32_t first;
    uint32_t end;
    int64_t sum;
    find_cells(tiles, first_day, last_day, &first, &end);
    if (sum_plainly(tiles->cells, first, end, field, &sum)) {
        return sum;
    }
    sum = 0;
    for (uint32_t i = end; i-- > first;) {
        if (tiles->cells[i].field == field) {
            sum = saturating_add(sum, tiles->cells[i].value);
        }
    }
    return sum;
}

/* Far from where sums saturate: what does not come near it can be taken back exactly. */
static bool is_exact(int64_t sum) {
    return sum > INT64_MIN / 4 && sum < INT64_MAX / 4;
}

int64_t tiles_slide(const struct tiles *tiles, uint16_t field, int64_t sum, int32_t first_day, int32_t last_day,
                    int32_t days) {
    if (days >= 0 && days <= last_day - first_day && is_exact(sum)) {
        int64_t left = tiles_sum(tiles, field, first_day, first_day + days - 1);
        int64_t entered = tiles_sum(tiles, field, last_day + 1, last_day + days);
        if (is_exact(left) && is_exact(entered)) {
            return sum - left + entered;
        }
    }
    return tiles_sum(tiles, field, first_day + days, last_day + days);
}

int64_t tiles_total(const struct tiles *tiles, uint16_t field) {
    int64_t sum = 0;
    for (uint32_t i = 0; i < tiles->count; i++) {
        if (tiles->cells[i].field == field) {
            sum = saturating_add(sum, tiles->cells[i].value);
        }
    }
    return sum;
}

/* Gives the cells first..first+count-1, all of one day, another day not later than the next cells' by adding them there. */
static void move_run(struct tiles *tiles, uint32_t first, uint32_t count, int32_t day) {
    struct cell run[TILE_FIELDS_MAX]; /* at most one cell per field */
    ASSERT(count <= sizeof run / sizeof *run);
    memcpy(run, tiles->cells + first, count * sizeof *run);
    tiles->count -= count;
    memmove(tiles->cells + first, tiles->cells + first + count, (tiles->count - first) * sizeof *run);
    for (uint32_t i = 0; i < count; i++) {
        int error = tiles_add(tiles, day, run[i].field, run[i].value);
        ASSERT(!error); /* there is room: as many cells have just left */
    }
}

static uint32_t run_length(const struct tiles *tiles, uint32_t first) {
    uint32_t end = first;
    while (end < tiles->count && tiles->cells[end].day == tiles->cells[first].day) {
        end++;
    }
    return end - first;
}

static size_t days_count(const struct tiles *tiles) {
    size_t days = 0;
    for (uint32_t i = 0; i < tiles->count; i++) {
        bool first = i == 0 || tiles->cells[i].day != tiles->cells[i - 1].day;
        days += first && tiles->cells[i].day != DAY_RESIDUE;
    }
    return days;
}

/* From the first day to the last, whether anything is of them or not. */
static size_t days_between(const struct tiles *tiles) {
    uint32_t first = tiles->cells[0].day == DAY_RESIDUE ? run_length(tiles, 0) : 0;
    return first < tiles->count ? (size_t)((int64_t)tiles->cells[tiles->count - 1].day - tiles->cells[first].day) + 1
                                : 0;
}

/* Adds the first `end` cells up field by field: they become the residue. */
static void add_to_residue(struct tiles *tiles, uint32_t end) {
    int64_t sums[TILE_FIELDS_MAX];
    uint64_t fields = 0;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < end; i++) {
        const struct cell *cell = &tiles->cells[i];
        bool first = !(fields & UINT64_C(1) << cell->field);
        sums[cell->field] = first ? cell->value : saturating_add(sums[cell->field], cell->value);
        fields |= UINT64_C(1) << cell->field;
    }
    for (; fields; fields &= fields - 1) {
        uint16_t field = (uint16_t)__builtin_ctzll(fields);
        if (sums[field] != 0) {
            tiles->cells[kept++] = (struct cell){DAY_RESIDUE, field, sums[field]};
        }
    }
    memmove(tiles->cells + kept, tiles->cells + end, (tiles->count - end) * sizeof *tiles->cells);
    tiles->count -= end - kept;
}

bool tiles_trim(struct tiles *tiles, int32_t first_day, size_t days_max) {
    bool merged = false;
    uint32_t left = 0; /* the residue is at the front */
    while (left < tiles->count && tiles->cells[left].day < first_day) {
        left++;
    }
    if (left > 0 && tiles->cells[left - 1].day != DAY_RESIDUE) {
        add_to_residue(tiles, left);
    }
    if (tiles->count <= days_max || days_between(tiles) <= days_max) {
        return false; /* no more days than cells, or than there are in between */
    }
    while (days_count(tiles) > days_max) { /* days that cancel each other go both */
        uint32_t oldest = tiles->cells[0].day == DAY_RESIDUE ? run_length(tiles, 0) : 0;
        uint32_t count = run_length(tiles, oldest);
        ASSERT(oldest + count < tiles->count);
        move_run(tiles, oldest, count, tiles->cells[oldest + count].day);
        merged = true;
    }
    return merged;
}

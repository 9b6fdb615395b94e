/* Tiles: the sums of a customer's activities per day, sparse.
 *
 * A cell is (day, field, value); a tile is the run of cells of one day. Cells are sorted by day, then field, and none is
 * zero. Sums commute, so the order in which activities arrive does not matter and a refund is an exact reversal. Days that
 * no window can see any more are added up in the residue, the cells of the pseudo-day DAY_RESIDUE, so that
 * residue + tiles is always the whole life. */
#ifndef TIDEMARK_SCORE_TILES_H
#define TIDEMARK_SCORE_TILES_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Part of the stored state: numbers are never reused. */
enum tile_field {
    TILE_PURCHASES = 1, /* purchases less cancellations */
    TILE_REVENUE = 2,   /* minor units, less refunds */
    TILE_REFUNDS = 3,   /* minor units, positive */
    TILE_PROMOTERS = 4,
    TILE_PASSIVES = 5,
    TILE_DETRACTORS = 6,
    TILE_COMPLAINTS = 7,
    TILE_CSAT_COUNT = 8,
    TILE_CSAT_SUM = 9,
    TILE_CSAT_TOP = 10, /* answers 4 and 5 */
    TILE_CES_COUNT = 11,
    TILE_CES_SUM = 12,
    TILE_CES_EASY = 13, /* answers 5 to 7 */
    TILE_CES_HARD = 14, /* answers 1 to 3 */
    TILE_REVIEW_COUNT = 15,
    TILE_REVIEW_SUM = 16,
    TILE_ITEMS = 17,           /* quantity bought */
    TILE_POINTS = 18,          /* thousandths, less those taken back */
    TILE_POINTS_OF_MONEY = 19, /* thousandths that purchases earned per unit of money */
    TILE_INTERACTIONS = 32,    /* + enum interaction_kind: 33 .. 44 */
    TILE_FIELDS_MAX = 64,      /* every field is less */
};

enum { DAY_RESIDUE = INT32_MIN };

struct cell {
    int32_t day; /* days since 1970 in the configured time zone; DAY_RESIDUE */
    uint16_t field;
    int64_t value;
};

struct tiles {
    struct cell *cells;
    uint32_t count;
    uint32_t capacity;
};

void tiles_finish(struct tiles *tiles);
/* Room for `count` cells in all. */
int tiles_reserve(struct tiles *tiles, size_t count) MUST_CHECK;
/* Adds `value` to (day, field); a cell that becomes zero goes away. */
int tiles_add(struct tiles *tiles, int32_t day, uint16_t field, int64_t value) MUST_CHECK;
/* The sum of a field over days first_day..last_day, both included (residue excluded). */
int64_t tiles_sum(const struct tiles *tiles, uint16_t field, int32_t first_day, int32_t last_day);
/* The sum over the same number of days, `days` later (earlier if negative), given that of first_day..last_day: going forward it
 * asks only for the days that leave and enter. */
int64_t tiles_slide(const struct tiles *tiles, uint16_t field, int64_t sum, int32_t first_day, int32_t last_day,
                    int32_t days);
/* The sum of a field over the whole life: residue and all tiles. */
int64_t tiles_total(const struct tiles *tiles, uint16_t field);
/* Moves days before first_day into the residue, then merges the two oldest days until at most days_max are left. True: some were
 * merged. */
bool tiles_trim(struct tiles *tiles, int32_t first_day, size_t days_max);

#endif

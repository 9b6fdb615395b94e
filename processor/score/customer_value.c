/* From the day tiles. Of days in the residue only the number of purchases is known, which then stands for the number of days; and
 * the first day's money, which is not a repeat's, is taken for an average day's. */
#include "score/customer_value.h"

struct days {
    int64_t count;       /* on which something was bought and not cancelled */
    int64_t first_minor; /* money of the earliest */
    bool first_known;
};

static struct days count_days(const struct tiles *tiles) {
    struct days days = {.first_known = true};
    int32_t first_day = DAY_RESIDUE;
    for (uint32_t i = 0; i < tiles->count; i++) {
        const struct cell *cell = &tiles->cells[i];
        if (cell->field == TILE_PURCHASES && cell->value > 0) {
            bool residue = cell->day == DAY_RESIDUE;
            first_day = days.count == 0 ? cell->day : first_day;
            days.first_known &= !residue;
            days.count += residue ? cell->value : 1;
        }
    }
    if (days.first_known && days.count > 0) {
        days.first_minor = tiles_sum(tiles, TILE_REVENUE, first_day, first_day);
    }
    return days;
}

void customer_ltv_history(const struct customer *customer, const struct ltv_params *params, int64_t now_ms,
                          struct ltv_history *out) {
    struct days days = count_days(&customer->tiles);
    int64_t end_ms = now_ms > customer->last_purchase_ms ? now_ms : customer->last_purchase_ms;
    *out = (struct ltv_history){
        .t_x = ltv_units(params, customer->first_purchase_ms, customer->last_purchase_ms),
        .t = ltv_units(params, customer->first_purchase_ms, end_ms),
    };
    if (days.count > 1) {
        double minor = (double)tiles_total(&customer->tiles, TILE_REVENUE);
        double repeats = (double)(days.count - 1);
        out->x = repeats;
        out->mean_spend =
            (days.first_known ? (minor - (double)days.first_minor) / repeats : minor / (double)days.count) /
            params->money_scale;
    }
}

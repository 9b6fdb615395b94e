/* Lifetime value with parameters that no data have, up to where doubles end. */
#include "score/ltv_expected.h"
#include "support/model_builder.h"
#include "support/scoring.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* The odds of having left are one step of a double, so they must grow by half before 1 - P(alive) grows by another; and with so
 * small an r, by half means for ages. The estimate, which knows of no steps, says at once. */
static void what_falls_after_ages_never_falls(void **state) {
    (void)state;
    const struct ltv_params params = {LTV_MBG_NBD,
                                      .r = 0.01,
                                      .alpha = 6,
                                      .a = DBL_EPSILON,
                                      .b = 1,
                                      .p = 6,
                                      .q = 4,
                                      .v = 15,
                                      .unit_ms = 7.0 * MS_PER_DAY,
                                      .money_scale = 100};
    const struct ltv_history history = {0};
    assert_true(ltv_p_alive(&params, &history) == 1 - DBL_EPSILON);
    assert_true(ltv_p_alive_falls_ms(&params, &history, TEST_AT(0, 0), 1 - DBL_EPSILON, false) == TIME_NEVER);
    assert_int_equal(ltv_p_alive_falls_ms(&params, &history, TEST_AT(0, 0), 1 - DBL_EPSILON, true), TEST_AT(0, 0));
}

/* Who never leaves buys at the rate that the purchases tell, for ever. */
static void who_never_leaves_buys_on(void **state) {
    (void)state;
    static const double horizons[] = {1e-3, 1, 1e6};
    const struct ltv_alive alive = {.shape = 2.5, .leave = 1e-40, .stay = 1};
    for (size_t i = 0; i < sizeof horizons / sizeof *horizons; i++) {
        assert_within(ltv_alive_quadrature(&alive, horizons[i]), 2.5 * horizons[i], 1e-12);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_falls_after_ages_never_falls),
        cmocka_unit_test(who_never_leaves_buys_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

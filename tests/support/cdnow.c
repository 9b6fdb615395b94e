#include "support/cdnow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct ltv_history *cdnow_read(const char *path) {
    struct ltv_history *histories = calloc(CDNOW_CUSTOMERS, sizeof *histories);
    FILE *file = fopen(path, "r");
    char line[128];
    size_t count = 0, repeat_buyers = 0;
    assert_non_null(histories);
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file)); /* the names of the columns */
    while (fgets(line, sizeof line, file)) {
        assert_true(count < CDNOW_CUSTOMERS);
        struct ltv_history *history = &histories[count++];
        assert_int_equal(
            sscanf(line, "%*d,%lf,%lf,%lf,%lf", &history->x, &history->t_x, &history->t, &history->mean_spend), 4);
        repeat_buyers += history->x > 0;
    }
    fclose(file);
    assert_int_equal(count, CDNOW_CUSTOMERS);
    assert_int_equal(repeat_buyers, CDNOW_REPEAT_BUYERS);
    return histories;
}

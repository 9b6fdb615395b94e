#include "ingest/currency.h"

#include "decode_support.h"

static int64_t converted(int64_t rate_nano, int decimals_difference, int64_t amount) {
    struct currency_rate rate = {"XYZ", rate_nano, decimals_difference};
    int64_t out = INT64_MIN;
    assert_true(currency_convert(&rate, amount, &out));
    return out;
}

static bool fits(int64_t rate_nano, int decimals_difference, int64_t amount) {
    struct currency_rate rate = {"XYZ", rate_nano, decimals_difference};
    int64_t out;
    return currency_convert(&rate, amount, &out);
}

static void decimals_are_those_of_iso_4217(void **state) {
    (void)state;
    assert_int_equal(currency_decimals("EUR"), 2);
    assert_int_equal(currency_decimals("USD"), 2);
    assert_int_equal(currency_decimals("ZWL"), 2);
    assert_int_equal(currency_decimals("AED"), 2);
    assert_int_equal(currency_decimals("JPY"), 0);
    assert_int_equal(currency_decimals("BIF"), 0);
    assert_int_equal(currency_decimals("XPF"), 0);
    assert_int_equal(currency_decimals("KWD"), 3);
    assert_int_equal(currency_decimals("TND"), 3);
    assert_int_equal(currency_decimals("CLF"), 4);
    assert_int_equal(currency_decimals("ABC"), -1);
    assert_int_equal(currency_decimals("eur"), -1);
    assert_int_equal(currency_decimals("XAU"), -1);
    assert_int_equal(currency_decimals(" AE"), -1);
    assert_int_equal(currency_decimals("UR "), -1);
    assert_int_equal(currency_decimals((const char[4]){0}), -1);
}

static void a_currency_is_found_by_its_three_letters(void **state) {
    (void)state;
    struct decoder decoder = test_decoder(FORMAT_JSON);
    assert_ptr_equal(currency_find(&decoder, bytes_of_text("USD")), &test_currencies[1]);
    assert_null(currency_find(&decoder, bytes_of_text("USDT")));
    assert_null(currency_find(&decoder, bytes_of_text("US")));
    assert_null(currency_find(&decoder, bytes_of_text("usd")));
    assert_null(currency_find(&decoder, bytes_of_text("")));
    assert_null(currency_find(&decoder, bytes_of_text(NULL)));
}

static void the_base_currency_stays_as_it_is(void **state) {
    (void)state;
    assert_int_equal(converted(1000000000, 0, 12345), 12345);
    assert_int_equal(converted(1000000000, 0, 0), 0);
    assert_int_equal(converted(1000000000, 0, AMOUNT_MINOR_MAX), AMOUNT_MINOR_MAX);
}

static void decimals_are_shifted(void **state) {
    (void)state;
    assert_int_equal(converted(6100000, 2, 1000), 610);          /* JPY 1000 at 0.0061 EUR */
    assert_int_equal(converted(3000000000, -1, 1000), 300);      /* KWD 1.000 at 3 EUR */
    assert_int_equal(converted(164000000000, -2, 12345), 20246); /* EUR 123.45 in JPY: 20245.8 */
}

static void halves_go_away_from_zero(void **state) {
    (void)state;
    assert_int_equal(converted(500000000, 0, 1), 1);
    assert_int_equal(converted(500000000, 0, 3), 2);
    assert_int_equal(converted(499999999, 0, 1), 0);
    assert_int_equal(converted(500000001, 0, 1), 1);
    assert_int_equal(converted(500000000, 0, -1), -1);
    assert_int_equal(converted(500000000, 0, -3), -2);
    assert_int_equal(converted(499999999, 0, -1), 0);
    assert_int_equal(converted(1000000000, -1, 5), 1);
    assert_int_equal(converted(1000000000, -1, 4), 0);
}

/* What a refund takes is what the purchase gave, whatever the rate. */
static void a_full_refund_reverses_a_purchase(void **state) {
    (void)state;
    for (int64_t amount = 0; amount < 10000; amount++) {
        assert_int_equal(converted(923456789, 0, -amount), -converted(923456789, 0, amount));
    }
}

static void too_much_is_refused(void **state) {
    (void)state;
    assert_false(fits(1000000000, 0, AMOUNT_MINOR_MAX + 1));
    assert_false(fits(1000000000, 0, -AMOUNT_MINOR_MAX - 1));
    assert_false(fits(1000000000, 0, INT64_MAX));
    assert_false(fits(INT64_MAX, 4, INT64_MAX));
    assert_false(fits(INT64_MAX, 4, INT64_MIN));
    assert_false(fits(INT64_MAX, -4, INT64_MAX));
    assert_true(fits(1, 0, INT64_MAX)); /* a thousand million of something worth next to nothing */
    assert_int_equal(converted(1000000000, 1, AMOUNT_MINOR_MAX / 10), AMOUNT_MINOR_MAX);
    assert_false(fits(1000000001, 1, AMOUNT_MINOR_MAX / 10));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimals_are_those_of_iso_4217),
        cmocka_unit_test(a_currency_is_found_by_its_three_letters),
        cmocka_unit_test(the_base_currency_stays_as_it_is),
        cmocka_unit_test(decimals_are_shifted),
        cmocka_unit_test(halves_go_away_from_zero),
        cmocka_unit_test(a_full_refund_reverses_a_purchase),
        cmocka_unit_test(too_much_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

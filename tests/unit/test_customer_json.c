#include "serve/customer_json.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <yyjson.h>

#define T0 INT64_C(1735689600000)

static struct bytes text(const char *characters) {
    return bytes_of_text(characters);
}

/* ---- a customer with everything there is ---- */

static const struct condition stay[] = {{{"r + f + m >= 12", 15}, 13, 12, true}};
static const struct condition enter[] = {{{"r + f + m >= 13", 15}, 11.5, 13, false},
                                         {{"nps(90d) >= 9", 13}, (double)NAN, 9, false}};
static const struct tier_step ahead[] = {{{"ordinary", 8}, T0 + MS_PER_DAY}};
static const struct tier_view tiers[] = {
    {.set = {"value", 5},
     .tier = {"potential", 9},
     .since_ms = T0,
     .sequence = 3,
     .conditions = stay,
     .conditions_count = 1,
     .next_tier = {"vip", 3},
     .to_next = enter,
     .to_next_count = 2,
     .forecast_tier = {"ordinary", 8},
     .forecast_ms = T0 + MS_PER_DAY,
     .ahead = ahead,
     .ahead_count = 1},
    {.set = {"churn_risk", 10}, .tier = {"low", 3}, .since_ms = 0, .sequence = 1},
    {.set = {"new set", 7}, .since_ms = TIME_NONE},
};
static const struct named_value scores[] = {{{"r", 1}, 5}, {{"m", 1}, (double)NAN}};
static const struct named_value metrics[] = {
    {{"revenue(90d)", 12}, 5200}, {{"purchases(90d)", 14}, 4}, {{"nps(90d)", 8}, (double)NAN}, {{"p_alive", 7}, 0.1}};
static const struct favourite_view categories[] = {{{"books", 5}, 0.75, 6}, {{"art", 3}, 0.25, 2}};

#define NEVER_REACHED                                                                                                  \
    { TIME_NONE, (double)NAN }

static const struct customer_view full = {
    .as_of_ms = T0 + 5,
    .tiers = tiers,
    .tiers_count = 3,
    .values = {scores, 2, metrics, 4},
    .first_purchase_ms = T0 - 7,
    .last_purchase_ms = T0,
    .orders = 4,
    .revenue = 5200.25,
    .top_categories = categories,
    .top_categories_count = 2,
    .top_channels = categories,
    .top_channels_count = 1,
    .stages = {{T0 - 9, 2.5}, NEVER_REACHED, {T0, 0}, NEVER_REACHED, NEVER_REACHED},
    .mean_interval_days = 30.5,
    .frequency = FREQUENCY_FREQUENT,
    .referrals = 2,
    .referred_customers = 3,
    .referred_revenue_minor = 12345,
    .money_scale = 100,
};

static yyjson_doc *written(const char *id, const struct customer_view *view) {
    struct buffer out = {0};
    assert_int_equal(customer_json_write(text(id), view, &out), 0);
    assert_null(memchr(out.data, '\n', out.size));
    yyjson_doc *document = yyjson_read(out.data, out.size, 0);
    assert_non_null(document);
    buffer_finish(&out);
    return document;
}

static yyjson_val *at(yyjson_doc *document, const char *pointer) {
    yyjson_val *value = yyjson_doc_ptr_get(document, pointer);
    if (!value) {
        fail_msg("nothing at %s", pointer);
    }
    return value;
}

static void assert_text(yyjson_doc *document, const char *pointer, const char *expected) {
    assert_string_equal(yyjson_get_str(at(document, pointer)), expected);
}

static void assert_integer(yyjson_doc *document, const char *pointer, int64_t expected) {
    assert_true(yyjson_is_int(at(document, pointer)));
    assert_int_equal(yyjson_get_sint(at(document, pointer)), expected);
}

static void assert_real(yyjson_doc *document, const char *pointer, double expected) {
    assert_true(yyjson_is_real(at(document, pointer)));
    assert_true(fabs(yyjson_get_real(at(document, pointer)) - expected) < 1e-12);
}

/* ---- tests ---- */

static void a_tier_tells_why_and_what_comes_next(void **state) {
    (void)state;
    yyjson_doc *document = written("c1", &full);
    assert_text(document, "/customer_id", "c1");
    assert_integer(document, "/as_of_ms", T0 + 5);
    assert_text(document, "/tiers/value/tier", "potential");
    assert_integer(document, "/tiers/value/since_ms", T0);
    assert_integer(document, "/tiers/value/sequence", 3);
    assert_int_equal(yyjson_arr_size(at(document, "/tiers/value/conditions")), 1);
    assert_text(document, "/tiers/value/conditions/0/rule", "r + f + m >= 12");
    assert_real(document, "/tiers/value/conditions/0/value", 13);
    assert_real(document, "/tiers/value/conditions/0/threshold", 12);
    assert_true(yyjson_is_true(at(document, "/tiers/value/conditions/0/met")));
    assert_text(document, "/tiers/value/to_next/tier", "vip");
    assert_int_equal(yyjson_arr_size(at(document, "/tiers/value/to_next/conditions")), 2);
    assert_real(document, "/tiers/value/to_next/conditions/0/value", 11.5);
    assert_true(yyjson_is_null(at(document, "/tiers/value/to_next/conditions/1/value")));
    assert_true(yyjson_is_false(at(document, "/tiers/value/to_next/conditions/1/met")));
    assert_text(document, "/tiers/value/forecast/tier", "ordinary");
    assert_integer(document, "/tiers/value/forecast/time_ms", T0 + MS_PER_DAY);
    assert_int_equal(yyjson_arr_size(at(document, "/tiers/value/forecast_conditions")), 0);
    assert_real(document, "/tiers/value/to_next/conditions/0/missing", 1.5);
    assert_true(yyjson_is_null(at(document, "/tiers/value/to_next/conditions/1/missing")));
    assert_text(document, "/tiers/value/ahead/0/tier", "ordinary");
    assert_integer(document, "/tiers/value/ahead/0/time_ms", T0 + MS_PER_DAY);
    yyjson_doc_free(document);
}

static void the_top_tier_has_no_next_one(void **state) {
    (void)state;
    yyjson_doc *document = written("c1", &full);
    assert_integer(document, "/tiers/churn_risk/since_ms", 0);
    assert_int_equal(yyjson_arr_size(at(document, "/tiers/churn_risk/conditions")), 0);
    assert_true(yyjson_is_null(at(document, "/tiers/churn_risk/to_next")));
    assert_true(yyjson_is_null(at(document, "/tiers/churn_risk/forecast")));
    yyjson_doc_free(document);
}

static void a_set_without_a_tier_yet_is_null(void **state) {
    (void)state;
    yyjson_doc *document = written("c1", &full);
    assert_true(yyjson_is_null(at(document, "/tiers/new set/tier")));
    assert_true(yyjson_is_null(at(document, "/tiers/new set/since_ms")));
    assert_integer(document, "/tiers/new set/sequence", 0);
    assert_true(yyjson_is_null(at(document, "/tiers/new set/to_next")));
    yyjson_doc_free(document);
}

static void values_are_reals_or_null(void **state) {
    (void)state;
    yyjson_doc *document = written("c1", &full);
    assert_real(document, "/scores/r", 5);
    assert_true(yyjson_is_null(at(document, "/scores/m")));
    assert_int_equal(yyjson_obj_size(at(document, "/metrics")), 4);
    assert_real(document, "/metrics/revenue(90d)", 5200);
    assert_real(document, "/metrics/p_alive", 0.1);
    assert_true(yyjson_is_null(at(document, "/metrics/nps(90d)")));
    assert_integer(document, "/lifetime/first_purchase_ms", T0 - 7);
    assert_integer(document, "/lifetime/last_purchase_ms", T0);
    assert_integer(document, "/lifetime/orders", 4);
    assert_real(document, "/lifetime/revenue", 5200.25);
    yyjson_doc_free(document);
}

static void a_life_tells_favourites_and_stages(void **state) {
    (void)state;
    yyjson_doc *document = written("c1", &full);
    assert_int_equal(yyjson_arr_size(at(document, "/lifetime/top_categories")), 2);
    assert_text(document, "/lifetime/top_categories/0/name", "books");
    assert_real(document, "/lifetime/top_categories/0/share", 0.75);
    assert_integer(document, "/lifetime/top_categories/0/weight", 6);
    assert_text(document, "/lifetime/top_categories/1/name", "art");
    assert_int_equal(yyjson_arr_size(at(document, "/lifetime/top_channels")), 1);
    assert_int_equal(yyjson_obj_size(at(document, "/lifetime/stages")), 5);
    assert_integer(document, "/lifetime/stages/awareness/first_ms", T0 - 9);
    assert_real(document, "/lifetime/stages/awareness/days", 2.5);
    assert_true(yyjson_is_null(at(document, "/lifetime/stages/interest/first_ms")));
    assert_true(yyjson_is_null(at(document, "/lifetime/stages/interest/days")));
    assert_real(document, "/lifetime/stages/decision/days", 0);
    assert_real(document, "/lifetime/mean_interval_days", 30.5);
    assert_text(document, "/lifetime/frequency", "frequent");
    assert_integer(document, "/lifetime/referrals", 2);
    assert_integer(document, "/lifetime/referred_customers", 3);
    assert_real(document, "/lifetime/referred_revenue", 123.45);
    yyjson_doc_free(document);
}

static void one_who_never_bought_has_empty_parts(void **state) {
    (void)state;
    const struct customer_view view = {.as_of_ms = T0,
                                       .first_purchase_ms = TIME_NONE,
                                       .last_purchase_ms = TIME_NONE,
                                       .mean_interval_days = (double)NAN,
                                       .p_alive = (double)NAN,
                                       .expected_purchases = (double)NAN,
                                       .clv = (double)NAN};
    yyjson_doc *document = written("c\"\\\xC3\xA9/1", &view);
    assert_text(document, "/customer_id", "c\"\\\xC3\xA9/1");
    assert_int_equal(yyjson_obj_size(at(document, "/tiers")), 0);
    assert_true(yyjson_is_obj(at(document, "/scores")));
    assert_true(yyjson_is_obj(at(document, "/metrics")));
    assert_true(yyjson_is_null(at(document, "/lifetime/first_purchase_ms")));
    assert_true(yyjson_is_null(at(document, "/lifetime/last_purchase_ms")));
    assert_integer(document, "/lifetime/orders", 0);
    assert_real(document, "/lifetime/revenue", 0);
    assert_int_equal(yyjson_arr_size(at(document, "/lifetime/top_categories")), 0);
    assert_true(yyjson_is_arr(at(document, "/lifetime/top_channels")));
    assert_true(yyjson_is_null(at(document, "/lifetime/mean_interval_days")));
    assert_true(yyjson_is_null(at(document, "/lifetime/frequency")));
    assert_true(yyjson_is_null(at(document, "/lifetime/p_alive")));
    assert_true(yyjson_is_null(at(document, "/lifetime/expected_purchases")));
    assert_true(yyjson_is_null(at(document, "/lifetime/clv")));
    yyjson_doc_free(document);
}

/* Byte for byte: the shape of interface.md, in its order. */
static void the_text_is_as_documented(void **state) {
    (void)state;
    const struct customer_view view = {.as_of_ms = T0,
                                       .tiers = &tiers[1],
                                       .tiers_count = 1,
                                       .values = {scores, 1, metrics, 2},
                                       .first_purchase_ms = 1,
                                       .last_purchase_ms = 2,
                                       .orders = 3,
                                       .revenue = -4.5,
                                       .top_channels = categories,
                                       .top_channels_count = 1,
                                       .stages = {{3, 0.5}, NEVER_REACHED, NEVER_REACHED, NEVER_REACHED, NEVER_REACHED},
                                       .mean_interval_days = 2,
                                       .frequency = FREQUENCY_ONE_OFF,
                                       .referrals = 1,
                                       .money_scale = 100,
                                       .p_alive = 0.75,
                                       .expected_purchases = 1.5,
                                       .clv = 320};
    struct buffer out = {0};
    buffer_put_text(&out, "> "); /* appends */
    assert_int_equal(customer_json_write(text("c1"), &view, &out), 0);
    buffer_put_byte(&out, 0);
    assert_string_equal(
        out.data, "> {\"customer_id\":\"c1\",\"as_of_ms\":1735689600000,\"tiers\":{"
                  "\"churn_risk\":{\"tier\":\"low\",\"since_ms\":0,\"sequence\":1,"
                  "\"conditions\":[],\"to_next\":null,\"forecast\":null,\"forecast_conditions\":[],\"ahead\":[]}},"
                  "\"scores\":{\"r\":5.0},"
                  "\"metrics\":{\"revenue(90d)\":5200.0,\"purchases(90d)\":4.0},"
                  "\"lifetime\":{\"first_purchase_ms\":1,\"last_purchase_ms\":2,\"orders\":3,"
                  "\"revenue\":-4.5,\"top_categories\":[],"
                  "\"top_channels\":[{\"name\":\"books\",\"share\":0.75,\"weight\":6}],"
                  "\"stages\":{\"awareness\":{\"first_ms\":3,\"days\":0.5},"
                  "\"interest\":{\"first_ms\":null,\"days\":null},"
                  "\"decision\":{\"first_ms\":null,\"days\":null},"
                  "\"purchase\":{\"first_ms\":null,\"days\":null},"
                  "\"after_sales\":{\"first_ms\":null,\"days\":null}},"
                  "\"mean_interval_days\":2.0,\"frequency\":\"one_off\",\"referrals\":1,\"referred_customers\":0,"
                  "\"referred_revenue\":0.0,\"p_alive\":0.75,\"expected_purchases\":1.5,\"clv\":320.0}}");
    buffer_finish(&out);
}

static void an_id_that_is_no_text_is_refused(void **state) {
    (void)state;
    struct buffer out = {0};
    assert_int_equal(customer_json_write(text("\xFF"), &full, &out), ERR_INVALID);
    assert_int_equal(out.size, 0);
    buffer_finish(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tier_tells_why_and_what_comes_next),
        cmocka_unit_test(the_top_tier_has_no_next_one),
        cmocka_unit_test(a_life_tells_favourites_and_stages),
        cmocka_unit_test(a_set_without_a_tier_yet_is_null),
        cmocka_unit_test(values_are_reals_or_null),
        cmocka_unit_test(one_who_never_bought_has_empty_parts),
        cmocka_unit_test(the_text_is_as_documented),
        cmocka_unit_test(an_id_that_is_no_text_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What HTTP tells of everybody, at the edges: the rest is checked end to end against the oracle. */
#include "serve/overview_json.h"

#include "base/clock.h"
#include "score/metrics.h"
#include "support/model_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const char RULES[] = "set value\ntier vip = purchases >= 2\nlabel service dedicated\ntier rest\nlabel alert us\n"
                            "set mood\ntier happy = nps >= 50\ntier other\n";

static void assert_json(struct buffer *out, const char *expected) {
    buffer_put_byte(out, '\0');
    assert_string_equal(out->data, expected);
    buffer_finish(out);
}

static void a_set_without_customers_has_no_shares(void **state) {
    (void)state;
    static const int64_t customers[] = {1, 3, 0, 0};
    struct buffer out = {0};
    assert_int_equal(tiers_json_write(model_of(&builder, RULES), customers, true, &out), 0);
    assert_json(&out, "{\"counting\":true,\"tier_sets\":[{\"name\":\"value\",\"customers\":4,\"tiers\":["
                      "{\"name\":\"vip\",\"customers\":1,\"share\":0.25,\"treatment\":{\"service\":\"dedicated\"}},"
                      "{\"name\":\"rest\",\"customers\":3,\"share\":0.75,\"treatment\":{\"alert\":\"us\"}}]},"
                      "{\"name\":\"mood\",\"customers\":0,\"tiers\":["
                      "{\"name\":\"happy\",\"customers\":0,\"share\":null,\"treatment\":{}},"
                      "{\"name\":\"other\",\"customers\":0,\"share\":null,\"treatment\":{}}]}]}");
}

#define NO_STATS                                                                                                       \
    "\"nps\":null,\"nps_margin\":null,\"nps_low\":null,\"nps_high\":null,\"promoters\":0,\"passives\":0,"              \
    "\"detractors\":0,\"csat\":null,\"csat_mean\":null,\"csat_answers\":0,\"ces\":null,\"ces_answers\":0,"             \
    "\"complaints\":0,\"review_mean\":null,\"reviews\":0"

static void days_are_dates_and_no_answer_is_no_number(void **state) {
    (void)state;
    static const struct feedback_day days[] = {
        {.day = -1, .start_ms = -86400000}, {.day = 0, .start_ms = 0}, {.day = 19782, .start_ms = 5}};
    const struct feedback_overview feedback = {.days = days, .days_count = 3};
    struct buffer out = {0};
    assert_int_equal(feedback_json_write(&feedback, &out), 0);
    assert_json(&out, "{\"days\":3,\"by\":null,\"ces_is\":\"mean\",\"total\":{" NO_STATS "},\"by_day\":["
                      "{\"date\":\"1969-12-31\",\"start_ms\":-86400000," NO_STATS "},"
                      "{\"date\":\"1970-01-01\",\"start_ms\":0," NO_STATS "},"
                      "{\"date\":\"2024-02-29\",\"start_ms\":5," NO_STATS "}],\"groups\":[]}");
}

enum { CES_COUNT = TILE_CES_COUNT - TILE_PROMOTERS, CES_SUM = TILE_CES_SUM - TILE_PROMOTERS };
enum { CES_EASY = TILE_CES_EASY - TILE_PROMOTERS, CES_HARD = TILE_CES_HARD - TILE_PROMOTERS };

static void effort_is_a_mean_or_a_share(void **state) {
    (void)state;
    static const struct feedback_day days[] = {
        {.counts = {[CES_COUNT] = 3, [CES_SUM] = 12, [CES_EASY] = 2, [CES_HARD] = 1}},
        {.counts = {[CES_COUNT] = 1, [CES_SUM] = 6, [CES_EASY] = 1}}};
    for (int share = 0; share < 2; share++) {
        const struct feedback_overview feedback = {
            .by = "tier", .ces_share = share == 1, .days = days, .days_count = 2};
        struct buffer out = {0};
        assert_int_equal(feedback_json_write(&feedback, &out), 0);
        buffer_put_byte(&out, '\0');
        assert_non_null(strstr(out.data, share ? "\"ces_is\":\"share\",\"total\"" : "\"ces_is\":\"mean\",\"total\""));
        assert_non_null(strstr(out.data, share ? "\"ces\":50.0,\"ces_answers\":4" : "\"ces\":4.5,\"ces_answers\":4"));
        buffer_finish(&out);
    }
}

static void alerts_say_how_many_there_are(void **state) {
    (void)state;
    const struct alert alert = {.customer_id = bytes_of_text("c\"1"),
                                .set = 0,
                                .tier = 1,
                                .since_ms = 5,
                                .value_at_risk = 12.5,
                                .p_alive = NO_VALUE,
                                .last_purchase_ms = TIME_NONE};
    struct buffer out = {0};
    assert_int_equal(alerts_json_write(model_of(&builder, RULES), &alert, 1, 7, 1, &out), 0);
    assert_json(&out, "{\"open\":7,\"limit\":1,\"alerts\":[{\"customer_id\":\"c\\\"1\",\"tier_set\":\"value\","
                      "\"tier\":\"rest\",\"since_ms\":5,\"treatment\":{\"alert\":\"us\"},\"value_at_risk\":12.5,"
                      "\"p_alive\":null,\"last_purchase_ms\":null}]}");
}

static void value_is_told_in_major_units_and_by_local_days(void **state) {
    (void)state;
    static const struct zone_offset offsets[] = {{TIME_NONE, 2 * 3600000}};
    const struct zone zone = {offsets, 1};
    static const struct valued tiers[] = {{1, 250}, {2, -50}, {0, 0}, {3, 200}};
    static const struct valued days[] = {{0, 0}, {1, 250}};
    const struct value_overview value = {.as_of_ms = 7,
                                         .counted = 0.5,
                                         .all = {3, 200},
                                         .tiers = tiers,
                                         .alerting = {2, -50},
                                         .zone = &zone,
                                         .today = 19782,
                                         .days = days,
                                         .days_count = 2};
    struct buffer out = {0};
    assert_int_equal(value_json_write(model_of(&builder, RULES), &value, &out), 0);
    assert_json(&out, "{\"as_of_ms\":7,\"counted\":0.5,\"customers\":3,\"value\":2.0,\"days\":2,\"at_risk\":{"
                      "\"now\":{\"customers\":2,\"value\":-0.5},\"by_day\":["
                      "{\"date\":\"2024-02-29\",\"start_ms\":1709157600000,\"customers\":0,\"value\":0.0},"
                      "{\"date\":\"2024-03-01\",\"start_ms\":1709244000000,\"customers\":1,\"value\":2.5}]},"
                      "\"tier_sets\":[{\"name\":\"value\",\"tiers\":["
                      "{\"name\":\"vip\",\"customers\":1,\"value\":2.5},"
                      "{\"name\":\"rest\",\"customers\":2,\"value\":-0.5}]},{\"name\":\"mood\",\"tiers\":["
                      "{\"name\":\"happy\",\"customers\":0,\"value\":0.0},"
                      "{\"name\":\"other\",\"customers\":3,\"value\":2.0}]}]}");
}

static void what_is_not_known_of_a_task_is_null(void **state) {
    (void)state;
    static const char *const topics[] = {"p", "i", "f"};
    const struct task_overview task = {.partition = 3,
                                       .owner = {NULL, 0},
                                       .worker = -1,
                                       .state = "elsewhere",
                                       .clock_ms = TIME_NONE,
                                       .fired_ms = TIME_NONE,
                                       .offsets = {OFFSET_NONE, 0, 7},
                                       .lag = {-1, 0, 2}};
    const struct process_overview process = {.group = "g",
                                             .topics = topics,
                                             .rules = bytes_of_text("r"),
                                             .reason = "starts",
                                             .tasks = &task,
                                             .tasks_count = 1};
    struct buffer out = {0};
    assert_int_equal(tasks_json_write(&process, &out), 0);
    assert_json(&out,
                "{\"group\":\"g\",\"version\":\"" TIDEMARK_VERSION "\",\"rules\":\"r\",\"ready\":false,"
                "\"reason\":\"starts\",\"kafka_up\":false,\"redis_up\":false,\"workers\":0,\"tasks\":[{\"task\":3,"
                "\"owner\":null,\"here\":false,\"worker\":null,\"state\":\"elsewhere\",\"problem\":null,"
                "\"clock_ms\":null,\"fired_ms\":null,\"inputs\":{"
                "\"purchases\":{\"topic\":\"p\",\"offset\":null,\"lag\":null},"
                "\"interactions\":{\"topic\":\"i\",\"offset\":0,\"lag\":0},"
                "\"feedback\":{\"topic\":\"f\",\"offset\":7,\"lag\":2}},"
                "\"outbox\":0,\"wheel_hours\":0,\"edition\":0,\"sweeping\":false}]}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_set_without_customers_has_no_shares),
        cmocka_unit_test(days_are_dates_and_no_answer_is_no_number),
        cmocka_unit_test(effort_is_a_mean_or_a_share),
        cmocka_unit_test(alerts_say_how_many_there_are),
        cmocka_unit_test(value_is_told_in_major_units_and_by_local_days),
        cmocka_unit_test(what_is_not_known_of_a_task_is_null),
    };
    return cmocka_run_group_tests(tests, builder_set_up, builder_tear_down);
}

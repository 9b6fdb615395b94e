/* Company-wide feedback: what is counted, per day and dimension, and what is bounded. */
#include "run/company_feedback.h"

#include "support/scoring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- a store that remembers, by day and field ---- */

enum { KEPT_MAX = 8192 };

struct kept {
    int32_t day;
    char field[200];
    int64_t number;
};

static struct kept kept[KEPT_MAX];
static size_t kept_count;
static int32_t dropped[1024];
static size_t dropped_count;

static void add_feedback(void *context, int32_t day, struct bytes field, int64_t delta) {
    (void)context;
    size_t at = 0;
    while (at < kept_count && (kept[at].day != day || !bytes_equal_text(field, kept[at].field))) {
        at++;
    }
    if (at == kept_count) {
        assert_true(kept_count < KEPT_MAX);
        kept[kept_count++].day = day;
        snprintf(kept[at].field, sizeof kept[at].field, "%.*s", (int)field.size, field.data);
        kept[at].number = 0;
    }
    assert_true(delta != 0);
    kept[at].number += delta;
}

static void drop_feedback(void *context, int32_t day) {
    (void)context;
    for (size_t i = kept_count; i-- > 0;) {
        if (kept[i].day == day) {
            kept[i] = kept[--kept_count];
        }
    }
    assert_true(dropped_count < sizeof dropped / sizeof *dropped);
    dropped[dropped_count++] = day;
}

static const struct store_ops ops = {.add_feedback = add_feedback, .drop_feedback = drop_feedback};
static struct store store = {NULL, &ops};

static int64_t number(int32_t day, const char *field) {
    for (size_t i = 0; i < kept_count; i++) {
        if (kept[i].day == day && strcmp(kept[i].field, field) == 0) {
            return kept[i].number;
        }
    }
    return 0;
}

/* ---- the company ---- */

static struct model_builder builder;
static const struct model *model;
static struct company_feedback *feedback;
static struct customer *customer;

#define DAY_0 20089 /* of TEST_START_MS */

static int set_up(void **state) {
    (void)state;
    kept_count = dropped_count = 0;
    model_builder_init(&builder);
    model = model_of(&builder, "set value\ntier vip = purchases >= 1\ntier rest\nset mood\ntier all\n");
    feedback = company_feedback_create(model);
    assert_non_null(feedback);
    customer = customer_create(model);
    company_feedback_start(feedback, TIME_NONE);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    customer_destroy(customer);
    company_feedback_destroy(feedback);
    model_builder_finish(&builder);
    return 0;
}

static void answer_of(enum survey survey, int score, int64_t time_ms, const char *channel, const char *touchpoint,
                      int64_t clock_ms) {
    struct activity activity = test_feedback(NULL, time_ms, survey, score);
    activity.feedback.channel = bytes_of_text(channel);
    activity.feedback.touchpoint = bytes_of_text(touchpoint);
    test_apply(&builder, customer, model, activity);
    company_feedback_count(feedback, &activity, customer, clock_ms);
}

static void answer(enum survey survey, int score, const char *channel, const char *touchpoint) {
    answer_of(survey, score, TEST_AT(0, 0), channel, touchpoint, TEST_AT(0, 0));
}

static void put(int64_t clock_ms) {
    company_feedback_put(feedback, &store, clock_ms);
}

/* ---- tests ---- */

static void an_answer_counts_in_every_dimension(void **state) {
    (void)state;
    answer(SURVEY_NPS, 9, "web", "delivery");
    put(TEST_AT(0, 0));
    static const char *const fields[] = {"all//promoters", "tier:value/rest/promoters", "tier:mood/all/promoters",
                                         "channel/web/promoters", "touchpoint/delivery/promoters"};
    assert_int_equal(kept_count, sizeof fields / sizeof *fields);
    for (size_t i = 0; i < kept_count; i++) {
        assert_int_equal(number(DAY_0, fields[i]), 1);
    }
    test_apply(&builder, customer, model, test_purchase(NULL, TEST_AT(0, 0), 1));
    answer(SURVEY_NPS, 7, NULL, NULL); /* in the tier that the customer is in now */
    put(TEST_AT(0, 0));
    assert_int_equal(kept_count, 5 + 3);
    assert_int_equal(number(DAY_0, "all//passives"), 1);
    assert_int_equal(number(DAY_0, "tier:value/vip/passives"), 1);
    assert_int_equal(number(DAY_0, "tier:mood/all/passives"), 1);
    put(TEST_AT(0, 0)); /* nothing new */
    assert_int_equal(number(DAY_0, "all//promoters"), 1);
}

static void every_survey_has_its_counters(void **state) {
    (void)state;
    for (int score = 0; score <= 10; score++) {
        answer(SURVEY_NPS, score, NULL, NULL);
    }
    for (int score = 1; score <= 5; score++) {
        answer(SURVEY_CSAT, score, NULL, NULL);
        answer(SURVEY_REVIEW, score, NULL, NULL);
    }
    for (int score = 1; score <= 7; score++) {
        answer(SURVEY_CES, score, NULL, NULL);
    }
    answer(SURVEY_COMPLAINT, 0, NULL, NULL);
    answer(SURVEY_COMPLAINT, 0, NULL, NULL);
    put(TEST_AT(0, 0));
    static const int64_t expected[FEEDBACK_COUNTERS] = {
        [FEEDBACK_PROMOTERS] = 2,   [FEEDBACK_PASSIVES] = 2, [FEEDBACK_DETRACTORS] = 7, [FEEDBACK_CSAT_COUNT] = 5,
        [FEEDBACK_CSAT_SUM] = 15,   [FEEDBACK_CSAT_TOP] = 2, [FEEDBACK_CES_COUNT] = 7,  [FEEDBACK_CES_SUM] = 28,
        [FEEDBACK_CES_EASY] = 3,    [FEEDBACK_CES_HARD] = 3, [FEEDBACK_COMPLAINTS] = 2, [FEEDBACK_REVIEW_COUNT] = 5,
        [FEEDBACK_REVIEW_SUM] = 15,
    };
    for (int counter = 0; counter < FEEDBACK_COUNTERS; counter++) {
        char field[64];
        snprintf(field, sizeof field, "all//%s", feedback_counter_name((enum feedback_counter)counter));
        assert_int_equal(number(DAY_0, field), expected[counter]);
    }
    assert_int_equal(kept_count, 3 * FEEDBACK_COUNTERS);
}

static void answers_count_on_their_own_day(void **state) {
    (void)state;
    answer_of(SURVEY_NPS, 9, TEST_AT(0, MS_PER_DAY - 1), "web", NULL, TEST_AT(3, 0));
    answer_of(SURVEY_NPS, 9, TEST_AT(1, 0), "web", NULL, TEST_AT(3, 0));
    answer_of(SURVEY_NPS, 0, TEST_AT(1, 0), "web", NULL, TEST_AT(3, 0));
    put(TEST_AT(3, 0));
    assert_int_equal(number(DAY_0, "channel/web/promoters"), 1);
    assert_int_equal(number(DAY_0 + 1, "channel/web/promoters"), 1);
    assert_int_equal(number(DAY_0 + 1, "channel/web/detractors"), 1);
}

static void names_are_cut(void **state) {
    (void)state;
    char name[80];
    memset(name, 'x', sizeof name);
    memcpy(name + 63, "\xC3\xA9", 3); /* would be cut in two */
    answer(SURVEY_NPS, 9, name, "a/b");
    put(TEST_AT(0, 0));
    char field[160];
    snprintf(field, sizeof field, "channel/%.63s/promoters", name);
    assert_int_equal(number(DAY_0, field), 1);
    assert_int_equal(number(DAY_0, "touchpoint/a/b/promoters"), 1);
}

static void more_names_than_a_day_may_have_are_others(void **state) {
    (void)state;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < FEEDBACK_NAMES_MAX + 10; i++) {
            char channel[16];
            snprintf(channel, sizeof channel, "c%d", i);
            answer(SURVEY_NPS, 9, channel, "same");
        }
        put(TEST_AT(0, 0)); /* names are remembered from batch to batch */
    }
    assert_int_equal(number(DAY_0, "channel/c63/promoters"), 2);
    assert_int_equal(number(DAY_0, "channel/c64/promoters"), 0);
    assert_int_equal(number(DAY_0, "channel/other/promoters"), 20);
    assert_int_equal(number(DAY_0, "touchpoint/same/promoters"), 2 * (FEEDBACK_NAMES_MAX + 10));
    answer_of(SURVEY_NPS, 9, TEST_AT(1, 0), "c64", NULL, TEST_AT(1, 0)); /* another day */
    put(TEST_AT(1, 0));
    assert_int_equal(number(DAY_0 + 1, "channel/c64/promoters"), 1);
}

static void old_days_are_dropped_when_the_clock_passes(void **state) {
    (void)state;
    for (int day = 0; day < 5; day++) {
        answer_of(SURVEY_NPS, 9, TEST_AT(day, 0), NULL, NULL, TEST_AT(day, 0));
        put(TEST_AT(day, 0));
    }
    dropped_count = 0;
    put(TEST_AT(FEEDBACK_DAYS - 1, MS_PER_DAY - 1));
    assert_int_equal(number(DAY_0, "all//promoters"), 1); /* 400 days with today */
    dropped_count = 0;
    put(TEST_AT(FEEDBACK_DAYS, 0));
    assert_int_equal(dropped_count, 1);
    assert_int_equal(dropped[0], DAY_0);
    put(TEST_AT(FEEDBACK_DAYS, 5)); /* once */
    assert_int_equal(dropped_count, 1);
    put(TEST_AT(FEEDBACK_DAYS + 3, 0)); /* some days at once */
    assert_int_equal(dropped_count, 4);
    assert_int_equal(number(DAY_0 + 3, "all//promoters"), 0);
    assert_int_equal(number(DAY_0 + 4, "all//promoters"), 1);
    /* A clock that stands back drops nothing and brings nothing back. */
    put(TEST_AT(FEEDBACK_DAYS, 0));
    assert_int_equal(dropped_count, 4);
    put(TEST_AT(10 * FEEDBACK_DAYS, 0));
    assert_int_equal(kept_count, 0);
    assert_true(dropped_count < 600);
}

static void an_answer_of_a_day_gone_is_not_counted(void **state) {
    (void)state;
    int64_t clock_ms = TEST_AT(FEEDBACK_DAYS, 0);
    answer_of(SURVEY_NPS, 9, TEST_AT(1, 0), NULL, NULL, clock_ms);
    answer_of(SURVEY_NPS, 9, TEST_AT(0, MS_PER_DAY - 1), NULL, NULL, clock_ms);
    put(clock_ms);
    assert_int_equal(number(DAY_0, "all//promoters"), 0);
    assert_int_equal(number(DAY_0 + 1, "all//promoters"), 1);
    /* Counted while it was young enough, but the clock has gone on within the batch. */
    kept_count = 0;
    answer_of(SURVEY_NPS, 9, TEST_AT(1, 0), NULL, NULL, clock_ms);
    put(TEST_AT(FEEDBACK_DAYS + 1, 0));
    assert_int_equal(kept_count, 0);
}

/* After a take over days are dropped from where the last owner's clock stood. */
static void a_new_owner_goes_on_dropping(void **state) {
    (void)state;
    company_feedback_start(feedback, TEST_AT(FEEDBACK_DAYS, 0));
    put(TEST_AT(FEEDBACK_DAYS + 2, 0));
    assert_int_equal(dropped_count, 2);
    assert_int_equal(dropped[0], DAY_0 + 1);
    assert_int_equal(dropped[1], DAY_0 + 2);
    answer_of(SURVEY_NPS, 9, TEST_AT(FEEDBACK_DAYS, 0), NULL, NULL, TEST_AT(FEEDBACK_DAYS + 2, 0));
    company_feedback_start(feedback, TEST_AT(FEEDBACK_DAYS + 2, 0)); /* and forgets what was not written */
    put(TEST_AT(FEEDBACK_DAYS + 2, 0));
    assert_int_equal(kept_count, 0);
}

/* Any batches give the sums of one. */
static void many_answers_add_up(void **state) {
    (void)state;
    enum { DAYS = 300, CHANNELS = 7, ANSWERS = 4000 };
    static int64_t expected[DAYS][CHANNELS];
    struct test_random random = test_random_of(1);
    memset(expected, 0, sizeof expected);
    for (int i = 0; i < ANSWERS; i++) {
        char channel[16];
        int day = (int)test_random_below(&random, DAYS);
        int name = (int)test_random_below(&random, CHANNELS);
        struct activity activity = test_feedback(NULL, TEST_AT(day, 0), SURVEY_CES, 4);
        snprintf(channel, sizeof channel, "c%d", name);
        activity.feedback.channel = bytes_of_text(channel);
        company_feedback_count(feedback, &activity, customer, TEST_AT(DAYS, 0));
        expected[day][name] += 4;
        if (test_random_below(&random, 1500) == 0) {
            put(TEST_AT(DAYS, 0));
        }
    }
    put(TEST_AT(DAYS, 0));
    for (int day = 0; day < DAYS; day++) {
        for (int name = 0; name < CHANNELS; name++) {
            char field[64];
            snprintf(field, sizeof field, "channel/c%d/ces_sum", name);
            assert_int_equal(number(DAY_0 + day, field), expected[day][name]);
        }
    }
}

static void fields_can_be_taken_apart(void **state) {
    (void)state;
    struct bytes dimension;
    struct bytes value;
    enum feedback_counter counter;
    assert_true(feedback_field_parse(bytes_of_text("all//promoters"), &dimension, &value, &counter));
    assert_true(bytes_equal_text(dimension, "all"));
    assert_int_equal(value.size, 0);
    assert_int_equal(counter, FEEDBACK_PROMOTERS);
    assert_true(feedback_field_parse(bytes_of_text("tier:value/vip/review_sum"), &dimension, &value, &counter));
    assert_true(bytes_equal_text(dimension, "tier:value"));
    assert_true(bytes_equal_text(value, "vip"));
    assert_int_equal(counter, FEEDBACK_REVIEW_SUM);
    assert_true(feedback_field_parse(bytes_of_text("channel/a/b/ces_hard"), &dimension, &value, &counter));
    assert_true(bytes_equal_text(value, "a/b"));
    static const char *const none[] = {"", "/", "all", "all/promoters", "all//", "all//promoter", "tier/vip"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        assert_false(feedback_field_parse(bytes_of_text(none[i]), &dimension, &value, &counter));
    }
}

#define COMPANY_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        COMPANY_TEST(an_answer_counts_in_every_dimension),
        COMPANY_TEST(every_survey_has_its_counters),
        COMPANY_TEST(answers_count_on_their_own_day),
        COMPANY_TEST(names_are_cut),
        COMPANY_TEST(more_names_than_a_day_may_have_are_others),
        COMPANY_TEST(old_days_are_dropped_when_the_clock_passes),
        COMPANY_TEST(an_answer_of_a_day_gone_is_not_counted),
        COMPANY_TEST(a_new_owner_goes_on_dropping),
        COMPANY_TEST(many_answers_add_up),
        COMPANY_TEST(fields_can_be_taken_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Kinds of events: each has a number, and a name by which the config knows it. */
#include "score/answer.h"
#include "score/options.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void every_kind_has_a_number_and_a_name_of_its_own(void **state) {
    (void)state;
    for (int kind = 0; kind < ACTIVITY_KINDS; kind++) {
        assert_non_null(activity_kind_name(kind));
        for (int other = 0; other < kind; other++) {
            assert_string_not_equal(activity_kind_name(kind), activity_kind_name(other));
        }
    }
    assert_null(activity_kind_name(-1));
    assert_null(activity_kind_name(INT_MIN));
    assert_null(activity_kind_name(ACTIVITY_KINDS));
    static const struct {
        struct activity activity;
        const char *name;
    } cases[] = {
        {{.type = ACTIVITY_PURCHASE, .purchase.kind = PURCHASE_KIND_PURCHASE}, "purchase"},
        {{.type = ACTIVITY_PURCHASE, .purchase.kind = PURCHASE_KIND_CANCELLATION}, "cancellation"},
        {{.type = ACTIVITY_INTERACTION, .interaction.kind = INTERACTION_PAGE_VIEW}, "page_view"},
        {{.type = ACTIVITY_INTERACTION, .interaction.kind = INTERACTION_OTHER}, "other"},
        {{.type = ACTIVITY_FEEDBACK, .feedback.survey = SURVEY_NPS}, "nps"},
        {{.type = ACTIVITY_FEEDBACK, .feedback.survey = SURVEY_REVIEW}, "review"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_string_equal(activity_kind_name(activity_kind(&cases[i].activity)), cases[i].name);
    }
}

static void interactions_are_found_by_name(void **state) {
    (void)state;
    for (int kind = INTERACTION_PAGE_VIEW; kind <= INTERACTION_KINDS; kind++) {
        assert_int_equal(interaction_by_name(bytes_of_text(interaction_name(kind))), kind);
    }
    assert_int_equal(interaction_by_name(bytes_of_text("nap")), 0);
    assert_null(interaction_name(0));
    assert_null(interaction_name(INTERACTION_KINDS + 1));
}

/* The edges of every scale. */
static void answers_add_up_by_their_survey(void **state) {
    (void)state;
    static const struct {
        enum survey survey;
        int score;
        size_t count;
        struct answer_sum last;
    } answers[] = {
        {SURVEY_NPS, 10, 1, {TILE_PROMOTERS, 1}},       {SURVEY_NPS, 9, 1, {TILE_PROMOTERS, 1}},
        {SURVEY_NPS, 8, 1, {TILE_PASSIVES, 1}},         {SURVEY_NPS, 7, 1, {TILE_PASSIVES, 1}},
        {SURVEY_NPS, 6, 1, {TILE_DETRACTORS, 1}},       {SURVEY_NPS, 0, 1, {TILE_DETRACTORS, 1}},
        {SURVEY_CSAT, 4, 3, {TILE_CSAT_TOP, 1}},        {SURVEY_CSAT, 3, 3, {TILE_CSAT_TOP, 0}},
        {SURVEY_CES, 3, 4, {TILE_CES_HARD, 1}},         {SURVEY_CES, 4, 4, {TILE_CES_HARD, 0}},
        {SURVEY_COMPLAINT, 0, 1, {TILE_COMPLAINTS, 1}}, {SURVEY_REVIEW, 2, 2, {TILE_REVIEW_SUM, 2}},
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        const struct feedback feedback = {.survey = answers[i].survey, .score = answers[i].score};
        struct answer_sum sums[ANSWER_SUMS_MAX];
        size_t count = answer_sums(&feedback, sums);
        assert_int_equal(count, answers[i].count);
        assert_int_equal(sums[count - 1].field, answers[i].last.field);
        assert_int_equal(sums[count - 1].amount, answers[i].last.amount);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_has_a_number_and_a_name_of_its_own),
        cmocka_unit_test(interactions_are_found_by_name),
        cmocka_unit_test(answers_add_up_by_their_survey),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The ready-made tier sets of config/: each takes a customer through every one of its tiers, alone and beside all the others. The RFM
 * sets are in test_ready_made_rfm.c. */
#include "support/model_fixture.h"
#include "support/ready_made.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* r 5, f 1, m 2 make ordinary; f 2, m 3 potential; f 4, m 4 vip. r falls after 30 and 60 days: 11 is too few, for a week. After a year
 * the purchases leave one by one. */
static void value(void **state) {
    (void)state;
    const struct activity activities[] = {LOGS_IN(0),     BUYS(10, 6000), BUYS(20, 6000),
                                          BUYS(30, 6000), BUYS(31, 6000), BUYS(32, 6000)};
    WALK("value.yaml", "value", activities, 2000,
         "value FIRST -> dormant #1 at 0d+0 by INTERACTION\n"
         "value UP dormant -> ordinary #2 at 10d+0 by PURCHASE\n"
         "value UP ordinary -> potential #3 at 20d+0 by PURCHASE\n"
         "value UP potential -> vip #4 at 32d+0 by PURCHASE\n"
         "value WILL_FALL vip -> potential #4 at 85d+1 by TIME\n"
         "value DOWN vip -> potential #5 at 99d+1 by TIME\n"
         "value WILL_FALL potential -> ordinary #5 at 368d+0 by TIME\n"
         "value DOWN potential -> ordinary #6 at 382d+0 by TIME\n"
         "value WILL_FALL ordinary -> dormant #6 at 398d+0 by TIME\n"
         "value DOWN ordinary -> dormant #7 at 412d+0 by TIME\n");
}

/* At 8 a potential customer stays one; at 7, when the purchase is 90 days ago, no longer. */
static void value_stays_a_point_below(void **state) {
    (void)state;
    struct config *config = ready_load("value.yaml");
    const struct activity activities[] = {BUYS(0, 6000), BUYS(1, 6000)};
    assert_string_equal(ready_walked(&builder, config, "value", activities, 2, TEST_AT(200, 0)),
                        "value FIRST -> ordinary #1 at 0d+0 by PURCHASE\n"
                        "value UP ordinary -> potential #2 at 1d+0 by PURCHASE\n"
                        "value WILL_FALL potential -> ordinary #2 at 84d+1 by TIME\n"
                        "value DOWN potential -> ordinary #3 at 98d+1 by TIME\n");
    config_destroy(config);
}

/* Loyal by the fifth purchase; back after having churned, and then by habit; back after a lapse only. */
static void lifecycle(void **state) {
    (void)state;
    const struct activity activities[] = {LOGS_IN(0),      BUYS(5, 1000),   BUYS(100, 1000),
                                          BUYS(150, 1000), BUYS(200, 1000), BUYS(250, 1000),
                                          BUYS(700, 1000), BUYS(720, 1000), BUYS(950, 1000)};
    WALK("lifecycle.yaml", "lifecycle", activities, 2000,
         "lifecycle FIRST -> prospect #1 at 0d+0 by INTERACTION\n"
         "lifecycle UP prospect -> first_time #2 at 5d+0 by PURCHASE\n"
         "lifecycle UP first_time -> repeat #3 at 100d+0 by PURCHASE\n"
         "lifecycle UP repeat -> loyal #4 at 250d+0 by PURCHASE\n"
         "lifecycle WILL_FALL loyal -> lapsing #4 at 416d+1 by TIME\n"
         "lifecycle DOWN loyal -> lapsing #5 at 430d+1 by TIME\n"
         "lifecycle WILL_FALL lapsing -> churned #5 at 601d+1 by TIME\n"
         "lifecycle DOWN lapsing -> churned #6 at 615d+1 by TIME\n"
         "lifecycle UP churned -> won_back #7 at 700d+0 by PURCHASE\n"
         "lifecycle UP won_back -> loyal #8 at 720d+0 by PURCHASE\n"
         "lifecycle WILL_FALL loyal -> lapsing #8 at 886d+1 by TIME\n"
         "lifecycle DOWN loyal -> lapsing #9 at 900d+1 by TIME\n"
         "lifecycle UP lapsing -> won_back #10 at 950d+0 by PURCHASE\n"
         "lifecycle WILL_FALL won_back -> lapsing #10 at 1116d+1 by TIME\n"
         "lifecycle DOWN won_back -> lapsing #11 at 1130d+1 by TIME\n"
         "lifecycle WILL_FALL lapsing -> churned #11 at 1301d+1 by TIME\n"
         "lifecycle DOWN lapsing -> churned #12 at 1315d+1 by TIME\n");
}

/* Who buys every three weeks is loyal by the third purchase, and remains so; who comes back needs the second to repeat. */
static void lifecycle_of_the_frequent_and_the_seldom(void **state) {
    (void)state;
    struct config *config = ready_load("lifecycle.yaml");
    const struct activity often[] = {BUYS(0, 1000), BUYS(20, 1000), BUYS(40, 1000), BUYS(200, 1000)};
    assert_string_equal(ready_walked(&builder, config, "lifecycle", often, 4, TEST_AT(300, 0)),
                        "lifecycle FIRST -> first_time #1 at 0d+0 by PURCHASE\n"
                        "lifecycle UP first_time -> repeat #2 at 20d+0 by PURCHASE\n"
                        "lifecycle UP repeat -> loyal #3 at 40d+0 by PURCHASE\n");
    const struct activity seldom[] = {BUYS(0, 1000), BUYS(181, 1000), BUYS(300, 1000)};
    assert_string_equal(ready_walked(&builder, config, "lifecycle", seldom, 3, TEST_AT(310, 0)),
                        "lifecycle FIRST -> first_time #1 at 0d+0 by PURCHASE\n"
                        "lifecycle WILL_FALL first_time -> lapsing #1 at 166d+1 by TIME\n"
                        "lifecycle DOWN first_time -> lapsing #2 at 180d+1 by TIME\n"
                        "lifecycle UP lapsing -> won_back #3 at 181d+0 by PURCHASE\n"
                        "lifecycle UP won_back -> repeat #4 at 300d+0 by PURCHASE\n");
    config_destroy(config);
}

/* 499 and 1 points make gold; then 1667 x 1.2 make 2500.4. After a year green is two steps below, each of a year. */
static void loyalty(void **state) {
    (void)state;
    const struct activity activities[] = {BUYS(0, 49900), BUYS(10, 100), BUYS(20, 166700)};
    WALK("loyalty.yaml", "loyalty", activities, 2000,
         "loyalty FIRST -> green #1 at 0d+0 by PURCHASE\n"
         "loyalty UP green -> gold #2 at 10d+0 by PURCHASE\n"
         "loyalty UP gold -> reserve #3 at 20d+0 by PURCHASE\n"
         "loyalty WILL_FALL reserve -> gold #3 at 355d+0 by TIME\n"
         "loyalty DOWN reserve -> gold #4 at 385d+0 by TIME\n"
         "loyalty WILL_FALL gold -> green #4 at 720d+0 by TIME\n"
         "loyalty DOWN gold -> green #5 at 750d+0 by TIME\n");
}

static void abc(void **state) {
    (void)state;
    const struct activity activities[] = {BUYS(0, 10000), BUYS(10, 20000), BUYS(60, 80000)};
    WALK("abc.yaml", "abc", activities, 2000,
         "abc FIRST -> c #1 at 0d+0 by PURCHASE\n"
         "abc UP c -> b #2 at 10d+0 by PURCHASE\n"
         "abc UP b -> a #3 at 60d+0 by PURCHASE\n"
         "abc DOWN a -> b #4 at 389d+0 by TIME\n"
         "abc DOWN b -> c #5 at 439d+0 by TIME\n");
}

static void feedback(void **state) {
    (void)state;
    const struct activity activities[] = {LOGS_IN(0),    BUYS(1, 1000),  ANSWERS(2, 7), ANSWERS(3, 9),
                                          COMPLAINS(10), ANSWERS(95, 0), ANSWERS(96, 0)};
    WALK("feedback.yaml", "feedback", activities, 2000,
         "feedback FIRST -> silent #1 at 0d+0 by INTERACTION\n"
         "feedback UP silent -> passive #2 at 2d+0 by FEEDBACK\n"
         "feedback UP passive -> promoter #3 at 3d+0 by FEEDBACK\n"
         "feedback DOWN promoter -> promoter_at_risk #4 at 10d+0 by FEEDBACK\n"
         "feedback UP promoter_at_risk -> promoter #5 at 40d+0 by TIME\n"
         "feedback DOWN promoter -> promoter_at_risk #6 at 91d+1 by TIME\n"
         "feedback DOWN promoter_at_risk -> passive #7 at 95d+0 by FEEDBACK\n"
         "feedback DOWN passive -> detractor_to_call #8 at 96d+0 by FEEDBACK\n"
         "feedback UP detractor_to_call -> silent #9 at 276d+0 by TIME\n");
}

static void rising(void **state) {
    (void)state;
    const struct activity activities[] = {LOGS_IN(0), BUYS(10, 2000), BUYS(45, 2000), BUYS(45, 3000), BUYS(50, 60000)};
    WALK("rising.yaml", "rising", activities, 2000,
         "rising FIRST -> quiet #1 at 0d+0 by INTERACTION\n"
         "rising UP quiet -> steady #2 at 10d+0 by PURCHASE\n"
         "rising UP steady -> rising #3 at 45d+0 by PURCHASE\n"
         "rising UP rising -> large #4 at 50d+0 by PURCHASE\n"
         "rising DOWN large -> steady #5 at 80d+0 by TIME\n"
         "rising DOWN steady -> quiet #6 at 110d+0 by TIME\n");
}

/* The rise is over on day 70, when the month before has no purchase any more; the tier lasts until the 14 days are. */
static void rising_lasts_two_weeks(void **state) {
    (void)state;
    struct config *config = ready_load("rising.yaml");
    const struct activity activities[] = {BUYS(10, 1000), BUYS(65, 1000), BUYS(65, 1000)};
    assert_string_equal(ready_walked(&builder, config, "rising", activities, 3, TEST_AT(100, 0)),
                        "rising FIRST -> steady #1 at 10d+0 by PURCHASE\n"
                        "rising UP steady -> rising #2 at 65d+0 by PURCHASE\n"
                        "rising DOWN rising -> steady #3 at 79d+0 by TIME\n");
    config_destroy(config);
}

/* With two purchases after the first, p_alive passes c at T = (alpha + 2) ((1 / c - 1) (b + 2) / a)^(1 / (r + 2)) - alpha weeks: 4.58 for
 * 0.67 and 12.35 for 0.34. */
static void churn(void **state) {
    (void)state;
    const struct activity activities[] = {LOGS_IN(0), BUYS(1, 1000), BUYS(8, 1000), BUYS(15, 1000)};
    WALK("churn.yaml", "churn_risk", activities, 2000,
         "churn_risk FIRST -> no_purchase #1 at 0d+0 by INTERACTION\n"
         "churn_risk UP no_purchase -> medium #2 at 1d+0 by PURCHASE\n"
         "churn_risk UP medium -> low #3 at 8d+0 by PURCHASE\n"
         "churn_risk DOWN low -> medium #4 at 33d+5315123 by TIME\n"
         "churn_risk DOWN medium -> high #5 at 87d+35984611 by TIME\n");
}

/* ---- the folder ---- */

static void every_file_is_tested(void **state) {
    (void)state;
    DIR *folder = opendir(READY_FOLDER);
    size_t found = 0;
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        const char *dot = strrchr(entry->d_name, '.');
        if (!dot || strcmp(dot, ".yaml") != 0 || strcmp(entry->d_name, "sample.yaml") == 0) {
            continue;
        }
        size_t i = 0;
        while (i < READY_COUNT && strcmp(entry->d_name, READY[i]) != 0) {
            i++;
        }
        if (i == READY_COUNT) {
            fail_msg("config/%s is not tested", entry->d_name);
        }
        found++;
    }
    closedir(folder);
    assert_int_equal(found, READY_COUNT);
}

static void all_together_are_one_configuration(void **state) {
    (void)state;
    struct config *config = ready_load_all();
    assert_int_equal(model_sets_count(config->model), READY_COUNT);
    assert_string_equal(config->group, "ready");
    config_destroy(config);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, builder_set_up, builder_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(every_file_is_tested),
        TEST(all_together_are_one_configuration),
        TEST(value),
        TEST(value_stays_a_point_below),
        TEST(churn),
        TEST(lifecycle),
        TEST(lifecycle_of_the_frequent_and_the_seldom),
        TEST(loyalty),
        TEST(abc),
        TEST(feedback),
        TEST(rising),
        TEST(rising_lasts_two_weeks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

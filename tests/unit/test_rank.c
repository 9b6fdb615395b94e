/* Ranks, histograms and cut points against exact computations over sorted values. */
#include "score/rank.h"

#include "support/model_builder.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { BUCKETS_MAX = 20000 };

static int by_value(const void *a, const void *b) {
    double first = *(const double *)a;
    double second = *(const double *)b;
    return (first > second) - (first < second);
}

/* The histogram of values that are sorted already. */
static size_t histogram(const double *values, size_t count, struct rank_count *out) {
    size_t buckets = 0;
    for (size_t i = 0; i < count; i++) {
        int32_t bucket = rank_bucket(values[i]);
        if (buckets == 0 || out[buckets - 1].bucket != bucket) {
            assert_true(buckets < BUCKETS_MAX);
            out[buckets++] = (struct rank_count){bucket, 0};
        }
        out[buckets - 1].customers++;
    }
    return buckets;
}

static int score_by(const struct score_cuts *cuts, bool best_low, double value) {
    int score = 1;
    for (size_t i = 0; i < cuts->count; i++) {
        int32_t bucket = rank_bucket(value);
        score += best_low ? bucket <= cuts->buckets[i] : bucket >= cuts->buckets[i];
    }
    return score;
}

/* 1 + the whole part of n x (share of the customers who are worse). */
static int exact_score(const double *values, size_t count, int n, bool best_low, double value) {
    size_t worse = 0;
    size_t low = 0;
    size_t high = count;
    while (low < high) { /* how many are less */
        size_t middle = (low + high) / 2;
        if (best_low ? values[middle] <= value : values[middle] < value) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    worse = best_low ? count - low : low;
    return 1 + (int)((double)n * (double)worse / (double)count);
}

static double draw(struct test_random *random, int shape) {
    double uniform = ((double)test_random_below(random, 1000000) + 0.5) / 1e6;
    switch (shape) {
    case 0: /* heavy tail, as spending */
        return 20.0 * pow(uniform, -0.9);
    case 1: /* counts with many ties and zeros */
        return floor(6.0 * uniform * uniform);
    case 2: /* both signs, as scores of surveys */
        return floor(200.0 * uniform) - 100.0;
    default:
        return 1000.0 * uniform;
    }
}

/* A customer is scored as the exact rank says, or as that of somebody within 1 % of it. */
static void check_quantiles(size_t count, int shape, int n, bool best_low, uint64_t seed) {
    struct test_random random = test_random_of(seed);
    double *values = malloc(count * sizeof *values);
    struct rank_count *counts = malloc(BUCKETS_MAX * sizeof *counts);
    assert_true(values && counts);
    for (size_t i = 0; i < count; i++) {
        values[i] = draw(&random, shape);
    }
    qsort(values, count, sizeof *values, by_value);
    struct rank_rule rule = {.quantiles = n, .best_low = best_low};
    struct score_cuts cuts = rank_cuts(&rule, counts, histogram(values, count, counts), 1);
    assert_true(cuts.known);
    assert_int_equal(cuts.count, n - 1);
    size_t step = count > 5000 ? count / 5000 : 1;
    for (size_t i = 0; i < count; i += step) {
        int score = score_by(&cuts, best_low, values[i]);
        double slack = fabs(values[i]) * 0.01 + 0.01;
        int a = exact_score(values, count, n, best_low, values[i] - slack);
        int b = exact_score(values, count, n, best_low, values[i] + slack);
        assert_in_range(score, a < b ? a : b, a < b ? b : a);
    }
    free(values);
    free(counts);
}

static void quantiles_are_within_one_per_cent_of_exact(void **state) {
    (void)state;
    static const size_t counts[] = {1, 2, 3, 7, 100, 1000, 1000000};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        for (int shape = 0; shape < 4; shape++) {
            check_quantiles(counts[c], shape, 5, false, c + 1);
            check_quantiles(counts[c], shape, 4, true, c + 100);
        }
    }
}

static void ties_are_worst_and_alike(void **state) {
    (void)state;
    struct rank_rule rule = {.quantiles = 5};
    static const struct rank_count counts[] = {{0, 60}, {463, 20}, {533, 20}}; /* 0, about 1, about 2 */
    struct score_cuts cuts = rank_cuts(&rule, counts, 3, 1);
    assert_int_equal(score_by(&cuts, false, 0), 1); /* nobody is worse: not the median's score */
    assert_int_equal(score_by(&cuts, false, rank_bucket_least(463) * 1.001), 4);
    assert_int_equal(score_by(&cuts, false, rank_bucket_least(533) * 1.001), 5);
    static const struct rank_count one[] = {{100, 1000}};
    cuts = rank_cuts(&rule, one, 1, 1);
    assert_int_equal(score_by(&cuts, false, rank_bucket_least(100) * 1.001), 1);
}

static void too_few_customers_are_not_cut(void **state) {
    (void)state;
    struct rank_rule rule = {.quantiles = 5};
    static const struct rank_count counts[] = {{1, 50}, {2, 49}};
    assert_false(rank_cuts(&rule, counts, 2, 100).known);
    assert_true(rank_cuts(&rule, counts, 2, 99).known);
    assert_false(rank_cuts(&rule, NULL, 0, 1).known);
}

static void buckets_grow_with_the_value_and_are_one_per_cent_wide(void **state) {
    (void)state;
    int32_t before = rank_bucket(-1e12);
    for (double value = -1e12; value < 1e12; value += fabs(value) * 0.003 + 0.001) {
        int32_t bucket = rank_bucket(value);
        assert_true(bucket >= before);
        before = bucket;
    }
    assert_int_equal(rank_bucket(0), 0);
    assert_int_equal(rank_bucket(0.0099), 0);
    assert_int_equal(rank_bucket(-5), -rank_bucket(5));
    for (int32_t bucket = 1; bucket < 3000; bucket++) {
        double least = rank_bucket_least(bucket);
        assert_int_equal(rank_bucket(least * 1.0001), bucket);
        assert_int_equal(rank_bucket(least * 1.0099), bucket);
        assert_int_equal(rank_bucket(least * 1.0101), bucket + 1);
    }
}

/* ABC: whoever is not needed for the first 80 % is not an A. */
static void shares_follow_the_sum_from_the_best_down(void **state) {
    (void)state;
    enum { COUNT = 20000 };
    static const double shares[] = {80, 95};
    struct rank_rule rule = {.shares = shares, .shares_count = 2};
    double *values = malloc(COUNT * sizeof *values);
    struct rank_count *counts = malloc(BUCKETS_MAX * sizeof *counts);
    assert_true(values && counts);
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct test_random random = test_random_of(seed);
        double total = 0;
        for (size_t i = 0; i < COUNT; i++) {
            values[i] = test_random_below(&random, 4) == 0 ? -5.0 : draw(&random, 0);
            total += values[i] > 0 ? values[i] : 0;
        }
        qsort(values, COUNT, sizeof *values, by_value);
        struct score_cuts cuts = rank_cuts(&rule, counts, histogram(values, COUNT, counts), 100);
        assert_int_equal(cuts.count, 2);
        double better = 0;
        for (size_t i = COUNT; i-- > 0;) {
            int score = score_by(&cuts, false, values[i]);
            double share = 100.0 * better / total;
            /* A bucket has 1 % of width: near a border either class is right. */
            assert_true(score == 3 || share > 79.0);
            assert_true(score != 3 || share < 81.0);
            assert_true(score >= 2 || share > 94.0 || values[i] <= 0);
            assert_true(score != 2 || share < 96.0);
            better += values[i] > 0 ? values[i] : 0;
        }
        assert_int_equal(score_by(&cuts, false, -5.0), 1);
    }
    free(values);
    free(counts);
}

/* ---- in a model ---- */

static void steps_stand_in_until_there_are_cut_points(void **state) {
    (void)state;
    struct model_builder builder;
    model_builder_init(&builder);
    struct model *model = model_of(&builder, "score m high quantiles 4 10 20 = revenue(30d)\n"
                                             "set value\ntier top = m >= 3\ntier rest\n");
    struct model *bound = model_copy_for_task(model);
    struct edition edition = {.since_ms = TIME_NONE};
    model_set_edition(bound, &edition);
    struct customer *customer = customer_create(bound);
    struct changes changes;
    changes_init(&changes, &builder.arena);
    struct activity purchase = test_purchase("a", TEST_AT(0, 0), 2500);
    customer_apply(customer, bound, &purchase, TIME_NONE, &changes);
    assert_string_equal(changes_text(&builder, bound, &changes), "value FIRST -> top #1 at 0d+0 by PURCHASE a\n");
    assert_int_equal(customer->ranks[0], rank_bucket(25));

    /* Cut points come into force a day later: 25 is now in the worst quarter. */
    edition = (struct edition){.number = 1, .since_ms = TEST_AT(1, 0), .cuts = {.version = 7}};
    edition.cuts.scores[0] =
        (struct score_cuts){.known = true, .count = 3, .buckets = {rank_bucket(50), rank_bucket(80), rank_bucket(90)}};
    changes_init(&changes, &builder.arena);
    customer_advance(customer, bound, TEST_AT(2, 0), &changes);
    assert_string_equal(changes_text(&builder, bound, &changes), "value DOWN top -> rest #2 at 1d+0 by RULES\n");
    assert_int_equal(changes.first->cuts_version, 7);
    assert_int_equal(customer->edition, 1);

    /* What its own purchase brings has that purchase as its cause, under the same cut points. */
    changes_init(&changes, &builder.arena);
    purchase = test_purchase("b", TEST_AT(3, 0), 6000);
    customer_apply(customer, bound, &purchase, TEST_AT(3, 0), &changes);
    assert_string_equal(changes_text(&builder, bound, &changes), "value UP rest -> top #3 at 3d+0 by PURCHASE b\n");
    assert_int_equal(customer->ranks[0], rank_bucket(85));

    /* The days leave the window: counted where it now is. */
    changes_init(&changes, &builder.arena);
    customer_advance(customer, bound, TEST_AT(40, 0), &changes);
    assert_string_equal(changes_text(&builder, bound, &changes), "value DOWN top -> rest #4 at 30d+0 by TIME\n");
    assert_int_equal(customer->ranks[0], 0);
    customer_destroy(customer);
    model_copy_destroy(bound);
    model_builder_finish(&builder);
}

static void the_least_value_of_a_bucket_is_the_least_in_it(void **state) {
    (void)state;
    static const int32_t buckets[] = {-2000, -2, -1, 0, 1, 2, 2000};
    for (size_t i = 0; i < sizeof buckets / sizeof *buckets; i++) {
        double least = rank_bucket_least(buckets[i]);
        double inside = 1e-9 * fabs(least);
        assert_int_equal(rank_bucket(least + inside), buckets[i]);
        assert_int_equal(rank_bucket(least - inside), buckets[i] - 1);
    }
    /* No value is beyond the outermost buckets. */
    assert_true(rank_bucket(HUGE_VAL) > rank_bucket(1e300));
    assert_true(rank_bucket(HUGE_VAL) >= rank_bucket(DBL_MAX));
    assert_int_equal(rank_bucket(-HUGE_VAL), -rank_bucket(HUGE_VAL));
}

static void cut_points_are_equal_if_nothing_differs(void **state) {
    (void)state;
    const struct cut_points cuts = {.scores[3] = {.known = true, .count = 2, .buckets = {5, 9}}};
    struct cut_points other = cuts;
    other.version = 7; /* a number, not a cut point */
    assert_true(cut_points_equal(&cuts, &other));
    other.scores[3].count = 1;
    assert_false(cut_points_equal(&cuts, &other));
    other = cuts;
    other.scores[3].known = false;
    assert_false(cut_points_equal(&cuts, &other));
    other = cuts;
    other.scores[3].buckets[1]++;
    assert_false(cut_points_equal(&cuts, &other));
}

/* Whoever makes the last of the sum has a share of it, even where doubles lose what they make beside the others. */
static void a_share_of_nearly_everything_takes_all_who_have_something(void **state) {
    (void)state;
    const struct rank_rule rule = {.shares = (const double[]){99.99999999999999}, .shares_count = 1};
    struct rank_count counts[24] = {{.bucket = -5, .customers = 3}, {.bucket = 0, .customers = 9}};
    for (int i = 2; i < 23; i++) {
        counts[i] = (struct rank_count){.bucket = 300 + i, .customers = 1};
    }
    counts[23] = (struct rank_count){.bucket = 350, .customers = (int64_t)1 << 54};
    struct score_cuts whole = rank_cuts(&rule, counts, 24, 0);
    assert_int_equal(whole.count, 1);
    assert_int_equal(whole.buckets[0], 302);
    struct score_cuts positive = rank_cuts(&rule, counts + 2, 22, 0);
    assert_int_equal(positive.buckets[0], 302);
}

/* Everybody's time goes on alike: a rank by elapsed time stays as it is until the customer buys. */
static void a_rank_by_elapsed_time_moves_only_with_events(void **state) {
    (void)state;
    struct model_builder builder;
    model_builder_init(&builder);
    struct model *model = model_of(&builder, "score r low quantiles 2 = days_since_purchase\n"
                                             "set s\ntier fresh = r >= 2\ntier rest\n");
    struct model *bound = model_copy_for_task(model);
    struct edition edition = {.number = 1, .since_ms = TIME_NONE, .cuts = {.version = 1}};
    edition.cuts.scores[0] =
        (struct score_cuts){.known = true,
                            .count = 1,
                            .buckets = {-(int32_t)(TEST_AT(10, 0) / MS_PER_HOUR)}}; /* bought on day 10 or later */
    model_set_edition(bound, &edition);
    struct customer *customer = customer_create(bound);
    struct changes changes;
    changes_init(&changes, &builder.arena);
    struct activity first = test_purchase("a", TEST_AT(9, 0), 100);
    struct activity second = test_purchase("b", TEST_AT(10, 0), 100);
    customer_apply(customer, bound, &first, TIME_NONE, &changes);
    customer_apply(customer, bound, &second, TIME_NONE, &changes);
    assert_true(customer_due_ms(customer, model) == TIME_NEVER);
    customer_advance(customer, bound, TEST_AT(1000, 0), &changes);
    assert_string_equal(changes_text(&builder, bound, &changes), "s FIRST -> rest #1 at 9d+0 by PURCHASE a\n"
                                                                 "s UP rest -> fresh #2 at 10d+0 by PURCHASE b\n");
    customer_destroy(customer);
    model_copy_destroy(bound);
    model_builder_finish(&builder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_within_one_per_cent_of_exact),
        cmocka_unit_test(ties_are_worst_and_alike),
        cmocka_unit_test(too_few_customers_are_not_cut),
        cmocka_unit_test(buckets_grow_with_the_value_and_are_one_per_cent_wide),
        cmocka_unit_test(shares_follow_the_sum_from_the_best_down),
        cmocka_unit_test(the_least_value_of_a_bucket_is_the_least_in_it),
        cmocka_unit_test(cut_points_are_equal_if_nothing_differs),
        cmocka_unit_test(a_share_of_nearly_everything_takes_all_who_have_something),
        cmocka_unit_test(steps_stand_in_until_there_are_cut_points),
        cmocka_unit_test(a_rank_by_elapsed_time_moves_only_with_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The RFM tables of config/ against their sources, code by code, and a walk through each. */
#include "support/model_fixture.h"
#include "support/ready_made.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { CODE_BYTES = 40 };

/* A segment and its codes, as its source has them. */
struct segment {
    const char *name;
    const char *codes;
};

static const char *segment_of(const struct segment *segments, size_t count, const char *code) {
    size_t at = 0;
    while (at < count && !strstr(segments[at].codes, code)) {
        at++;
    }
    return at < count ? segments[at].name : "other";
}

/* Somebody whose last of `days` purchase days is `last_day`. */
static struct customer *buyer(const struct model *model, int last_day, int days, int64_t cents_each) {
    struct customer *customer = customer_create(model);
    for (int i = days - 1; i >= 0; i--) {
        test_apply(&builder, customer, model, BUYS(last_day - i, cents_each));
    }
    return customer;
}

static const char *tier_after(struct customer *customer, const struct model *model, const char *set, int day) {
    struct changes changes;
    changes_init(&changes, &builder.arena);
    customer_advance(customer, model, TEST_AT(day, 0), &changes);
    const char *tier = ready_tier(customer, model, set);
    customer_destroy(customer);
    return tier;
}

/* Klaviyo's table, whole: domain knowledge, not derived from the file. */
static const struct segment KLAVIYO[] = {
    {"champions", "333 332 323"},       {"loyal", "321 322 331 232 233"},
    {"recent", "313 312 311 222 223"},  {"needs_attention", "213 221 123 132 133"},
    {"at_risk", "231 212 122 131 211"}, {"inactive", "111 112 113 121"},
};

static void rfm_segments_are_klaviyo_s(void **state) {
    (void)state;
    static const int day[] = {0, 500, 300, 180};            /* by r: how long ago */
    static const int64_t cents[] = {0, 9900, 29900, 30000}; /* by m: in all */
    struct config *config = ready_load("rfm-segments.yaml");
    for (int r = 1; r <= 3; r++) {
        for (int f = 1; f <= 3; f++) {
            for (int m = 1; m <= 3; m++) {
                char code[CODE_BYTES];
                snprintf(code, sizeof code, "%d%d%d", r, f, m);
                const char *expected = segment_of(KLAVIYO, 6, code);
                assert_string_not_equal(expected, "other");
                struct customer *customer = buyer(config->model, 10, f, cents[m] / f);
                assert_string_equal(tier_after(customer, config->model, "rfm_segment", 10 + day[r]), expected);
            }
        }
    }
    struct customer *visitor = customer_create(config->model);
    test_apply(&builder, visitor, config->model, LOGS_IN(0));
    assert_string_equal(tier_after(visitor, config->model, "rfm_segment", 1), "prospects");
    config_destroy(config);
}

static void rfm_segments(void **state) {
    (void)state;
    const struct activity activities[] = {LOGS_IN(0), BUYS(1, 5000), BUYS(400, 30000), BUYS(800, 1000)};
    WALK("rfm-segments.yaml", "rfm_segment", activities, 2000,
         "rfm_segment FIRST -> prospects #1 at 0d+0 by INTERACTION\n"
         "rfm_segment UP prospects -> recent #2 at 1d+0 by PURCHASE\n"            /* 311 */
         "rfm_segment DOWN recent -> at_risk #3 at 181d+1 by TIME\n"              /* 211 */
         "rfm_segment DOWN at_risk -> inactive #4 at 366d+1 by TIME\n"            /* 111 */
         "rfm_segment UP inactive -> champions #5 at 400d+0 by PURCHASE\n"        /* 323 */
         "rfm_segment DOWN champions -> recent #6 at 580d+1 by TIME\n"            /* 223 */
         "rfm_segment DOWN recent -> needs_attention #7 at 765d+1 by TIME\n"      /* 123 */
         "rfm_segment UP needs_attention -> champions #8 at 800d+0 by PURCHASE\n" /* 333 */
         "rfm_segment DOWN champions -> loyal #9 at 980d+1 by TIME\n"             /* 233 */
         "rfm_segment DOWN loyal -> needs_attention #10 at 1165d+1 by TIME\n");   /* 133 */
}

/* A cell is recency and frequency: from the visit on, at each frequency until recency is at its worst. */
static void rfm_grid(void **state) {
    (void)state;
    const struct activity activities[] = {LOGS_IN(0),      BUYS(1, 1000),   BUYS(301, 1000), BUYS(601, 1000),
                                          BUYS(901, 1000), BUYS(902, 1000), BUYS(1201, 10),  BUYS(1202, 10),
                                          BUYS(1203, 10),  BUYS(1204, 10),  BUYS(1205, 10)};
    WALK("rfm-grid.yaml", "rfm_grid", activities, 2000,
         "rfm_grid FIRST -> prospects #1 at 0d+0 by INTERACTION\n"
         "rfm_grid UP prospects -> r5_f1 #2 at 1d+0 by PURCHASE\n"
         "rfm_grid DOWN r5_f1 -> r4_f1 #3 at 31d+1 by TIME\n"
         "rfm_grid DOWN r4_f1 -> r3_f1 #4 at 61d+1 by TIME\n"
         "rfm_grid DOWN r3_f1 -> r2_f1 #5 at 91d+1 by TIME\n"
         "rfm_grid DOWN r2_f1 -> r1_f1 #6 at 181d+1 by TIME\n"
         "rfm_grid UP r1_f1 -> r5_f2 #7 at 301d+0 by PURCHASE\n"
         "rfm_grid DOWN r5_f2 -> r4_f2 #8 at 331d+1 by TIME\n"
         "rfm_grid DOWN r4_f2 -> r3_f2 #9 at 361d+1 by TIME\n"
         "rfm_grid DOWN r3_f2 -> r2_f2 #10 at 391d+1 by TIME\n"
         "rfm_grid DOWN r2_f2 -> r1_f2 #11 at 481d+1 by TIME\n"
         "rfm_grid UP r1_f2 -> r5_f3 #12 at 601d+0 by PURCHASE\n"
         "rfm_grid DOWN r5_f3 -> r4_f3 #13 at 631d+1 by TIME\n"
         "rfm_grid DOWN r4_f3 -> r3_f3 #14 at 661d+1 by TIME\n"
         "rfm_grid DOWN r3_f3 -> r2_f3 #15 at 691d+1 by TIME\n"
         "rfm_grid DOWN r2_f3 -> r1_f3 #16 at 781d+1 by TIME\n"
         "rfm_grid UP r1_f3 -> r5_f3 #17 at 901d+0 by PURCHASE\n"
         "rfm_grid UP r5_f3 -> r5_f4 #18 at 902d+0 by PURCHASE\n"
         "rfm_grid DOWN r5_f4 -> r4_f4 #19 at 932d+1 by TIME\n"
         "rfm_grid DOWN r4_f4 -> r3_f4 #20 at 962d+1 by TIME\n"
         "rfm_grid DOWN r3_f4 -> r2_f4 #21 at 992d+1 by TIME\n"
         "rfm_grid DOWN r2_f4 -> r1_f4 #22 at 1082d+1 by TIME\n"
         "rfm_grid UP r1_f4 -> r5_f4 #23 at 1201d+0 by PURCHASE\n"
         "rfm_grid UP r5_f4 -> r5_f5 #24 at 1205d+0 by PURCHASE\n"
         "rfm_grid DOWN r5_f5 -> r4_f5 #25 at 1235d+1 by TIME\n"
         "rfm_grid DOWN r4_f5 -> r3_f5 #26 at 1265d+1 by TIME\n"
         "rfm_grid DOWN r3_f5 -> r2_f5 #27 at 1295d+1 by TIME\n"
         "rfm_grid DOWN r2_f5 -> r1_f5 #28 at 1385d+1 by TIME\n");
}

/* PyMC-Marketing's _default_rfm_segment_config. */
static const struct segment PYMC[] = {
    {"premium_customer", "334 443 444 344 434 433 343 333"},
    {"repeat_customer", "244 234 232 332 143 233 243"},
    {"top_spender", "424 414 144 314 324 124 224 423 413 133 323 313 134"},
    {"at_risk_customer", "422 223 212 122 222 132 322 312 412 123 214"},
    {"inactive_customer", "411 111 113 114 112 211 311"},
};

/* All 64 codes, of customers whose last purchase is on a day by r and who are looked at on one; counted by segment. */
static void assert_pymc(const struct model *model, const int *last_day, const int *days, const int64_t *cents, int at) {
    static const char *const names[] = {"premium_customer", "repeat_customer",   "top_spender",
                                        "at_risk_customer", "inactive_customer", "other"};
    static const int sizes[] = {8, 7, 13, 11, 7, 18};
    int counts[6] = {0};
    for (int i = 0; i < 64; i++) {
        int r = i / 16;
        int f = i / 4 % 4;
        int m = i % 4;
        char code[CODE_BYTES];
        snprintf(code, sizeof code, "%d%d%d", r + 1, f + 1, m + 1);
        const char *tier = tier_after(buyer(model, last_day[r], days[f], cents[m]), model, "rfm_quartile", at);
        assert_string_equal(tier, segment_of(PYMC, 5, code));
        for (int name = 0; name < 6; name++) {
            counts[name] += strcmp(tier, names[name]) == 0;
        }
    }
    assert_memory_equal(counts, sizes, sizeof sizes);
}

static void rfm_quartiles_are_pymc_s(void **state) {
    (void)state;
    static const int last_day[] = {319, 320, 410, 470};
    static const int days[] = {1, 2, 4, 5};
    static const int64_t cents[] = {2499, 2500, 9999, 10000};
    struct config *config = ready_load("rfm-quartiles.yaml");
    assert_pymc(config->model, last_day, days, cents, 500);
    struct customer *visitor = customer_create(config->model);
    test_apply(&builder, visitor, config->model, LOGS_IN(0));
    assert_string_equal(tier_after(visitor, config->model, "rfm_quartile", 1), "other");
    /* The codes that the description there, but not the table, has in Repeat. */
    static const char *const traps[] = {"341", "342", "431", "432", "441", "442"};
    for (int i = 0; i < 6; i++) {
        struct customer *trap =
            buyer(config->model, last_day[traps[i][0] - '1'], days[traps[i][1] - '1'], cents[traps[i][2] - '1']);
        assert_string_equal(tier_after(trap, config->model, "rfm_quartile", 500), "other");
    }
    config_destroy(config);
}

static void set_cuts(struct edition *edition, const struct model *model, const char *score, int32_t a, int32_t b,
                     int32_t c) {
    size_t ranked = 0;
    while (ranked < model_ranked_count(model) && !bytes_equal_text(model_ranked_name(model, ranked), score)) {
        ranked++;
    }
    assert_true(ranked < model_ranked_count(model));
    edition->cuts.scores[ranked] = (struct score_cuts){.known = true, .count = 3, .buckets = {a, b, c}};
}

/* The same by the customers' own quartiles, where the steps would say something else. */
static void rfm_quartiles_are_cut_by_rank(void **state) {
    (void)state;
    static const int last_day[] = {105, 115, 125, 135};
    static const int days[] = {6, 7, 8, 9};
    static const int64_t cents[] = {100, 300, 500, 700};
    struct config *config = ready_load("rfm-quartiles.yaml");
    struct model *bound = model_copy_for_task(config->model);
    struct edition edition = {.number = 1, .since_ms = TIME_NONE, .cuts = {.version = 1}};
    int32_t hour = -(int32_t)(TEST_START_MS / MS_PER_HOUR);
    set_cuts(&edition, bound, "r4", hour - 130 * 24, hour - 120 * 24, hour - 110 * 24);
    set_cuts(&edition, bound, "f4", rank_bucket(7), rank_bucket(8), rank_bucket(9));
    set_cuts(&edition, bound, "m4", rank_bucket(2), rank_bucket(4), rank_bucket(6));
    model_set_edition(bound, &edition);
    assert_pymc(bound, last_day, days, cents, 140);
    model_copy_destroy(bound);
    config_destroy(config);
}

static void rfm_quartiles(void **state) {
    (void)state;
    const struct activity activities[] = {LOGS_IN(0),     BUYS(1, 1000),  BUYS(2, 5000),
                                          BUYS(3, 40000), BUYS(4, 20000), BUYS(5, 20000)};
    WALK("rfm-quartiles.yaml", "rfm_quartile", activities, 2000,
         "rfm_quartile FIRST -> other #1 at 0d+0 by INTERACTION\n"
         "rfm_quartile UP other -> inactive_customer #2 at 1d+0 by PURCHASE\n"            /* 411 */
         "rfm_quartile UP inactive_customer -> at_risk_customer #3 at 2d+0 by PURCHASE\n" /* 422 */
         "rfm_quartile UP at_risk_customer -> premium_customer #4 at 3d+0 by PURCHASE\n"  /* 434 */
         "rfm_quartile DOWN premium_customer -> repeat_customer #5 at 95d+1 by TIME\n"    /* 244 */
         "rfm_quartile DOWN repeat_customer -> top_spender #6 at 185d+1 by TIME\n");      /* 144 */
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, builder_set_up, builder_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(rfm_segments),  TEST(rfm_segments_are_klaviyo_s), TEST(rfm_grid),
        TEST(rfm_quartiles), TEST(rfm_quartiles_are_pymc_s),   TEST(rfm_quartiles_are_cut_by_rank),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

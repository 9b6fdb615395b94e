/* The ready-made tier sets of config/: each takes a customer through every one of its tiers, alone and beside all the others. */
#include "run/config.h"

#include "support/scoring.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define FOLDER TIDEMARK_SOURCE_DIR "/config/"

static const char *const READY[] = {"abc.yaml",          "churn.yaml",   "feedback.yaml",
                                    "lifecycle.yaml",    "loyalty.yaml", "rfm-quartiles.yaml",
                                    "rfm-segments.yaml", "rising.yaml",  "value.yaml"};
enum { READY_COUNT = sizeof READY / sizeof *READY, PATH_BYTES = 512, CODE_BYTES = 40 };

static struct model_builder builder;

static int set_up(void **state) {
    (void)state;
    model_builder_init(&builder);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    model_builder_finish(&builder);
    return 0;
}

/* ---- loading ---- */

static struct config *load(const char *path) {
    static struct config_problems problems;
    problems.count = 0;
    struct config *config = config_load(path, NULL, 0, &problems);
    config_print_problems(path, &problems);
    assert_non_null(config);
    return config;
}

static struct config *load_one(const char *file) {
    char path[PATH_BYTES];
    snprintf(path, sizeof path, FOLDER "%s", file);
    return load(path);
}

/* All of them, included by a file of its own. */
static struct config *load_all(void) {
    char path[] = "/tmp/tidemark-ready-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *file = fdopen(fd, "w");
    assert_non_null(file);
    fprintf(file, "group: ready\ninclude:\n");
    for (size_t i = 0; i < READY_COUNT; i++) {
        fprintf(file, "  - " FOLDER "%s\n", READY[i]);
    }
    assert_int_equal(fclose(file), 0);
    struct config *config = load(path);
    unlink(path);
    return config;
}

static size_t set_named(const struct model *model, const char *name) {
    size_t set = 0;
    while (set < model_sets_count(model) && !bytes_equal_text(model_set_name(model, set), name)) {
        set++;
    }
    assert_true(set < model_sets_count(model));
    return set;
}

static const char *tier_of(const struct customer *customer, const struct model *model, const char *name) {
    size_t set = set_named(model, name);
    assert_true(customer->tiers[set].tier >= 0);
    return model_tier_name(model, set, (size_t)customer->tiers[set].tier).data;
}

/* ---- walking ---- */

/* Only the lines of one set. */
static const char *lines_of(const char *text, const char *set) {
    struct buffer out = {0};
    size_t size = strlen(set);
    while (*text) {
        size_t length = strcspn(text, "\n") + 1;
        if (strncmp(text, set, size) == 0 && text[size] == ' ') {
            buffer_put(&out, text, length);
        }
        text += length;
    }
    const char *lines = arena_copy(&builder.arena, buffer_bytes(&out)).data;
    buffer_finish(&out);
    return lines;
}

static const char *walked(const struct config *config, const char *set, const struct activity *activities, size_t count,
                          int64_t until_ms) {
    struct customer *customer = customer_create(config->model);
    struct changes changes;
    changes_init(&changes, &builder.arena);
    for (size_t i = 0; i < count; i++) {
        customer_apply(customer, config->model, &activities[i], TIME_NONE, &changes);
    }
    customer_advance(customer, config->model, until_ms, &changes);
    assert_true(customer_is_valid(customer, config->model));
    const char *text = lines_of(changes_text(&builder, config->model, &changes), set);
    customer_destroy(customer);
    return text;
}

/* The set's changes, alone and in a configuration of all sets, and that no tier was left out. */
static void walk(const char *file, const char *set, const struct activity *activities, size_t count, int days,
                 const char *expected) {
    struct config *alone = load_one(file);
    struct config *among = load_all();
    assert_string_equal(walked(alone, set, activities, count, TEST_AT(days, 0)), expected);
    assert_string_equal(walked(among, set, activities, count, TEST_AT(days, 0)), expected);
    size_t at = set_named(alone->model, set);
    for (size_t tier = 0; tier < model_tiers_count(alone->model, at); tier++) {
        char entered[128];
        snprintf(entered, sizeof entered, "-> %s #", model_tier_name(alone->model, at, tier).data);
        if (!strstr(expected, entered)) {
            fail_msg("%s: nobody came into %s", file, model_tier_name(alone->model, at, tier).data);
        }
    }
    config_destroy(alone);
    config_destroy(among);
}

#define WALK(file, set, activities, days, expected)                                                                    \
    walk(file, set, activities, sizeof(activities) / sizeof *(activities), days, expected)
#define BUYS(day, cents) test_purchase(NULL, TEST_AT(day, 0), cents)
#define LOGS_IN(day) test_interaction(NULL, TEST_AT(day, 0), INTERACTION_LOGIN)
#define ANSWERS(day, nps) test_feedback(NULL, TEST_AT(day, 0), SURVEY_NPS, nps)
#define COMPLAINS(day) test_feedback(NULL, TEST_AT(day, 0), SURVEY_COMPLAINT, 0)

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
    struct config *config = load_one("value.yaml");
    const struct activity activities[] = {BUYS(0, 6000), BUYS(1, 6000)};
    assert_string_equal(walked(config, "value", activities, 2, TEST_AT(200, 0)),
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
    struct config *config = load_one("lifecycle.yaml");
    const struct activity often[] = {BUYS(0, 1000), BUYS(20, 1000), BUYS(40, 1000), BUYS(200, 1000)};
    assert_string_equal(walked(config, "lifecycle", often, 4, TEST_AT(300, 0)),
                        "lifecycle FIRST -> first_time #1 at 0d+0 by PURCHASE\n"
                        "lifecycle UP first_time -> repeat #2 at 20d+0 by PURCHASE\n"
                        "lifecycle UP repeat -> loyal #3 at 40d+0 by PURCHASE\n");
    const struct activity seldom[] = {BUYS(0, 1000), BUYS(181, 1000), BUYS(300, 1000)};
    assert_string_equal(walked(config, "lifecycle", seldom, 3, TEST_AT(310, 0)),
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
    struct config *config = load_one("rising.yaml");
    const struct activity activities[] = {BUYS(10, 1000), BUYS(65, 1000), BUYS(65, 1000)};
    assert_string_equal(walked(config, "rising", activities, 3, TEST_AT(100, 0)),
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

/* ---- RFM codes ---- */

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
    const char *tier = tier_of(customer, model, set);
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
    struct config *config = load_one("rfm-segments.yaml");
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
    struct config *config = load_one("rfm-quartiles.yaml");
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
    struct config *config = load_one("rfm-quartiles.yaml");
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

/* ---- the folder ---- */

static void every_file_is_tested(void **state) {
    (void)state;
    DIR *folder = opendir(FOLDER);
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
    struct config *config = load_all();
    assert_int_equal(model_sets_count(config->model), READY_COUNT);
    assert_string_equal(config->group, "ready");
    config_destroy(config);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
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
        TEST(rfm_segments),
        TEST(rfm_segments_are_klaviyo_s),
        TEST(rfm_quartiles),
        TEST(rfm_quartiles_are_pymc_s),
        TEST(rfm_quartiles_are_cut_by_rank),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

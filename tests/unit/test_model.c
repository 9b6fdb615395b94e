/* What is no model: every message of the compiler, the limits, and too little memory. */
#include "rules_support.h"

#include "score/model_parts.h"

enum { BLOCK = 64 * 1024 };

#define NO "set it\ntier no\n"

/* before1after before2after ... */
static void put_many(struct buffer *text, const char *before, int from, int to, const char *after) {
    for (int i = from; i <= to; i++) {
        buffer_printf(text, "%s%d%s", before, i, after);
    }
}

static const char *ended(struct buffer *text, const char *end) {
    buffer_put_text(text, end);
    buffer_put_byte(text, '\0');
    assert_int_equal(text->error, 0);
    return text->data;
}

static void a_model_has_limits(void **state) {
    (void)state;
    static const struct {
        const char *start;
        const char *before;
        const char *after;
        const char *end;
        int most;
        int line; /* of the error with one more */
        int column;
        const char *message;
    } limits[] = {
        {"", "score s", " high 1 = revenue\n", NO, 64, 65, 7, "more than 64 scores"},
        {"", "set s", "\ntier no\n", "", 64, 129, 5, "1 to 64 tier sets are needed"},
        {"set it\n", "tier t", " = 1 = 1\n", "tier no\n", 63, 1, 5, "tier set 'it' needs 1 to 64 tiers"},
    };
    struct buffer text = {0};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        for (int more = 0; more < 2; more++) {
            buffer_reset(&text);
            buffer_put_text(&text, limits[i].start);
            put_many(&text, limits[i].before, 1, limits[i].most + more, limits[i].after);
            const char *whole = ended(&text, limits[i].end);
            if (more) {
                assert_error(whole, limits[i].line, limits[i].column, limits[i].message);
            } else {
                (void)model_of(&builder, whole);
            }
        }
    }
    buffer_finish(&text);
}

static void metrics_have_a_limit(void **state) {
    (void)state;
    struct buffer text = {0};
    for (int more = 0; more < 2; more++) {
        buffer_reset(&text);
        buffer_put_text(&text, "set a\n");
        for (int i = 1; i <= 128 + more; i++) {
            buffer_printf(&text, "tier t%d = 1 < revenue(%dd)\n%s", i, i,
                          i == 60    ? "tier no\nset b\n"
                          : i == 120 ? "tier no\nset c\n"
                                     : "");
        }
        const char *whole = ended(&text, "tier no\n");
        if (more) {
            assert_error(whole, 134, 17, "tier_sets.c.tiers[8].enter: the rules use more than 128 different metrics");
        } else {
            (void)model_of(&builder, whole);
        }
    }
    buffer_finish(&text);
}

#define NO_NAME "score '%s' is not a name: letters, digits and _, at most 64, not a digit first"

static void scores(void **state) {
    (void)state;
    char message[300];
    snprintf(message, sizeof message, NO_NAME, "9lives");
    assert_error("score 9lives high 1 = revenue\n" NO, 1, 7, message);
    snprintf(message, sizeof message, NO_NAME, "a-b");
    assert_error("score a-b high 1 = revenue\n" NO, 1, 7, message);
    (void)model_of(&builder, "score _gr\xc3\xbc\xc3\x9f"
                             "9 high 1 = revenue\n" NO);
    char name[66];
    char text[200];
    memset(name, 'n', 65);
    name[65] = '\0';
    snprintf(message, sizeof message, NO_NAME, name);
    snprintf(text, sizeof text, "score %s high 1 = revenue\n" NO, name);
    assert_error(text, 1, 7, message);
    snprintf(text, sizeof text, "score %s high 1 = revenue\n" NO, name + 1);
    (void)model_of(&builder, text);
    static const char *const words[] = {"and", "or", "not", "min", "max", "known", "ago", "tier"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        snprintf(text, sizeof text, "score %s high 1 = revenue\n" NO, words[i]);
        snprintf(message, sizeof message, "score '%s' is a word of the rule language", words[i]);
        assert_error(text, 1, 7, message);
    }
    for (size_t i = 0; i < METRIC_KINDS; i++) {
        snprintf(text, sizeof text, "score %s high 1 = revenue\n" NO, metric_rows[i].name);
        snprintf(message, sizeof message, "score '%s' has the name of a metric", metric_rows[i].name);
        assert_error(text, 1, 7, message);
    }
    assert_error("score s high = revenue\n" NO, 1, 7, "score 's' needs 1 to 32 steps");
    assert_error(repeated("score s high", " 1", 33, " = revenue\n" NO), 1, 7, "score 's' needs 1 to 32 steps");
    assert_error("score s high 1 2 2 = revenue\n" NO, 1, 7, "the steps of score 's' do not ascend");
    assert_error("score s high 1 nan 2 = revenue\n" NO, 1, 7, "the steps of score 's' do not ascend");
    assert_error("score s high 1 = revenue\nscore s low 1 = aov\n" NO, 2, 7, "score 's' stands twice");
    assert_error("score s high 1 = \n" NO, 1, 18, "scores.s.metric: expected a metric");
    assert_error("score s high 1 = revenue + 1\n" NO, 1, 18,
                 "scores.s.metric: expected one metric such as revenue(90d)");
    assert_error("score s high 1 = 5\n" NO, 1, 18, "scores.s.metric: expected one metric such as revenue(90d)");
    assert_error("score a high 1 = aov\nscore s high 1 = a\n" NO, 2, 18, "scores.s.metric: unknown metric 'a'");
    assert_error("score s high 1 = revenu\n" NO, 1, 18,
                 "scores.s.metric: unknown metric 'revenu'; did you mean 'revenue'?");
}

/* Two names that are the same to the stored state. */
static void names_alike(char first[16], char second[16]) {
    for (int i = 0; i < 5000; i++) {
        snprintf(first, 16, "name%d", i);
        for (int j = 0; j < i; j++) {
            snprintf(second, 16, "name%d", j);
            if ((uint16_t)bytes_hash(bytes_of_text(first)) == (uint16_t)bytes_hash(bytes_of_text(second))) {
                return;
            }
        }
    }
    fail_msg("no two names are alike");
}

static void scores_by_rank(void **state) {
    (void)state;
    (void)model_of(&builder, "score q low 1 2 quantiles 32 = tenure\nscore s high shares 0.1 99.9 = revenue\n" NO);
    assert_error("score s high quantiles 1 = revenue\n" NO, 1, 7, "score 's' needs 2 to 32 quantiles");
    assert_error("score s high quantiles 33 = revenue\n" NO, 1, 7, "score 's' needs 2 to 32 quantiles");
    assert_error("score s high quantiles 5 shares 80 = revenue\n" NO, 1, 7, "score 's' has both quantiles and shares");
    assert_error(repeated("score s high shares", " 1", 32, " = revenue\n" NO), 1, 7,
                 "score 's' has more than 31 shares");
    static const char *const bad[] = {"0", "100", "-1", "80 100", "nan"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[100];
        snprintf(text, sizeof text, "score s high shares %s = revenue\n" NO, bad[i]);
        assert_error(text, 1, 7, "the shares of score 's' are per cent, between 0 and 100");
    }
    assert_error("score s high shares 80 80 = revenue\n" NO, 1, 7, "the shares of score 's' do not ascend");
    assert_error("score s low shares 80 = revenue\n" NO, 1, 7,
                 "score 's': shares go from the greatest value down, so best: low has no meaning");
    assert_error("score s high shares 80 = tenure\n" NO, 1, 26,
                 "elapsed time has no sum that customers could have shares of: use quantiles");
    assert_error("score frequent high 1 = revenue\n" NO, 1, 7, "score 'frequent' has the name of a value of frequency");
    assert_error("score awareness high 1 = revenue\n" NO, 1, 7, "score 'awareness' has the name of a value of stage");
    assert_error("score rising high 1 = revenue\n" NO, 1, 7, "score 'rising' is a word of the rule language");
    assert_error("score trend high 1 = revenue\n" NO, 1, 7, "score 'trend' is a word of the rule language");
    struct buffer text = {0};
    put_many(&text, "score s", 1, RANKED_SCORES_MAX, " high quantiles 5 = revenue\n");
    (void)model_of(&builder, ended(&text, NO));
    buffer_reset(&text);
    put_many(&text, "score s", 1, RANKED_SCORES_MAX + 1, " high quantiles 5 = revenue\n");
    char message[200];
    snprintf(message, sizeof message, "more than %d scores with quantiles or shares", RANKED_SCORES_MAX);
    assert_error(ended(&text, NO), RANKED_SCORES_MAX + 1, 7, message);
    buffer_finish(&text);
    char first[16];
    char second[16];
    char alike[200];
    names_alike(first, second);
    snprintf(alike, sizeof alike, "score %s high quantiles 5 = revenue\nscore %s high quantiles 5 = aov\n" NO, first,
             second);
    snprintf(message, sizeof message, "scores '%s' and '%s' cannot be told apart in the stored state: rename one",
             second, first);
    assert_error(alike, 2, 7, message);
}

static void tier_sets(void **state) {
    (void)state;
    char text[200];
    char message[300];
    assert_error("", 0, 0, "1 to 64 tier sets are needed");
    assert_error("set it\n", 1, 5, "tier set 'it' needs 1 to 64 tiers");
    assert_error("set \ntier no\n", 1, 5,
                 "tier set '' is not a name: letters, digits and _, at most 64, not a digit first");
    assert_error("set a:b\ntier no\n", 1, 5,
                 "tier set 'a:b' is not a name: letters, digits and _, at most 64, not a digit first");
    assert_error("set a{\ntier no\n", 1, 5,
                 "tier set 'a{' is not a name: letters, digits and _, at most 64, not a digit first");
    assert_error("set [A]\ntier no\n", 1, 5,
                 "tier set '[A]' is not a name: letters, digits and _, at most 64, not a digit first");
    (void)model_of(&builder, "set AZ_az09\ntier No\n");
    char name[101];
    memset(name, 'n', 100);
    name[100] = '\0';
    snprintf(text, sizeof text, "set %s\ntier no\n", name);
    snprintf(message, sizeof message, /* with as much of it as a message shows */
             "tier set '%.80s' is not a name: letters, digits and _, at most 64, not a digit first", name);
    assert_error(text, 1, 5, message);
    assert_error("set 1st\ntier no\n", 1, 5,
                 "tier set '1st' is not a name: letters, digits and _, at most 64, not a digit first");
    assert_error("set tier\ntier no\n", 1, 5, "tier set 'tier' is a word of the rule language");
    assert_error(NO NO, 3, 5, "tier sets 'it' and 'it' have the same name");
    assert_error("set it\ntier 1st\n", 2, 6,
                 "tier '1st' is not a name: letters, digits and _, at most 64, not a digit first");
    assert_error("set it\ntier not\n", 2, 6, "tier 'not' is a word of the rule language");
    assert_error("set it\ntier a = 1 = 1\ntier a\n", 3, 6, "tier 'a' stands twice in its set");
    assert_error("set it\ntier a = 1 = 1\n", 2, 10,
                 "tier 'a' is the last of its set and takes everyone else: it has no rule");
    assert_error("set it\ntier a\ntier b\n", 2, 6,
                 "tier 'a' needs an 'enter' rule: only the last tier takes everyone else");
    assert_error("set it\ntier a =  \ntier b\n", 2, 11, "tier_sets.it.tiers[0].enter: the rule is empty");
    assert_error("set it\ntier a = 1 = 1 | revenu > 5\ntier b\n", 2, 18,
                 "tier_sets.it.tiers[0].stay: unknown metric or score 'revenu'; did you mean 'revenue'?");
    char first[16];
    char second[16];
    names_alike(first, second);
    snprintf(text, sizeof text, "set it\ntier %s = 1 = 1\ntier %s\n", first, second);
    snprintf(message, sizeof message, "tiers '%s' and '%s' cannot be told apart in the stored state: rename one",
             second, first);
    assert_error(text, 3, 6, message);
    snprintf(text, sizeof text, "set %s\ntier no\nset %s\ntier no\n", first, second);
    snprintf(message, sizeof message, "tier sets '%s' and '%s' cannot be told apart in the stored state: rename one",
             first, second);
    assert_error(text, 3, 5, message);
}

static void a_last_tier_has_no_rule_to_stay_either(void **state) {
    (void)state;
    struct model_spec spec = model_builder_read(&builder, "set it\ntier no\n");
    struct tier_spec tier = spec.sets[0].tiers[0];
    struct tier_set_spec set = spec.sets[0];
    struct model *model;
    struct model_error error;
    tier.stay = (struct spec_text){bytes_of_text("1 = 1"), 7, 3};
    set.tiers = &tier;
    spec.sets = &set;
    assert_int_equal(model_compile(&builder.arena, &spec, &model, &error), ERR_INVALID);
    assert_string_equal(error.message, "tier 'no' is the last of its set and takes everyone else: it has no rule");
    assert_int_equal(error.line, 7);
    assert_int_equal(error.column, 3);
}

/* In the stored state 0 means none, so no name has it. */
static void no_name_is_marked_as_none(void **state) {
    (void)state;
    char name[16];
    int number = 0;
    do {
        snprintf(name, sizeof name, "n%d", number++);
    } while ((bytes_hash(bytes_of_text(name)) & UINT16_MAX) != 0);
    char text[64];
    snprintf(text, sizeof text, "set %s\ntier no\n", name);
    assert_int_equal(model_set_tag(model_of(&builder, text), 0), 1);
}

/* ---- memory ---- */

#define TEXT(string)                                                                                                   \
    { {string, sizeof string - 1}, 1, 1 }

/* However little memory the rules may have: a model that is whole, or a message. */
static void too_little_memory_is_an_error(void **state) {
    (void)state;
    static const double steps[] = {1, 2};
    static const struct label_spec labels[] = {{{"service", 7}, {"dedicated", 9}}};
    static const struct score_spec score = {
        .name = TEXT("r"), .metric = TEXT("days_since_purchase"), .steps = steps, .steps_count = 2};
    static const struct tier_spec tiers[] = {{.name = TEXT("vip"),
                                              .enter = TEXT("r = 1 and revenue(90d, ago 30d) > tenure"),
                                              .stay = TEXT("interactions(page_view, 7d) > 1"),
                                              .treatment = labels,
                                              .treatment_count = 1},
                                             {.name = TEXT("rest")}};
    static const struct tier_set_spec set = {
        .name = TEXT("value"), .topic = {"topic", 5}, .tiers = tiers, .tiers_count = 2};
    const struct model_spec spec = {.zone = &zone_utc,
                                    .money_decimals = 2,
                                    .dedupe = 16,
                                    .tiles_max = 128,
                                    .scores = &score,
                                    .scores_count = 1,
                                    .sets = &set,
                                    .sets_count = 1};
    int failed = 0;
    for (size_t room = 0; room <= BLOCK; room += 16) {
        struct arena arena;
        struct model *model = NULL;
        struct model_error error = {.message = "none"};
        arena_init(&arena, BLOCK);
        assert_true(room == BLOCK || arena_alloc(&arena, BLOCK - room));
        int result = model_compile(&arena, &spec, &model, &error);
        if (result) {
            failed++;
            assert_null(model);
            assert_int_equal(result, ERR_NO_MEMORY);
            assert_string_equal(error.message, "the rules need more memory than they may have");
        } else {
            assert_true(bytes_equal_text(model_set_name(model, 0), "value"));
            assert_true(bytes_equal_text(model_set_topic(model, 0), "topic"));
            assert_true(bytes_equal_text(model_tier_name(model, 0, 0), "vip"));
            size_t count;
            assert_true(bytes_equal_text(model_treatment(model, 0, 0, &count)->value, "dedicated"));
            assert_int_equal(model_version(model).size, 16);
            assert_int_equal(model_span_days(model), 120);
        }
        arena_finish(&arena);
    }
    assert_in_range(failed, 100, BLOCK / 16);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_has_limits),
        cmocka_unit_test(metrics_have_a_limit),
        cmocka_unit_test(scores),
        cmocka_unit_test(scores_by_rank),
        cmocka_unit_test(tier_sets),
        cmocka_unit_test(a_last_tier_has_no_rule_to_stay_either),
        cmocka_unit_test(no_name_is_marked_as_none),
        cmocka_unit_test(too_little_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, builder_set_up, builder_tear_down);
}

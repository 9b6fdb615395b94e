#include "support/model_builder.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { BUILT_MAX = 72, STEPS_MAX = 40, ARENA_BYTES_MAX = 1 << 28 };

/* One more of each than a model may have, so that its limits can be tested. */
struct draft {
    struct score_spec scores[BUILT_MAX];
    double steps[BUILT_MAX][STEPS_MAX];
    double shares[BUILT_MAX][STEPS_MAX];
    size_t scores_count;
    struct tier_set_spec sets[BUILT_MAX];
    struct tier_spec *tiers; /* of the set at work; BUILT_MAX */
    size_t sets_count;
    struct label_spec *labels; /* of the tier at work; BUILT_MAX */
};

/* Where the reading stands in one line of the text. */
struct line {
    const char *start;
    const char *at;
    const char *end;
    int number;
};

void model_builder_init(struct model_builder *builder) {
    *builder = (struct model_builder){.zone = &zone_utc, .money_decimals = 2, .dedupe = 16, .tiles_max = 128};
    arena_init(&builder->arena, ARENA_BYTES_MAX);
}

void model_builder_finish(struct model_builder *builder) {
    arena_finish(&builder->arena);
}

static void skip_spaces(struct line *line) {
    while (line->at < line->end && *line->at == ' ') {
        line->at++;
    }
}

static struct spec_text text_until(struct line *line, const char *end) {
    struct spec_text text = {.text = bytes_of(line->at, (size_t)(end - line->at)),
                             .line = line->number,
                             .column = (int)(line->at - line->start) + 1};
    line->at = end;
    return text;
}

/* The next word of the line; size 0 at its end. */
static struct spec_text take_word(struct line *line) {
    skip_spaces(line);
    const char *end = line->at;
    while (end < line->end && *end != ' ') {
        end++;
    }
    return text_until(line, end);
}

static double number_of(struct bytes word) {
    char text[80];
    snprintf(text, sizeof text, "%.*s", (int)word.size, word.data);
    return strtod(text, NULL);
}

/* 3d, 36h, 90m, 15s, 250 (milliseconds) */
static int64_t duration_of(struct bytes word) {
    static const struct {
        char unit;
        int64_t ms;
    } units[] = {{'d', MS_PER_DAY}, {'h', MS_PER_HOUR}, {'m', MS_PER_MINUTE}, {'s', MS_PER_SECOND}};
    int64_t ms = 1;
    for (size_t i = 0; i < sizeof units / sizeof *units && word.size > 0; i++) {
        ms = word.data[word.size - 1] == units[i].unit ? units[i].ms : ms;
    }
    return (int64_t)(number_of(word) * (double)ms);
}

/* The rule from here to the bar or the end of the line, without spaces around it. */
static struct spec_text take_rule(struct line *line) {
    skip_spaces(line);
    assert_true(line->at <= line->end);
    const char *bar = memchr(line->at, '|', (size_t)(line->end - line->at));
    const char *end = bar ? bar : line->end;
    const char *next = bar ? bar + 1 : line->end;
    while (end > line->at && end[-1] == ' ') {
        end--;
    }
    struct spec_text rule = text_until(line, end);
    line->at = next;
    return rule;
}

static void draft_score(struct draft *draft, struct line *line) {
    assert_true(draft->scores_count < BUILT_MAX);
    struct score_spec *score = &draft->scores[draft->scores_count];
    double *steps = draft->steps[draft->scores_count];
    double *shares = draft->shares[draft->scores_count++];
    bool of_shares = false;
    *score = (struct score_spec){.name = take_word(line), .steps = steps, .shares = shares};
    score->best_low = bytes_equal_text(take_word(line).text, "low");
    for (struct bytes word = take_word(line).text; word.size > 0 && !bytes_equal_text(word, "=");
         word = take_word(line).text) {
        if (bytes_equal_text(word, "quantiles")) {
            score->quantiles = (int)number_of(take_word(line).text);
            continue;
        }
        if (bytes_equal_text(word, "shares")) {
            of_shares = true;
            continue;
        }
        assert_true(score->steps_count < STEPS_MAX && score->shares_count < STEPS_MAX);
        *(of_shares ? &shares[score->shares_count++] : &steps[score->steps_count++]) = number_of(word);
    }
    score->metric = take_rule(line);
}

static void draft_set(struct model_builder *builder, struct draft *draft, struct line *line) {
    assert_true(draft->sets_count < BUILT_MAX);
    draft->tiers = arena_alloc_zero(&builder->arena, BUILT_MAX * sizeof *draft->tiers);
    assert_non_null(draft->tiers);
    struct tier_set_spec *set = &draft->sets[draft->sets_count++];
    *set = (struct tier_set_spec){.name = take_word(line), .tiers = draft->tiers};
    for (struct bytes word = take_word(line).text; word.size > 0; word = take_word(line).text) {
        if (bytes_equal_text(word, "hold")) {
            set->hold_ms = duration_of(take_word(line).text);
        } else if (bytes_equal_text(word, "grace")) {
            set->grace_ms = duration_of(take_word(line).text);
        } else if (bytes_equal_text(word, "notice")) {
            set->notice_ms = duration_of(take_word(line).text);
        } else if (bytes_equal_text(word, "topic")) {
            set->topic = take_word(line).text;
        } else {
            assert_true(bytes_equal_text(word, "one_step"));
            set->one_step = true;
        }
    }
}

static struct tier_set_spec *set_at_work(struct draft *draft) {
    assert_true(draft->sets_count > 0);
    return &draft->sets[draft->sets_count - 1];
}

static void draft_tier(struct model_builder *builder, struct draft *draft, struct line *line) {
    struct tier_set_spec *set = set_at_work(draft);
    assert_true(set->tiers_count < BUILT_MAX);
    draft->labels = arena_alloc_zero(&builder->arena, BUILT_MAX * sizeof *draft->labels);
    assert_non_null(draft->labels);
    struct tier_spec *tier = &draft->tiers[set->tiers_count++];
    *tier = (struct tier_spec){.name = take_word(line), .treatment = draft->labels};
    if (take_word(line).text.size > 0) { /* = */
        tier->enter = take_rule(line);
        if (line->at < line->end) {
            tier->stay = take_rule(line);
        }
    }
}

static void draft_line(struct model_builder *builder, struct draft *draft, struct line *line) {
    struct bytes word = take_word(line).text;
    if (bytes_equal_text(word, "score")) {
        draft_score(draft, line);
    } else if (bytes_equal_text(word, "set")) {
        draft_set(builder, draft, line);
    } else if (bytes_equal_text(word, "tier")) {
        draft_tier(builder, draft, line);
    } else if (bytes_equal_text(word, "label")) {
        struct tier_set_spec *set = set_at_work(draft);
        size_t *count = &draft->tiers[set->tiers_count - 1].treatment_count;
        assert_true(*count < BUILT_MAX);
        draft->labels[*count].name = take_word(line).text;
        draft->labels[(*count)++].value = take_word(line).text;
    } else {
        assert_int_equal(word.size, 0);
    }
}

struct model_spec model_builder_read(struct model_builder *builder, const char *text) {
    struct draft *draft = arena_alloc_zero(&builder->arena, sizeof *draft);
    assert_non_null(draft);
    struct line line = {.at = text};
    while (*line.at) {
        line.start = line.at;
        line.end = line.at + strcspn(line.at, "\n");
        line.number++;
        draft_line(builder, draft, &line);
        line.at = line.end + (*line.end == '\n');
    }
    return (struct model_spec){.zone = builder->zone,
                               .money_decimals = builder->money_decimals,
                               .dedupe = builder->dedupe,
                               .tiles_max = builder->tiles_max,
                               .ranked_minimum = builder->ranked_minimum,
                               .options = builder->options,
                               .scores = draft->scores,
                               .scores_count = draft->scores_count,
                               .sets = draft->sets,
                               .sets_count = draft->sets_count};
}

int model_builder_compile(struct model_builder *builder, const char *text, struct model **out) {
    struct model_spec spec = model_builder_read(builder, text);
    builder->error = (struct model_error){0};
    return model_compile(&builder->arena, &spec, out, &builder->error);
}

struct model *model_of(struct model_builder *builder, const char *text) {
    struct model *model = NULL;
    if (model_builder_compile(builder, text, &model)) {
        fail_msg("%d:%d: %s", builder->error.line, builder->error.column, builder->error.message);
    }
    return model;
}

/* ---- activities ---- */

static struct activity activity_of(enum activity_type type, const char *id, int64_t time_ms) {
    uint64_t hash = id ? bytes_hash(bytes_of_text(id)) & UINT64_C(0xFFFFFFFFFFFF) : 0;
    return (struct activity){.type = type,
                             .customer_id = bytes_of_text("c1"),
                             .event_id = bytes_of_text(id),
                             .event_hash = id && hash == 0 ? 1 : hash,
                             .time_ms = time_ms};
}

struct activity test_purchase(const char *id, int64_t time_ms, int64_t amount_minor) {
    return test_reversal(PURCHASE_KIND_PURCHASE, id, time_ms, amount_minor, time_ms);
}

struct activity test_reversal(enum purchase_kind kind, const char *id, int64_t time_ms, int64_t amount_minor,
                              int64_t order_time_ms) {
    struct activity activity = activity_of(ACTIVITY_PURCHASE, id, time_ms);
    activity.purchase = (struct purchase){.kind = kind, .amount_minor = amount_minor, .order_time_ms = order_time_ms};
    return activity;
}

struct activity test_interaction(const char *id, int64_t time_ms, enum interaction_kind kind) {
    struct activity activity = activity_of(ACTIVITY_INTERACTION, id, time_ms);
    activity.interaction.kind = kind;
    return activity;
}

struct activity test_feedback(const char *id, int64_t time_ms, enum survey survey, int score) {
    struct activity activity = activity_of(ACTIVITY_FEEDBACK, id, time_ms);
    activity.feedback = (struct feedback){.survey = survey, .score = score};
    return activity;
}

/* ---- telling ---- */

void test_reevaluate(struct customer *customer, const struct model *model, int64_t at_ms, struct changes *changes) {
    struct model *renewed = model_copy_for_task(model);
    uint32_t number = customer->edition;
    struct edition edition = {.number = number + 1, .since_ms = at_ms};
    assert_non_null(renewed);
    model_set_edition(renewed, &edition);
    customer_advance(customer, renewed, TIME_NONE, changes);
    customer->edition = number;
    model_copy_destroy(renewed);
}

const char *changes_text(struct model_builder *builder, const struct model *model, const struct changes *changes) {
    static const char *const directions[] = {"FIRST", "UP", "DOWN", "WILL_FALL"};
    static const char *const causes[] = {"PURCHASE", "REFUND", "INTERACTION", "FEEDBACK", "TIME", "RULES"};
    struct buffer text = {0};
    for (const struct tier_change *change = changes->first; change; change = change->next) {
        struct bytes set = model_set_name(model, change->set);
        int64_t after_ms = change->effective_ms - TEST_START_MS;
        buffer_printf(&text, "%.*s %s ", (int)set.size, set.data, directions[change->direction]);
        if (change->from.data) {
            buffer_printf(&text, "%.*s ", (int)change->from.size, change->from.data);
        }
        buffer_printf(&text, "-> %.*s #%" PRIu32 " at %" PRId64 "d+%" PRId64 " by %s", (int)change->to.size,
                      change->to.data, change->sequence, after_ms / MS_PER_DAY, after_ms % MS_PER_DAY,
                      causes[change->cause]);
        if (change->cause_event_id.data) {
            buffer_printf(&text, " %.*s", (int)change->cause_event_id.size, change->cause_event_id.data);
        }
        buffer_put_byte(&text, '\n');
    }
    struct bytes copy = arena_copy(&builder->arena, buffer_bytes(&text));
    assert_int_equal(text.error, 0);
    assert_int_equal(changes->error, 0);
    assert_non_null(copy.data);
    buffer_finish(&text);
    return copy.data;
}

/* ---- random numbers ---- */

struct test_random test_random_of(uint64_t seed) {
    return (struct test_random){seed * UINT64_C(0x9E3779B97F4A7C15) + 1};
}

uint64_t test_random_next(struct test_random *random) { /* xorshift64*; Vigna 2016 */
    random->state ^= random->state >> 12;
    random->state ^= random->state << 25;
    random->state ^= random->state >> 27;
    return random->state * UINT64_C(2685821657736338717);
}

int64_t test_random_below(struct test_random *random, int64_t limit) {
    return (int64_t)((test_random_next(random) >> 11) % (uint64_t)limit);
}

/* Tier changes filled into forms are byte for byte those that yyjson writes from scratch. */
#include "encode_support.h"

enum { CHANGES = 20000, CONDITIONS_MAX = 6, METRICS_MAX = 8, VARIATIONS = 18 };

static uint64_t random_below(uint64_t *state, uint64_t bound) { /* xorshift64* */
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717) % bound;
}

static double random_number(uint64_t *state) {
    const double odd[] = {(double)NAN, (double)INFINITY, -(double)INFINITY, 0.0, -0.0, 1e-300, 1e300, 0.1,
                          13,          -5200.25};
    return random_below(state, 2) ? odd[random_below(state, sizeof odd / sizeof *odd)]
                                  : (double)random_below(state, 1000000) / 7;
}

static struct bytes random_text(uint64_t *state) {
    static const char *const texts[] = {
        NULL,
        "",
        "a",
        "e1",
        "customer",
        "customer-17",
        "r + f + m >= 13",
        "say \"x\"",
        "back\\sla",
        "\x01\x02",
        "na\xc3\xafve",
        "\xe2\x82\xac",
        "tab\there, and more",
        "null",
        "eight..\x7f",
        "]},{[",
        "1234567\"",
        "\"1234567",
    };
    return bytes_of_text(texts[random_below(state, sizeof texts / sizeof *texts)]);
}

static struct bytes random_name(uint64_t *state) {
    struct bytes text = random_text(state);
    return text.data ? text : bytes_of_text("name");
}

struct random_change {
    struct condition conditions[CONDITIONS_MAX];
    struct named_value metrics[METRICS_MAX];
    struct tier_change change;
    struct bytes customer;
};

/* The kind's one difference from others made of the same numbers. */
static void vary(struct random_change *made, uint64_t variation) {
    struct tier_change *change = &made->change;
    struct bytes none = {NULL, 0};
    struct bytes empty = bytes_of_text("");
    struct bytes *texts[] = {&change->from, &change->to, &change->forecast_tier, &made->conditions[0].rule,
                             &made->metrics[0].name};
    switch (variation) {
    case 0:
        made->conditions[0].met = !made->conditions[0].met;
        break;
    case 1:
        change->to_tier = 1 - change->to_tier;
        break;
    case 2:
        change->set = 1 - change->set;
        break;
    case 3:
        change->direction = change->direction == DIRECTION_UP ? DIRECTION_DOWN : DIRECTION_UP;
        break;
    case 4:
        change->cause = change->cause == CAUSE_TIME ? CAUSE_RULES : CAUSE_TIME;
        break;
    case 5:
        change->conditions_count -= change->conditions_count > 0;
        break;
    case 6:
        change->metrics_count -= change->metrics_count > 0;
        break;
    default:
        if (variation - 7 < 2 * sizeof texts / sizeof *texts) {
            struct bytes *text = texts[(variation - 7) / 2];
            bool name = (variation - 7) / 2 >= 3;
            *text = variation % 2 ? empty : name ? bytes_of_text("another") : none;
        }
    }
}

/* Few kinds, so that forms are found again, or many, so that they push each other out. */
static void make(struct random_change *made, uint64_t kind, uint64_t *numbers) {
    uint64_t state = kind / VARIATIONS * 7919 + 1;
    *made = (struct random_change){.customer = random_name(numbers)};
    made->change = (struct tier_change){
        .set = random_below(&state, 2),
        .from = random_text(&state),
        .to = random_text(&state),
        .to_tier = (int)random_below(&state, 2),
        .direction = (enum direction)(DIRECTION_FIRST + (int)random_below(&state, 3)),
        .cause = (enum cause)(CAUSE_PURCHASE + (int)random_below(&state, 5)),
        .sequence = (uint32_t)random_below(numbers, UINT32_MAX),
        .effective_ms = (int64_t)random_below(numbers, INT64_C(4102444800000)),
        .cause_event_id = random_text(numbers),
        .conditions = made->conditions,
        .conditions_count = random_below(&state, CONDITIONS_MAX + 1),
        .metrics = made->metrics,
        .metrics_count = random_below(&state, METRICS_MAX + 1),
        .forecast_tier = random_text(&state),
        .forecast_ms = (int64_t)random_below(numbers, INT64_C(4102444800000)),
        .cuts_version = random_below(numbers, 3),
    };
    for (size_t i = 0; i < made->change.conditions_count; i++) {
        made->conditions[i] = (struct condition){random_name(&state), random_number(numbers), random_number(numbers),
                                                 random_below(&state, 2) == 0};
    }
    for (size_t i = 0; i < made->change.metrics_count; i++) {
        made->metrics[i] = (struct named_value){random_name(&state), random_number(numbers)};
    }
    vary(made, kind % VARIATIONS);
}

static void assert_same(struct fixture *fixture, struct encoder_forms *forms, const struct random_change *made,
                        struct arena *arena) {
    struct output whole;
    struct output filled;
    fixture->encoder.forms = NULL;
    assert_int_equal(encode_tier_change(&fixture->encoder, made->customer, &made->change, 0, arena, &whole), 0);
    fixture->encoder.forms = forms;
    assert_int_equal(encode_tier_change(&fixture->encoder, made->customer, &made->change, 0, arena, &filled), 0);
    if (!bytes_equal(whole.value, filled.value)) {
        fail_msg("\n%.*s\nis not\n%.*s", (int)filled.value.size, filled.value.data, (int)whole.value.size,
                 whole.value.data);
    }
    arena_reset(arena);
}

static void filled_forms_are_what_yyjson_writes(void **state) {
    struct fixture *fixture = *state;
    struct encoder_forms *forms = encoder_forms_create();
    struct arena arena;
    struct random_change made;
    uint64_t numbers = 88172645463325252;
    assert_non_null(forms);
    arena_init(&arena, 16 << 20);
    for (int i = 0; i < CHANGES; i++) {
        make(&made, random_below(&numbers, i < CHANGES / 2 ? 3 * VARIATIONS : 200 * VARIATIONS), &numbers);
        assert_same(fixture, forms, &made, &arena);
    }
    encoder_forms_destroy(forms);
    arena_finish(&arena);
}

/* More numbers, or a longer text, than a form may have. */
static void what_no_form_holds_is_written_all_the_same(void **state) {
    struct fixture *fixture = *state;
    struct encoder_forms *forms = encoder_forms_create();
    struct arena arena;
    static char rule[9000];
    struct condition conditions[60];
    struct random_change made = {.customer = bytes_of_text("c1"), .change = fixture->change};
    assert_non_null(forms);
    arena_init(&arena, 16 << 20);
    memset(rule, 'r', sizeof rule - 1);
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++) {
        conditions[i] = (struct condition){bytes_of_text("r >= 5"), (double)i, 5, true};
    }
    made.change.conditions = conditions;
    for (int again = 0; again < 2; again++) {
        made.change.conditions_count = sizeof conditions / sizeof *conditions;
        conditions[0].rule = bytes_of_text("r >= 5");
        assert_same(fixture, forms, &made, &arena);
        made.change.conditions_count = 1;
        conditions[0].rule = bytes_of_text(rule);
        assert_same(fixture, forms, &made, &arena);
    }
    encoder_forms_destroy(forms);
    arena_finish(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(filled_forms_are_what_yyjson_writes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_no_form_holds_is_written_all_the_same, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What the tests of encode share: a model of two tier sets, and the tier change that interface.md shows. */
#ifndef TIDEMARK_TESTS_UNIT_ENCODE_SUPPORT_H
#define TIDEMARK_TESTS_UNIT_ENCODE_SUPPORT_H

#include "base/clock.h"
#include "decode_support.h"
#include "publish/encode.h"

#include <math.h>

static inline struct spec_text spec(const char *text) {
    return (struct spec_text){bytes_of_text(text), 1, 1};
}

static inline struct model *compile(struct arena *arena) {
    static const double r_steps[] = {7, 14, 30, 60};
    const struct label_spec treatment[] = {{bytes_of_text("service"), bytes_of_text("dedicated")}};
    const struct score_spec scores[] = {{.name = spec("r"),
                                         .metric = spec("days_since_purchase"),
                                         .steps = r_steps,
                                         .steps_count = 4,
                                         .best_low = true}};
    const struct tier_spec tiers[] = {
        {.name = spec("vip"), .enter = spec("r >= 5"), .treatment = treatment, .treatment_count = 1},
        {.name = spec("ordinary")},
    };
    const struct tier_set_spec sets[] = {
        {.name = spec("value"), .tiers = tiers, .tiers_count = 2},
        {.name = spec("churn_risk"), .topic = bytes_of_text("churn-alerts"), .tiers = tiers, .tiers_count = 2}};
    const struct model_spec model_spec = {.zone = &zone_utc,
                                          .money_decimals = 2,
                                          .dedupe = 16,
                                          .tiles_max = 128,
                                          .scores = scores,
                                          .scores_count = 1,
                                          .sets = sets,
                                          .sets_count = 2};
    struct model *model = NULL;
    struct model_error error = {0};
    if (model_compile(arena, &model_spec, &model, &error)) {
        fail_msg("%s", error.message);
    }
    return model;
}

struct fixture {
    struct arena arena;
    struct encoder encoder;
    struct condition conditions[2];
    struct named_value metrics[3];
    struct tier_change change;
};

static inline int set_up(void **state) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    arena_init(&fixture->arena, 16 << 20);
    fixture->encoder = (struct encoder){
        .format = OUTPUT_JSON,
        .group = bytes_of_text("tidemark"),
        .tier_changes = bytes_of_text("tier-changes"),
        .dead_letters = bytes_of_text("dead-letters"),
        .model = compile(&fixture->arena),
    };
    fixture->conditions[0] = (struct condition){bytes_of_text("r + f + m >= 13"), 13, 13, true};
    fixture->conditions[1] = (struct condition){bytes_of_text("nps(90d) >= 50"), (double)NAN, 50, false};
    fixture->metrics[0] = (struct named_value){bytes_of_text("r"), 5};
    fixture->metrics[1] = (struct named_value){bytes_of_text("revenue(90d)"), 5200.25};
    fixture->metrics[2] = (struct named_value){bytes_of_text("nps(90d)"), (double)NAN};
    fixture->change = (struct tier_change){
        .set = 0,
        .from = bytes_of_text("ordinary"),
        .to = bytes_of_text("vip"),
        .from_tier = 1,
        .to_tier = 0,
        .direction = DIRECTION_UP,
        .cause = CAUSE_PURCHASE,
        .sequence = 3,
        .effective_ms = NOW_MS,
        .cause_event_id = bytes_of_text("e1"),
        .conditions = fixture->conditions,
        .conditions_count = 2,
        .metrics = fixture->metrics,
        .metrics_count = 3,
        .forecast_tier = bytes_of_text("potential"),
        .forecast_ms = INT64_C(1743465600000),
    };
    *state = fixture;
    return 0;
}

static inline int tear_down(void **state) {
    struct fixture *fixture = *state;
    arena_finish(&fixture->arena);
    free(fixture);
    return 0;
}

static inline struct output encode(struct fixture *fixture) {
    struct output output;
    assert_int_equal(encode_tier_change(&fixture->encoder, bytes_of_text("c1"), &fixture->change, NOW_MS + 7,
                                        &fixture->arena, &output),
                     0);
    return output;
}

#endif

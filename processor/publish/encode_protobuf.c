#include "publish/encode_parts.h"

#include <math.h>
#include <tier_change.pb-c.h>

/* protobuf-c wants C strings and arrays of pointers; the arena has them for the taking. Its packing
 * allocates nothing. */

typedef Tidemark__V1__TierChange tier_change_message;
typedef Tidemark__V1__TierChange__Condition condition_message;
typedef Tidemark__V1__TierChange__Metric metric_message;
typedef Tidemark__V1__TierChange__Forecast forecast_message;
typedef Tidemark__V1__TierChange__TreatmentEntry treatment_message;

/* The schema keeps 0 for "unspecified". */
#define SAME(ours, theirs) _Static_assert((int)(ours) + 1 == (int)TIDEMARK__V1__TIER_CHANGE__##theirs, #theirs)
SAME(DIRECTION_FIRST, DIRECTION__FIRST);
SAME(DIRECTION_UP, DIRECTION__UP);
SAME(DIRECTION_DOWN, DIRECTION__DOWN);
SAME(DIRECTION_WILL_FALL, DIRECTION__WILL_FALL);
SAME(CAUSE_PURCHASE, CAUSE__PURCHASE);
SAME(CAUSE_REFUND, CAUSE__REFUND);
SAME(CAUSE_INTERACTION, CAUSE__INTERACTION);
SAME(CAUSE_FEEDBACK, CAUSE__FEEDBACK);
SAME(CAUSE_TIME, CAUSE__TIME);
SAME(CAUSE_RULES, CAUSE__RULES);

/* The arena with the sticky error of running out. */
struct builder {
    struct arena *arena;
    bool failed;
};

static void *take(struct builder *builder, size_t size) {
    void *memory = arena_alloc_zero(builder->arena, size);
    builder->failed = builder->failed || !memory;
    return memory;
}

/* NULL for an absent text. */
static char *text_of(struct builder *builder, struct bytes text) {
    if (!text.data) {
        return NULL;
    }
    char *copy = take(builder, text.size + 1);
    if (copy && text.size > 0) {
        memcpy(copy, text.data, text.size);
    }
    return copy;
}

static void add_conditions(struct builder *builder, const struct tier_change *change, tier_change_message *message) {
    size_t count = change->conditions_count;
    if (count == 0) {
        return;
    }
    condition_message *conditions = take(builder, count * sizeof *conditions);
    message->conditions = take(builder, count * sizeof(condition_message *));
    if (builder->failed) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const struct condition *condition = &change->conditions[i];
        tidemark__v1__tier_change__condition__init(&conditions[i]);
        conditions[i].rule = text_of(builder, condition->rule);
        conditions[i].has_value = !isnan(condition->value);
        conditions[i].value = condition->value;
        conditions[i].has_threshold = !isnan(condition->threshold);
        conditions[i].threshold = condition->threshold;
        conditions[i].has_met = 1;
        conditions[i].met = condition->met;
        message->conditions[i] = &conditions[i];
    }
    message->n_conditions = count;
}

static void add_metrics(struct builder *builder, const struct tier_change *change, tier_change_message *message) {
    size_t count = change->metrics_count;
    if (count == 0) {
        return;
    }
    metric_message *metrics = take(builder, count * sizeof *metrics);
    message->metrics = take(builder, count * sizeof(metric_message *));
    if (builder->failed) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        tidemark__v1__tier_change__metric__init(&metrics[i]);
        metrics[i].name = text_of(builder, change->metrics[i].name);
        metrics[i].has_value = !isnan(change->metrics[i].value);
        metrics[i].value = change->metrics[i].value;
        message->metrics[i] = &metrics[i];
    }
    message->n_metrics = count;
}

static void add_forecast(struct builder *builder, const struct tier_change *change, tier_change_message *message) {
    if (!change->forecast_tier.data) {
        return;
    }
    forecast_message *forecast = take(builder, sizeof *forecast);
    if (builder->failed) {
        return;
    }
    tidemark__v1__tier_change__forecast__init(forecast);
    forecast->tier = text_of(builder, change->forecast_tier);
    forecast->has_time_ms = 1;
    forecast->time_ms = change->forecast_ms;
    message->forecast = forecast;
}

static void add_treatment(struct builder *builder, const struct tier_change_text *text, tier_change_message *message) {
    size_t count = 0;
    const struct label_spec *labels =
        model_treatment(text->model, text->change->set, (size_t)text->change->to_tier, &count);
    if (count == 0) {
        return;
    }
    treatment_message *entries = take(builder, count * sizeof *entries);
    message->treatment = take(builder, count * sizeof(treatment_message *));
    if (builder->failed) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        tidemark__v1__tier_change__treatment_entry__init(&entries[i]);
        entries[i].key = text_of(builder, labels[i].name);
        entries[i].value = text_of(builder, labels[i].value);
        message->treatment[i] = &entries[i];
    }
    message->n_treatment = count;
}

int encode_tier_change_protobuf(const struct tier_change_text *text, struct arena *arena, struct bytes *out) {
    const struct tier_change *change = text->change;
    struct builder builder = {.arena = arena};
    tier_change_message message = TIDEMARK__V1__TIER_CHANGE__INIT;
    message.id = text_of(&builder, text->id);
    message.customer_id = text_of(&builder, text->customer_id);
    message.tier_set = text_of(&builder, model_set_name(text->model, change->set));
    message.from = text_of(&builder, change->from);
    message.to = text_of(&builder, change->to);
    message.has_direction = 1;
    message.direction = (Tidemark__V1__TierChange__Direction)(change->direction + 1);
    message.has_sequence = 1;
    message.sequence = change->sequence;
    message.has_effective_time_ms = 1;
    message.effective_time_ms = change->effective_ms;
    message.has_cause = 1;
    message.cause = (Tidemark__V1__TierChange__Cause)(change->cause + 1);
    message.cause_event_id = text_of(&builder, change->cause_event_id);
    add_conditions(&builder, change, &message);
    add_metrics(&builder, change, &message);
    add_forecast(&builder, change, &message);
    add_treatment(&builder, text, &message);
    message.rules_version = text_of(&builder, model_version(text->model));
    message.has_cut_points_version = 1;
    message.cut_points_version = change->cuts_version;
    if (builder.failed) {
        return ERR_NO_MEMORY;
    }
    size_t size = tidemark__v1__tier_change__get_packed_size(&message);
    uint8_t *packed = arena_alloc(arena, size);
    if (!packed) {
        return ERR_NO_MEMORY;
    }
    *out = bytes_of((const char *)packed, tidemark__v1__tier_change__pack(&message, packed));
    return 0;
}

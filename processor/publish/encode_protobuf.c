/* By hand, since every tier change takes this way; schemas/tier_change.proto has the numbers of the fields, and test_encode
 * reads the result back with the code generated from there, and writes it again: the bytes must be the same. */
#include "publish/encode_parts.h"
#include "publish/wire.h"

#include <tier_change.pb-c.h>

enum {
    FIELD_ID = 1,
    FIELD_CUSTOMER_ID = 2,
    FIELD_TIER_SET = 3,
    FIELD_FROM = 4,
    FIELD_TO = 5,
    FIELD_DIRECTION = 6,
    FIELD_SEQUENCE = 7,
    FIELD_EFFECTIVE_TIME = 8,
    FIELD_CAUSE = 9,
    FIELD_CAUSE_EVENT_ID = 10,
    FIELD_CONDITION = 11,
    FIELD_METRIC = 12,
    FIELD_FORECAST = 13,
    FIELD_TREATMENT = 14,
    FIELD_RULES_VERSION = 15,
    FIELD_CUT_POINTS_VERSION = 16,

    CONDITION_RULE = 1,
    CONDITION_VALUE = 2,
    CONDITION_THRESHOLD = 3,
    CONDITION_MET = 4,

    METRIC_NAME = 1,
    METRIC_VALUE = 2,

    FORECAST_TIER = 1,
    FORECAST_TIME = 2,

    ENTRY_KEY = 1,
    ENTRY_VALUE = 2,
};

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

/* ---- sizes ---- */

static size_t condition_size(const struct condition *condition) {
    return wire_text_size(CONDITION_RULE, condition->rule) + wire_double_size(CONDITION_VALUE, condition->value) +
           wire_double_size(CONDITION_THRESHOLD, condition->threshold) +
           wire_number_size(CONDITION_MET, condition->met);
}

static size_t metric_size(const struct named_value *metric) {
    return wire_text_size(METRIC_NAME, metric->name) + wire_double_size(METRIC_VALUE, metric->value);
}

static size_t forecast_size(const struct tier_change *change) {
    return wire_text_size(FORECAST_TIER, change->forecast_tier) +
           wire_number_size(FORECAST_TIME, (uint64_t)change->forecast_ms);
}

static size_t entry_size(const struct label_spec *label) {
    return wire_text_size(ENTRY_KEY, label->name) + wire_text_size(ENTRY_VALUE, label->value);
}

static const struct label_spec *treatment_of(const struct tier_change_text *text, size_t *count) {
    *count = 0;
    return model_treatment(text->model, text->change->set, (size_t)text->change->to_tier, count);
}

/* At most: a few bytes are nothing, but each number's size would have to be found out twice. */
static size_t room_for(const struct tier_change_text *text) {
    enum { HEAD = WIRE_KEY_BYTES_MAX + VARINT_BYTES_MAX };
    const struct tier_change *change = text->change;
    size_t treatment_count;
    const struct label_spec *treatment = treatment_of(text, &treatment_count);
    size_t room = FIELD_CUT_POINTS_VERSION * HEAD + text->id.size + text->customer_id.size +
                  model_set_name(text->model, change->set).size + change->from.size + change->to.size +
                  change->cause_event_id.size + forecast_size(change) + model_version(text->model).size;
    for (size_t i = 0; i < change->conditions_count; i++) {
        room += HEAD + condition_size(&change->conditions[i]);
    }
    for (size_t i = 0; i < change->metrics_count; i++) {
        room += HEAD + metric_size(&change->metrics[i]);
    }
    for (size_t i = 0; i < treatment_count; i++) {
        room += HEAD + entry_size(&treatment[i]);
    }
    return room;
}

/* ---- writing ---- */

static char *put_head(char *at, unsigned field, size_t size) {
    return varint_put(wire_put_key(at, field, WIRE_SIZED), size);
}

static char *put_conditions(char *at, const struct tier_change *change) {
    for (size_t i = 0; i < change->conditions_count; i++) {
        const struct condition *condition = &change->conditions[i];
        at = put_head(at, FIELD_CONDITION, condition_size(condition));
        at = wire_put_text(at, CONDITION_RULE, condition->rule);
        at = wire_put_double(at, CONDITION_VALUE, condition->value);
        at = wire_put_double(at, CONDITION_THRESHOLD, condition->threshold);
        at = wire_put_number(at, CONDITION_MET, condition->met);
    }
    return at;
}

static char *put_metrics(char *at, const struct tier_change *change) {
    for (size_t i = 0; i < change->metrics_count; i++) {
        const struct named_value *metric = &change->metrics[i];
        at = put_head(at, FIELD_METRIC, metric_size(metric));
        at = wire_put_text(at, METRIC_NAME, metric->name);
        at = wire_put_double(at, METRIC_VALUE, metric->value);
    }
    return at;
}

static char *put_forecast(char *at, const struct tier_change *change) {
    if (!change->forecast_tier.data) {
        return at;
    }
    at = put_head(at, FIELD_FORECAST, forecast_size(change));
    at = wire_put_text(at, FORECAST_TIER, change->forecast_tier);
    return wire_put_number(at, FORECAST_TIME, (uint64_t)change->forecast_ms);
}

static char *put_treatment(char *at, const struct tier_change_text *text) {
    size_t count;
    const struct label_spec *labels = treatment_of(text, &count);
    for (size_t i = 0; i < count; i++) {
        at = put_head(at, FIELD_TREATMENT, entry_size(&labels[i]));
        at = wire_put_text(at, ENTRY_KEY, labels[i].name);
        at = wire_put_text(at, ENTRY_VALUE, labels[i].value);
    }
    return at;
}

int encode_tier_change_protobuf(const struct tier_change_text *text, struct arena *arena, struct bytes *out) {
    const struct tier_change *change = text->change;
    size_t room = room_for(text);
    char *start = arena_alloc(arena, room);
    if (!start) {
        return ERR_NO_MEMORY;
    }
    char *at = wire_put_text(start, FIELD_ID, text->id);
    at = wire_put_text(at, FIELD_CUSTOMER_ID, text->customer_id);
    at = wire_put_text(at, FIELD_TIER_SET, model_set_name(text->model, change->set));
    at = wire_put_text(at, FIELD_FROM, change->from);
    at = wire_put_text(at, FIELD_TO, change->to);
    at = wire_put_number(at, FIELD_DIRECTION, (uint64_t)change->direction + 1);
    at = wire_put_number(at, FIELD_SEQUENCE, change->sequence);
    at = wire_put_number(at, FIELD_EFFECTIVE_TIME, (uint64_t)change->effective_ms);
    at = wire_put_number(at, FIELD_CAUSE, (uint64_t)change->cause + 1);
    at = wire_put_text(at, FIELD_CAUSE_EVENT_ID, change->cause_event_id);
    at = put_conditions(at, change);
    at = put_metrics(at, change);
    at = put_forecast(at, change);
    at = put_treatment(at, text);
    at = wire_put_text(at, FIELD_RULES_VERSION, model_version(text->model));
    at = wire_put_number(at, FIELD_CUT_POINTS_VERSION, change->cuts_version);
    ASSERT((size_t)(at - start) <= room);
    *out = bytes_of(start, (size_t)(at - start));
    return 0;
}

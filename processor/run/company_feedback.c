#include "run/company_feedback.h"

#include "score/answer.h"

#include <stdlib.h>

enum {
    ROWS_FIRST = 64,
    NAMED_DIMENSIONS = 2, /* channel and touchpoint */
    /* Days are remembered by their number modulo this: more than can be counted at once, as none is far ahead of the clock. */
    DAY_SLOTS = 512,
};

enum dimension { DIMENSION_CHANNEL, DIMENSION_TOUCHPOINT, DIMENSION_ALL, DIMENSION_TIERS /* + set */ };

static const char *const counter_names[FEEDBACK_COUNTERS] = {
    [FEEDBACK_PROMOTERS] = "promoters",   [FEEDBACK_PASSIVES] = "passives",
    [FEEDBACK_DETRACTORS] = "detractors", [FEEDBACK_CSAT_COUNT] = "csat_count",
    [FEEDBACK_CSAT_SUM] = "csat_sum",     [FEEDBACK_CSAT_TOP] = "csat_top",
    [FEEDBACK_CES_COUNT] = "ces_count",   [FEEDBACK_CES_SUM] = "ces_sum",
    [FEEDBACK_CES_EASY] = "ces_easy",     [FEEDBACK_CES_HARD] = "ces_hard",
    [FEEDBACK_COMPLAINTS] = "complaints", [FEEDBACK_REVIEW_COUNT] = "review_count",
    [FEEDBACK_REVIEW_SUM] = "review_sum",
};

struct row { /* one day, dimension and value: what was counted since the last batch */
    uint64_t hash;
    int32_t day;
    uint16_t dimension;
    uint8_t size;
    char value[FEEDBACK_VALUE_BYTES_MAX];
    int64_t counts[FEEDBACK_COUNTERS];
};

struct day_names { /* hashes of the channels and touchpoints of a day */
    int32_t day;
    uint16_t count[NAMED_DIMENSIONS];
    uint64_t names[NAMED_DIMENSIONS][FEEDBACK_NAMES_MAX];
};

struct company_feedback {
    const struct model *model;
    int32_t clock_day; /* as the store knows it; DAY_RESIDUE: none */
    struct row *rows;
    size_t rows_count;
    size_t rows_capacity;
    uint32_t *table; /* number of the row + 1, by hash; twice as many places as there is room for rows */
    struct day_names *days[DAY_SLOTS];
    struct buffer field;
};

struct company_feedback *company_feedback_create(const struct model *model) {
    struct company_feedback *feedback = calloc(1, sizeof *feedback);
    if (feedback) {
        feedback->model = model;
        feedback->clock_day = DAY_RESIDUE;
    }
    return feedback;
}
void company_feedback_set_model(struct company_feedback *feedback, const struct model *model) {
    ASSERT(feedback->rows_count == 0);
    feedback->model = model;
}

void company_feedback_destroy(struct company_feedback *feedback) {
    if (feedback) {
        for (int i = 0; i < DAY_SLOTS; i++) {
            free(feedback->days[i]);
        }
        free(feedback->rows);
        free(feedback->table);
        buffer_finish(&feedback->field);
        free(feedback);
    }
}

static int32_t day_of(const struct company_feedback *feedback, int64_t time_ms) {
    return time_ms == TIME_NONE ? DAY_RESIDUE : zone_day(model_zone(feedback->model), time_ms);
}

static void forget_rows(struct company_feedback *feedback) {
    if (feedback->rows_count > 0) {
        memset(feedback->table, 0, 2 * feedback->rows_capacity * sizeof *feedback->table);
        feedback->rows_count = 0;
    }
}

void company_feedback_start(struct company_feedback *feedback, int64_t clock_ms) {
    forget_rows(feedback);
    for (int i = 0; i < DAY_SLOTS; i++) {
        free(feedback->days[i]);
        feedback->days[i] = NULL;
    }
    feedback->clock_day = day_of(feedback, clock_ms);
}

/* ---- counting ---- */

/* The place of the row in the table, or the free one where it would be. */
static uint32_t *place_of(const struct company_feedback *feedback, uint64_t hash, int32_t day, int dimension,
                          struct bytes value) {
    size_t mask = 2 * feedback->rows_capacity - 1;
    for (size_t at = hash & mask;; at = (at + 1) & mask) {
        uint32_t *place = &feedback->table[at];
        const struct row *row = *place ? &feedback->rows[*place - 1] : NULL;
        if (!row || (row->hash == hash && row->day == day && row->dimension == dimension &&
                     bytes_equal(bytes_of(row->value, row->size), value))) {
            return place;
        }
    }
}

static void grow(struct company_feedback *feedback) {
    size_t capacity = feedback->rows_capacity ? 2 * feedback->rows_capacity : ROWS_FIRST;
    feedback->rows = realloc(feedback->rows, capacity * sizeof *feedback->rows);
    free(feedback->table);
    feedback->table = calloc(2 * capacity, sizeof *feedback->table);
    ASSERT(feedback->rows && feedback->table);
    feedback->rows_capacity = capacity;
    for (size_t i = 0; i < feedback->rows_count; i++) {
        const struct row *row = &feedback->rows[i];
        *place_of(feedback, row->hash, row->day, row->dimension, bytes_of(row->value, row->size)) = (uint32_t)i + 1;
    }
}

/* value has at most FEEDBACK_VALUE_BYTES_MAX bytes. */
static int64_t *counts_of(struct company_feedback *feedback, int32_t day, int dimension, struct bytes value) {
    if (feedback->rows_count == feedback->rows_capacity) {
        grow(feedback);
    }
    uint64_t key = (uint64_t)(uint32_t)day << 16 | (uint16_t)dimension;
    uint64_t hash = bytes_hash(value) ^ key * UINT64_C(0x9E3779B97F4A7C15);
    uint32_t *place = place_of(feedback, hash, day, dimension, value);
    if (*place == 0) {
        struct row *row = &feedback->rows[feedback->rows_count++];
        *place = (uint32_t)feedback->rows_count;
        *row = (struct row){.hash = hash, .day = day, .dimension = (uint16_t)dimension, .size = (uint8_t)value.size};
        memcpy(row->value, value.data, value.size);
    }
    return feedback->rows[*place - 1].counts;
}

/* The name to count under, of a channel or touchpoint. */
static struct bytes known_name(struct company_feedback *feedback, int32_t day, enum dimension dimension,
                               struct bytes name) {
    struct day_names **slot = &feedback->days[(uint32_t)day % DAY_SLOTS];
    if (!*slot) {
        *slot = calloc(1, sizeof **slot);
        ASSERT(*slot);
    }
    struct day_names *names = *slot;
    if (names->day != day) {
        *names = (struct day_names){.day = day};
    }
    uint64_t hash = bytes_hash(name);
    uint16_t *count = &names->count[dimension];
    for (uint16_t i = 0; i < *count; i++) {
        if (names->names[dimension][i] == hash) {
            return name;
        }
    }
    if (*count == FEEDBACK_NAMES_MAX) {
        return bytes_of_text("other");
    }
    names->names[dimension][(*count)++] = hash;
    return name;
}

_Static_assert((int)FEEDBACK_REVIEW_SUM == TILE_REVIEW_SUM - TILE_PROMOTERS, "counters are in the tiles' order");

/* What one answer counts, in every dimension. */
static void add_answer(const struct feedback *answer, int64_t counts[FEEDBACK_COUNTERS]) {
    struct answer_sum sums[ANSWER_SUMS_MAX];
    size_t count = answer_sums(answer, sums);
    for (size_t i = 0; i < count; i++) {
        counts[sums[i].field - TILE_PROMOTERS] += sums[i].amount;
    }
}

static void count_named(struct company_feedback *feedback, int32_t day, enum dimension dimension,
                        const struct feedback *answer, struct bytes name) {
    name = name_cut(name, FEEDBACK_VALUE_BYTES_MAX);
    if (name.size > 0) {
        add_answer(answer, counts_of(feedback, day, (int)dimension, known_name(feedback, day, dimension, name)));
    }
}

void company_feedback_count(struct company_feedback *feedback, const struct activity *activity,
                            const struct customer *customer, int64_t clock_ms) {
    const struct model *model = feedback->model;
    const struct feedback *answer = &activity->feedback;
    int32_t day = day_of(feedback, activity->time_ms);
    if ((int64_t)day <= (int64_t)day_of(feedback, clock_ms) - FEEDBACK_DAYS) {
        return;
    }
    add_answer(answer, counts_of(feedback, day, DIMENSION_ALL, bytes_of("", 0)));
    for (size_t set = 0; set < model_sets_count(model); set++) {
        int tier = customer->tiers[set].tier;
        if (tier >= 0) {
            struct bytes name = name_cut(model_tier_name(model, set, (size_t)tier), FEEDBACK_VALUE_BYTES_MAX);
            add_answer(answer, counts_of(feedback, day, DIMENSION_TIERS + (int)set, name));
        }
    }
    count_named(feedback, day, DIMENSION_CHANNEL, answer, answer->channel);
    count_named(feedback, day, DIMENSION_TOUCHPOINT, answer, answer->touchpoint);
}

/* ---- writing ---- */

static void put_row(struct company_feedback *feedback, struct store *store, const struct row *row) {
    struct buffer *field = &feedback->field;
    buffer_reset(field);
    if (row->dimension >= DIMENSION_TIERS) {
        buffer_put_text(field, "tier:");
        buffer_put_bytes(field, model_set_name(feedback->model, (size_t)row->dimension - DIMENSION_TIERS));
    } else {
        static const char *const names[] = {"channel", "touchpoint", "all"};
        buffer_put_text(field, names[row->dimension]);
    }
    buffer_put_byte(field, '/');
    buffer_put(field, row->value, row->size);
    buffer_put_byte(field, '/');
    size_t size = field->size;
    for (int counter = 0; counter < FEEDBACK_COUNTERS; counter++) {
        if (row->counts[counter] != 0) {
            field->size = size;
            buffer_put_text(field, counter_names[counter]);
            ASSERT(!field->error);
            store->ops->add_feedback(store->context, row->day, buffer_bytes(field), row->counts[counter]);
        }
    }
}

/* Days that may be in the store and that the clock has now left behind; nothing is ever counted much ahead of the clock. */
static void drop_days(struct company_feedback *feedback, struct store *store, int32_t clock_day) {
    int64_t first = (int64_t)feedback->clock_day - FEEDBACK_DAYS + 1;
    int64_t last = (int64_t)clock_day - FEEDBACK_DAYS;
    int64_t newest = (int64_t)feedback->clock_day + DAY_SLOTS - FEEDBACK_DAYS;
    last = last < newest ? last : newest;
    for (int64_t day = first; day <= last && feedback->clock_day != DAY_RESIDUE; day++) {
        store->ops->drop_feedback(store->context, (int32_t)day);
    }
}

void company_feedback_put(struct company_feedback *feedback, struct store *store, int64_t clock_ms) {
    int32_t clock_day = day_of(feedback, clock_ms);
    if (clock_day > feedback->clock_day) {
        drop_days(feedback, store, clock_day);
        feedback->clock_day = clock_day;
    }
    for (size_t i = 0; i < feedback->rows_count; i++) {
        if ((int64_t)feedback->rows[i].day > (int64_t)feedback->clock_day - FEEDBACK_DAYS) {
            put_row(feedback, store, &feedback->rows[i]);
        }
    }
    forget_rows(feedback);
}

/* ---- reading ---- */

const char *feedback_counter_name(enum feedback_counter counter) {
    return counter_names[counter];
}

bool feedback_field_parse(struct bytes field, struct bytes *dimension, struct bytes *value,
                          enum feedback_counter *counter) {
    const char *first = field.size ? memchr(field.data, '/', field.size) : NULL;
    const char *last = field.size ? memrchr(field.data, '/', field.size) : NULL;
    if (!first || first == last) {
        return false;
    }
    struct bytes name = bytes_of(last + 1, field.size - (size_t)(last + 1 - field.data));
    *dimension = bytes_of(field.data, (size_t)(first - field.data));
    *value = bytes_of(first + 1, (size_t)(last - first - 1));
    for (int i = 0; i < FEEDBACK_COUNTERS; i++) {
        if (bytes_equal_text(name, counter_names[i])) {
            *counter = (enum feedback_counter)i;
            return true;
        }
    }
    return false;
}

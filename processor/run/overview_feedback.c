/* Company-wide feedback of all tasks, day by day. */
#include "run/overview_parts.h"

#include "base/array.h"
#include "base/clock.h"
#include "run/company_feedback.h"

enum {
    ASKED_MAX = 128,   /* questions open at a time: a round trip is used well, and others need not wait long */
    GROUPS_MAX = 1000, /* channels, or touchpoints, or tiers; what comes beyond is counted as "other" */
    TABLE_SIZE = 2048, /* places for their numbers */
};

_Static_assert((int)ANSWER_COUNTERS == (int)FEEDBACK_COUNTERS, "counters are those of the tiles");

struct feedback_gathering {
    struct gathering gathering;
    enum feedback_by by;
    int days_count;
    int64_t clock_ms; /* clock: event */
    int64_t asked;    /* of days_count x partitions questions */
    struct feedback_day *days;
    struct feedback_group *groups; /* names are ours; a tier's set lends from the model */
    size_t groups_count;
    size_t groups_capacity;
    uint16_t table[TABLE_SIZE]; /* number of the group + 1, by hash */
};

static const char *const by_texts[] = {NULL, "tier", "channel", "touchpoint"};

/* ---- groups ---- */

static bool is_group(const struct feedback_group *group, struct bytes tier_set, struct bytes name) {
    return bytes_equal(group->tier_set, tier_set) && bytes_equal(group->name, name);
}

/* The group's counts; a name that comes when there are too many is counted as "other". */
static int64_t *counts_of(struct feedback_gathering *feedback, struct bytes tier_set, struct bytes name) {
    if (feedback->groups_count >= GROUPS_MAX) {
        name = bytes_of_text("other"); /* one more, at most, for each tier set */
    }
    size_t at = (size_t)(bytes_hash(name) ^ bytes_hash(tier_set)) % TABLE_SIZE;
    while (feedback->table[at] && !is_group(&feedback->groups[feedback->table[at] - 1], tier_set, name)) {
        at = (at + 1) % TABLE_SIZE;
    }
    if (!feedback->table[at]) {
        feedback->groups = array_grown(feedback->groups, &feedback->groups_capacity, feedback->groups_count,
                                       sizeof *feedback->groups, 16);
        char *copy = malloc(name.size + 1);
        ASSERT(copy);
        memcpy(copy, name.data, name.size);
        feedback->groups[feedback->groups_count++] =
            (struct feedback_group){.tier_set = tier_set, .name = bytes_of(copy, name.size)};
        feedback->table[at] = (uint16_t)feedback->groups_count;
    }
    return feedback->groups[feedback->table[at] - 1].counts;
}

/* The set of the model whose tiers the dimension "tier:<set>" is about; data NULL: it is another. */
static struct bytes set_of(const struct model *model, struct bytes dimension) {
    static const char head[] = "tier:";
    if (dimension.size > sizeof head - 1 && memcmp(dimension.data, head, sizeof head - 1) == 0) {
        struct bytes name = bytes_of(dimension.data + sizeof head - 1, dimension.size - (sizeof head - 1));
        for (size_t set = 0; set < model_sets_count(model); set++) {
            if (bytes_equal(model_set_name(model, set), name)) {
                return model_set_name(model, set);
            }
        }
    }
    return bytes_of(NULL, 0);
}

static int64_t total_of(const struct feedback_group *group) {
    int64_t total = group->counts[FEEDBACK_PROMOTERS] + group->counts[FEEDBACK_PASSIVES] +
                    group->counts[FEEDBACK_DETRACTORS] + group->counts[FEEDBACK_CSAT_COUNT] +
                    group->counts[FEEDBACK_CES_COUNT];
    return total + group->counts[FEEDBACK_COMPLAINTS] + group->counts[FEEDBACK_REVIEW_COUNT];
}

static int by_name(struct bytes a, struct bytes b) {
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size > 0 ? memcmp(a.data, b.data, size) : 0;
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

/* Most answers first; those with as many by name, so that the order is always the same. */
static int by_total(const void *a, const void *b) {
    const struct feedback_group *first = a;
    const struct feedback_group *second = b;
    int64_t more = total_of(second) - total_of(first);
    int order = more ? (more > 0) - (more < 0) : by_name(first->name, second->name);
    return order ? order : by_name(first->tier_set, second->tier_set);
}

/* ---- reading ---- */

static void count_field(struct feedback_gathering *feedback, struct feedback_day *day, struct bytes field,
                        int64_t number) {
    struct bytes dimension, value;
    enum feedback_counter counter;
    if (!feedback_field_parse(field, &dimension, &value, &counter)) {
        return;
    }
    if (bytes_equal_text(dimension, "all")) {
        day->counts[counter] += number;
    } else if (feedback->by == FEEDBACK_BY_TIER) {
        struct bytes tier_set = set_of(feedback->gathering.config->model, dimension);
        if (tier_set.data) {
            counts_of(feedback, tier_set, value)[counter] += number;
        }
    } else if (feedback->by != FEEDBACK_BY_NOTHING && bytes_equal_text(dimension, by_texts[feedback->by])) {
        counts_of(feedback, bytes_of(NULL, 0), value)[counter] += number;
    }
}

static void feedback_end(struct feedback_gathering *feedback) {
    struct buffer out = {0};
    int error = feedback->gathering.error;
    if (!error) {
        if (feedback->groups_count > 0) {
            qsort(feedback->groups, feedback->groups_count, sizeof *feedback->groups, by_total);
        }
        const struct feedback_overview overview = {
            .by = by_texts[feedback->by],
            .ces_share = feedback->gathering.config->scoring.ces == CES_SHARE,
            .days = feedback->days,
            .days_count = (size_t)feedback->days_count,
            .groups = feedback->groups,
            .groups_count = feedback->groups_count,
        };
        error = feedback_json_write(&overview, &out);
    }
    gathering_end(&feedback->gathering, error, &out);
    buffer_finish(&out);
    for (size_t i = 0; i < feedback->groups_count; i++) {
        free((void *)(uintptr_t)feedback->groups[i].name.data);
    }
    free(feedback->groups);
    free(feedback->days);
    free(feedback);
}

static void ask_more(struct feedback_gathering *feedback);

static void on_day(void *arg, int error, const struct bytes *values, size_t count) {
    const struct ask ask = ask_end(arg, error);
    struct feedback_gathering *feedback = ask.gathering;
    for (size_t i = 0; !error && i + 1 < count; i += 2) {
        count_field(feedback, &feedback->days[ask.number], values[i], lookup_number(values[i + 1]));
    }
    ask_more(feedback);
}

/* Answers never come from inside the question. */
static void ask_more(struct feedback_gathering *feedback) {
    struct overview *overview = feedback->gathering.overview;
    int64_t questions = (int64_t)feedback->days_count * overview->partitions;
    while (!feedback->gathering.error && feedback->asked < questions && feedback->gathering.waiting < ASKED_MAX) {
        int32_t partition = (int32_t)(feedback->asked % overview->partitions);
        int32_t day = (int32_t)(feedback->asked / overview->partitions);
        feedback->asked++;
        redis_reader_feedback(overview->reader, partition, feedback->days[day].day, on_day,
                              ask_new(&feedback->gathering, partition, day));
    }
    if (feedback->gathering.waiting == 0) {
        feedback_end(feedback);
    }
}

static void begin(struct feedback_gathering *feedback, int64_t now_ms) {
    const struct zone *zone = &feedback->gathering.config->zone;
    int32_t today = zone_day(zone, now_ms);
    for (int i = 0; i < feedback->days_count; i++) {
        int32_t day = today - (feedback->days_count - 1) + i;
        feedback->days[i] = (struct feedback_day){.day = day, .start_ms = zone_day_start_ms(zone, day)};
    }
    ask_more(feedback);
}

static void on_meta(void *arg, int error, const struct store_found *found) {
    struct feedback_gathering *feedback = ask_end(arg, error == ERR_NOT_FOUND ? 0 : error).gathering;
    int64_t clock_ms = error ? TIME_NONE : found->meta.clock_ms;
    feedback->clock_ms = clock_ms > feedback->clock_ms ? clock_ms : feedback->clock_ms;
    if (feedback->gathering.waiting == 0) {
        begin(feedback, feedback->clock_ms == TIME_NONE ? clock_wall_ms() : feedback->clock_ms);
    }
}

void overview_feedback(struct overview *overview, int days, enum feedback_by by, lookup_done_fn done, void *arg) {
    struct feedback_gathering *feedback = gathering_new(sizeof *feedback, overview, done, arg);
    ASSERT(days >= 1 && days <= FEEDBACK_DAYS);
    feedback->by = by;
    feedback->days_count = days;
    feedback->clock_ms = TIME_NONE;
    feedback->days = calloc((size_t)days, sizeof *feedback->days);
    ASSERT(feedback->days);
    if (!feedback->gathering.config->clock_event) {
        begin(feedback, clock_wall_ms());
        return;
    }
    for (int32_t partition = 0; partition < overview->partitions; partition++) {
        redis_reader_meta(overview->reader, partition, on_meta, ask_new(&feedback->gathering, partition, 0));
    }
}

#include "support/history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { DAYS_UNBOUNDED = 1 << 20 };

static const struct zone_offset berlin_offsets[] = {
    {TIME_NONE, MS_PER_HOUR},
    {INT64_C(1743296400000), 2 * MS_PER_HOUR}, /* 2025-03-30 02:00 becomes 03:00 */
    {INT64_C(1761440400000), MS_PER_HOUR},     /* 2025-10-26 03:00 becomes 02:00 */
    {INT64_C(1774746000000), 2 * MS_PER_HOUR}, /* 2026-03-29 */
    {INT64_C(1792890000000), MS_PER_HOUR},     /* 2026-10-25 */
};
const struct zone zone_berlin = {berlin_offsets, sizeof berlin_offsets / sizeof *berlin_offsets};

/* ---- random histories ---- */

static struct activity random_feedback(const char *id, int64_t time_ms, struct test_random *random) {
    static const int scales[][2] = {[SURVEY_NPS] = {0, 10},
                                    [SURVEY_CSAT] = {1, 5},
                                    [SURVEY_CES] = {1, 7},
                                    [SURVEY_COMPLAINT] = {0, 0},
                                    [SURVEY_REVIEW] = {1, 5}};
    enum survey survey = (enum survey)(SURVEY_NPS + test_random_below(random, SURVEY_REVIEW));
    int score = scales[survey][0] + (int)test_random_below(random, scales[survey][1] - scales[survey][0] + 1);
    return test_feedback(id, time_ms, survey, score);
}

/* A reversal of an earlier purchase, in whole or in part, or of nobody knows what. */
static struct activity random_reversal(const struct history *history, const char *id, int64_t time_ms,
                                       struct test_random *random) {
    enum purchase_kind kind = test_random_below(random, 2) ? PURCHASE_KIND_REFUND : PURCHASE_KIND_CANCELLATION;
    const struct activity *order = &history->activities[test_random_below(random, (int64_t)history->count)];
    if (order->type != ACTIVITY_PURCHASE || test_random_below(random, 8) == 0) {
        return test_reversal(kind, id, time_ms, test_random_below(random, 5000), time_ms);
    }
    int64_t amount = order->purchase.amount_minor;
    amount = test_random_below(random, 2) ? amount : test_random_below(random, amount + 1);
    return test_reversal(kind, id, time_ms, amount, order->time_ms);
}

static struct activity random_interaction(const char *id, int64_t time_ms, struct test_random *random) {
    static const char *const channels[] = {NULL, "web", "app", "shop"};
    struct activity activity =
        test_interaction(id, time_ms, (enum interaction_kind)(1 + test_random_below(random, INTERACTION_KINDS)));
    activity.interaction.stage = (enum journey_stage)test_random_below(random, STAGES + 1);
    activity.interaction.channel = bytes_of_text(channels[test_random_below(random, 4)]);
    return activity;
}

static struct activity random_purchase(const char *id, int64_t time_ms, struct test_random *random) {
    static const struct purchase_item items[] = {{.category = {"books", 5}, .quantity = 1},
                                                 {.category = {"music", 5}, .quantity = 3},
                                                 {.category = {"tea", 3}, .quantity = 10}};
    struct activity activity = test_purchase(id, time_ms, test_random_below(random, 20000));
    size_t first = (size_t)test_random_below(random, 4);
    activity.purchase.items = items + first;
    activity.purchase.items_count = (size_t)test_random_below(random, 4 - (int64_t)first);
    return activity;
}

static struct activity random_activity(const struct history *history, const char *id, int64_t time_ms,
                                       const struct history_options *options, struct test_random *random) {
    if (test_random_below(random, 100) < options->not_purchases) {
        return test_random_below(random, 2) ? random_feedback(id, time_ms, random)
                                            : random_interaction(id, time_ms, random);
    }
    if (history->count > 0 && test_random_below(random, 4) == 0) {
        return random_reversal(history, id, time_ms, random);
    }
    return random_purchase(id, time_ms, random);
}

static int ascending(const void *a, const void *b) {
    int64_t first = *(const int64_t *)a;
    int64_t second = *(const int64_t *)b;
    return (first > second) - (first < second);
}

void history_random(struct history *history, struct test_random *random, const struct history_options *options) {
    int64_t times[HISTORY_MAX];
    int64_t round_ms = options->round_ms ? options->round_ms : 1;
    int64_t from_ms = options->from_ms ? options->from_ms : TEST_START_MS;
    assert_true(options->count <= HISTORY_MAX);
    for (size_t i = 0; i < options->count; i++) {
        bool again = i > 0 && test_random_below(random, 10) == 0; /* several things at one instant */
        int64_t after_ms = test_random_below(random, options->days * (int64_t)MS_PER_DAY);
        times[i] = again ? times[i - 1] : from_ms + after_ms / round_ms * round_ms;
    }
    qsort(times, options->count, sizeof *times, ascending);
    history->count = 0;
    for (size_t i = 0; i < options->count; i++) {
        snprintf(history->ids[i], sizeof history->ids[i], "e%zu", i);
        const char *id = test_random_below(random, 100) < options->without_id ? NULL : history->ids[i];
        history->activities[i] = random_activity(history, id, times[i], options, random);
        history->count++;
    }
}

void history_shuffle(struct history *history, struct test_random *random) {
    for (size_t i = history->count; i > 1; i--) {
        size_t j = (size_t)test_random_below(random, (int64_t)i);
        struct activity moved = history->activities[i - 1];
        history->activities[i - 1] = history->activities[j];
        history->activities[j] = moved;
    }
}

/* ---- metrics the plain way ---- */

int32_t plain_day(const struct zone *zone, int64_t time_ms) {
    int64_t local_ms = time_ms;
    for (size_t i = 0; i < zone->count; i++) {
        if (zone->offsets[i].from_ms <= time_ms) {
            local_ms = time_ms + zone->offsets[i].offset_ms;
        }
    }
    assert_true(local_ms >= 0);
    return (int32_t)(local_ms / MS_PER_DAY);
}

struct days { /* of a window, both included */
    const struct zone *zone;
    int32_t first;
    int32_t last;
};

static bool counts_within(const struct activity *activity, const struct days *days) {
    bool order = activity->type == ACTIVITY_PURCHASE;
    int32_t day = plain_day(days->zone, order ? activity->purchase.order_time_ms : activity->time_ms);
    return day >= days->first && day <= days->last;
}

/* What an activity adds to each of a few sums. */
struct sums {
    int64_t purchases;
    int64_t revenue;
    int64_t refunds;
    int64_t items;
    int64_t interactions[INTERACTION_KINDS + 1]; /* [0]: of every kind */
    int64_t answers[SURVEYS + 1][11];            /* by survey and score */
};

static void add_to(struct sums *sums, const struct activity *activity) {
    const struct purchase *purchase = &activity->purchase;
    if (activity->type == ACTIVITY_INTERACTION) {
        sums->interactions[0]++;
        sums->interactions[activity->interaction.kind]++;
    } else if (activity->type == ACTIVITY_FEEDBACK) {
        sums->answers[activity->feedback.survey][activity->feedback.score]++;
    } else if (purchase->kind == PURCHASE_KIND_PURCHASE) {
        sums->purchases++;
        sums->revenue += purchase->amount_minor;
        for (size_t i = 0; i < purchase->items_count; i++) {
            sums->items += purchase->items[i].quantity;
        }
    } else {
        sums->purchases -= purchase->kind == PURCHASE_KIND_CANCELLATION;
        sums->revenue -= purchase->amount_minor;
        sums->refunds += purchase->amount_minor;
    }
}

static struct sums sums_within(const struct history *history, const struct days *days) {
    struct sums sums = {0};
    for (size_t i = 0; i < history->count; i++) {
        if (counts_within(&history->activities[i], days)) {
            add_to(&sums, &history->activities[i]);
        }
    }
    return sums;
}

/* Answers to a survey with scores first..last. */
static double answers(const struct sums *sums, enum survey survey, int first, int last) {
    int64_t count = 0;
    for (int score = first; score <= last; score++) {
        count += sums->answers[survey][score];
    }
    return (double)count;
}

static double mean_answer(const struct sums *sums, enum survey survey) {
    double total = 0;
    for (int score = 1; score <= 10; score++) {
        total += score * answers(sums, survey, score, score);
    }
    return total / answers(sums, survey, 0, 10); /* nobody: 0 / 0, no value */
}

static bool is_purchase(const struct activity *activity) {
    return activity->type == ACTIVITY_PURCHASE && activity->purchase.kind == PURCHASE_KIND_PURCHASE;
}

/* Days since the first or the last activity (or purchase). */
static double plain_elapsed(const struct history *history, bool purchases, bool first, int64_t now_ms) {
    int64_t from_ms = TIME_NONE;
    for (size_t i = 0; i < history->count; i++) {
        const struct activity *activity = &history->activities[i];
        if (is_purchase(activity) || !purchases) {
            bool better = first ? activity->time_ms < from_ms : activity->time_ms > from_ms;
            from_ms = from_ms == TIME_NONE || better ? activity->time_ms : from_ms;
        }
    }
    return from_ms == TIME_NONE ? NO_VALUE : (double)(now_ms - from_ms) / (double)MS_PER_DAY;
}

static double plain_nps(const char *name, const struct sums *sums) {
    bool bound = strcmp(name, "nps_low") == 0 || strcmp(name, "nps_high") == 0;
    double all = answers(sums, SURVEY_NPS, 0, 10);
    if (all == 0) {
        return NO_VALUE;
    }
    double n = all + (bound ? 3 : 0);
    double p = (answers(sums, SURVEY_NPS, 9, 10) + (bound ? 0.75 : 0)) / n;
    double d = (answers(sums, SURVEY_NPS, 0, 6) + (bound ? 0.75 : 0)) / n;
    double margin = 100 * 1.959963984540054 * sqrt(fmax(p + d - (p - d) * (p - d), 0) / n);
    double nps = 100 * (p - d);
    return strcmp(name, "nps") == 0          ? nps
           : strcmp(name, "nps_margin") == 0 ? margin
           : strcmp(name, "nps_low") == 0    ? fmax(nps - margin, -100)
                                             : fmin(nps + margin, 100);
}

static double plain_windowed(const char *name, const struct metric_slot *slot, const struct sums *sums) {
    double purchases = (double)sums->purchases;
    double count = sums->purchases > 0 ? purchases : NO_VALUE;
    const struct {
        const char *name;
        double value;
    } values[] = {
        {"purchases", purchases},
        {"revenue", (double)sums->revenue / 100},
        {"refunds", (double)sums->refunds / 100},
        {"aov", (double)sums->revenue / 100 / count},
        {"items", (double)sums->items},
        {"basket_size", (double)sums->items / count},
        {"interactions", (double)sums->interactions[slot->interaction]},
        {"referrals", (double)sums->interactions[INTERACTION_REFERRAL]},
        {"csat", 100 * answers(sums, SURVEY_CSAT, 4, 5) / answers(sums, SURVEY_CSAT, 0, 10)},
        {"csat_mean", mean_answer(sums, SURVEY_CSAT)},
        {"ces", mean_answer(sums, SURVEY_CES)},
        {"complaints", answers(sums, SURVEY_COMPLAINT, 0, 10)},
        {"reviews", answers(sums, SURVEY_REVIEW, 0, 10)},
        {"review_mean", mean_answer(sums, SURVEY_REVIEW)},
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        if (strcmp(values[i].name, name) == 0) {
            return values[i].value;
        }
    }
    if (strncmp(name, "nps", 3) == 0) {
        return plain_nps(name, sums);
    }
    fail_msg("plain_metric does not know %s", name);
    return NO_VALUE;
}

static int ascending_day(const void *a, const void *b) {
    int32_t first = *(const int32_t *)a;
    int32_t second = *(const int32_t *)b;
    return (first > second) - (first < second);
}

/* Distinct days with a purchase, ascending. */
static size_t purchase_days_of(const struct history *history, const struct zone *zone, int32_t days[HISTORY_MAX]) {
    size_t count = 0;
    size_t distinct = 0;
    for (size_t i = 0; i < history->count; i++) {
        if (is_purchase(&history->activities[i])) {
            days[count++] = plain_day(zone, history->activities[i].time_ms);
        }
    }
    qsort(days, count, sizeof *days, ascending_day);
    for (size_t i = 0; i < count; i++) {
        if (distinct == 0 || days[distinct - 1] != days[i]) {
            days[distinct++] = days[i];
        }
    }
    return distinct;
}

static double plain_of_days(const char *name, const struct history *history, const struct zone *zone) {
    int32_t days[HISTORY_MAX];
    size_t count = purchase_days_of(history, zone, days);
    double gaps = (double)count - 1;
    double mean = count < 2 ? NO_VALUE : (days[count - 1] - days[0]) / gaps;
    double squares = 0;
    for (size_t i = 1; i < count; i++) {
        squares += (days[i] - days[i - 1] - mean) * (days[i] - days[i - 1] - mean);
    }
    return strcmp(name, "purchase_days") == 0     ? (double)count
           : strcmp(name, "mean_interval") == 0   ? mean
           : strcmp(name, "interval_spread") == 0 ? (count < 2 ? NO_VALUE : sqrt(squares / gaps))
           : count == 0                           ? NO_VALUE /* frequency */
           : count == 1                           ? 1
           : mean <= 45                           ? 3
                                                  : 2;
}

static double plain_stage(const struct history *history, bool furthest) {
    int64_t latest_ms = TIME_NONE;
    int stage = 0;
    for (size_t i = 0; i < history->count; i++) {
        const struct activity *activity = &history->activities[i];
        int own = activity->type == ACTIVITY_INTERACTION ? (int)activity->interaction.stage
                  : is_purchase(activity)                ? STAGE_PURCHASE
                                                         : STAGE_NONE;
        bool later = activity->time_ms > latest_ms || (activity->time_ms == latest_ms && own > stage);
        if (own != STAGE_NONE && (furthest ? own > stage : later)) {
            stage = own;
            latest_ms = activity->time_ms;
        }
    }
    return stage ? stage : NO_VALUE;
}

/* Every interaction weighs 1 and halves every 14 days. */
static double plain_engagement(const struct history *history, int64_t now_ms) {
    double sum = 0;
    for (size_t i = 0; i < history->count; i++) {
        const struct activity *activity = &history->activities[i];
        if (activity->type == ACTIVITY_INTERACTION) {
            sum += exp2(-(double)(now_ms - activity->time_ms) / (14.0 * MS_PER_DAY));
        }
    }
    return sum;
}

double plain_metric(const struct history *history, const struct metric_slot *slot, const struct zone *zone,
                    int64_t now_ms) {
    const char *name = metric_rows[slot->kind].name;
    int32_t today = plain_day(zone, now_ms);
    struct days days = {zone, -DAYS_UNBOUNDED, DAYS_UNBOUNDED};
    if (slot->window_days > 0) {
        days = (struct days){zone, today - slot->ago_days - slot->window_days + 1, today - slot->ago_days};
    }
    if (metric_rows[slot->kind].elapsed) {
        return plain_elapsed(history, strcmp(name, "days_since_purchase") == 0, strcmp(name, "tenure") == 0, now_ms);
    }
    if (strcmp(name, "stage") == 0 || strcmp(name, "furthest_stage") == 0) {
        return plain_stage(history, strcmp(name, "furthest_stage") == 0);
    }
    if (strcmp(name, "engagement") == 0) {
        return plain_engagement(history, now_ms);
    }
    if (strcmp(name, "purchase_days") == 0 || strcmp(name, "mean_interval") == 0 ||
        strcmp(name, "interval_spread") == 0 || strcmp(name, "frequency") == 0) {
        return plain_of_days(name, history, zone);
    }
    struct sums sums = sums_within(history, &days);
    return plain_windowed(name, slot, &sums);
}

/* ---- customers side by side ---- */

void assert_same_tiles(const struct tiles *a, const struct tiles *b) {
    assert_int_equal(a->count, b->count);
    for (uint32_t i = 0; i < a->count; i++) {
        assert_int_equal(a->cells[i].day, b->cells[i].day);
        assert_int_equal(a->cells[i].field, b->cells[i].field);
        assert_int_equal(a->cells[i].value, b->cells[i].value);
    }
}

static void assert_same_favourites(const struct favourites *a, const struct favourites *b) {
    struct favourite first;
    struct favourite second;
    size_t at_first = 0;
    size_t at_second = 0;
    assert_int_equal(a->count, b->count);
    while (favourites_next(a, &at_first, &first)) {
        assert_true(favourites_next(b, &at_second, &second));
        assert_true(bytes_equal(first.name, second.name));
        assert_int_equal(first.weight, second.weight);
        assert_int_equal(first.over, second.over);
    }
}

void assert_same_life(const struct customer *a, const struct customer *b) {
    assert_int_equal(a->first_seen_ms, b->first_seen_ms);
    assert_int_equal(a->last_seen_ms, b->last_seen_ms);
    assert_int_equal(a->first_purchase_ms, b->first_purchase_ms);
    assert_int_equal(a->last_purchase_ms, b->last_purchase_ms);
    assert_same_tiles(&a->tiles, &b->tiles);
    assert_int_equal(a->purchase_days.count, b->purchase_days.count);
    assert_int_equal(a->purchase_days.forgotten, b->purchase_days.forgotten);
    for (uint16_t i = 0; i < a->purchase_days.count; i++) {
        assert_int_equal(a->purchase_days.known[i], b->purchase_days.known[i]);
    }
    for (int i = 0; i < STAGES; i++) {
        assert_int_equal(a->journey.first_ms[i], b->journey.first_ms[i]);
    }
    assert_int_equal(a->journey.latest_ms, b->journey.latest_ms);
    assert_int_equal(a->journey.latest, b->journey.latest);
    assert_same_favourites(&a->categories, &b->categories);
    assert_same_favourites(&a->channels, &b->channels);
    assert_int_equal(a->engagement.at_ms, b->engagement.at_ms);
}

void assert_same_customer(const struct customer *a, const struct customer *b) {
    assert_int_equal(a->now_ms, b->now_ms);
    assert_int_equal(a->wake_ms, b->wake_ms);
    assert_int_equal(a->armed_ms, b->armed_ms);
    assert_same_life(a, b);
    assert_int_equal(a->purchase_days.first_day_minor, b->purchase_days.first_day_minor);
    assert_true(a->engagement.sum == b->engagement.sum);
    assert_int_equal(a->edition, b->edition);
    assert_int_equal(a->recent_count, b->recent_count);
    for (uint16_t i = 0; i < a->recent_count; i++) {
        assert_int_equal(a->recent[i], b->recent[i]);
    }
    assert_int_equal(a->tiers_count, b->tiers_count);
    for (uint16_t i = 0; i < a->tiers_count; i++) {
        assert_int_equal(a->tiers[i].set_tag, b->tiers[i].set_tag);
        assert_int_equal(a->tiers[i].tier_tag, b->tiers[i].tier_tag);
        assert_int_equal(a->tiers[i].tier, b->tiers[i].tier);
        assert_int_equal(a->tiers[i].sequence, b->tiers[i].sequence);
        assert_int_equal(a->tiers[i].since_ms, b->tiers[i].since_ms);
        assert_int_equal(a->tiers[i].pending_ms, b->tiers[i].pending_ms);
        assert_int_equal(a->tiers[i].noticed_ms, b->tiers[i].noticed_ms);
    }
}

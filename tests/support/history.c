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

static struct activity random_activity(const struct history *history, const char *id, int64_t time_ms,
                                       const struct history_options *options, struct test_random *random) {
    if (test_random_below(random, 100) < options->not_purchases) {
        return test_random_below(random, 2)
                   ? random_feedback(id, time_ms, random)
                   : test_interaction(id, time_ms,
                                      (enum interaction_kind)(1 + test_random_below(random, INTERACTION_KINDS)));
    }
    if (history->count > 0 && test_random_below(random, 4) == 0) {
        return random_reversal(history, id, time_ms, random);
    }
    return test_purchase(id, time_ms, test_random_below(random, 20000));
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
    int64_t interactions[INTERACTION_KINDS + 1]; /* [0]: of every kind */
    int64_t promoters;
    int64_t detractors;
    int64_t answers;
    int64_t complaints;
};

static void add_to(struct sums *sums, const struct activity *activity) {
    const struct purchase *purchase = &activity->purchase;
    if (activity->type == ACTIVITY_INTERACTION) {
        sums->interactions[0]++;
        sums->interactions[activity->interaction.kind]++;
    } else if (activity->type == ACTIVITY_FEEDBACK) {
        bool nps = activity->feedback.survey == SURVEY_NPS;
        sums->answers += nps;
        sums->promoters += nps && activity->feedback.score >= 9;
        sums->detractors += nps && activity->feedback.score <= 6;
        sums->complaints += activity->feedback.survey == SURVEY_COMPLAINT;
    } else if (purchase->kind == PURCHASE_KIND_PURCHASE) {
        sums->purchases++;
        sums->revenue += purchase->amount_minor;
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

/* Days since the first or the last activity (or purchase). */
static double plain_elapsed(const struct history *history, bool purchases, bool first, int64_t now_ms) {
    int64_t from_ms = TIME_NONE;
    for (size_t i = 0; i < history->count; i++) {
        const struct activity *activity = &history->activities[i];
        bool bought = activity->type == ACTIVITY_PURCHASE && activity->purchase.kind == PURCHASE_KIND_PURCHASE;
        if (bought || !purchases) {
            bool better = first ? activity->time_ms < from_ms : activity->time_ms > from_ms;
            from_ms = from_ms == TIME_NONE || better ? activity->time_ms : from_ms;
        }
    }
    return from_ms == TIME_NONE ? NO_VALUE : (double)(now_ms - from_ms) / (double)MS_PER_DAY;
}

double plain_metric(const struct history *history, const struct metric_slot *slot, const struct zone *zone,
                    int64_t now_ms) {
    const char *name = metric_rows[slot->kind].name;
    int32_t today = plain_day(zone, now_ms);
    struct days days = {zone, -DAYS_UNBOUNDED, DAYS_UNBOUNDED};
    if (slot->window_days > 0) {
        days = (struct days){zone, today - slot->ago_days - slot->window_days + 1, today - slot->ago_days};
    }
    struct sums sums = sums_within(history, &days);
    if (strcmp(name, "purchases") == 0) {
        return (double)sums.purchases;
    }
    if (strcmp(name, "revenue") == 0) {
        return (double)sums.revenue / 100;
    }
    if (strcmp(name, "refunds") == 0) {
        return (double)sums.refunds / 100;
    }
    if (strcmp(name, "aov") == 0) {
        return sums.purchases > 0 ? (double)sums.revenue / 100 / (double)sums.purchases : NO_VALUE;
    }
    if (strcmp(name, "interactions") == 0) {
        return (double)sums.interactions[slot->interaction];
    }
    if (strcmp(name, "nps") == 0) {
        double lead = (double)(sums.promoters - sums.detractors);
        return sums.answers > 0 ? 100 * lead / (double)sums.answers : NO_VALUE;
    }
    if (strcmp(name, "complaints") == 0) {
        return (double)sums.complaints;
    }
    if (strcmp(name, "days_since_purchase") == 0) {
        return plain_elapsed(history, true, false, now_ms);
    }
    if (strcmp(name, "days_since_seen") == 0) {
        return plain_elapsed(history, false, false, now_ms);
    }
    if (strcmp(name, "tenure") == 0) {
        return plain_elapsed(history, false, true, now_ms);
    }
    fail_msg("plain_metric does not know %s", name);
    return NO_VALUE;
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

void assert_same_customer(const struct customer *a, const struct customer *b) {
    assert_int_equal(a->now_ms, b->now_ms);
    assert_int_equal(a->due_ms, b->due_ms);
    assert_int_equal(a->armed_ms, b->armed_ms);
    assert_int_equal(a->first_seen_ms, b->first_seen_ms);
    assert_int_equal(a->last_seen_ms, b->last_seen_ms);
    assert_int_equal(a->first_purchase_ms, b->first_purchase_ms);
    assert_int_equal(a->last_purchase_ms, b->last_purchase_ms);
    assert_same_tiles(&a->tiles, &b->tiles);
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
    }
}

#include "score/rank.h"

#include "base/error.h"

#include <math.h>

#define RANK_SMALLEST 0.01 /* a cent: below that, values are one */
#define RANK_WIDTH 1.01    /* the relative width of a bucket: the error of a cut point */

enum { RANK_BUCKET_MAX = 100000 }; /* beyond any finite double */

static int32_t magnitude_bucket(double magnitude) {
    if (magnitude < RANK_SMALLEST) {
        return 0;
    }
    double number = floor(log(magnitude / RANK_SMALLEST) / log(RANK_WIDTH));
    return number < RANK_BUCKET_MAX ? 1 + (int32_t)number : RANK_BUCKET_MAX;
}

int32_t rank_bucket(double value) {
    ASSERT(!isnan(value));
    return value < 0 ? -magnitude_bucket(-value) : magnitude_bucket(value);
}

double rank_bucket_least(int32_t bucket) {
    if (bucket == 0) {
        return -RANK_SMALLEST;
    }
    return bucket > 0 ? RANK_SMALLEST * pow(RANK_WIDTH, bucket - 1) : -RANK_SMALLEST * pow(RANK_WIDTH, -bucket);
}

bool cut_points_equal(const struct cut_points *a, const struct cut_points *b) {
    for (size_t i = 0; i < RANKED_SCORES_MAX; i++) {
        const struct score_cuts *x = &a->scores[i];
        const struct score_cuts *y = &b->scores[i];
        if (x->known != y->known || x->count != y->count ||
            memcmp(x->buckets, y->buckets, x->count * sizeof *x->buckets) != 0) {
            return false;
        }
    }
    return true;
}

/* Cut k is the first occupied bucket, from the worst on, with at least k/n of the customers in worse ones. */
static void cut_quantiles(const struct rank_rule *rule, const struct rank_count *counts, size_t counts_count,
                          int64_t total, struct score_cuts *out) {
    int64_t worse = 0;
    for (size_t i = 0; i < counts_count; i++) {
        const struct rank_count *count = &counts[rule->best_low ? counts_count - 1 - i : i];
        while (out->count < rule->quantiles - 1 && worse * rule->quantiles >= (out->count + 1) * total) {
            out->buckets[out->count++] = count->bucket;
        }
        worse += count->customers;
    }
    while (out->count < rule->quantiles - 1) {
        out->buckets[out->count++] = rule->best_low ? RANK_NONE : RANK_NEVER;
    }
}

/* What the customers of a bucket are taken to make together: its middle, and nothing from below 0. */
static double bucket_sum(const struct rank_count *count) {
    return count->bucket > 0 ? (double)count->customers * rank_bucket_least(count->bucket) * sqrt(RANK_WIDTH) : 0.0;
}

/* Shares ascend from the best customers down, scores the other way: the cut of share j is that of score shares - j + 1. A bucket
 * belongs to the first share that the better ones have not filled yet. */
static void cut_shares(const struct rank_rule *rule, const struct rank_count *counts, size_t counts_count,
                       struct score_cuts *out) {
    double total = 0;
    for (size_t i = 0; i < counts_count; i++) {
        total += bucket_sum(&counts[i]);
    }
    out->count = (uint8_t)rule->shares_count;
    for (size_t j = 0; j < rule->shares_count; j++) {
        int32_t lowest = RANK_NEVER;
        double better = 0;
        for (size_t i = counts_count; i-- > 0 && counts[i].bucket > 0 && better < rule->shares[j] / 100.0 * total;) {
            lowest = counts[i].bucket;
            better += bucket_sum(&counts[i]);
        }
        out->buckets[rule->shares_count - 1 - j] = lowest;
    }
}

struct score_cuts rank_cuts(const struct rank_rule *rule, const struct rank_count *counts, size_t counts_count,
                            int64_t minimum) {
    struct score_cuts out = {0};
    int64_t total = 0;
    for (size_t i = 0; i < counts_count; i++) {
        ASSERT(counts[i].customers > 0 && (i == 0 || counts[i - 1].bucket < counts[i].bucket));
        total += counts[i].customers;
    }
    out.known = total > 0 && total >= minimum;
    if (out.known && rule->quantiles > 0) {
        cut_quantiles(rule, counts, counts_count, total, &out);
    } else if (out.known) {
        cut_shares(rule, counts, counts_count, &out);
    }
    return out;
}

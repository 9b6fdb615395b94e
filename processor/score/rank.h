/* Ranks: where a customer stands among all customers, without looking at them all.
 *
 * The value of a metric falls into a bucket; buckets are numbered so that they grow with the value, and are 1 % wide. How many
 * customers are in each bucket is counted (by the task: a customer that moves is taken out of the old and put into the new), so a
 * histogram always tells of the customers as they are. From the histograms of all tasks, added up, come the cut points of a
 * score: the buckets from which on a customer has the next higher score. A numbered set of them decides every customer's score
 * until the next set is adopted; bucket numbers are whole, so equal values have equal scores on every machine.
 *
 * A metric that counts elapsed time grows for every customer alike, so their order does not change by it: such a customer is
 * counted by the hour at which its time began, once for all. */
#ifndef TIDEMARK_SCORE_RANK_H
#define TIDEMARK_SCORE_RANK_H

#include "base/bytes.h"

struct model;
struct customer;

enum {
    RANK_NONE = INT32_MIN,  /* no value: not counted */
    RANK_NEVER = INT32_MAX, /* a cut point that nobody reaches */
    RANKED_SCORES_MAX = 16,
    CUTS_MAX = 31, /* of one score: scores go to 32 */
};

/* The bucket of a value (not a NAN), and the least value of a bucket. Values nearer to 0 than 0.01 are in bucket 0. */
int32_t rank_bucket(double value);
double rank_bucket_least(int32_t bucket);

struct score_cuts {
    bool known; /* enough customers: else the score's steps decide */
    uint8_t count;
    int32_t buckets[CUTS_MAX]; /* score = 1 + how many of these the customer's bucket reaches */
};

/* A set of cut points, of all ranked scores in the order of the model. */
struct cut_points {
    uint64_t version; /* 0: none has been made yet */
    struct score_cuts scores[RANKED_SCORES_MAX];
};

bool cut_points_equal(const struct cut_points *a, const struct cut_points *b); /* but for the version */

struct rank_count { /* so many customers in a bucket */
    int32_t bucket;
    int64_t customers;
};

/* How a score is cut: by quantiles (count of scores), or by shares of the sum in per cent. */
struct rank_rule {
    int quantiles; /* 0: by shares */
    bool best_low;
    const double *shares; /* ascending, in per cent: {80, 95} */
    size_t shares_count;
};

/* The cut points of one score. counts ascend by bucket, none is 0 or negative; fewer than `minimum` customers: not known. */
struct score_cuts rank_cuts(const struct rank_rule *rule, const struct rank_count *counts, size_t counts_count,
                            int64_t minimum);

#endif

/* What an answer to a survey adds up to: the same for a customer and for the whole company. */
#ifndef TIDEMARK_SCORE_ANSWER_H
#define TIDEMARK_SCORE_ANSWER_H

#include "score/activity.h"
#include "score/tiles.h"

enum { ANSWER_SUMS_MAX = 4 };

struct answer_sum {
    enum tile_field field; /* TILE_PROMOTERS .. TILE_REVIEW_SUM */
    int amount;            /* 0: this answer adds nothing there */
};

/* The number of sums. NPS: promoters answer 9 and 10, detractors up to 6 (Reichheld 2003). CSAT: the top two boxes of five.
 * CES 2.0: 5 to 7 is easy, 1 to 3 hard. */
size_t answer_sums(const struct feedback *answer, struct answer_sum sums[ANSWER_SUMS_MAX]);

/* ---- what counts say: the same for a customer and for the whole company. NO_VALUE without an answer. ---- */

struct recommendations { /* answers to the question whether one would recommend us */
    double promoters;
    double passives;
    double detractors;
};

/* Net promoter score: per cent promoters less per cent detractors, -100..100 (Reichheld 2003). */
double answer_nps(struct recommendations answers);
/* Half the width of its 95 % interval, an answer counting as 1, 0 or -1: trinomial variance. */
double answer_nps_margin(struct recommendations answers);
/* Adjusted Wald: three answers more, three quarters of them promoters and as many detractors, keep the interval honest where
 * there are few (measuringu.com/nps-three-confidence-intervals). side: -1 the lower bound, 1 the upper; within -100..100. */
double answer_nps_bound(struct recommendations answers, double side);
/* A sum divided by the number of answers. */
double answer_mean(double sum, double count);

#endif

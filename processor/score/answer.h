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

#endif

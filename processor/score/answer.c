#include "score/answer.h"

size_t answer_sums(const struct feedback *answer, struct answer_sum sums[ANSWER_SUMS_MAX]) {
    int score = answer->score;
    size_t count = 0;
    switch (answer->survey) {
    case SURVEY_NPS:
        sums[count++] = (struct answer_sum){score >= 9   ? TILE_PROMOTERS
                                            : score >= 7 ? TILE_PASSIVES
                                                         : TILE_DETRACTORS,
                                            1};
        break;
    case SURVEY_CSAT:
        sums[count++] = (struct answer_sum){TILE_CSAT_COUNT, 1};
        sums[count++] = (struct answer_sum){TILE_CSAT_SUM, score};
        sums[count++] = (struct answer_sum){TILE_CSAT_TOP, score >= 4};
        break;
    case SURVEY_CES:
        sums[count++] = (struct answer_sum){TILE_CES_COUNT, 1};
        sums[count++] = (struct answer_sum){TILE_CES_SUM, score};
        sums[count++] = (struct answer_sum){TILE_CES_EASY, score >= 5};
        sums[count++] = (struct answer_sum){TILE_CES_HARD, score <= 3};
        break;
    case SURVEY_COMPLAINT:
        sums[count++] = (struct answer_sum){TILE_COMPLAINTS, 1};
        break;
    case SURVEY_REVIEW:
        sums[count++] = (struct answer_sum){TILE_REVIEW_COUNT, 1};
        sums[count++] = (struct answer_sum){TILE_REVIEW_SUM, score};
        break;
    }
    return count;
}

#include "score/answer.h"

static enum tile_field nps_field(int score) {
    if (score >= 9) {
        return TILE_PROMOTERS;
    }
    return score >= 7 ? TILE_PASSIVES : TILE_DETRACTORS;
}

size_t answer_sums(const struct feedback *answer, struct answer_sum sums[ANSWER_SUMS_MAX]) {
    int score = answer->score;
    size_t count = 0;
    if (answer->survey == SURVEY_NPS) {
        sums[count++] = (struct answer_sum){nps_field(score), 1};
    } else if (answer->survey == SURVEY_CSAT) {
        sums[count++] = (struct answer_sum){TILE_CSAT_COUNT, 1};
        sums[count++] = (struct answer_sum){TILE_CSAT_SUM, score};
        sums[count++] = (struct answer_sum){TILE_CSAT_TOP, score >= 4};
    } else if (answer->survey == SURVEY_CES) {
        sums[count++] = (struct answer_sum){TILE_CES_COUNT, 1};
        sums[count++] = (struct answer_sum){TILE_CES_SUM, score};
        sums[count++] = (struct answer_sum){TILE_CES_EASY, score >= 5};
        sums[count++] = (struct answer_sum){TILE_CES_HARD, score <= 3};
    } else if (answer->survey == SURVEY_COMPLAINT) {
        sums[count++] = (struct answer_sum){TILE_COMPLAINTS, 1};
    } else {
        ASSERT(answer->survey == SURVEY_REVIEW);
        sums[count++] = (struct answer_sum){TILE_REVIEW_COUNT, 1};
        sums[count++] = (struct answer_sum){TILE_REVIEW_SUM, score};
    }
    return count;
}

#include "score/answer.h"

#include "score/metrics.h"

#include <math.h>

/* The standard normal's 97.5 % point: intervals are of 95 %. */
#define Z_95 1.959963984540054

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

static double all_of(struct recommendations answers) {
    return answers.promoters + answers.passives + answers.detractors;
}

static double nps_of(struct recommendations answers) {
    return 100.0 * (answers.promoters - answers.detractors) / all_of(answers);
}

static double margin_of(struct recommendations answers) {
    double all = all_of(answers);
    double promoters = answers.promoters / all;
    double detractors = answers.detractors / all;
    double net = promoters - detractors;
    double variance = promoters + detractors - net * net;
    return 100.0 * Z_95 * sqrt((variance > 0 ? variance : 0) / all);
}

double answer_nps(struct recommendations answers) {
    return all_of(answers) > 0 ? nps_of(answers) : NO_VALUE;
}

double answer_nps_margin(struct recommendations answers) {
    return all_of(answers) > 0 ? margin_of(answers) : NO_VALUE;
}

double answer_nps_bound(struct recommendations answers, double side) {
    if (!(all_of(answers) > 0)) {
        return NO_VALUE;
    }
    answers.promoters += 0.75;
    answers.detractors += 0.75;
    answers.passives += 1.5;
    double bound = nps_of(answers) + side * margin_of(answers);
    return bound < -100 ? -100 : bound > 100 ? 100 : bound;
}

double answer_mean(double sum, double count) {
    return count > 0 ? sum / count : NO_VALUE;
}

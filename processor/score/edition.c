/* What a model says of its ranked scores, and its editions. */
#include "score/model.h"

#include "score/model_parts.h"

#include <stdlib.h>

size_t model_ranked_count(const struct model *model) {
    return model->ranked_count;
}

struct bytes model_ranked_name(const struct model *model, size_t ranked) {
    return model->scores[model->ranked[ranked]].name;
}

uint16_t model_ranked_tag(const struct model *model, size_t ranked) {
    return model->scores[model->ranked[ranked]].tag;
}

struct score_cuts model_cut(const struct model *model, size_t ranked, const struct rank_count *counts,
                            size_t counts_count) {
    return rank_cuts(&model->scores[model->ranked[ranked]].rank_rule, counts, counts_count, model->ranked_minimum);
}

struct model *model_copy_for_task(const struct model *model) {
    struct model *copy = malloc(sizeof *copy);
    if (copy) {
        *copy = *model;
    }
    return copy;
}

void model_copy_destroy(struct model *copy) {
    free(copy);
}

void model_set_edition(struct model *copy, const struct edition *edition) {
    copy->edition = edition;
}

const struct edition *model_edition(const struct model *model) {
    return model->edition;
}

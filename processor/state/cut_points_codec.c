#include "state/cut_points_codec.h"

void cut_points_encode(const struct cut_points *cuts, const struct model *model, struct buffer *out) {
    buffer_put_varint(out, cuts->version);
    for (size_t i = 0; i < model_ranked_count(model); i++) {
        const struct score_cuts *score = &cuts->scores[i];
        int64_t before = 0;
        buffer_put_varint(out, model_ranked_tag(model, i));
        buffer_put_byte(out, score->known);
        buffer_put_byte(out, score->count);
        for (size_t j = 0; j < score->count; j++) {
            buffer_put_signed(out, score->buckets[j] - before);
            before = score->buckets[j];
        }
    }
}

static int take_score(struct cursor *in, uint16_t tag, struct score_cuts *score) {
    int64_t bucket = 0;
    uint64_t found = cursor_varint(in);
    score->known = cursor_byte(in) != 0;
    score->count = cursor_byte(in);
    if (in->error || found != tag || score->count > CUTS_MAX) {
        return ERR_INVALID;
    }
    for (size_t j = 0; j < score->count; j++) {
        bucket += cursor_signed(in);
        if (in->error || bucket < INT32_MIN || bucket > INT32_MAX) {
            return ERR_INVALID;
        }
        score->buckets[j] = (int32_t)bucket;
    }
    return 0;
}

int cut_points_decode(struct bytes packed, const struct model *model, struct cut_points *out) {
    struct cursor in = cursor_of(packed);
    *out = (struct cut_points){.version = cursor_varint(&in)};
    for (size_t i = 0; i < model_ranked_count(model) && !in.error; i++) {
        if (take_score(&in, model_ranked_tag(model, i), &out->scores[i])) {
            return ERR_INVALID;
        }
    }
    return in.error || cursor_left(&in) > 0 ? ERR_INVALID : 0;
}

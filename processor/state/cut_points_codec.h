/* Cut points as they are kept in the store: the version, then per ranked score its name's tag, whether they are known, and the
 * buckets, each as the difference to the one before. */
#ifndef TIDEMARK_STATE_CUT_POINTS_CODEC_H
#define TIDEMARK_STATE_CUT_POINTS_CODEC_H

#include "score/model.h"

void cut_points_encode(const struct cut_points *cuts, const struct model *model, struct buffer *out);
/* ERR_INVALID: not cut points, or those of other scores than the model's. */
int cut_points_decode(struct bytes packed, const struct model *model, struct cut_points *out) MUST_CHECK;

#endif

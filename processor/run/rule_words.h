/* A rule in words, for people who check what they have written:
 *
 *     purchases(30d) >= 2 and not known(nps(90d))
 *     purchases in the last 30 days is at least 2, and there is no value of (NPS in the last 90 days)
 *
 * Word by word: what the rule means exactly is in config/README.md. The rule must be one that has been compiled. */
#ifndef TIDEMARK_RUN_RULE_WORDS_H
#define TIDEMARK_RUN_RULE_WORDS_H

#include "base/bytes.h"

void rule_words(struct bytes rule, struct buffer *out);

#endif

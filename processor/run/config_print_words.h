/* What scores and tier sets say, in words, as comments. */
#ifndef TIDEMARK_RUN_CONFIG_PRINT_WORDS_H
#define TIDEMARK_RUN_CONFIG_PRINT_WORDS_H

#include "run/config.h"

void config_print_words(const struct config *config, struct buffer *out);

#endif

/* What the files of the overview share; nobody else includes this. */
#ifndef TIDEMARK_RUN_OVERVIEW_PARTS_H
#define TIDEMARK_RUN_OVERVIEW_PARTS_H

#include "run/overview.h"
#include "run/rules.h"

#include <stdlib.h>

struct value_counting;

struct overview {
    struct event_base *base;
    struct rules *rules;
    struct redis_reader *reader;
    int32_t partitions;
    struct value_counting *value; /* NULL: nobody has asked */
};

/* One question that all tasks are asked. Stands first in each kind's own struct. */
struct gathering {
    struct overview *overview;
    struct rules *rules; /* held: those of the moment when it was asked */
    const struct config *config;
    lookup_done_fn done;
    void *arg;
    int32_t waiting; /* answers */
    int error;       /* the first */
};

/* Zeroed, of `size` bytes, begun. */
void *gathering_new(size_t size, struct overview *overview, lookup_done_fn done, void *arg);
/* Answers, with `out` unless something went wrong; nothing of the configuration may be needed any more. The caller frees. */
void gathering_end(struct gathering *gathering, int error, const struct buffer *out);

struct ask { /* one question to one task */
    void *gathering;
    int32_t partition;
    int32_t number; /* what else the kind wants to know */
};

struct ask *ask_new(struct gathering *gathering, int32_t partition, int32_t number);
/* Notes the answer, and frees. */
struct ask ask_end(struct ask *ask, int error);

/* The rules have changed, so what was counted by the old ones goes; whoever waits is answered by the new ones. Accepts NULL. */
void value_counting_begin_anew(struct value_counting *counting);
/* Whoever waits is answered with ERR_UNAVAILABLE. After redis_reader_give_up. Accepts NULL. */
void value_counting_destroy(struct value_counting *counting);

/* Takes "<prefix>/" off the text; false if it does not begin so. */
bool overview_take_prefix(struct bytes *text, struct bytes prefix);
/* Adds a population (a field of the store and its number) to those by the model's tiers, sets one after the other. */
void overview_count_tier(int64_t *customers, const struct model *model, struct bytes field, int64_t count);

#endif

/* Random numbers for the generator, in integers only, so that a seed gives the same history on
 * every machine, compiler and maths library. Q16 means a number times 65536. */
#ifndef TIDEMARK_RUN_GENERATE_RANDOM_H
#define TIDEMARK_RUN_GENERATE_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

#define Q16_ONE INT64_C(65536)

/* The state of one stream; any value will do. SplitMix64 (Steele, Lea, Flood 2014). */
uint64_t random_next(uint64_t *state);
/* A stream of its own for each index. */
uint64_t random_stream(uint64_t seed, uint64_t index);
/* 0 .. bound - 1; bound > 0. */
uint32_t random_below(uint64_t *state, uint32_t bound);
/* first .. last, both included. */
int64_t random_between(uint64_t *state, int64_t first, int64_t last);
/* True in `per_mille` of 1000 cases. */
bool random_chance(uint64_t *state, uint32_t per_mille);
/* Mean 0, deviation 1, within -6 .. 6, as Q16: the sum of twelve uniform ones. */
int64_t random_normal(uint64_t *state);
/* Exponential with mean 1, as Q16, at most 22.2. */
int64_t random_exponential(uint64_t *state);
/* 2^x, both Q16; x within -16 .. 20. */
int64_t exp2_q16(int64_t x);

#endif

#include "run/generate_random.h"

#include "base/error.h"

uint64_t random_next(uint64_t *state) {
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint64_t random_stream(uint64_t seed, uint64_t index) {
    uint64_t state = seed;
    uint64_t mixed = random_next(&state) ^ index;
    return random_next(&mixed);
}

uint32_t random_below(uint64_t *state, uint32_t bound) {
    ASSERT(bound > 0);
    return (uint32_t)((random_next(state) >> 32) * bound >> 32);
}

int64_t random_between(uint64_t *state, int64_t first, int64_t last) {
    ASSERT(first <= last && last - first < UINT32_MAX);
    return first + random_below(state, (uint32_t)(last - first + 1));
}

bool random_chance(uint64_t *state, uint32_t per_mille) {
    return random_below(state, 1000) < per_mille;
}

int64_t random_normal(uint64_t *state) {
    int64_t sum = 0;
    for (int i = 0; i < 3; i++) {
        uint64_t word = random_next(state);
        sum += (int64_t)(word & 0xffff) + (int64_t)(word >> 16 & 0xffff) + (int64_t)(word >> 32 & 0xffff) +
               (int64_t)(word >> 48);
    }
    return sum - 6 * Q16_ONE;
}

/* log2 of a positive 32-bit number as Q16, a bit at a time: squaring doubles the logarithm. */
static int64_t log2_q16(uint32_t number) {
    int whole = 31 - __builtin_clz(number);
    uint64_t fraction = (uint64_t)number << (31 - whole); /* 1.0 is 2^31 */
    int64_t result = (int64_t)whole * Q16_ONE;
    for (int64_t bit = Q16_ONE / 2; bit > 0; bit /= 2) {
        fraction = fraction * fraction >> 31;
        if (fraction >= UINT64_C(1) << 32) {
            fraction >>= 1;
            result += bit;
        }
    }
    return result;
}

int64_t random_exponential(uint64_t *state) {
    static const int64_t ln2_q16 = 45426;
    uint32_t uniform = (uint32_t)(random_next(state) >> 32) | 1; /* never 0 */
    return (32 * Q16_ONE - log2_q16(uniform)) * ln2_q16 / Q16_ONE;
}

int64_t exp2_q16(int64_t x) {
    /* 2^(1/2), 2^(1/4), ..., 2^(1/65536), times 2^30 */
    static const uint64_t roots[16] = {1518500250, 1276901417, 1170923762, 1121280436, 1097253708, 1085434106,
                                       1079572136, 1076653033, 1075196443, 1074468888, 1074105294, 1073923544,
                                       1073832680, 1073787251, 1073764537, 1073753181};
    ASSERT(x >= -16 * Q16_ONE && x <= 20 * Q16_ONE);
    uint64_t result = UINT64_C(1) << 30;
    uint64_t fraction = (uint64_t)(x + 16 * Q16_ONE) & 0xffff;
    for (int i = 0; i < 16; i++) {
        if (fraction & UINT64_C(1) << (15 - i)) {
            result = result * roots[i] >> 30;
        }
    }
    int64_t whole = (x + 16 * Q16_ONE) / Q16_ONE - 16;
    result >>= 14; /* Q30 to Q16 */
    return whole >= 0 ? (int64_t)(result << whole) : (int64_t)(result >> -whole);
}

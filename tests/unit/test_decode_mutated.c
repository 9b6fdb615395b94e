/* The protobuf reader beside protobuf-c over generated events with something wrong with them, or just unusual: always the
 * same ones. tests/fuzz/fuzz_decode.c looks further. */
#include "decode_support.h"
#include "publish/encode_activity.h"
#include "run/generate.h"
#include "support/decode_oracle.h"

enum { EVENTS = 6000, MUTANTS_EACH = 12, EDITS_MAX = 4 };

static uint64_t random_next(uint64_t *state) { /* xorshift64* */
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

static size_t random_below(uint64_t *state, size_t bound) {
    return bound ? (size_t)(random_next(state) % bound) : 0;
}

/* What protobuf knows and our producers do not write. */
static const struct bytes oddities[] = {
    {"\x08\x01", 2},                                      /* event_id as a number */
    {"\x12\x02zz", 4},                                    /* the customer once more */
    {"\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11}, /* a time of -1 */
    {"\x18\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 12},
    {"\x18\x85\x80\x80\x00", 5}, /* 5 in four bytes */
    {"\x98\x80\x00\x07", 4},     /* the tag of the time in three bytes */
    {"\x20\x81\x80\x80\x80\x10", 6},
    {"\x28\xfe\xff\xff\xff\x0f", 6}, /* an enum of 32 bits */
    {"\x4a\x00", 2},                 /* an item without anything */
    {"\x4a\x06\x0a\x01s\x18\x03\x7a", 8},
    {"\x4a\x05\x0a\x01s\x18\x03", 7},
    {"\x4a\x04\x0a\x02\x00z", 6},    /* a NUL in the item's sku */
    {"\x0b\x08\x01\x0c", 4},         /* a group */
    {"\x0f", 1},                     /* no wire type */
    {"\xa1\x06zzzzzzzz", 10},        /* field 100, eight bytes */
    {"\xa5\x06zzzz", 6},             /* field 100, four bytes */
    {"\xa2\x06\x03zzz", 6},          /* field 100, a text */
    {"\xa0\x06\x96\x01", 4},         /* field 100, a number */
    {"\xf8\xff\xff\xff\x0f\x01", 6}, /* the largest field number */
    {"\xf8\xff\xff\xff\x1f\x01", 6}, /* one that is too large */
    {"\x00\x01", 2},                 /* field 0 */
    {"\x32\x02\x01\x02", 4},         /* packed numbers where there is one */
    {"\x0a\x85\x80\x80\x80\x00zzzzz", 11},
    {"\x0a\xff\xff\xff\xff\x0f", 6}, /* a text of 4 GiB */
    {"\x0a\x02\xff\xfe", 4},         /* no UTF-8 */
};

/* Cuts, flips, doubles or adds something at a random place; the new size. */
static size_t edit(char *message, size_t size, size_t capacity, uint64_t *state) {
    size_t at = random_below(state, size + 1);
    switch (random_below(state, 5)) {
    case 0:
        return at;
    case 1:
        if (at < size) {
            message[at] = (char)random_next(state);
        }
        return size;
    case 2:
        if (at < size) {
            message[at] = (char)(message[at] ^ 1 << random_below(state, 8));
        }
        return size;
    default:
        break;
    }
    struct bytes odd = oddities[random_below(state, sizeof oddities / sizeof *oddities)];
    if (random_below(state, 2) == 0) {
        at = size; /* behind a whole message it may well be accepted */
    }
    if (size + odd.size <= capacity) {
        memmove(message + at + odd.size, message + at, size - at);
        memcpy(message + at, odd.data, odd.size);
        size += odd.size;
    }
    return size;
}

/* Compares from memory of just this size, so that reading past it is found by the sanitizer. */
static bool compare(enum input input, const char *message, size_t size, struct arena *arena) {
    char *exact = malloc(size + 1);
    assert_non_null(exact);
    memcpy(exact, message, size);
    char *tight = realloc(exact, size ? size : 1);
    assert_non_null(tight);
    bool both = decode_oracle_compare(input, bytes_of(tight, size), arena);
    free(tight);
    arena_reset(arena);
    return both;
}

static void mutated_messages_are_read_as_protobuf_c_reads_them(void **state) {
    (void)state;
    const struct generator_options options = {
        .customers = 300, .events = EVENTS, .seed = 5, .days = 365, .end_ms = INT64_C(1735689600000)};
    struct generator *generator = generator_create(&options);
    struct arena arena;
    struct buffer value = {0};
    char mutant[4096];
    uint64_t random = 88172645463325252;
    size_t accepted = 0;
    size_t refused = 0;
    struct generated event;
    arena_init(&arena, 4 << 20);
    assert_non_null(generator);
    while (generator_next(generator, &event)) {
        buffer_reset(&value);
        assert_int_equal(encode_activity_protobuf(&event.activity, bytes_of_text("EUR"), &value), 0);
        assert_true(value.size < sizeof mutant / 2);
        assert_true(compare(event.input, value.data, value.size, &arena));
        for (int i = 0; i < MUTANTS_EACH; i++) {
            size_t size = value.size;
            memcpy(mutant, value.data, size);
            for (size_t edits = 1 + random_below(&random, EDITS_MAX); edits > 0; edits--) {
                size = edit(mutant, size, sizeof mutant, &random);
            }
            bool both = compare(event.input, mutant, size, &arena);
            accepted += both;
            refused += !both;
        }
    }
    assert_true(accepted > EVENTS && refused > EVENTS);
    generator_destroy(generator);
    buffer_finish(&value);
    arena_finish(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(mutated_messages_are_read_as_protobuf_c_reads_them)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

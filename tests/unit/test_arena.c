#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { BLOCK = 64 * 1024 };

static void allocations_are_aligned_and_apart(void **state) {
    (void)state;
    struct arena arena;
    char *allocated[200];
    arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < 200; i++) {
        allocated[i] = arena_alloc(&arena, i * 7);
        assert_non_null(allocated[i]);
        assert_int_equal((uintptr_t)allocated[i] % 16, 0);
        memset(allocated[i], (int)i, i * 7);
    }
    for (size_t i = 0; i < 200; i++) {
        for (size_t j = 0; j < i * 7; j++) {
            assert_int_equal((unsigned char)allocated[i][j], i);
        }
    }
    arena_finish(&arena);
}

/* Nothing is an allocation, too: NULL means no room. */
static void nothing_is_not_null(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    char *first = arena_alloc(&arena, 0);
    char *second = arena_alloc(&arena, 0);
    assert_non_null(first);
    assert_ptr_not_equal(first, second);
    arena_finish(&arena);
}

static void zeroed_memory_is_zero(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    memset(arena_alloc(&arena, 1000), 0xff, 1000);
    arena_reset(&arena);
    const char *zero = arena_alloc_zero(&arena, 1000);
    for (size_t i = 0; i < 1000; i++) {
        assert_int_equal(zero[i], 0);
    }
    arena_finish(&arena);
}

static void a_copy_ends_in_nul(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    memset(arena_alloc(&arena, 1000), 0xff, 1000);
    arena_reset(&arena);
    struct bytes copy = arena_copy(&arena, bytes_of("a\0b", 3));
    assert_int_equal(copy.size, 3);
    assert_memory_equal(copy.data, "a\0b\0", 4);
    copy = arena_copy(&arena, bytes_of("", 0));
    assert_int_equal(copy.size, 0);
    assert_int_equal(copy.data[0], '\0');
    copy = arena_copy(&arena, bytes_of(NULL, 0)); /* absent becomes empty */
    assert_non_null(copy.data);
    arena_finish(&arena);
}

/* The cap is the limit of memory: what would pass it is not allocated, and smaller things still are. */
static void the_cap_holds(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 3 * BLOCK);
    assert_null(arena_alloc(&arena, 3 * BLOCK + 1));
    assert_non_null(arena_alloc(&arena, BLOCK + 1));
    assert_null(arena_alloc(&arena, 2 * BLOCK));
    int small = 0;
    while (arena_alloc(&arena, 1000)) {
        small++;
        assert_true(arena.bytes_used <= 3 * BLOCK);
    }
    assert_in_range(small, 60, 130);
    struct bytes copy = arena_copy(&arena, bytes_of("0123456789012345678901234567890123456789", 40));
    assert_true(copy.data || copy.size == 0);
    while (arena_alloc(&arena, 16)) {
    }
    assert_null(arena_copy(&arena, bytes_of("too much now", 12)).data);
    assert_null(arena_alloc_zero(&arena, 1));
    arena_finish(&arena);
    assert_non_null(arena_alloc(&arena, 3 * BLOCK)); /* as new */
    arena_finish(&arena);
    arena_init(&arena, BLOCK - 1); /* less than a block is nothing */
    assert_null(arena_alloc(&arena, 1));
    arena_finish(&arena);
}

/* What a batch took is there for the next one. */
static void a_reset_arena_keeps_one_block(void **state) {
    (void)state;
    struct arena arena;
    arena_init(&arena, 10 * BLOCK);
    arena_reset(&arena); /* of an empty one */
    void *first = arena_alloc(&arena, 100);
    for (int i = 0; i < 5; i++) {
        assert_non_null(arena_alloc(&arena, BLOCK));
    }
    arena_reset(&arena);
    assert_int_equal(arena.bytes_used, BLOCK);
    assert_ptr_equal(arena_alloc(&arena, 100), first);
    for (int round = 0; round < 1000; round++) { /* of which each fits, but not all together */
        arena_reset(&arena);
        for (int i = 0; i < 9; i++) {
            assert_non_null(arena_alloc(&arena, BLOCK));
        }
    }
    arena_finish(&arena);
}

/* Sizes that no sum of block and header can hold. */
static void absurd_sizes_are_refused(void **state) {
    (void)state;
    static const size_t sizes[] = {SIZE_MAX,      SIZE_MAX - 14, SIZE_MAX - 15, SIZE_MAX - 16,
                                   SIZE_MAX - 31, SIZE_MAX - 48, SIZE_MAX / 2,  SIZE_MAX - BLOCK};
    struct arena arena;
    arena_init(&arena, 10 * BLOCK);
    for (int filled = 0; filled < 2; filled++) {
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            assert_null(arena_alloc(&arena, sizes[i]));
        }
        assert_non_null(arena_alloc(&arena, 100));
    }
    arena_finish(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations_are_aligned_and_apart),
        cmocka_unit_test(nothing_is_not_null),
        cmocka_unit_test(zeroed_memory_is_zero),
        cmocka_unit_test(a_copy_ends_in_nul),
        cmocka_unit_test(the_cap_holds),
        cmocka_unit_test(a_reset_arena_keeps_one_block),
        cmocka_unit_test(absurd_sizes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

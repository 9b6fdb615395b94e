#include "base/bytes.h"

#include "support/model_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SEEDS = 2000 };

/* ---- slices ---- */

static void absent_is_not_empty_but_equal(void **state) {
    (void)state;
    assert_null(bytes_of_text(NULL).data);
    assert_int_equal(bytes_of_text(NULL).size, 0);
    assert_non_null(bytes_of_text("").data);
    assert_true(bytes_equal(bytes_of_text(NULL), bytes_of_text("")));
    assert_true(bytes_equal_text(bytes_of("abc", 2), "ab"));
    assert_false(bytes_equal_text(bytes_of("abc", 3), "ab"));
    assert_false(bytes_equal_text(bytes_of("abc", 3), "abd"));
    assert_false(bytes_equal_text(bytes_of("a\0b", 3), "a"));
}

/* Part of the stored state, so the same everywhere and for ever: xxh3, 64 bits, seed 0. */
static void the_hash_is_that_of_every_release(void **state) {
    (void)state;
    assert_int_equal(bytes_hash(bytes_of("", 0)), UINT64_C(0x2d06800538d394c2));
    assert_int_equal(bytes_hash(bytes_of_text("a")), UINT64_C(0xe6c632b61e964e1f));
    assert_int_equal(bytes_hash(bytes_of_text("abc")), UINT64_C(0x78af5f94892f3950));
    assert_int_not_equal(bytes_hash(bytes_of("a\0", 2)), bytes_hash(bytes_of("a", 1)));
}

/* ---- UTF-8 ---- */

/* The code points 1..10FFFF but for surrogates, and nothing else, in their shortest form. */
static bool is_utf8(const unsigned char *at, size_t size) {
    for (size_t i = 0; i < size;) {
        unsigned lead = at[i++];
        int more = lead < 0x80             ? 0
                   : (lead & 0xE0) == 0xC0 ? 1
                   : (lead & 0xF0) == 0xE0 ? 2
                   : (lead & 0xF8) == 0xF0 ? 3
                                           : -1;
        static const unsigned least[] = {1, 0x80, 0x800, 0x10000};
        if (more < 0) {
            return false;
        }
        unsigned code = more == 0 ? lead : lead & (0x3Fu >> more);
        for (int j = 0; j < more; j++) {
            if (i == size || (at[i] & 0xC0) != 0x80) {
                return false;
            }
            code = code << 6 | (at[i++] & 0x3Fu);
        }
        if (code < least[more] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
            return false;
        }
    }
    return true;
}

static void text_is_utf8_without_nul(void **state) {
    (void)state;
    static const struct {
        const char *data;
        size_t size;
        bool text;
    } cases[] = {
        {"", 0, true},
        {"plain", 5, true},
        {"\0", 1, false},
        {"a\0b", 3, false},
        {"\x7f", 1, true},
        {"\x80", 1, false},
        {"gr\xc3\xbc\xc3\x9f", 6, true},
        {"\xc3", 1, false},
        {"\xc0\xaf", 2, false}, /* an overlong slash */
        {"\xc1\xbf", 2, false},
        {"\xc2\x80", 2, true},
        {"\xe0\x9f\xbf", 3, false}, /* overlong */
        {"\xe0\xa0\x80", 3, true},
        {"\xed\x9f\xbf", 3, true},
        {"\xed\xa0\x80", 3, false}, /* a surrogate */
        {"\xee\x80\x80", 3, true},
        {"\xe2\x82", 2, false},
        {"\xf0\x8f\xbf\xbf", 4, false}, /* overlong */
        {"\xf0\x90\x80\x80", 4, true},
        {"\xf4\x8f\xbf\xbf", 4, true}, /* the last code point */
        {"\xf4\x90\x80\x80", 4, false},
        {"\xf5\x80\x80\x80", 4, false},
        {"\xf0\x9f\x98", 3, false},
        {"\xff", 1, false},
        {"\xc3\x28", 2, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(bytes_are_text(bytes_of(cases[i].data, cases[i].size)), cases[i].text);
        assert_int_equal(is_utf8((const unsigned char *)cases[i].data, cases[i].size), cases[i].text);
    }
    assert_true(bytes_are_text(bytes_of(NULL, 0)));
}

/* Every sequence of three bytes, and a choice of those of four. */
static void every_short_sequence_is_judged_rightly(void **state) {
    (void)state;
    static const unsigned char ends[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff};
    unsigned char at[4];
    for (unsigned first = 0; first < 256; first++) {
        for (unsigned second = 0; second < 256; second++) {
            at[0] = (unsigned char)first;
            at[1] = (unsigned char)second;
            for (size_t i = 0; i < sizeof ends * sizeof ends; i++) {
                at[2] = ends[i / sizeof ends];
                at[3] = ends[i % sizeof ends];
                for (size_t size = 1; size <= 4; size++) {
                    assert_int_equal(bytes_are_text(bytes_of((const char *)at, size)), is_utf8(at, size));
                }
            }
        }
    }
}

/* ---- buffers and cursors ---- */

static void numbers_are_written_as_protobuf_does(void **state) {
    (void)state;
    static const struct {
        uint64_t value;
        const char *bytes;
        size_t size;
    } varints[] = {{0, "\x00", 1},
                   {1, "\x01", 1},
                   {127, "\x7f", 1},
                   {128, "\x80\x01", 2},
                   {300, "\xac\x02", 2},
                   {UINT32_MAX, "\xff\xff\xff\xff\x0f", 5},
                   {UINT64_MAX, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10}};
    static const struct {
        int64_t value;
        uint64_t zigzag;
    } numbers[] = {{0, 0}, {-1, 1}, {1, 2}, {-2, 3}, {150, 300}, {INT64_MAX, UINT64_MAX - 1}, {INT64_MIN, UINT64_MAX}};
    struct buffer out = {0};
    for (size_t i = 0; i < sizeof varints / sizeof *varints; i++) {
        buffer_reset(&out);
        buffer_put_varint(&out, varints[i].value);
        assert_int_equal(out.size, varints[i].size);
        assert_memory_equal(out.data, varints[i].bytes, varints[i].size);
        struct cursor in = cursor_of(buffer_bytes(&out));
        assert_int_equal(cursor_varint(&in), varints[i].value);
        assert_int_equal(cursor_left(&in), 0);
    }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        buffer_reset(&out);
        buffer_put_signed(&out, numbers[i].value);
        struct cursor in = cursor_of(buffer_bytes(&out));
        assert_int_equal(cursor_varint(&in), numbers[i].zigzag);
        in = cursor_of(buffer_bytes(&out));
        assert_int_equal(cursor_signed(&in), numbers[i].value);
    }
    buffer_finish(&out);
}

static void numbers_are_written_in_digits(void **state) {
    (void)state;
    static const struct {
        int64_t value;
        const char *text;
    } numbers[] = {{0, "0"},
                   {7, "7"},
                   {10, "10"},
                   {-1, "-1"},
                   {-100, "-100"},
                   {INT64_MAX, "9223372036854775807"},
                   {INT64_MIN, "-9223372036854775808"}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char room[32];
        /* No more room than needed: some write to a place of their own, which must not grow. */
        struct buffer out = {.data = room, .capacity = strlen(numbers[i].text)};
        buffer_put_decimal(&out, numbers[i].value);
        assert_true(bytes_equal_text(buffer_bytes(&out), numbers[i].text));
    }
}

/* Something random: written where `in` is NULL, else read and compared. */
static void write_or_read(struct test_random *random, struct buffer *out, struct cursor *in) {
    uint64_t value = test_random_next(random) >> test_random_below(random, 64);
    char text[40];
    struct bytes bytes = bytes_of(text, (size_t)test_random_below(random, sizeof text));
    memset(text, (int)(value & 0x7f), sizeof text);
    switch (test_random_below(random, 5)) {
    case 0:
        if (in) {
            assert_int_equal(cursor_byte(in), value & 0xff);
        } else {
            buffer_put_byte(out, (uint8_t)value);
        }
        break;
    case 1:
        if (in) {
            assert_int_equal(cursor_varint(in), value);
        } else {
            buffer_put_varint(out, value);
        }
        break;
    case 2:
        if (in) {
            assert_int_equal(cursor_signed(in), (int64_t)value);
        } else {
            buffer_put_signed(out, (int64_t)value);
        }
        break;
    case 3:
        if (in) {
            assert_true(bytes_equal(cursor_sized(in), bytes));
        } else {
            buffer_put_sized(out, bytes);
        }
        break;
    default:
        if (in) {
            assert_true(bytes_equal(cursor_take(in, bytes.size), bytes));
        } else {
            buffer_put_bytes(out, bytes);
        }
        break;
    }
}

static void what_is_written_is_read(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct buffer out = {0};
        struct test_random random = test_random_of(seed);
        for (int i = 0; i < 50; i++) {
            write_or_read(&random, &out, NULL);
        }
        assert_int_equal(out.error, 0);
        struct cursor in = cursor_of(buffer_bytes(&out));
        random = test_random_of(seed);
        for (int i = 0; i < 50; i++) {
            write_or_read(&random, NULL, &in);
        }
        assert_int_equal(in.error, 0);
        assert_int_equal(cursor_left(&in), 0);
        buffer_finish(&out);
        assert_null(out.data);
    }
}

static void texts_are_formatted_behind_each_other(void **state) {
    (void)state;
    struct buffer out = {0};
    assert_string_equal(buffer_bytes(&out).data, ""); /* never absent */
    buffer_printf(&out, "%d-%s", 42, "x");
    buffer_printf(&out, "%s", "");
    buffer_put_text(&out, "+");
    buffer_put_bytes(&out, bytes_of("yz", 1));
    buffer_put(&out, NULL, 0);
    assert_true(bytes_equal_text(buffer_bytes(&out), "42-x+y"));
    char large[3000];
    memset(large, 'l', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    buffer_printf(&out, "%s", large); /* longer than a buffer begins with */
    assert_int_equal(out.size, 6 + sizeof large - 1);
    assert_memory_equal(out.data + 6, large, sizeof large - 1);
    buffer_finish(&out);
}

static void a_buffer_keeps_its_error(void **state) {
    (void)state;
    struct buffer out = {0};
    buffer_put_text(&out, "abc");
    out.error = ERR_NO_MEMORY;
    buffer_put_text(&out, "more");
    buffer_put_varint(&out, 5);
    buffer_printf(&out, "%d", 5);
    assert_null(buffer_reserve(&out, 1));
    assert_true(bytes_equal_text(buffer_bytes(&out), "abc"));
    buffer_reset(&out);
    assert_int_equal(out.error, 0);
    buffer_put_text(&out, "new");
    assert_true(bytes_equal_text(buffer_bytes(&out), "new"));
    buffer_finish(&out);
}

static void a_cursor_keeps_its_first_error(void **state) {
    (void)state;
    struct cursor in = cursor_of(bytes_of("\x05"
                                          "abc",
                                          4));
    assert_int_equal(cursor_sized(&in).size, 0); /* five are announced, three are there */
    assert_int_equal(in.error, ERR_TRUNCATED);
    assert_null(cursor_take(&in, 0).data);
    assert_int_equal(cursor_byte(&in), 0);
    assert_int_equal(cursor_varint(&in), 0);
    assert_int_equal(in.error, ERR_TRUNCATED);
    in = cursor_of(bytes_of("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11)); /* more than 64 bits */
    assert_int_equal(cursor_varint(&in), 0);
    assert_int_equal(in.error, ERR_INVALID);
    assert_int_equal(cursor_byte(&in), 0);
    assert_int_equal(in.error, ERR_INVALID);
    in = cursor_of(bytes_of("\x80\x80", 2));
    assert_int_equal(cursor_varint(&in), 0);
    assert_int_equal(in.error, ERR_TRUNCATED);
    in = cursor_of(bytes_of(NULL, 0));
    assert_int_equal(cursor_left(&in), 0);
    assert_int_equal(cursor_byte(&in), 0);
    assert_int_equal(in.error, ERR_TRUNCATED);
    in = cursor_of(bytes_of("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x", 11)); /* a length beyond all memory */
    assert_null(cursor_sized(&in).data);
    assert_int_equal(in.error, ERR_TRUNCATED);
}

/* Sizes that no memory can hold. */
static void absurd_sizes_are_an_error(void **state) {
    (void)state;
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 2, SIZE_MAX / 2 + 1};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct buffer out = {0};
        buffer_put_text(&out, "abc");
        assert_null(buffer_reserve(&out, sizes[i]));
        assert_int_equal(out.error, ERR_NO_MEMORY);
        assert_true(bytes_equal_text(buffer_bytes(&out), "abc"));
        buffer_finish(&out);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent_is_not_empty_but_equal),
        cmocka_unit_test(the_hash_is_that_of_every_release),
        cmocka_unit_test(text_is_utf8_without_nul),
        cmocka_unit_test(every_short_sequence_is_judged_rightly),
        cmocka_unit_test(numbers_are_written_as_protobuf_does),
        cmocka_unit_test(numbers_are_written_in_digits),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(texts_are_formatted_behind_each_other),
        cmocka_unit_test(a_buffer_keeps_its_error),
        cmocka_unit_test(a_cursor_keeps_its_first_error),
        cmocka_unit_test(absurd_sizes_are_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

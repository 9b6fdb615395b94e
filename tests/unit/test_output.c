#include "publish/output.h"

#include "base/clock.h"
#include "decode_support.h"

static struct bytes text(const char *characters) {
    return bytes_of_text(characters);
}

static void assert_same(struct bytes a, struct bytes b) {
    assert_int_equal(a.data == NULL, b.data == NULL);
    assert_true(bytes_equal(a, b));
}

static void what_is_packed_comes_out_again(void **state) {
    (void)state;
    const struct header headers[] = {
        {text("ce_id"), text("tidemark/value/c1/3")}, {text(""), text("")}, {text("null"), {NULL, 0}}};
    const struct output outputs[] = {
        {text("tier-changes"), text("c1"), text("{}"), headers, 3, INT64_C(1735689600000)},
        {text("t"), {NULL, 0}, {NULL, 0}, NULL, 0, TIME_NONE},
        {text("t"), text(""), text(""), headers, 1, -1},
    };
    for (size_t i = 0; i < sizeof outputs / sizeof *outputs; i++) {
        struct buffer packed = {0};
        struct arena arena;
        struct output out;
        arena_init(&arena, 1 << 20);
        output_pack(&outputs[i], &packed);
        assert_int_equal(packed.error, 0);
        assert_int_equal(output_unpack(buffer_bytes(&packed), &arena, &out), 0);
        assert_same(out.topic, outputs[i].topic);
        assert_same(out.key, outputs[i].key);
        assert_same(out.value, outputs[i].value);
        assert_int_equal(out.caused_ms, outputs[i].caused_ms);
        assert_int_equal(output_caused_ms(buffer_bytes(&packed)), outputs[i].caused_ms);
        assert_int_equal(out.headers_count, outputs[i].headers_count);
        for (size_t j = 0; j < out.headers_count; j++) {
            assert_same(out.headers[j].name, headers[j].name);
            assert_same(out.headers[j].value, headers[j].value);
        }
        arena_finish(&arena);
        buffer_finish(&packed);
    }
}

static void anything_else_is_invalid(void **state) {
    (void)state;
    const struct header header = {text("name"), text("value")};
    const struct output output = {text("topic"), text("key"), text("value"), &header, 1, 5};
    struct buffer packed = {0};
    struct arena arena;
    struct output out;
    arena_init(&arena, 1 << 20);
    output_pack(&output, &packed);
    for (size_t size = 0; size < packed.size; size++) {
        char *cut = malloc(size + 1); /* so that a read past the end is found */
        memcpy(cut, packed.data, size);
        cut = realloc(cut, size ? size : 1);
        assert_int_equal(output_unpack(bytes_of(cut, size), &arena, &out), ERR_INVALID);
        (void)output_caused_ms(bytes_of(cut, size)); /* reads nothing beyond it */
        free(cut);
    }
    buffer_put_byte(&packed, 0);
    assert_int_equal(output_unpack(buffer_bytes(&packed), &arena, &out), ERR_INVALID);
    packed.size--;
    packed.data[0] = 2; /* another version */
    assert_int_equal(output_unpack(buffer_bytes(&packed), &arena, &out), ERR_INVALID);
    /* A count of headers that no packed output of this size can have. */
    static const char many[] = "\x01\x01t\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
    assert_int_equal(output_unpack(bytes_of(many, sizeof many - 1), &arena, &out), ERR_INVALID);
    arena_finish(&arena);
    buffer_finish(&packed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_packed_comes_out_again),
        cmocka_unit_test(anything_else_is_invalid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

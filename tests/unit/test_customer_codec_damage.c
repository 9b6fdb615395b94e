/* Bytes that no version of Tidemark wrote are refused as customers, or at least do no harm. */
#include "codec_support.h"

enum { SEEDS_CUT = 30, SEEDS_FLIPPED = 2000, FLIPS_EACH = 5 };

/* Where one field ends and the next begins: only there may bytes be cut and still be read. */
static bool ends_a_field(struct bytes packed, size_t size) {
    struct cursor in = cursor_of(packed);
    while (!in.error && cursor_left(&in) > 0) {
        if ((size_t)(in.at - packed.data) == size) {
            return true;
        }
        if ((cursor_varint(&in) & 7) == 2) {
            (void)cursor_sized(&in);
        } else {
            (void)cursor_varint(&in);
        }
    }
    return size == packed.size;
}

/* What was read is a customer like any other. */
static void use(struct customer *customer, const struct model *model) {
    struct changes changes;
    changes_init(&changes, &builder.arena);
    assert_true(customer_is_valid(customer, model));
    struct activity activity = test_purchase(NULL, customer->now_ms + MS_PER_HOUR, 100);
    (void)customer_apply(customer, model, &activity, TIME_NONE, &changes);
    customer_advance(customer, model, customer->now_ms + 5 * (int64_t)MS_PER_DAY, &changes);
    struct buffer packed = encoded(customer);
    customer_destroy(decoded(buffer_bytes(&packed), model));
    buffer_finish(&packed);
}

/* From memory of exactly this size, so that a sanitizer sees every byte read too many. */
static int decode_exactly(struct bytes bytes, const struct model *model, struct customer **out) {
    char *exact = malloc(bytes.size ? bytes.size : 1);
    assert_non_null(exact);
    memcpy(exact, bytes.data, bytes.size);
    int error = customer_decode(bytes_of(exact, bytes.size), model, out);
    free(exact);
    assert_int_equal(error == 0, *out != NULL);
    return error;
}

static void bytes_cut_short_are_refused(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS_CUT; seed++) {
        struct test_random random = test_random_of(seed);
        const struct model *model = model_of(&builder, rules);
        struct customer *customer = random_customer(model, &random);
        struct buffer packed = encoded(customer);
        for (size_t size = 0; size < packed.size; size++) {
            struct customer *back;
            int error = decode_exactly(bytes_of(packed.data, size), model, &back);
            assert_true(error == 0 || error == ERR_INVALID || error == ERR_TRUNCATED);
            assert_true(error || ends_a_field(buffer_bytes(&packed), size));
            if (!error) {
                use(back, model);
                customer_destroy(back);
            }
        }
        buffer_finish(&packed);
        customer_destroy(customer);
        arena_reset(&builder.arena);
    }
}

static void flipped_bits_do_no_harm(void **state) {
    (void)state;
    int refused = 0;
    for (uint64_t seed = 1; seed <= SEEDS_FLIPPED; seed++) {
        struct test_random random = test_random_of(seed);
        const struct model *model = model_of(&builder, rules);
        struct customer *customer = random_customer(model, &random);
        struct buffer packed = encoded(customer);
        for (int i = 0; i < FLIPS_EACH; i++) { /* one more each time */
            size_t at = (size_t)test_random_below(&random, (int64_t)packed.size);
            packed.data[at] = (char)(packed.data[at] ^ (1 << test_random_below(&random, 8)));
            struct customer *back;
            if (decode_exactly(buffer_bytes(&packed), model, &back)) {
                refused++;
            } else {
                use(back, model);
                customer_destroy(back);
            }
        }
        buffer_finish(&packed);
        customer_destroy(customer);
        arena_reset(&builder.arena);
    }
    assert_in_range(refused, SEEDS_FLIPPED * FLIPS_EACH / 10, SEEDS_FLIPPED * FLIPS_EACH);
}

#define REFUSED(...)                                                                                                   \
    do {                                                                                                               \
        static const unsigned char bytes_[] = {__VA_ARGS__};                                                           \
        struct customer *customer_;                                                                                    \
        int error_ = decode_exactly(bytes_of((const char *)bytes_, sizeof bytes_), model, &customer_);                 \
        assert_true(error_ == ERR_INVALID || error_ == ERR_TRUNCATED);                                                 \
    } while (0)

#define NOW 0x08, 0x8c, 0xf0, 0xcb, 0xf2, 0x83, 0x65, 0x28, 0x00, 0x30, 0x00 /* and seen just now */
#define MOST 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01      /* the most negative number */

static void what_breaks_the_rules_is_refused(void **state) {
    (void)state;
    const struct model *model = model_of(&builder, rules);
    struct customer *customer;
    static const unsigned char least[] = {NOW};
    assert_int_equal(decode_exactly(bytes_of((const char *)least, sizeof least), model, &customer), 0);
    use(customer, model);
    customer_destroy(customer);
    REFUSED(0x28, 0x00, 0x30, 0x00);                                             /* no time */
    REFUSED(0x28, 0x00, 0x30, 0x00, 0x08, 0x02);                                 /* the time not first */
    REFUSED(0x08, MOST, 0x28, 0x00, 0x30, 0x00);                                 /* a time before all times */
    REFUSED(NOW, 0x08);                                                          /* a key and no more */
    REFUSED(NOW, 0x09, 1, 2, 3, 4, 5, 6, 7, 8);                                  /* a fixed64: no version has any */
    REFUSED(NOW, 0x10, 0x00);                                                    /* due now */
    REFUSED(NOW, 0x10, 0x01);                                                    /* due already */
    REFUSED(NOW, 0x10, MOST);                                                    /* due before all times */
    REFUSED(NOW, 0x28, 0x00, 0x30, 0x02);                                        /* first seen after last seen */
    REFUSED(NOW, 0x28, MOST);                                                    /* seen beyond all times */
    REFUSED(NOW, 0x38, 0x00);                                                    /* bought first, but not last */
    REFUSED(NOW, 0x40, 0x00);                                                    /* bought last, but not first */
    REFUSED(NOW, 0x38, 0x00, 0x40, 0x02);                                        /* bought first after last */
    REFUSED(NOW, 0x4a, 0x05, 1, 2, 3, 4, 5);                                     /* a part of a hash */
    REFUSED(NOW, 0x52, 0x03, 0x00, 0x02, 0x01);                                  /* a day cut short */
    REFUSED(NOW, 0x52, 0x05, 0x00, 0x02, 0x01, 1, 0x00);                         /* a sum of nothing */
    REFUSED(NOW, 0x52, 0x07, 0x00, 0x02, 0x02, 2, 0x02, 1, 0x02);                /* fields in the wrong order */
    REFUSED(NOW, 0x52, 0x09, 0x00, 0x04, 0x01, 1, 0x02, 0x01, 1, 1, 0x02);       /* days in the wrong order */
    REFUSED(NOW, 0x52, 0x0e, 0x00, MOST, 0x01, 1, 0x02);                         /* a day before all days */
    REFUSED(NOW, 0x52, 0x0e, 0x00, 0x80, 0x80, 0x80, 0x80, 0x10, 0x01, 1, 0x02); /* a day after all days */
    REFUSED(NOW, 0x52, 0x06, 0x00, 0x02, 0x01, 0xc0, 0x00, 0x02);                /* a field that no version has */
    REFUSED(NOW, 0x52, 0x07, 0x00, 0x02, 0x01, 0x81, 0x80, 0x04, 0x02);          /* a field beyond 16 bits */
    REFUSED(NOW, 0x5a, 0x03, 1, 2, 3);                                           /* a set cut short */
    REFUSED(NOW, 0x5a, 0x06, 1, 2, 3, 4, 0, 0);                                  /* no tier change yet */
    REFUSED(NOW, 0x5a, 0x0f, 1, 2, 3, 4, 1, MOST);                               /* since beyond all times */
    REFUSED(NOW, 0x5a, 0x10, 1, 2, 3, 4, 1, 0, MOST);                            /* pending likewise */
    REFUSED(NOW, 0x5a, 0x09, 1, 2, 3, 4, 1, 0, 0, 0, 0);                         /* more than there is */
}

/* Said twice, a field counts as one of many: there is room for those that fit. */
static void ids_said_twice_do_not_overflow(void **state) {
    (void)state;
    builder.dedupe = 2;
    const struct model *model = model_of(&builder, rules);
    builder.dedupe = 16;
    static const unsigned char twice[] = {NOW,  0x4a, 12, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0,
                                          0x4a, 12,   3,  0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0};
    struct customer *customer;
    assert_int_equal(decode_exactly(bytes_of((const char *)twice, sizeof twice), model, &customer), ERR_INVALID);
}

/* Sets that the rules once had are kept, but not without end. */
static void too_many_sets_are_refused(void **state) {
    (void)state;
    const struct model *model = model_of(&builder, rules);
    for (unsigned sets = 1022; sets <= 1023; sets++) {
        struct buffer packed = {0};
        static const unsigned char now[] = {NOW};
        buffer_put(&packed, now, sizeof now);
        for (unsigned tag = 1; tag <= sets; tag++) {
            const char set[] = {0x5a, 6, (char)tag, (char)(tag >> 8), 1, 0, 1, 0};
            buffer_put(&packed, set, sizeof set);
        }
        struct customer *customer;
        assert_int_equal(customer_decode(buffer_bytes(&packed), model, &customer), sets == 1022 ? 0 : ERR_INVALID);
        customer_destroy(customer);
        buffer_finish(&packed);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_cut_short_are_refused),    cmocka_unit_test(what_breaks_the_rules_is_refused),
        cmocka_unit_test(ids_said_twice_do_not_overflow), cmocka_unit_test(too_many_sets_are_refused),
        cmocka_unit_test(flipped_bits_do_no_harm),
    };
    return cmocka_run_group_tests(tests, builder_set_up, builder_tear_down);
}

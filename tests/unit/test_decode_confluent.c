#include "decode_support.h"

#define SCHEMA_ID "\0\0\0\x2a"
/* customer_id "c1", event_time_ms 1, kind LOGIN */
#define MESSAGE                                                                                                        \
    "\x12\x02"                                                                                                         \
    "c1\x18\x01\x20\x07"
#define CASE(text, reason)                                                                                             \
    { (text), sizeof(text) - 1, (reason) }

static enum dead_reason decoded_as(enum decode_format format, const char *value, size_t size,
                                   const struct header *headers, size_t headers_count) {
    struct decoded decoded;
    decode_value(&decoded, format, INPUT_INTERACTIONS, "c1", bytes_of(value, size), headers, headers_count);
    if (!decoded.reason) {
        assert_int_equal(decoded.activity.interaction.kind, INTERACTION_LOGIN);
    }
    decoded_finish(&decoded);
    return decoded.reason;
}

static void the_framing_is_stepped_over(void **state) {
    (void)state;
    static const struct {
        const char *value;
        size_t size;
        enum dead_reason reason;
    } cases[] = {
        CASE("\0" SCHEMA_ID "\0" MESSAGE, DEAD_NOT),         /* [0], the short form */
        CASE("\0" SCHEMA_ID "\x02\0" MESSAGE, DEAD_NOT),     /* [0], the long form */
        CASE("\0" SCHEMA_ID "\x02\x02" MESSAGE, DEAD_NOT),   /* [1] */
        CASE("\0" SCHEMA_ID "\x04\x02\0" MESSAGE, DEAD_NOT), /* [1, 0] */
        CASE("\0" SCHEMA_ID "\0", DEAD_BAD_ID),              /* an empty message */
        CASE("", DEAD_UNDECODABLE),
        CASE("\0", DEAD_UNDECODABLE),
        CASE("\0\0\0\x2a", DEAD_UNDECODABLE),
        CASE("\0" SCHEMA_ID, DEAD_UNDECODABLE),                    /* no indexes */
        CASE("\0" SCHEMA_ID "\x02", DEAD_UNDECODABLE),             /* too few indexes */
        CASE("\0" SCHEMA_ID "\x01" MESSAGE, DEAD_UNDECODABLE),     /* -1 indexes */
        CASE("\0" SCHEMA_ID "\x02\x01" MESSAGE, DEAD_UNDECODABLE), /* index -1 */
        CASE("\0" SCHEMA_ID "\x22"
             "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" MESSAGE,
             DEAD_UNDECODABLE), /* 17 of them */
        CASE("\0" SCHEMA_ID "\x20"
             "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" MESSAGE,
             DEAD_NOT),
        CASE("\0" SCHEMA_ID "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", DEAD_UNDECODABLE),
        CASE("\x01" SCHEMA_ID "\0" MESSAGE, DEAD_UNDECODABLE), /* another magic */
        CASE(MESSAGE, DEAD_UNDECODABLE),                       /* no framing at all */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(decoded_as(FORMAT_CONFLUENT_PROTOBUF, cases[i].value, cases[i].size, NULL, 0),
                         cases[i].reason);
    }
}

static void a_schema_id_in_a_header_leaves_the_value_bare(void **state) {
    (void)state;
    static const struct {
        const char *header;
        size_t size;
        enum dead_reason reason;
    } cases[] = {
        CASE("\x01"
             "0123456789abcdef",
             DEAD_NOT),
        CASE("\x01"
             "0123456789abcdef\0",
             DEAD_NOT),
        CASE("\x01"
             "0123456789abcdef\x04\x02\0",
             DEAD_NOT),
        CASE("\0" SCHEMA_ID, DEAD_NOT),
        CASE("\x01"
             "0123456789abcde",
             DEAD_UNDECODABLE),
        CASE("\x01"
             "0123456789abcdef\0junk",
             DEAD_UNDECODABLE),
        CASE("\x02"
             "0123456789abcdef",
             DEAD_UNDECODABLE),
        CASE("", DEAD_UNDECODABLE),
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct header headers[] = {{bytes_of_text("x"), {NULL, 0}},
                                   {bytes_of_text("__value_schema_id"), bytes_of(cases[i].header, cases[i].size)}};
        assert_int_equal(decoded_as(FORMAT_CONFLUENT_PROTOBUF, MESSAGE, sizeof MESSAGE - 1, headers, 2),
                         cases[i].reason);
    }
    struct header null_header = {bytes_of_text("__value_schema_id"), {NULL, 0}};
    assert_int_equal(decoded_as(FORMAT_CONFLUENT_PROTOBUF, MESSAGE, sizeof MESSAGE - 1, &null_header, 1),
                     DEAD_UNDECODABLE);
}

static void with_a_protobuf_content_type_both_forms_are_told_apart(void **state) {
    (void)state;
    static const char framed[] = "\0" SCHEMA_ID "\0" MESSAGE;
    struct header type = {bytes_of_text("content-type"), bytes_of_text("application/x-protobuf")};
    assert_int_equal(decoded_as(FORMAT_CONFLUENT_PROTOBUF, MESSAGE, sizeof MESSAGE - 1, &type, 1), DEAD_NOT);
    assert_int_equal(decoded_as(FORMAT_CONFLUENT_PROTOBUF, framed, sizeof framed - 1, &type, 1), DEAD_NOT);
    assert_int_equal(decoded_as(FORMAT_JSON, MESSAGE, sizeof MESSAGE - 1, &type, 1), DEAD_NOT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_framing_is_stepped_over),
        cmocka_unit_test(a_schema_id_in_a_header_leaves_the_value_bare),
        cmocka_unit_test(with_a_protobuf_content_type_both_forms_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

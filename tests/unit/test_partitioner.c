#include "decode_support.h"

/* A hash below 2^31 is its own partition when there are so many. */
enum { MANY = INT32_MAX };

/* Vectors of librdkafka's unit test (src/rdmurmur2.c), made with the Java client. */
static void murmur2_is_the_java_clients(void **state) {
    (void)state;
    static const struct {
        const char *key;
        uint32_t hash;
    } cases[] = {
        {"kafka", 0xd067cf64},
        {"giberish123456789", 0x8f552b0c},
        {"1234", 0x9fc97b14},
        {"234", 0xe7c009ca},
        {"34", 0x873930da},
        {"4", 0x5a4b5ca1},
        {"PreAmbleWillBeRemoved,ThePrePartThatIs", 0x78424f1c},
        {"reAmbleWillBeRemoved,ThePrePartThatIs", 0x4a62b377},
        {"", 0x106e08d9},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes key = bytes_of_text(cases[i].key);
        uint32_t positive = cases[i].hash & 0x7fffffff;
        assert_int_equal(partition_of(PARTITIONER_MURMUR2, key, MANY), positive % MANY);
        assert_int_equal(partition_of(PARTITIONER_MURMUR2, key, 12), positive % 12);
        assert_int_equal(partition_of(PARTITIONER_MURMUR2, key, 1), 0);
    }
}

/* Vectors of org.apache.kafka.common.utils.UtilsTest. */
static void murmur2_agrees_with_kafkas_own_test(void **state) {
    (void)state;
    static const struct {
        const char *key;
        int32_t hash;
    } cases[] = {
        {"21", -973932308},
        {"foobar", -790332482},
        {"a-little-bit-long-string", -985981536},
        {"abc", 479470107},
        {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
        {"a-little-bit-longer-string", -1486304829},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t positive = (uint32_t)cases[i].hash & 0x7fffffff;
        assert_int_equal(partition_of(PARTITIONER_MURMUR2, bytes_of_text(cases[i].key), MANY), positive % MANY);
    }
}

static void crc32_is_the_usual_one(void **state) {
    (void)state;
    static const struct {
        const char *key;
        uint32_t hash;
    } cases[] = {
        {"123456789", 0xcbf43926}, /* the check value of CRC-32/ISO-HDLC */
        {"", 0},
        {"The quick brown fox jumps over the lazy dog", 0x414fa339},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes key = bytes_of_text(cases[i].key);
        assert_int_equal(partition_of(PARTITIONER_CRC32, key, MANY), cases[i].hash % MANY);
        assert_int_equal(partition_of(PARTITIONER_CRC32, key, 7), cases[i].hash % 7);
    }
}

static void no_key_hashes_as_an_empty_one(void **state) {
    (void)state;
    struct bytes none = {NULL, 0};
    assert_int_equal(partition_of(PARTITIONER_MURMUR2, none, 100), 0x106e08d9 % 100);
    assert_int_equal(partition_of(PARTITIONER_CRC32, none, 100), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(murmur2_is_the_java_clients),
        cmocka_unit_test(murmur2_agrees_with_kafkas_own_test),
        cmocka_unit_test(crc32_is_the_usual_one),
        cmocka_unit_test(no_key_hashes_as_an_empty_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

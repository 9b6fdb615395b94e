#include "run/customer_hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static const char *hash_of(const char *key, const char *id) {
    static char hash[CUSTOMER_HASH_BYTES];
    customer_hash_set_key(key);
    customer_hash(bytes_of_text(id), hash);
    return hash;
}

/* As `printf %s c1 | openssl dgst -sha256 -hmac KEY | cut ...` says: the operator's guide tells people to do so. */
static void it_is_the_hmac_of_the_id(void **state) {
    (void)state;
    assert_string_equal(hash_of("key", "c1"), "6f349ae9d3b1867f");
    assert_string_equal(
        hash_of("a key that is longer than the sixty-four bytes of a block of SHA-256, and so is hashed", "c1"),
        "b12ac19f829a5edd");
}

static void another_key_or_id_gives_another_hash(void **state) {
    (void)state;
    char one[CUSTOMER_HASH_BYTES];
    memcpy(one, hash_of("key", "c1"), sizeof one);
    assert_string_not_equal(one, hash_of("key", "c2"));
    assert_string_not_equal(one, hash_of("kez", "c1"));
}

static void without_a_key_each_process_makes_its_own(void **state) {
    (void)state;
    char one[CUSTOMER_HASH_BYTES];
    memcpy(one, hash_of(NULL, "c1"), sizeof one);
    assert_string_not_equal(one, hash_of(NULL, "c1"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_the_hmac_of_the_id),
        cmocka_unit_test(another_key_or_id_gives_another_hash),
        cmocka_unit_test(without_a_key_each_process_makes_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "run/rule_words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_words(const char *rule, const char *words) {
    struct buffer out = {0};
    rule_words(bytes_of_text(rule), &out);
    buffer_put_byte(&out, '\0');
    assert_string_equal(out.data, words);
    buffer_finish(&out);
}

static void comparisons_and_windows(void **state) {
    (void)state;
    assert_words("r + f + m >= 13", "r + f + m is at least 13");
    assert_words("purchases(30d) > 2 * purchases(30d, ago 30d)",
                 "purchases in the last 30 days is more than 2 x purchases in the 30 days that ended 30 days ago");
    assert_words("interactions(page_view, 7d)<1", "interactions of kind page_view in the last 7 days is less than 1");
    assert_words("revenue = 0 and aov != 3.5", "revenue is 0, and revenue per purchase is not 3.5");
    assert_words("days_since_purchase <= 60", "days since the last purchase is at most 60");
    assert_words(
        "clv(365d) >= 100 or p_alive < 0.3",
        "revenue expected in the next 365 days is at least 100, or probability that the customer has not left is less "
        "than 0.3");
}

static void known_tier_and_what_stands_for_more(void **state) {
    (void)state;
    assert_words(
        "known(nps(90d)) and not known(csat(30d))",
        "there is a value of (NPS in the last 90 days), and there is no value of (CSAT (share of 4 and 5) in the last "
        "30 days)");
    assert_words("not (tier(value) = vip)", "not (the tier in value is vip)");
    assert_words("rising(30d)",
                 "a small customer bought more often and for more in the last 30 days than in the 30 days before");
    assert_words("trend(revenue, 30d) >= 1.5",
                 "revenue in the last 30 days / those of the 30 days before is at least 1.5");
    assert_words("min(r, max(f, 2)) = -1", "the least of(r, the largest of(f, 2)) is  - 1");
    assert_words("frequency = frequent", "frequency of purchases is frequent");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparisons_and_windows),
        cmocka_unit_test(known_tier_and_what_stands_for_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

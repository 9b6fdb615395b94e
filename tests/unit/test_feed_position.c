#include "run/feed_position.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void add(struct feed_position *position, const char *name, size_t partitions) {
    position->topics[position->topics_count++] =
        (struct feed_topic){.name = name, .next = calloc(partitions, sizeof(int64_t)), .partitions = partitions};
}

static struct feed_position two_topics(void) {
    struct feed_position position = {.topics_count = 0};
    add(&position, "tier-changes", 3);
    add(&position, "churn.alerts_2", 2);
    return position;
}

static void assert_text(const struct feed_position *position, const char *expected) {
    struct buffer out = {0};
    feed_position_write(position, &out);
    buffer_put_byte(&out, '\0');
    assert_string_equal(out.data, expected);
    buffer_finish(&out);
}

static void what_is_written_can_be_read(void **state) {
    (void)state;
    static const char text[] = "tier-changes:12,0,900000000000000;churn.alerts_2:3,1";
    struct feed_position position = two_topics();
    assert_text(&position, "tier-changes:0,0,0;churn.alerts_2:0,0");
    *feed_position_of(&position, "tier-changes", 0) = 12;
    *feed_position_of(&position, "tier-changes", 2) = 900000000000000;
    *feed_position_of(&position, "churn.alerts_2", 0) = 3;
    *feed_position_of(&position, "churn.alerts_2", 1) = 1;
    assert_text(&position, text);
    assert_true(feed_position_is_valid(bytes_of_text(text)));
    struct feed_position again = two_topics();
    feed_position_read(&again, bytes_of_text(text));
    assert_text(&again, text);
    assert_null(feed_position_of(&again, "tier-changes", 3));
    assert_null(feed_position_of(&again, "tier-changes", -1));
    assert_null(feed_position_of(&again, "tier", 0));
    feed_position_finish(&position);
    feed_position_finish(&again);
}

/* Between the two, topics and partitions may have come and gone. */
static void a_position_of_other_topics_moves_what_it_knows(void **state) {
    (void)state;
    struct feed_position position = two_topics();
    for (int partition = 0; partition < 2; partition++) {
        *feed_position_of(&position, "churn.alerts_2", partition) = 7;
    }
    feed_position_read(&position, bytes_of_text("gone:4,5;tier-changes:8"));
    assert_text(&position, "tier-changes:8,0,0;churn.alerts_2:7,7"); /* new partitions from their beginning */
    feed_position_read(&position, bytes_of_text("churn.alerts_2:1,2,3"));
    assert_text(&position, "tier-changes:8,0,0;churn.alerts_2:1,2");
    feed_position_finish(&position);
}

static void what_is_no_position_is_refused(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "",     "x",     "x:",   ":1",    "x:1,",     "x:1;",  "x:1,,2", "x:1;;y:1",   "x:-1",
        "x:1a", "x:1;y", "x: 1", "x y:1", "x:1,2;:3", "x:1:2", "x/y:1",  "\xC3\xA9:1", "x:1234567890123456789",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (feed_position_is_valid(bytes_of_text(wrong[i]))) {
            fail_msg("'%s' is taken for a position", wrong[i]);
        }
    }
    assert_false(feed_position_is_valid(bytes_of("x\0:1", 4)));
    assert_true(feed_position_is_valid(bytes_of_text("x:123456789012345678")));
}

/* It must fit a request's header. */
static void one_that_is_too_long_is_not_written(void **state) {
    (void)state;
    struct feed_position position = {.topics_count = 0};
    add(&position, "t", 3499);
    struct buffer out = {0};
    buffer_put_text(&out, "id: ");
    feed_position_write(&position, &out);
    assert_int_equal(out.size, 4 + 1 + 2 * 3499);
    *feed_position_of(&position, "t", 0) = 10;
    feed_position_write(&position, &out);
    assert_int_equal(out.size, 4 + 1 + 2 * 3499 + 7000);
    *feed_position_of(&position, "t", 0) = 100;
    feed_position_write(&position, &out);
    assert_int_equal(out.size, 4 + 1 + 2 * 3499 + 7000);
    buffer_finish(&out);
    feed_position_finish(&position);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_can_be_read),
        cmocka_unit_test(a_position_of_other_topics_moves_what_it_knows),
        cmocka_unit_test(what_is_no_position_is_refused),
        cmocka_unit_test(one_that_is_too_long_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

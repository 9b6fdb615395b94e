/* Taking over a task: from what Redis has (R) and what Kafka has committed (K), where to go on. */
#include "state/recovery.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define NOON INT64_C(1735732800000)

/* R as a task leaves it: ten records of each input applied, five outputs, of which three are known to be published. */
static struct store_found found_usual(void) {
    return (struct store_found){.schema = STORE_SCHEMA_VERSION,
                                .meta = {.epoch = 7,
                                         .seq = 20,
                                         .next_offset = {10, 11, 12},
                                         .output_seq = 5,
                                         .published_seq = 3,
                                         .clock_ms = NOON + 5,
                                         .fired_ms = NOON,
                                         .partitions = 6,
                                         .rules_version = "0123456789abcdef"}};
}

static struct committed committed_usual(void) {
    return (struct committed){.offset = {10, 11, 12}, .published_seq = 5, .fired_ms = NOON};
}

static struct committed committed_nothing(void) {
    return (struct committed){.offset = {OFFSET_NONE, OFFSET_NONE, OFFSET_NONE}, .fired_ms = TIME_NONE};
}

/* What store_take_over tells of a task that it has never had. */
static struct store_found found_nothing(void) {
    return (struct store_found){.schema = STORE_SCHEMA_VERSION, .absent = true, .meta = {.epoch = 1}};
}

static void assert_offsets(const int64_t actual[INPUTS], int64_t purchases, int64_t interactions, int64_t feedback) {
    assert_int_equal(actual[INPUT_PURCHASES], purchases);
    assert_int_equal(actual[INPUT_INTERACTIONS], interactions);
    assert_int_equal(actual[INPUT_FEEDBACK], feedback);
}

/* Meta comes as it was stored, but for the numbers of outputs. */
static void assert_goes_on(const struct recovery *recovery, const struct store_meta *stored) {
    assert_int_equal(recovery->meta.epoch, stored->epoch);
    assert_int_equal(recovery->meta.seq, stored->seq);
    assert_memory_equal(recovery->meta.next_offset, stored->next_offset, sizeof stored->next_offset);
    assert_int_equal(recovery->meta.clock_ms, stored->clock_ms);
    assert_int_equal(recovery->meta.fired_ms, stored->fired_ms);
    assert_int_equal(recovery->meta.partitions, stored->partitions);
    assert_string_equal(recovery->meta.rules_version, stored->rules_version);
}

static void the_ordinary_case_goes_on(void **state) {
    (void)state;
    struct store_found found = found_usual();
    struct committed committed = committed_usual();
    struct recovery recovery = recovery_decide(&found, &committed, false);
    assert_int_equal(recovery.kind, RECOVERY_RESUMED);
    assert_goes_on(&recovery, &found.meta);
    assert_int_equal(recovery.meta.output_seq, 5);
    assert_int_equal(recovery.meta.published_seq, 5); /* Kafka knows better than the last trim */
    /* Nothing after R is suppressed: R is not before K. */
    assert_offsets(recovery.suppress_before, 10, 11, 12);
    assert_int_equal(recovery.suppress_fired_ms, NOON);
}

/* The last owner died between apply and commit: publish the outbox past the mark, go on from R. */
static void redis_ahead_of_kafka_publishes_its_outbox(void **state) {
    (void)state;
    struct store_found found = found_usual();
    struct committed committed = {.offset = {8, 11, 2}, .published_seq = 4, .fired_ms = NOON - 1000};
    struct recovery recovery = recovery_decide(&found, &committed, false);
    assert_int_equal(recovery.kind, RECOVERY_RESUMED);
    assert_goes_on(&recovery, &found.meta);
    assert_int_equal(recovery.meta.output_seq, 5);
    assert_int_equal(recovery.meta.published_seq, 4); /* output 5 is still to be published */
    assert_offsets(recovery.suppress_before, 8, 11, 2);
    assert_int_equal(recovery.suppress_fired_ms, NOON - 1000);
}

static void nothing_committed_yet_publishes_everything(void **state) {
    (void)state;
    struct store_found found = found_usual();
    found.meta.published_seq = 0;
    struct committed committed = committed_nothing();
    for (int rebuild = 0; rebuild < 2; rebuild++) {
        struct recovery recovery = recovery_decide(&found, &committed, rebuild);
        assert_int_equal(recovery.kind, RECOVERY_RESUMED);
        assert_goes_on(&recovery, &found.meta);
        assert_int_equal(recovery.meta.output_seq, 5);
        assert_int_equal(recovery.meta.published_seq, 0);
        assert_offsets(recovery.suppress_before, OFFSET_NONE, OFFSET_NONE, OFFSET_NONE);
        assert_int_equal(recovery.suppress_fired_ms, TIME_NONE);
    }
}

/* Redis lost its tail: go on from R, and drop what was published before. */
static void redis_behind_kafka_suppresses(void **state) {
    (void)state;
    struct store_found found = found_usual();
    struct committed committed = {.offset = {15, 11, 12}, .published_seq = 9, .fired_ms = NOON + 60000};
    struct recovery recovery = recovery_decide(&found, &committed, false);
    assert_int_equal(recovery.kind, RECOVERY_REWOUND);
    assert_goes_on(&recovery, &found.meta);
    assert_offsets(recovery.suppress_before, 15, 11, 12);
    assert_int_equal(recovery.suppress_fired_ms, NOON + 60000);
    /* Numbers up to 9 were given to outputs that are published: the next is 10. */
    assert_int_equal(recovery.meta.output_seq, 9);
    assert_int_equal(recovery.meta.published_seq, 9);
}

static void behind_in_any_one_thing_is_behind(void **state) {
    (void)state;
    struct store_found found = found_usual();
    for (int what = 0; what < INPUTS + 1; what++) {
        struct committed committed = committed_usual();
        if (what < INPUTS) {
            committed.offset[what]++;
        }
        committed.published_seq += what == INPUTS;
        assert_int_equal(recovery_decide(&found, &committed, false).kind, RECOVERY_REWOUND);
    }
    /* Behind in one, ahead in another. */
    struct committed committed = {.offset = {9, 12, 12}, .published_seq = 2, .fired_ms = TIME_NONE};
    struct recovery recovery = recovery_decide(&found, &committed, false);
    assert_int_equal(recovery.kind, RECOVERY_REWOUND);
    assert_int_equal(recovery.meta.output_seq, 5);
    assert_int_equal(recovery.meta.published_seq, 3);
    assert_offsets(recovery.suppress_before, 9, 12, 12);
}

/* As a rebuilt state is at the next start, when no customer has been due since: nothing is lost, nobody is to be alarmed. */
static void an_older_round_alone_is_not_behind(void **state) {
    (void)state;
    struct store_found found = found_usual();
    struct committed committed = committed_usual();
    found.meta.fired_ms = TIME_NONE;
    struct recovery recovery = recovery_decide(&found, &committed, false);
    assert_int_equal(recovery.kind, RECOVERY_RESUMED);
    assert_int_equal(recovery.suppress_fired_ms, committed.fired_ms);
}

/* An input that R has not read yet, and K has. */
static void an_input_never_applied_is_behind_any_offset(void **state) {
    (void)state;
    struct store_found found = found_usual();
    struct committed committed = committed_usual();
    found.meta.next_offset[INPUT_FEEDBACK] = OFFSET_NONE;
    committed.offset[INPUT_FEEDBACK] = 0;
    assert_int_equal(recovery_decide(&found, &committed, false).kind, RECOVERY_REWOUND);
    committed.offset[INPUT_FEEDBACK] = OFFSET_NONE;
    assert_int_equal(recovery_decide(&found, &committed, false).kind, RECOVERY_RESUMED);
}

/* Offsets committed by hand or by another program carry no mark: nothing is known to be published. */
static void without_a_mark_nothing_is_known_to_be_published(void **state) {
    (void)state;
    struct store_found found = found_usual();
    struct committed committed = {.offset = {10, 11, 12}, .published_seq = 0, .fired_ms = TIME_NONE};
    struct recovery recovery = recovery_decide(&found, &committed, false);
    assert_int_equal(recovery.kind, RECOVERY_RESUMED);
    assert_int_equal(recovery.meta.published_seq, 3); /* what R itself had seen acknowledged */
    assert_int_equal(recovery.suppress_fired_ms, TIME_NONE);
}

static void assert_starts_empty(const struct recovery *recovery) {
    assert_offsets(recovery->meta.next_offset, OFFSET_NONE, OFFSET_NONE, OFFSET_NONE);
    assert_int_equal(recovery->meta.clock_ms, TIME_NONE);
    assert_int_equal(recovery->meta.fired_ms, TIME_NONE);
}

static void a_new_group_starts_at_the_beginning(void **state) {
    (void)state;
    struct store_found found = found_nothing();
    struct committed committed = committed_nothing();
    for (int rebuild = 0; rebuild < 2; rebuild++) {
        struct recovery recovery = recovery_decide(&found, &committed, rebuild);
        assert_int_equal(recovery.kind, RECOVERY_FRESH);
        assert_starts_empty(&recovery);
        assert_int_equal(recovery.meta.epoch, 1);
        assert_int_equal(recovery.meta.output_seq, 0);
        assert_int_equal(recovery.meta.published_seq, 0);
        assert_offsets(recovery.suppress_before, OFFSET_NONE, OFFSET_NONE, OFFSET_NONE);
        assert_int_equal(recovery.suppress_fired_ms, TIME_NONE);
    }
}

/* State lost: refused, unless told to replay everything from the beginning. */
static void lost_state_is_refused_unless_told_to_rebuild(void **state) {
    (void)state;
    struct store_found found = found_nothing();
    struct committed committed = committed_usual();
    assert_int_equal(recovery_decide(&found, &committed, false).kind, RECOVERY_LOST);
    struct recovery recovery = recovery_decide(&found, &committed, true);
    assert_int_equal(recovery.kind, RECOVERY_REBUILD);
    assert_starts_empty(&recovery);
    assert_offsets(recovery.suppress_before, 10, 11, 12);
    assert_int_equal(recovery.suppress_fired_ms, NOON);
    assert_int_equal(recovery.meta.output_seq, 5); /* the first new output is 6 */
    assert_int_equal(recovery.meta.published_seq, 5);
    /* One committed partition is enough to know that there was state. */
    committed = committed_nothing();
    committed.offset[INPUT_INTERACTIONS] = 0;
    assert_int_equal(recovery_decide(&found, &committed, false).kind, RECOVERY_LOST);
    assert_int_equal(recovery_decide(&found, &committed, true).kind, RECOVERY_REBUILD);
}

/* What stands in meta beside `absent` is not the task's. */
static void an_absent_meta_is_not_looked_at(void **state) {
    (void)state;
    struct store_found found = found_usual();
    struct committed committed = committed_nothing();
    found.absent = true;
    struct recovery recovery = recovery_decide(&found, &committed, false);
    assert_int_equal(recovery.kind, RECOVERY_FRESH);
    assert_starts_empty(&recovery);
    assert_int_equal(recovery.meta.output_seq, 0);
    assert_int_equal(recovery.meta.published_seq, 0);
}

/* ---- the mark ---- */

static void a_mark_comes_back(void **state) {
    (void)state;
    static const struct {
        uint64_t seq;
        int64_t fired_ms;
        const char *text;
    } marks[] = {
        {42, INT64_C(1735689600000), "tm1 seq=42 fired=1735689600000"},
        {0, 0, "tm1 seq=0 fired=0"},
        {0, TIME_NONE, "tm1 seq=0 fired=-9223372036854775808"},
        {UINT64_MAX, INT64_MAX, "tm1 seq=18446744073709551615 fired=9223372036854775807"},
    };
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        char text[MARK_BYTES_MAX];
        uint64_t seq = 1;
        int64_t fired_ms = 1;
        size_t size = mark_format(text, marks[i].seq, marks[i].fired_ms);
        assert_int_equal(size, strlen(marks[i].text));
        assert_string_equal(text, marks[i].text);
        assert_true(mark_parse(bytes_of(text, size), &seq, &fired_ms));
        assert_int_equal(seq, marks[i].seq);
        assert_int_equal(fired_ms, marks[i].fired_ms);
    }
}

static void other_texts_are_no_marks(void **state) {
    (void)state;
    static const char *const texts[] = {
        "",
        "tm1",
        "tm1 seq=42",
        "tm1 seq=42 fired=",
        "tm1 seq= fired=5",
        "tm1 seq=x fired=5",
        "tm1 seq=42 fired=5x",
        "tm1 seq=42 fired=5 ",
        " tm1 seq=42 fired=5",
        "tm2 seq=42 fired=5",
        "tm1 fired=5 seq=42",
        "tm1 seq=-1 fired=5",
        "tm1 seq=+1 fired=5",
        "tm1  seq=1 fired=5",
        "tm1 seq=1\tfired=5",
        "tm1 seq= 1 fired=5",
        "tm1 seq=18446744073709551616 fired=5",
        "tm1 seq=1 fired=9223372036854775808",
        "tm1 seq=184467440737095516150 fired=5",
        "something that another program has written into the metadata of its offsets, of any length",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        uint64_t seq = 1;
        int64_t fired_ms = 1;
        if (mark_parse(bytes_of_text(texts[i]), &seq, &fired_ms)) {
            fail_msg("'%s' is taken for a mark", texts[i]);
        }
        assert_int_equal(seq, 0);
        assert_int_equal(fired_ms, TIME_NONE);
    }
    uint64_t seq;
    int64_t fired_ms;
    assert_false(mark_parse(bytes_of(NULL, 0), &seq, &fired_ms));
    assert_false(mark_parse(bytes_of("tm1 seq=42 fired=5\0", 19), &seq, &fired_ms));
    assert_true(mark_parse(bytes_of("tm1 seq=42 fired=51", 18), &seq, &fired_ms)); /* not terminated */
    assert_int_equal(fired_ms, 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ordinary_case_goes_on),
        cmocka_unit_test(redis_ahead_of_kafka_publishes_its_outbox),
        cmocka_unit_test(nothing_committed_yet_publishes_everything),
        cmocka_unit_test(redis_behind_kafka_suppresses),
        cmocka_unit_test(behind_in_any_one_thing_is_behind),
        cmocka_unit_test(an_older_round_alone_is_not_behind),
        cmocka_unit_test(an_input_never_applied_is_behind_any_offset),
        cmocka_unit_test(without_a_mark_nothing_is_known_to_be_published),
        cmocka_unit_test(a_new_group_starts_at_the_beginning),
        cmocka_unit_test(lost_state_is_refused_unless_told_to_rebuild),
        cmocka_unit_test(an_absent_meta_is_not_looked_at),
        cmocka_unit_test(a_mark_comes_back),
        cmocka_unit_test(other_texts_are_no_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

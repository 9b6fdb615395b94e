/* The merge of a task's three partitions: the oldest record first, waiting where an older one may still come. */
#include "ingest/merge.h"

#include "support/model_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { WAIT_MS = 30000, QUEUE_MAX = 8, SEEDS = 2000 };

/* Three partitions: what is buffered of each, and what is known of the rest. */
struct partitions {
    int64_t timestamps[INPUTS][QUEUE_MAX];
    size_t count[INPUTS];
    size_t released[INPUTS];
    enum source_end end[INPUTS];
    struct record record[INPUTS];
    struct source source;
};

static const struct record *peek(void *context, enum input input) {
    struct partitions *partitions = context;
    if (partitions->released[input] == partitions->count[input]) {
        return NULL;
    }
    partitions->record[input].timestamp_ms = partitions->timestamps[input][partitions->released[input]];
    return &partitions->record[input];
}

static enum source_end end_of(void *context, enum input input) {
    const struct partitions *partitions = context;
    return partitions->end[input];
}

static const struct source_ops ops = {.peek = peek, .end = end_of};

/* All three read to their ends, nothing buffered. */
static void partitions_init(struct partitions *partitions) {
    *partitions = (struct partitions){.end = {SOURCE_AT_END, SOURCE_AT_END, SOURCE_AT_END}};
    partitions->source = (struct source){partitions, &ops};
}

static void arrive(struct partitions *partitions, enum input input, int64_t timestamp_ms) {
    assert_true(partitions->count[input] < QUEUE_MAX);
    partitions->timestamps[input][partitions->count[input]++] = timestamp_ms;
}

/* Takes a record of this input next. */
static void assert_takes(struct merge *merge, struct partitions *partitions, enum input input) {
    assert_int_equal(merge_next(merge, &partitions->source, 1), input);
    partitions->released[input]++;
}

static void the_oldest_comes_first(void **state) {
    (void)state;
    struct partitions partitions;
    struct merge merge;
    partitions_init(&partitions);
    merge_init(&merge, WAIT_MS);
    arrive(&partitions, INPUT_PURCHASES, 300);
    arrive(&partitions, INPUT_PURCHASES, 200); /* within a partition the log's order stands */
    arrive(&partitions, INPUT_INTERACTIONS, 100);
    arrive(&partitions, INPUT_INTERACTIONS, 250);
    arrive(&partitions, INPUT_FEEDBACK, -1); /* no timestamp: older than all */
    arrive(&partitions, INPUT_FEEDBACK, 299);
    assert_takes(&merge, &partitions, INPUT_FEEDBACK);
    assert_takes(&merge, &partitions, INPUT_INTERACTIONS);
    assert_takes(&merge, &partitions, INPUT_INTERACTIONS);
    assert_takes(&merge, &partitions, INPUT_FEEDBACK);
    assert_takes(&merge, &partitions, INPUT_PURCHASES);
    assert_takes(&merge, &partitions, INPUT_PURCHASES);
    assert_int_equal(merge_next(&merge, &partitions.source, 1), MERGE_END);
    assert_int_equal(merge.left_behind, 0);
}

static void ties_go_by_the_order_of_the_inputs(void **state) {
    (void)state;
    struct partitions partitions;
    struct merge merge;
    partitions_init(&partitions);
    merge_init(&merge, WAIT_MS);
    arrive(&partitions, INPUT_FEEDBACK, 100);
    arrive(&partitions, INPUT_INTERACTIONS, 100);
    arrive(&partitions, INPUT_PURCHASES, 100);
    arrive(&partitions, INPUT_PURCHASES, 100);
    assert_takes(&merge, &partitions, INPUT_PURCHASES);
    assert_takes(&merge, &partitions, INPUT_PURCHASES);
    assert_takes(&merge, &partitions, INPUT_INTERACTIONS);
    assert_takes(&merge, &partitions, INPUT_FEEDBACK);
}

/* A partition that is known to have more may have an older record: it is waited for, however long. */
static void a_partition_with_more_is_waited_for(void **state) {
    (void)state;
    for (int input = 0; input < INPUTS; input++) {
        struct partitions partitions;
        struct merge merge;
        partitions_init(&partitions);
        merge_init(&merge, WAIT_MS);
        for (int other = 0; other < INPUTS; other++) {
            if (other != input) {
                arrive(&partitions, (enum input)other, 100);
            }
        }
        partitions.end[input] = SOURCE_MORE;
        assert_int_equal(merge_next(&merge, &partitions.source, 1), MERGE_WAIT);
        assert_int_equal(merge_next(&merge, &partitions.source, 1000 * (int64_t)WAIT_MS), MERGE_WAIT);
        arrive(&partitions, (enum input)input, 99);
        assert_takes(&merge, &partitions, (enum input)input);
        assert_int_equal(merge_next(&merge, &partitions.source, 1000 * (int64_t)WAIT_MS), MERGE_WAIT);
        partitions.end[input] = SOURCE_AT_END;
        assert_int_equal(merge_next(&merge, &partitions.source, 1), input == 0 ? 1 : 0);
        assert_int_equal(merge.left_behind, 0);
    }
}

static void with_nothing_buffered_it_waits_or_ends(void **state) {
    (void)state;
    struct partitions partitions;
    struct merge merge;
    partitions_init(&partitions);
    merge_init(&merge, WAIT_MS);
    assert_int_equal(merge_next(&merge, &partitions.source, 1), MERGE_END);
    partitions.end[INPUT_FEEDBACK] = SOURCE_MORE;
    assert_int_equal(merge_next(&merge, &partitions.source, 1), MERGE_WAIT);
    partitions.end[INPUT_FEEDBACK] = SOURCE_UNKNOWN;
    assert_int_equal(merge_next(&merge, &partitions.source, 1), MERGE_WAIT);
}

/* A partition whose end is unknown (its leader is gone) is waited for no longer than merge_wait, and counted once. */
static void an_unknown_end_is_left_behind_after_a_while(void **state) {
    (void)state;
    struct partitions partitions;
    struct merge merge;
    partitions_init(&partitions);
    merge_init(&merge, WAIT_MS);
    arrive(&partitions, INPUT_INTERACTIONS, 100);
    arrive(&partitions, INPUT_INTERACTIONS, 101);
    partitions.end[INPUT_PURCHASES] = SOURCE_UNKNOWN;
    assert_int_equal(merge_next(&merge, &partitions.source, 5000), MERGE_WAIT);
    assert_int_equal(merge_next(&merge, &partitions.source, 5000 + WAIT_MS - 1), MERGE_WAIT);
    assert_int_equal(merge.left_behind, 0);
    assert_int_equal(merge_next(&merge, &partitions.source, 5000 + WAIT_MS), INPUT_INTERACTIONS);
    assert_int_equal(merge_next(&merge, &partitions.source, 6000 + WAIT_MS), INPUT_INTERACTIONS);
    assert_int_equal(merge.left_behind, 1);
    assert_true(merge.behind[INPUT_PURCHASES]);
    /* With nothing else to take it still cannot be said that all has been read. */
    partitions.released[INPUT_INTERACTIONS] = 2;
    assert_int_equal(merge_next(&merge, &partitions.source, 7000 + WAIT_MS), MERGE_WAIT);
    assert_int_equal(merge.left_behind, 1);
    /* It comes back: waited for again, from a new beginning. */
    arrive(&partitions, INPUT_INTERACTIONS, 102);
    partitions.end[INPUT_PURCHASES] = SOURCE_MORE;
    assert_int_equal(merge_next(&merge, &partitions.source, 8000 + WAIT_MS), MERGE_WAIT);
    assert_false(merge.behind[INPUT_PURCHASES]);
    partitions.end[INPUT_PURCHASES] = SOURCE_UNKNOWN;
    assert_int_equal(merge_next(&merge, &partitions.source, 9000 + WAIT_MS), MERGE_WAIT);
    assert_int_equal(merge_next(&merge, &partitions.source, 9000 + 2 * WAIT_MS - 1), MERGE_WAIT);
    assert_int_equal(merge_next(&merge, &partitions.source, 9000 + 2 * WAIT_MS), INPUT_INTERACTIONS);
    assert_int_equal(merge.left_behind, 2);
}

/* A record that arrives says as much as an end that is known. */
static void a_record_ends_the_waiting(void **state) {
    (void)state;
    struct partitions partitions;
    struct merge merge;
    partitions_init(&partitions);
    merge_init(&merge, WAIT_MS);
    arrive(&partitions, INPUT_INTERACTIONS, 100);
    partitions.end[INPUT_PURCHASES] = SOURCE_UNKNOWN;
    assert_int_equal(merge_next(&merge, &partitions.source, 1000), MERGE_WAIT);
    assert_int_equal(merge_next(&merge, &partitions.source, 1000 + WAIT_MS), INPUT_INTERACTIONS);
    arrive(&partitions, INPUT_PURCHASES, 50);
    assert_int_equal(merge_next(&merge, &partitions.source, 2000 + WAIT_MS), INPUT_PURCHASES);
    assert_false(merge.behind[INPUT_PURCHASES]);
    partitions.released[INPUT_PURCHASES]++;
    assert_int_equal(merge_next(&merge, &partitions.source, 3000 + WAIT_MS), MERGE_WAIT);
    assert_int_equal(merge_next(&merge, &partitions.source, 3000 + 2 * WAIT_MS - 1), MERGE_WAIT);
}

/* However records arrive: each partition's order stands, and nothing is taken before an older one that was known to come. */
static void arrivals_do_not_change_the_order(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct test_random random = test_random_of(seed);
        struct partitions partitions;
        struct merge merge;
        size_t total[INPUTS];
        partitions_init(&partitions);
        merge_init(&merge, WAIT_MS);
        size_t left = 0;
        for (int input = 0; input < INPUTS; input++) {
            int64_t at_ms = 0;
            total[input] = (size_t)test_random_below(&random, QUEUE_MAX + 1);
            left += total[input];
            for (size_t i = 0; i < total[input]; i++) {
                at_ms += test_random_below(&random, 4);
                partitions.timestamps[input][i] = at_ms;
            }
        }
        int64_t last = -1; /* timestamp, then input, of the one before */
        while (left > 0) {
            for (int input = 0; input < INPUTS; input++) {
                partitions.count[input] += partitions.count[input] < total[input] && test_random_below(&random, 3) == 0;
                partitions.end[input] = partitions.released[input] < total[input] ? SOURCE_MORE : SOURCE_AT_END;
            }
            int next = merge_next(&merge, &partitions.source, 1);
            if (next == MERGE_WAIT) {
                continue;
            }
            assert_in_range(next, 0, INPUTS - 1);
            int64_t rank = partitions.timestamps[next][partitions.released[next]++] * INPUTS + next;
            assert_true(rank >= last);
            last = rank;
            left--;
        }
        for (int input = 0; input < INPUTS; input++) {
            partitions.end[input] = SOURCE_AT_END;
        }
        assert_int_equal(merge_next(&merge, &partitions.source, 1), MERGE_END);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oldest_comes_first),
        cmocka_unit_test(ties_go_by_the_order_of_the_inputs),
        cmocka_unit_test(a_partition_with_more_is_waited_for),
        cmocka_unit_test(with_nothing_buffered_it_waits_or_ends),
        cmocka_unit_test(an_unknown_end_is_left_behind_after_a_while),
        cmocka_unit_test(a_record_ends_the_waiting),
        cmocka_unit_test(arrivals_do_not_change_the_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

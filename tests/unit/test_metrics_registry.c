/* Metrics as Prometheus reads them. The registry lives as long as the process, so each test uses series of its own. */
#include "base/metrics.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { THREADS = 4, ADDS = 50000 };

/* The whole registry; the caller frees it. */
static char *written(void) {
    struct buffer out = {0};
    metrics_write(&out);
    buffer_put_byte(&out, '\0');
    assert_int_equal(out.error, 0);
    return out.data;
}

static bool has_line(const char *text, const char *line) {
    size_t size = strlen(line);
    for (const char *at = text; (at = strstr(at, line)); at++) {
        if ((at == text || at[-1] == '\n') && at[size] == '\n') {
            return true;
        }
    }
    return false;
}

static void assert_line(const char *line, bool expected) {
    char *text = written();
    if (has_line(text, line) != expected) {
        fail_msg("%s: %s", expected ? "missing" : "still there", line);
    }
    free(text);
}

/* ---- the text as a whole ---- */

static size_t name_size(const char *at) {
    return strspn(at, "abcdefghijklmnopqrstuvwxyz_0123456789");
}

/* {name="value",...}: the bytes it takes, 0 when it is none. */
static size_t labels_size(const char *at) {
    const char *start = at;
    if (*at != '{') {
        return 0;
    }
    do {
        at++;
        size_t size = name_size(at);
        assert_true(size > 0 && strncmp(at + size, "=\"", 2) == 0);
        for (at += size + 2; *at != '"'; at++) {
            assert_true(*at != '\0' && *at != '\n');
            if (*at == '\\') {
                at++;
                assert_true(*at == '\\' || *at == '"' || *at == 'n');
            }
        }
        at++;
    } while (*at == ',');
    assert_true(*at == '}');
    return (size_t)(at + 1 - start);
}

/* Exposition format 0.0.4: families one after the other, HELP, TYPE, then samples of just that family. */
static void the_text_is_what_prometheus_reads(void **state) {
    (void)state;
    metric_add(metrics_series(&metric_events_total, "topic=\"purchases\",result=\"applied\""), 3);
    metric_observe(metrics_series(&metric_commit_seconds, ""), 0.2);
    metric_set(metrics_series(&metric_task_clock_seconds, "task=\"0\""), 1735689600.123);
    char *text = written();
    char family[80] = "";
    char seen[8192] = " ";
    char type[16] = "";
    int samples = 0;
    for (const char *at = text; *at; at = strchr(at, '\n') + 1) {
        if (strncmp(at, "# HELP ", 7) == 0) {
            size_t size = name_size(at + 7);
            assert_true(size > 9 && size < sizeof family - 2 && strncmp(at + 7, "tidemark_", 9) == 0);
            snprintf(family, sizeof family, " %.*s ", (int)size, at + 7);
            assert_true(at[7 + size] == ' ' && at[8 + size] != '\n'); /* has a help text */
            assert_null(strstr(seen, family));                        /* each family once */
            strncat(seen, family + 1, sizeof seen - strlen(seen) - 1);
        } else if (strncmp(at, "# TYPE ", 7) == 0) {
            size_t size = strlen(family) - 2;
            assert_int_equal(strncmp(at + 7, family + 1, size), 0);
            assert_int_equal(sscanf(at + 7 + size, " %15[a-z]\n", type), 1);
            bool total = size > 6 && strncmp(family + 1 + size - 6, "_total", 6) == 0;
            assert_int_equal(total, strcmp(type, "counter") == 0);
        } else {
            size_t size = strlen(family) - 2;
            assert_int_equal(strncmp(at, family + 1, size), 0);
            const char *rest = at + name_size(at);
            const char *suffix = at + size;
            bool histogram = strcmp(type, "histogram") == 0;
            bool suffixed = suffix != rest;
            assert_int_equal(histogram,
                             suffixed && (strncmp(suffix, "_bucket{", 8) == 0 || strncmp(suffix, "_sum", 4) == 0 ||
                                          strncmp(suffix, "_count", 6) == 0));
            rest += labels_size(rest);
            char *end;
            assert_true(*rest == ' ');
            (void)strtod(rest + 1, &end);
            assert_true(end > rest + 1 && *end == '\n');
            samples++;
        }
    }
    assert_true(samples >= 3);
    /* Also families without any series yet. */
    assert_true(has_line(text, "# TYPE tidemark_rewinds_total counter"));
    assert_true(has_line(text, "# TYPE tidemark_redis_up gauge"));
    assert_true(has_line(text, "# TYPE tidemark_event_latency_seconds histogram"));
    free(text);
}

/* ---- counters, gauges ---- */

static void the_same_labels_are_the_same_series(void **state) {
    (void)state;
    struct metric *first = metrics_series(&metric_dead_letters_total, "reason=\"bad_id\"");
    struct metric *second = metrics_series(&metric_dead_letters_total, "reason=\"bad_time\"");
    assert_ptr_not_equal(first, second);
    assert_ptr_equal(metrics_series(&metric_dead_letters_total, "reason=\"bad_id\""), first);
    assert_ptr_not_equal(metrics_series(&metric_suppressed_total, "reason=\"bad_id\""), first);
    assert_line("tidemark_dead_letters_total{reason=\"bad_time\"} 0", true); /* shown from the start */
    metric_add(first, 1);
    metric_add(first, 41);
    metric_add(second, UINT64_C(9007199254740993)); /* beyond the whole numbers of doubles */
    assert_int_equal(metric_count(first), 42);
    assert_line("tidemark_dead_letters_total{reason=\"bad_id\"} 42", true);
    assert_line("tidemark_dead_letters_total{reason=\"bad_time\"} 9007199254740993", true);
    metric_add(metrics_series(&metric_takeovers_total, ""), 7);
    assert_line("tidemark_takeovers_total 7", true); /* no labels, no braces */
}

static void a_gauge_shows_once_it_is_set(void **state) {
    (void)state;
    struct metric *gauge = metrics_series(&metric_outbox_entries, "task=\"7\"");
    char *text = written();
    assert_null(strstr(text, "tidemark_outbox_entries{task=\"7\"}"));
    free(text);
    metric_set(gauge, 12);
    assert_line("tidemark_outbox_entries{task=\"7\"} 12", true);
    metric_set(gauge, -0.5);
    assert_line("tidemark_outbox_entries{task=\"7\"} -0.5", true);
    assert_line("tidemark_outbox_entries{task=\"7\"} 12", false);
    metric_set(gauge, 1735689600.123); /* Unix time with its milliseconds */
    assert_line("tidemark_outbox_entries{task=\"7\"} 1735689600.123", true);
    metric_hide(gauge);
    text = written();
    assert_null(strstr(text, "tidemark_outbox_entries{task=\"7\"}"));
    free(text);
    metric_set(gauge, 3);
    assert_line("tidemark_outbox_entries{task=\"7\"} 3", true);
}

static void label_values_are_escaped(void **state) {
    (void)state;
    struct buffer labels = {0};
    metrics_label(&labels, "tier_set", bytes_of_text("a \"quoted\" \\ name\nof two lines"));
    metrics_label(&labels, "from", bytes_of_text(""));
    metrics_label(&labels, "to", bytes_of("gr\xc3\xbc\xc3\x9f and more", 6));
    buffer_put_byte(&labels, '\0');
    assert_string_equal(labels.data,
                        "tier_set=\"a \\\"quoted\\\" \\\\ name\\nof two lines\",from=\"\",to=\"gr\xc3\xbc\xc3\x9f\"");
    metric_add(metrics_series(&metric_tier_changes_total, labels.data), 1);
    assert_line("tidemark_tier_changes_total{tier_set=\"a \\\"quoted\\\" \\\\ name\\nof two lines\",from=\"\","
                "to=\"gr\xc3\xbc\xc3\x9f\"} 1",
                true);
    buffer_finish(&labels);
}

/* ---- histograms ---- */

static void a_histogram_counts_up_to_each_bound(void **state) {
    (void)state;
    struct metric *seconds = metrics_series(&metric_apply_seconds, "");
    assert_line("tidemark_apply_seconds_bucket{le=\"+Inf\"} 0", true);
    static const double values[] = {0, -1, 0.001, 0.0011, 0.05, 0.0500001, 3, 60, 61, 1e30};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        metric_observe(seconds, values[i]);
    }
    assert_int_equal(metric_count(seconds), 10);
    assert_line("tidemark_apply_seconds_bucket{le=\"0.001\"} 3", true); /* up to and including; negative is 0 */
    assert_line("tidemark_apply_seconds_bucket{le=\"0.002\"} 4", true);
    assert_line("tidemark_apply_seconds_bucket{le=\"0.02\"} 4", true);
    assert_line("tidemark_apply_seconds_bucket{le=\"0.05\"} 5", true);
    assert_line("tidemark_apply_seconds_bucket{le=\"0.1\"} 6", true);
    assert_line("tidemark_apply_seconds_bucket{le=\"2\"} 6", true);
    assert_line("tidemark_apply_seconds_bucket{le=\"5\"} 7", true);
    assert_line("tidemark_apply_seconds_bucket{le=\"30\"} 7", true);
    assert_line("tidemark_apply_seconds_bucket{le=\"60\"} 8", true);
    assert_line("tidemark_apply_seconds_bucket{le=\"+Inf\"} 10", true);
    assert_line("tidemark_apply_seconds_count 10", true);
}

static void a_histogram_sums(void **state) {
    (void)state;
    static const double bounds[] = {1, 10};
    static const struct metric_family family = {
        .name = "tidemark_none", .type = METRIC_HISTOGRAM, .bounds = bounds, .bounds_count = 2};
    struct metric *own = metrics_series(&family, ""); /* in no table: counted, but not told */
    metric_observe(own, 5);
    assert_int_equal(metric_count(own), 1);
    struct metric *seconds = metrics_series(&metric_event_latency_seconds, "topic=\"x\"");
    metric_observe(seconds, 0.25);
    metric_observe(seconds, 1.5);
    metric_observe(seconds, 1e-9);
    metric_observe(seconds, -1); /* clocks of two machines differ a little: as 0 */
    assert_line("tidemark_event_latency_seconds_sum{topic=\"x\"} 1.75", true);
    assert_line("tidemark_event_latency_seconds_count{topic=\"x\"} 4", true);
    assert_line("tidemark_event_latency_seconds_bucket{topic=\"x\",le=\"0.5\"} 3", true);
    assert_line("tidemark_event_latency_seconds_bucket{topic=\"x\",le=\"+Inf\"} 4", true);
}

/* ---- threads ---- */

static void *add_many(void *arg) {
    struct metric *counter = metrics_series(&metric_due_fired_total, "");
    struct metric *seconds = metrics_series(&metric_event_latency_seconds, "topic=\"threads\"");
    (void)arg;
    for (int i = 0; i < ADDS; i++) {
        metric_add(counter, 2);
        metric_observe(seconds, 0.5);
    }
    return counter;
}

static void threads_add_up(void **state) {
    (void)state;
    pthread_t threads[THREADS];
    void *counters[THREADS];
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, add_many, NULL), 0);
    }
    free(written()); /* meanwhile */
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], &counters[i]), 0);
        assert_ptr_equal(counters[i], counters[0]);
    }
    assert_int_equal(metric_count(counters[0]), (uint64_t)THREADS * ADDS * 2);
    assert_line("tidemark_event_latency_seconds_bucket{topic=\"threads\",le=\"0.2\"} 0", true);
    assert_line("tidemark_event_latency_seconds_bucket{topic=\"threads\",le=\"0.5\"} 200000", true);
    assert_line("tidemark_event_latency_seconds_sum{topic=\"threads\"} 100000", true);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_is_what_prometheus_reads),
        cmocka_unit_test(the_same_labels_are_the_same_series),
        cmocka_unit_test(a_gauge_shows_once_it_is_set),
        cmocka_unit_test(label_values_are_escaped),
        cmocka_unit_test(a_histogram_counts_up_to_each_bound),
        cmocka_unit_test(a_histogram_sums),
        cmocka_unit_test(threads_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

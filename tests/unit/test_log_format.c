#include "base/log.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const char *line_of(enum log_format format, const char *fields, int left_out) {
    static char line[400];
    struct log_record record = {"2026-11-26T02:20:03.203Z", "info", "took over", fields, left_out};
    size_t size = log_format_line(format, &record, line, sizeof line - 1);
    assert_true(size > 0 && size < sizeof line && line[size - 1] == '\n');
    line[size - 1] = '\0';
    assert_null(strchr(line, '\n'));
    return line;
}

#define HEAD "ts=2026-11-26T02:20:03.203Z level=info msg=\"took over\""
#define JSON_HEAD "{\"ts\":\"2026-11-26T02:20:03.203Z\",\"level\":\"info\",\"msg\":\"took over\""

static void the_same_fields_are_told_in_both_formats(void **state) {
    (void)state;
    static const char fields[] = "task=3 epoch=1795659050247 offsets=-1,-1 rate=0.25 error=\"not now\"";
    assert_string_equal(line_of(LOG_LOGFMT, fields, 0),
                        HEAD " task=3 epoch=1795659050247 offsets=-1,-1 rate=0.25 error=\"not now\"");
    assert_string_equal(line_of(LOG_JSON, fields, 0),
                        JSON_HEAD ",\"task\":3,\"epoch\":1795659050247,\"offsets\":\"-1,-1\""
                                  ",\"rate\":0.25,\"error\":\"not now\"}");
}

static void there_may_be_no_fields(void **state) {
    (void)state;
    assert_string_equal(line_of(LOG_LOGFMT, "", 0), HEAD);
    assert_string_equal(line_of(LOG_JSON, "", 0), JSON_HEAD "}");
    assert_string_equal(line_of(LOG_JSON, "no field at all", 0), JSON_HEAD "}");
}

static void lines_that_were_left_out_are_told(void **state) {
    (void)state;
    assert_string_equal(line_of(LOG_LOGFMT, "task=3", 7), HEAD " left_out=7 task=3");
    assert_string_equal(line_of(LOG_JSON, "task=3", 7), JSON_HEAD ",\"left_out\":7,\"task\":3}");
}

static void what_a_server_says_stays_in_its_field_and_on_its_line(void **state) {
    (void)state;
    static const char fields[] = "error=\"said \"no\" \\o/\n\tlevel=fatal\x01\" task=3";
    assert_string_equal(line_of(LOG_LOGFMT, fields, 0),
                        HEAD " error=\"said \\\"no\\\" \\\\o/\\n\\tlevel=fatal\\u0001\" task=3");
    assert_string_equal(line_of(LOG_JSON, fields, 0),
                        JSON_HEAD ",\"error\":\"said \\\"no\\\" \\\\o/\\n\\tlevel=fatal\\u0001\",\"task\":3}");
    assert_string_equal(line_of(LOG_JSON, "error=\"never closed", 0), JSON_HEAD ",\"error\":\"never closed\"}");
}

static void what_is_no_utf8_is_replaced(void **state) {
    (void)state;
    assert_string_equal(line_of(LOG_JSON, "error=\"caf\xc3\xa9\"", 0), JSON_HEAD ",\"error\":\"caf\xc3\xa9\"}");
    assert_string_equal(line_of(LOG_JSON, "error=\"caf\xe9\"", 0), JSON_HEAD ",\"error\":\"caf?\"}");
}

static void only_what_is_a_number_in_json_is_written_as_one(void **state) {
    (void)state;
    static const char *const texts[] = {
        "007", "1e5", "0x1f", "-", ".5", "5.", "1..2", "1.2.3", "NaN", "a1", "1234567890123456"};
    static const char *const numbers[] = {"0", "-7", "0.5", "123456789012345", "10"};
    char fields[64];
    char expected[128];
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        snprintf(fields, sizeof fields, "x=%s", texts[i]);
        snprintf(expected, sizeof expected, JSON_HEAD ",\"x\":\"%s\"}", texts[i]);
        assert_string_equal(line_of(LOG_JSON, fields, 0), expected);
    }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        snprintf(fields, sizeof fields, "x=%s", numbers[i]);
        snprintf(expected, sizeof expected, JSON_HEAD ",\"x\":%s}", numbers[i]);
        assert_string_equal(line_of(LOG_JSON, fields, 0), expected);
    }
}

/* Whatever the room, a line is whole: quotes are closed, characters too, and nothing is written behind it. */
static void a_line_without_room_is_cut_inside_a_value(void **state) {
    (void)state;
    static const char fields[] =
        "error=\"caf\xc3\xa9 \"x\"\n caf\xc3\xa9 caf\xc3\xa9\" task=12345 more=\"words and words\"";
    static const char damaged[] =
        "error=\"\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\" task=12345";
    for (size_t room = 45; room < 100; room++) {
        char line[160];
        memset(line, '#', sizeof line);
        struct log_record other = {"t", "info", "m", damaged, 0};
        size_t size = log_format_line(LOG_JSON, &other, line, room);
        assert_in_range(size, 1, room);
        assert_int_equal(line[size], '#');
    }
    struct log_record record = {"t", "info", "m", fields, 0};
    for (size_t room = 60; room < 140; room++) {
        char line[160];
        memset(line, '#', sizeof line);
        size_t size = log_format_line(LOG_JSON, &record, line, room);
        assert_in_range(size, 1, room);
        assert_int_equal(line[size], '#');
        line[size] = '\0';
        assert_string_equal(line + size - 2, "}\n");
        int quotes = 0;
        for (size_t i = 0; i < size; i++) {
            quotes += line[i] == '"' && line[i - 1] != '\\';
            assert_false(line[i] == '\xc3' && line[i + 1] != '\xa9');
        }
        assert_int_equal(quotes % 2, 0);
    }
}

/* Without the time in front of it, and where it is. */
static void a_broken_invariant_is_a_line_of_the_log(void **state) {
    (void)state;
    char line[400] = "";
    int ends[2];
    int status;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        log_set_format(LOG_JSON);
        signal(SIGABRT, SIG_DFL);
        ASSERT(strcmp("a", "b") == 0);
        _exit(0);
    }
    close(ends[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_in_range(read(ends[0], line, sizeof line - 1), 1, sizeof line - 1);
    close(ends[0]);
    static const char wanted[] = "\"level\":\"fatal\",\"msg\":\"met a broken invariant\",\"condition\":"
                                 "\"strcmp(\\\"a\\\", \\\"b\\\") == 0\",\"at\":\"";
    if (!strstr(line, wanted) || !strstr(line, "test_log_format.c:")) {
        fail_msg("%s", line);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_fields_are_told_in_both_formats),
        cmocka_unit_test(there_may_be_no_fields),
        cmocka_unit_test(lines_that_were_left_out_are_told),
        cmocka_unit_test(what_a_server_says_stays_in_its_field_and_on_its_line),
        cmocka_unit_test(what_is_no_utf8_is_replaced),
        cmocka_unit_test(only_what_is_a_number_in_json_is_written_as_one),
        cmocka_unit_test(a_line_without_room_is_cut_inside_a_value),
        cmocka_unit_test(a_broken_invariant_is_a_line_of_the_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Where the configuration comes from: YAML, the environment, secrets files, --set; and config/sample.yaml, which shows it all. */
#include "config_support.h"

#include <fcntl.h>
#include <unistd.h>

/* ---- YAML ---- */

static void what_is_not_yaml_is_told_with_its_place(void **state) {
    (void)state;
    assert_problem("group: [a\n", "2:1: not YAML: did not find expected ',' or ']', while parsing a flow sequence");
    assert_problem("group: a\n  redis: b\n", "2:8: not YAML: mapping values are not allowed in this context");
    assert_problem("group: \"a\n", "2:1: not YAML: found unexpected end of stream, while scanning a quoted scalar");
    assert_problem("group: *unknown\n", "1:8: not YAML: found undefined alias");
    assert_problem("- a\n- b\n", "1:1: expected options like 'group: tidemark' at the top");
    assert_problem("just words\n", "1:1: expected options like 'group: tidemark' at the top");
    assert_problem("group: a\ngroup: b\n" LEAST, "2:1: the key 'group' stands twice");
    assert_problem("[a, b]: c\n" LEAST, "1:1: a key must be plain text");
    static struct config_problems problems;
    assert_null(config_parse("test.yaml", bytes_of("group: \xff\n", 9), NULL, 0, &problems));
    assert_int_equal(problems.count, 1);
    assert_int_equal(strncmp(problems.items[0].message, "not YAML: ", 10), 0);
}

static void deep_nesting_is_refused(void **state) {
    (void)state;
    char text[1024] = LEAST "kafka: ";
    size_t size = strlen(text);
    memset(text + size, '[', 200);
    memset(text + size + 200, ']', 200);
    static struct config_problems problems;
    assert_null(config_parse("test.yaml", bytes_of_text(text), NULL, 0, &problems));
    assert_string_equal(problems.items[0].message, "nested too deeply");
    assert_int_equal(problems.items[0].line, 2);
    problems.count = 0;
    assert_null(config_parse("test.yaml", bytes_of_text(LEAST "kafka: &x [*x]\n"), NULL, 0, &problems)); /* in itself */
    assert_string_equal(problems.items[0].message, "nested too deeply");
}

/* Ten times ten times ten ...: a few lines that stand for more than any memory holds. */
static void aliases_may_not_multiply(void **state) {
    (void)state;
    struct buffer text = {0};
    buffer_put_text(&text, LEAST "kafka:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 20; i++) {
        buffer_printf(&text, "  a%d: &a%d [", i, i);
        for (int j = 0; j < 10; j++) {
            buffer_printf(&text, "%s*a%d", j ? ", " : "", i - 1);
        }
        buffer_put_text(&text, "]\n");
    }
    static struct config_problems problems;
    assert_null(config_parse("test.yaml", buffer_bytes(&text), NULL, 0, &problems));
    assert_string_equal(problems.items[0].message, "more than 100000 values, those of aliases included");
    buffer_finish(&text);
    /* A few are what they are there for. */
    struct config *config = parsed("tier_sets:\n"
                                   "  one: {tiers: &tiers [{name: a, enter: 1 = 1}, {name: b}]}\n"
                                   "  two: {hold: 1d, tiers: *tiers}\n",
                                   NULL, 0);
    assert_int_equal(model_tiers_count(config->model, 1), 2);
    config_destroy(config);
}

/* ---- ${NAME} and ${file:PATH} ---- */

static void write_file(const char *path, const char *data, size_t size) {
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, size), size);
    close(fd);
}

static void the_environment_is_expanded(void **state) {
    (void)state;
    setenv("TEST_GROUP", "from-env", 1);
    setenv("TEST_NESTED", "${TEST_GROUP}", 1);
    setenv("TEST_EMPTY", "", 1);
    unsetenv("TEST_UNSET");
    struct config *config = parsed(LEAST "group: ${TEST_GROUP}\n"
                                         "redis: {key_prefix: 'a-${TEST_GROUP}-b${TEST_EMPTY}-${TEST_GROUP}'}\n"
                                         "kafka: {client.id: '${TEST_NESTED}', other: '$TEST_GROUP $ {x} ${'}\n",
                                   NULL, 0);
    assert_string_equal(config->group, "from-env");
    assert_string_equal(config->redis.key_prefix, "a-from-env-b-from-env");
    assert_string_equal(config->kafka[0].value, "${TEST_GROUP}"); /* what comes out is not looked at again */
    assert_string_equal(config->kafka[1].value, "$TEST_GROUP $ {x} ${");
    config_destroy(config);
    assert_problem(LEAST "kafka:\n  sasl.password: ${TEST_UNSET}\n",
                   "3:18: the environment variable 'TEST_UNSET' is not set");
    assert_problem(LEAST "group: ${TEST_EMPTY}\n", "2:8: group: expected a text that is not empty, not ''");
    assert_problem(LEAST "kafka: {a: '${}'}\n", "2:13: the environment variable '' is not set");
    assert_problem(LEAST "scores: {r: {metric: tenure, steps: [\"${TEST_GROUP}\"]}}\n",
                   "2:39: scores.r.steps: 'from-env' is not a number");
}

static void secrets_files_are_expanded(void **state) {
    (void)state;
    static const char empty[] = "2:16: http.token: expected a text that is not empty, not ''";
    char folder[] = "/tmp/tidemark-test-XXXXXX";
    char path[64];
    char text[512];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/secret", folder);
    snprintf(text, sizeof text, LEAST "http: {token: '${file:%s}'}\nredis: {password: 'x${file:%s}y'}\n", path, path);
    write_file(path, "two\nlines\r\n\n", 12);
    struct config *config = parsed(text, NULL, 0);
    assert_string_equal(config->http_token, "two\nlines"); /* without the ends that editors add */
    assert_string_equal(config->redis.password, "xtwo\nlinesy");
    config_destroy(config);
    write_file(path, "${HOME}", 7);
    config = parsed(text, NULL, 0);
    assert_string_equal(config->http_token, "${HOME}"); /* a secret may be anything */
    config_destroy(config);
    /* Too large for a secret: rather refused than cut. */
    char *large = calloc(1, 65537);
    char expected[256];
    assert_non_null(large);
    memset(large, 's', 65537);
    snprintf(text, sizeof text, LEAST "http: {token: '${file:%s}'}\n", path);
    write_file(path, large, 65536);
    config = parsed(text, NULL, 0);
    assert_int_equal(strlen(config->http_token), 65536);
    config_destroy(config);
    write_file(path, large, 65537);
    snprintf(expected, sizeof expected, "2:16: cannot read the file '%s': File too large\n%s", path, empty);
    assert_problem(text, expected);
    free(large);
    unlink(path);
    snprintf(expected, sizeof expected, "2:16: cannot read the file '%s': No such file or directory\n%s", path, empty);
    assert_problem(text, expected);
    snprintf(text, sizeof text, LEAST "http: {token: '${file:%s}'}\n", folder);
    snprintf(expected, sizeof expected, "2:16: cannot read the file '%s': Is a directory\n%s", folder, empty);
    assert_problem(text, expected);
    rmdir(folder);
}

/* ---- --set ---- */

static void overrides_win(void **state) {
    (void)state;
    static const char *const overrides[] = {
        "group=other",
        "kafka.bootstrap.servers=x:1", /* below kafka the rest is one key */
        "kafka.client.id=a=b",
        "redis.url=redis://h/1",
        "state.tiles=99",
        "currency.rates={USD: 0.5}",
        "tier_sets.it.hold=3d",
        "tier_sets.it.topic=elsewhere",
        "scores={r: {metric: tenure, steps: [1, 2]}}",
        "scores.r.best=low",
        "http.listen=off",
        "group=last",
    };
    struct config *config =
        parsed(LEAST "group: file\nkafka: {bootstrap.servers: y}\nredis:\nhttp: {listen: nonsense}\n", overrides,
               sizeof overrides / sizeof *overrides);
    assert_string_equal(config->group, "last");
    assert_int_equal(config->kafka_count, 2);
    assert_string_equal(config->kafka[0].value, "x:1");
    assert_string_equal(config->kafka[1].name, "client.id");
    assert_string_equal(config->kafka[1].value, "a=b");
    assert_string_equal(config->redis.url, "redis://h/1"); /* also where the file leaves the section empty */
    assert_int_equal(config->tiles_max, 99);
    assert_int_equal(config->currencies_count, 2);
    assert_true(bytes_equal_text(model_set_topic(config->model, 0), "elsewhere"));
    assert_null(config->http_host);
    config_destroy(config);
}

static void assert_override_problem(const char *override, const char *expected) {
    char line[600];
    snprintf(line, sizeof line, "%s\n", expected);
    assert_problems_of(LEAST "group: file\n", &override, 1, line);
}

/* Problems of an override have no line: the file is not to blame. */
static void wrong_overrides_are_told(void **state) {
    (void)state;
    assert_override_problem("group", "0:0: --set wants KEY=VALUE, not 'group'");
    assert_override_problem("=x", "0:0: --set wants KEY=VALUE, not '=x'");
    assert_override_problem("group=", "0:0: group: expected a text that is not empty, not ''");
    assert_override_problem("grup=x", "0:0: unknown key 'grup'; did you mean 'group'?");
    assert_override_problem("redis.ulr=x", "0:0: unknown key 'ulr' in redis; did you mean 'url'?");
    assert_override_problem("group.name=x", "0:0: group: expected one value");
    assert_override_problem("workers=x", "0:0: workers: expected a whole number, not 'x'");
    assert_override_problem("redis=x", "0:0: redis holds other options: expected a map");
    assert_override_problem(
        "currency.rates={USD: }",
        "0:0: currency.rates.USD: expected a positive decimal number with at most 9 places, not ''");
    assert_override_problem("scores={r: {metric: revenu, steps: [1]}}",
                            "0:0: scores.r.metric: unknown metric 'revenu'; did you mean 'revenue'?");
    assert_override_problem("scores=[", "0:0: not YAML: did not find expected node content, while parsing a flow node");
    assert_override_problem("group=${TEST_UNSET}", "0:0: the environment variable 'TEST_UNSET' is not set\n"
                                                   "0:0: group: expected a text that is not empty, not ''");
    assert_override_problem("..=x", "0:0: unknown key ''");
}

/* ---- files ---- */

static void assert_load_problem(const char *path, const char *expected) {
    static struct config_problems problems;
    problems.count = 0;
    assert_null(config_load(path, NULL, 0, &problems));
    assert_int_equal(problems.count, 1);
    assert_int_equal(problems.items[0].line, 0);
    assert_string_equal(problems.items[0].message, expected);
}

static void files_are_read(void **state) {
    (void)state;
    char folder[] = "/tmp/tidemark-test-XXXXXX";
    char path[64];
    static struct config_problems problems;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/tidemark.yaml", folder);
    assert_load_problem(path, "cannot read it: No such file or directory");
    assert_load_problem(folder, "cannot read it: Is a directory");
    write_file(path, LEAST "group: g\n", strlen(LEAST "group: g\n"));
    struct config *config = config_load(path, NULL, 0, &problems);
    assert_non_null(config);
    assert_string_equal(config->path, path);
    assert_string_equal(config->group, "g");
    config_destroy(config);
    size_t size = 1048577;
    char *large = malloc(size);
    assert_non_null(large);
    memset(large, '#', size);
    write_file(path, large, size);
    assert_load_problem(path, "cannot read it: larger than 1 MiB: not a configuration");
    memcpy(large, LEAST, strlen(LEAST));
    write_file(path, large, size - 1); /* all but the first line is a comment */
    config = config_load(path, NULL, 0, &problems);
    assert_non_null(config);
    config_destroy(config);
    free(large);
    unlink(path);
    rmdir(folder);
}

/* ---- config/sample.yaml ---- */

/* Whether the line gives the key, at least behind a #; in a section it is indented. */
static bool line_names(const char *line, const char *key, bool indented) {
    const char *word = line + (indented ? strspn(line, " #") : strncmp(line, "# ", 2) == 0 ? 2 : 0);
    return (word > line || !indented) && strncmp(word, key, strlen(key)) == 0 && word[strlen(key)] == ':';
}

static bool sample_names(const char *sample, const char *name) {
    const char *dot = strchr(name, '.');
    char section[64] = "";
    snprintf(section, sizeof section, "%.*s", dot ? (int)(dot - name) : 0, name);
    bool inside = dot == NULL;
    for (const char *at = sample; at && *at; at = strchr(at, '\n'), at += at != NULL) {
        if (dot && strchr(" #\n", *at) == NULL) {
            inside = line_names(at, section, false);
        }
        if (inside && line_names(at, dot ? dot + 1 : name, dot != NULL)) {
            return true;
        }
    }
    return false;
}

static char *read_sample(void) {
    int fd = open(TIDEMARK_SOURCE_DIR "/config/sample.yaml", O_RDONLY);
    assert_true(fd >= 0);
    char *text = calloc(1, 65536);
    assert_non_null(text);
    ssize_t size = read(fd, text, 65535);
    assert_in_range(size, 1, 65534);
    close(fd);
    return text;
}

static void the_sample_names_every_option(void **state) {
    (void)state;
    char *sample = read_sample();
    for (size_t i = 0; i < CONFIG_OPTIONS_COUNT; i++) {
        if (!sample_names(sample, CONFIG_OPTIONS[i].name)) {
            fail_msg("config/sample.yaml does not show %s", CONFIG_OPTIONS[i].name);
        }
    }
    assert_false(sample_names(sample, "redis.group"));
    assert_false(sample_names(sample, "url"));
    assert_false(sample_names(sample, "state.url"));
    free(sample);
}

/* "Every option with its default": what it sets is what is there without it. */
static void the_sample_shows_the_defaults(void **state) {
    (void)state;
    static struct config_problems problems;
    struct config *sample = config_load(TIDEMARK_SOURCE_DIR "/config/sample.yaml", NULL, 0, &problems);
    if (!sample) {
        fail_msg("%d:%d: %s", problems.items[0].line, problems.items[0].column, problems.items[0].message);
    }
    struct config *least = parsed(LEAST, NULL, 0);
    for (size_t i = 0; i < CONFIG_OPTIONS_COUNT; i++) {
        const struct option *option = &CONFIG_OPTIONS[i];
        const char *shown = (const char *)sample + option->offset;
        const char *otherwise = (const char *)least + option->offset;
        size_t size = option->kind == OPTION_FLAG                                     ? sizeof(bool)
                      : option->kind == OPTION_CHOICE || option->kind == OPTION_WHOLE ? sizeof(int)
                      : option->kind == OPTION_COUNT || option->kind == OPTION_SIZE   ? sizeof(size_t)
                      : option->kind == OPTION_DURATION                               ? sizeof(int64_t)
                                                                                      : 0;
        bool same = memcmp(shown, otherwise, size) == 0;
        if (option->kind == OPTION_TEXT || option->kind == OPTION_SECRET) {
            const char *a;
            const char *b;
            memcpy(&a, shown, sizeof a);
            memcpy(&b, otherwise, sizeof b);
            same = a == b || (a && b && strcmp(a, b) == 0);
        }
        if (!same) {
            fail_msg("config/sample.yaml shows another %s than the default", option->name);
        }
    }
    assert_string_equal(sample->kafka[0].value, least->kafka[0].value);
    assert_int_equal(sample->kafka_count, least->kafka_count);
    assert_int_equal(sample->redis.durability, least->redis.durability);
    assert_string_equal(sample->http_host, least->http_host);
    assert_int_equal(sample->http_port, least->http_port);
    assert_int_equal(model_sets_count(sample->model), 3);
    config_destroy(sample);
    config_destroy(least);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_yaml_is_told_with_its_place),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(the_environment_is_expanded),
        cmocka_unit_test(secrets_files_are_expanded),
        cmocka_unit_test(overrides_win),
        cmocka_unit_test(wrong_overrides_are_told),
        cmocka_unit_test(files_are_read),
        cmocka_unit_test(the_sample_names_every_option),
        cmocka_unit_test(the_sample_shows_the_defaults),
        cmocka_unit_test(aliases_may_not_multiply),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

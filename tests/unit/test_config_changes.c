/* A configuration read again: what it says otherwise is told by name, unless it belongs to the rules; and it is checked like the first. */
#include "config_support.h"

#include "run/config_changes.h"

#include <stdlib.h>
#include <unistd.h>

static void assert_changes(const char *before, const char *after, const char *names) {
    struct config *running = parsed(before, NULL, 0);
    struct config *again = parsed(after, NULL, 0);
    struct buffer out = {0};
    config_changes(running, again, &out);
    buffer_put_byte(&out, '\0');
    assert_string_equal(out.data, names);
    buffer_finish(&out);
    config_destroy(again);
    config_destroy(running);
}

static void the_same_file_changes_nothing(void **state) {
    (void)state;
    assert_changes(LEAST, LEAST, "");
    assert_changes(LEAST "kafka: {linger.ms: 5}\ncurrency: {rates: {USD: 0.9}}\n",
                   LEAST "kafka: {linger.ms: 5}\ncurrency: {rates: {USD: 0.9}}\n", "");
}

static void every_kind_of_option_is_compared(void **state) {
    (void)state;
    assert_changes(LEAST, LEAST "group: g\n", "group");
    assert_changes(LEAST, LEAST "topics: {feedback: f, tier_changes: t}\n", "topics.feedback, topics.tier_changes");
    assert_changes(LEAST, LEAST "format: json\nmisrouted: reject\n", "format, misrouted");
    assert_changes(LEAST, LEAST "redis: {password: p, command_timeout: 2s}\n", "redis.password, redis.command_timeout");
    assert_changes(LEAST "redis: {password: p}\n", LEAST, "redis.password");
    assert_changes(LEAST, LEAST "workers: 256\n", "workers");
    assert_changes(LEAST, LEAST "state: {cache: 1GiB, rebuild: true, max_future: 1m}\n",
                   "state.cache, state.max_future, state.rebuild");
}

static void options_of_their_own_are_compared(void **state) {
    (void)state;
    assert_changes(LEAST, LEAST "kafka: {linger.ms: 5}\n", "kafka");
    assert_changes(LEAST "kafka: {linger.ms: 4}\n", LEAST "kafka: {linger.ms: 5}\n", "kafka");
    assert_changes(LEAST, LEAST "redis: {durability: fsync}\n", "redis.durability");
    assert_changes(LEAST "redis: {durability: 'replicas:1'}\n", LEAST "redis: {durability: 'replicas:2'}\n",
                   "redis.durability");
    assert_changes(LEAST, LEAST "http: {listen: off}\n", "http.listen");
    assert_changes(LEAST, LEAST "http: {listen: '127.0.0.1:81'}\n", "http.listen");
    assert_changes(LEAST, LEAST "currency: {rates: {USD: 0.9}}\n", "currency.rates");
    assert_changes(LEAST "currency: {rates: {USD: 0.9}}\n", LEAST "currency: {rates: {USD: 0.8}}\n", "currency.rates");
}

static void rules_and_what_belongs_to_them_need_no_restart(void **state) {
    (void)state;
    assert_changes(
        LEAST,
        "tier_sets: {other: {hold: 3d, tiers: [{name: a, enter: 's >= 2'}, {name: b}]}}\n"
        "scores: {s: {metric: revenue, steps: [1]}}\n"
        "lifetime_value: {model: mbg_nbd, unit: 7d, r: 0.5, alpha: 6, a: 0.9, b: 1.6}\n"
        "feedback: {ces: share}\nbehaviour: {frequent_interval: 3d}\npoints: {per_unit: 2, events: {login: 1}}\n"
        "engagement: {half_life: 2d, weights: {search: 2}}\npopulations: {refresh: 2h, minimum: 7}\n"
        "state: {dedupe: 3, tiles: 9}\n",
        "");
}

/* Words do not decide, but for `alert`: whose alerts are open must be found anew. */
static void only_the_treatment_alert_makes_other_rules(void **state) {
    (void)state;
    static const char *const treatments[] = {"service: dedicated", "alert: sales", "alert: support"};
    char versions[3][17];
    for (size_t i = 0; i < 3; i++) {
        char text[200];
        snprintf(text, sizeof text,
                 "tier_sets: {it: {tiers: [{name: yes, enter: 'purchases >= 1', treatment: {%s}}, {name: no}]}}\n",
                 treatments[i]);
        struct config *config = parsed(text, NULL, 0);
        snprintf(versions[i], sizeof versions[i], "%.16s", model_version(config->model).data);
        config_destroy(config);
    }
    struct config *least = parsed(LEAST, NULL, 0);
    assert_true(bytes_equal_text(model_version(least->model), versions[0]));
    assert_string_not_equal(versions[0], versions[1]);
    assert_string_equal(versions[1], versions[2]);
    config_destroy(least);
}

/* ---- reading again ---- */

static void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void a_file_is_read_again_with_the_same_overrides(void **state) {
    (void)state;
    char path[] = "/tmp/tidemark-again-XXXXXX";
    struct config_problems problems = {.count = 0};
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    char override[] = "group=mine";
    const char *overrides[] = {override};
    write_file(path, LEAST "group: theirs\nstate: {time_zone: Europe/Berlin}\n");
    struct config *running = config_load(path, overrides, 1, &problems);
    assert_non_null(running);
    assert_true(running->from_file);
    override[0] = '!'; /* nobody else's memory is needed */
    write_file(path, LEAST "group: others\nstate: {time_zone: Asia/Tokyo, dedupe: 3}\n");
    struct config *again = config_load_again(running, &problems);
    assert_non_null(again);
    assert_string_equal(again->group, "mine");
    assert_int_equal(model_dedupe(again->model), 3);
    assert_ptr_equal(model_zone(again->model)->offsets, running->zone.offsets);
    struct buffer out = {0};
    config_changes(running, again, &out);
    assert_true(bytes_equal_text(buffer_bytes(&out), "state.time_zone"));
    buffer_finish(&out);
    config_destroy(again);
    write_file(path, LEAST "state: {time_zone: Asia/Nowhere}\n");
    assert_null(config_load_again(running, &problems));
    assert_int_equal(problems.count, 1);
    assert_non_null(strstr(problems.items[0].message, "Asia/Nowhere"));
    config_destroy(running);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_file_changes_nothing),
        cmocka_unit_test(every_kind_of_option_is_compared),
        cmocka_unit_test(options_of_their_own_are_compared),
        cmocka_unit_test(rules_and_what_belongs_to_them_need_no_restart),
        cmocka_unit_test(only_the_treatment_alert_makes_other_rules),
        cmocka_unit_test(a_file_is_read_again_with_the_same_overrides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

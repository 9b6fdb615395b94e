/* The configuration: what a file says is what the struct holds, and every mistake is told with its place and a way out. */
#include "config_support.h"

/* ---- what is there when nothing is said ---- */

static void the_least_configuration_has_the_defaults(void **state) {
    (void)state;
    struct config *config = parsed(LEAST, NULL, 0);
    assert_string_equal(config->path, "test.yaml");
    assert_string_equal(config->group, "tidemark");
    assert_int_equal(config->kafka_count, 1);
    assert_string_equal(config->kafka[0].name, "bootstrap.servers");
    assert_string_equal(config->kafka[0].value, "127.0.0.1:9092");
    assert_string_equal(config->topics[INPUT_INTERACTIONS], "interactions");
    assert_string_equal(config->tier_changes_topic, "tier-changes");
    assert_int_equal(config->format, FORMAT_PROTOBUF);
    assert_true(config->exactly_once);
    assert_false(config->misrouted_reject);
    assert_false(config->clock_event);
    assert_string_equal(config->redis.group, "tidemark");
    assert_null(config->redis.password);
    assert_int_equal(config->redis.durability, DURABILITY_MEMORY);
    assert_int_equal(config->redis.connect_timeout_ms, 5000);
    assert_true(config->workers >= 1); /* one per core */
    assert_int_equal(config->cache_bytes, 256 << 20);
    assert_int_equal(config->zone.count, 1);
    assert_string_equal(config->http_host, "127.0.0.1");
    assert_int_equal(config->http_port, 8080);
    assert_int_equal(config->currencies_count, 1);
    assert_string_equal(config->currencies[0].code, "EUR");
    assert_int_equal(model_dedupe(config->model), 16);
    struct decoder decoder = config_decoder(config);
    assert_int_equal(decoder.max_future_ms, 300000);
    struct encoder encoder = config_encoder(config);
    assert_true(bytes_equal_text(encoder.group, "tidemark"));
    config_destroy(config);
    config_destroy(NULL);
}

static void values_are_taken(void **state) {
    (void)state;
    struct config *config =
        parsed(LEAST "group: g\n"
                     "kafka: {bootstrap.servers: 'a:1,b:2', client.id: 7}\n"
                     "topics: {purchases: p, tier_changes: t, customer_scores: s}\n"
                     "format: confluent-protobuf\n"
                     "output_format: protobuf\n"
                     "delivery: at_least_once\n"
                     "misrouted: reject\n"
                     "partitioner: crc32\n"
                     "redis: {durability: 'replicas:2', key_prefix: x, command_timeout: 2s, password: p}\n"
                     "workers: 3\n"
                     "state: {cache: 1GiB, time_zone: Europe/Berlin, dedupe: 0, tiles: 8, rebuild: true}\n"
                     "clock: event\n"
                     "http: {listen: ':80', token: secret}\n"
                     "currency: {base: JPY, rates: {EUR: 163.5, KWD: 500}}\n",
               NULL, 0);
    assert_string_equal(config->group, "g");
    assert_int_equal(config->kafka_count, 2);
    assert_string_equal(config->kafka[0].value, "a:1,b:2");
    assert_string_equal(config->kafka[1].name, "client.id");
    assert_string_equal(config->kafka[1].value, "7");
    assert_string_equal(config->topics[INPUT_PURCHASES], "p");
    assert_string_equal(config->topics[INPUT_FEEDBACK], "feedback");
    assert_string_equal(config->tier_changes_topic, "t");
    assert_string_equal(config->customer_scores_topic, "s");
    assert_int_equal(config->format, FORMAT_CONFLUENT_PROTOBUF);
    assert_int_equal(config->output_format, OUTPUT_PROTOBUF);
    assert_false(config->exactly_once);
    assert_true(config->misrouted_reject && config->clock_event && config->rebuild);
    assert_int_equal(config->partitioner, PARTITIONER_CRC32);
    assert_int_equal(config->redis.durability, DURABILITY_REPLICAS);
    assert_int_equal(config->redis.replicas, 2);
    assert_int_equal(config->redis.command_timeout_ms, 2000);
    assert_string_equal(config->redis.password, "p");
    assert_int_equal(config->workers, 3);
    assert_int_equal(config->cache_bytes, 1 << 30);
    assert_true(config->zone.count > 100);
    assert_string_equal(config->http_host, "0.0.0.0");
    assert_string_equal(config->http_token, "secret");
    assert_int_equal(model_money_decimals(config->model), 0);
    assert_int_equal(config->currencies_count, 3);
    assert_int_equal(config->currencies[1].rate_nano, INT64_C(163500000000));
    assert_int_equal(config->currencies[1].decimals_difference, -2);
    assert_int_equal(config->currencies[2].decimals_difference, -3);
    config_destroy(config);
    config = parsed(LEAST "http: {listen: off}\nredis: {durability: fsync}\n"
                          "currency: {rates: }\nstate:\nkafka:\n", /* nothing is said */
                    NULL, 0);
    assert_null(config->http_host);
    assert_int_equal(config->redis.durability, DURABILITY_FSYNC);
    config_destroy(config);
}

/* ---- mistakes ---- */

static void an_unknown_key_names_the_nearest(void **state) {
    (void)state;
    assert_problem(LEAST "grup: x\n", "2:1: unknown key 'grup'; did you mean 'group'?");
    assert_problem(LEAST "completely_else: x\n", "2:1: unknown key 'completely_else'");
    assert_problem(LEAST "redis:\n  ulr: x\n", "3:3: unknown key 'ulr' in redis; did you mean 'url'?");
    assert_problem(LEAST "url: x\n", "2:1: unknown key 'url'"); /* not of this section */
    assert_problem(LEAST "redis: {redis.url: x}\n", "2:9: unknown key 'redis.url' in redis");
    assert_problem(LEAST "state: {cash: 1MiB}\n", "2:9: unknown key 'cash' in state; did you mean 'cache'?");
    assert_problem(LEAST "scores: {r: {metrics: tenure, metric: tenure, steps: [1]}}\n",
                   "2:14: unknown key 'metrics' in scores.r; did you mean 'metric'?");
    assert_problem("tier_sets: {it: {tier: [], tiers: [{name: no}]}}\n",
                   "1:18: unknown key 'tier' in tier_sets.it; did you mean 'tiers'?");
    assert_problem("tier_sets: {it: {tiers: [{name: a, entre: x, enter: '1 = 1'}, {name: no}]}}\n",
                   "1:36: unknown key 'entre' in tier_sets.it.tiers; did you mean 'enter'?");
    assert_problem("tier_sets: {it: {tiers: [{name: a}], holds: 1d, hold: 2d}}\n",
                   "1:38: unknown key 'holds' in tier_sets.it; did you mean 'hold'?");
}

static void wrong_values_say_what_is_expected(void **state) {
    (void)state;
    assert_problem(LEAST "group: ''\n", "2:9: group: expected a text that is not empty, not ''");
    assert_problem(LEAST "group:\n", "2:7: group: expected a text that is not empty, not ''");
    assert_problem(LEAST "group: [a]\n", "2:8: group: expected one value");
    assert_problem(LEAST "group: \"a\\0b\"\n", "2:9: group: expected a text that is not empty, not 'a'");
    assert_problem(LEAST "format: xml\n", "2:9: format: expected one of protobuf|json|confluent-protobuf, not 'xml'");
    assert_problem(LEAST "format: proto\n",
                   "2:9: format: expected one of protobuf|json|confluent-protobuf, not 'proto'");
    assert_problem(LEAST "clock: Wall\n", "2:8: clock: expected one of wall|event, not 'Wall'");
    assert_problem(LEAST "workers: many\n", "2:10: workers: expected a whole number, not 'many'");
    assert_problem(LEAST "workers: 257\n", "2:10: workers: expected at least 0 and at most 256, not '257'");
    assert_problem(LEAST "workers: -1\n", "2:10: workers: expected at least 0 and at most 256, not '-1'");
    assert_problem(LEAST "state: {dedupe: 1.5}\n", "2:17: state.dedupe: expected a whole number, not '1.5'");
    assert_problem(LEAST "state: {tiles: 7}\n", "2:16: state.tiles: expected at least 8 and at most 4096, not '7'");
    assert_problem(LEAST "state: {cache: 1KB}\n", "2:16: state.cache: expected a size like 64MiB or 2GiB, not '1KB'");
    assert_problem(LEAST "state: {cache: 1KiB}\n",
                   "2:16: state.cache: expected at least 1048576 and at most 10000000000000, not '1KiB'");
    assert_problem(LEAST "state: {max_future: 5}\n",
                   "2:21: state.max_future: expected a duration like 250ms, 5s, 10m, 2h or 14d, not '5'");
    assert_problem(LEAST "state: {merge_wait: 99ms}\n",
                   "2:21: state.merge_wait: expected at least 100ms and at most 1000000000ms, not '99ms'");
    assert_problem(LEAST "state: {rebuild: yes}\n", "2:18: state.rebuild: expected true or false, not 'yes'");
    assert_problem(LEAST "redis: localhost\n", "2:8: redis holds other options: expected a map");
    assert_problem(LEAST "state: [a]\n", "2:8: state holds other options: expected a map");
    assert_problem(LEAST "kafka: localhost\n", "2:8: kafka: expected a map like {bootstrap.servers: \"host:9092\"}");
    assert_problem(LEAST "kafka: [a]\n", "2:8: kafka: expected a map like {bootstrap.servers: \"host:9092\"}");
    assert_problem(LEAST "kafka: {a.b: {c: d}}\n", "2:14: kafka.a.b: expected one value");
    assert_problem(LEAST "redis: {durability: replicas}\n",
                   "2:21: redis.durability: expected memory, fsync or replicas:N, not 'replicas'");
    assert_problem(LEAST "redis: {durability: 'replicas:0'}\n",
                   "2:22: redis.durability: expected memory, fsync or replicas:N, not 'replicas:0'");
    assert_problem(LEAST "http: {listen: 8080}\n", "2:16: http.listen: expected HOST:PORT or off, not '8080'");
    assert_problem(LEAST "http: {listen: '0.0.0.0:8080'}\n",
                   "2:17: http.listen: 0.0.0.0 can be reached by others: set http.token, or listen on 127.0.0.1");
    assert_problem(LEAST "http: {listen: '127.example.com:80'}\n", /* a name, and no loopback address */
                   "2:17: http.listen: 127.example.com can be reached by others: set http.token, or listen on "
                   "127.0.0.1");
    assert_problem(LEAST "group: a b\n", "0:0: group: at most 200 bytes without braces, slashes and spaces: it becomes "
                                         "part of keys and ids");
    assert_problem(LEAST "redis: {key_prefix: '{x}'}\n", "0:0: redis.key_prefix: at most 200 bytes without braces, "
                                                         "slashes and spaces: it becomes part of keys and ids");
    assert_problem(LEAST "topics: {feedback: purchases}\n",
                   "0:0: topics: 'purchases' is named twice; each kind of event has its own topic");
    assert_problem(LEAST "topics: {dead_letters: feedback}\n",
                   "0:0: topics: 'feedback' is both read and written; outputs have topics of their own");
    assert_problem(LEAST "topics: {customer_scores: purchases}\n",
                   "0:0: topics: 'purchases' is both read and written; outputs have topics of their own");
    assert_problem(
        LEAST "topics: {customer_scores: tier-changes}\n",
        "0:0: topics.customer_scores: 'tier-changes' has other records, too; this one is compacted, and needs "
        "its own");
    assert_problem(LEAST "state: {time_zone: Berlin}\n",
                   "0:0: state.time_zone: this machine knows no zone 'Berlin' (names are like Europe/Berlin)");
    assert_problem(LEAST "state: {time_zone: ../../etc/passwd}\n", "0:0: state.time_zone: this machine knows no zone "
                                                                   "'../../etc/passwd' (names are like Europe/Berlin)");
}

static void currencies_are_checked(void **state) {
    (void)state;
    assert_problem(LEAST "currency: {base: euro}\n", "2:18: currency.base: 'euro' is not an ISO 4217 code like EUR");
    assert_problem(LEAST "currency: {base: XXX}\n", "2:18: currency.base: 'XXX' is not an ISO 4217 code like EUR");
    assert_problem(LEAST "currency: {rates: {usd: 1}}\n",
                   "2:20: currency.rates: 'usd' is not an ISO 4217 code like USD");
    assert_problem(LEAST "currency: {rates: {EUR: 1}}\n", "2:20: currency.rates: EUR is the base currency itself");
    static const char *const bad[] = {"0", "-1", "x", "1.1234567891", "1000001"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[256];
        char expected[256];
        snprintf(text, sizeof text, LEAST "currency: {rates: {USD: %s}}\n", bad[i]);
        snprintf(expected, sizeof expected,
                 "2:25: currency.rates.USD: expected a positive decimal number with at most 9 places, not '%s'",
                 bad[i]);
        assert_problem(text, expected);
    }
    assert_problem(LEAST "currency: {rates: {USD: [1]}}\n",
                   "2:25: currency.rates.USD: expected a positive decimal number with at most 9 places, not ''");
    assert_problem(LEAST "currency: {rates: 5}\n", "2:19: currency.rates: expected a map like {USD: 0.92}");
    assert_problem(LEAST "currency: {rates: [USD]}\n", "2:19: currency.rates: expected a map like {USD: 0.92}");
    struct buffer many = {0};
    buffer_put_text(&many, LEAST "currency:\n  rates:\n");
    for (int i = 0; i < 257; i++) {
        buffer_printf(&many, "    C%d: 1\n", i);
    }
    buffer_put_byte(&many, '\0');
    assert_problem(many.data, "4:5: currency.rates: more than 256 of them");
    buffer_finish(&many);
}

static void scores_are_checked(void **state) {
    (void)state;
    assert_problem(LEAST "scores: 5\n", "2:9: scores: expected a map like r: {metric: ..., steps: [...]}");
    assert_problem(LEAST "scores: {r: 5}\n",
                   "2:13: scores.r: expected a map like {metric: \"purchases(90d)\", steps: [2, 3, 5]}");
    assert_problem(LEAST "scores: {r: {steps: [1]}}\n", "2:13: scores.r needs 'metric'");
    assert_problem(LEAST "scores: {r: {metric: tenure}}\n", "2:13: scores.r needs 'steps', 'quantiles' or 'shares'");
    assert_problem(LEAST "scores: {r: {metric: tenure, steps: 5}}\n",
                   "2:37: scores.r.steps: expected a list of 1 to 32 numbers");
    assert_problem(LEAST "scores: {r: {metric: tenure, steps: []}}\n",
                   "2:37: scores.r.steps: expected a list of 1 to 32 numbers");
    assert_problem(LEAST "scores: {r: {metric: tenure, steps: [1, x]}}\n", "2:41: scores.r.steps: 'x' is not a number");
    assert_problem(LEAST "scores: {r: {metric: tenure, steps: [1, [2]]}}\n",
                   "2:41: scores.r.steps: '' is not a number");
    assert_problem(LEAST "scores: {r: {metric: tenure, steps: [1, 3, 3]}}\n",
                   "2:44: scores.r.steps must ascend, but 3 follows 3");
    assert_problem(LEAST "scores: {r: {metric: tenure, steps: [1], best: highest}}\n",
                   "2:48: scores.r.best: expected low or high, not 'highest'");
    static const char *const quantiles[] = {"1", "33", "x", "2.5", "[5]"};
    for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++) {
        char text[200];
        snprintf(text, sizeof text, LEAST "scores: {r: {metric: tenure, quantiles: %s}}\n", quantiles[i]);
        assert_problem(text, "2:41: scores.r.quantiles: expected a whole number from 2 to 32");
    }
    assert_problem(LEAST "scores: {r: {metric: revenu, steps: [1]}}\n",
                   "2:22: scores.r.metric: unknown metric 'revenu'; did you mean 'revenue'?");
    assert_problem(LEAST "scores: {and: {metric: revenue, steps: [1]}}\n",
                   "2:10: score 'and' is a word of the rule language");
}

static void tier_sets_are_checked(void **state) {
    (void)state;
    static const char nothing[] =
        "tier_sets: expected at least one set of tiers: without it there is nothing to publish";
    char expected[200];
    snprintf(expected, sizeof expected, "0:0: %s", nothing);
    assert_problem("group: x\n", expected);
    assert_problem("", expected);
    snprintf(expected, sizeof expected, "1:12: %s", nothing);
    assert_problem("tier_sets: {}\n", expected);
    assert_problem("tier_sets: [a]\n", expected);
    assert_problem("tier_sets: {it: 5}\n", "1:17: tier_sets.it: expected a map like {tiers: [...]}");
    assert_problem("tier_sets: {it: {hold: 1d}}\n",
                   "1:17: tier_sets.it.tiers: expected a list of 1 to 64 tiers, best first");
    assert_problem("tier_sets: {it: {tiers: {}}}\n",
                   "1:25: tier_sets.it.tiers: expected a list of 1 to 64 tiers, best first");
    assert_problem("tier_sets: {it: {tiers: []}}\n",
                   "1:25: tier_sets.it.tiers: expected a list of 1 to 64 tiers, best first");
    assert_problem("tier_sets: {it: {tiers: [a]}}\n", "1:26: tier_sets.it.tiers: expected a map like {name: vip, "
                                                      "enter: \"revenue(365d) >= 1000\"}");
    assert_problem("tier_sets: {it: {tiers: [{enter: '1 = 1'}]}}\n", "1:26: tier_sets.it.tiers: a tier needs a name");
    assert_problem("tier_sets: {it: {hold: 5, tiers: [{name: a}]}}\n",
                   "1:24: tier_sets.it.hold: expected a duration like 0d, 12h or 30d, not '5'");
    assert_problem("tier_sets: {it: {grace: [1d], tiers: [{name: a}]}}\n",
                   "1:25: tier_sets.it.grace: expected a duration like 0d, 12h or 30d, not ''");
    assert_problem("tier_sets: {it: {demote: slowly, tiers: [{name: a}]}}\n",
                   "1:26: tier_sets.it.demote: expected to_fit or one_step, not 'slowly'");
    assert_problem("tier_sets: {it: {topic: '', tiers: [{name: a}]}}\n",
                   "1:26: tier_sets.it.topic: expected the name of a topic");
    assert_problem("tier_sets: {it: {topic: [x], tiers: [{name: a}]}}\n",
                   "1:25: tier_sets.it.topic: expected the name of a topic");
    assert_problem("tier_sets: {it: {tiers: [{name: a, treatment: 5}]}}\n",
                   "1:47: tier_sets.it.tiers: expected a map like {service: dedicated}");
    assert_problem("tier_sets: {it: {tiers: [{name: a, treatment: {x: [y]}}]}}\n",
                   "1:51: tier_sets.it.tiers: labels have plain values, at most 64 of them");
    /* A rule is pointed into, behind its quote. */
    assert_problem("tier_sets:\n"
                   "  it:\n"
                   "    tiers:\n"
                   "      - {name: a, enter: \"purchases > 1 and revenu > 5\"}\n"
                   "      - {name: b}\n",
                   "4:45: tier_sets.it.tiers[0].enter: unknown metric or score 'revenu'; did you mean 'revenue'?");
    assert_problem("tier_sets: {it: {tiers: [{name: a, enter: 1 = 1, stay: 1 >}, {name: b}]}}\n",
                   "1:59: tier_sets.it.tiers[0].stay: expected a number, a metric, a score or '(', found the end");
}

static void put_many(struct buffer *text, const char *start, int count, const char *after) {
    buffer_reset(text);
    buffer_put_text(text, start);
    for (int i = 1; i <= count; i++) {
        buffer_printf(text, "  s%d: %s\n", i, after);
    }
    buffer_put_byte(text, '\0');
}

static void scores_and_sets_have_limits(void **state) {
    (void)state;
    struct buffer text = {0};
    put_many(&text, LEAST "scores:\n", 64, "{metric: tenure, steps: [1]}");
    config_destroy(parsed(text.data, NULL, 0));
    put_many(&text, LEAST "scores:\n", 65, "{metric: tenure, steps: [1]}");
    assert_problem(text.data, "67:3: more than 64 scores");
    put_many(&text, "tier_sets:\n", 64, "{tiers: [{name: a}]}");
    config_destroy(parsed(text.data, NULL, 0));
    put_many(&text, "tier_sets:\n", 65, "{tiers: [{name: a}]}");
    assert_problem(text.data, "66:3: more than 64 tier sets");
    buffer_finish(&text);
}

/* Everything that is wrong is told in one go, up to a limit. */
static void all_problems_are_told_at_once(void **state) {
    (void)state;
    assert_problems_of("grup: x\nworkers: many\nredis: {durability: x}\n", NULL, 0,
                       "1:1: unknown key 'grup'; did you mean 'group'?\n"
                       "2:10: workers: expected a whole number, not 'many'\n"
                       "3:21: redis.durability: expected memory, fsync or replicas:N, not 'x'\n"
                       "0:0: tier_sets: expected at least one set of tiers: without it there is nothing to publish\n");
    struct buffer text = {0};
    for (int i = 0; i < 100; i++) {
        buffer_printf(&text, "unknown_%d: x\n", i);
    }
    struct config_problems *problems = calloc(1, sizeof *problems);
    assert_non_null(problems);
    assert_null(config_parse("test.yaml", buffer_bytes(&text), NULL, 0, problems));
    assert_int_equal(problems->count, CONFIG_PROBLEMS_MAX);
    free(problems);
    buffer_finish(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least_configuration_has_the_defaults),
        cmocka_unit_test(values_are_taken),
        cmocka_unit_test(an_unknown_key_names_the_nearest),
        cmocka_unit_test(wrong_values_say_what_is_expected),
        cmocka_unit_test(currencies_are_checked),
        cmocka_unit_test(scores_are_checked),
        cmocka_unit_test(tier_sets_are_checked),
        cmocka_unit_test(scores_and_sets_have_limits),
        cmocka_unit_test(all_problems_are_told_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

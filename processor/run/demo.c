/* tidemark demo: a shop in fast motion. Events are written as time goes by, Tidemark scores them, and every tier change is
 * printed with its reason. */
#include "run/commands.h"

#include "base/clock.h"
#include "base/log.h"
#include "publish/encode_activity.h"
#include "run/app.h"
#include "run/change_json.h"
#include "run/demo_redis.h"
#include "run/generate.h"
#include "run/kafka_admin.h"
#include "run/kafka_mock.h"
#include "run/kafka_tail.h"
#include "run/kafka_writer.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

enum { DEMO_PARTITIONS = 2, DEMO_DAYS = 730, TAIL_WAIT_MS = 200, OVERRIDE_BYTES = 300 };

/* "@" stands for the demo's own prefix of topics. */
static const char DEMO_CONFIG[] =
    "group: tidemark-demo\n"
    "clock: event\n"
    "workers: 1\n"
    "state: {cache: 32MiB}\n"
    "scores:\n"
    "  r: {metric: days_since_purchase, steps: [14, 45, 120, 270], best: low}\n"
    "  f: {metric: \"purchases(180d)\", steps: [1, 2, 4, 8]}\n"
    "  m: {metric: \"revenue(180d)\", steps: [20, 60, 150, 400]}\n"
    "tier_sets:\n"
    "  value:\n"
    "    grace: 7d\n"
    "    tiers:\n"
    "      - {name: vip, enter: \"r + f + m >= 13\", stay: \"r + f + m >= 12\", treatment: {service: dedicated}}\n"
    "      - {name: potential, enter: \"r + f + m >= 9\"}\n"
    "      - {name: ordinary, enter: \"r + f + m >= 5\"}\n"
    "      - {name: dormant}\n"
    "  lifecycle:\n"
    "    tiers:\n"
    "      - {name: active, enter: \"days_since_purchase <= 90\"}\n"
    "      - {name: prospect, enter: \"not known(days_since_purchase)\"}\n"
    "      - {name: lapsing, enter: \"days_since_purchase <= 180\"}\n"
    "      - {name: churned, treatment: {alert: account_manager}}\n"
    "  mood:\n"
    "    tiers:\n"
    "      - {name: happy, enter: \"nps(180d) >= 50 and complaints(90d) = 0\"}\n"
    "      - {name: unknown, enter: \"not known(nps(180d)) and complaints(90d) = 0\"}\n"
    "      - {name: unhappy, enter: \"nps(180d) < 0 or complaints(90d) >= 1\"}\n"
    "      - {name: neutral}\n";

struct demo {
    const struct demo_options *options;
    struct kafka_mock *mock;
    struct demo_redis redis;
    struct config *config;
    struct app *app;
    pthread_t feeder;
    pthread_t printer;
    atomic_bool stop;
    char problem[KAFKA_PROBLEM_BYTES];
};

/* ---- events in ---- */

/* Waits until the event's instant has come in the demo's fast time. */
static void wait_for(const struct demo *demo, int64_t first_ms, int64_t started_ms, int64_t time_ms) {
    double ahead = demo->options->speed > 0 ? (double)(time_ms - first_ms) / demo->options->speed : 0;
    while (!demo->stop) {
        int64_t left = started_ms + (int64_t)ahead - clock_monotonic_ms();
        if (left <= 0) {
            return;
        }
        clock_pause_us((left < 100 ? left : 100) * 1000);
    }
}

static void *feed(void *context) {
    struct demo *demo = context;
    static struct generated event;
    char problem[KAFKA_PROBLEM_BYTES];
    struct generator_options wanted = {.customers = demo->options->customers,
                                       .seed = demo->options->seed,
                                       .days = DEMO_DAYS,
                                       .end_ms = clock_wall_ms()};
    struct generator *generator = generator_create(&wanted);
    struct kafka_writer *writer = kafka_writer_create(demo->config, problem);
    struct buffer value = {0};
    int64_t first_ms = TIME_NONE;
    int64_t started_ms = clock_monotonic_ms();
    ASSERT(generator);
    while (writer && !demo->stop && generator_next(generator, &event)) {
        first_ms = first_ms == TIME_NONE ? event.activity.time_ms : first_ms;
        wait_for(demo, first_ms, started_ms, event.activity.time_ms);
        buffer_reset(&value);
        int error =
            encode_activity(ACTIVITY_AS_PROTOBUF, &event.activity, bytes_of_text(demo->config->currency_base), &value);
        if (error || kafka_writer_write(writer, event.input, event.activity.customer_id, buffer_bytes(&value),
                                        event.activity.time_ms)) {
            break;
        }
    }
    if (writer && kafka_writer_flush(writer, problem)) {
        log_error("could not write all events", "error=\"%s\"", problem);
    }
    if (!demo->stop) {
        fprintf(stderr, "\nThe story ends here; Ctrl-C ends the demo.\n");
    }
    kafka_writer_destroy(writer);
    generator_destroy(generator);
    buffer_finish(&value);
    return NULL;
}

/* ---- tier changes out ---- */

static void *print(void *context) {
    struct demo *demo = context;
    char problem[KAFKA_PROBLEM_BYTES];
    struct kafka_tail *tail = kafka_tail_create(demo->config, &demo->config->tier_changes_topic, 1, problem);
    bool colours = isatty(STDOUT_FILENO) != 0;
    struct buffer line = {0};
    struct bytes value;
    if (!tail) {
        log_error("could not read tier changes", "error=\"%s\"", problem);
        return NULL;
    }
    while (!demo->stop) {
        buffer_reset(&line);
        if (kafka_tail_next(tail, TAIL_WAIT_MS, &value) && change_json_line(value, colours, &line)) {
            printf("%.*s\n", (int)line.size, line.data);
            fflush(stdout);
        }
    }
    kafka_tail_destroy(tail);
    buffer_finish(&line);
    return NULL;
}

/* ---- setting up ---- */

static bool make_topics(struct demo *demo) {
    const struct config *config = demo->config;
    if (!demo->mock) {
        return kafka_create_topics(config, DEMO_PARTITIONS, demo->problem) == 0;
    }
    for (int input = 0; input < INPUTS; input++) {
        kafka_mock_make_topic(demo->mock, config->topics[input], DEMO_PARTITIONS);
    }
    kafka_mock_make_topic(demo->mock, config->tier_changes_topic, DEMO_PARTITIONS);
    kafka_mock_make_topic(demo->mock, config->dead_letters_topic, DEMO_PARTITIONS);
    return true;
}

/* On a real Kafka each demo has its own topics and group, so that two do not meet. */
static bool make_config(struct demo *demo) {
    static const char *const topics[] = {"purchases", "interactions", "feedback", "tier_changes", "dead_letters"};
    enum { TOPICS = sizeof topics / sizeof *topics };
    static char texts[TOPICS + 4][OVERRIDE_BYTES];
    const char *overrides[TOPICS + 4];
    size_t count = 0;
    int64_t number = clock_wall_ms() / MS_PER_SECOND;
    for (size_t i = 0; i < TOPICS; i++) {
        snprintf(texts[count++], OVERRIDE_BYTES, "topics.%s=tidemark-demo-%" PRId64 ".%s", topics[i], number,
                 topics[i]);
    }
    snprintf(texts[count++], OVERRIDE_BYTES, "group=tidemark-demo-%" PRId64, number);
    snprintf(texts[count++], OVERRIDE_BYTES, "kafka.bootstrap.servers=%.200s",
             demo->mock ? kafka_mock_bootstrap(demo->mock) : demo->options->kafka);
    snprintf(texts[count++], OVERRIDE_BYTES, "redis.url=%.200s",
             demo->options->redis ? demo->options->redis : demo->redis.url);
    snprintf(texts[count++], OVERRIDE_BYTES, "delivery=%s", demo->mock ? "at_least_once" : "exactly_once");
    for (size_t i = 0; i < count; i++) {
        overrides[i] = texts[i];
    }
    struct config_problems problems = {.count = 0};
    demo->config = config_parse("demo", bytes_of_text(DEMO_CONFIG), overrides, count, &problems);
    config_print_problems("demo", &problems);
    snprintf(demo->problem, sizeof demo->problem, "the demo's configuration is wrong");
    return demo->config != NULL;
}

static bool set_up(struct demo *demo) {
    if (!demo->options->kafka && !(demo->mock = kafka_mock_create(demo->problem))) {
        return false;
    }
    if (!demo->options->redis && demo_redis_start(&demo->redis, demo->problem)) {
        return false;
    }
    if (!make_config(demo) || !make_topics(demo)) {
        return false;
    }
    demo->app = app_create(demo->config, demo->problem);
    if (!demo->app) { /* somebody else listens on the usual port */
        demo->config->http_port = 0;
        demo->app = app_create(demo->config, demo->problem);
    }
    return demo->app != NULL;
}

static void welcome(const struct demo *demo) {
    fprintf(stderr,
            "Tidemark demo: %" PRId64
            " customers of a shop, %.0f times as fast as real time. Ctrl-C ends it and cleans up.\n"
            "  broker     %s\n  Redis      %s\n  dashboard  http://127.0.0.1:%d/\n  look up    curl -s "
            "http://127.0.0.1:%d/v1/customers/ID, with an ID from below\n"
            "  metrics    curl -s http://127.0.0.1:%d/metrics\n\n",
            demo->options->customers, demo->options->speed,
            demo->mock ? "librdkafka's mock in this process, which can do at-least-once only" : demo->options->kafka,
            demo->options->redis ? demo->options->redis : "a private one in a temporary folder",
            app_http_port(demo->app), app_http_port(demo->app), app_http_port(demo->app));
}

static void clean_up(struct demo *demo) {
    if (demo->app) {
        app_destroy(demo->app);
    }
    if (demo->config) {
        config_destroy(demo->config);
    }
    demo_redis_stop(&demo->redis);
    kafka_mock_destroy(demo->mock);
}

int command_demo(const struct demo_options *options) {
    struct demo demo = {.options = options};
    if (!set_up(&demo)) {
        fprintf(stderr, "tidemark demo: %s\n", demo.problem);
        clean_up(&demo);
        return EX_UNAVAILABLE;
    }
    welcome(&demo);
    bool started =
        pthread_create(&demo.feeder, NULL, feed, &demo) == 0 && pthread_create(&demo.printer, NULL, print, &demo) == 0;
    ASSERT(started);
    int exit_code = app_run(demo.app);
    demo.stop = true;
    pthread_join(demo.feeder, NULL);
    pthread_join(demo.printer, NULL);
    clean_up(&demo);
    return exit_code;
}

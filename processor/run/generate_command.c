/* tidemark generate: believable events to the input topics. */
#include "run/commands.h"

#include "base/clock.h"
#include "publish/encode_activity.h"
#include "run/generate.h"
#include "run/kafka_admin.h"
#include "run/kafka_writer.h"
#include "run/progress.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sysexits.h>

_Static_assert((int)ACTIVITY_AS_PROTOBUF == (int)FORMAT_PROTOBUF && (int)ACTIVITY_AS_JSON == (int)FORMAT_JSON &&
                   (int)ACTIVITY_AS_CONFLUENT_PROTOBUF == (int)FORMAT_CONFLUENT_PROTOBUF,
               "the formats of decode and encode are the same numbers");

static volatile sig_atomic_t interrupted;

static void on_signal(int number) {
    (void)number;
    interrupted = 1;
}

/* Sleeps so that `done` events take done / rate seconds since the start. */
static void keep_pace(int64_t started_us, int64_t done, double rate) {
    int64_t until_us = started_us + (int64_t)((double)done / rate * 1e6);
    int64_t left_us = until_us - clock_monotonic_us();
    if (left_us > 1000) {
        clock_pause_us(left_us);
    }
}

static int64_t write_all(const struct config *config, const struct generate_options *options,
                         struct generator *generator, struct kafka_writer *writer) {
    static struct generated event; /* large, and must not move */
    struct buffer value = {0};
    struct progress progress;
    int64_t done = 0;
    int64_t started_us = clock_monotonic_us();
    progress_start(&progress, "events", options->events);
    while (!interrupted && generator_next(generator, &event)) {
        buffer_reset(&value);
        int error = encode_activity((enum activity_format)config->format, &event.activity,
                                    bytes_of_text(config->currency_base), &value);
        ASSERT(!error);
        if (kafka_writer_write(writer, event.input, event.activity.customer_id, buffer_bytes(&value),
                               event.activity.time_ms)) {
            break;
        }
        progress_show(&progress, ++done);
        if (options->rate > 0) {
            keep_pace(started_us, done, options->rate);
        }
    }
    progress_end(&progress, done);
    buffer_finish(&value);
    return done;
}

int command_generate(const struct config *config, const struct generate_options *options) {
    char problem[KAFKA_PROBLEM_BYTES];
    int error = kafka_create_topics(config, options->partitions, problem);
    struct kafka_writer *writer = error ? NULL : kafka_writer_create(config, problem);
    if (!writer) {
        fprintf(stderr, "tidemark: %s\n", problem);
        return error == ERR_REFUSED ? EX_CONFIG : EX_UNAVAILABLE;
    }
    struct generator_options wanted = {
        .customers = options->customers,
        .events = options->events,
        .seed = options->seed,
        .days = options->days,
        .end_ms = options->end_ms == TIME_NONE ? clock_wall_ms() : options->end_ms,
    };
    struct generator *generator = generator_create(&wanted);
    ASSERT(generator);
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    int64_t done = write_all(config, options, generator, writer);
    int exit_code = 0;
    if (kafka_writer_flush(writer, problem)) {
        fprintf(stderr, "tidemark: %s\n", problem);
        exit_code = EX_UNAVAILABLE;
    }
    fprintf(stderr, "tidemark: wrote %" PRId64 " events of %" PRId64 " customers\n", done, options->customers);
    generator_destroy(generator);
    kafka_writer_destroy(writer);
    return exit_code;
}

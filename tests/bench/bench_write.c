/* Writes a history of the reference mix, and prints how many records it wrote.
 *
 *     bench_write [OPTION]... BOOTSTRAP PURCHASES INTERACTIONS FEEDBACK
 *
 *     --customers N --events N      so many events of customers 0 .. N-1, ascending in time with an hour's disorder
 *     --start MS --days D           over these days
 *     --touch-at MS                 before them, one purchase by every customer at that instant
 *     --touch-minor N               of so much
 *     --first-id N                  event ids from here on
 *     --hot-percent P               this part of the events is one customer's
 *     --partition I --partitions N  only customers of partition I of N
 *     --peers                       in the schema of shared/peers */
#include "base/clock.h"
#include "wire.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { OPTIONS = 11 };

static const struct option options[OPTIONS + 1] = {
    {"customers", required_argument, NULL, 'c'}, {"events", required_argument, NULL, 'e'},
    {"start", required_argument, NULL, 's'},     {"days", required_argument, NULL, 'd'},
    {"touch-at", required_argument, NULL, 't'},  {"touch-minor", required_argument, NULL, 'm'},
    {"first-id", required_argument, NULL, 'f'},  {"hot-percent", required_argument, NULL, 'h'},
    {"partition", required_argument, NULL, 'p'}, {"partitions", required_argument, NULL, 'n'},
    {"peers", no_argument, NULL, 'P'},           {NULL, 0, NULL, 0}};

struct job {
    struct mix mix;
    int64_t events;
    int64_t start_ms;
    int64_t days;
    int64_t touch_ms; /* -1: nobody is touched */
    int64_t touch_minor;
    enum mix_schema schema;
};

static struct job parse(int argc, char **argv) {
    struct job job = {.mix = {.customers = 1, .partition = -1, .partitions = 1}, .touch_ms = -1, .touch_minor = 60000};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        int64_t number = optarg ? strtoll(optarg, NULL, 10) : 0;
        switch (option) {
        case 'c':
            job.mix.customers = number;
            break;
        case 'e':
            job.events = number;
            break;
        case 's':
            job.start_ms = number;
            break;
        case 'd':
            job.days = number;
            break;
        case 't':
            job.touch_ms = number;
            break;
        case 'm':
            job.touch_minor = number;
            break;
        case 'f':
            job.mix.first_id = number;
            break;
        case 'h':
            job.mix.hot_percent = (int)number;
            break;
        case 'p':
            job.mix.partition = (int)number;
            break;
        case 'n':
            job.mix.partitions = (int)number;
            break;
        case 'P':
            job.schema = MIX_FOR_PEERS;
            break;
        default:
            wire_fail("unknown option; the file's head names them all");
        }
    }
    if (argc - optind != 4) {
        wire_fail("usage: bench_write [OPTION]... BOOTSTRAP PURCHASES INTERACTIONS FEEDBACK");
    }
    return job;
}

int main(int argc, char **argv) {
    struct job job = parse(argc, argv);
    struct wire wire;
    wire_init(&wire, argv[optind], "20", argv + optind + 1);
    static struct mix_event event;
    struct buffer value = {0};
    for (int64_t i = 0; job.touch_ms >= 0 && i < job.mix.customers; i++) {
        mix_purchase(&job.mix, NULL, i, job.touch_minor, job.touch_ms, &event);
        mix_encode(&event, job.schema, &value);
        wire_send(&wire, &event, buffer_bytes(&value));
    }
    double span_ms = (double)job.days * MS_PER_DAY;
    for (int64_t i = 0; i < job.events; i++) {
        double at_ms = (double)i / (double)job.events * span_ms - mix_uniform(&job.mix) * MS_PER_HOUR;
        mix_event(&job.mix, job.start_ms + (int64_t)at_ms, &event);
        mix_encode(&event, job.schema, &value);
        wire_send(&wire, &event, buffer_bytes(&value));
    }
    wire_finish(&wire);
    buffer_finish(&value);
    printf("%" PRId64 "\n", job.mix.made);
    return 0;
}

/* Live events at a fixed rate, and how long tier changes take, seen from outside: from the call that produces the first
 * purchase of a new customer (a probe, which always brings a tier change) to the moment at which a consumer with
 * isolation.level=read_committed has that tier change.
 *
 *     bench_live [OPTION]... BOOTSTRAP PURCHASES INTERACTIONS FEEDBACK TIER-CHANGES
 *
 *     --rate N --seconds S           events a second, for so long
 *     --probe N                      every Nth event is a probe
 *     --customers N --hot-percent P  who the others are (mix.h),
 *     --first-customer N             and their first number
 *     --partitions N                 of each topic
 *     --except N                     the tier changes of this partition are not read
 *     --wait S                       at the end, for probes still under way
 *
 * Prints a line for each probe: partition, when it was produced, when its tier change came (microseconds of the wall clock;
 * 0: never). The client adds its own two hops to the broker; the producer does not wait (linger.ms=0), the consumer has a
 * thread of its own.
 *
 * librdkafka sends each partition's records in a request of its own, and thousands of requests a second would make the
 * broker the thing that is measured. So the events of one tick are of customers of one partition, the next tick's of the
 * next. */
#include "base/clock.h"
#include "wire.h"

#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { TICK_US = 2000, POLL_MS = 100, PROBE_MINOR = 2500, NAME_BYTES = 32, END_TRIES_MAX = 100, END_RETRY_US = 100000 };

static const struct option options[] = {
    {"rate", required_argument, NULL, 'r'},           {"seconds", required_argument, NULL, 's'},
    {"probe", required_argument, NULL, 'p'},          {"customers", required_argument, NULL, 'c'},
    {"first-customer", required_argument, NULL, 'f'}, {"hot-percent", required_argument, NULL, 'h'},
    {"partitions", required_argument, NULL, 'n'},     {"except", required_argument, NULL, 'x'},
    {"wait", required_argument, NULL, 'w'},           {NULL, 0, NULL, 0}};

/* Written by one thread, read by the other once that has ended, but for `came`. */
struct probes {
    int64_t *sent_us;
    int64_t *came_us;
    int64_t count_max;
    atomic_llong sent;
    atomic_llong came;
    atomic_bool over;
    char name[NAME_BYTES]; /* before the number: not the customers of an earlier run */
};

struct live {
    struct mix mix;
    struct probes probes;
    rd_kafka_t *consumer;
    int64_t rate;
    int64_t seconds;
    int64_t every;
    int64_t except; /* -1: none */
    int64_t wait_s;
};

static int64_t wall_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void parse(struct live *live, int argc, char **argv) {
    *live = (struct live){.mix = {.customers = 1, .partition = -1, .partitions = 4, .first_id = wall_us()},
                          .rate = 1000,
                          .seconds = 10,
                          .every = 25,
                          .except = -1,
                          .wait_s = 15};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        int64_t number = optarg ? strtoll(optarg, NULL, 10) : 0;
        switch (option) {
        case 'r':
            live->rate = number;
            break;
        case 's':
            live->seconds = number;
            break;
        case 'p':
            live->every = number;
            break;
        case 'c':
            live->mix.customers = number;
            break;
        case 'f':
            live->mix.first_customer = number;
            break;
        case 'h':
            live->mix.hot_percent = (int)number;
            break;
        case 'n':
            live->mix.partitions = (int)number;
            break;
        case 'x':
            live->except = number;
            break;
        case 'w':
            live->wait_s = number;
            break;
        default:
            wire_fail("unknown option; the file's head names them all");
        }
    }
    if (argc - optind != 5 || live->every < 1) {
        wire_fail("usage: bench_live [OPTION]... BOOTSTRAP PURCHASES INTERACTIONS FEEDBACK TIER-CHANGES");
    }
}

/* Asked again while the partition has no leader, as just after it was made. */
static int64_t end_of(rd_kafka_t *consumer, const char *topic, int partition) {
    int64_t low;
    int64_t high;
    for (int left = END_TRIES_MAX; rd_kafka_query_watermark_offsets(consumer, topic, partition, &low, &high, 10000);
         left--) {
        if (left == 0) {
            wire_fail("the tier changes' topic has no end");
        }
        clock_pause_us(END_RETRY_US);
    }
    return high;
}

/* Reads from the topic's end as it is now, all partitions but one. */
static rd_kafka_t *reader(const char *bootstrap, const char *topic, int partitions, int64_t except) {
    const char *const settings[] = {"bootstrap.servers",
                                    bootstrap,
                                    "group.id",
                                    "bench-live",
                                    "enable.auto.commit",
                                    "false",
                                    "isolation.level",
                                    "read_committed",
                                    "fetch.wait.max.ms",
                                    "500",
                                    "fetch.min.bytes",
                                    "1",
                                    "socket.nagle.disable",
                                    "true",
                                    NULL};
    rd_kafka_t *consumer = wire_client(RD_KAFKA_CONSUMER, settings);
    rd_kafka_poll_set_consumer(consumer);
    rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(partitions);
    for (int partition = 0; partition < partitions; partition++) {
        if (partition != except) {
            rd_kafka_topic_partition_list_add(all, topic, partition)->offset = end_of(consumer, topic, partition);
        }
    }
    if (rd_kafka_assign(consumer, all)) {
        wire_fail("cannot assign");
    }
    rd_kafka_topic_partition_list_destroy(all);
    return consumer;
}

static void note(struct probes *probes, const rd_kafka_message_t *message, int64_t now_us) {
    size_t name_size = strlen(probes->name);
    if (message->key_len <= name_size || message->key_len >= name_size + 16 ||
        memcmp(message->key, probes->name, name_size) != 0) {
        return;
    }
    char digits[16] = {0};
    memcpy(digits, (const char *)message->key + name_size, message->key_len - name_size);
    int64_t number = strtoll(digits, NULL, 10);
    if (number >= 0 && number < probes->count_max && probes->came_us[number] == 0) {
        probes->came_us[number] = now_us;
        atomic_fetch_add(&probes->came, 1);
    }
}

static void *read_all(void *context) {
    struct live *live = context;
    while (!atomic_load(&live->probes.over)) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(live->consumer, POLL_MS);
        if (message) {
            int64_t now_us = wall_us();
            if (!message->err) {
                note(&live->probes, message, now_us);
            }
            rd_kafka_message_destroy(message);
        }
    }
    return NULL;
}

static void send_one(struct live *live, struct wire *wire, int64_t number, struct buffer *value) {
    static struct mix_event event;
    struct probes *probes = &live->probes;
    bool is_probe = number % live->every == 0;
    int64_t probe = number / live->every;
    if (is_probe) {
        mix_purchase(&live->mix, probes->name, probe, PROBE_MINOR, clock_wall_ms(), &event);
    } else {
        mix_event(&live->mix, clock_wall_ms(), &event);
    }
    mix_encode(&event, MIX_FOR_TIDEMARK, value);
    if (is_probe) {
        probes->sent_us[probe] = wall_us();
        atomic_store(&probes->sent, probe + 1);
    }
    wire_send(wire, &event, buffer_bytes(value));
}

static void send_all(struct live *live, struct wire *wire) {
    struct buffer value = {0};
    int64_t started_us = clock_monotonic_us();
    int64_t total = live->rate * live->seconds;
    for (int64_t sent = 0, tick = 0; sent < total; tick++) {
        live->mix.partition = (int)(tick % live->mix.partitions);
        int64_t due = (clock_monotonic_us() - started_us) * live->rate / 1000000;
        while (sent < due && sent < total) {
            send_one(live, wire, sent++, &value);
        }
        clock_pause_us(TICK_US);
    }
    buffer_finish(&value);
}

static void print_all(const struct live *live) {
    const struct probes *probes = &live->probes;
    int64_t sent = atomic_load(&probes->sent);
    for (int64_t i = 0; i < sent; i++) {
        char id[MIX_TEXT_BYTES + NAME_BYTES];
        snprintf(id, sizeof id, "%s%08" PRId64, probes->name, i);
        printf("%d %" PRId64 " %" PRId64 "\n", mix_partition(id, live->mix.partitions), probes->sent_us[i],
               probes->came_us[i]);
    }
    fflush(stdout);
}

int main(int argc, char **argv) {
    static struct live live;
    parse(&live, argc, argv);
    struct probes *probes = &live.probes;
    probes->count_max = live.rate * live.seconds / live.every + 1;
    probes->sent_us = calloc((size_t)probes->count_max, sizeof *probes->sent_us);
    probes->came_us = calloc((size_t)probes->count_max, sizeof *probes->came_us);
    ASSERT(probes->sent_us && probes->came_us);
    snprintf(probes->name, sizeof probes->name, "p%d-", (int)getpid());
    struct wire wire;
    wire_init(&wire, argv[optind], "0", argv + optind + 1);
    live.consumer = reader(argv[optind], argv[optind + 4], live.mix.partitions, live.except);
    pthread_t thread;
    if (pthread_create(&thread, NULL, read_all, &live)) {
        wire_fail("no thread");
    }
    send_all(&live, &wire);
    wire_finish(&wire);
    int64_t end_us = clock_monotonic_us() + live.wait_s * 1000000;
    while (atomic_load(&probes->came) < atomic_load(&probes->sent) && clock_monotonic_us() < end_us) {
        clock_pause_us(20000);
    }
    atomic_store(&probes->over, true);
    pthread_join(thread, NULL);
    print_all(&live);
    _Exit(0); /* without waiting for librdkafka to leave */
}

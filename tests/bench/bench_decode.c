/* Nanoseconds per event of decoding, on one thread: generated events, decoded from memory in
 * batches, each format beside what protobuf-c needs for unpacking alone.
 *
 *     bench_decode [EVENTS [ROUNDS]] */
#include "base/clock.h"
#include "ingest/decode.h"
#include "publish/encode_activity.h"
#include "run/generate.h"

#include <feedback.pb-c.h>
#include <interaction.pb-c.h>
#include <purchase.pb-c.h>

#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 4096, FORMATS = 3, ARENA_BYTES_MAX = 64 * 1024 * 1024 };

struct sample {
    enum input input;
    uint32_t at; /* in the values */
    uint32_t size;
    char key[16];
    uint8_t key_size;
};

struct samples {
    struct sample *list;
    size_t count;
    struct buffer values;
};

static const char *const format_names[FORMATS] = {"protobuf", "json", "confluent-protobuf"};

static void make_samples(struct samples *samples, int64_t events, enum activity_format format) {
    const struct generator_options options = {
        .customers = events / 15 + 1, .events = events, .seed = 1, .days = 365, .end_ms = INT64_C(1735689600000)};
    struct generator *generator = generator_create(&options);
    struct generated event;
    samples->list = calloc((size_t)events, sizeof *samples->list);
    ASSERT(generator && samples->list);
    while (generator_next(generator, &event)) {
        struct sample *sample = &samples->list[samples->count++];
        sample->input = event.input;
        sample->at = (uint32_t)samples->values.size;
        ASSERT(!encode_activity(format, &event.activity, bytes_of_text("EUR"), &samples->values));
        sample->size = (uint32_t)samples->values.size - sample->at;
        sample->key_size = (uint8_t)event.activity.customer_id.size;
        memcpy(sample->key, event.activity.customer_id.data, sample->key_size);
    }
    generator_destroy(generator);
}

static void decode_all(const struct samples *samples, const struct decoder *decoder, struct arena *arena) {
    char detail[DEAD_DETAIL_BYTES_MAX];
    struct activity activity;
    for (size_t i = 0; i < samples->count; i++) {
        const struct sample *sample = &samples->list[i];
        struct record record = {.input = sample->input,
                                .key = bytes_of(sample->key, sample->key_size),
                                .value = bytes_of(samples->values.data + sample->at, sample->size)};
        if (i % BATCH == 0) {
            arena_reset(arena);
        }
        ASSERT(!decode_record(decoder, &record, NULL, 0, INT64_MAX, arena, &activity, detail));
    }
}

static void *take(void *arena, size_t size) {
    return arena_alloc(arena, size);
}

static void keep(void *arena, void *memory) {
    (void)arena;
    (void)memory;
}

static void unpack_all(const struct samples *samples, struct arena *arena) {
    static const ProtobufCMessageDescriptor *const schemas[INPUTS] = {&tidemark__v1__purchase__descriptor,
                                                                      &tidemark__v1__interaction__descriptor,
                                                                      &tidemark__v1__feedback__descriptor};
    ProtobufCAllocator allocator = {take, keep, arena};
    for (size_t i = 0; i < samples->count; i++) {
        const struct sample *sample = &samples->list[i];
        if (i % BATCH == 0) {
            arena_reset(arena);
        }
        const uint8_t *packed = (const uint8_t *)samples->values.data + sample->at;
        ASSERT(protobuf_c_message_unpack(schemas[sample->input], &allocator, sample->size, packed));
    }
}

static void report(const char *what, const struct samples *samples, int64_t took_us, int rounds) {
    double events = (double)samples->count * rounds;
    printf("%-28s %6.0f ns per event  %5.1f bytes per event  %6.2f million events/s\n", what,
           (double)took_us * 1000.0 / events, (double)samples->values.size / (double)samples->count,
           events / (double)took_us);
}

int main(int argc, char **argv) {
    int64_t events = argc > 1 ? strtoll(argv[1], NULL, 10) : 200000;
    int rounds = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 5;
    const struct currency_rate euro = {"EUR", 1000000000, 0};
    struct arena arena;
    if (events < 1 || rounds < 1) {
        (void)fprintf(stderr, "usage: bench_decode [EVENTS [ROUNDS]]\n");
        return 64;
    }
    arena_init(&arena, ARENA_BYTES_MAX);
    for (int format = 0; format < FORMATS; format++) {
        struct samples samples = {0};
        make_samples(&samples, events, (enum activity_format)format);
        const struct decoder decoder = {
            .format = (enum decode_format)format, .currencies = &euro, .currencies_count = 1};
        decode_all(&samples, &decoder, &arena); /* warm */
        int64_t start_us = clock_monotonic_us();
        for (int i = 0; i < rounds; i++) {
            decode_all(&samples, &decoder, &arena);
        }
        report(format_names[format], &samples, clock_monotonic_us() - start_us, rounds);
        if (format == ACTIVITY_AS_PROTOBUF) {
            start_us = clock_monotonic_us();
            for (int i = 0; i < rounds; i++) {
                unpack_all(&samples, &arena);
            }
            report("(protobuf-c, unpacking only)", &samples, clock_monotonic_us() - start_us, rounds);
        }
        free(samples.list);
        buffer_finish(&samples.values);
    }
    arena_finish(&arena);
    return 0;
}

#include "run/generate.h"

#include "base/clock.h"
#include "decode_support.h"
#include "ingest/decode_json_line.h"
#include "publish/encode_activity.h"
#include "run/generate_random.h"

#include <feedback.pb-c.h>
#include <interaction.pb-c.h>
#include <purchase.pb-c.h>

static const struct generator_options small = {
    .customers = 500, .events = 20000, .seed = 7, .days = 365, .end_ms = NOW_MS};

static uint64_t history_hash(const struct generator_options *options, int64_t *count) {
    struct generator *generator = generator_create(options);
    struct generated event;
    struct buffer bytes = {0};
    uint64_t hash = 0;
    *count = 0;
    while (generator_next(generator, &event)) {
        buffer_reset(&bytes);
        buffer_put(&bytes, &hash, sizeof hash);
        assert_int_equal(encode_activity(ACTIVITY_AS_PROTOBUF, &event.activity, bytes_of_text("EUR"), &bytes), 0);
        hash = bytes_hash(buffer_bytes(&bytes));
        ++*count;
    }
    buffer_finish(&bytes);
    generator_destroy(generator);
    return hash;
}

static void a_seed_gives_the_same_history_everywhere(void **state) {
    (void)state;
    int64_t count;
    struct generator_options options = small;
    uint64_t first = history_hash(&options, &count);
    assert_int_equal(count, 20000);
    assert_int_equal(history_hash(&options, &count), first);
    assert_int_equal(first, UINT64_C(0x89c2d8d757592496)); /* on any machine, by any compiler */
    options.seed = 8;
    assert_int_not_equal(history_hash(&options, &count), first);
}

static void as_many_events_come_as_are_asked_for(void **state) {
    (void)state;
    static const struct generator_options cases[] = {
        {.customers = 1, .events = 1, .seed = 1, .days = 1, .end_ms = NOW_MS},
        {.customers = 1, .events = 5000, .seed = 1, .days = 1, .end_ms = NOW_MS + 12345},
        {.customers = 5000, .events = 100, .seed = 1, .days = 30, .end_ms = NOW_MS},
        {.customers = 100, .events = 3000, .seed = 1, .days = 1000, .end_ms = NOW_MS},
        {.customers = 3,
         .events = 300,
         .seed = 1,
         .days = GENERATOR_DAYS_MAX,
         .end_ms = (int64_t)GENERATOR_DAYS_MAX * MS_PER_DAY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t count;
        (void)history_hash(&cases[i], &count);
        assert_int_equal(count, cases[i].events);
    }
    struct generator_options natural = small;
    int64_t count;
    natural.events = 0;
    (void)history_hash(&natural, &count);
    assert_in_range(count, 500 * 20, 500 * 60);
}

static void times_ascend_within_the_days(void **state) {
    (void)state;
    struct generator *generator = generator_create(&small);
    struct generated event;
    int64_t last_ms = small.end_ms - small.days * (int64_t)MS_PER_DAY;
    while (generator_next(generator, &event)) {
        assert_true(event.activity.time_ms >= last_ms);
        last_ms = event.activity.time_ms;
    }
    assert_true(last_ms <= small.end_ms);
    assert_true(last_ms > small.end_ms - 40 * (int64_t)MS_PER_DAY);
    generator_destroy(generator);
}

enum { ORDERS_MAX = 4096, CUSTOMERS = 500 };

/* What came in of one order; the order's number is unique per customer. */
struct order {
    int64_t amount_minor;
    int64_t time_ms;
    int64_t back_minor;
    uint32_t customer;
    uint32_t number;
};

static struct order *find_order(struct order *orders, size_t count, const struct activity *activity) {
    char text[GENERATED_TEXT_BYTES];
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(text, sizeof text, "o%u-%u", orders[i].customer, orders[i].number);
        if (bytes_equal_text(activity->purchase.order_id, text)) {
            return &orders[i];
        }
    }
    return NULL;
}

static uint32_t customer_number(const struct activity *activity) {
    assert_int_equal(activity->customer_id.size, 9);
    assert_int_equal(activity->customer_id.data[0], 'c');
    return (uint32_t)strtoul(activity->customer_id.data + 1, NULL, 10);
}

static void what_goes_back_never_exceeds_its_order(void **state) {
    (void)state;
    struct generator *generator = generator_create(&small);
    struct order *orders = calloc(ORDERS_MAX, sizeof *orders);
    struct generated event;
    size_t count = 0;
    size_t back = 0;
    while (generator_next(generator, &event)) {
        const struct purchase *purchase = &event.activity.purchase;
        if (event.input != INPUT_PURCHASES) {
            continue;
        }
        if (purchase->kind == PURCHASE_KIND_PURCHASE) {
            assert_true(count < ORDERS_MAX);
            int64_t sum = 0;
            for (size_t i = 0; i < purchase->items_count; i++) {
                sum += purchase->items[i].amount_minor;
            }
            assert_int_equal(sum, purchase->amount_minor);
            assert_in_range(purchase->amount_minor, 199, 500000);
            uint32_t customer = customer_number(&event.activity);
            const char *dash = strchr(purchase->order_id.data, '-');
            orders[count++] = (struct order){.amount_minor = purchase->amount_minor,
                                             .time_ms = event.activity.time_ms,
                                             .customer = customer,
                                             .number = (uint32_t)strtoul(dash + 1, NULL, 10)};
            continue;
        }
        struct order *order = find_order(orders, count, &event.activity);
        assert_non_null(order);
        assert_int_equal(order->customer, customer_number(&event.activity));
        assert_int_equal(order->time_ms, purchase->order_time_ms);
        assert_true(purchase->amount_minor > 0);
        order->back_minor += purchase->amount_minor;
        assert_true(order->back_minor <= order->amount_minor);
        if (purchase->kind == PURCHASE_KIND_CANCELLATION) {
            assert_int_equal(order->back_minor, order->amount_minor);
        }
        back++;
    }
    assert_in_range(back, count / 50, count / 5);
    free(orders);
    generator_destroy(generator);
}

static int descending(const void *a, const void *b) {
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return (left < right) - (left > right);
}

static void the_history_is_believable(void **state) {
    (void)state;
    struct generator_options options = small;
    options.customers = 5000;
    options.events = 150000;
    struct generator *generator = generator_create(&options);
    struct generated event;
    int64_t inputs[INPUTS] = {0};
    int64_t kinds[INTERACTION_KINDS + 1] = {0};
    int64_t surveys[SURVEY_REVIEW + 1] = {0};
    int64_t hours[24] = {0};
    int64_t referred = 0;
    int64_t *orders = calloc(5000, sizeof *orders);
    while (generator_next(generator, &event)) {
        inputs[event.input]++;
        hours[event.activity.time_ms % MS_PER_DAY / MS_PER_HOUR]++;
        if (event.input == INPUT_INTERACTIONS) {
            kinds[event.activity.interaction.kind]++;
        } else if (event.input == INPUT_FEEDBACK) {
            surveys[event.activity.feedback.survey]++;
        } else if (event.activity.purchase.kind == PURCHASE_KIND_PURCHASE) {
            orders[customer_number(&event.activity)]++;
            referred += event.activity.purchase.referrer_id.data != NULL;
        }
    }
    generator_destroy(generator);
    assert_in_range(inputs[INPUT_PURCHASES], 15000, 30000);
    assert_in_range(inputs[INPUT_FEEDBACK], 3000, 15000);
    for (int kind = 1; kind <= INTERACTION_KINDS; kind++) {
        assert_true(kinds[kind] > 0);
    }
    for (int survey = 1; survey <= SURVEY_REVIEW; survey++) {
        assert_true(surveys[survey] > 0);
    }
    assert_true(hours[20] > 5 * hours[3]);
    assert_true(referred > 0);
    /* The fifth who buy most buy more than half, but not all. */
    qsort(orders, 5000, sizeof *orders, descending);
    int64_t all = 0;
    int64_t most = 0;
    for (int i = 0; i < 5000; i++) {
        all += orders[i];
        most += i < 1000 ? orders[i] : 0;
    }
    assert_in_range(most * 100 / all, 50, 80);
    free(orders);
}

static void answers_go_with_the_customers_fortunes(void **state) {
    (void)state;
    struct generator_options options = small;
    options.events = 60000;
    struct generator *generator = generator_create(&options);
    struct generated event;
    bool unlucky[CUSTOMERS] = {0}; /* a refund, a cancellation or a complaint so far */
    int64_t sums[2] = {0};
    int64_t counts[2] = {0};
    while (generator_next(generator, &event)) {
        uint32_t customer = customer_number(&event.activity);
        bool back = event.input == INPUT_PURCHASES && event.activity.purchase.kind != PURCHASE_KIND_PURCHASE;
        bool answer = event.input == INPUT_FEEDBACK;
        if (back || (answer && event.activity.feedback.survey == SURVEY_COMPLAINT)) {
            unlucky[customer] = true;
        } else if (answer && event.activity.feedback.survey == SURVEY_NPS) {
            sums[unlucky[customer]] += event.activity.feedback.score;
            counts[unlucky[customer]]++;
        }
    }
    generator_destroy(generator);
    assert_true(counts[0] > 100 && counts[1] > 100);
    assert_true(sums[0] * 10 / counts[0] > sums[1] * 10 / counts[1] + 3);
}

static void assert_same_text(struct bytes a, struct bytes b) {
    assert_int_equal(a.data == NULL, b.data == NULL);
    assert_true(bytes_equal(a, b));
}

static void assert_same_activity(const struct activity *a, const struct activity *b) {
    assert_int_equal(a->type, b->type);
    assert_same_text(a->customer_id, b->customer_id);
    assert_same_text(a->event_id, b->event_id);
    assert_int_equal(a->time_ms, b->time_ms);
    if (a->type == ACTIVITY_INTERACTION) {
        assert_int_equal(a->interaction.kind, b->interaction.kind);
        assert_int_equal(a->interaction.stage, b->interaction.stage);
        assert_same_text(a->interaction.channel, b->interaction.channel);
        assert_same_text(a->interaction.campaign, b->interaction.campaign);
        return;
    }
    if (a->type == ACTIVITY_FEEDBACK) {
        assert_int_equal(a->feedback.survey, b->feedback.survey);
        assert_int_equal(a->feedback.score, b->feedback.score);
        assert_same_text(a->feedback.touchpoint, b->feedback.touchpoint);
        assert_true(a->feedback.channel.size > 0);
        assert_same_text(a->feedback.channel, b->feedback.channel);
        return;
    }
    assert_int_equal(a->purchase.kind, b->purchase.kind);
    assert_int_equal(a->purchase.amount_minor, b->purchase.amount_minor);
    assert_int_equal(a->purchase.order_time_ms, b->purchase.order_time_ms);
    assert_same_text(a->purchase.order_id, b->purchase.order_id);
    assert_same_text(a->purchase.channel, b->purchase.channel);
    assert_same_text(a->purchase.referrer_id, b->purchase.referrer_id);
    assert_int_equal(a->purchase.items_count, b->purchase.items_count);
    for (size_t i = 0; i < a->purchase.items_count; i++) {
        assert_same_text(a->purchase.items[i].sku, b->purchase.items[i].sku);
        assert_same_text(a->purchase.items[i].category, b->purchase.items[i].category);
        assert_int_equal(a->purchase.items[i].quantity, b->purchase.items[i].quantity);
        assert_int_equal(a->purchase.items[i].amount_minor, b->purchase.items[i].amount_minor);
    }
}

/* The code generated from the schema reads it too, and finds nothing it does not know. */
static void assert_schema_reads(enum input input, struct bytes value) {
    static const ProtobufCMessageDescriptor *const schemas[INPUTS] = {&tidemark__v1__purchase__descriptor,
                                                                      &tidemark__v1__interaction__descriptor,
                                                                      &tidemark__v1__feedback__descriptor};
    ProtobufCMessage *message =
        protobuf_c_message_unpack(schemas[input], NULL, value.size, (const uint8_t *)value.data);
    assert_non_null(message);
    assert_int_equal(message->n_unknown_fields, 0);
    protobuf_c_message_free_unpacked(message, NULL);
}

static void every_event_comes_back_from_every_format(void **state) {
    (void)state;
    struct generator *generator = generator_create(&small);
    struct generated event;
    struct buffer value = {0};
    for (int i = 0; i < 5000 && generator_next(generator, &event); i++) {
        for (int format = 0; format <= ACTIVITY_AS_CONFLUENT_PROTOBUF; format++) {
            struct decoded decoded;
            buffer_reset(&value);
            assert_int_equal(
                encode_activity((enum activity_format)format, &event.activity, bytes_of_text("EUR"), &value), 0);
            decode_value(&decoded, (enum decode_format)format, event.input, event.customer_id, buffer_bytes(&value),
                         NULL, 0);
            assert_int_equal(decoded.reason, DEAD_NOT);
            assert_same_activity(&decoded.activity, &event.activity);
            decoded_finish(&decoded);
            if (format == ACTIVITY_AS_PROTOBUF) {
                assert_schema_reads(event.input, buffer_bytes(&value));
            }
        }
    }
    buffer_finish(&value);
    generator_destroy(generator);
}

static const struct bytes topics[INPUTS] = {{"shop.purchases", 14}, {"shop.interactions", 17}, {"shop.feedback", 13}};

static void a_json_line_becomes_the_same_event(void **state) {
    (void)state;
    static const char *const words[INPUTS] = {"purchases", "shop.interactions", "feedback"};
    struct generator *generator = generator_create(&small);
    struct generated event;
    struct buffer line = {0};
    for (int i = 0; i < 3000 && generator_next(generator, &event); i++) {
        buffer_reset(&line);
        assert_int_equal(encode_activity(ACTIVITY_AS_JSON, &event.activity, bytes_of_text("EUR"), &line), 0);
        line.size--; /* the brace */
        buffer_printf(&line, ",\"topic\":\"%s\"}", words[event.input]);
        for (int format = 0; format <= FORMAT_CONFLUENT_PROTOBUF; format++) {
            struct arena arena;
            struct json_line read;
            struct decoded decoded;
            char detail[DEAD_DETAIL_BYTES_MAX];
            arena_init(&arena, 1 << 20);
            assert_int_equal(
                decode_json_line(buffer_bytes(&line), (enum decode_format)format, topics, &arena, &read, detail), 0);
            assert_int_equal(read.input, event.input);
            assert_int_equal(read.time_ms, event.activity.time_ms);
            assert_same_text(read.key, event.activity.customer_id);
            decode_value(&decoded, (enum decode_format)format, read.input, event.customer_id, read.value, NULL, 0);
            assert_int_equal(decoded.reason, DEAD_NOT);
            assert_same_activity(&decoded.activity, &event.activity);
            decoded_finish(&decoded);
            arena_finish(&arena);
        }
    }
    buffer_finish(&line);
    generator_destroy(generator);
}

/* Bad events pass through, to become dead letters; bad lines are refused. */
static void a_json_line_is_not_judged(void **state) {
    (void)state;
    static const struct {
        const char *line;
        enum dead_reason reason; /* DEAD_REASONS: refused */
    } cases[] = {
        {"{\"topic\":\"feedback\",\"customer_id\":\"c1\",\"event_time_ms\":1,\"survey\":\"NPS\"}", DEAD_BAD_SCORE},
        {"{\"topic\":\"feedback\",\"customer_id\":\"c1\",\"event_time_ms\":1,\"survey\":\"X\"}", DEAD_UNKNOWN_ENUM},
        {"{\"topic\":\"purchases\",\"customer_id\":\"c1\",\"event_time_ms\":1,\"currency\":\"EUR\","
         "\"amount_minor\":-5}",
         DEAD_NEGATIVE_AMOUNT},
        {"{\"topic\":\"purchases\",\"event_time_ms\":1}", DEAD_BAD_ID},
        {"{\"topic\":\"interactions\",\"customer_id\":\"c1\"}", DEAD_BAD_TIME},
        {"{\"topic\":\"nowhere\"}", DEAD_REASONS},
        {"{\"customer_id\":\"c1\"}", DEAD_REASONS},
        {"{\"topic\":3}", DEAD_REASONS},
        {"{\"topic\":\"purchases\",\"order_id\":5}", DEAD_REASONS},
        {"[]", DEAD_REASONS},
        {"", DEAD_REASONS},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int format = 0; format <= FORMAT_CONFLUENT_PROTOBUF; format++) {
            struct arena arena;
            struct json_line read;
            char detail[DEAD_DETAIL_BYTES_MAX] = "";
            arena_init(&arena, 1 << 20);
            int err = decode_json_line(bytes_of_text(cases[i].line), (enum decode_format)format, topics, &arena, &read,
                                       detail);
            if (cases[i].reason == DEAD_REASONS) {
                assert_int_equal(err, ERR_INVALID);
                assert_true(detail[0] != '\0');
            } else {
                struct decoded decoded;
                assert_int_equal(err, 0);
                decode_value(&decoded, (enum decode_format)format, read.input, "c1", read.value, NULL, 0);
                assert_int_equal(decoded.reason, cases[i].reason);
                decoded_finish(&decoded);
            }
            arena_finish(&arena);
        }
    }
}

static void random_numbers_have_their_distributions(void **state) {
    (void)state;
    enum { DRAWS = 100000 };
    uint64_t random = 1;
    int64_t exponential = 0;
    int64_t normal = 0;
    int64_t squares = 0;
    for (int i = 0; i < DRAWS; i++) {
        int64_t drawn = random_normal(&random);
        exponential += random_exponential(&random);
        normal += drawn;
        squares += drawn * drawn / Q16_ONE;
        assert_in_range(random_below(&random, 7), 0, 6);
    }
    assert_in_range(exponential / DRAWS, Q16_ONE * 98 / 100, Q16_ONE * 102 / 100);
    assert_in_range(normal / DRAWS + Q16_ONE, Q16_ONE * 98 / 100, Q16_ONE * 102 / 100);
    assert_in_range(squares / DRAWS, Q16_ONE * 97 / 100, Q16_ONE * 103 / 100);
    assert_in_range(exp2_q16(0), Q16_ONE - 2, Q16_ONE + 2);
    assert_in_range(exp2_q16(10 * Q16_ONE), 1024 * Q16_ONE - 2048, 1024 * Q16_ONE + 2048);
    assert_in_range(exp2_q16(-Q16_ONE), Q16_ONE / 2 - 2, Q16_ONE / 2 + 2);
    assert_in_range(exp2_q16(Q16_ONE / 2), 92680, 92684);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_gives_the_same_history_everywhere),
        cmocka_unit_test(as_many_events_come_as_are_asked_for),
        cmocka_unit_test(times_ascend_within_the_days),
        cmocka_unit_test(what_goes_back_never_exceeds_its_order),
        cmocka_unit_test(the_history_is_believable),
        cmocka_unit_test(answers_go_with_the_customers_fortunes),
        cmocka_unit_test(every_event_comes_back_from_every_format),
        cmocka_unit_test(a_json_line_becomes_the_same_event),
        cmocka_unit_test(a_json_line_is_not_judged),
        cmocka_unit_test(random_numbers_have_their_distributions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

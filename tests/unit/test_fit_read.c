/* tidemark fit from a real Redis: the customers of CDNOW, bought day by day, stored as workers store them. */
#include "run/fit.h"

#include "run/config.h"
#include "run/demo_redis.h"
#include "state/customer_codec.h"
#include "support/cdnow.h"
#include "support/model_builder.h"

#include <event2/event.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum {
    PARTITIONS = 3,
    LOOKERS = 45000, /* never bought; in one task, so that a bucket is more than one round trip */
    LINE_BYTES = 128,
    PROBLEM_BYTES = 512,
};

#define NOON_MS (12 * (int64_t)MS_PER_HOUR)
#define CALIBRATION_END_MS (INT64_C(875577600000) + NOON_MS) /* 1997-09-30 */

struct stored {
    struct demo_redis redis;
    struct config *config;
    struct event_base *base;
    struct redis_health health;
    struct store *stores[PARTITIONS];
    int answers;
};

/* ---- writing as a worker does ---- */

static void on_taken(void *arg, int error, const struct store_found *found) {
    struct stored *stored = arg;
    assert_int_equal(error, 0);
    assert_true(found->absent);
    stored->answers++;
    event_base_loopbreak(stored->base);
}

static void on_applied(void *arg, int error) {
    struct stored *stored = arg;
    assert_int_equal(error, 0);
    stored->answers++;
    event_base_loopbreak(stored->base);
}

static void wait_answer(struct stored *stored) {
    int before = stored->answers;
    event_base_dispatch(stored->base);
    assert_int_equal(stored->answers, before + 1);
}

static void apply(struct stored *stored, int partition, int64_t clock_ms) {
    struct store *store = stored->stores[partition];
    struct store_meta meta = {.next_offset = {1, OFFSET_NONE, OFFSET_NONE},
                              .clock_ms = clock_ms,
                              .fired_ms = clock_ms,
                              .partitions = PARTITIONS};
    store->ops->apply(store->context, &meta, on_applied, stored);
    wait_answer(stored);
}

static void put(struct stored *stored, int partition, const char *id, const struct customer *customer) {
    struct store *store = stored->stores[partition];
    struct buffer packed = {0};
    customer_encode(customer, &packed);
    assert_int_equal(packed.error, 0);
    store->ops->put_customer(store->context, bytes_of_text(id), buffer_bytes(&packed));
    buffer_finish(&packed);
}

static void happens(struct stored *stored, struct customer *customer, const struct activity *activity) {
    struct arena arena;
    struct changes changes;
    arena_init(&arena, 1 << 20);
    changes_init(&changes, &arena);
    customer_apply(customer, stored->config->model, activity, activity->time_ms, &changes);
    assert_int_equal(changes.error, 0);
    arena_finish(&arena);
}

/* Days since 1970 of YYYYMMDD (Hinnant's days_from_civil, for years after 1970). */
static int64_t day_of(int64_t date) {
    int64_t year = date / 10000, month = date / 100 % 100, day = date % 100;
    year -= month <= 2;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return 365 * year + year / 4 - year / 100 + year / 400 + day_of_year - 719468;
}

static void store_cdnow(struct stored *stored) {
    FILE *file = fopen(TIDEMARK_SOURCE_DIR "/tests/data/cdnow_sample.txt", "r");
    char line[LINE_BYTES], id[16], last_id[16] = "";
    struct customer *customer = NULL;
    int customers = 0;
    long long date, cents;
    double dollars;
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        assert_int_equal(sscanf(line, "%*s %15s %lld %*d %lf", id, &date, &dollars), 3);
        if (date > 19970930) {
            continue;
        }
        if (strcmp(id, last_id) != 0) {
            if (customer) {
                put(stored, customers % PARTITIONS, last_id, customer);
                customer_destroy(customer);
            }
            customer = customer_create(stored->config->model);
            assert_non_null(customer);
            customers++;
            snprintf(last_id, sizeof last_id, "%s", id);
        }
        cents = llround(dollars * 100);
        struct activity purchase = test_purchase(NULL, day_of(date) * MS_PER_DAY + NOON_MS, cents);
        happens(stored, customer, &purchase);
    }
    fclose(file);
    put(stored, customers % PARTITIONS, last_id, customer);
    customer_destroy(customer);
    assert_int_equal(customers, CDNOW_CUSTOMERS);
}

static void store_lookers(struct stored *stored) {
    struct customer *customer = customer_create(stored->config->model);
    struct activity looks = test_interaction(NULL, CALIBRATION_END_MS - MS_PER_DAY, INTERACTION_PAGE_VIEW);
    char id[24];
    assert_non_null(customer);
    happens(stored, customer, &looks);
    for (int i = 0; i < LOOKERS; i++) {
        snprintf(id, sizeof id, "looker%d", i);
        put(stored, 1, id, customer);
    }
    customer_destroy(customer);
}

static struct config *config_of(const char *url, const char *group) {
    static struct config_problems problems;
    char text[1024];
    snprintf(text, sizeof text,
             "group: %s\nredis: {url: \"%s\"}\nlifetime_value: {model: mbg_nbd}\n"
             "tier_sets: {value: {tiers: [{name: vip, enter: \"revenue(730d) > 100\"}, {name: rest}]}}\n",
             group, url);
    problems.count = 0;
    struct config *config = config_parse("test", bytes_of_text(text), NULL, 0, &problems);
    if (!config) {
        fail_msg("%s", problems.items[0].message);
    }
    return config;
}

static int store_all(void **state) {
    static struct stored stored;
    char problem[PROBLEM_BYTES];
    if (demo_redis_start(&stored.redis, problem)) {
        print_error("%s\n", problem);
        return -1;
    }
    stored.config = config_of(stored.redis.url, "cdnow");
    stored.base = event_base_new();
    for (int partition = 0; partition < PARTITIONS; partition++) {
        struct store *store =
            redis_store_create(stored.base, &stored.config->redis, &stored.health, partition, problem);
        assert_non_null(store);
        stored.stores[partition] = store;
        store->ops->take_over(store->context, on_taken, &stored);
        wait_answer(&stored);
    }
    store_cdnow(&stored);
    store_lookers(&stored);
    apply(&stored, 0, CALIBRATION_END_MS - 5 * MS_PER_DAY);
    apply(&stored, 1, CALIBRATION_END_MS);
    apply(&stored, 2, CALIBRATION_END_MS - MS_PER_DAY);
    *state = &stored;
    return 0;
}

static int forget_all(void **state) {
    struct stored *stored = *state;
    for (int partition = 0; partition < PARTITIONS; partition++) {
        stored->stores[partition]->ops->destroy(stored->stores[partition]->context);
    }
    event_base_free(stored->base);
    config_destroy(stored->config);
    demo_redis_stop(&stored->redis);
    return 0;
}

/* ---- reading ---- */

static void close_to(double value, double wanted, double within) {
    if (!(fabs(value - wanted) <= within)) {
        fail_msg("%.12g is not %.12g to %g", value, wanted, within);
    }
}

static void stored_customers_fit_as_published(void **state) {
    struct stored *stored = *state;
    struct fit_histories histories = {0};
    struct fit_result result;
    char problem[PROBLEM_BYTES] = "";
    if (fit_read(stored->config, TIME_NONE, &histories, problem)) {
        fail_msg("%s", problem);
    }
    assert_int_equal(histories.at_ms, CALIBRATION_END_MS); /* the newest of three clocks */
    assert_int_equal(histories.count, CDNOW_CUSTOMERS);
    assert_int_equal(histories.buyers, CDNOW_CUSTOMERS);
    assert_int_equal(fit_models(histories.items, histories.count, LTV_MBG_NBD, &result), 0);
    assert_int_equal(result.repeat_buyers, CDNOW_REPEAT_BUYERS);
    close_to(result.params.r, 0.525, 0.001);
    close_to(result.params.alpha, 6.183, 0.005);
    close_to(result.params.a, 0.891, 0.001);
    close_to(result.params.b, 1.614, 0.003);
    close_to(result.params.p, 6.25, 0.01);
    close_to(result.params.q, 3.74, 0.01);
    close_to(result.params.v, 15.44, 0.02);
    fit_histories_finish(&histories);
}

static int by_all(const void *a, const void *b) {
    const double *left = a, *right = b;
    for (size_t i = 0; i < sizeof(struct ltv_history) / sizeof *left; i++) {
        if (left[i] != right[i]) {
            return left[i] < right[i] ? -1 : 1;
        }
    }
    return 0;
}

/* One by one, the histories are those that others have made of the same purchases. The summary has two decimals. */
static void stored_customers_have_the_histories_of_the_summary(void **state) {
    struct stored *stored = *state;
    struct ltv_history *wanted = cdnow_read(CDNOW_SUMMARY);
    struct fit_histories histories = {0};
    char problem[PROBLEM_BYTES];
    assert_int_equal(fit_read(stored->config, TIME_NONE, &histories, problem), 0);
    assert_int_equal(histories.count, CDNOW_CUSTOMERS);
    for (size_t i = 0; i < CDNOW_CUSTOMERS; i++) {
        struct ltv_history *history = &histories.items[i];
        history->t_x = round(history->t_x * 100) / 100;
        history->t = round(history->t * 100) / 100;
        history->mean_spend = round(history->mean_spend);
        wanted[i].mean_spend = round(wanted[i].mean_spend);
    }
    qsort(histories.items, histories.count, sizeof *histories.items, by_all);
    qsort(wanted, CDNOW_CUSTOMERS, sizeof *wanted, by_all);
    for (size_t i = 0; i < CDNOW_CUSTOMERS; i++) {
        close_to(histories.items[i].x, wanted[i].x, 0);
        close_to(histories.items[i].t_x, wanted[i].t_x, 1e-9);
        close_to(histories.items[i].t, wanted[i].t, 1e-9);
        close_to(histories.items[i].mean_spend, wanted[i].mean_spend, 1.01);
    }
    fit_histories_finish(&histories);
    free(wanted);
}

static void another_end_of_the_observation_is_taken(void **state) {
    struct stored *stored = *state;
    struct fit_histories at_end = {0}, later = {0};
    char problem[PROBLEM_BYTES];
    int64_t later_ms = CALIBRATION_END_MS + 70 * (int64_t)MS_PER_DAY;
    assert_int_equal(fit_read(stored->config, CALIBRATION_END_MS, &at_end, problem), 0);
    assert_int_equal(fit_read(stored->config, later_ms, &later, problem), 0);
    assert_int_equal(later.at_ms, later_ms);
    assert_int_equal(at_end.count, later.count);
    for (size_t i = 0; i < later.count; i++) { /* by hash of the id, so in the same order */
        close_to(later.items[i].t, at_end.items[i].t + 10, 1e-9);
        close_to(later.items[i].t_x, at_end.items[i].t_x, 0);
    }
    fit_histories_finish(&at_end);
    fit_histories_finish(&later);
}

static void an_end_before_the_last_purchase_is_refused(void **state) {
    struct stored *stored = *state;
    struct fit_histories histories = {0};
    char problem[PROBLEM_BYTES];
    assert_int_equal(fit_read(stored->config, CALIBRATION_END_MS - 1, &histories, problem), ERR_REFUSED);
    assert_non_null(strstr(problem, "--at"));
    assert_null(histories.items);
}

static void a_group_without_state_is_told(void **state) {
    struct stored *stored = *state;
    struct config *other = config_of(stored->redis.url, "nobody");
    struct fit_histories histories = {0};
    char problem[PROBLEM_BYTES];
    assert_int_equal(fit_read(other, TIME_NONE, &histories, problem), ERR_NOT_FOUND);
    assert_non_null(strstr(problem, "no stored state"));
    config_destroy(other);
}

static void a_state_that_is_none_is_told(void **state) {
    struct stored *stored = *state;
    struct store *store = stored->stores[2];
    struct fit_histories histories = {0};
    char problem[PROBLEM_BYTES];
    store->ops->put_customer(store->context, bytes_of_text("broken"), bytes_of_text("\xff\xff\xff"));
    apply(stored, 2, CALIBRATION_END_MS);
    assert_int_equal(fit_read(stored->config, TIME_NONE, &histories, problem), ERR_INVALID);
    assert_non_null(strstr(problem, "unreadable"));
}

static void a_redis_that_is_not_there_is_told(void **state) {
    (void)state;
    struct config *config = config_of("unix:///nowhere/redis.sock", "cdnow");
    struct fit_histories histories = {0};
    char problem[PROBLEM_BYTES];
    assert_int_equal(fit_read(config, TIME_NONE, &histories, problem), ERR_UNAVAILABLE);
    config_destroy(config);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stored_customers_fit_as_published),
        cmocka_unit_test(stored_customers_have_the_histories_of_the_summary),
        cmocka_unit_test(another_end_of_the_observation_is_taken),
        cmocka_unit_test(an_end_before_the_last_purchase_is_refused),
        cmocka_unit_test(a_group_without_state_is_told),
        cmocka_unit_test(a_redis_that_is_not_there_is_told),
        cmocka_unit_test(a_state_that_is_none_is_told), /* the last: it leaves the state broken */
    };
    return cmocka_run_group_tests(tests, store_all, forget_all);
}

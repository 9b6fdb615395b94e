/* Open alerts. Each task tells its worst; of all of them the worst are looked up, to tell more of them. So the work is bounded by
 * the limit and the number of tasks, however many are open; how many those are, populations tell. */
#include "run/overview_parts.h"

#include "base/array.h"
#include "base/clock.h"
#include "run/alerts.h"
#include "score/customer_value.h"
#include "score/metrics.h"
#include "state/customer_codec.h"

struct found { /* an open alert, as its task keeps it */
    char *id;  /* ours */
    size_t id_size;
    int32_t partition;
    size_t set;
    double value_minor;
    struct alert alert;
    bool open; /* still, when the customer was looked up */
};

struct alerts_gathering {
    struct gathering gathering;
    struct alerts *alerts;
    int limit;
    int64_t *customers; /* populations */
    int64_t clock_ms;   /* clock: event */
    struct found *found;
    size_t found_count;
    size_t found_capacity;
};

static int64_t count_open(const struct alerts_gathering *alerts) {
    const struct model *model = alerts->gathering.config->model;
    const int64_t *customers = alerts->customers;
    int64_t open = 0;
    for (size_t set = 0; set < model_sets_count(model); set++) {
        for (size_t tier = 0; tier < model_tiers_count(model, set); tier++, customers++) {
            open += alerts_has(alerts->alerts, set, (int)tier) ? *customers : 0;
        }
    }
    return open;
}

static void alerts_end(struct alerts_gathering *alerts) {
    struct buffer out = {0};
    int error = alerts->gathering.error;
    struct alert *told = calloc(alerts->found_count + 1, sizeof *told);
    size_t count = 0;
    ASSERT(told);
    for (size_t i = 0; i < alerts->found_count; i++) {
        if (alerts->found[i].open) {
            told[count++] = alerts->found[i].alert;
        }
    }
    if (!error) {
        error =
            alerts_json_write(alerts->gathering.config->model, told, count, count_open(alerts), alerts->limit, &out);
    }
    gathering_end(&alerts->gathering, error, &out);
    buffer_finish(&out);
    for (size_t i = 0; i < alerts->found_count; i++) {
        free(alerts->found[i].id);
    }
    free(told);
    free(alerts->found);
    free(alerts->customers);
    alerts_destroy(alerts->alerts);
    free(alerts);
}

/* ---- looking the worst up ---- */

static double p_alive_of(const struct alerts_gathering *alerts, const struct customer *customer) {
    const struct config *config = alerts->gathering.config;
    const struct ltv_params *params = &config->scoring.lifetime_value;
    struct ltv_history history;
    if (customer->first_purchase_ms == TIME_NONE) {
        return NO_VALUE;
    }
    int64_t now_ms = config->clock_event ? alerts->clock_ms : clock_wall_ms();
    customer_ltv_history(customer, params, now_ms > customer->now_ms ? now_ms : customer->now_ms, &history);
    return ltv_p_alive(params, &history);
}

/* The customer may have moved since the task told of it; then the alert is not open any more. */
static int look_closer(const struct alerts_gathering *alerts, struct found *found, struct bytes packed) {
    const struct model *model = alerts->gathering.config->model;
    struct customer *customer;
    if (!packed.data) {
        return 0;
    }
    if (customer_decode(packed, model, &customer)) {
        return ERR_INVALID;
    }
    const struct tier_state *state = &customer->tiers[found->set];
    found->open = alerts_has(alerts->alerts, found->set, state->tier);
    if (found->open) {
        found->alert = (struct alert){
            .customer_id = bytes_of(found->id, found->id_size),
            .set = found->set,
            .tier = (size_t)state->tier,
            .since_ms = state->since_ms,
            .value_at_risk = found->value_minor / model_money_scale(model),
            .p_alive = p_alive_of(alerts, customer),
            .last_purchase_ms = customer->last_purchase_ms,
        };
    }
    customer_destroy(customer);
    return 0;
}

static void on_customer(void *arg, int error, const struct bytes *values, size_t count) {
    const struct ask ask = ask_end(arg, error);
    struct alerts_gathering *alerts = ask.gathering;
    if (!error && count == 1) {
        int unreadable = look_closer(alerts, &alerts->found[ask.number], values[0]);
        alerts->gathering.error = alerts->gathering.error ? alerts->gathering.error : unreadable;
    }
    if (alerts->gathering.waiting == 0) {
        alerts_end(alerts);
    }
}

static int by_value(const void *a, const void *b) {
    const struct found *first = a;
    const struct found *second = b;
    if (first->value_minor < second->value_minor || first->value_minor > second->value_minor) {
        return first->value_minor < second->value_minor ? 1 : -1;
    }
    size_t size = first->id_size < second->id_size ? first->id_size : second->id_size;
    int order = memcmp(first->id, second->id, size);
    order = order ? order : (first->id_size > second->id_size) - (first->id_size < second->id_size);
    return order ? order : (first->set > second->set) - (first->set < second->set);
}

static void all_told(struct alerts_gathering *alerts) {
    if (alerts->found_count > 0) {
        qsort(alerts->found, alerts->found_count, sizeof *alerts->found, by_value);
    }
    for (; alerts->found_count > (size_t)alerts->limit; alerts->found_count--) {
        free(alerts->found[alerts->found_count - 1].id);
    }
    if (alerts->gathering.error || alerts->found_count == 0) {
        alerts_end(alerts);
        return;
    }
    for (size_t i = 0; i < alerts->found_count; i++) {
        const struct found *found = &alerts->found[i];
        redis_reader_customer(alerts->gathering.overview->reader, found->partition, bytes_of(found->id, found->id_size),
                              on_customer, ask_new(&alerts->gathering, found->partition, (int32_t)i));
    }
}

/* ---- what each task tells ---- */

static void add_found(struct alerts_gathering *alerts, int32_t partition, struct bytes member, struct bytes value) {
    const struct model *model = alerts->gathering.config->model;
    for (size_t set = 0; set < model_sets_count(model); set++) {
        if (!overview_take_prefix(&member, model_set_name(model, set))) {
            continue;
        }
        char *id = malloc(member.size + 1);
        ASSERT(id);
        memcpy(id, member.data, member.size);
        alerts->found =
            array_grown(alerts->found, &alerts->found_capacity, alerts->found_count, sizeof *alerts->found, 64);
        alerts->found[alerts->found_count++] = (struct found){.id = id,
                                                              .id_size = member.size,
                                                              .partition = partition,
                                                              .set = set,
                                                              .value_minor = strtod(value.data, NULL)};
        return;
    }
}

static void on_worst(void *arg, int error, const struct bytes *values, size_t count) {
    const struct ask ask = ask_end(arg, error);
    struct alerts_gathering *alerts = ask.gathering;
    for (size_t i = 0; !error && i + 1 < count; i += 2) {
        if (values[i].data && values[i + 1].data) { /* hiredis ends its strings with a NUL */
            add_found(alerts, ask.partition, values[i], values[i + 1]);
        }
    }
    if (alerts->gathering.waiting == 0) {
        all_told(alerts);
    }
}

static void on_population(void *arg, int error, const struct bytes *values, size_t count) {
    struct alerts_gathering *alerts = ask_end(arg, error).gathering;
    for (size_t i = 0; !error && i + 1 < count; i += 2) {
        overview_count_tier(alerts->customers, alerts->gathering.config->model, values[i],
                            lookup_number(values[i + 1]));
    }
    if (alerts->gathering.waiting == 0) {
        all_told(alerts);
    }
}

static void on_meta(void *arg, int error, const struct store_found *found) {
    struct alerts_gathering *alerts = ask_end(arg, error == ERR_NOT_FOUND ? 0 : error).gathering;
    if (!error && found->meta.clock_ms > alerts->clock_ms) {
        alerts->clock_ms = found->meta.clock_ms;
    }
    if (alerts->gathering.waiting == 0) {
        all_told(alerts);
    }
}

void overview_alerts(struct overview *overview, int limit, lookup_done_fn done, void *arg) {
    struct alerts_gathering *alerts = gathering_new(sizeof *alerts, overview, done, arg);
    const struct model *model = alerts->gathering.config->model;
    alerts->limit = limit;
    alerts->clock_ms = TIME_NONE;
    alerts->alerts = alerts_create(model);
    alerts->customers = calloc(model_all_tiers_count(model) + 1, sizeof *alerts->customers);
    ASSERT(alerts->alerts && alerts->customers);
    for (int32_t partition = 0; partition < overview->partitions; partition++) {
        redis_reader_alerts(overview->reader, partition, limit, on_worst, ask_new(&alerts->gathering, partition, 0));
        redis_reader_populations(overview->reader, partition, on_population, ask_new(&alerts->gathering, partition, 0));
        redis_reader_meta(overview->reader, partition, on_meta, ask_new(&alerts->gathering, partition, 0));
    }
}

/* Reading every customer for fit: the tasks' meta first (how many partitions, what time it is), then task by task and bucket by
 * bucket. */
#include "run/config.h"
#include "run/fit.h"
#include "run/fit_sample.h"
#include "run/progress.h"
#include "score/customer_value.h"
#include "state/customer_codec.h"

#include <event2/event.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    PARTITIONS_TRIED_MAX = 256, /* tasks asked for the partition count, which each of them knows */
    PROBLEM_BYTES = 256,
};

struct reading {
    struct event_base *base;
    struct redis_reader *reader;
    const struct config *config;
    struct fit_sample sample;
    struct progress progress;
    int64_t at_ms;
    int64_t newest_clock_ms;
    bool at_given;
    int64_t newest_purchase_ms;
    int32_t partitions;
    int32_t asked;   /* tasks asked for their meta */
    int32_t waiting; /* answers of them */
    int32_t partition;
    struct redis_scan scan;
    int64_t customers;
    int error;
    char *problem;
};

/* ---- the tasks ---- */

static void end(struct reading *reading, int error, const char *problem) {
    if (error && !reading->error) {
        reading->error = error;
        snprintf(reading->problem, PROBLEM_BYTES, "%s", problem);
    }
    event_base_loopbreak(reading->base);
}

static int add_customer(struct reading *reading, struct bytes id, struct bytes packed) {
    struct customer *customer;
    struct ltv_history history;
    int error = customer_decode(packed, reading->config->model, &customer);
    if (error) {
        return error;
    }
    reading->customers++;
    if (customer->first_purchase_ms != TIME_NONE) {
        if (customer->last_purchase_ms > reading->newest_purchase_ms) {
            reading->newest_purchase_ms = customer->last_purchase_ms;
        }
        customer_ltv_history(customer, &reading->config->scoring.lifetime_value, reading->at_ms, &history);
        error = fit_sample_add(&reading->sample, bytes_hash(id), &history);
    }
    customer_destroy(customer);
    return error;
}

static void read_on(struct reading *reading);

static void on_customers(void *arg, int error, const struct bytes *values, size_t count) {
    struct reading *reading = arg;
    if (error) {
        end(reading, ERR_UNAVAILABLE, "Redis does not answer");
        return;
    }
    for (size_t i = 0; i + 1 < count; i += 2) {
        error = add_customer(reading, values[i], values[i + 1]);
        if (error) {
            end(reading, error == ERR_NO_MEMORY ? error : ERR_INVALID,
                error == ERR_NO_MEMORY ? "not enough memory" : "a customer's stored state is unreadable");
            return;
        }
    }
    progress_show(&reading->progress, reading->customers);
    read_on(reading);
}

/* Asks for the next customers, unless those were the last. */
static void read_on(struct reading *reading) {
    if (reading->scan.ended) {
        reading->partition++;
        reading->scan = (struct redis_scan){0};
    }
    if (reading->partition == reading->partitions) {
        end(reading, 0, "");
        return;
    }
    redis_reader_scan(reading->reader, reading->partition, &reading->scan, on_customers, reading);
}

static void ask_tasks(struct reading *reading, int32_t up_to);

static void start_reading(struct reading *reading) {
    if (reading->partitions > reading->asked) {
        ask_tasks(reading, reading->partitions);
        return;
    }
    if (!reading->at_given) {
        reading->at_ms = reading->newest_clock_ms;
    }
    if (reading->partitions == 0 || reading->at_ms == TIME_NONE) {
        end(reading, ERR_NOT_FOUND, "there is no stored state of this group");
        return;
    }
    progress_start(&reading->progress, "customers", 0);
    read_on(reading);
}

static void on_meta(void *arg, int error, const struct store_found *found) {
    struct reading *reading = arg;
    reading->waiting--;
    if (error && error != ERR_NOT_FOUND) {
        end(reading, ERR_UNAVAILABLE, "Redis does not answer");
    }
    if (!error && found->schema != STORE_SCHEMA_VERSION) {
        end(reading, ERR_INVALID, "the stored state has a version that this program cannot read");
    }
    if (!error && (int32_t)found->meta.partitions > reading->partitions) {
        reading->partitions = (int32_t)found->meta.partitions;
    }
    if (!error && found->meta.clock_ms > reading->newest_clock_ms) {
        reading->newest_clock_ms = found->meta.clock_ms;
    }
    if (reading->waiting == 0 && !reading->error) {
        start_reading(reading);
    }
}

static void ask_tasks(struct reading *reading, int32_t up_to) {
    int32_t first = reading->asked;
    reading->asked = up_to;
    reading->waiting = up_to - first;
    for (int32_t partition = first; partition < up_to; partition++) {
        redis_reader_meta(reading->reader, partition, on_meta, reading);
    }
}

/* ---- in all ---- */

static void take_sample(struct reading *reading, struct fit_histories *out) {
    struct fit_sample *sample = &reading->sample;
    fit_sample_settle(sample);
    out->items = calloc(sample->count + 1, sizeof *out->items);
    ASSERT(out->items);
    for (size_t i = 0; i < sample->count; i++) {
        out->items[i] = sample->items[i].history;
    }
    out->count = sample->count;
    out->buyers = sample->thinned ? sample->seen : sample->count;
    out->at_ms = reading->at_ms;
}

int fit_read(const struct config *config, int64_t at_ms, struct fit_histories *out, char *problem) {
    struct reading reading = {
        .base = event_base_new(),
        .config = config,
        .at_ms = at_ms,
        .at_given = at_ms != TIME_NONE,
        .newest_clock_ms = TIME_NONE,
        .newest_purchase_ms = TIME_NONE,
        .problem = problem,
    };
    ASSERT(reading.base);
    fit_sample_init(&reading.sample, FIT_CUSTOMERS_MAX);
    reading.reader = redis_reader_create(reading.base, &config->redis, problem);
    if (!reading.reader) {
        event_base_free(reading.base);
        return ERR_REFUSED;
    }
    ask_tasks(&reading, PARTITIONS_TRIED_MAX);
    event_base_dispatch(reading.base);
    if (reading.progress.started_ms) {
        progress_end(&reading.progress, reading.customers);
    }
    if (!reading.error && reading.at_given && reading.newest_purchase_ms > at_ms) {
        reading.error = ERR_REFUSED;
        snprintf(problem, PROBLEM_BYTES,
                 "somebody has bought at %" PRId64 ", after --at: what they had done by then is not known any more",
                 reading.newest_purchase_ms);
    }
    if (!reading.error) {
        take_sample(&reading, out);
    }
    redis_reader_destroy(reading.reader);
    event_base_free(reading.base);
    fit_sample_finish(&reading.sample);
    return reading.error;
}

void fit_histories_finish(struct fit_histories *histories) {
    free(histories->items);
    *histories = (struct fit_histories){0};
}

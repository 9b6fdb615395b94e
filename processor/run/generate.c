#include "run/generate.h"

#include "run/generate_parts.h"
#include "run/generate_random.h"

#include <stdlib.h>

/* A heap of customers by the time of their next event; whoever stands on top acts and sinks.
 *
 * To end up with just as many events as asked for, the pace is set again every hour of the history
 * to what the rest of it needs. */

enum {
    EVENTS_PER_DAY_PER_MILLE = 100, /* of an average customer at pace 1, as counted */
    FOUNDERS_PERCENT = 60,
    EVENTS_TO_JOIN = 6, /* a first session and what follows, and as much again for the others */
    PACE_CORRECTION_MAX = 16,
};

struct turn {
    int64_t time_ms;
    uint32_t shopper;
};

struct generator {
    struct shop shop;
    int64_t events_left; /* INT64_MAX: no number was asked for */
    int64_t events;
    int64_t pace_first_q16;
    int64_t weight;       /* of the whole history */
    int64_t next_pace_ms; /* when to look at the pace again */
    uint64_t random;      /* for whoever looks in at the very end */
    struct shopper *shoppers;
    struct turn *heap;
    uint32_t heap_count;
};

static bool earlier(struct turn a, struct turn b) {
    return a.time_ms < b.time_ms || (a.time_ms == b.time_ms && a.shopper < b.shopper);
}

static void sink(struct generator *generator, uint32_t at) {
    struct turn turn = generator->heap[at];
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= generator->heap_count) {
            break;
        }
        if (child + 1 < generator->heap_count && earlier(generator->heap[child + 1], generator->heap[child])) {
            child++;
        }
        if (!earlier(generator->heap[child], turn)) {
            break;
        }
        generator->heap[at] = generator->heap[child];
        at = child;
    }
    generator->heap[at] = turn;
}

static int64_t divide_q16(int64_t part, int64_t whole) {
    __extension__ typedef __int128 wide;
    return whole > 0 ? (int64_t)((wide)part * Q16_ONE / whole) : 0;
}

static int64_t at_least_one(int64_t value) {
    return value > 0 ? value : 1;
}

/* The pace at which the customers would make so many events in so many thousandths of a day. */
static int64_t pace_for(int64_t events, int64_t customers, int64_t weight) {
    int64_t natural = customers * weight / 1000 * EVENTS_PER_DAY_PER_MILLE / 1000;
    return at_least_one(divide_q16(events, at_least_one(natural)));
}

static void set_pace(struct generator *generator, int64_t now_ms) {
    generator->next_pace_ms = now_ms + MS_PER_HOUR;
    int64_t left = season_left(&generator->shop.season, now_ms);
    /* (share of the events left) / (share of the time left), as a factor on the first pace */
    int64_t share_events = divide_q16(generator->events_left, generator->events);
    int64_t share_time = at_least_one(divide_q16(left, generator->weight));
    int64_t factor = divide_q16(share_events, share_time);
    if (factor > PACE_CORRECTION_MAX * Q16_ONE) {
        factor = PACE_CORRECTION_MAX * Q16_ONE;
    } else if (factor < Q16_ONE / PACE_CORRECTION_MAX) {
        factor = Q16_ONE / PACE_CORRECTION_MAX;
    }
    generator->shop.pace_q16 = at_least_one(generator->pace_first_q16 * factor / Q16_ONE);
}

static void check(const struct generator_options *options) {
    ASSERT(options->customers >= 1 && options->customers <= GENERATOR_CUSTOMERS_MAX);
    ASSERT(options->events >= 0 && options->events <= INT64_MAX / 1000);
    ASSERT(options->days >= 1 && options->days <= GENERATOR_DAYS_MAX);
    ASSERT(options->end_ms / MS_PER_DAY >= options->days);
    ASSERT(options->end_ms / MS_PER_DAY < INT32_MAX);
}

struct generator *generator_create(const struct generator_options *options) {
    check(options);
    struct generator *generator = calloc(1, sizeof *generator);
    if (!generator) {
        return NULL;
    }
    uint32_t customers = (uint32_t)options->customers;
    int64_t start_ms = options->end_ms - (int64_t)options->days * MS_PER_DAY;
    struct shop *shop = &generator->shop;
    shop->seed = options->seed;
    shop->customers = customers;
    shop->founders = (uint32_t)at_least_one(options->customers * FOUNDERS_PERCENT / 100);
    shop->pace_q16 = Q16_ONE;
    int64_t join = options->events * 1000 / EVENTS_TO_JOIN / options->customers;
    shop->join_per_mille = options->events && join < 1000 ? (uint32_t)join : 1000;
    generator->shoppers = malloc(customers * sizeof *generator->shoppers);
    generator->heap = malloc(customers * sizeof *generator->heap);
    if (season_init(&shop->season, start_ms, options->end_ms) || !generator->shoppers || !generator->heap) {
        generator_destroy(generator);
        return NULL;
    }
    generator->random = random_stream(options->seed, UINT64_MAX);
    generator->weight = at_least_one(season_left(&shop->season, start_ms));
    generator->events = options->events;
    generator->events_left = options->events ? options->events : INT64_MAX;
    generator->next_pace_ms = TIME_NEVER;
    if (options->events) {
        int64_t joining = (options->customers - shop->founders) * shop->join_per_mille / 1000;
        int64_t wanted = options->events - joining * EVENTS_TO_JOIN / 2;
        generator->pace_first_q16 = pace_for(wanted, customers, generator->weight);
        set_pace(generator, start_ms);
    }
    for (uint32_t i = 0; i < customers; i++) {
        shopper_init(&generator->shoppers[i], shop, i);
        int64_t next_ms = shopper_next_ms(&generator->shoppers[i]);
        if (next_ms != TIME_NEVER) {
            generator->heap[generator->heap_count++] = (struct turn){next_ms, i};
        }
    }
    for (uint32_t i = generator->heap_count / 2; i-- > 0;) {
        sink(generator, i);
    }
    return generator;
}

void generator_destroy(struct generator *generator) {
    if (!generator) {
        return;
    }
    season_finish(&generator->shop.season);
    free(generator->shoppers);
    free(generator->heap);
    free(generator);
}

/* Nobody has plans any more, yet events are owed: somebody looks in at the last moment. */
static bool fill_up(struct generator *generator, struct generated *out) {
    if (!generator->events) {
        return false;
    }
    uint32_t index = random_below(&generator->random, generator->shop.customers);
    generator->events_left--;
    shopper_look(&generator->shoppers[index], &generator->shop, index, generator->shop.season.end_ms, out);
    return true;
}

bool generator_next(struct generator *generator, struct generated *out) {
    if (generator->events_left == 0) {
        return false;
    }
    if (generator->heap_count == 0) {
        return fill_up(generator, out);
    }
    uint32_t index = generator->heap[0].shopper;
    int64_t now_ms = generator->heap[0].time_ms;
    if (now_ms >= generator->next_pace_ms) {
        set_pace(generator, now_ms);
    }
    struct shopper *shopper = &generator->shoppers[index];
    shopper_act(shopper, &generator->shop, index, out);
    generator->events_left--;
    generator->heap[0].time_ms = shopper_next_ms(shopper);
    if (generator->heap[0].time_ms == TIME_NEVER) {
        generator->heap[0] = generator->heap[--generator->heap_count];
    }
    if (generator->heap_count > 0) {
        sink(generator, 0);
    }
    return true;
}

#include "run/worker_population.h"

#include "base/log.h"
#include "state/redis_store.h"

#include <stdlib.h>

struct worker_population {
    struct event_base *base;
    const struct redis_options *options;
    struct redis_reader *reader; /* NULL: nobody has asked yet */
};

static struct redis_reader *reader_of(struct worker_population *population) {
    char problem[256];
    if (!population->reader) {
        population->reader = redis_reader_create(population->base, population->options, problem);
        if (!population->reader) {
            log_error("could not read what other tasks have", "error=\"%s\"", problem);
        }
    }
    return population->reader;
}

static void read_histograms(void *context, int32_t partition, store_loaded_fn done, void *arg) {
    struct redis_reader *reader = reader_of(context);
    if (reader) {
        redis_reader_histograms(reader, partition, done, arg);
    } else {
        done(arg, ERR_UNAVAILABLE, NULL, 0);
    }
}

static void read_cuts(void *context, int32_t partition, store_loaded_fn done, void *arg) {
    struct redis_reader *reader = reader_of(context);
    if (reader) {
        redis_reader_cuts(reader, partition, done, arg);
    } else {
        done(arg, ERR_UNAVAILABLE, NULL, 0);
    }
}

struct worker_population *worker_population_create(struct event_base *base, const struct redis_options *options) {
    struct worker_population *population = calloc(1, sizeof *population);
    if (population) {
        *population = (struct worker_population){base, options, NULL};
    }
    return population;
}

struct population_port worker_population_port(struct worker_population *population) {
    return (struct population_port){population, read_histograms, read_cuts};
}

void worker_population_destroy(struct worker_population *population) {
    if (population) {
        redis_reader_give_up(population->reader);
        redis_reader_destroy(population->reader);
        free(population);
    }
}

#include "run/lookup.h"

#include "base/clock.h"
#include "run/rules.h"
#include "serve/customer_json.h"
#include "state/customer_codec.h"
#include "state/cut_points_codec.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    PARTITIONS_TRIED_MAX = 256, /* tasks asked for the partition count when nobody knows it */
    VIEW_ARENA_BYTES = 16777216,
};

struct lookup {
    const struct config *config;
    struct redis_reader *reader;
    int32_t partitions;  /* 0: not known yet */
    struct rules *rules; /* NULL: those of the configuration */
};

struct search { /* one customer */
    struct lookup *lookup;
    struct rules *rules; /* held; NULL: those of the configuration */
    const struct model *model;
    char *id;
    size_t id_size;
    int64_t at_ms;
    lookup_done_fn done;
    void *arg;
    int32_t waiting; /* answers */
    int32_t home;    /* where the key hashes to */
    int error;
    struct buffer packed;
    bool found;
    int32_t found_at;
    struct edition edition; /* of the task that has the customer */
    int64_t clock_ms;
    int64_t referred_customers;
    int64_t referred_revenue_minor;
};

struct probe { /* one question of a search */
    struct search *search;
    int32_t partition;
};

static struct probe *probe_new(struct search *search, int32_t partition) {
    struct probe *probe = malloc(sizeof *probe);
    ASSERT(probe);
    *probe = (struct probe){search, partition};
    search->waiting++;
    return probe;
}

static struct search *probe_end(struct probe *probe, int error) {
    struct search *search = probe->search;
    search->error = error == ERR_UNAVAILABLE ? error : search->error;
    search->waiting--;
    free(probe);
    return search;
}

static void end(struct search *search, int error, struct bytes json) {
    search->done(search->arg, error, json);
    buffer_finish(&search->packed);
    rules_release(search->rules);
    free(search->id);
    free(search);
}

static int write_with(const struct search *search, const struct model *model, struct buffer *out) {
    struct customer *customer;
    if (customer_decode(buffer_bytes(&search->packed), model, &customer)) {
        return ERR_INVALID;
    }
    int64_t at_ms = search->at_ms;
    if (at_ms == TIME_NONE) {
        at_ms = search->lookup->config->clock_event ? search->clock_ms : clock_wall_ms();
    }
    at_ms = at_ms > customer->now_ms ? at_ms : customer->now_ms;
    struct arena arena;
    struct customer_view view;
    arena_init(&arena, VIEW_ARENA_BYTES);
    int error = customer_explain(customer, model, at_ms, &arena, &view);
    view.referred_customers = search->referred_customers;
    view.referred_revenue_minor = search->referred_revenue_minor;
    if (!error) {
        error = customer_json_write(bytes_of(search->id, search->id_size), &view, out);
    }
    arena_finish(&arena);
    customer_destroy(customer);
    return error;
}

static void answer(struct search *search) {
    struct buffer out = {0};
    int problem = search->error;
    struct model *model = model_copy_for_task(search->model);
    ASSERT(model);
    model_set_edition(model, &search->edition);
    problem = problem ? problem : write_with(search, model, &out);
    model_copy_destroy(model);
    end(search, problem, buffer_bytes(&out));
    buffer_finish(&out);
}

int64_t lookup_number(struct bytes text) {
    char digits[24] = "";
    memcpy(digits, text.data ? text.data : "", text.size < sizeof digits ? text.size : 0);
    return strtoll(digits, NULL, 10);
}

static void on_influence(void *arg, int error, const struct bytes *values, size_t count) {
    struct search *search = probe_end(arg, error);
    if (!error && count == 2) {
        search->referred_customers += lookup_number(values[0]);
        search->referred_revenue_minor += lookup_number(values[1]);
    }
    if (search->waiting == 0) {
        answer(search);
    }
}

/* Those whom the customer has referred may be in any task. */
static void ask_influence(struct search *search) {
    int32_t partitions = search->error ? 0 : search->lookup->partitions;
    if (partitions == 0) {
        answer(search);
        return;
    }
    search->waiting++; /* answers may come at once; the search must outlive the loop */
    for (int32_t partition = 0; partition < partitions; partition++) {
        redis_reader_influence(search->lookup->reader, partition, bytes_of(search->id, search->id_size), on_influence,
                               probe_new(search, partition));
    }
    if (--search->waiting == 0) {
        answer(search);
    }
}

static void on_cuts(void *arg, int error, const struct bytes *values, size_t count) {
    struct search *search = probe_end(arg, error);
    if (!error && count == 1 && values[0].data && cut_points_decode(values[0], search->model, &search->edition.cuts)) {
        search->edition.cuts = (struct cut_points){0}; /* of other rules than ours */
    }
    ask_influence(search);
}

static void on_meta(void *arg, int error, const struct store_found *found) {
    struct search *search = probe_end(arg, error);
    search->clock_ms = error ? TIME_NONE : found->meta.clock_ms;
    search->edition = (struct edition){.number = error ? 0 : found->meta.edition,
                                       .since_ms = error ? TIME_NONE : found->meta.edition_since_ms};
    if (search->error || model_ranked_count(search->model) == 0) {
        ask_influence(search);
        return;
    }
    redis_reader_cuts(search->lookup->reader, search->found_at, on_cuts, probe_new(search, search->found_at));
}

static void search_elsewhere(struct search *search);

static void on_customer(void *arg, int error, const struct bytes *values, size_t count) {
    int32_t partition = ((struct probe *)arg)->partition;
    struct search *search = probe_end(arg, error);
    if (!error && count == 1 && values[0].data && !search->found) {
        search->found = true;
        search->found_at = partition;
        buffer_put_bytes(&search->packed, values[0]);
    }
    if (search->waiting > 0) {
        return;
    }
    if (search->found) {
        redis_reader_meta(search->lookup->reader, search->found_at, on_meta, probe_new(search, search->found_at));
    } else if (search->error || partition != search->home || search->lookup->partitions == 1) {
        end(search, search->error ? search->error : ERR_NOT_FOUND, bytes_of(NULL, 0));
    } else {
        search_elsewhere(search);
    }
}

static void search_partition(struct search *search, int32_t partition) {
    redis_reader_customer(search->lookup->reader, partition, bytes_of(search->id, search->id_size), on_customer,
                          probe_new(search, partition));
}

/* With misrouted: accept, a customer lives wherever the producer has sent the key. */
static void search_elsewhere(struct search *search) {
    search->waiting++; /* answers may come at once; the search must outlive the loop */
    for (int32_t partition = 0; partition < search->lookup->partitions; partition++) {
        if (partition != search->home) {
            search_partition(search, partition);
        }
    }
    search->waiting--;
}

static void search_home(struct search *search) {
    struct lookup *lookup = search->lookup;
    search->home = partition_of(lookup->config->partitioner, bytes_of(search->id, search->id_size), lookup->partitions);
    search_partition(search, search->home);
}

static void on_partitions(void *arg, int error, const struct store_found *found) {
    struct search *search = probe_end(arg, error);
    if (!error && found->meta.partitions > 0) {
        search->lookup->partitions = (int32_t)found->meta.partitions;
    }
    if (search->waiting > 0) {
        return;
    }
    if (search->error || search->lookup->partitions == 0) {
        end(search, search->error ? search->error : ERR_NOT_FOUND,
            bytes_of(NULL, 0)); /* no state at all: nobody is known */
    } else {
        search_home(search);
    }
}

void lookup_customer(struct lookup *lookup, struct bytes id, int64_t at_ms, lookup_done_fn done, void *arg) {
    struct search *search = calloc(1, sizeof *search);
    ASSERT(search);
    *search = (struct search){
        .lookup = lookup, .id = malloc(id.size + 1), .id_size = id.size, .at_ms = at_ms, .done = done, .arg = arg};
    ASSERT(search->id);
    search->rules = lookup->rules ? rules_hold(lookup->rules) : NULL;
    search->model = lookup->rules ? rules_model(lookup->rules) : lookup->config->model;
    memcpy(search->id, id.data, id.size);
    if (lookup->partitions > 0) {
        search_home(search);
        return;
    }
    for (int32_t partition = 0; partition < PARTITIONS_TRIED_MAX; partition++) {
        redis_reader_meta(lookup->reader, partition, on_partitions, probe_new(search, partition));
    }
}

struct lookup *lookup_create(struct event_base *base, const struct config *config, int32_t partitions, char *problem) {
    struct lookup *lookup = calloc(1, sizeof *lookup);
    ASSERT(lookup);
    lookup->config = config;
    lookup->partitions = partitions;
    lookup->reader = redis_reader_create(base, &config->redis, problem);
    if (!lookup->reader) {
        free(lookup);
        return NULL;
    }
    return lookup;
}

void lookup_set_rules(struct lookup *lookup, struct rules *rules) {
    rules_release(lookup->rules);
    lookup->rules = rules_hold(rules);
}

void lookup_destroy(struct lookup *lookup) {
    if (lookup) {
        redis_reader_destroy(lookup->reader);
        rules_release(lookup->rules);
        free(lookup);
    }
}

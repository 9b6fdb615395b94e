/* What customers are worth. Nobody keeps it: it needs a look ahead for every customer, which would cost each event more than what it
 * is wanted for. So it is counted when somebody asks, from what is stored, a page of customers at a time and never more than
 * PAGE_PAUSE_MS allows; what was counted is told again while it is fresh, which is longer the longer the counting takes. So it
 * costs little of one processor while somebody looks, and nothing while nobody does.
 *
 * Who asks waits for the count, but not for longer than VALUE_PATIENCE_MS; then it is answered by what has been counted so far, or
 * by the count before. Each process counts for itself. */
#include "run/overview_parts.h"

#include "base/clock.h"
#include "run/value_count.h"
#include "state/customer_codec.h"
#include "state/cut_points_codec.h"

#include <event2/event.h>

enum {
    VALUE_PATIENCE_MS = 2000, /* how long an answer may take */
    VALUE_FRESH_MS = 5000,    /* a count is told again for at least so long ... */
    VALUE_FRESH_TIMES = 10,   /* ... and for so many times as long as it took */
    PAGE_CUSTOMERS = 500,     /* after so many ... */
    PAGE_PAUSE_MS = 20,       /* ... others have their turn: at most 25,000 customers a second */
};

/* One count. At any time it waits for one thing: an answer of Redis, or the pause. */
struct value_run {
    struct value_counting *counting; /* NULL: nobody wants it any more */
    struct rules *rules;             /* held */
    struct redis_reader *reader;
    struct value_count *count; /* NULL: tasks are asked for their clocks */
    struct model *model;       /* of the task being read */
    struct edition edition;    /* its */
    struct redis_scan scan;
    struct event *pause;
    int64_t clock_ms;
    int64_t begun_ms; /* monotonic */
    int32_t partitions;
    int32_t partition; /* being read */
    size_t unpaused;   /* customers since the last pause */
};

struct value_request {
    struct value_request *next;
    lookup_done_fn done;
    void *arg;
    int days;
};

struct value_counting {
    struct overview *overview;
    struct value_run *run;          /* NULL: none */
    struct value_count *whole;      /* the last one; NULL: none */
    struct rules *whole_rules;      /* held; by which it was counted */
    int64_t stale_ms;               /* monotonic: from when on it is */
    struct value_request *requests; /* in no order */
    struct event *patience;
};

/* ---- answering ---- */

static int write_count(const struct value_count *count, const struct rules *rules, double counted, int days,
                       struct buffer *out) {
    const struct value_overview overview = {
        .as_of_ms = count->as_of_ms,
        .counted = counted,
        .all = count->all,
        .tiers = count->tiers,
        .alerting = count->alerting,
        .zone = count->zone,
        .today = count->today,
        .days = count->days,
        .days_count = days,
    };
    return value_json_write(rules_config(rules)->model, &overview, out);
}

static double share_of(const struct value_run *run) {
    double buckets = (double)run->partition * STORE_BUCKETS + run->scan.bucket;
    return buckets / ((double)run->partitions * STORE_BUCKETS);
}

/* Answers everybody by the last whole count, or else by the one that is being made. */
static void answer(struct value_counting *counting, int error) {
    event_del(counting->patience);
    while (counting->requests) {
        struct value_request *request = counting->requests;
        struct buffer out = {0};
        int problem = error;
        counting->requests = request->next;
        if (!problem && counting->whole) {
            problem = write_count(counting->whole, counting->whole_rules, 1, request->days, &out);
        } else if (!problem && counting->run && counting->run->count) {
            problem =
                write_count(counting->run->count, counting->run->rules, share_of(counting->run), request->days, &out);
        } else if (!problem) {
            problem = ERR_UNAVAILABLE;
        }
        request->done(request->arg, problem, problem ? bytes_of(NULL, 0) : buffer_bytes(&out));
        buffer_finish(&out);
        free(request);
    }
}

static void on_patience(evutil_socket_t fd, short what, void *context) {
    (void)fd;
    (void)what;
    answer(context, 0);
}

/* ---- counting ---- */

static void run_free(struct value_run *run) {
    event_free(run->pause);
    value_count_destroy(run->count);
    model_copy_destroy(run->model);
    rules_release(run->rules);
    free(run);
}

static void forget_whole(struct value_counting *counting) {
    value_count_destroy(counting->whole);
    rules_release(counting->whole_rules);
    counting->whole = NULL;
    counting->whole_rules = NULL;
}

static void run_end(struct value_run *run, int error) {
    struct value_counting *counting = run->counting;
    if (counting) {
        counting->run = NULL;
        if (error) {
            forget_whole(counting); /* like the other questions, this one has no answer while Redis cannot be reached */
        } else {
            int64_t now_ms = clock_monotonic_ms();
            int64_t fresh_ms = VALUE_FRESH_TIMES * (now_ms - run->begun_ms);
            forget_whole(counting);
            counting->whole = run->count;
            counting->whole_rules = rules_hold(run->rules);
            counting->stale_ms = now_ms + (fresh_ms > VALUE_FRESH_MS ? fresh_ms : VALUE_FRESH_MS);
            run->count = NULL;
        }
        answer(counting, error);
    }
    run_free(run);
}

/* True: the run goes on. */
static bool goes_on(struct value_run *run, int error) {
    if (run->counting && !error) {
        return true;
    }
    run_end(run, error);
    return false;
}

static void read_task(struct value_run *run);
static void read_page(struct value_run *run);

static int count_page(struct value_run *run, const struct bytes *values, size_t count) {
    int error = 0;
    for (size_t i = 0; i + 1 < count && !error; i += 2) {
        struct customer *customer;
        error = values[i + 1].data ? customer_decode(values[i + 1], run->model, &customer) : ERR_INVALID;
        if (!error) {
            error = value_count_add(run->count, run->model, customer);
            customer_destroy(customer);
            run->unpaused++;
        }
    }
    return error;
}

static void on_page(void *arg, int error, const struct bytes *values, size_t count) {
    struct value_run *run = arg;
    if (!goes_on(run, error) || !goes_on(run, count_page(run, values, count))) {
        return;
    }
    if (run->unpaused >= PAGE_CUSTOMERS) {
        struct timeval pause = {0, PAGE_PAUSE_MS * 1000};
        run->unpaused = 0;
        event_add(run->pause, &pause);
    } else {
        read_page(run);
    }
}

static void read_page(struct value_run *run) {
    if (!run->scan.ended) {
        redis_reader_scan(run->reader, run->partition, &run->scan, on_page, run);
    } else {
        run->partition++;
        run->scan = (struct redis_scan){0};
        read_task(run);
    }
}

static void on_pause(evutil_socket_t fd, short what, void *context) {
    (void)fd;
    (void)what;
    read_page(context);
}

static void on_cuts(void *arg, int error, const struct bytes *values, size_t count) {
    struct value_run *run = arg;
    if (goes_on(run, error)) {
        if (count == 1 && values[0].data && cut_points_decode(values[0], run->model, &run->edition.cuts)) {
            run->edition.cuts = (struct cut_points){0}; /* of other rules than ours */
        }
        read_page(run);
    }
}

static void on_meta(void *arg, int error, const struct store_found *found) {
    struct value_run *run = arg;
    bool absent = error == ERR_NOT_FOUND; /* it has no customers either */
    if (goes_on(run, absent ? 0 : error)) {
        run->edition = (struct edition){.number = absent ? 0 : found->meta.edition,
                                        .since_ms = absent ? TIME_NONE : found->meta.edition_since_ms};
        if (model_ranked_count(run->model) > 0) {
            redis_reader_cuts(run->reader, run->partition, on_cuts, run);
        } else {
            read_page(run);
        }
    }
}

static void read_task(struct value_run *run) {
    if (run->partition < run->partitions) {
        redis_reader_meta(run->reader, run->partition, on_meta, run);
    } else {
        run_end(run, 0);
    }
}

static void begin(struct value_run *run) {
    const struct config *config = rules_config(run->rules);
    int64_t as_of_ms = config->clock_event && run->clock_ms != TIME_NONE ? run->clock_ms : clock_wall_ms();
    run->count = value_count_create(config->model, &config->zone, as_of_ms);
    ASSERT(run->count);
    run->partition = 0;
    read_task(run);
}

static void on_clock(void *arg, int error, const struct store_found *found) {
    struct value_run *run = arg;
    bool absent = error == ERR_NOT_FOUND;
    if (!goes_on(run, absent ? 0 : error)) {
        return;
    }
    run->clock_ms = !absent && found->meta.clock_ms > run->clock_ms ? found->meta.clock_ms : run->clock_ms;
    if (++run->partition < run->partitions) {
        redis_reader_meta(run->reader, run->partition, on_clock, run);
    } else {
        begin(run);
    }
}

static void run_begin(struct value_counting *counting) {
    struct overview *overview = counting->overview;
    struct value_run *run = calloc(1, sizeof *run);
    ASSERT(run);
    *run = (struct value_run){
        .counting = counting,
        .rules = rules_hold(overview->rules),
        .reader = overview->reader,
        .clock_ms = TIME_NONE,
        .begun_ms = clock_monotonic_ms(),
        .partitions = overview->partitions,
    };
    run->model = model_copy_for_task(rules_config(run->rules)->model);
    run->pause = event_new(overview->base, -1, 0, on_pause, run);
    ASSERT(run->model && run->pause);
    model_set_edition(run->model, &run->edition);
    counting->run = run;
    redis_reader_meta(run->reader, 0, on_clock, run);
}

/* Ends by itself when the answer comes that it waits for. */
static void run_give_up(struct value_counting *counting) {
    struct value_run *run = counting->run;
    if (run) {
        counting->run = NULL;
        run->counting = NULL;
        if (event_pending(run->pause, EV_TIMEOUT, NULL)) {
            run_free(run);
        }
    }
}

/* ---- asking ---- */

void overview_value(struct overview *overview, int days, lookup_done_fn done, void *arg) {
    struct value_counting *counting = overview->value;
    ASSERT(days >= 1 && days <= VALUE_DAYS_MAX);
    if (!counting) {
        counting = calloc(1, sizeof *counting);
        ASSERT(counting);
        overview->value = counting;
        counting->overview = overview;
        counting->patience = event_new(overview->base, -1, 0, on_patience, counting);
        ASSERT(counting->patience);
    }
    struct value_request *request = malloc(sizeof *request);
    ASSERT(request);
    *request = (struct value_request){counting->requests, done, arg, days};
    counting->requests = request;
    if (counting->whole && clock_monotonic_ms() < counting->stale_ms) {
        answer(counting, 0);
        return;
    }
    if (!event_pending(counting->patience, EV_TIMEOUT, NULL)) {
        struct timeval patience = {VALUE_PATIENCE_MS / 1000, VALUE_PATIENCE_MS % 1000 * 1000};
        event_add(counting->patience, &patience);
    }
    if (!counting->run) {
        run_begin(counting);
    }
}

void value_counting_begin_anew(struct value_counting *counting) {
    if (counting) {
        run_give_up(counting);
        forget_whole(counting);
        if (counting->requests) {
            run_begin(counting);
        }
    }
}

void value_counting_destroy(struct value_counting *counting) {
    if (counting) {
        run_give_up(counting);
        forget_whole(counting);
        answer(counting, ERR_UNAVAILABLE);
        event_free(counting->patience);
        free(counting);
    }
}

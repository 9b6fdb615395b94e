/* The store in Redis: one connection per task, state and fence as in ARCHITECTURE.md.
 *
 *     tm:{<group>.<partition>}:meta        hash    epoch, seq, offsets, output seq, clock, versions
 *     tm:{<group>.<partition>}:c:<bucket>  hash    customer id -> packed state; bucket = hash(id) mod 64
 *     tm:{<group>.<partition>}:due:<hour>  string  due entries, appended
 *     tm:{<group>.<partition>}:wheel       set     the hours that have a due string
 *     tm:{<group>.<partition>}:pop         hash    populations of tiers
 *     tm:{<group>.<partition>}:fb:<day>    hash    company-wide feedback of a day (since 1970), see run/company_feedback.h
 *     tm:{<group>.<partition>}:alerts      zset    <tier set>/<customer>, by value at risk: open alerts, see run/alerts.h
 *     tm:{<group>.<partition>}:ref         hash    <referrer>/customers, <referrer>/revenue: whom others have referred to us
 *     tm:{<group>.<partition>}:hist        hash    histograms of the scores that are cut by the customers: <score>/<bucket>
 *     tm:{<group>.<partition>}:cuts        string  the cut points in force; task 0's are those of all
 *     tm:{<group>.<partition>}:out         stream  outputs not yet known to be in Kafka; one field "r" with one or
 *                                                  more, each with a varint length; id <seq of the last>-0 */
#ifndef TIDEMARK_STATE_REDIS_STORE_H
#define TIDEMARK_STATE_REDIS_STORE_H

#include "state/store.h"

#include <stdatomic.h>

struct event_base;

enum redis_durability { DURABILITY_MEMORY, DURABILITY_FSYNC, DURABILITY_REPLICAS };

/* Where Redis is and how to speak to it; strings are borrowed for the life of every store made from it. */
struct redis_options {
    const char *url;       /* redis://[user:password@]host[:port][/db], rediss://..., unix://path[?db=n] */
    const char *username;  /* NULL: as in the url, or none */
    const char *password;  /* NULL: as in the url, or none */
    const char *ca_file;   /* rediss: NULL means the system's certificates */
    const char *cert_file; /* rediss: client certificate; NULL: none */
    const char *key_file;
    const char *key_prefix; /* "tm" */
    const char *group;
    const char *owner; /* of tasks that are taken over, for people to read; NULL: not told */
    enum redis_durability durability;
    int replicas;           /* with DURABILITY_REPLICAS */
    int connect_timeout_ms; /* default 5000 */
    int command_timeout_ms; /* default 10000: no answer within it means the connection is lost */
};

/* Shared by the stores of a process; for /metrics and /readyz. */
struct redis_health {
    atomic_int connected; /* stores with a working connection */
    atomic_int stores;    /* stores in all */
    atomic_int evicts;    /* 1: maxmemory-policy is not noeviction */
    _Atomic uint64_t reconnects;
    _Atomic uint64_t retries; /* batches sent again (busy, loading, out of memory, unknown outcome) */
};

/* A store for one task. NULL and a message in `problem` (of at least 256 bytes) when the options make no sense. */
struct store *redis_store_create(struct event_base *base, const struct redis_options *options,
                                 struct redis_health *health, int partition, char *problem);

/* Reads one customer's packed state (for get and the HTTP API); asynchronous, on its own connection. */
struct redis_reader;
struct redis_reader *redis_reader_create(struct event_base *base, const struct redis_options *options, char *problem);
void redis_reader_destroy(struct redis_reader *reader);
/* Answers every question that is open with ERR_UNAVAILABLE, for who asked and owns something until the answer. */
void redis_reader_give_up(struct redis_reader *reader);
/* done(error, values, count): 1 value; ERR_UNAVAILABLE when Redis cannot be reached. */
void redis_reader_customer(struct redis_reader *reader, int partition, struct bytes id, store_loaded_fn done,
                           void *arg);
/* Meta of a task as stored; error ERR_NOT_FOUND: none. done's found->outputs and wheel_hours are empty. */
void redis_reader_meta(struct redis_reader *reader, int partition, store_found_fn done, void *arg);
/* Where the reading of a task's customers stands; zeroed to start. */
struct redis_scan {
    int bucket;
    uint64_t cursor; /* Redis' own, in that bucket */
    bool ended;
};
/* The next customers of a task, some hundreds at a time, in no order: values alternate id, packed state. There may be none in one
 * answer though more follow: ask again until scan->ended. While workers write, a customer may come twice, but none that is there
 * from beginning to end is left out. `scan` is borrowed until the answer. */
void redis_reader_scan(struct redis_reader *reader, int partition, struct redis_scan *scan, store_loaded_fn done,
                       void *arg);
/* Every population counter of a task: values alternate field, decimal number. */
void redis_reader_populations(struct redis_reader *reader, int partition, store_loaded_fn done, void *arg);
/* The worst open alerts of a task, at most `limit`: values alternate "<tier set>/<customer>", value at risk. */
void redis_reader_alerts(struct redis_reader *reader, int partition, int limit, store_loaded_fn done, void *arg);
/* How many hours have customers due: one decimal number. */
void redis_reader_wheel(struct redis_reader *reader, int partition, store_loaded_fn done, void *arg);
/* What a referrer's customers of the task are and have spent in minor units: two decimal numbers, data NULL: 0. */
void redis_reader_influence(struct redis_reader *reader, int partition, struct bytes referrer, store_loaded_fn done,
                            void *arg);
/* The same of its histograms. */
void redis_reader_histograms(struct redis_reader *reader, int partition, store_loaded_fn done, void *arg);
/* The task's cut points, packed: 1 value, data NULL: none. */
void redis_reader_cuts(struct redis_reader *reader, int partition, store_loaded_fn done, void *arg);
/* Every counter of company-wide feedback of a task on a day, likewise. */
void redis_reader_feedback(struct redis_reader *reader, int partition, int32_t day, store_loaded_fn done, void *arg);

/* Redis' memory, as it told at the probe. */
struct redis_memory {
    int64_t used_bytes;
    int64_t limit_bytes; /* maxmemory; without one, what its machine has; 0: it did not tell */
};

/* Connects, authenticates, and checks what check and run must know: 0; ERR_UNAVAILABLE; ERR_REFUSED (evicts, or the wanted
 * durability is not there, or authentication failed). One clear line in `problem` (256 bytes). `memory` is set when Redis has
 * told it. Blocks up to the time-outs. */
int redis_probe(const struct redis_options *options, struct redis_memory *memory, char *problem) MUST_CHECK;

#endif

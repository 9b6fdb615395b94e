/* What the parts of the fake world share: an owner, and what it has on its way to Redis and Kafka.
 */
#ifndef TIDEMARK_TESTS_FAKE_PARTS_H
#define TIDEMARK_TESTS_FAKE_PARTS_H

#include "support/fake_world.h"

enum op_kind { OP_TAKE_OVER, OP_LOAD, OP_READ_SLOT, OP_SCAN, OP_HISTOGRAMS, OP_APPLY };

enum put_kind {
    PUT_CUSTOMER,
    PUT_DUE,
    PUT_DROP,
    PUT_POPULATION,
    PUT_HISTOGRAM,
    PUT_DROP_POPULATIONS,
    PUT_DROP_ALL,
    PUT_CUTS,
    PUT_ALERT,
    PUT_DROP_ALERT,
    PUT_INFLUENCE,
    PUT_FEEDBACK,
    PUT_DROP_FEEDBACK,
    PUT_OUTPUT
};

struct put {
    enum put_kind kind;
    struct bytes name;
    struct bytes value;
    int64_t number;
    int32_t day;
    struct put *next;
};

struct op { /* one call to the store on its way: first its effect, then its answer */
    struct op *next;
    enum op_kind kind;
    bool effected;
    int error;
    union {
        store_found_fn found;
        store_loaded_fn loaded;
        store_slot_fn slot;
        store_scanned_fn scanned;
        store_applied_fn applied;
    } done; /* by kind */
    void *arg;
    struct bytes *ids;
    size_t count;
    int64_t hour;
    size_t offset;
    struct put *puts;
    struct store_meta meta;
    struct bytes *values;
    struct bytes piece;
    bool last;              /* of a slot's pieces */
    struct fake_redis seen; /* by TAKE_OVER */
};

struct sent { /* one publication on its way */
    struct sent *next;
    struct publication publication;
    bool committed;
    sink_published_fn done;
    void *arg;
    sink_committed_fn ask; /* a question for committed offsets instead */
    struct sink_committed answer;
};

struct fake_owner {
    struct fake_world *world;
    uint64_t generation;
    uint64_t epoch;
    uint64_t seq;
    struct cache *cache;
    const struct task *turning;
    struct task *task;
    bool woken;
    struct op *ops; /* oldest first */
    struct put *puts;
    struct put *puts_last;
    struct sent *sents;
    int64_t position[INPUTS];
    int64_t revealed[INPUTS];
    struct record record[INPUTS];
    struct source source;
    struct sink sink;
};

/* Zeroed memory that lives as long as the world. */
void *fake_take(struct fake_world *world, size_t size);
/* The array with room for one more item of `size` bytes: itself, or a larger copy. */
void *fake_grown(struct fake_world *world, void *items, size_t count, size_t *capacity, size_t size);
struct bytes fake_copied(struct fake_world *world, struct bytes bytes);

/* The pair of this name: NULL if there is none; or a new one then. */
struct fake_pair *fake_map_find(const struct fake_map *map, struct bytes name);
struct fake_pair *fake_map_get(struct fake_world *world, struct fake_map *map, struct bytes name);
struct fake_map fake_map_copy(struct fake_world *world, const struct fake_map *map);

/* The ports of a task. */
void fake_histograms(void *owner, int32_t partition, store_loaded_fn done, void *arg);
struct store *fake_store_open(void *owner, int32_t partition);
extern const struct source_ops fake_source_ops;
extern const struct sink_ops fake_sink_ops;

/* A call to the store takes effect. */
void fake_op_effect(struct fake_owner *owner, struct op *op);
/* Only a write, and nobody is told. */
void fake_op_ghost(struct fake_owner *owner, struct op *op);
/* Its answer arrives. */
void fake_op_answer(struct fake_owner *owner, struct op *op);
/* One step of the owner's oldest call, which is there: its effect, or then its answer. */
void fake_op_step(struct fake_owner *owner);
/* One step of the sink: the effect of the oldest publication or question, or its answer. A
 * publication of an owner that the group has left behind has no effect and no answer. */
bool fake_sink_step(struct fake_owner *owner);

#endif

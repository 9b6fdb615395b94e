#include "support/fake_world.h"

#include "base/mutation.h"
#include "run/wheel.h"

#include <stdio.h>
#include <stdlib.h>

enum { WORLD_BYTES_MAX = 256 << 20, REVEAL_MAX = 4 };

enum op_kind { OP_TAKE_OVER, OP_LOAD, OP_READ_SLOT, OP_APPLY };

struct put {
    enum { PUT_CUSTOMER, PUT_DUE, PUT_DROP, PUT_POPULATION, PUT_OUTPUT } kind;
    struct bytes name;
    struct bytes value;
    int64_t number;
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

static void *take(struct fake_world *world, size_t size) {
    void *memory = arena_alloc_zero(&world->arena, size);
    ASSERT(memory);
    return memory;
}

static struct bytes copied(struct fake_world *world, struct bytes bytes) {
    return bytes.data ? arena_copy(&world->arena, bytes) : bytes;
}

/* ---- Redis ---- */

static struct fake_pair *map_find(const struct fake_map *map, struct bytes name) {
    for (size_t i = 0; i < map->count; i++) {
        if (bytes_equal(map->pairs[i].name, name)) {
            return &map->pairs[i];
        }
    }
    return NULL;
}

static struct fake_pair *map_get(struct fake_world *world, struct fake_map *map,
                                 struct bytes name) {
    struct fake_pair *pair = map_find(map, name);
    if (pair) {
        return pair;
    }
    if (map->count == map->capacity) {
        size_t capacity = map->capacity ? map->capacity * 2 : 16;
        struct fake_pair *pairs = take(world, capacity * sizeof *pairs);
        if (map->count) {
            memcpy(pairs, map->pairs, map->count * sizeof *pairs);
        }
        map->pairs = pairs;
        map->capacity = capacity;
    }
    pair = &map->pairs[map->count++];
    *pair = (struct fake_pair){.name = copied(world, name)};
    return pair;
}

static struct bytes hour_name(const int64_t *hour) {
    return bytes_of((const char *)hour, sizeof *hour);
}

static struct fake_map map_copy(struct fake_world *world, const struct fake_map *map) {
    struct fake_map copy = {take(world, (map->count + 1) * sizeof *copy.pairs), map->count,
                            map->count};
    if (map->count) {
        memcpy(copy.pairs, map->pairs, map->count * sizeof *copy.pairs);
    }
    return copy;
}

struct fake_redis fake_redis_snapshot(struct fake_world *world) {
    struct fake_redis copy = world->redis;
    copy.customers = map_copy(world, &world->redis.customers);
    copy.slots = map_copy(world, &world->redis.slots);
    copy.populations = map_copy(world, &world->redis.populations);
    copy.outbox = take(world, (world->redis.outbox_count + 1) * sizeof *copy.outbox);
    if (copy.outbox_count) {
        memcpy(copy.outbox, world->redis.outbox, copy.outbox_count * sizeof *copy.outbox);
    }
    copy.outbox_capacity = copy.outbox_count;
    return copy;
}

static void redis_put(struct fake_world *world, const struct put *put) {
    struct fake_redis *redis = &world->redis;
    struct fake_pair *pair;
    struct buffer joined = {0};
    switch (put->kind) {
    case PUT_CUSTOMER:
        map_get(world, &redis->customers, put->name)->value = put->value;
        break;
    case PUT_DUE:
        pair = map_get(world, &redis->slots, hour_name(&put->number));
        buffer_put_bytes(&joined, pair->value);
        buffer_put_bytes(&joined, put->value);
        pair->value = copied(world, buffer_bytes(&joined));
        break;
    case PUT_DROP:
        pair = map_find(&redis->slots, hour_name(&put->number));
        if (pair) {
            *pair = redis->slots.pairs[--redis->slots.count];
        }
        break;
    case PUT_POPULATION:
        map_get(world, &redis->populations, put->name)->number += put->number;
        break;
    case PUT_OUTPUT:
        if (redis->outbox_count == redis->outbox_capacity) {
            size_t capacity = redis->outbox_capacity ? redis->outbox_capacity * 2 : 16;
            struct stored_output *outbox = take(world, capacity * sizeof *outbox);
            if (redis->outbox_count) {
                memcpy(outbox, redis->outbox, redis->outbox_count * sizeof *outbox);
            }
            redis->outbox = outbox;
            redis->outbox_capacity = capacity;
        }
        redis->outbox[redis->outbox_count++] =
            (struct stored_output){(uint64_t)put->number, put->value};
        break;
    }
    buffer_finish(&joined);
}

static void redis_trim(struct fake_redis *redis, uint64_t through) {
    size_t kept = 0;
    for (size_t i = 0; i < redis->outbox_count; i++) {
        if (redis->outbox[i].seq > through) {
            redis->outbox[kept++] = redis->outbox[i];
        }
    }
    redis->outbox_count = kept;
}

static int redis_apply(struct fake_owner *owner, struct op *op) {
    struct fake_redis *redis = &owner->world->redis;
    if (!MUTATED(NO_CAS) && redis->meta.epoch != op->meta.epoch) {
        return ERR_FENCED;
    }
    if (!MUTATED(NO_CAS) && redis->meta.seq + 1 != op->meta.seq) {
        return ERR_REWOUND;
    }
    for (const struct put *put = op->puts; put; put = put->next) {
        redis_put(owner->world, put);
    }
    redis->meta = op->meta;
    redis->present = true;
    redis_trim(redis, op->meta.published_seq);
    return 0;
}

static void op_effect(struct fake_owner *owner, struct op *op) {
    struct fake_world *world = owner->world;
    struct fake_redis *redis = &world->redis;
    op->effected = true;
    bool ours = redis->meta.epoch == owner->epoch;
    switch (op->kind) {
    case OP_TAKE_OVER:
        redis->meta.epoch++;
        owner->epoch = redis->meta.epoch;
        owner->seq = redis->meta.seq;
        op->seen = fake_redis_snapshot(world);
        break;
    case OP_LOAD:
        op->error = ours ? 0 : ERR_FENCED;
        op->values = take(world, (op->count + 1) * sizeof *op->values);
        for (size_t i = 0; i < op->count; i++) {
            const struct fake_pair *pair = map_find(&redis->customers, op->ids[i]);
            op->values[i] = pair ? pair->value : (struct bytes){NULL, 0};
        }
        break;
    case OP_READ_SLOT: {
        op->error = ours ? 0 : ERR_FENCED;
        const struct fake_pair *pair = map_find(&redis->slots, hour_name(&op->hour));
        op->piece = pair && pair->value.size > op->offset
                        ? bytes_of(pair->value.data + op->offset, pair->value.size - op->offset)
                        : bytes_of("", 0);
        break;
    }
    case OP_APPLY:
        op->error = redis_apply(owner, op);
        break;
    }
}

static void op_answer(struct fake_owner *owner, struct op *op) {
    struct fake_world *world = owner->world;
    struct store_found found = {0};
    switch (op->kind) {
    case OP_TAKE_OVER:
        found.absent = !op->seen.present;
        found.meta = op->seen.meta;
        found.outputs = op->seen.outbox;
        found.outputs_count = op->seen.outbox_count;
        int64_t *hours = take(world, (op->seen.slots.count + 1) * sizeof *hours);
        for (size_t i = 0; i < op->seen.slots.count; i++) {
            memcpy(&hours[i], op->seen.slots.pairs[i].name.data, sizeof *hours);
        }
        found.wheel_hours = hours;
        found.wheel_hours_count = op->seen.slots.count;
        op->done.found(op->arg, 0, &found);
        break;
    case OP_LOAD:
        op->done.loaded(op->arg, op->error, op->values, op->count);
        break;
    case OP_READ_SLOT:
        op->done.slot(op->arg, op->error, op->piece, true);
        break;
    case OP_APPLY:
        op->done.applied(op->arg, op->error);
        break;
    }
}

/* ---- the store's port ---- */

static struct op *op_send(struct fake_owner *owner, enum op_kind kind, void *arg) {
    struct op *op = take(owner->world, sizeof *op);
    op->kind = kind;
    op->arg = arg;
    struct op **link = &owner->ops;
    while (*link) {
        link = &(*link)->next;
    }
    *link = op;
    return op;
}

static void store_take_over(void *context, store_found_fn done, void *arg) {
    op_send(context, OP_TAKE_OVER, arg)->done.found = done;
}

static void store_load(void *context, const struct bytes *ids, size_t count, store_loaded_fn done,
                       void *arg) {
    struct fake_owner *owner = context;
    struct op *op = op_send(owner, OP_LOAD, arg);
    op->done.loaded = done;
    op->ids = take(owner->world, count * sizeof *ids);
    op->count = count;
    for (size_t i = 0; i < count; i++) {
        op->ids[i] = copied(owner->world, ids[i]);
    }
}

static void store_read_slot(void *context, int64_t hour, size_t offset, store_slot_fn done,
                            void *arg) {
    struct op *op = op_send(context, OP_READ_SLOT, arg);
    op->done.slot = done;
    op->hour = hour;
    op->offset = offset;
}

static struct put *put_new(struct fake_owner *owner, int kind) {
    struct put *put = take(owner->world, sizeof *put);
    put->kind = kind;
    if (owner->puts_last) {
        owner->puts_last->next = put;
    } else {
        owner->puts = put;
    }
    owner->puts_last = put;
    return put;
}

static void store_put_customer(void *context, struct bytes id, struct bytes packed) {
    struct fake_owner *owner = context;
    struct put *put = put_new(owner, PUT_CUSTOMER);
    put->name = copied(owner->world, id);
    put->value = copied(owner->world, packed);
}

static void store_put_due(void *context, int64_t hour, struct bytes entries) {
    struct fake_owner *owner = context;
    struct put *put = put_new(owner, PUT_DUE);
    put->number = hour;
    put->value = copied(owner->world, entries);
}

static void store_drop_slot(void *context, int64_t hour) {
    put_new(context, PUT_DROP)->number = hour;
}

static void store_add_population(void *context, struct bytes field, int64_t delta) {
    struct fake_owner *owner = context;
    struct put *put = put_new(owner, PUT_POPULATION);
    put->name = copied(owner->world, field);
    put->number = delta;
}

static void store_put_output(void *context, uint64_t seq, struct bytes record) {
    struct fake_owner *owner = context;
    struct put *put = put_new(owner, PUT_OUTPUT);
    put->number = (int64_t)seq;
    put->value = copied(owner->world, record);
}

static void store_apply(void *context, const struct store_meta *meta, store_applied_fn done,
                        void *arg) {
    struct fake_owner *owner = context;
    struct op *op = op_send(owner, OP_APPLY, arg);
    op->done.applied = done;
    op->puts = owner->puts;
    owner->puts = owner->puts_last = NULL;
    op->meta = *meta;
    op->meta.epoch = owner->epoch;
    op->meta.seq = ++owner->seq;
}

static void store_destroy(void *context) {
    struct fake_owner *owner = context;
    owner->ops = NULL; /* a task that drops its store is told nothing more; ghosts are kept by
                          fake_owner_crash */
    owner->puts = owner->puts_last = NULL;
}

static struct store *store_open(void *context, int32_t partition) {
    static const struct store_ops ops = {
        .take_over = store_take_over,
        .load = store_load,
        .read_slot = store_read_slot,
        .put_customer = store_put_customer,
        .put_due = store_put_due,
        .drop_slot = store_drop_slot,
        .add_population = store_add_population,
        .put_output = store_put_output,
        .apply = store_apply,
        .destroy = store_destroy,
    };
    struct fake_owner *owner = context;
    (void)partition;
    struct store *store = take(owner->world, sizeof *store);
    *store = (struct store){owner, &ops};
    return store;
}

/* ---- the source's port ---- */

static void source_start(void *context, const int64_t next_offset[INPUTS]) {
    struct fake_owner *owner = context;
    for (int input = 0; input < INPUTS; input++) {
        owner->position[input] = next_offset[input] == OFFSET_NONE ? 0 : next_offset[input];
        owner->revealed[input] = owner->position[input];
    }
}

static const struct record *source_peek(void *context, enum input input) {
    struct fake_owner *owner = context;
    if (owner->position[input] >= owner->revealed[input]) {
        return NULL;
    }
    const struct fake_record *from = &owner->world->records[input][owner->position[input]];
    owner->record[input] = (struct record){.input = input,
                                           .offset = owner->position[input],
                                           .timestamp_ms = from->timestamp_ms,
                                           .key = from->key,
                                           .value = from->value};
    return &owner->record[input];
}

static void source_release(void *context, enum input input) {
    struct fake_owner *owner = context;
    owner->position[input]++;
}

static size_t source_headers(void *context, const struct record *record, struct arena *arena,
                             const struct header **out) {
    (void)context;
    (void)record;
    (void)arena;
    *out = NULL;
    return 0;
}

static enum source_end source_end(void *context, enum input input) {
    const struct fake_owner *owner = context;
    return owner->position[input] < (int64_t)owner->world->records_count[input] ? SOURCE_MORE
                                                                                : SOURCE_AT_END;
}

static int64_t source_confirmed_ms(void *context) {
    (void)context;
    return TIME_NONE;
}

static const char *source_problem(void *context) {
    (void)context;
    return NULL;
}

/* ---- the sink's port ---- */

static struct sent *sent_new(struct fake_owner *owner) {
    struct sent *sent = take(owner->world, sizeof *sent);
    struct sent **link = &owner->sents;
    while (*link) {
        link = &(*link)->next;
    }
    *link = sent;
    return sent;
}

static void sink_committed(void *context, int32_t task, sink_committed_fn done, void *arg) {
    struct sent *sent = sent_new(context);
    (void)task;
    sent->ask = done;
    sent->arg = arg;
}

static void sink_publish(void *context, struct publication *publication, bool urgent,
                         sink_published_fn done, void *arg) {
    struct fake_owner *owner = context;
    struct sent *sent = sent_new(owner);
    (void)urgent;
    sent->publication = *publication;
    struct bytes outputs = copied(owner->world, buffer_bytes(&publication->outputs));
    buffer_finish(&publication->outputs);
    sent->publication.outputs = (struct buffer){
        .data = (char *)(uintptr_t)outputs.data, .size = outputs.size, .capacity = outputs.size};
    sent->done = done;
    sent->arg = arg;
}

static void sink_abandon(void *context, int32_t task) {
    struct fake_owner *owner = context;
    (void)task;
    owner->sents = NULL;
}

static void commit(struct fake_world *world, const struct publication *publication) {
    struct cursor in = cursor_of(buffer_bytes(&publication->outputs));
    while (cursor_left(&in) > 0) {
        if (world->outputs_count == world->outputs_capacity) {
            size_t capacity = world->outputs_capacity ? world->outputs_capacity * 2 : 64;
            struct bytes *outputs = take(world, capacity * sizeof *outputs);
            if (world->outputs_count) {
                memcpy(outputs, world->outputs, world->outputs_count * sizeof *outputs);
            }
            world->outputs = outputs;
            world->outputs_capacity = capacity;
        }
        world->outputs[world->outputs_count++] = cursor_sized(&in);
    }
    for (int input = 0; input < INPUTS; input++) {
        if (publication->next_offset[input] != OFFSET_NONE) {
            ASSERT(publication->next_offset[input] >=
                   world->committed[input]); /* what is committed never goes back */
            world->committed[input] = publication->next_offset[input];
            memcpy(world->marks[input], publication->mark, sizeof world->marks[input]);
        }
    }
}

/* One step of the sink: the effect of the oldest publication or question, or its answer. A
 * publication of an owner that the group has left behind has no effect and no answer. */
static bool sink_step(struct fake_owner *owner) {
    struct fake_world *world = owner->world;
    struct sent *sent = owner->sents;
    if (!sent) {
        return false;
    }
    if (!sent->committed) {
        if (sent->ask) {
            for (int input = 0; input < INPUTS; input++) {
                sent->answer.offset[input] = world->committed[input];
                sent->answer.mark[input] = copied(world, bytes_of_text(world->marks[input]));
            }
        } else if (owner->generation != world->generation) {
            return false;
        } else {
            commit(world, &sent->publication);
        }
        sent->committed = true;
        return true;
    }
    owner->sents = sent->next;
    if (sent->ask) {
        sent->ask(sent->arg, 0, &sent->answer);
    } else {
        sent->done(sent->arg, sent->publication.through_seq);
    }
    return true;
}

/* ---- owners ---- */

static int64_t owner_now_ms(void *context) {
    const struct fake_owner *owner = context;
    return owner->world->now_ms;
}

static void owner_wake(void *context) {
    struct fake_owner *owner = context;
    owner->woken = true;
}

void fake_world_init(struct fake_world *world, const struct task_options *options) {
    *world = (struct fake_world){.options = *options, .model = options->model, .now_ms = 1};
    arena_init(&world->arena, WORLD_BYTES_MAX);
    for (int input = 0; input < INPUTS; input++) {
        world->committed[input] = OFFSET_NONE;
    }
}

void fake_world_finish(struct fake_world *world) {
    arena_finish(&world->arena);
}

void fake_world_add(struct fake_world *world, enum input input, int64_t timestamp_ms,
                    struct bytes key, struct bytes value) {
    size_t count = world->records_count[input];
    if ((count & (count + 1)) == 0) { /* full at 0, 1, 3, 7, ... */
        struct fake_record *records = take(world, (2 * count + 1) * sizeof *records);
        if (count) {
            memcpy(records, world->records[input], count * sizeof *records);
        }
        world->records[input] = records;
    }
    world->records[input][world->records_count[input]++] =
        (struct fake_record){timestamp_ms, copied(world, key), copied(world, value)};
}

struct fake_owner *fake_owner_start(struct fake_world *world) {
    static const struct source_ops source_ops = {source_start,   source_peek, source_release,
                                                 source_headers, source_end,  source_confirmed_ms,
                                                 source_problem};
    static const struct sink_ops sink_ops = {sink_committed, sink_publish, sink_abandon};
    struct fake_owner *owner = take(world, sizeof *owner);
    owner->world = world;
    owner->generation = ++world->generation;
    owner->cache = cache_create(
        1); /* nothing stays that is not pinned: every customer is loaded again and again */
    struct task_ports ports = {
        .source = {owner, &source_ops},
        .sink = {owner, &sink_ops},
        .open_store = store_open,
        .open_store_context = owner,
        .cache = owner->cache,
        .wall_ms = owner_now_ms,
        .monotonic_ms = owner_now_ms,
        .time_context = owner,
        .wake = owner_wake,
        .wake_context = owner,
    };
    owner->task = task_create(&world->options, &ports);
    ASSERT(owner->task);
    return owner;
}

void fake_owner_crash(struct fake_owner *owner) {
    struct op *ghosts = owner->ops;
    task_destroy(owner->task);
    cache_destroy(owner->cache);
    owner->task = NULL;
    owner->ops = ghosts;
}

struct task *fake_owner_task(struct fake_owner *owner) {
    return owner->task;
}

bool fake_owner_step(struct fake_owner *owner, enum fake_step step) {
    struct op *op = owner->ops;
    bool revealed = false;
    switch (step) {
    case FAKE_PUMP:
        owner->woken = false;
        return task_pump(owner->task) || owner->woken;
    case FAKE_STORE:
        if (op && !op->effected) {
            op_effect(owner, op);
        } else if (op) {
            owner->ops = op->next;
            op_answer(owner, op);
        }
        return op != NULL;
    case FAKE_SINK:
        return sink_step(owner);
    case FAKE_REVEAL:
        for (int input = 0; input < INPUTS; input++) {
            int64_t left = (int64_t)owner->world->records_count[input] - owner->revealed[input];
            int64_t more = left < REVEAL_MAX ? left : REVEAL_MAX;
            if (more > 0 && !revealed) {
                owner->revealed[input] += more;
                revealed = true;
            }
        }
        return revealed;
    case FAKE_STEPS:
        break;
    }
    return false;
}

bool fake_owner_step_ghost(struct fake_owner *owner) {
    struct op *op = owner->ops;
    if (!op) {
        return false;
    }
    owner->ops = op->next;
    if (!op->effected && op->kind == OP_APPLY) {
        (void)redis_apply(owner, op);
    }
    return true;
}

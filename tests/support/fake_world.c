#include "support/fake_parts.h"

enum { WORLD_BYTES_MAX = 256 << 20, REVEAL_MAX = 4, ITEMS_FIRST = 16 };

void *fake_take(struct fake_world *world, size_t size) {
    void *memory = arena_alloc_zero(&world->arena, size);
    ASSERT(memory);
    return memory;
}

void *fake_grown(struct fake_world *world, void *items, size_t count, size_t *capacity, size_t size) {
    if (count < *capacity) {
        return items;
    }
    *capacity = *capacity ? *capacity * 2 : ITEMS_FIRST;
    void *more = fake_take(world, *capacity * size);
    if (count) {
        memcpy(more, items, count * size);
    }
    return more;
}

struct bytes fake_copied(struct fake_world *world, struct bytes bytes) {
    return bytes.data ? arena_copy(&world->arena, bytes) : bytes;
}

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

void fake_world_add(struct fake_world *world, enum input input, int64_t timestamp_ms, struct bytes key,
                    struct bytes value) {
    size_t count = world->records_count[input];
    if ((count & (count + 1)) == 0) { /* full at 0, 1, 3, 7, ... */
        struct fake_record *records = fake_take(world, (2 * count + 1) * sizeof *records);
        if (count) {
            memcpy(records, world->records[input], count * sizeof *records);
        }
        world->records[input] = records;
    }
    world->records[input][world->records_count[input]++] =
        (struct fake_record){timestamp_ms, fake_copied(world, key), fake_copied(world, value)};
}

struct fake_owner *fake_owner_start(struct fake_world *world) {
    struct fake_owner *owner = fake_take(world, sizeof *owner);
    owner->world = world;
    owner->generation = ++world->generation;
    /* Nothing stays that is not pinned: every customer is loaded again and again. */
    owner->cache = cache_create(1);
    struct task_ports ports = {
        .source = {owner, &fake_source_ops},
        .sink = {owner, &fake_sink_ops},
        .open_store = fake_store_open,
        .open_store_context = owner,
        .population = {owner, world->exchanges ? fake_histograms : NULL, NULL},
        .cache = owner->cache,
        .turning = &owner->turning,
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
    ASSERT(!owner->turning); /* or no other task of its worker would ever evaluate who is silent */
    cache_destroy(owner->cache);
    owner->task = NULL;
    owner->ops = ghosts;
}

struct task *fake_owner_task(struct fake_owner *owner) {
    return owner->task;
}

/* Shows a few more records of an input. */
static bool reveal(struct fake_owner *owner, int input) {
    int64_t left = (int64_t)owner->world->records_count[input] - owner->revealed[input];
    owner->revealed[input] += left < REVEAL_MAX ? left : REVEAL_MAX;
    return left > 0;
}

static bool pump(struct fake_owner *owner) {
    owner->woken = false;
    return task_pump(owner->task) || owner->woken;
}

/* If its own does not turn. */
static bool pump_beside(struct fake_owner *owner) {
    static const char another;
    if (owner->turning) {
        return false;
    }
    owner->turning = (const void *)&another;
    bool more = pump(owner);
    ASSERT(owner->turning == (const void *)&another);
    owner->turning = NULL;
    return more;
}

bool fake_owner_step(struct fake_owner *owner, enum fake_step step) {
    switch ((int)step) {
    case FAKE_PUMP:
        return pump(owner);
    case FAKE_PUMP_BESIDE:
        return pump_beside(owner);
    case FAKE_STORE:
        if (!owner->ops) {
            return false;
        }
        fake_op_step(owner);
        return true;
    case FAKE_SINK:
        return fake_sink_step(owner);
    default:
        return reveal(owner, (int)step - FAKE_REVEAL);
    }
}

bool fake_owner_step_ghost(struct fake_owner *owner) {
    struct op *op = owner->ops;
    if (!op) {
        return false;
    }
    owner->ops = op->next;
    fake_op_ghost(owner, op);
    return true;
}

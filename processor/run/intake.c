/* Intake: records and due customers become items, in the one order in which they will be scored. */
#include "run/task_parts.h"

#include "base/array.h"
#include "base/log.h"
#include "publish/output.h"
#include "run/customer_hash.h"
#include "state/customer_codec.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    CHUNK_BYTES_MAX = 16 << 20, /* TASK_TAKE_BYTES_MAX and one record of the largest size, decoded */
    CHUNKS_KEPT = 4,            /* unused chunks kept for the next pass */
    WANTED_FIRST = 256,
    DUE_WAITING_MAX = 1024, /* due customers, so that what is live does not wait behind a full hour */
};

struct load { /* one outstanding request for customers */
    struct task *task;
    struct load *next;
    size_t count;
    struct cache_entry *entries[]; /* pinned */
};

int intake_init(struct task *task) {
    task->items.capacity = task->options.pending_max ? task->options.pending_max : TASK_PENDING_MAX;
    task->items.ring = calloc(task->items.capacity, sizeof *task->items.ring);
    return task->items.ring ? 0 : ERR_NO_MEMORY;
}

static void chunk_destroy(struct chunk *chunk) {
    arena_finish(&chunk->arena);
    free(chunk);
}

static struct chunk *chunk_take(struct task *task) {
    struct chunk *chunk = task->chunks;
    if (chunk) {
        task->chunks = chunk->next;
        return chunk;
    }
    chunk = calloc(1, sizeof *chunk);
    ASSERT(chunk);
    arena_init(&chunk->arena, CHUNK_BYTES_MAX);
    return chunk;
}

static void chunk_release(struct task *task, struct chunk *chunk) {
    size_t kept = 0;
    for (const struct chunk *unused = task->chunks; unused; unused = unused->next) {
        kept++;
    }
    if (kept >= CHUNKS_KEPT) {
        chunk_destroy(chunk);
        return;
    }
    arena_reset(&chunk->arena);
    chunk->next = task->chunks;
    task->chunks = chunk;
}

void intake_finish(struct task *task) {
    intake_clear(task);
    intake_forget_loads(task);
    while (task->chunks) {
        struct chunk *next = task->chunks->next;
        chunk_destroy(task->chunks);
        task->chunks = next;
    }
    free(task->items.ring);
    free(task->wanted);
}

static bool is_of_wheel(enum item_kind kind) {
    return kind == ITEM_DUE || kind == ITEM_FIRED;
}

void intake_pop(struct task *task) {
    struct items *items = &task->items;
    struct item *item = items_head(items);
    if (item->entry) {
        cache_unpin(task->ports.cache, item->entry);
    }
    if (item->chunk && --item->chunk->items == 0) {
        chunk_release(task, item->chunk);
    }
    items->due_count -= is_of_wheel(item->kind);
    items->head = (items->head + 1) % items->capacity;
    items->count--;
}

void intake_clear(struct task *task) {
    while (task->items.count > 0) {
        intake_pop(task);
    }
}

void intake_forget_loads(struct task *task) {
    while (task->loads) {
        struct load *load = task->loads;
        task->loads = load->next;
        for (size_t i = 0; i < load->count; i++) {
            cache_unpin(task->ports.cache, load->entries[i]);
        }
        free(load);
    }
    task->wanted_count = 0;
}

static struct item *push(struct task *task, enum item_kind kind, struct chunk *chunk) {
    struct items *items = &task->items;
    ASSERT(items->count < items->capacity);
    struct item *item = &items->ring[(items->head + items->count++) % items->capacity];
    *item = (struct item){.kind = kind, .clock_ms = task->take_clock_ms, .chunk = chunk};
    if (chunk) {
        chunk->items++;
    }
    items->due_count += is_of_wheel(kind);
    return item;
}

struct item *intake_push(struct task *task, enum item_kind kind) {
    return push(task, kind, NULL);
}

static struct cache_entry *want(struct task *task, struct bytes id, uint64_t hash) {
    struct cache_entry *entry = cache_get(task->ports.cache, task->options.partition, id, hash);
    ASSERT(entry);
    cache_pin(entry);
    if (entry->state != CACHE_EMPTY) {
        task->cache_hits++;
        return entry;
    }
    task->wanted = array_grown(task->wanted, &task->wanted_capacity, task->wanted_count, sizeof(struct cache_entry *),
                               WANTED_FIRST);
    entry->state = CACHE_LOADING;
    task->wanted[task->wanted_count++] = entry;
    return entry;
}

/* The customer's cache entry, pinned for an item; asked from the store at the end of the pass if it is new. */
struct cache_entry *intake_want(struct task *task, struct bytes id) {
    return want(task, id, bytes_hash(id));
}

/* The entries of the activities taken in this pass, from the item `first` on: memory is asked for some while others are looked up. */
static void want_taken(struct task *task, size_t first) {
    enum { AHEAD = 8 };
    const struct items *items = &task->items;
    for (size_t i = first; i < items->count; i++) {
        struct item *item = items_at(items, i);
        if (i + AHEAD < items->count) {
            cache_prefetch_entry(task->ports.cache, task->options.partition, items_at(items, i + AHEAD)->hash);
        }
        if (item->kind == ITEM_ACTIVITY) {
            item->entry = want(task, item->activity->customer_id, item->hash);
        }
    }
}

static void log_unreadable(const struct task *task, struct bytes id) {
    char hash[CUSTOMER_HASH_BYTES];
    char shown[CUSTOMER_ID_BYTES_MAX + 1];
    size_t size = id.size < sizeof shown ? id.size : sizeof shown - 1;
    for (size_t i = 0; i < size; i++) {
        shown[i] = id.data[i] == '"' ? '\'' : id.data[i]; /* a producer's text: it must not end its field */
    }
    customer_hash(id, hash);
    log_error("could not read the stored state of a customer", "task=%" PRId32 " customer_hash=%s",
              task->options.partition, hash);
    log_debug("could not read the stored state of a customer", "task=%" PRId32 " customer_hash=%s customer=\"%.*s\"",
              task->options.partition, hash, (int)size, shown);
}

static void loaded(void *arg, int error, const struct bytes *values, size_t count) {
    struct load *load = arg;
    struct task *task = load->task;
    struct load **link = &task->loads;
    while (*link != load) {
        link = &(*link)->next;
    }
    *link = load->next;
    for (size_t i = 0; i < load->count; i++) {
        struct cache_entry *entry = load->entries[i];
        if (!error && i < count) {
            if (values[i].data) {
                error = customer_decode(values[i], task->options.model, &entry->customer);
            } else {
                entry->customer = customer_create(task->options.model);
                ASSERT(entry->customer);
            }
        }
        if (error && error != ERR_FENCED && error != ERR_REWOUND) {
            log_unreadable(task, cache_entry_id(entry));
            task_refuse(task, "the stored state of a customer cannot be read by this version");
        }
        task->store_error = error ? error : task->store_error;
        if (!error) {
            entry->state = CACHE_READY;
            cache_resize(task->ports.cache, entry);
        }
        cache_unpin(task->ports.cache, entry);
    }
    free(load);
    task_wake(task);
}

/* Asks the store for every entry wanted in this pass, in one request. */
static void send_wanted(struct task *task) {
    size_t count = task->wanted_count;
    metric_add(task->metrics->cache_hits, task->cache_hits); /* once a pass: workers share the counters */
    metric_add(task->metrics->cache_misses, count);
    task->cache_hits = 0;
    if (count == 0) {
        return;
    }
    struct load *load = malloc(sizeof *load + count * sizeof(struct cache_entry *));
    struct bytes *ids = malloc(count * sizeof *ids);
    ASSERT(load && ids);
    *load = (struct load){.task = task, .next = task->loads, .count = count};
    task->loads = load;
    for (size_t i = 0; i < count; i++) {
        load->entries[i] = task->wanted[i];
        cache_pin(load->entries[i]);
        ids[i] = cache_entry_id(load->entries[i]);
    }
    task->wanted_count = 0;
    task->store->ops->load(task->store->context, ids, count, loaded, load);
    free(ids);
}

static void push_dead(struct task *task, struct chunk *chunk, const struct record *record, const struct header *headers,
                      size_t headers_count, enum dead_reason reason, const char *detail) {
    struct output output;
    int error = encode_dead_letter(&task->options.encoder, record, bytes_of_text(task->options.topics[record->input]),
                                   headers, headers_count, dead_reason_text(reason), detail, &chunk->arena, &output);
    ASSERT(!error);
    output.caused_ms = record->timestamp_ms;
    struct item *item = push(task, ITEM_DEAD, chunk);
    item->dead = arena_copy(&chunk->arena, batch_pack(task, &output));
    ASSERT(item->dead.data);
    item->input = record->input;
    item->offset = record->offset;
    item->record_ms = record->timestamp_ms;
    item->reason = reason;
}

static enum dead_reason decode(struct task *task, struct chunk *chunk, const struct record *record,
                               const struct header *headers, size_t headers_count, int64_t wall_ms,
                               struct activity *activity, char *detail) {
    int64_t reference_ms = task->options.clock_event ? record->timestamp_ms : wall_ms;
    return decode_record(&task->options.decoder, record, headers, headers_count, reference_ms, &chunk->arena, activity,
                         detail);
}

/* True when the record must not be scored because it is in another partition than its key belongs to. */
static bool misrouted(struct task *task, const struct record *record, char *detail) {
    static const char text[] = "the key does not hash to this partition";
    bool astray = record->key.data && partition_of(task->options.partitioner, record->key, task->options.partitions) !=
                                          task->options.partition;
    if (astray) {
        metric_add(task->metrics->misrouted, 1);
    }
    if (astray && task->options.misrouted_reject && detail[0] == '\0') {
        memcpy(detail, text, sizeof text);
        return true;
    }
    return false;
}

/* Moves the task clock to a record's timestamp; a timestamp in the future must not, or it would fire what is not due. */
static void move_clock(struct task *task, int64_t record_ms, int64_t wall_ms) {
    int64_t clock_ms = !task->options.clock_event && record_ms > wall_ms ? wall_ms : record_ms;
    task->take_clock_ms = clock_ms > task->take_clock_ms ? clock_ms : task->take_clock_ms;
}

/* A source takes its time to find out that a record has no headers, as most have none. They cannot make an event of another
 * kind out of a value that is one in the configured format: no value is a valid event in two formats. So they are asked for
 * only where it is none, which they may explain. */
static void take_record(struct task *task, struct chunk *chunk, const struct record *record, int64_t wall_ms) {
    const struct header *headers = NULL;
    size_t headers_count = 0;
    struct activity *activity = arena_alloc(&chunk->arena, sizeof *activity);
    char detail[DEAD_DETAIL_BYTES_MAX];
    ASSERT(activity);
    enum dead_reason reason = decode(task, chunk, record, NULL, 0, wall_ms, activity, detail);
    if (reason != DEAD_NOT) {
        headers_count = task->ports.source.ops->headers(task->ports.source.context, record, &chunk->arena, &headers);
        if (headers_count > 0) {
            reason = decode(task, chunk, record, headers, headers_count, wall_ms, activity, detail);
        }
    }
    if (misrouted(task, record, detail)) {
        headers_count = task->ports.source.ops->headers(task->ports.source.context, record, &chunk->arena, &headers);
        reason = DEAD_MISROUTED;
    }
    if (reason != DEAD_FUTURE_TIME) {
        move_clock(task, record->timestamp_ms, wall_ms);
    }
    if (reason != DEAD_NOT) {
        push_dead(task, chunk, record, headers, headers_count, reason, detail);
        return;
    }
    struct item *item = push(task, ITEM_ACTIVITY, chunk);
    item->input = record->input;
    item->offset = record->offset;
    item->record_ms = record->timestamp_ms;
    item->activity = activity;
    item->hash = bytes_hash(activity->customer_id);
    cache_prefetch(task->ports.cache, task->options.partition, item->hash);
}

/* Takes records in the merge's order, without their customers. True when there may be more at once. */
static bool take_records(struct task *task) {
    const struct source *source = &task->ports.source;
    int64_t now_ms = task->ports.monotonic_ms(task->ports.time_context);
    int64_t wall_ms = task->ports.wall_ms(task->ports.time_context);
    struct chunk *chunk = NULL;
    bool more = true;
    size_t room = task->items.capacity - task->items.count;
    for (size_t taken = 0; more && taken < TASK_TAKE_MAX && taken + 1 < room;) {
        int input = merge_next(&task->merge, source, now_ms);
        task->at_end = input == MERGE_END;
        if (input < 0) {
            more = false;
            break;
        }
        const struct record *record = source->ops->peek(source->context, (enum input)input);
        if (record->offset >= task->take_offset[input]) {
            chunk = chunk ? chunk : chunk_take(task);
            take_record(task, chunk, record, wall_ms);
            task->take_offset[input] = record->offset + 1;
            more = chunk->arena.bytes_used < TASK_TAKE_BYTES_MAX;
            taken++;
        }
        source->ops->release(source->context, (enum input)input);
        if (chunk && chunk->arena.bytes_used >= TASK_TAKE_BYTES_MAX) {
            return true;
        }
    }
    metric_add(task->metrics->left_behind, task->merge.left_behind - task->left_behind_seen);
    task->left_behind_seen = task->merge.left_behind;
    return more && room > 1;
}

/* While records are read again whose outputs are known to be published, due instants beyond the mark must wait: an event
 * read again may have fired them, and that was published. */
bool intake_replays(const struct task *task) {
    for (int input = 0; input < INPUTS; input++) {
        if (task->take_offset[input] < task->suppress_before[input]) {
            return true;
        }
    }
    return false;
}

static bool has_room_for_due(const struct items *items) {
    return items->due_count < DUE_WAITING_MAX && items->count < items->capacity;
}

/* Begins a round if it is time for one and the task's turn; false: another task has its. */
static bool turn_wheel(struct task *task, int64_t clock_ms) {
    const struct task **turning = task->ports.turning;
    if (*turning && *turning != task) {
        return false;
    }
    wheel_turn(&task->wheel, clock_ms);
    *turning = task->wheel.target_ms != TIME_NONE && !task->wheel.handed_out ? task : NULL;
    return true;
}

void intake_end_turn(struct task *task) {
    if (*task->ports.turning == task) {
        *task->ports.turning = NULL;
        task_wake(task); /* and with it those that wait */
    }
}

/* Due customers up to the clock of the last scored item; see wheel.h for why not further. */
static void take_due(struct task *task) {
    int64_t scored_ms = task->items.count > 0 ? task->open->meta.clock_ms : task->take_clock_ms;
    if (scored_ms == TIME_NONE) {
        return;
    }
    if (intake_replays(task) && scored_ms > task->suppress_fired_ms) {
        scored_ms = task->suppress_fired_ms;
    }
    if (!turn_wheel(task, scored_ms)) {
        return;
    }
    while (has_room_for_due(&task->items)) {
        struct wheel_entry entry;
        enum wheel_step step = wheel_next(&task->wheel, &entry);
        if (step == WHEEL_IDLE) {
            return;
        }
        struct item *item = intake_push(task, step == WHEEL_DUE ? ITEM_DUE : ITEM_FIRED);
        item->clock_ms = task->wheel.target_ms;
        if (step == WHEEL_DUE) {
            item->due_ms = entry.due_ms;
            item->entry = intake_want(task, bytes_of(entry.id, entry.id_size));
            free(entry.id);
        } else {
            intake_end_turn(task);
        }
    }
    task->due_waits = true;
}

bool intake_has_room_for_due(const struct task *task) {
    return task->due_waits && has_room_for_due(&task->items);
}

bool intake_is_full(const struct task *task) {
    size_t max = task->options.unpublished_max ? task->options.unpublished_max : TASK_UNPUBLISHED_MAX;
    return task->open->meta.output_seq - task->published_seq >= max;
}

bool intake_take(struct task *task) {
    bool full = intake_is_full(task);
    bool rests = full || rules_wait(task);
    task->due_waits = false;
    size_t before = task->items.count;
    bool more = rests ? false : take_records(task);
    want_taken(task, before);
    if (task->at_end && !task->options.clock_event && !rests) {
        int64_t confirmed_ms = task->ports.source.ops->confirmed_ms(task->ports.source.context);
        task->take_clock_ms = confirmed_ms > task->take_clock_ms ? confirmed_ms : task->take_clock_ms;
    }
    /* A round that the open batch waits for must come to its end: until then nothing is published, and nothing empties. */
    if (!full || task_in_round(task)) {
        take_due(task);
    }
    if (!rests && !intake_replays(task)) {
        more |= edition_sweep(task);
    }
    send_wanted(task);
    return more;
}

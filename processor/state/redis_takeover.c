/* Taking over in Redis. Two round trips: WATCH meta and read who owns it; then, if still so, in one MULTI raise the epoch and
 * read everything. Whoever owned the task before finds its WATCH broken at its next EXEC.
 *
 * The epoch is at least the wall clock in ms: a store that has lost its tail may hand out an old epoch again, and two owners
 * must never hold the same one. */
#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "state/redis_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { OUTPUTS_FIRST = 256 };

static const char *const OFFSET_FIELDS[INPUTS] = {"offset.purchases", "offset.interactions", "offset.feedback"};

void redis_meta_put(struct buffer *out, const struct store_meta *meta) {
    struct {
        const char *field;
        int64_t value;
    } const numbers[] = {
        {"schema", STORE_SCHEMA_VERSION},
        {"epoch", (int64_t)meta->epoch},
        {"seq", (int64_t)meta->seq},
        {OFFSET_FIELDS[0], meta->next_offset[0]},
        {OFFSET_FIELDS[1], meta->next_offset[1]},
        {OFFSET_FIELDS[2], meta->next_offset[2]},
        {"output", (int64_t)meta->output_seq},
        {"published", (int64_t)meta->published_seq},
        {"clock", meta->clock_ms},
        {"fired", meta->fired_ms},
        {"partitions", meta->partitions},
        {"edition", meta->edition},
        {"edition.counted", meta->counted_edition},
        {"edition.swept", meta->swept_edition},
        {"edition.since", meta->edition_since_ms},
    };
    _Static_assert(sizeof numbers / sizeof *numbers + 2 == STORE_META_FIELDS, "every field is counted");
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        resp_text(out, numbers[i].field);
        resp_number(out, numbers[i].value);
    }
    resp_text(out, "rules");
    resp_text(out, meta->rules_version);
    resp_text(out, "currency");
    resp_text(out, meta->currency);
}

/* The value of a field in HGETALL's answer; NULL: not there. */
static const char *field_of(const struct redisReply *reply, const char *field) {
    for (size_t i = 0; i + 1 < reply->elements; i += 2) {
        if (reply->element[i]->str && strcmp(reply->element[i]->str, field) == 0) {
            return reply->element[i + 1]->str;
        }
    }
    return NULL;
}

static int64_t number_of(const struct redisReply *reply, const char *field, int64_t otherwise) {
    const char *text = field_of(reply, field);
    return text ? strtoll(text, NULL, 10) : otherwise;
}

void redis_meta_parse(const struct redisReply *reply, struct store_found *found) {
    struct store_meta *meta = &found->meta;
    found->schema = (uint32_t)number_of(reply, "schema", 0);
    *meta = (struct store_meta){
        .epoch = (uint64_t)number_of(reply, "epoch", 0),
        .seq = (uint64_t)number_of(reply, "seq", 0),
        .output_seq = (uint64_t)number_of(reply, "output", 0),
        .published_seq = (uint64_t)number_of(reply, "published", 0),
        .clock_ms = number_of(reply, "clock", TIME_NONE),
        .fired_ms = number_of(reply, "fired", TIME_NONE),
        .partitions = (uint32_t)number_of(reply, "partitions", 0),
        .edition = (uint32_t)number_of(reply, "edition", 0),
        .counted_edition = (uint32_t)number_of(reply, "edition.counted", 0),
        .swept_edition = (uint32_t)number_of(reply, "edition.swept", 0),
        .edition_since_ms = number_of(reply, "edition.since", TIME_NONE),
    };
    for (int input = 0; input < INPUTS; input++) {
        meta->next_offset[input] = number_of(reply, OFFSET_FIELDS[input], OFFSET_NONE);
    }
    const char *rules = field_of(reply, "rules");
    snprintf(meta->rules_version, sizeof meta->rules_version, "%s", rules ? rules : "");
    const char *currency = field_of(reply, "currency");
    snprintf(meta->currency, sizeof meta->currency, "%s", currency ? currency : "");
    const char *owner = field_of(reply, "owner");
    found->owner = bytes_of_text(owner && owner[0] ? owner : NULL);
    found->absent = meta->seq == 0;
}

/* What the outbox's entries hold, oldest first; the caller frees it. */
static struct stored_output *unpack_outbox(const struct redisReply *out, size_t *count) {
    struct stored_output *outputs = NULL;
    size_t capacity = 0;
    *count = 0;
    for (size_t i = 0; i < out->elements; i++) {
        const struct redisReply *entry = out->element[i]; /* id, [field, value] */
        const struct redisReply *value = entry->element[1]->element[1];
        struct cursor in = cursor_of(bytes_of(value->str, value->len));
        size_t first = *count;
        while (cursor_left(&in) > 0 && !in.error) {
            outputs = array_grown(outputs, &capacity, *count, sizeof *outputs, OUTPUTS_FIRST);
            outputs[(*count)++].record = cursor_sized(&in);
        }
        ASSERT(!in.error);
        uint64_t last_seq = strtoull(entry->element[0]->str, NULL, 10);
        for (size_t j = first; j < *count; j++) {
            outputs[j].seq = last_seq - (*count - 1 - j);
        }
    }
    return outputs;
}

static void tell(struct redis_store *store, const struct redisReply *meta, const struct redisReply *wheel,
                 const struct redisReply *out, const struct redisReply *cuts) {
    struct store_found found = {.wheel_hours_count = wheel->elements};
    int64_t *hours = calloc(wheel->elements + 1, sizeof *hours);
    struct stored_output *outputs = unpack_outbox(out, &found.outputs_count);
    ASSERT(hours);
    for (size_t i = 0; i < wheel->elements; i++) {
        hours[i] = strtoll(wheel->element[i]->str, NULL, 10);
    }
    redis_meta_parse(meta, &found);
    found.cuts = cuts->type == REDIS_REPLY_STRING ? bytes_of(cuts->str, cuts->len) : bytes_of(NULL, 0);
    found.wheel_hours = hours;
    found.outputs = outputs;
    store->epoch = found.meta.epoch;
    store->seq = found.meta.seq;
    store->trimmed = found.meta.published_seq;
    store->taking_over = false;
    store->owned = true;
    redis_guard_ask(store);
    store->found_done(store->found_arg, 0, &found);
    free(hours);
    free(outputs);
}

static void on_taken(void *context, const struct redisReply *reply) {
    struct redis_store *store = context;
    if (!reply) {
        return;
    }
    if (reply->type == REDIS_REPLY_NIL) { /* somebody else at the same moment */
        redis_takeover_start(store);
        return;
    }
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 5) {
        redis_store_later(store, reply);
        return;
    }
    for (size_t i = 0; i < reply->elements; i++) {
        if (reply->element[i]->type == REDIS_REPLY_ERROR) {
            redis_store_later(store, reply->element[i]);
            return;
        }
    }
    tell(store, reply->element[1], reply->element[2], reply->element[3], reply->element[4]);
}

static void on_queued(void *context, const struct redisReply *reply) {
    struct redis_store *store = context;
    if (reply && reply->type == REDIS_REPLY_ERROR) {
        log_warning("could not queue a command in Redis", "task=%d error=\"%.200s\"", store->partition, reply->str);
    }
}

static void send_words(struct redis_store *store, struct buffer *command, redis_reply_fn done, size_t count,
                       const char *const *words) {
    resp_begin(command, count);
    for (size_t i = 0; i < count; i++) {
        resp_text(command, words[i]);
    }
    redis_store_send(store, command, done);
}

static void raise_epoch(struct redis_store *store, uint64_t last) {
    struct buffer command = {0};
    char meta[REDIS_KEY_BYTES], wheel[REDIS_KEY_BYTES], out[REDIS_KEY_BYTES], cuts[REDIS_KEY_BYTES], epoch[24];
    redis_key(store->options, store->partition, "meta", meta);
    redis_key(store->options, store->partition, "wheel", wheel);
    redis_key(store->options, store->partition, "out", out);
    redis_key(store->options, store->partition, "cuts", cuts);
    uint64_t now = (uint64_t)clock_wall_ms();
    snprintf(epoch, sizeof epoch, "%" PRIu64, last + 1 > now ? last + 1 : now);
    send_words(store, &command, on_queued, 1, (const char *const[]){"MULTI"});
    const char *owner = store->options->owner ? store->options->owner : "";
    send_words(store, &command, on_queued, 6, (const char *const[]){"HSET", meta, "epoch", epoch, "owner", owner});
    send_words(store, &command, on_queued, 2, (const char *const[]){"HGETALL", meta});
    send_words(store, &command, on_queued, 2, (const char *const[]){"SMEMBERS", wheel});
    send_words(store, &command, on_queued, 4, (const char *const[]){"XRANGE", out, "-", "+"});
    send_words(store, &command, on_queued, 2, (const char *const[]){"GET", cuts});
    send_words(store, &command, on_taken, 1, (const char *const[]){"EXEC"});
    buffer_finish(&command);
}

static void on_owner(void *context, const struct redisReply *reply) {
    struct redis_store *store = context;
    if (!reply) {
        return;
    }
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2) {
        redis_store_later(store, reply);
        return;
    }
    uint64_t schema = redis_number(reply->element[0]);
    if (schema != 0 && schema != STORE_SCHEMA_VERSION) {
        store->taking_over = false;
        store->found_done(store->found_arg, ERR_REFUSED, NULL);
        return;
    }
    raise_epoch(store, redis_number(reply->element[1]));
}

void redis_takeover_start(struct redis_store *store) {
    struct buffer command = {0};
    char meta[REDIS_KEY_BYTES];
    redis_key(store->options, store->partition, "meta", meta);
    send_words(store, &command, on_queued, 2, (const char *const[]){"WATCH", meta});
    send_words(store, &command, on_owner, 4, (const char *const[]){"HMGET", meta, "schema", "epoch"});
    buffer_finish(&command);
}

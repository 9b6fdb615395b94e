/* Reads for the task: customers, one HMGET per bucket, and pieces of wheel slots. What is not answered when the connection is
 * lost is asked again on the next. */
#include "base/log.h"
#include "state/redis_parts.h"

#include <stdlib.h>

static void read_free(struct redis_read *read) {
    buffer_finish(&read->ids);
    buffer_finish(&read->values);
    free(read->starts);
    free(read->buckets);
    free(read->value_at);
    free(read->value_size);
    free(read);
}

static void read_unlink(struct redis_read *read) {
    struct redis_read **link = &read->store->reads;
    while (*link != read) {
        link = &(*link)->next;
    }
    *link = read->next;
}

static struct redis_read *read_new(struct redis_store *store, void *arg) {
    struct redis_read *read = calloc(1, sizeof *read);
    ASSERT(read);
    read->store = store;
    read->arg = arg;
    struct redis_read **link = &store->reads;
    while (*link) {
        link = &(*link)->next;
    }
    *link = read;
    return read;
}

static struct bytes read_id(const struct redis_read *read, size_t i) {
    return bytes_of(read->ids.data + read->starts[i], read->starts[i + 1] - read->starts[i]);
}

static void finish_load(struct redis_read *read) {
    struct bytes *values = calloc(read->count + 1, sizeof *values);
    ASSERT(values && !read->values.error);
    for (size_t i = 0; i < read->count; i++) {
        if (read->value_at[i] != SIZE_MAX) {
            values[i] = bytes_of(buffer_bytes(&read->values).data + read->value_at[i], read->value_size[i]);
        }
    }
    read_unlink(read);
    read->loaded(read->arg, 0, values, read->count);
    free(values);
    read_free(read);
}

/* One HMGET's answer belongs to the ids of one bucket, in their order. */
static void take_bucket(struct redis_read *read, int bucket, const struct redisReply *reply) {
    size_t at = 0;
    for (size_t i = 0; i < read->count; i++) {
        if (read->buckets[i] != bucket) {
            continue;
        }
        ASSERT(at < reply->elements);
        const struct redisReply *value = reply->element[at++];
        read->value_at[i] = SIZE_MAX;
        if (value->type == REDIS_REPLY_STRING) {
            read->value_at[i] = read->values.size;
            read->value_size[i] = value->len;
            buffer_put(&read->values, value->str, value->len);
        }
    }
}

static void on_bucket(void *context, const struct redisReply *reply) {
    struct redis_bucket_request *request = context;
    struct redis_read *read = request->read;
    if (!reply) {
        return;
    }
    if (reply->type == REDIS_REPLY_ARRAY) {
        take_bucket(read, request->bucket, reply);
    } else {
        read->failed = true;
    }
    if (--read->outstanding > 0) {
        return;
    }
    if (read->failed) {
        read->sent = false;
        redis_store_later(read->store, reply);
    } else {
        finish_load(read);
    }
}

static void send_load(struct redis_read *read) {
    struct redis_store *store = read->store;
    size_t counts[REDIS_BUCKETS] = {0};
    struct buffer command = {0};
    buffer_reset(&read->values);
    for (size_t i = 0; i < read->count; i++) {
        counts[read->buckets[i]]++;
    }
    read->sent = true;
    read->failed = false;
    for (int bucket = 0; bucket < REDIS_BUCKETS; bucket++) {
        if (!counts[bucket]) {
            continue;
        }
        char what[REDIS_NAME_BYTES], key[REDIS_KEY_BYTES];
        redis_key(store->options, store->partition, redis_numbered("c:", bucket, what), key);
        resp_begin(&command, 2 + counts[bucket]);
        resp_text(&command, "HMGET");
        resp_text(&command, key);
        for (size_t i = 0; i < read->count; i++) {
            if (read->buckets[i] == bucket) {
                resp_bytes(&command, read_id(read, i));
            }
        }
        ASSERT(!command.error);
        read->requests[bucket] = (struct redis_bucket_request){read, bucket};
        read->outstanding++;
        redis_conn_send(store->conn, buffer_bytes(&command), on_bucket, &read->requests[bucket]);
        buffer_reset(&command);
    }
    buffer_finish(&command);
}

static void on_slot(void *context, const struct redisReply *reply) {
    struct redis_read *read = context;
    if (!reply) {
        return;
    }
    if (reply->type != REDIS_REPLY_STRING) {
        read->sent = false;
        redis_store_later(read->store, reply);
        return;
    }
    read_unlink(read);
    read->slot(read->arg, 0, bytes_of(reply->str, reply->len), reply->len < STORE_SLOT_PIECE_BYTES);
    read_free(read);
}

static void send_slot(struct redis_read *read) {
    struct redis_store *store = read->store;
    struct buffer command = {0};
    char what[REDIS_NAME_BYTES], key[REDIS_KEY_BYTES];
    redis_key(store->options, store->partition, redis_numbered("due:", read->hour, what), key);
    resp_begin(&command, 4);
    resp_text(&command, "GETRANGE");
    resp_text(&command, key);
    resp_number(&command, (int64_t)read->offset);
    resp_number(&command, (int64_t)(read->offset + STORE_SLOT_PIECE_BYTES - 1));
    ASSERT(!command.error);
    read->sent = true;
    redis_conn_send(store->conn, buffer_bytes(&command), on_slot, read);
    buffer_finish(&command);
}

static void on_scan(void *context, const struct redisReply *reply) {
    struct redis_read *read = context;
    if (!reply) {
        return;
    }
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 || reply->element[1]->type != REDIS_REPLY_ARRAY) {
        read->sent = false;
        redis_store_later(read->store, reply);
        return;
    }
    const struct redisReply *pairs = reply->element[1];
    size_t count = pairs->elements / 2;
    struct bytes *both = calloc(2 * count + 1, sizeof *both);
    ASSERT(both);
    for (size_t i = 0; i < count; i++) {
        both[i] = bytes_of(pairs->element[2 * i]->str, pairs->element[2 * i]->len);
        both[count + i] = bytes_of(pairs->element[2 * i + 1]->str, pairs->element[2 * i + 1]->len);
    }
    read_unlink(read);
    read->scanned(read->arg, 0, both, both + count, count, redis_number(reply->element[0]));
    free(both);
    read_free(read);
}

static void send_scan(struct redis_read *read) {
    struct redis_store *store = read->store;
    struct buffer command = {0};
    redis_put_scan(&command, store->options, store->partition, read->bucket, read->from, STORE_SCAN_COUNT);
    read->sent = true;
    redis_conn_send(store->conn, buffer_bytes(&command), on_scan, read);
    buffer_finish(&command);
}

void redis_reads_send(struct redis_store *store) {
    if (!store->settled || evtimer_pending(store->retry, NULL)) {
        return; /* after a reconnect nothing is read before the store is seen to be ours still */
    }
    for (struct redis_read *read = store->reads; read; read = read->next) {
        if (!read->sent && read->outstanding == 0) {
            if (read->loaded) {
                send_load(read);
            } else if (read->scanned) {
                send_scan(read);
            } else {
                send_slot(read);
            }
        }
    }
}

void redis_reads_unsent(struct redis_store *store) {
    for (struct redis_read *read = store->reads; read; read = read->next) {
        read->sent = false;
        read->outstanding = 0;
    }
}

void redis_reads_forget(struct redis_store *store) {
    while (store->reads) {
        struct redis_read *read = store->reads;
        store->reads = read->next;
        read_free(read);
    }
}

void redis_load(void *context, const struct bytes *ids, size_t count, store_loaded_fn done, void *arg) {
    struct redis_store *store = context;
    struct redis_read *read = read_new(store, arg);
    read->loaded = done;
    read->count = count;
    read->starts = calloc(count + 1, sizeof *read->starts);
    read->buckets = calloc(count + 1, sizeof *read->buckets);
    read->value_at = calloc(count + 1, sizeof *read->value_at);
    read->value_size = calloc(count + 1, sizeof *read->value_size);
    ASSERT(read->starts && read->buckets && read->value_at && read->value_size && count > 0);
    for (size_t i = 0; i < count; i++) {
        buffer_put_bytes(&read->ids, ids[i]);
        read->starts[i + 1] = read->ids.size;
        read->buckets[i] = (uint8_t)redis_bucket(ids[i]);
    }
    ASSERT(!read->ids.error);
    redis_reads_send(store);
}

void redis_scan(void *context, int bucket, uint64_t from, store_scanned_fn done, void *arg) {
    struct redis_store *store = context;
    struct redis_read *read = read_new(store, arg);
    read->scanned = done;
    read->bucket = bucket;
    read->from = from;
    redis_reads_send(store);
}

void redis_read_slot(void *context, int64_t hour, size_t offset, store_slot_fn done, void *arg) {
    struct redis_store *store = context;
    struct redis_read *read = read_new(store, arg);
    read->slot = done;
    read->hour = hour;
    read->offset = offset;
    redis_reads_send(store);
}

#include "support/fake_parts.h"

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
    return owner->position[input] < (int64_t)owner->world->records_count[input] ? SOURCE_MORE : SOURCE_AT_END;
}

static int64_t source_confirmed_ms(void *context) {
    (void)context;
    return TIME_NONE;
}

static const char *source_problem(void *context) {
    (void)context;
    return NULL;
}

const struct source_ops fake_source_ops = {source_start, source_peek,         source_release, source_headers,
                                           source_end,   source_confirmed_ms, source_problem};

/* ---- the sink's port ---- */

static struct sent *sent_new(struct fake_owner *owner) {
    struct sent *sent = fake_take(owner->world, sizeof *sent);
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

static void sink_publish(void *context, struct publication *publication, bool urgent, sink_published_fn done,
                         void *arg) {
    struct fake_owner *owner = context;
    struct sent *sent = sent_new(owner);
    (void)urgent;
    sent->publication = *publication;
    struct bytes outputs = fake_copied(owner->world, buffer_bytes(&publication->outputs));
    buffer_finish(&publication->outputs);
    sent->publication.outputs =
        (struct buffer){.data = (char *)(uintptr_t)outputs.data, .size = outputs.size, .capacity = outputs.size};
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
        world->outputs =
            fake_grown(world, world->outputs, world->outputs_count, &world->outputs_capacity, sizeof *world->outputs);
        world->outputs[world->outputs_count++] = cursor_sized(&in);
    }
    for (int input = 0; input < INPUTS; input++) {
        if (publication->next_offset[input] != OFFSET_NONE) {
            ASSERT(publication->next_offset[input] >= world->committed[input]); /* what is committed never goes back */
            world->committed[input] = publication->next_offset[input];
            memcpy(world->marks[input], publication->mark, sizeof world->marks[input]);
        }
    }
}

bool fake_sink_step(struct fake_owner *owner) {
    struct fake_world *world = owner->world;
    struct sent *sent = owner->sents;
    if (!sent) {
        return false;
    }
    if (!sent->committed) {
        if (sent->ask) {
            for (int input = 0; input < INPUTS; input++) {
                sent->answer.offset[input] = world->committed[input];
                sent->answer.mark[input] = fake_copied(world, bytes_of_text(world->marks[input]));
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

const struct sink_ops fake_sink_ops = {sink_committed, sink_publish, sink_abandon};

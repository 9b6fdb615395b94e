#include "run/app_changes.h"

#include "run/feed_position.h"
#include "run/kafka_feed.h"

#include <event2/event.h>
#include <stdlib.h>

struct reader { /* one client */
    struct reader *next;
    struct app_changes *changes;
    struct http_stream *stream;
    struct kafka_feed *feed;
    struct event *news;    /* activated by the feed's thread */
    struct buffer pending; /* taken from the feed, and not yet by the client */
};

struct app_changes {
    struct event_base *base;
    struct rules *rules; /* in force */
    struct kafka_feeds *feeds;
    struct reader *readers;
    bool stopped;
};

static void reader_destroy(struct reader *reader) {
    struct reader **link = &reader->changes->readers;
    while (*link != reader) {
        link = &(*link)->next;
    }
    *link = reader->next;
    kafka_feed_drop(reader->feed); /* before the event goes: no news comes any more */
    event_free(reader->news);
    buffer_finish(&reader->pending);
    free(reader);
}

static void pump(void *context) {
    struct reader *reader = context;
    bool taken = true;
    while (taken) {
        if (reader->pending.size == 0) {
            kafka_feed_take(reader->feed, &reader->pending);
        }
        taken = reader->pending.size > 0 && http_stream_send(reader->stream, buffer_bytes(&reader->pending));
        if (taken) {
            buffer_reset(&reader->pending);
        }
    }
}

static void on_news(evutil_socket_t fd, short what, void *context) {
    (void)fd;
    (void)what;
    pump(context);
}

static void tell_news(void *context) {
    const struct reader *reader = context;
    event_active(reader->news, EV_READ, 1);
}

static void on_closed(void *context) {
    reader_destroy(context);
}

static bool is_set(const struct model *model, struct bytes name) {
    for (size_t set = 0; set < model_sets_count(model); set++) {
        if (bytes_equal(model_set_name(model, set), name)) {
            return true;
        }
    }
    return false;
}

void app_changes_stream(struct app_changes *changes, struct bytes tier_set, struct bytes last_event_id,
                        struct http_answer *answer) {
    if (tier_set.data && !is_set(rules_model(changes->rules), tier_set)) {
        http_answer_problem(answer, 400, "Bad Request", "The configuration has no tier set of this name.");
        return;
    }
    if (last_event_id.data && !feed_position_is_valid(last_event_id)) {
        http_answer_problem(answer, 400, "Bad Request", "The header Last-Event-ID is not the id of an event.");
        return;
    }
    struct reader *reader = calloc(1, sizeof *reader);
    ASSERT(reader);
    *reader = (struct reader){.changes = changes, .news = event_new(changes->base, -1, 0, on_news, reader)};
    ASSERT(reader->news);
    const struct kafka_feed_options options = {
        .tier_set = tier_set, .position = last_event_id, .news = tell_news, .context = reader};
    reader->feed = changes->stopped ? NULL : kafka_feed_create(changes->feeds, &options);
    if (!reader->feed) {
        http_answer_problem(answer, 503, "Unavailable",
                            "As many streams as there may be are open, or the process stops.");
        event_free(reader->news);
        free(reader);
        return;
    }
    reader->next = changes->readers;
    changes->readers = reader;
    const struct http_stream_callbacks callbacks = {reader, pump, on_closed};
    reader->stream = http_answer_stream(answer, "text/event-stream", &callbacks);
    if (!reader->stream) {
        reader_destroy(reader);
    }
}

struct app_changes *app_changes_create(struct event_base *base, struct rules *rules) {
    struct app_changes *changes = calloc(1, sizeof *changes);
    ASSERT(changes);
    *changes = (struct app_changes){.base = base, .rules = rules_hold(rules), .feeds = kafka_feeds_create(rules)};
    return changes;
}

void app_changes_set_rules(struct app_changes *changes, struct rules *rules) {
    rules_release(changes->rules);
    changes->rules = rules_hold(rules);
    kafka_feeds_set_rules(changes->feeds, rules);
}

void app_changes_stop(struct app_changes *changes) {
    changes->stopped = true;
    while (changes->readers) {
        http_stream_end(changes->readers->stream);
        reader_destroy(changes->readers);
    }
}

void app_changes_destroy(struct app_changes *changes) {
    if (changes) {
        kafka_feeds_destroy(changes->feeds);
        rules_release(changes->rules);
        free(changes);
    }
}

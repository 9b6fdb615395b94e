#include "run/kafka_feed.h"

#include "base/clock.h"
#include "base/log.h"
#include "ingest/kafka_ends.h"
#include "run/change_json.h"
#include "run/feed_position.h"
#include "run/kafka_admin.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    POLL_MS = 100,         /* how soon a feed notices that it is dropped */
    ASK_TIMEOUT_MS = 1000, /* one question to Kafka: a feed that is dropped ends within two of them */
    RETRY_US = 500 * 1000, /* between questions that were not answered */
    RECONNECT_MS = 2000,   /* told to browsers: when to come back after a break */
};

struct kafka_feeds {
    struct rules *rules;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    int count;
};

struct kafka_feed {
    struct kafka_feeds *feeds;
    struct rules *rules; /* held: the names of its topics are theirs */
    char *tier_set;      /* NULL: all */
    struct buffer start;
    bool has_start;
    void (*news)(void *context);
    void *context;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool dropped;         /* under the lock */
    struct buffer events; /* under the lock */

    /* of the thread */
    rd_kafka_t *consumer;
    struct feed_position position;
    struct buffer event; /* in the making */
    int64_t put_ms;      /* monotonic: when something was last put */
};

/* ---- what waits to be taken ---- */

static bool is_dropped(struct kafka_feed *feed) {
    pthread_mutex_lock(&feed->lock);
    bool dropped = feed->dropped;
    pthread_mutex_unlock(&feed->lock);
    return dropped;
}

/* Puts the event that was made, once there is room. */
static void put_event(struct kafka_feed *feed) {
    ASSERT(!feed->event.error);
    pthread_mutex_lock(&feed->lock);
    while (!feed->dropped && feed->events.size > 0 && feed->events.size + feed->event.size > FEED_BYTES_MAX) {
        pthread_cond_wait(&feed->wake, &feed->lock);
    }
    if (!feed->dropped) {
        buffer_put_bytes(&feed->events, buffer_bytes(&feed->event));
        ASSERT(!feed->events.error);
        feed->news(feed->context);
    }
    pthread_mutex_unlock(&feed->lock);
    buffer_reset(&feed->event);
    feed->put_ms = clock_monotonic_ms();
}

static void write_id(struct kafka_feed *feed) {
    size_t before = feed->event.size;
    buffer_put_text(&feed->event, "id: ");
    size_t start = feed->event.size;
    feed_position_write(&feed->position, &feed->event);
    if (feed->event.size == start) {
        feed->event.size = before; /* too long */
    } else {
        buffer_put_byte(&feed->event, '\n');
    }
}

/* Says where the reader stands, without an event: an id alone changes only what a browser sends as Last-Event-ID. */
static void put_position(struct kafka_feed *feed) {
    buffer_put_text(&feed->event, ":\n");
    write_id(feed);
    buffer_put_byte(&feed->event, '\n');
    put_event(feed);
}

/* ---- reading ---- */

static int open_consumer(struct kafka_feed *feed) {
    static const struct {
        const char *name;
        const char *value;
    } properties[] = {
        {"enable.partition.eof", "false"},
        {"auto.offset.reset", "earliest"}, /* what is wanted has been deleted: go on with the oldest there is */
        {"queued.max.messages.kbytes", "1024"},
        {"queued.min.messages", "100"},
        {"fetch.message.max.bytes", "262144"},
    };
    char problem[KAFKA_PROBLEM_BYTES];
    rd_kafka_conf_t *conf = kafka_consumer_conf(rules_config(feed->rules), problem);
    for (size_t i = 0; conf && i < sizeof properties / sizeof *properties; i++) {
        rd_kafka_conf_set(conf, properties[i].name, properties[i].value, problem, sizeof problem);
    }
    feed->consumer = conf ? rd_kafka_new(RD_KAFKA_CONSUMER, conf, problem, sizeof problem) : NULL;
    if (!feed->consumer) {
        log_error("could not read tier changes", "error=\"%s\"", problem);
        if (conf) {
            rd_kafka_conf_destroy(conf);
        }
        return ERR_INVALID;
    }
    rd_kafka_poll_set_consumer(feed->consumer);
    return 0;
}

static void add_topic(struct feed_position *position, const char *name) {
    for (size_t i = 0; i < position->topics_count; i++) {
        if (strcmp(position->topics[i].name, name) == 0) {
            return;
        }
    }
    ASSERT(position->topics_count < FEED_TOPICS_MAX);
    position->topics[position->topics_count++].name = name;
}

/* The topics of the tier sets that are read. */
static void find_topics(struct kafka_feed *feed) {
    const struct config *config = rules_config(feed->rules);
    for (size_t set = 0; set < model_sets_count(config->model); set++) {
        struct bytes topic = model_set_topic(config->model, set); /* ends with a NUL, like every text of the config */
        if (!feed->tier_set || bytes_equal_text(model_set_name(config->model, set), feed->tier_set)) {
            add_topic(&feed->position, topic.data ? topic.data : config->tier_changes_topic);
        }
    }
}

static int find_partitions(struct kafka_feed *feed) {
    for (size_t i = 0; i < feed->position.topics_count; i++) {
        struct feed_topic *topic = &feed->position.topics[i];
        const struct rd_kafka_metadata *metadata = NULL;
        rd_kafka_topic_t *handle = rd_kafka_topic_new(feed->consumer, topic->name, NULL);
        rd_kafka_resp_err_t error = rd_kafka_metadata(feed->consumer, 0, handle, &metadata, ASK_TIMEOUT_MS);
        size_t count = !error && metadata->topic_cnt == 1 ? (size_t)metadata->topics[0].partition_cnt : 0;
        if (count > 0) {
            free(topic->next);
            topic->next = calloc(count, sizeof *topic->next);
            ASSERT(topic->next);
            topic->partitions = count;
        }
        if (!error) {
            rd_kafka_metadata_destroy(metadata);
        }
        rd_kafka_topic_destroy(handle);
        if (count == 0) {
            return ERR_UNAVAILABLE;
        }
    }
    return 0;
}

/* All its partitions; `placed`: each from where it stands. */
static rd_kafka_topic_partition_list_t *list_of(const struct feed_position *position, bool placed) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);
    for (size_t i = 0; i < position->topics_count; i++) {
        for (size_t partition = 0; partition < position->topics[i].partitions; partition++) {
            rd_kafka_topic_partition_t *entry =
                rd_kafka_topic_partition_list_add(list, position->topics[i].name, (int32_t)partition);
            if (placed) {
                entry->offset = position->topics[i].next[partition];
            }
        }
    }
    return list;
}

struct feed_ends {
    struct feed_position *position;
    int taken;
};

static void take_end(void *context, const char *topic, int32_t partition, int64_t end) {
    struct feed_ends *ends = context;
    int64_t *next = feed_position_of(ends->position, topic, partition);
    if (next) {
        *next = end;
        ends->taken++;
    }
}

/* The position becomes where committed records end now; ERR_UNAVAILABLE if one is missing. */
static int find_ends(struct kafka_feed *feed) {
    struct feed_ends ends = {.position = &feed->position};
    rd_kafka_topic_partition_list_t *list = list_of(&feed->position, false);
    rd_kafka_queue_t *answers = rd_kafka_queue_new(feed->consumer);
    kafka_ends_ask(feed->consumer, list, ASK_TIMEOUT_MS, answers);
    rd_kafka_event_t *event = rd_kafka_queue_poll(answers, ASK_TIMEOUT_MS + POLL_MS);
    kafka_ends_read(event, take_end, &ends);
    int error = ends.taken == list->cnt ? 0 : ERR_UNAVAILABLE;
    if (event) {
        rd_kafka_event_destroy(event);
    }
    rd_kafka_queue_destroy(answers);
    rd_kafka_topic_partition_list_destroy(list);
    return error;
}

/* Finds where to begin, however long Kafka does not answer; false: dropped meanwhile. */
static bool begin(struct kafka_feed *feed) {
    while (find_partitions(feed) || find_ends(feed)) {
        if (is_dropped(feed)) {
            return false;
        }
        if (clock_monotonic_ms() - feed->put_ms >= FEED_HEARTBEAT_MS) {
            buffer_put_text(&feed->event, ":\n\n");
            put_event(feed);
        }
        clock_pause_us(RETRY_US);
    }
    if (feed->has_start) {
        feed_position_read(&feed->position, buffer_bytes(&feed->start));
    }
    rd_kafka_topic_partition_list_t *list = list_of(&feed->position, true);
    rd_kafka_resp_err_t error = rd_kafka_assign(feed->consumer, list);
    ASSERT(!error);
    rd_kafka_topic_partition_list_destroy(list);
    buffer_printf(&feed->event, "retry: %d\n", (int)RECONNECT_MS);
    put_position(feed);
    return true;
}

static void take(struct kafka_feed *feed, const rd_kafka_message_t *message) {
    int64_t *next = feed_position_of(&feed->position, rd_kafka_topic_name(message->rkt), message->partition);
    if (!next) {
        return;
    }
    *next = message->offset + 1;
    write_id(feed);
    buffer_put_text(&feed->event, "data: ");
    if (change_json_line_of(bytes_of(message->payload, message->len), feed->tier_set, &feed->event)) {
        buffer_put_text(&feed->event, "\n\n");
        put_event(feed);
    } else {
        buffer_reset(&feed->event); /* of another set, or no tier change */
    }
}

static void *feed_thread(void *argument) {
    struct kafka_feed *feed = argument;
    struct kafka_feeds *feeds = feed->feeds;
    pthread_setname_np(pthread_self(), "feed");
    feed->put_ms = clock_monotonic_ms();
    if (!open_consumer(feed) && begin(feed)) {
        while (!is_dropped(feed)) {
            rd_kafka_message_t *message = rd_kafka_consumer_poll(feed->consumer, POLL_MS);
            if (message && !message->err) {
                take(feed, message);
            }
            if (message) {
                rd_kafka_message_destroy(message);
            }
            if (clock_monotonic_ms() - feed->put_ms >= FEED_HEARTBEAT_MS) {
                put_position(feed);
            }
        }
    }
    if (feed->consumer) {
        rd_kafka_consumer_close(feed->consumer);
        rd_kafka_destroy(feed->consumer);
    }
    pthread_mutex_lock(&feed->lock);
    while (!feed->dropped) { /* it could not even begin: whoever holds it must let go first */
        pthread_cond_wait(&feed->wake, &feed->lock);
    }
    pthread_mutex_unlock(&feed->lock);
    feed_position_finish(&feed->position);
    buffer_finish(&feed->event);
    buffer_finish(&feed->events);
    buffer_finish(&feed->start);
    pthread_mutex_destroy(&feed->lock);
    pthread_cond_destroy(&feed->wake);
    free(feed->tier_set);
    rules_release(feed->rules);
    free(feed);
    pthread_mutex_lock(&feeds->lock);
    feeds->count--;
    pthread_cond_signal(&feeds->ended);
    pthread_mutex_unlock(&feeds->lock);
    return NULL;
}

/* ---- for the loop's thread ---- */

struct kafka_feed *kafka_feed_create(struct kafka_feeds *feeds, const struct kafka_feed_options *options) {
    pthread_mutex_lock(&feeds->lock);
    bool room = feeds->count < FEEDS_MAX;
    feeds->count += room;
    pthread_mutex_unlock(&feeds->lock);
    if (!room) {
        return NULL;
    }
    struct kafka_feed *feed = calloc(1, sizeof *feed);
    ASSERT(feed);
    feed->feeds = feeds;
    feed->rules = rules_hold(feeds->rules);
    feed->news = options->news;
    feed->context = options->context;
    feed->has_start = options->position.data != NULL;
    buffer_put_bytes(&feed->start, options->position);
    feed->tier_set = options->tier_set.data ? strndup(options->tier_set.data, options->tier_set.size) : NULL;
    ASSERT(!feed->start.error && (feed->tier_set || !options->tier_set.data));
    pthread_mutex_init(&feed->lock, NULL);
    pthread_cond_init(&feed->wake, NULL);
    find_topics(feed);
    pthread_t thread;
    int error = pthread_create(&thread, NULL, feed_thread, feed);
    ASSERT(!error);
    pthread_detach(thread);
    return feed;
}

void kafka_feed_take(struct kafka_feed *feed, struct buffer *out) {
    buffer_reset(out);
    pthread_mutex_lock(&feed->lock);
    struct buffer taken = feed->events;
    feed->events = *out;
    *out = taken;
    pthread_cond_signal(&feed->wake);
    pthread_mutex_unlock(&feed->lock);
}

void kafka_feed_drop(struct kafka_feed *feed) {
    pthread_mutex_lock(&feed->lock);
    feed->dropped = true;
    pthread_cond_signal(&feed->wake);
    pthread_mutex_unlock(&feed->lock);
}

struct kafka_feeds *kafka_feeds_create(struct rules *rules) {
    struct kafka_feeds *feeds = calloc(1, sizeof *feeds);
    ASSERT(feeds);
    feeds->rules = rules_hold(rules);
    pthread_mutex_init(&feeds->lock, NULL);
    pthread_cond_init(&feeds->ended, NULL);
    return feeds;
}

void kafka_feeds_set_rules(struct kafka_feeds *feeds, struct rules *rules) {
    rules_release(feeds->rules);
    feeds->rules = rules_hold(rules);
}

void kafka_feeds_destroy(struct kafka_feeds *feeds) {
    if (feeds) {
        pthread_mutex_lock(&feeds->lock);
        while (feeds->count > 0) {
            pthread_cond_wait(&feeds->ended, &feeds->lock);
        }
        pthread_mutex_unlock(&feeds->lock);
        pthread_mutex_destroy(&feeds->lock);
        pthread_cond_destroy(&feeds->ended);
        rules_release(feeds->rules);
        free(feeds);
    }
}

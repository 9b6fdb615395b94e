#include "run/kafka_admin.h"

#include "base/clock.h"
#include "base/log.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>

enum { SEVERITY_ERROR = 3, SEVERITY_NOTICE = 5 };    /* syslog's numbers, as librdkafka uses them */
enum { MISSING_LOOKS = 10, MISSING_PAUSE_MS = 500 }; /* a topic just made, or one without a leader, may show late */
enum {
    METADATA_TIMEOUT_MS = 5000,
    OFFSETS_TIMEOUT_MS = 10000,
    OFFSETS_PAUSE_MS = 200,
    CREATE_TIMEOUT_MS = 15000,
    TOPICS_MAX = 80
};

struct property {
    const char *name;
    const char *value;
};

/* ---- configurations ---- */

static const struct property CONSUMER_DEFAULTS[] = {
    {"client.id", "tidemark"},
    {"session.timeout.ms", "10000"}, /* a dead process' tasks are taken over within this */
    {"heartbeat.interval.ms", "1000"},
    {"fetch.queue.backoff.ms", "5"},        /* the default of 1 s idles a second whenever a queue was full */
    {"queued.max.messages.kbytes", "8192"}, /* per partition: the bound of a task's input queues */
    /* The same in records: librdkafka keeps some 400 bytes with each, so by their own bytes small ones are not bounded. */
    {"queued.min.messages", "2000"},
    {"fetch.message.max.bytes", "262144"}, /* compressed: one answer of 1 MB, the default, is 20,000 small records */
    {"fetch.wait.max.ms", "100"},
    {"reconnect.backoff.max.ms", "2000"},
};
static const struct property CONSUMER_FORCED[] = {
    {"enable.auto.commit", "false"}, /* offsets are committed with what they stand for */
    {"enable.auto.offset.store", "false"},
    {"enable.partition.eof", "true"}, /* the merge must know when there is no more */
    {"auto.offset.reset", "error"},   /* never skip silently */
    {"isolation.level", "read_committed"},
    {"partition.assignment.strategy", "range"}, /* the same partition of all three topics to the same member */
    {"group.protocol", "classic"},
};
static const struct property PRODUCER_DEFAULTS[] = {
    {"client.id", "tidemark"},
    {"linger.ms", "1000"}, /* a turn of the sink is the batch, and its end flushes; see kafka_transaction.c */
    {"compression.codec", "lz4"},
    {"retry.backoff.ms", "1"}, /* the coordinator is still finishing the last transaction: ask again at once */
    {"transaction.timeout.ms", "10000"}, /* how long a dead process' open transaction may hide later records */
    {"reconnect.backoff.max.ms", "2000"},
};
static const struct property PRODUCER_FORCED[] = {
    {"enable.idempotence", "true"},
    {"acks", "all"},
};
/* Set by Tidemark itself, elsewhere; a user's value would break it. */
static const char *const RESERVED[] = {"group.id", "transactional.id", "group.instance.id", "group.remote.assignor"};

static void on_log(const rd_kafka_t *handle, int level, const char *facility, const char *text) {
    (void)handle;
    if (strcmp(facility, "CONFWARN") == 0) {
        return; /* one set of properties serves consumers and producers: each warns of the other's */
    }
    if (level <= SEVERITY_ERROR) {
        log_warning("heard from Kafka's client", "facility=%s text=\"%s\"", facility, text); /* it retries by itself */
    } else if (level <= SEVERITY_NOTICE) {
        log_info("heard from Kafka's client", "facility=%s text=\"%s\"", facility, text);
    } else {
        log_debug("heard from Kafka's client", "facility=%s text=\"%s\"", facility, text);
    }
}

/* Without this librdkafka logs every try; what matters shows in our own state: not ready, and why. */
static void on_error(rd_kafka_t *handle, int error, const char *reason, void *context) {
    (void)handle;
    (void)context;
    log_debug("heard of an error from Kafka's client", "error=%s reason=\"%s\"",
              rd_kafka_err2name((rd_kafka_resp_err_t)error), reason);
}

static bool set(rd_kafka_conf_t *conf, const char *name, const char *value, char *problem) {
    char why[256];
    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) == RD_KAFKA_CONF_OK) {
        return true;
    }
    snprintf(problem, KAFKA_PROBLEM_BYTES, "kafka.%.100s: %.250s", name, why);
    return false;
}

static bool set_all(rd_kafka_conf_t *conf, const struct property *properties, size_t count, char *problem) {
    for (size_t i = 0; i < count; i++) {
        if (!set(conf, properties[i].name, properties[i].value, problem)) {
            return false;
        }
    }
    return true;
}

static const char *forced_value(const struct property *forced, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(forced[i].name, name) == 0) {
            return forced[i].value;
        }
    }
    return NULL;
}

static bool allowed(const struct kafka_property *property, char *problem) {
    const char *needed =
        forced_value(CONSUMER_FORCED, sizeof CONSUMER_FORCED / sizeof *CONSUMER_FORCED, property->name);
    if (!needed) {
        needed = forced_value(PRODUCER_FORCED, sizeof PRODUCER_FORCED / sizeof *PRODUCER_FORCED, property->name);
    }
    if (needed && strcmp(needed, property->value) != 0) {
        snprintf(problem, KAFKA_PROBLEM_BYTES, "kafka.%s: must be %s, or exactly once would not hold", property->name,
                 needed);
        return false;
    }
    for (size_t i = 0; i < sizeof RESERVED / sizeof *RESERVED; i++) {
        if (strcmp(RESERVED[i], property->name) == 0) {
            snprintf(problem, KAFKA_PROBLEM_BYTES, "kafka.%s: is set by Tidemark itself%s", property->name,
                     i == 0 ? "; use the option 'group'" : "");
            return false;
        }
    }
    return true;
}

static rd_kafka_conf_t *make_conf(const struct config *config, const struct property *defaults, size_t defaults_count,
                                  const struct property *forced, size_t forced_count, char *problem) {
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    bool good = set_all(conf, defaults, defaults_count, problem);
    for (size_t i = 0; good && i < config->kafka_count; i++) {
        good = allowed(&config->kafka[i], problem) && set(conf, config->kafka[i].name, config->kafka[i].value, problem);
    }
    if (!good || !set_all(conf, forced, forced_count, problem)) {
        rd_kafka_conf_destroy(conf);
        return NULL;
    }
    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_conf_set_error_cb(conf, on_error);
    return conf;
}

rd_kafka_conf_t *kafka_consumer_conf(const struct config *config, char *problem) {
    rd_kafka_conf_t *conf = make_conf(config, CONSUMER_DEFAULTS, sizeof CONSUMER_DEFAULTS / sizeof *CONSUMER_DEFAULTS,
                                      CONSUMER_FORCED, sizeof CONSUMER_FORCED / sizeof *CONSUMER_FORCED, problem);
    if (conf && !set(conf, "group.id", config->group, problem)) {
        rd_kafka_conf_destroy(conf);
        return NULL;
    }
    return conf;
}

rd_kafka_conf_t *kafka_producer_conf(const struct config *config, char *problem) {
    rd_kafka_conf_t *conf = make_conf(config, PRODUCER_DEFAULTS, sizeof PRODUCER_DEFAULTS / sizeof *PRODUCER_DEFAULTS,
                                      PRODUCER_FORCED, sizeof PRODUCER_FORCED / sizeof *PRODUCER_FORCED, problem);
    const char *partitioner = config->partitioner == PARTITIONER_CRC32 ? "consistent_random" : "murmur2_random";
    if (conf && !set(conf, "partitioner", partitioner, problem)) {
        rd_kafka_conf_destroy(conf);
        return NULL;
    }
    return conf;
}

/* ---- topics ---- */

struct topics {
    const char *names[TOPICS_MAX]; /* the inputs first; each once */
    size_t count;
};

static void add_topic(struct topics *topics, const char *name) {
    for (size_t i = 0; i < topics->count; i++) {
        if (strcmp(topics->names[i], name) == 0) {
            return;
        }
    }
    ASSERT(topics->count < TOPICS_MAX);
    topics->names[topics->count++] = name;
}

static struct topics all_topics(const struct config *config) {
    struct topics topics = {.count = 0};
    for (int input = 0; input < INPUTS; input++) {
        add_topic(&topics, config->topics[input]);
    }
    for (size_t set = 0; set < model_sets_count(config->model); set++) {
        struct bytes own = model_set_topic(config->model, set);
        add_topic(&topics, own.data ? own.data : config->tier_changes_topic);
    }
    add_topic(&topics, config->dead_letters_topic);
    if (config->customer_scores_topic) {
        add_topic(&topics, config->customer_scores_topic);
    }
    return topics;
}

/* Why no broker can be used, as the client says: "Authentication failed", "Connection refused". */
struct reason {
    char text[256];
};

static void on_reason(rd_kafka_t *handle, int error, const char *text, void *context) {
    struct reason *reason = context;
    on_error(handle, error, text, NULL);
    if (error != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) { /* which says only that there was a reason for each */
        const char *tries = strstr(text, " (after ");   /* how often and how long it tried */
        snprintf(reason->text, sizeof reason->text, "%.*s", tries ? (int)(tries - text) : 255, text);
    }
}

/* `reason` is written to by rd_kafka_poll, as long as the client lives. */
static rd_kafka_t *make_client(const struct config *config, struct reason *reason, char *problem) {
    rd_kafka_conf_t *conf = kafka_producer_conf(config, problem);
    if (conf) {
        rd_kafka_conf_set_opaque(conf, reason);
        rd_kafka_conf_set_error_cb(conf, on_reason);
    }
    rd_kafka_t *client = conf ? rd_kafka_new(RD_KAFKA_PRODUCER, conf, problem, KAFKA_PROBLEM_BYTES) : NULL;
    if (conf && !client) {
        rd_kafka_conf_destroy(conf);
    }
    return client;
}

static const struct rd_kafka_metadata *ask_metadata(const struct config *config, rd_kafka_t *client,
                                                    const struct reason *reason, char *problem) {
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t error = rd_kafka_metadata(client, 1, NULL, &metadata, METADATA_TIMEOUT_MS);
    if (error) {
        const char *servers = "";
        for (size_t i = 0; i < config->kafka_count; i++) {
            servers = strcmp(config->kafka[i].name, "bootstrap.servers") == 0 ? config->kafka[i].value : servers;
        }
        rd_kafka_poll(client, 0); /* calls on_reason */
        snprintf(problem, KAFKA_PROBLEM_BYTES, "Kafka at %.200s cannot be reached: %s", servers,
                 reason->text[0] ? reason->text : rd_kafka_err2str(error));
        return NULL;
    }
    return metadata;
}

/* Partitions of a topic; 0: there is no such topic. */
static int partitions_of(const struct rd_kafka_metadata *metadata, const char *name) {
    for (int i = 0; i < metadata->topic_cnt; i++) {
        if (strcmp(metadata->topics[i].topic, name) == 0) {
            return metadata->topics[i].err ? 0 : metadata->topics[i].partition_cnt;
        }
    }
    return 0;
}

static int check_metadata(const struct config *config, const struct rd_kafka_metadata *metadata, int32_t *partitions,
                          char *problem) {
    struct topics topics = all_topics(config);
    size_t used = 0;
    problem[0] = '\0';
    for (size_t i = 0; i < topics.count; i++) {
        if (partitions_of(metadata, topics.names[i]) == 0 && used < KAFKA_PROBLEM_BYTES - 100) {
            used += (size_t)snprintf(problem + used, KAFKA_PROBLEM_BYTES - used, "%s%.80s",
                                     used ? ", " : "missing topics: ", topics.names[i]);
        }
    }
    if (used > 0) {
        return ERR_REFUSED;
    }
    int counts[INPUTS];
    for (int input = 0; input < INPUTS; input++) {
        counts[input] = partitions_of(metadata, config->topics[input]);
    }
    if (counts[0] != counts[1] || counts[0] != counts[2]) {
        snprintf(problem, KAFKA_PROBLEM_BYTES,
                 "unequal partition counts: %.80s has %d, %.80s %d, %.80s %d; they must be the same", config->topics[0],
                 counts[0], config->topics[1], counts[1], config->topics[2], counts[2]);
        return ERR_REFUSED;
    }
    *partitions = counts[0];
    return 0;
}

static int look_at_topics(const struct config *config, rd_kafka_t *client, const struct reason *reason,
                          int32_t *partitions, char *problem) {
    const struct rd_kafka_metadata *metadata = ask_metadata(config, client, reason, problem);
    int error = metadata ? check_metadata(config, metadata, partitions, problem) : ERR_UNAVAILABLE;
    if (metadata) {
        rd_kafka_metadata_destroy(metadata);
    }
    return error;
}

int kafka_check_topics(const struct config *config, int32_t *partitions, char *problem) {
    rd_kafka_conf_t *consumer = kafka_consumer_conf(config, problem); /* its properties are checked here too */
    struct reason reason = {""};
    rd_kafka_t *client = consumer ? make_client(config, &reason, problem) : NULL;
    if (!client) {
        if (consumer) {
            rd_kafka_conf_destroy(consumer);
        }
        return ERR_REFUSED;
    }
    rd_kafka_conf_destroy(consumer);
    int error = look_at_topics(config, client, &reason, partitions, problem);
    for (int look = 1; error == ERR_REFUSED && look < MISSING_LOOKS; look++) {
        clock_pause_us(MISSING_PAUSE_MS * 1000);
        error = look_at_topics(config, client, &reason, partitions, problem);
    }
    rd_kafka_destroy(client);
    return error;
}

static rd_kafka_resp_err_t ask_committed(rd_kafka_t *consumer, rd_kafka_topic_partition_list_t *all) {
    rd_kafka_resp_err_t error = rd_kafka_committed(consumer, all, OFFSETS_TIMEOUT_MS);
    for (int i = 0; i < all->cnt && !error; i++) {
        error = all->elems[i].err;
    }
    return error;
}

/* A consumer of the group that never joins it: as an admin request the question is not answered where the group's coordinator has yet to
 * be found. */
int kafka_committed_tasks(const struct config *config, int32_t partitions, bool *committed, char *problem) {
    rd_kafka_conf_t *conf = kafka_consumer_conf(config, problem);
    rd_kafka_t *consumer = conf ? rd_kafka_new(RD_KAFKA_CONSUMER, conf, problem, KAFKA_PROBLEM_BYTES) : NULL;
    if (!consumer) {
        if (conf) {
            rd_kafka_conf_destroy(conf);
        }
        return ERR_UNAVAILABLE;
    }
    rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(INPUTS * partitions);
    for (int input = 0; input < INPUTS; input++) {
        rd_kafka_topic_partition_list_add_range(all, config->topics[input], 0, partitions - 1);
    }
    int64_t until_ms = clock_monotonic_ms() + OFFSETS_TIMEOUT_MS;
    rd_kafka_resp_err_t error = ask_committed(consumer, all);
    while (error && clock_monotonic_ms() < until_ms) { /* a coordinator that moves, or has just begun */
        clock_pause_us(OFFSETS_PAUSE_MS * 1000);
        error = ask_committed(consumer, all);
    }
    memset(committed, 0, (size_t)partitions * sizeof *committed);
    for (int i = 0; i < all->cnt && !error; i++) {
        committed[all->elems[i].partition] |= all->elems[i].offset >= 0;
    }
    if (error) {
        snprintf(problem, KAFKA_PROBLEM_BYTES, "cannot read the group's offsets: %s", rd_kafka_err2str(error));
    }
    rd_kafka_topic_partition_list_destroy(all);
    rd_kafka_destroy(consumer);
    return error ? ERR_UNAVAILABLE : 0;
}

static int create(rd_kafka_t *client, rd_kafka_NewTopic_t **wanted, size_t count, char *problem) {
    char why[256];
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_AdminOptions_set_operation_timeout(options, CREATE_TIMEOUT_MS, why, sizeof why);
    rd_kafka_CreateTopics(client, wanted, count, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 2 * CREATE_TIMEOUT_MS);
    int error = 0;
    if (!event || rd_kafka_event_error(event)) {
        snprintf(problem, KAFKA_PROBLEM_BYTES, "cannot create topics: %s",
                 event ? rd_kafka_event_error_string(event) : "no answer");
        error = ERR_UNAVAILABLE;
    }
    size_t results_count = 0;
    const rd_kafka_topic_result_t **results =
        error ? NULL : rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &results_count);
    for (size_t i = 0; i < results_count; i++) {
        rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[i]);
        if (code && code != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
            snprintf(problem, KAFKA_PROBLEM_BYTES, "cannot create topic %.100s: %.200s",
                     rd_kafka_topic_result_name(results[i]), rd_kafka_topic_result_error_string(results[i]));
            error = ERR_REFUSED;
        }
    }
    if (event) {
        rd_kafka_event_destroy(event);
    }
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    return error;
}

static rd_kafka_NewTopic_t *new_topic(const struct config *config, const char *name, int32_t partitions) {
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(name, partitions, -1, NULL, 0);
    if (config->customer_scores_topic && strcmp(name, config->customer_scores_topic) == 0) {
        rd_kafka_NewTopic_set_config(topic, "cleanup.policy", "compact");
    }
    return topic;
}

int kafka_create_topics(const struct config *config, int32_t partitions, char *problem) {
    struct reason reason = {""};
    rd_kafka_t *client = make_client(config, &reason, problem);
    if (!client) {
        return ERR_REFUSED;
    }
    const struct rd_kafka_metadata *metadata = ask_metadata(config, client, &reason, problem);
    if (!metadata) {
        rd_kafka_destroy(client);
        return ERR_UNAVAILABLE;
    }
    struct topics topics = all_topics(config);
    rd_kafka_NewTopic_t *wanted[TOPICS_MAX];
    size_t count = 0;
    for (int input = 0; input < INPUTS; input++) { /* new inputs get as many partitions as those that are there */
        int present = partitions_of(metadata, config->topics[input]);
        partitions = present > 0 ? present : partitions;
    }
    for (size_t i = 0; i < topics.count; i++) {
        if (partitions_of(metadata, topics.names[i]) == 0) {
            wanted[count++] = new_topic(config, topics.names[i], partitions);
        }
    }
    int error = count > 0 ? create(client, wanted, count, problem) : 0;
    rd_kafka_NewTopic_destroy_array(wanted, count);
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_destroy(client);
    return error;
}

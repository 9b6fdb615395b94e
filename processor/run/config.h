/* The configuration: one YAML file with those that it includes, bound to one struct, every value checked.
 *
 * The names are those of config/sample.yaml. An unknown key is an error that names the nearest known one;
 * every problem is reported with its file, line and column, as many as can be found in one go. */
#ifndef TIDEMARK_RUN_CONFIG_H
#define TIDEMARK_RUN_CONFIG_H

#include "base/log_format.h"
#include "ingest/decode.h"
#include "publish/encode.h"
#include "score/model.h"
#include "state/redis_store.h"

struct kafka_property {
    const char *name;
    const char *value;
};

struct node;

struct config {
    struct arena arena; /* owns every string and the model */
    const char *path;
    const struct node *root; /* everything as it was read (config_node.h) */
    bool from_file;          /* it can be read again */
    const char *const *overrides;
    size_t overrides_count;

    const char *group;
    const struct kafka_property *kafka; /* passed to librdkafka as they are */
    size_t kafka_count;

    const char *topics[INPUTS]; /* by enum input */
    const char *tier_changes_topic;
    const char *dead_letters_topic;
    const char *customer_scores_topic; /* NULL: none */

    enum decode_format format;
    enum output_format output_format;
    int delivery;      /* as written */
    bool exactly_once; /* delivery */
    int misrouted;
    bool misrouted_reject;
    enum partitioner partitioner;
    int clock;
    bool clock_event; /* clock: event */

    struct redis_options redis;
    int64_t redis_connect_ms; /* bound here first, then told to redis */
    int64_t redis_command_ms;
    int workers;

    size_t cache_bytes; /* state.cache */
    struct zone zone;
    const char *time_zone;
    int64_t max_future_ms;
    int64_t merge_wait_ms; /* state.merge_wait, 30 s: how long the merge waits for a partition whose end is unknown */
    size_t dedupe;         /* state.dedupe, 16 */
    int64_t ranked_refresh_ms; /* populations.refresh, 1 h */
    size_t ranked_minimum;     /* populations.minimum, 100 */
    size_t tiles_max;          /* state.tiles, 128 */
    bool rebuild; /* state.rebuild, false: start anew where the stored state is gone but Kafka has commits */

    const char *http_host;  /* NULL: no HTTP */
    int http_port;          /* 0: any free one */
    const char *http_token; /* NULL: none */

    enum log_format log_format;
    const char *customer_key; /* NULL: customer_hash.h makes one */

    const char *currency_base;
    struct currency_rate *currencies; /* the base first */
    size_t currencies_count;

    int ces;                      /* as written */
    int64_t frequent_interval_ms; /* bound here first, then told to scoring */
    struct scoring_options scoring;

    const struct model *model;
};

enum { CONFIG_PROBLEMS_MAX = 32, CONFIG_FILES_MAX = 64, CONFIG_PATH_BYTES = 1024 };

struct config_problem {
    char file[CONFIG_PATH_BYTES]; /* one that is included; empty: the configuration itself */
    int line;                     /* 0: not from a file (an override, the environment) */
    int column;
    char message[480];
};

/* A file that is being read. Lines count on from file to file, so that one number tells the file too. */
struct config_file {
    const char *path;
    int lines_before; /* of the files before it */
    int lines;
};

struct config_problems {
    struct config_problem items[CONFIG_PROBLEMS_MAX];
    size_t count;
    struct config_file files[CONFIG_FILES_MAX]; /* while reading: the configuration itself, then what it includes */
    size_t files_count;
};

/* Reads with what is included, expands ${NAME} and ${file:PATH}, applies overrides ("kafka.bootstrap.servers=..."), binds, checks and compiles.
 * Returns NULL with at least one problem. config_destroy frees. */
struct config *config_load(const char *path, const char *const *overrides, size_t overrides_count,
                           struct config_problems *problems);
/* The same from text (tests, demo). */
struct config *config_parse(const char *name, struct bytes text, const char *const *overrides, size_t overrides_count,
                            struct config_problems *problems);
/* Reads the file of a running configuration again, with the same overrides; the result must not outlive the running one, whose time
 * zone it has (libc loads another only while there is one thread). NULL with at least one problem. */
struct config *config_load_again(const struct config *running, struct config_problems *problems);
void config_destroy(struct config *config); /* accepts NULL */
/* Prints problems as "FILE:LINE:COLUMN: message" lines on standard error. */
void config_print_problems(const char *path, const struct config_problems *problems);

struct decoder config_decoder(const struct config *config);
struct encoder config_encoder(const struct config *config);

#endif

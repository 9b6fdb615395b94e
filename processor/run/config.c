#include "run/config.h"

#include "run/config_include.h"
#include "run/config_options.h"
#include "run/config_units.h"
#include "run/time_zone.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    ARENA_BYTES_MAX = 268435456, /* for the trees of the largest files, and their model */
    KEY_PART_BYTES_MAX = 200,
    WORKERS_MAX = 256,
};

static void bind_kafka(struct config *config, const struct node *root, struct config_problems *problems) {
    const struct node *map =
        config_optional_map(problems, node_child(root, "kafka"), "kafka", "{bootstrap.servers: \"host:9092\"}");
    size_t count = map ? node_count(map) : 0;
    struct kafka_property *properties = arena_alloc_zero(&config->arena, (count + 1) * sizeof *properties);
    ASSERT(properties);
    bool bootstrap = false;
    for (const struct node *child = map ? map->children : NULL; child; child = child->next) {
        if (child->kind != NODE_SCALAR) {
            config_problem(problems, child->line, child->column, "kafka.%.80s: expected one value", child->key.data);
            continue;
        }
        bootstrap |= bytes_equal_text(child->key, "bootstrap.servers");
        properties[config->kafka_count++] = (struct kafka_property){child->key.data, child->text.data};
    }
    if (!bootstrap) {
        properties[config->kafka_count++] = (struct kafka_property){"bootstrap.servers", "127.0.0.1:9092"};
    }
    config->kafka = properties;
}

static bool is_loopback(const char *host) {
    struct in_addr address;
    bool is_internet = inet_pton(AF_INET, host, &address) == 1; /* "127.example.com" is a name, and may lead anywhere */
    return (is_internet && ntohl(address.s_addr) >> 24 == 127) || strcmp(host, "localhost") == 0 ||
           strcmp(host, "::1") == 0;
}

static void bind_http(struct config *config, const struct node *root, struct config_problems *problems) {
    const struct node *section = node_child(root, "http");
    const struct node *node = section ? node_child(section, "listen") : NULL;
    struct bytes text = node ? node->text : bytes_of_text("127.0.0.1:8080");
    char host[256];
    if (bytes_equal_text(text, "off")) {
        return;
    }
    if (!parse_address(text, host, &config->http_port)) {
        config_problem(problems, node ? node->line : 0, node ? node->column : 0,
                       "http.listen: expected HOST:PORT or off, not '%.60s'", text.data);
        return;
    }
    config->http_host = arena_copy(&config->arena, bytes_of_text(host)).data;
    if (!is_loopback(config->http_host) && !config->http_token) {
        config_problem(problems, node ? node->line : 0, node ? node->column : 0,
                       "http.listen: %s can be reached by others: set http.token, or listen on 127.0.0.1",
                       config->http_host);
    }
}

static void bind_durability(struct config *config, const struct node *root, struct config_problems *problems) {
    const struct node *section = node_child(root, "redis");
    const struct node *node = section ? node_child(section, "durability") : NULL;
    int64_t replicas = 0;
    if (!node || bytes_equal_text(node->text, "memory")) {
        config->redis.durability = DURABILITY_MEMORY;
    } else if (bytes_equal_text(node->text, "fsync")) {
        config->redis.durability = DURABILITY_FSYNC;
    } else if (node->text.size > 9 && strncmp(node->text.data, "replicas:", 9) == 0 &&
               parse_whole(bytes_of(node->text.data + 9, node->text.size - 9), &replicas) && replicas > 0 &&
               replicas < 100) {
        config->redis.durability = DURABILITY_REPLICAS;
        config->redis.replicas = (int)replicas;
    } else {
        config_problem(problems, node->line, node->column,
                       "redis.durability: expected memory, fsync or replicas:N, not '%.60s'", node->text.data);
    }
}

static void check_key_part(const char *name, const char *text, struct config_problems *problems) {
    if (strlen(text) > KEY_PART_BYTES_MAX || strpbrk(text, "{}/ \t\r\n")) {
        config_problem(problems, 0, 0,
                       "%s: at most %d bytes without braces, slashes and spaces: it becomes part of keys and ids", name,
                       KEY_PART_BYTES_MAX);
    }
}

/* "HOST/PROCESS": under which tasks of this process show for people. */
static const char *owner_name(struct arena *arena) {
    char host[64] = "";
    char name[96];
    if (gethostname(host, sizeof host - 1)) {
        snprintf(host, sizeof host, "unknown");
    }
    int size = snprintf(name, sizeof name, "%s/%ld", host, (long)getpid());
    return arena_copy(arena, bytes_of(name, (size_t)size + 1)).data;
}

static int bind_zone(struct config *config, const struct config *running) {
    if (!running) {
        return time_zone_load(&config->arena, config->time_zone, &config->zone);
    }
    config->zone = running->zone;
    return time_zone_is_known(config->time_zone) ? 0 : ERR_NOT_FOUND;
}

static void check_not_read(const struct config *config, const char *topic, struct config_problems *problems) {
    for (int input = 0; input < INPUTS; input++) {
        if (strcmp(topic, config->topics[input]) == 0) {
            config_problem(problems, 0, 0, "topics: '%.80s' is both read and written; outputs have topics of their own",
                           topic);
        }
    }
}

/* Where tier changes or dead letters go: nothing of which may be compacted away. */
static void check_output(const struct config *config, const char *topic, struct config_problems *problems) {
    check_not_read(config, topic, problems);
    if (config->customer_scores_topic && strcmp(topic, config->customer_scores_topic) == 0) {
        config_problem(
            problems, 0, 0,
            "topics.customer_scores: '%.80s' has other records, too; this one is compacted, and needs its own", topic);
    }
}

static void check_topics(const struct config *config, struct config_problems *problems) {
    for (int input = 0; input < INPUTS; input++) {
        for (int other = 0; other < input; other++) {
            if (strcmp(config->topics[input], config->topics[other]) == 0) {
                config_problem(problems, 0, 0, "topics: '%.80s' is named twice; each kind of event has its own topic",
                               config->topics[input]);
            }
        }
    }
    if (config->customer_scores_topic) {
        check_not_read(config, config->customer_scores_topic, problems);
    }
    check_output(config, config->dead_letters_topic, problems);
    check_output(config, config->tier_changes_topic, problems);
    for (size_t set = 0; config->model && set < model_sets_count(config->model); set++) {
        struct bytes own = model_set_topic(config->model, set);
        if (own.data && !bytes_equal_text(own, config->tier_changes_topic)) {
            check_output(config, own.data, problems);
        }
    }
}

static void bind_rest(struct config *config, const struct node *root, const struct config *running,
                      struct config_problems *problems) {
    bind_kafka(config, root, problems);
    bind_http(config, root, problems);
    bind_durability(config, root, problems);
    check_key_part("group", config->group, problems);
    check_key_part("redis.key_prefix", config->redis.key_prefix, problems);
    config->exactly_once = config->delivery == 1;
    config->misrouted_reject = config->misrouted == 1;
    config->clock_event = config->clock == 1;
    config->redis.group = config->group;
    config->redis.owner = owner_name(&config->arena);
    config->redis.connect_timeout_ms = (int)config->redis_connect_ms;
    config->redis.command_timeout_ms = (int)config->redis_command_ms;
    if (config->workers == 0) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        config->workers = cores < 1 ? 1 : cores > WORKERS_MAX ? WORKERS_MAX : (int)cores;
    }
    if (bind_zone(config, running)) {
        config->zone = zone_utc;
        config_problem(problems, 0, 0,
                       "state.time_zone: this machine knows no zone '%.60s' (names are like Europe/Berlin)",
                       config->time_zone);
    }
    config_bind_currencies(config, root, problems);
    config_bind_lifetime_value(config, root, problems);
    config_bind_behaviour(config, root, problems);
    config_compile_model(config, root, problems);
    check_topics(config, problems);
}

static void keep_overrides(struct config *config, const char *const *overrides, size_t count) {
    const char **kept = arena_alloc(&config->arena, (count + 1) * sizeof *kept);
    ASSERT(kept);
    for (size_t i = 0; i < count; i++) {
        kept[i] = arena_copy(&config->arena, bytes_of_text(overrides[i])).data;
        ASSERT(kept[i]);
    }
    config->overrides = kept;
    config->overrides_count = count;
}

/* running: NULL at the start of the process. */
static struct config *parse(const char *name, struct bytes text, const char *const *overrides, size_t overrides_count,
                            const struct config *running, struct config_problems *problems) {
    struct config *config = calloc(1, sizeof *config);
    ASSERT(config);
    arena_init(&config->arena, ARENA_BYTES_MAX);
    config->path = arena_copy(&config->arena, bytes_of_text(name)).data;
    keep_overrides(config, overrides, overrides_count);
    config->scoring = scoring_options_default();
    struct node *root = config_read_tree(&config->arena, config->path, text, overrides, overrides_count, problems);
    config->root = root;
    if (root) {
        config_bind(config, root, problems);
        bind_rest(config, root, running, problems);
    }
    problems->files_count = 0; /* their paths go with the arena */
    if (problems->count > 0) {
        config_destroy(config);
        return NULL;
    }
    return config;
}

struct config *config_parse(const char *name, struct bytes text, const char *const *overrides, size_t overrides_count,
                            struct config_problems *problems) {
    return parse(name, text, overrides, overrides_count, NULL, problems);
}

static struct config *load(const char *path, const char *const *overrides, size_t overrides_count,
                           const struct config *running, struct config_problems *problems) {
    struct buffer text = {0};
    struct config *config = NULL;
    const char *problem = config_read_bytes(path, &text);
    if (problem) {
        config_problem(problems, 0, 0, "cannot read it: %s", problem);
    } else {
        config = parse(path, buffer_bytes(&text), overrides, overrides_count, running, problems);
    }
    buffer_finish(&text);
    if (config) {
        config->from_file = true;
    }
    return config;
}

struct config *config_load(const char *path, const char *const *overrides, size_t overrides_count,
                           struct config_problems *problems) {
    return load(path, overrides, overrides_count, NULL, problems);
}

struct config *config_load_again(const struct config *running, struct config_problems *problems) {
    return load(running->path, running->overrides, running->overrides_count, running, problems);
}

void config_destroy(struct config *config) {
    if (config) {
        arena_finish(&config->arena);
        free(config);
    }
}

void config_print_problems(const char *path, const struct config_problems *problems) {
    for (size_t i = 0; i < problems->count; i++) {
        const struct config_problem *problem = &problems->items[i];
        if (problem->line > 0) {
            fprintf(stderr, "%s:%d:%d: %s\n", problem->file[0] ? problem->file : path, problem->line, problem->column,
                    problem->message);
        } else {
            fprintf(stderr, "%s: %s\n", path, problem->message);
        }
    }
}

struct decoder config_decoder(const struct config *config) {
    return (struct decoder){
        .format = config->format,
        .currencies = config->currencies,
        .currencies_count = config->currencies_count,
        .max_future_ms = config->max_future_ms,
    };
}

struct encoder config_encoder(const struct config *config) {
    return (struct encoder){
        .format = config->output_format,
        .group = bytes_of_text(config->group),
        .tier_changes = bytes_of_text(config->tier_changes_topic),
        .dead_letters = bytes_of_text(config->dead_letters_topic),
        .customer_scores =
            config->customer_scores_topic ? bytes_of_text(config->customer_scores_topic) : (struct bytes){NULL, 0},
        .model = config->model,
    };
}

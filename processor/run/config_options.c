#include "run/config_options.h"

#include "run/config_units.h"

#include <stdio.h>

_Static_assert(sizeof(enum decode_format) == sizeof(int) && sizeof(enum output_format) == sizeof(int) &&
                   sizeof(enum partitioner) == sizeof(int) && sizeof(enum log_format) == sizeof(int),
               "a choice is written as an int");

#define AT(member) offsetof(struct config, member)

const struct option CONFIG_OPTIONS[] = {
    {"include", OPTION_SPECIAL, 0, NULL, NULL, 0, 0, "files with scores and tier sets"},
    {"group", OPTION_TEXT, AT(group), "tidemark", NULL, 0, 0, "consumer group; also the name space of the state"},
    {"kafka", OPTION_SPECIAL, 0, NULL, NULL, 0, 0, "any property of librdkafka"},
    {"topics", OPTION_SECTION, 0, NULL, NULL, 0, 0, ""},
    {"topics.purchases", OPTION_TEXT, AT(topics[INPUT_PURCHASES]), "purchases", NULL, 0, 0, ""},
    {"topics.interactions", OPTION_TEXT, AT(topics[INPUT_INTERACTIONS]), "interactions", NULL, 0, 0, ""},
    {"topics.feedback", OPTION_TEXT, AT(topics[INPUT_FEEDBACK]), "feedback", NULL, 0, 0, ""},
    {"topics.tier_changes", OPTION_TEXT, AT(tier_changes_topic), "tier-changes", NULL, 0, 0,
     "of sets without their own"},
    {"topics.dead_letters", OPTION_TEXT, AT(dead_letters_topic), "dead-letters", NULL, 0, 0, ""},
    {"topics.customer_scores", OPTION_TEXT, AT(customer_scores_topic), NULL, NULL, 0, 0,
     "compacted: how each customer stands after its latest tier change; default: none"},
    {"format", OPTION_CHOICE, AT(format), "protobuf", "protobuf|json|confluent-protobuf", 0, 0, "of events"},
    {"output_format", OPTION_CHOICE, AT(output_format), "json", "json|protobuf", 0, 0, "of tier changes"},
    {"delivery", OPTION_CHOICE, AT(delivery), "exactly_once", "at_least_once|exactly_once", 0, 0, ""},
    {"misrouted", OPTION_CHOICE, AT(misrouted), "accept", "accept|reject", 0, 0, "keys that hash to another partition"},
    {"partitioner", OPTION_CHOICE, AT(partitioner), "murmur2", "murmur2|crc32", 0, 0, "what the producers use"},
    {"redis", OPTION_SECTION, 0, NULL, NULL, 0, 0, ""},
    {"redis.url", OPTION_TEXT, AT(redis.url), "redis://127.0.0.1:6379/0", NULL, 0, 0, "redis://, rediss:// or unix://"},
    {"redis.username", OPTION_TEXT, AT(redis.username), NULL, NULL, 0, 0, ""},
    {"redis.password", OPTION_SECRET, AT(redis.password), NULL, NULL, 0, 0, ""},
    {"redis.ca_file", OPTION_TEXT, AT(redis.ca_file), NULL, NULL, 0, 0, "rediss: instead of the system's certificates"},
    {"redis.cert_file", OPTION_TEXT, AT(redis.cert_file), NULL, NULL, 0, 0, "rediss: our certificate"},
    {"redis.key_file", OPTION_TEXT, AT(redis.key_file), NULL, NULL, 0, 0, "rediss: its key"},
    {"redis.key_prefix", OPTION_TEXT, AT(redis.key_prefix), "tm", NULL, 0, 0, ""},
    {"redis.durability", OPTION_SPECIAL, 0, "memory", NULL, 0, 0, "memory, fsync or replicas:N"},
    {"redis.connect_timeout", OPTION_DURATION, AT(redis_connect_ms), "5s", NULL, 1000, 600000, ""},
    {"redis.command_timeout", OPTION_DURATION, AT(redis_command_ms), "10s", NULL, 1000, 600000, ""},
    {"workers", OPTION_WHOLE, AT(workers), "0", NULL, 0, 256, "threads; 0: one per core"},
    {"state", OPTION_SECTION, 0, NULL, NULL, 0, 0, ""},
    {"state.cache", OPTION_SIZE, AT(cache_bytes), "256MiB", NULL, 1048576, 1e13, "decoded customers, of all workers"},
    {"state.time_zone", OPTION_TEXT, AT(time_zone), "UTC", NULL, 0, 0, "in which days begin"},
    {"state.max_future", OPTION_DURATION, AT(max_future_ms), "5m", NULL, 0, 1e12,
     "events further ahead are dead letters"},
    {"state.merge_wait", OPTION_DURATION, AT(merge_wait_ms), "30s", NULL, 100, 1e9,
     "for a partition whose end is unknown"},
    {"state.dedupe", OPTION_COUNT, AT(dedupe), "16", NULL, 0, 4096, "event ids remembered per customer"},
    {"state.tiles", OPTION_COUNT, AT(tiles_max), "128", NULL, 8, 4096, "days remembered per customer"},
    {"state.rebuild", OPTION_FLAG, AT(rebuild), "false", NULL, 0, 0, "start anew where the state is lost"},
    {"clock", OPTION_CHOICE, AT(clock), "wall", "wall|event", 0, 0, ""},
    {"http", OPTION_SECTION, 0, NULL, NULL, 0, 0, ""},
    {"http.listen", OPTION_SPECIAL, 0, "127.0.0.1:8080", NULL, 0, 0, "HOST:PORT, or off"},
    {"http.token", OPTION_SECRET, AT(http_token), NULL, NULL, 0, 0, "required on any address but loopback"},
    {"log", OPTION_SECTION, 0, NULL, NULL, 0, 0, ""},
    {"log.format", OPTION_CHOICE, AT(log_format), "logfmt", "logfmt|json", 0, 0, "of the lines on standard error"},
    {"log.customer_key", OPTION_SECRET, AT(customer_key), NULL, NULL, 0, 0,
     "of the hashes that stand for customer ids; default: another one at every start"},
    {"currency", OPTION_SECTION, 0, NULL, NULL, 0, 0, ""},
    {"currency.base", OPTION_TEXT, AT(currency_base), "EUR", NULL, 0, 0, ""},
    {"currency.rates", OPTION_SPECIAL, 0, NULL, NULL, 0, 0, "of one unit in the base currency"},
    {"populations", OPTION_SECTION, 0, NULL, NULL, 0, 0, ""},
    {"populations.refresh", OPTION_DURATION, AT(ranked_refresh_ms), "1h", NULL, 1000, 1e12,
     "how often cut points are made"},
    {"populations.minimum", OPTION_COUNT, AT(ranked_minimum), "100", NULL, 1, 1e12,
     "customers below whom there are no cut points"},
    {"lifetime_value", OPTION_SPECIAL, 0, NULL, NULL, 0, 0, "parameters of the models; see tidemark fit"},
    {"feedback", OPTION_SECTION, 0, NULL, NULL, 0, 0, ""},
    {"feedback.ces", OPTION_CHOICE, AT(ces), "mean", "mean|share", 0, 0, "what ces(w) is"},
    {"behaviour", OPTION_SECTION, 0, NULL, NULL, 0, 0, ""},
    {"behaviour.frequent_interval", OPTION_DURATION, AT(frequent_interval_ms), "45d", NULL, 0, 1e12,
     "mean interval up to which a customer is frequent"},
    {"behaviour.rising_below", OPTION_NUMBER, AT(scoring.rising_below), "500", NULL, 0, 1e15,
     "revenue up to which rising(w) calls a customer small"},
    {"points", OPTION_SECTION, 0, NULL, NULL, 0, 0, ""},
    {"points.per_unit", OPTION_NUMBER, AT(scoring.points.per_unit), "1", NULL, 0, 1e6, "for each major unit of money"},
    {"points.events", OPTION_SPECIAL, 0, NULL, NULL, 0, 0, "per event, by kind; default 0"},
    {"points.multipliers", OPTION_SPECIAL, 0, NULL, NULL, 0, 0, "by set and tier; default 1"},
    {"engagement", OPTION_SECTION, 0, NULL, NULL, 0, 0, ""},
    {"engagement.half_life", OPTION_DURATION, AT(scoring.engagement.half_life_ms), "14d", NULL, 60000, 1e12, ""},
    {"engagement.weights", OPTION_SPECIAL, 0, NULL, NULL, 0, 0, "per interaction kind; default 1"},
    {"scores", OPTION_SPECIAL, 0, NULL, NULL, 0, 0, ""},
    {"tier_sets", OPTION_SPECIAL, 0, NULL, NULL, 0, 0, ""},
};
const size_t CONFIG_OPTIONS_COUNT = sizeof CONFIG_OPTIONS / sizeof *CONFIG_OPTIONS;

enum { NAMES_MAX = 64, NAME_BYTES = 128 };

static void wrong(struct config_problems *problems, const struct node *node, const struct option *option,
                  const char *wanted) {
    config_problem(problems, node->line, node->column, "%s: expected %s, not '%.60s'", option->name, wanted,
                   node->text.data);
}

static void *member(struct config *config, const struct option *option) {
    return (char *)config + option->offset;
}

/* The number of the choice, or -1. */
static int choice_of(const char *choices, struct bytes text) {
    int number = 0;
    for (const char *at = choices; *at; number++) {
        size_t size = strcspn(at, "|");
        if (bytes_equal(text, bytes_of(at, size))) {
            return number;
        }
        at += size + (at[size] == '|');
    }
    return -1;
}

static void bind_choice(struct config *config, const struct option *option, const struct node *node,
                        struct config_problems *problems) {
    int choice = choice_of(option->choices, node->text);
    if (choice < 0) {
        char wanted[120];
        snprintf(wanted, sizeof wanted, "one of %s", option->choices);
        wrong(problems, node, option, wanted);
        return;
    }
    *(int *)member(config, option) = choice;
}

static void bind_whole(struct config *config, const struct option *option, const struct node *node,
                       struct config_problems *problems) {
    int64_t number = 0;
    size_t size = 0;
    bool duration = option->kind == OPTION_DURATION;
    bool bytes = option->kind == OPTION_SIZE;
    if (duration ? !parse_duration(node->text, &number)
        : bytes  ? !parse_size(node->text, &size)
                 : !parse_whole(node->text, &number)) {
        wrong(problems, node, option,
              duration ? "a duration like 250ms, 5s, 10m, 2h or 14d"
              : bytes  ? "a size like 64MiB or 2GiB"
                       : "a whole number");
        return;
    }
    double value = bytes ? (double)size : (double)number;
    if (value < option->least || value > option->most) {
        char wanted[120];
        snprintf(wanted, sizeof wanted, "at least %.0f%s and at most %.0f%s", option->least, duration ? "ms" : "",
                 option->most, duration ? "ms" : "");
        wrong(problems, node, option, wanted);
        return;
    }
    if (option->kind == OPTION_WHOLE) {
        *(int *)member(config, option) = (int)number;
    } else if (duration) {
        *(int64_t *)member(config, option) = number;
    } else {
        *(size_t *)member(config, option) = bytes ? size : (size_t)number;
    }
}

static void bind_number(struct config *config, const struct option *option, const struct node *node,
                        struct config_problems *problems) {
    double number;
    if (!parse_number(node->text, &number) || number < option->least || number > option->most) {
        char wanted[120];
        snprintf(wanted, sizeof wanted, "a number from %.0f to %.0f", option->least, option->most);
        wrong(problems, node, option, wanted);
        return;
    }
    *(double *)member(config, option) = number;
}

static void bind_value(struct config *config, const struct option *option, const struct node *node,
                       struct config_problems *problems) {
    switch (option->kind) {
    case OPTION_SECTION:
    case OPTION_SPECIAL:
        break;
    case OPTION_TEXT:
    case OPTION_SECRET:
        *(const char **)member(config, option) = node->text.data;
        if (strlen(node->text.data) != node->text.size || node->text.size == 0) {
            wrong(problems, node, option, "a text that is not empty");
        }
        break;
    case OPTION_FLAG:
        if (!parse_flag(node->text, member(config, option))) {
            wrong(problems, node, option, "true or false");
        }
        break;
    case OPTION_CHOICE:
        bind_choice(config, option, node, problems);
        break;
    case OPTION_WHOLE:
    case OPTION_COUNT:
    case OPTION_SIZE:
    case OPTION_DURATION:
        bind_whole(config, option, node, problems);
        break;
    case OPTION_NUMBER:
        bind_number(config, option, node, problems);
        break;
    }
}

static const struct option *find_option(const char *name) {
    for (size_t i = 0; i < CONFIG_OPTIONS_COUNT; i++) {
        if (strcmp(CONFIG_OPTIONS[i].name, name) == 0) {
            return &CONFIG_OPTIONS[i];
        }
    }
    return NULL;
}

static void unknown(struct config_problems *problems, const struct node *node, const char *section) {
    const char *names[NAMES_MAX];
    size_t count = 0;
    size_t prefix = strlen(section);
    for (size_t i = 0; i < CONFIG_OPTIONS_COUNT && count < NAMES_MAX; i++) {
        const char *name = CONFIG_OPTIONS[i].name;
        const char *own = prefix ? name + prefix + 1 : name;
        if ((prefix == 0 || (strncmp(name, section, prefix) == 0 && name[prefix] == '.')) && !strchr(own, '.')) {
            names[count++] = own;
        }
    }
    config_unknown_key(problems, node, section, names, count);
}

static void bind_section(struct config *config, const struct node *map, const char *section,
                         struct config_problems *problems) {
    for (const struct node *child = map->children; child; child = child->next) {
        char name[NAME_BYTES];
        snprintf(name, sizeof name, "%s%s%.80s", section, section[0] ? "." : "", child->key.data);
        const struct option *option = find_option(name);
        if (!option) {
            unknown(problems, child, section);
        } else if (option->kind == OPTION_SECTION && child->kind == NODE_MAP) {
            bind_section(config, child, option->name, problems);
        } else if (option->kind == OPTION_SECTION && (child->kind == NODE_LIST || child->text.size > 0)) {
            config_problem(problems, child->line, child->column, "%s holds other options: expected a map", name);
        } else if (option->kind != OPTION_SPECIAL && option->kind != OPTION_SECTION && child->kind != NODE_SCALAR) {
            config_problem(problems, child->line, child->column, "%s: expected one value", name);
        } else {
            bind_value(config, option, child, problems);
        }
    }
}

void config_bind(struct config *config, const struct node *root, struct config_problems *problems) {
    for (size_t i = 0; i < CONFIG_OPTIONS_COUNT; i++) {
        const struct option *option = &CONFIG_OPTIONS[i];
        if (option->otherwise) {
            struct node value = {.kind = NODE_SCALAR, .text = bytes_of_text(option->otherwise)};
            bind_value(config, option, &value, problems);
        }
    }
    bind_section(config, root, "", problems);
}

/* tidemark: the command line. Each command has its own options; all of them know --help and --version. */
#include "base/clock.h"
#include "base/log.h"
#include "run/commands.h"
#include "run/config_units.h"
#include "run/customer_hash.h"
#include "run/generate.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

enum { OVERRIDES_MAX = 256 };

enum key {
    KEY_SET = 256,
    KEY_CUSTOMERS,
    KEY_EVENTS,
    KEY_SEED,
    KEY_RATE,
    KEY_DAYS,
    KEY_END,
    KEY_PARTITIONS,
    KEY_AT,
    KEY_KAFKA,
    KEY_REDIS,
    KEY_SPEED
};

struct arguments {
    const char *config_path;
    const char *overrides[OVERRIDES_MAX];
    size_t overrides_count;
    bool takes_files;
    char **files; /* the rest of the command line */
    int files_count;
    struct generate_options generate;
    int64_t at_ms;
    struct demo_options demo;
};

static int64_t whole(struct argp_state *state, const char *text, int64_t least, int64_t most) {
    int64_t number;
    if (!parse_whole(bytes_of_text(text), &number) || number < least || number > most) {
        argp_error(state, "'%s' is not a whole number from %lld to %lld", text, (long long)least, (long long)most);
    }
    return number;
}

static double decimal(struct argp_state *state, const char *text) {
    double number;
    if (!parse_number(bytes_of_text(text), &number) || number < 0) {
        argp_error(state, "'%s' is not a number from 0", text);
    }
    return number;
}

static error_t parse_option(int key, char *text, struct argp_state *state) {
    struct arguments *arguments = state->input;
    switch (key) {
    case 'c':
        arguments->config_path = text;
        return 0;
    case 'v':
        log_set_level(LOG_DEBUG);
        return 0;
    case KEY_SET:
        if (arguments->overrides_count == OVERRIDES_MAX) {
            argp_error(state, "more than %d times --set", OVERRIDES_MAX);
        }
        arguments->overrides[arguments->overrides_count++] = text;
        return 0;
    case KEY_CUSTOMERS:
        arguments->generate.customers = whole(state, text, 1, GENERATOR_CUSTOMERS_MAX);
        arguments->demo.customers = arguments->generate.customers;
        return 0;
    case KEY_EVENTS:
        arguments->generate.events = whole(state, text, 0, INT64_C(1000000000000));
        return 0;
    case KEY_SEED:
        arguments->generate.seed = (uint64_t)whole(state, text, 0, INT64_MAX);
        arguments->demo.seed = arguments->generate.seed;
        return 0;
    case KEY_RATE:
        arguments->generate.rate = decimal(state, text);
        return 0;
    case KEY_DAYS:
        arguments->generate.days = (int)whole(state, text, 1, GENERATOR_DAYS_MAX);
        return 0;
    case KEY_END:
        arguments->generate.end_ms = whole(state, text, 0, INT64_C(4102444800000)); /* 2100 */
        return 0;
    case KEY_PARTITIONS:
        arguments->generate.partitions = (int32_t)whole(state, text, 1, 10000);
        return 0;
    case KEY_AT:
        arguments->at_ms = whole(state, text, 0, INT64_C(4102444800000));
        return 0;
    case KEY_KAFKA:
        arguments->demo.kafka = text;
        return 0;
    case KEY_REDIS:
        arguments->demo.redis = text;
        return 0;
    case KEY_SPEED:
        arguments->demo.speed = decimal(state, text);
        return 0;
    case ARGP_KEY_ARGS:
        if (!arguments->takes_files) {
            return ARGP_ERR_UNKNOWN;
        }
        arguments->files = state->argv + state->next;
        arguments->files_count = state->argc - state->next;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

#define CONFIG_OPTIONS_OF_ALL                                                                                          \
    {"config", 'c', "FILE", 0, "the configuration (config/sample.yaml shows every option)", 0},                        \
        {"set", KEY_SET, "KEY=VALUE", 0, "override an option, e.g. kafka.bootstrap.servers=...", 0}, {                 \
        "verbose", 'v', NULL, 0, "log at debug level", 0                                                               \
    }

static const struct argp_option PLAIN[] = {CONFIG_OPTIONS_OF_ALL, {0}};
static const struct argp_option GENERATE[] = {
    CONFIG_OPTIONS_OF_ALL,
    {"customers", KEY_CUSTOMERS, "N", 0, "customers (default 1000)", 1},
    {"events", KEY_EVENTS, "N", 0, "exactly so many events (default: as many as come)", 1},
    {"seed", KEY_SEED, "S", 0, "the same seed gives the same events (default 1)", 1},
    {"rate", KEY_RATE, "R", 0, "events a second (default: as fast as possible)", 1},
    {"days", KEY_DAYS, "D", 0, "length of the history (default 365)", 1},
    {"end", KEY_END, "MS", 0, "its last instant, ms since 1970 UTC (default: now)", 1},
    {"partitions", KEY_PARTITIONS, "N", 0, "of topics that do not exist yet (default 4)", 1},
    {0},
};
static const struct argp_option GET[] = {
    CONFIG_OPTIONS_OF_ALL,
    {"at", KEY_AT, "MS", 0, "as of this instant, ms since 1970 UTC, if nothing more happens (default: now)", 1},
    {0},
};
static const struct argp_option FIT[] = {
    CONFIG_OPTIONS_OF_ALL,
    {"at", KEY_AT, "MS", 0, "end of the observation, ms since 1970 UTC (default: the newest task's clock)", 1},
    {0},
};
static const struct argp_option DEMO[] = {
    {"kafka", KEY_KAFKA, "HOST:PORT", 0, "a real Kafka (default: a mock broker in this process, at least once)", 0},
    {"redis", KEY_REDIS, "URL", 0, "a real Redis (default: a private one in a temporary folder)", 0},
    {"customers", KEY_CUSTOMERS, "N", 0, "customers (default 200)", 0},
    {"seed", KEY_SEED, "S", 0, "the same seed gives the same story (default 1)", 0},
    {"speed", KEY_SPEED, "N", 0, "how many times as fast as real time goes (default 86400: a day a second)", 0},
    {"verbose", 'v', NULL, 0, "log at debug level", 0},
    {0},
};

struct command {
    const char *name;
    const struct argp_option *options;
    const char *rest; /* how the rest of its command line is called; NULL: none */
    const char *help;
    enum log_level quiet; /* what is logged without --verbose: a service tells more than a tool */
    int (*call)(const struct config *config, const struct arguments *arguments); /* NULL: demo, which needs no file */
};

static int call_run(const struct config *config, const struct arguments *arguments) {
    (void)arguments;
    return command_run(config);
}

static int call_check(const struct config *config, const struct arguments *arguments) {
    (void)arguments;
    return command_check(config);
}

static int call_generate(const struct config *config, const struct arguments *arguments) {
    return command_generate(config, &arguments->generate);
}

static int call_load(const struct config *config, const struct arguments *arguments) {
    return command_load(config, arguments->files, (size_t)arguments->files_count);
}

static int call_get(const struct config *config, const struct arguments *arguments) {
    return command_get(config, arguments->at_ms, arguments->files, (size_t)arguments->files_count);
}

static int call_fit(const struct config *config, const struct arguments *arguments) {
    return command_fit(config, arguments->at_ms);
}

static const struct command COMMANDS[] = {
    {"demo", DEMO, NULL, "Everything on this machine with no set-up: broker, Redis, sample customers.", LOG_WARNING,
     NULL},
    {"run", PLAIN, NULL, "Process until SIGTERM.", LOG_INFO, call_run},
    {"check", PLAIN, NULL, "Validate the file and the connections; exit 0, 78 (bad config) or 69 (unreachable).",
     LOG_ERROR, call_check},
    {"generate", GENERATE, NULL, "Write realistic events to the input topics, created if missing.", LOG_ERROR,
     call_generate},
    {"load", PLAIN, "FILE.jsonl...", "Write events from JSON lines, or '-', to the input topics.", LOG_ERROR,
     call_load},
    {"get", GET, "ID...", "Print customers as JSON, one line each; exit 1 where one is unknown.", LOG_ERROR, call_get},
    {"fit", FIT, NULL, "Fit lifetime value to the customers; print the parameters as configuration.", LOG_ERROR,
     call_fit},
};

static void usage(FILE *stream) {
    fprintf(stream, "usage: tidemark COMMAND [OPTION...]\n\nReal-time customer scoring: events from Kafka, state in "
                    "Redis, tier changes out.\n\n");
    for (size_t i = 0; i < sizeof COMMANDS / sizeof *COMMANDS; i++) {
        fprintf(stream, "  %-9s %s\n", COMMANDS[i].name, COMMANDS[i].help);
    }
    fprintf(stream, "\n`tidemark COMMAND --help` tells its options.\n");
}

static int call(const struct command *command, const struct arguments *arguments) {
    if (!command->call) {
        return command_demo(&arguments->demo);
    }
    struct config_problems problems = {.count = 0};
    struct config *config =
        config_load(arguments->config_path, arguments->overrides, arguments->overrides_count, &problems);
    if (!config) {
        config_print_problems(arguments->config_path, &problems);
        return EX_CONFIG;
    }
    log_set_format(config->log_format);
    customer_hash_set_key(config->customer_key);
    int exit_code = command->call(config, arguments);
    config_destroy(config);
    return exit_code;
}

static int parse_and_call(const struct command *command, int argc, char **argv) {
    static struct arguments arguments;
    arguments = (struct arguments){
        .takes_files = command->rest != NULL,
        .generate = {.customers = 1000, .seed = 1, .days = 365, .end_ms = TIME_NONE, .partitions = 4},
        .at_ms = TIME_NONE,
        .demo = {.customers = 200, .seed = 1, .speed = 86400},
    };
    char name[32];
    snprintf(name, sizeof name, "tidemark %s", command->name);
    struct argp argp = {command->options, parse_option, command->rest, command->help, NULL, NULL, NULL};
    argv[0] = name;
    log_set_level(command->quiet);
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    if (command->call && !arguments.config_path) {
        fprintf(stderr, "%s: needs a configuration: -c FILE (config/sample.yaml shows one)\n", name);
        return EX_USAGE;
    }
    if (command->rest && arguments.files_count == 0) {
        fprintf(stderr, "%s: needs %s\n", name, command->rest);
        return EX_USAGE;
    }
    return call(command, &arguments);
}

int main(int argc, char **argv) {
    argp_program_version = "tidemark " TIDEMARK_VERSION;
    argp_err_exit_status = EX_USAGE;
    const char *name = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < sizeof COMMANDS / sizeof *COMMANDS; i++) {
        if (strcmp(name, COMMANDS[i].name) == 0) {
            return parse_and_call(&COMMANDS[i], argc - 1, argv + 1);
        }
    }
    if (strcmp(name, "--version") == 0) {
        printf("%s\n", argp_program_version);
        return 0;
    }
    bool help = strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0;
    if (!help && name[0]) {
        fprintf(stderr, "tidemark: unknown command '%s'\n", name);
    }
    usage(help ? stdout : stderr);
    return help ? 0 : EX_USAGE;
}

/* The commands of the binary, each in a file of its own: main parses the command line and calls one of these.
 *
 * Each returns the exit code: 0, EX_USAGE 64, EX_UNAVAILABLE 69, EX_CONFIG 78, or 1 for "not found" and other failures. */
#ifndef TIDEMARK_RUN_COMMANDS_H
#define TIDEMARK_RUN_COMMANDS_H

#include "run/config.h"

struct generate_options {
    int64_t customers;
    int64_t events;
    uint64_t seed;
    double rate; /* events a second; 0: as fast as possible */
    int days;
    int64_t end_ms;     /* TIME_NONE: now */
    int32_t partitions; /* of topics to be created */
};

int command_run(const struct config *config);
int command_check(const struct config *config);
int command_generate(const struct config *config, const struct generate_options *options);
int command_load(const struct config *config, char *const *files, size_t files_count);
int command_get(const struct config *config, int64_t at_ms, char *const *ids, size_t ids_count); /* TIME_NONE: now */
int command_fit(const struct config *config, int64_t at_ms); /* TIME_NONE: the newest task clock */

struct demo_options {
    const char *kafka; /* NULL: librdkafka's mock broker in this process */
    const char *redis; /* NULL: a private redis-server */
    int64_t customers;
    uint64_t seed;
    double speed; /* simulated seconds per second */
};
int command_demo(const struct demo_options *options);

#endif

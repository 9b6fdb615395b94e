/* tidemark get: customers as JSON, one line each. */
#include "run/commands.h"

#include "run/lookup.h"

#include <event2/event.h>
#include <stdio.h>
#include <sysexits.h>

struct getting {
    struct event_base *base;
    int exit_code;
    const char *id;
};

static void on_found(void *arg, int error, struct bytes json) {
    struct getting *getting = arg;
    if (!error) {
        printf("%.*s\n", (int)json.size, json.data);
    } else if (error == ERR_NOT_FOUND) {
        fprintf(stderr, "tidemark: unknown customer %s\n", getting->id);
        getting->exit_code = getting->exit_code ? getting->exit_code : 1;
    } else {
        fprintf(stderr, "tidemark: cannot read customer %s: %s\n", getting->id,
                error == ERR_UNAVAILABLE ? "Redis cannot be reached" : "the stored state is unreadable");
        getting->exit_code = error == ERR_UNAVAILABLE ? EX_UNAVAILABLE : EX_DATAERR;
    }
    event_base_loopbreak(getting->base);
}

int command_get(const struct config *config, int64_t at_ms, char *const *ids, size_t ids_count) {
    char problem[256];
    struct getting getting = {.base = event_base_new()};
    ASSERT(getting.base);
    struct lookup *lookup = lookup_create(getting.base, config, 0, problem);
    if (!lookup) {
        fprintf(stderr, "tidemark: %s\n", problem);
        event_base_free(getting.base);
        return EX_CONFIG;
    }
    for (size_t i = 0; i < ids_count && getting.exit_code != EX_UNAVAILABLE; i++) {
        getting.id = ids[i];
        lookup_customer(lookup, bytes_of_text(ids[i]), at_ms, on_found, &getting);
        event_base_dispatch(getting.base);
    }
    lookup_destroy(lookup);
    event_base_free(getting.base);
    return getting.exit_code;
}

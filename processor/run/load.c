/* tidemark load: JSON lines to the input topics. */
#include "run/commands.h"

#include "ingest/decode_json_line.h"
#include "run/kafka_admin.h"
#include "run/kafka_writer.h"
#include "run/progress.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

enum { LINE_ARENA_BYTES = 16777216 };

struct loading {
    const struct config *config;
    struct kafka_writer *writer;
    struct bytes topics[INPUTS];
    struct arena arena;
    struct progress progress;
    int64_t events;
};

static int load_line(struct loading *loading, const char *name, int64_t number, struct bytes line) {
    char detail[DEAD_DETAIL_BYTES_MAX];
    struct json_line event;
    arena_reset(&loading->arena);
    if (decode_json_line(line, loading->config->format, loading->topics, &loading->arena, &event, detail)) {
        fprintf(stderr, "%s:%" PRId64 ": %s\n", name, number, detail);
        return EX_DATAERR;
    }
    if (kafka_writer_write(loading->writer, event.input, event.key, event.value, event.time_ms)) {
        return EX_UNAVAILABLE;
    }
    progress_show(&loading->progress, ++loading->events);
    return 0;
}

static int load_stream(struct loading *loading, const char *name, FILE *stream) {
    char *line = NULL;
    size_t capacity = 0;
    int exit_code = 0;
    ssize_t size;
    for (int64_t number = 1; exit_code == 0 && (size = getline(&line, &capacity, stream)) >= 0; number++) {
        while (size > 0 && (line[size - 1] == '\n' || line[size - 1] == '\r')) {
            size--;
        }
        if (size > 0) {
            exit_code = load_line(loading, name, number, bytes_of(line, (size_t)size));
        }
    }
    if (exit_code == 0 && ferror(stream)) {
        fprintf(stderr, "tidemark: cannot read %s: %s\n", name, strerror(errno));
        exit_code = EX_IOERR;
    }
    free(line);
    return exit_code;
}

static int load_file(struct loading *loading, const char *path) {
    if (strcmp(path, "-") == 0) {
        return load_stream(loading, "standard input", stdin);
    }
    FILE *stream = fopen(path, "r");
    if (!stream) {
        fprintf(stderr, "tidemark: cannot open %s: %s\n", path, strerror(errno));
        return EX_NOINPUT;
    }
    int exit_code = load_stream(loading, path, stream);
    fclose(stream);
    return exit_code;
}

int command_load(const struct config *config, char *const *files, size_t files_count) {
    char problem[KAFKA_PROBLEM_BYTES];
    int32_t partitions;
    int error = kafka_check_topics(config, &partitions, problem);
    struct loading loading = {.config = config, .writer = error ? NULL : kafka_writer_create(config, problem)};
    if (!loading.writer) {
        fprintf(stderr, "tidemark: %s\n", problem);
        return error == ERR_UNAVAILABLE ? EX_UNAVAILABLE : EX_CONFIG;
    }
    for (int input = 0; input < INPUTS; input++) {
        loading.topics[input] = bytes_of_text(config->topics[input]);
    }
    arena_init(&loading.arena, LINE_ARENA_BYTES);
    progress_start(&loading.progress, "events", 0);
    int exit_code = 0;
    for (size_t i = 0; i < files_count && exit_code == 0; i++) {
        exit_code = load_file(&loading, files[i]);
    }
    /* What was read before a bad line is written all the same: the message tells which line to go on from. */
    if (kafka_writer_flush(loading.writer, problem)) {
        fprintf(stderr, "tidemark: %s\n", problem);
        exit_code = EX_UNAVAILABLE;
    }
    progress_end(&loading.progress, loading.events);
    fprintf(stderr, "tidemark: wrote %" PRId64 " event%s\n", loading.events, loading.events == 1 ? "" : "s");
    kafka_writer_destroy(loading.writer);
    arena_finish(&loading.arena);
    return exit_code;
}

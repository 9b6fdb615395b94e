/* Progress of long work, on standard error, only when that is a terminal. */
#ifndef TIDEMARK_RUN_PROGRESS_H
#define TIDEMARK_RUN_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *what;   /* "events" */
    int64_t total;      /* 0: not known */
    int64_t started_ms; /* monotonic */
    int64_t shown_ms;
    bool terminal;
};

void progress_start(struct progress *progress, const char *what, int64_t total);
/* Shows the number, at most a few times a second. */
void progress_show(struct progress *progress, int64_t done);
/* Ends the line. */
void progress_end(struct progress *progress, int64_t done);

#endif

#include "run/progress.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { SHOW_EVERY_MS = 250 };

void progress_start(struct progress *progress, const char *what, int64_t total) {
    *progress = (struct progress){what, total, clock_monotonic_ms(), 0, isatty(STDERR_FILENO) != 0};
}

static void show(const struct progress *progress, int64_t done, int64_t now_ms) {
    double seconds = (double)(now_ms - progress->started_ms) / MS_PER_SECOND;
    double rate = seconds > 0 ? (double)done / seconds : 0;
    if (progress->total > 0) {
        fprintf(stderr, "\r%" PRId64 " of %" PRId64 " %s (%.0f %%), %.0f a second \033[K", done, progress->total,
                progress->what, 100.0 * (double)done / (double)progress->total, rate);
    } else {
        fprintf(stderr, "\r%" PRId64 " %s, %.0f a second \033[K", done, progress->what, rate);
    }
}

void progress_show(struct progress *progress, int64_t done) {
    if (!progress->terminal || (done & 63) != 0) {
        return;
    }
    int64_t now_ms = clock_monotonic_ms();
    if (now_ms - progress->shown_ms >= SHOW_EVERY_MS) {
        progress->shown_ms = now_ms;
        show(progress, done, now_ms);
    }
}

void progress_end(struct progress *progress, int64_t done) {
    if (progress->terminal) {
        show(progress, done, clock_monotonic_ms());
        fputc('\n', stderr);
    }
}

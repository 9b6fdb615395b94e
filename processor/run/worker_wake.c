#include "run/worker_wake.h"

#include "base/error.h"

#include <event2/event.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct worker_wake {
    struct event *event;
    int fd;
    atomic_bool woken; /* and its turn has not come yet */
    void (*turn)(void *context);
    void *context;
};

static void on_woken(evutil_socket_t fd, short what, void *context) {
    struct worker_wake *wake = context;
    uint64_t tokens;
    (void)what;
    ssize_t ignored = read(fd, &tokens, sizeof tokens);
    (void)ignored;
    wake->woken = false; /* before the turn: what comes from now on may be too late for it */
    wake->turn(wake->context);
}

struct worker_wake *worker_wake_create(struct event_base *base, void (*turn)(void *context), void *context) {
    struct worker_wake *wake = calloc(1, sizeof *wake);
    ASSERT(wake);
    wake->turn = turn;
    wake->context = context;
    wake->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    wake->event = event_new(base, wake->fd, EV_READ | EV_PERSIST, on_woken, wake);
    ASSERT(wake->fd >= 0 && wake->event);
    event_add(wake->event, NULL);
    return wake;
}

void worker_wake_destroy(struct worker_wake *wake) {
    if (wake) {
        event_free(wake->event);
        close(wake->fd);
        free(wake);
    }
}

void worker_wake_up(struct worker_wake *wake) {
    uint64_t token = 1;
    if (!atomic_exchange(&wake->woken, true)) {
        ssize_t ignored = write(wake->fd, &token, sizeof token); /* full means awake anyway */
        (void)ignored;
    }
}

int worker_wake_fd(const struct worker_wake *wake) {
    return wake->fd;
}

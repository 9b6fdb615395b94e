#include "run/app_service.h"

#include "base/error.h"
#include "base/log.h"

#include <errno.h>
#include <event2/event.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    STATUS_EVERY_MS = 1000, /* how old systemctl status may be */
    MESSAGE_BYTES = SERVICE_REASON_BYTES + 64,
};

struct service {
    struct service_callbacks callbacks;
    struct sockaddr_un address;
    socklen_t address_bytes;
    int fd;
    struct event *tick;
    bool ready_told;
    bool watched;
    bool stopping;
    char status[SERVICE_REASON_BYTES];
};

static void tell(const struct service *service, const char *text) {
    ssize_t sent = sendto(service->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT,
                          (const struct sockaddr *)&service->address, service->address_bytes);
    if (sent < 0) {
        log_warning("could not tell the service manager", "error=\"%s\"", strerror(errno));
    }
}

static void tell_status(struct service *service) {
    char status[SERVICE_REASON_BYTES];
    if (service->callbacks.is_ready(service->callbacks.context, status)) {
        snprintf(status, sizeof status, "processes events");
    }
    if (strcmp(status, service->status) != 0) {
        char text[MESSAGE_BYTES];
        snprintf(service->status, sizeof service->status, "%s", status);
        snprintf(text, sizeof text, "STATUS=%s", status);
        tell(service, text);
    }
}

static void on_tick(evutil_socket_t fd, short what, void *context) {
    struct service *service = context;
    (void)fd;
    (void)what;
    if (!service->ready_told) {
        service->ready_told = true;
        tell(service, "READY=1");
    }
    if (!service->stopping) {
        tell_status(service);
    }
    if (service->watched && service->callbacks.is_alive(service->callbacks.context)) {
        tell(service, "WATCHDOG=1");
    }
}

/* $NOTIFY_SOCKET is a path, or after '@' a name of Linux' abstract sockets. */
static bool address_of(const char *name, struct service *service) {
    size_t size = name ? strlen(name) : 0;
    if (size < 2 || size >= sizeof service->address.sun_path || (name[0] != '/' && name[0] != '@')) {
        return false;
    }
    service->address.sun_family = AF_UNIX;
    memcpy(service->address.sun_path, name, size);
    service->address_bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
    if (name[0] == '@') {
        service->address.sun_path[0] = '\0';
    }
    return true;
}

/* How often to turn, in ms: twice within what the watchdog allows, and often enough for the status. */
static int64_t period_ms(bool *watched) {
    const char *text = getenv("WATCHDOG_USEC");
    const char *pid = getenv("WATCHDOG_PID");
    int64_t limit_ms = text ? strtoll(text, NULL, 10) / 1000 : 0;
    *watched = limit_ms > 0 && (!pid || strtoll(pid, NULL, 10) == getpid());
    return *watched && limit_ms / 2 < STATUS_EVERY_MS ? (limit_ms > 2 ? limit_ms / 2 : 1) : STATUS_EVERY_MS;
}

struct service *service_create(struct event_base *base, const struct service_callbacks *callbacks) {
    struct service *service = calloc(1, sizeof *service);
    ASSERT(service);
    service->callbacks = *callbacks;
    service->fd = -1;
    if (address_of(getenv("NOTIFY_SOCKET"), service)) {
        service->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    }
    if (service->fd < 0) {
        free(service);
        return NULL;
    }
    int64_t every_ms = period_ms(&service->watched);
    struct timeval every = {every_ms / 1000, (every_ms % 1000) * 1000};
    service->tick = event_new(base, -1, EV_PERSIST, on_tick, service);
    ASSERT(service->tick);
    event_add(service->tick, &every);
    event_active(service->tick, EV_TIMEOUT, 1); /* the first turn of the loop tells that it runs */
    return service;
}

void service_stopping(struct service *service) {
    if (service && !service->stopping) {
        service->stopping = true;
        tell(service, "STOPPING=1\nSTATUS=finishes what it has scored");
    }
}

void service_destroy(struct service *service) {
    if (service) {
        event_free(service->tick);
        close(service->fd);
        free(service);
    }
}

/* What the process tells its service manager, by the protocol of sd_notify(3): one datagram of NAME=VALUE lines to the socket
 * in $NOTIFY_SOCKET.
 *
 *     READY=1          once the loop runs; that Kafka and Redis are there is not waited for, /readyz tells about them
 *     STATUS=...       why it is not ready, or that it is; told when it changes
 *     WATCHDOG=1       as often as $WATCHDOG_USEC asks for, as long as the process is alive
 *     STOPPING=1       when it begins to stop
 *
 * Without $NOTIFY_SOCKET (no systemd, or Type=simple) all this does nothing. The protocol is one sendto, and part of systemd's
 * stable interface, so no library is linked for it. */
#ifndef TIDEMARK_RUN_APP_SERVICE_H
#define TIDEMARK_RUN_APP_SERVICE_H

#include <stdbool.h>

struct event_base;
struct service;

enum { SERVICE_REASON_BYTES = 256 };

struct service_callbacks {
    void *context;
    bool (*is_ready)(void *context, char *reason); /* else a line in `reason` */
    bool (*is_alive)(void *context);               /* false: nothing is told, so that the watchdog may bite */
};

/* Begins to tell as soon as the loop runs. NULL: there is nobody to tell. */
struct service *service_create(struct event_base *base, const struct service_callbacks *callbacks);
void service_stopping(struct service *service);
void service_destroy(struct service *service);

#endif

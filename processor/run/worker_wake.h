/* Wakes a loop: `turn` is called once in the next pass of the event loop, however often it is woken until then.
 *
 * A turn that wakes its own loop must not come before the sockets and timers of the others: libevent runs what is made active from inside
 * a callback in the same pass, for ever if need be, without looking at any of them. So waking is a write to a descriptor, of which
 * the loop hears only when it looks at all. */
#ifndef TIDEMARK_RUN_WORKER_WAKE_H
#define TIDEMARK_RUN_WORKER_WAKE_H

struct event_base;
struct worker_wake;

struct worker_wake *worker_wake_create(struct event_base *base, void (*turn)(void *context), void *context);
/* Accepts NULL. Before its base is freed. */
void worker_wake_destroy(struct worker_wake *wake);
/* From any thread. */
void worker_wake_up(struct worker_wake *wake);
/* A descriptor for those who wake by writing 8 bytes to it. */
int worker_wake_fd(const struct worker_wake *wake);

#endif

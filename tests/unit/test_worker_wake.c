/* Waking a loop: one turn for many wakes, and never ahead of what else the loop has to see to. */
#include "run/worker_wake.h"

#include <event2/event.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

enum { TURNS_MAX = 1000, TURN_THAT_WRITES = 10 };

struct loop {
    struct event_base *base;
    struct worker_wake *wake;
    int turns;
    bool restless; /* each turn wakes the loop again */
    int pipe[2];
    int turns_at_reading; /* 0: nothing was read */
};

static void turn(void *context) {
    struct loop *loop = context;
    loop->turns++;
    if (!loop->restless) {
        event_base_loopbreak(loop->base);
        return;
    }
    if (loop->turns == TURN_THAT_WRITES) {
        assert_int_equal(write(loop->pipe[1], "x", 1), 1);
    }
    if (loop->turns < TURNS_MAX) {
        worker_wake_up(loop->wake);
    } else {
        event_base_loopbreak(loop->base);
    }
}

static struct loop opened(void) {
    struct loop loop = {.base = event_base_new()};
    assert_non_null(loop.base);
    return loop;
}

static void closed(struct loop *loop) {
    worker_wake_destroy(loop->wake);
    event_base_free(loop->base);
}

static void many_wakes_make_one_turn(void **state) {
    (void)state;
    struct loop loop = opened();
    loop.wake = worker_wake_create(loop.base, turn, &loop);
    event_base_loop(loop.base, EVLOOP_NONBLOCK);
    assert_int_equal(loop.turns, 0);
    for (int i = 0; i < 3; i++) {
        worker_wake_up(loop.wake);
    }
    event_base_loop(loop.base, EVLOOP_NONBLOCK);
    assert_int_equal(loop.turns, 1);
    event_base_loop(loop.base, EVLOOP_NONBLOCK);
    assert_int_equal(loop.turns, 1);
    worker_wake_up(loop.wake);
    uint64_t token = 1;
    assert_int_equal(write(worker_wake_fd(loop.wake), &token, sizeof token), sizeof token); /* as Kafka's client does */
    event_base_loop(loop.base, EVLOOP_NONBLOCK);
    assert_int_equal(loop.turns, 2);
    closed(&loop);
    worker_wake_destroy(NULL);
}

static void *wakes(void *wake) {
    worker_wake_up(wake);
    return NULL;
}

static void another_thread_wakes_it(void **state) {
    (void)state;
    struct loop loop = opened();
    loop.wake = worker_wake_create(loop.base, turn, &loop);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, wakes, loop.wake), 0);
    event_base_dispatch(loop.base);
    assert_int_equal(loop.turns, 1);
    pthread_join(thread, NULL);
    closed(&loop);
}

static void on_readable(evutil_socket_t fd, short what, void *context) {
    struct loop *loop = context;
    char byte;
    (void)what;
    assert_int_equal(read(fd, &byte, 1), 1);
    loop->turns_at_reading = loop->turns;
}

/* As while a backlog is scored: there is always more to do, and answers come meanwhile. */
static void a_loop_that_wakes_itself_still_reads(void **state) {
    (void)state;
    struct loop loop = opened();
    assert_int_equal(pipe(loop.pipe), 0);
    struct event *readable = event_new(loop.base, loop.pipe[0], EV_READ | EV_PERSIST, on_readable, &loop);
    assert_non_null(readable);
    event_add(readable, NULL);
    loop.restless = true;
    loop.wake = worker_wake_create(loop.base, turn, &loop);
    worker_wake_up(loop.wake);
    event_base_dispatch(loop.base);
    assert_int_equal(loop.turns, TURNS_MAX);
    assert_in_range(loop.turns_at_reading, TURN_THAT_WRITES, TURN_THAT_WRITES + 2);
    event_free(readable);
    close(loop.pipe[0]);
    close(loop.pipe[1]);
    closed(&loop);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_wakes_make_one_turn),
        cmocka_unit_test(another_thread_wakes_it),
        cmocka_unit_test(a_loop_that_wakes_itself_still_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

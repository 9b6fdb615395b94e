#include "run/app_service.h"

#include "base/error.h"

#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

struct world {
    struct event_base *base;
    int fd; /* the service manager's ear */
    char path[64];
    bool alive;
    const char *reason; /* why it is not ready; NULL: it is */
    char heard[4096];   /* everything, each line ended */
};

static bool is_ready(void *context, char *reason) {
    const struct world *world = context;
    snprintf(reason, SERVICE_REASON_BYTES, "%s", world->reason ? world->reason : "");
    return !world->reason;
}

static bool is_alive(void *context) {
    const struct world *world = context;
    return world->alive;
}

static int setup(void **state) {
    struct world *world = calloc(1, sizeof *world);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    assert_non_null(world);
    snprintf(world->path, sizeof world->path, "/tmp/tidemark-service-%d", (int)getpid());
    snprintf(address.sun_path, sizeof address.sun_path, "%s", world->path);
    world->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(world->fd, (const struct sockaddr *)&address, sizeof address), 0);
    setenv("NOTIFY_SOCKET", world->path, 1);
    setenv("WATCHDOG_USEC", "4000", 1);
    unsetenv("WATCHDOG_PID");
    world->base = event_base_new();
    world->alive = true;
    *state = world;
    return 0;
}

static int teardown(void **state) {
    struct world *world = *state;
    event_base_free(world->base);
    close(world->fd);
    unlink(world->path);
    free(world);
    return 0;
}

/* So many turns of the loop; then what was heard since the last time. */
static const char *heard_after(struct world *world, int turns) {
    for (int i = 0; i < turns; i++) {
        event_base_loop(world->base, EVLOOP_ONCE);
    }
    size_t size = 0;
    ssize_t got;
    while ((got = recv(world->fd, world->heard + size, sizeof world->heard - size - 2, 0)) > 0) {
        size += (size_t)got;
        world->heard[size++] = '\n';
    }
    world->heard[size] = '\0';
    return world->heard;
}

static struct service *created(struct world *world) {
    return service_create(world->base, &(struct service_callbacks){world, is_ready, is_alive});
}

static void the_first_turn_tells_that_it_runs_and_why_it_is_not_ready(void **state) {
    struct world *world = *state;
    world->reason = "looks for Kafka and Redis";
    struct service *service = created(world);
    assert_string_equal(heard_after(world, 1), "READY=1\nSTATUS=looks for Kafka and Redis\nWATCHDOG=1\n");
    assert_string_equal(heard_after(world, 2), "WATCHDOG=1\nWATCHDOG=1\n"); /* the status only when it changes */
    world->reason = NULL;
    assert_string_equal(heard_after(world, 1), "STATUS=processes events\nWATCHDOG=1\n");
    service_destroy(service);
}

static void one_that_hangs_does_not_feed_the_watchdog(void **state) {
    struct world *world = *state;
    struct service *service = created(world);
    heard_after(world, 1);
    world->alive = false;
    assert_string_equal(heard_after(world, 3), "");
    service_destroy(service);
}

static void a_stop_is_told_once_and_the_watchdog_fed_until_the_end(void **state) {
    struct world *world = *state;
    struct service *service = created(world);
    heard_after(world, 1);
    service_stopping(service);
    service_stopping(service);
    world->reason = "stops";
    assert_string_equal(heard_after(world, 1), "STOPPING=1\nSTATUS=finishes what it has scored\nWATCHDOG=1\n");
    service_destroy(service);
}

static void a_watchdog_for_another_process_is_left_alone(void **state) {
    struct world *world = *state;
    setenv("WATCHDOG_PID", "1", 1);
    struct service *service = created(world);
    assert_string_equal(heard_after(world, 1), "READY=1\nSTATUS=processes events\n");
    service_destroy(service);
}

static void without_anybody_to_tell_there_is_no_service(void **state) {
    struct world *world = *state;
    static const char *const names[] = {"", "relative", "/"};
    for (size_t i = 0; i < 3; i++) {
        setenv("NOTIFY_SOCKET", names[i], 1);
        assert_null(created(world));
    }
    char long_name[200];
    memset(long_name, '/', sizeof long_name);
    long_name[sizeof long_name - 1] = '\0';
    setenv("NOTIFY_SOCKET", long_name, 1);
    assert_null(created(world));
    unsetenv("NOTIFY_SOCKET");
    assert_null(created(world));
    service_stopping(NULL);
    service_destroy(NULL);
}

static void a_manager_that_is_gone_does_no_harm(void **state) {
    struct world *world = *state;
    struct service *service = created(world);
    unlink(world->path);
    heard_after(world, 1);
    service_stopping(service);
    service_destroy(service);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_turn_tells_that_it_runs_and_why_it_is_not_ready, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_hangs_does_not_feed_the_watchdog, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stop_is_told_once_and_the_watchdog_fed_until_the_end, setup, teardown),
        cmocka_unit_test_setup_teardown(a_watchdog_for_another_process_is_left_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(without_anybody_to_tell_there_is_no_service, setup, teardown),
        cmocka_unit_test_setup_teardown(a_manager_that_is_gone_does_no_harm, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

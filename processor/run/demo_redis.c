#include "run/demo_redis.h"

#include "base/clock.h"
#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START_TRIES = 100, START_PAUSE_MS = 50 };

static void path_in(const struct demo_redis *redis, const char *name, char path[128]) {
    snprintf(path, 128, "%s/%s", redis->folder, name);
}

static void run_server(const struct demo_redis *redis) {
    char socket[128], log[128];
    path_in(redis, "redis.sock", socket);
    path_in(redis, "redis.log", log);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* whatever happens to us, it does not stay */
    setpgid(0, 0);                    /* Ctrl-C is for us: the state must outlive the workers */
    int null = open("/dev/null", O_RDWR);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no",
           "--dir", redis->folder, "--logfile", log, "--maxmemory-policy", "noeviction", (char *)NULL);
    _exit(errno == ENOENT ? 127 : 126);
}

/* Waits until the socket is there, or the child has ended. */
static int wait_ready(struct demo_redis *redis, char *problem) {
    char socket[128];
    path_in(redis, "redis.sock", socket);
    for (int i = 0; i < START_TRIES; i++) {
        int status;
        if (access(socket, F_OK) == 0) {
            return 0;
        }
        if (waitpid(redis->pid, &status, WNOHANG) == redis->pid) {
            redis->pid = 0;
            bool missing = WIFEXITED(status) && WEXITSTATUS(status) == 127;
            snprintf(problem, 512,
                     missing ? "redis-server is not installed (Debian: the package redis-server)"
                             : "redis-server ended at once");
            return ERR_UNAVAILABLE;
        }
        clock_pause_us(START_PAUSE_MS * 1000);
    }
    snprintf(problem, 512, "redis-server did not start");
    return ERR_UNAVAILABLE;
}

int demo_redis_start(struct demo_redis *redis, char *problem) {
    const char *folder = getenv("TMPDIR");
    snprintf(redis->folder, sizeof redis->folder, "%.40s/tidemark-demo.XXXXXX",
             folder && strlen(folder) <= 40 ? folder : "/tmp");
    redis->pid = 0;
    if (!mkdtemp(redis->folder)) {
        snprintf(problem, 512, "cannot make a temporary folder: %s", strerror(errno));
        redis->folder[0] = '\0';
        return ERR_UNAVAILABLE;
    }
    snprintf(redis->url, sizeof redis->url, "unix://%s/redis.sock", redis->folder);
    redis->pid = fork();
    if (redis->pid == 0) {
        run_server(redis);
    }
    return wait_ready(redis, problem);
}

void demo_redis_stop(struct demo_redis *redis) {
    static const char *const files[] = {"redis.sock", "redis.log"};
    if (redis->pid > 0) {
        kill(redis->pid, SIGKILL);
        waitpid(redis->pid, NULL, 0);
    }
    for (size_t i = 0; redis->folder[0] && i < sizeof files / sizeof *files; i++) {
        char path[128];
        path_in(redis, files[i], path);
        unlink(path);
    }
    if (redis->folder[0]) {
        rmdir(redis->folder);
    }
    *redis = (struct demo_redis){.pid = 0};
}

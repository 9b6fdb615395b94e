/* A private redis-server on a socket in a temporary folder, for the demo. */
#ifndef TIDEMARK_RUN_DEMO_REDIS_H
#define TIDEMARK_RUN_DEMO_REDIS_H

#include <sys/types.h>

struct demo_redis {
    char folder[64];
    char url[128];
    pid_t pid;
};

/* 0; or ERR_UNAVAILABLE and a line in `problem` (512 bytes), e.g. where the program is not installed. It dies with us. */
int demo_redis_start(struct demo_redis *redis, char *problem);
/* Ends it and removes the folder. Safe when it was never started. */
void demo_redis_stop(struct demo_redis *redis);

#endif

/* The TLS of a connection to Redis: always verified, the server's name too, with a client's certificate if one is configured. */
#ifndef TIDEMARK_STATE_REDIS_TLS_H
#define TIDEMARK_STATE_REDIS_TLS_H

#include "state/redis_store.h"

enum { REDIS_TLS_PROBLEM_BYTES = 256 };

struct redisSSLContext;

/* For connections to this host, which is borrowed as long as they last. NULL and one line in `problem` when a file of the options
 * cannot be used. Freed with redisFreeSSLContext. */
struct redisSSLContext *redis_tls_create(const struct redis_options *options, const char *host, char *problem);

#endif

#include "state/redis_tls.h"

#include <hiredis/hiredis.h>
#include <hiredis/hiredis_ssl.h>
#include <stdio.h>

struct redisSSLContext *redis_tls_create(const struct redis_options *options, const char *host, char *problem) {
    redisSSLContextError error = REDIS_SSL_CTX_NONE;
    redisSSLOptions tls = {
        .cacert_filename = options->ca_file,
        .capath = options->ca_file ? NULL : "/etc/ssl/certs",
        .cert_filename = options->cert_file,
        .private_key_filename = options->key_file,
        .server_name = host,
        .verify_mode = REDIS_SSL_VERIFY_PEER,
        .verify_name = host,
    };
    redisInitOpenSSL();
    redisSSLContext *context = redisCreateSSLContextWithOptions(&tls, &error);
    if (!context) {
        snprintf(problem, REDIS_TLS_PROBLEM_BYTES, "redis TLS: %s", redisSSLContextGetError(error));
    }
    return context;
}

/* Where Redis is, as a URL says it:
 *
 *     redis://[USER[:PASSWORD]@]HOST[:PORT][/DATABASE]     rediss:// the same with TLS
 *     unix:///PATH/TO/SOCKET[?db=DATABASE]
 *
 * Any part may hold %xx; a host in [brackets] is an IPv6 address. */
#ifndef TIDEMARK_STATE_REDIS_URL_H
#define TIDEMARK_STATE_REDIS_URL_H

#include "base/error.h"

#include <stdbool.h>

struct redis_url {
    char host[256]; /* or the socket's path */
    char port[8];
    char user[128]; /* "" without one */
    char password[256];
    int database;
    bool tls;
    bool unix_socket;
};

/* ERR_INVALID for anything else, and for a part that is too long. */
int redis_url_parse(const char *url, struct redis_url *out) MUST_CHECK;

#endif

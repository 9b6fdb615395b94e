/* The dashboard: a page that shows in a browser what the HTTP API tells, and asks nobody else.
 *
 * Its files, and the charts library, are put into the program when it is built, compressed. dashboard/index.html names them. */
#ifndef TIDEMARK_SERVE_DASHBOARD_H
#define TIDEMARK_SERVE_DASHBOARD_H

#include "base/bytes.h"

struct dashboard_file {
    const char *type; /* e.g. "text/css; charset=utf-8" */
    struct bytes gzip;
};

/* False: there is no file of this name. */
bool dashboard_find(struct bytes name, struct dashboard_file *file);
/* Appends what is in the file, for clients that do not take gzip. ERR_NO_MEMORY. */
int dashboard_unpack(const struct dashboard_file *file, struct buffer *out) MUST_CHECK;

#endif

#include "base/error.h"

#include "base/log.h"

#include <stdlib.h>

const char *error_text(int error) {
    switch (error) {
    case 0:
        return "no error";
    case ERR_NO_MEMORY:
        return "out of memory";
    case ERR_INVALID:
        return "invalid input";
    case ERR_TOO_LARGE:
        return "too large";
    case ERR_TRUNCATED:
        return "ends too early";
    case ERR_IO:
        return "input/output error";
    case ERR_TIMEOUT:
        return "timed out";
    case ERR_FENCED:
        return "fenced: another process owns the task";
    case ERR_REWOUND:
        return "the store lost acknowledged writes";
    case ERR_UNAVAILABLE:
        return "unavailable";
    case ERR_NOT_FOUND:
        return "not found";
    case ERR_REFUSED:
        return "refused";
    default:
        return "unknown error";
    }
}

void assert_failed(const char *condition, const char *file, int line) {
    LOG_AT(LOG_FATAL, "met a broken invariant", "condition=\"%s\" at=%s:%d", condition, file, line);
    abort();
}

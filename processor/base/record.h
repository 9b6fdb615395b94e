/* A record of a log: what comes in and what goes out, without any broker's types. */
#ifndef TIDEMARK_BASE_RECORD_H
#define TIDEMARK_BASE_RECORD_H

#include "base/bytes.h"
#include "base/inputs.h"

struct header {
    struct bytes name;
    struct bytes value; /* data NULL: a null value */
};

/* A record read from an input; everything borrowed from the source until the record is released. */
struct record {
    enum input input;
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms; /* of the record, as the broker or producer set it; -1: none */
    struct bytes key;     /* data NULL: no key */
    struct bytes value;   /* data NULL: a tombstone */
    void *handle;         /* the source's */
};

#endif

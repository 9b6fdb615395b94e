/* A line of a JSON-lines file for `tidemark load`: {"topic": "purchases", ...event}.
 *
 * The event becomes a record's value in the topics' format as faithfully as that format allows, not
 * checked for sense: what is absent stays absent, an amount may be negative, an enum unknown. So a
 * file may hold events that are to become dead letters. */
#ifndef TIDEMARK_INGEST_DECODE_JSON_LINE_H
#define TIDEMARK_INGEST_DECODE_JSON_LINE_H

#include "ingest/decode.h"

struct json_line {
    enum input input;
    struct bytes key;   /* customer_id; data NULL if the event has none */
    int64_t time_ms;    /* event_time_ms; -1 if the event has none, or a negative one */
    struct bytes value; /* JSON: the line itself; else built in the arena */
};

/* topics: the input topics' names in the config, by enum input; "purchases", "interactions" and
 * "feedback" are always understood. Keeps nothing of the line but for the value of FORMAT_JSON; the
 * rest is in the arena. On ERR_INVALID and ERR_NO_MEMORY `detail` (DEAD_DETAIL_BYTES_MAX bytes)
 * says what is wrong. */
int decode_json_line(struct bytes line, enum decode_format format, const struct bytes topics[INPUTS],
                     struct arena *arena, struct json_line *out, char *detail) MUST_CHECK;

#endif

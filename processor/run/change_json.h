/* A tier change, as it was published in JSON, as one line for people. */
#ifndef TIDEMARK_RUN_CHANGE_JSON_H
#define TIDEMARK_RUN_CHANGE_JSON_H

#include "base/bytes.h"

/* Appends "2026-03-12 14:02  c00000042  value: ordinary -> vip  (purchase) because r + f + m >= 13 (it is 13)". colours: for a
 * terminal. False when the bytes are no tier change. */
bool change_json_line(struct bytes json, bool colours, struct buffer *out);

/* Appends a tier change (as JSON, or as the protobuf message) as JSON in one line, if it is one of this set (NULL: of any).
 * False: it is not, and nothing was appended. */
bool change_json_line_of(struct bytes value, const char *tier_set, struct buffer *out);

#endif

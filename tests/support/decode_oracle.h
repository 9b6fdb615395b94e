/* The protobuf reader beside protobuf-c: the same decision on what is a message, and the same values.
 *
 * Two differences are meant: a text may hold a NUL, where protobuf-c's ends; and an impossible field number is refused, which
 * protobuf-c takes for an unknown field. For the fuzzer and for the unit test of mutated messages. */
#ifndef TIDEMARK_TESTS_SUPPORT_DECODE_ORACLE_H
#define TIDEMARK_TESTS_SUPPORT_DECODE_ORACLE_H

#include "ingest/decode_raw.h"

/* Aborts where they disagree; true if both take the value for a message of the input. */
bool decode_oracle_compare(enum input input, struct bytes value, struct arena *arena);

#endif

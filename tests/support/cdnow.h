/* The customers of tests/data/cdnow_summary.csv as histories. */
#ifndef TIDEMARK_TESTS_CDNOW_H
#define TIDEMARK_TESTS_CDNOW_H

#include "score/lifetime_value.h"

#include <stddef.h>

enum { CDNOW_CUSTOMERS = 2357, CDNOW_REPEAT_BUYERS = 946 };

#define CDNOW_SUMMARY (TIDEMARK_SOURCE_DIR "/tests/data/cdnow_summary.csv")

/* Reads all of them; fails the test where it cannot. Freed by the caller. */
struct ltv_history *cdnow_read(const char *path);

#endif

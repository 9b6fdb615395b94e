/* Errors and assertions.
 *
 * A fallible function returns int: 0, or one of these negative codes, and is marked MUST_CHECK. Bad input records are not
 * errors but data (see ingest/dead_letter.h); a broken invariant is an ASSERT, which stays on in release. */
#ifndef TIDEMARK_BASE_ERROR_H
#define TIDEMARK_BASE_ERROR_H

enum error {
    ERR_NO_MEMORY = -1,   /* an allocation failed, or an arena's cap is reached */
    ERR_INVALID = -2,     /* the input does not follow its format */
    ERR_TOO_LARGE = -3,   /* a named limit is exceeded */
    ERR_TRUNCATED = -4,   /* the bytes end before the value does */
    ERR_IO = -5,          /* a system call failed; errno says why */
    ERR_TIMEOUT = -6,     /* no answer within the limit: the outcome is unknown */
    ERR_FENCED = -7,      /* somebody else owns this task now: write nothing, drop everything */
    ERR_REWOUND = -8,     /* the store is older than what it acknowledged: take over again */
    ERR_UNAVAILABLE = -9, /* the other side cannot be reached at present */
    ERR_NOT_FOUND = -10,
    ERR_REFUSED = -11, /* going on would be a guess; an operator must decide */
};

/* A short English text for a code, never NULL. */
const char *error_text(int error);

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(format_at, first_at) __attribute__((format(printf, format_at, first_at)))

/* A programmer's mistake: says where, and aborts, in every build. */
#define ASSERT(condition)                                                                                              \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            assert_failed(#condition, __FILE__, __LINE__);                                                             \
        }                                                                                                              \
    } while (0)

__attribute__((noreturn)) void assert_failed(const char *condition, const char *file, int line);

#endif

/* A hint that memory will be used soon, for loops that know what they will come to: a customer is cold in every cache when its
 * next event comes, and waiting for it costs as much as scoring it. */
#ifndef TIDEMARK_BASE_PREFETCH_H
#define TIDEMARK_BASE_PREFETCH_H

enum { PREFETCH_LINE = 64 };

/* gcc takes a function that does nothing but prefetch for one without any effect, and drops its calls; hence the empty asm. */
static inline void prefetch(const void *at) {
    __builtin_prefetch(at, 1);
    __asm__ volatile("" : : "r"(at));
}

#endif

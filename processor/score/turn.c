#include "score/turn.h"

#include "base/clock.h"

enum { GUESS_SLACK_MS = 3 };

static int64_t later(int64_t a, int64_t b) {
    return a > b ? a : b;
}

/* TIME_NEVER: it does not turn near the guess. */
static int64_t turn_near(int64_t now_ms, int64_t guess_ms, turned_fn turned, void *context) {
    if (guess_ms > now_ms + TURN_HORIZON_MS || guess_ms + GUESS_SLACK_MS <= now_ms) {
        return TIME_NEVER;
    }
    int64_t first_ms = later(guess_ms - GUESS_SLACK_MS, now_ms + 1);
    if (first_ms > now_ms + 1 && turned(context, first_ms - 1)) {
        return TIME_NEVER;
    }
    for (int64_t ms = first_ms; ms <= guess_ms + GUESS_SLACK_MS; ms++) {
        if (turned(context, ms)) {
            return ms;
        }
    }
    return TIME_NEVER;
}

int64_t turn_find(int64_t now_ms, int64_t guess_ms, turned_fn turned, void *context) {
    int64_t near_ms = turn_near(now_ms, guess_ms, turned, context);
    if (near_ms != TIME_NEVER) {
        return near_ms;
    }
    int64_t low_ms = now_ms;
    int64_t ahead_ms = MS_PER_HOUR;
    while (!turned(context, now_ms + ahead_ms)) {
        if (ahead_ms == TURN_HORIZON_MS) {
            return TIME_NEVER;
        }
        low_ms = now_ms + ahead_ms;
        ahead_ms = 2 * ahead_ms < TURN_HORIZON_MS ? 2 * ahead_ms : TURN_HORIZON_MS;
    }
    int64_t high_ms = now_ms + ahead_ms;
    while (high_ms - low_ms > 1) {
        int64_t middle_ms = low_ms + (high_ms - low_ms) / 2;
        if (turned(context, middle_ms)) {
            high_ms = middle_ms;
        } else {
            low_ms = middle_ms;
        }
    }
    return high_ms;
}

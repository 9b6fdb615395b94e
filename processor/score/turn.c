#include "score/turn.h"

#include "base/clock.h"

enum { GUESS_SLACK_MS = 3 };

/* Between two instants: at the one it has not turned yet, at the other it has. */
struct bracket {
    int64_t low_ms;
    int64_t high_ms;
};

/* True if it has turned by then, which must be inside the bracket; makes the bracket end there. */
static bool ask(struct bracket *bracket, int64_t at_ms, turned_fn turned, void *context) {
    bool yes = turned(context, at_ms);
    *(yes ? &bracket->high_ms : &bracket->low_ms) = at_ms;
    return yes;
}

/* From the guess some milliseconds back or on, until it turns. */
static void narrow_near(struct bracket *bracket, int64_t guess_ms, turned_fn turned, void *context) {
    if (guess_ms <= bracket->low_ms || guess_ms >= bracket->high_ms) {
        return;
    }
    int64_t at_ms = guess_ms;
    int64_t back = ask(bracket, at_ms, turned, context) ? -1 : 1;
    for (int i = 0; i < GUESS_SLACK_MS && bracket->high_ms - bracket->low_ms > 1; i++) {
        at_ms += back;
        if (ask(bracket, at_ms, turned, context) != (back < 0)) {
            return;
        }
    }
}

int64_t turn_find(int64_t now_ms, int64_t limit_ms, int64_t guess_ms, turned_fn turned, void *context) {
    int64_t end_ms = limit_ms - 1 < now_ms + TURN_HORIZON_MS ? limit_ms - 1 : now_ms + TURN_HORIZON_MS;
    struct bracket bracket = {now_ms, end_ms};
    if (end_ms <= now_ms || !turned(context, end_ms)) {
        return TIME_NEVER;
    }
    narrow_near(&bracket, guess_ms, turned, context);
    for (int64_t ahead_ms = MS_PER_HOUR; ahead_ms < bracket.high_ms - now_ms; ahead_ms *= 2) {
        if (now_ms + ahead_ms > bracket.low_ms && ask(&bracket, now_ms + ahead_ms, turned, context)) {
            break;
        }
    }
    while (bracket.high_ms - bracket.low_ms > 1) {
        ask(&bracket, bracket.low_ms + (bracket.high_ms - bracket.low_ms) / 2, turned, context);
    }
    return bracket.high_ms;
}

#include "score/turn.h"

#include "base/clock.h"

enum {
    GUESS_SLACK_MS = 3,
    INTERPOLATIONS_MAX = 16, /* it takes 10 for smooth measures; then halving, which takes 40 from 20 years */
};

/* Between two instants: at the one it has not turned yet, at the other it has. */
struct bracket {
    int64_t low_ms;
    int64_t high_ms;
    double low_ahead;
    double high_ahead;
    const struct turning *turning;
};

/* True if it has turned by then, which must be inside the bracket; makes the bracket end there. */
static bool ask(struct bracket *bracket, int64_t at_ms) {
    double ahead;
    bool turned = bracket->turning->turned(bracket->turning->context, at_ms, &ahead);
    *(turned ? &bracket->high_ms : &bracket->low_ms) = at_ms;
    *(turned ? &bracket->high_ahead : &bracket->low_ahead) = ahead;
    return turned;
}

static bool is_wide(const struct bracket *bracket) {
    return bracket->high_ms - bracket->low_ms > 1;
}

static int64_t inside(const struct bracket *bracket, int64_t at_ms) {
    at_ms = at_ms > bracket->low_ms ? at_ms : bracket->low_ms + 1;
    return at_ms < bracket->high_ms ? at_ms : bracket->high_ms - 1;
}

/* From the guess some milliseconds back or on, until it turns. */
static void narrow_near(struct bracket *bracket, int64_t guess_ms) {
    if (!is_wide(bracket) || guess_ms < bracket->low_ms - GUESS_SLACK_MS ||
        guess_ms > bracket->high_ms + GUESS_SLACK_MS) {
        return;
    }
    guess_ms = inside(bracket, guess_ms);
    bool back = ask(bracket, guess_ms);
    for (int i = 1; i <= GUESS_SLACK_MS + 1 && is_wide(bracket); i++) {
        if (ask(bracket, back ? guess_ms - i : guess_ms + i) != back) {
            return;
        }
    }
}

/* Where a straight line says that it turns; inside the bracket. */
static int64_t interpolated(const struct bracket *bracket) {
    double share = bracket->low_ahead / (bracket->low_ahead - bracket->high_ahead);
    share = share >= 0 && share <= 1 ? share : 0.5;
    return inside(bracket, bracket->low_ms + (int64_t)(share * (double)(bracket->high_ms - bracket->low_ms)));
}

/* Regula falsi; an end that stays twice counts half: the Illinois method (Dowell and Jarratt 1971). */
static void interpolate(struct bracket *bracket) {
    bool turned_before = false;
    (void)bracket->turning->turned(bracket->turning->context, bracket->low_ms, &bracket->low_ahead);
    for (int i = 0; i < INTERPOLATIONS_MAX && is_wide(bracket); i++) {
        bool turned = ask(bracket, interpolated(bracket));
        if (i > 0 && turned == turned_before) {
            *(turned ? &bracket->low_ahead : &bracket->high_ahead) /= 2;
        }
        turned_before = turned;
    }
}

int64_t turn_find(int64_t now_ms, int64_t limit_ms, const struct turning *turning) {
    int64_t end_ms = limit_ms - 1 < now_ms + TURN_HORIZON_MS ? limit_ms - 1 : now_ms + TURN_HORIZON_MS;
    struct bracket bracket = {.low_ms = now_ms, .high_ms = now_ms, .turning = turning};
    if (end_ms <= now_ms || !ask(&bracket, end_ms)) {
        return TIME_NEVER;
    }
    if (turning->guess_ms) {
        narrow_near(&bracket, turning->guess_ms(turning->context));
    }
    if (is_wide(&bracket)) {
        interpolate(&bracket);
    }
    while (is_wide(&bracket)) {
        ask(&bracket, bracket.low_ms + (bracket.high_ms - bracket.low_ms) / 2);
    }
    return bracket.high_ms;
}

/* What the files of the generator share among themselves. */
#ifndef TIDEMARK_RUN_GENERATE_PARTS_H
#define TIDEMARK_RUN_GENERATE_PARTS_H

#include "base/clock.h"
#include "run/generate.h"

/* How busy each day is, in thousandths of an average day, over the generator's time. */
struct season {
    int32_t first_day;
    int32_t days_count;
    uint16_t *weights;
    int64_t *later; /* by day: the weights of all later days, summed */
    int64_t start_ms;
    int64_t end_ms;
};

int season_init(struct season *season, int64_t start_ms, int64_t end_ms) MUST_CHECK;
void season_finish(struct season *season);
/* The weight of the time between now_ms, which must be within, and the end: thousandths of days. */
int64_t season_left(const struct season *season, int64_t now_ms);
/* The instant so many average minutes after now_ms: later where days are quiet. TIME_NEVER past the
 * end. */
int64_t season_after(const struct season *season, int64_t now_ms, int64_t minutes, uint64_t *random);

/* One customer; kept small, as there may be millions. */
struct shopper {
    uint64_t random;
    int64_t session_ms; /* the next step of a session; TIME_NEVER: gone for good */
    int64_t survey_ms;  /* an answer is due; TIME_NEVER: none */
    int64_t return_ms;  /* money goes back; TIME_NEVER: none */
    int64_t return_order_ms;
    uint32_t return_order;
    uint32_t return_minor;
    uint32_t gap_minutes; /* between sessions, on average */
    uint32_t spend_minor; /* for an order, typically */
    uint32_t events;
    uint32_t orders;
    int16_t mood;        /* -1000 .. 1000 */
    uint8_t script;      /* the session's */
    uint8_t step;        /* in the script */
    uint8_t return_kind; /* enum purchase_kind */
    uint8_t survey;      /* enum survey */
    uint8_t channel;
    uint8_t category;
    bool referred; /* and has not said so yet */
};

/* What shoppers share. */
struct shop {
    uint64_t seed;
    uint32_t customers;
    uint32_t founders;       /* the first so many customers are there from the start */
    uint32_t join_per_mille; /* of the others; all, but where there are fewer events than that */
    int64_t pace_q16;        /* 1: natural; 2: twice as many sessions */
    struct season season;
};

/* Draws a customer's character and first visit. */
void shopper_init(struct shopper *shopper, const struct shop *shop, uint32_t index);
/* When something happens next; TIME_NEVER: never again. */
int64_t shopper_next_ms(const struct shopper *shopper);
/* Makes it happen: fills `out`, and plans what follows. */
void shopper_act(struct shopper *shopper, const struct shop *shop, uint32_t index, struct generated *out);
/* Looks at a page at now_ms, whatever the plans. */
void shopper_look(struct shopper *shopper, const struct shop *shop, uint32_t index, int64_t now_ms,
                  struct generated *out);

#endif

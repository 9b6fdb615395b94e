#include "run/generate_parts.h"
#include "run/generate_random.h"

#include <inttypes.h>
#include <stdio.h>

/* One draw per expression: C leaves the order of two calls within one to the compiler.
 *
 * The figures are chosen to look like a mid-sized shop; none is taken from a real one. */
enum {
    GAP_DAYS = 21,             /* between an average customer's sessions */
    GAP_SPREAD_Q16 = 104000,   /* deviation of log2: 1.59; the top fifth comes about 60 % of times */
    GAP_MEAN_Q16 = 119900,     /* the mean of that log-normal, 1.83: divided out again */
    GAP_MINUTES_MAX = 5256000, /* ten years */
    SPEND_MINOR = 4500,
    SPEND_SPREAD_Q16 = 60000, /* among customers */
    ORDER_SPREAD_Q16 = 40000, /* among a customer's orders */
    ORDER_MINOR_MIN = 199,
    ORDER_MINOR_MAX = 500000,
    REFERRED_PER_MILLE = 120, /* of those who join later */
    GONE_WRONG_PER_MILLE = 90,
    SURVEYED_PER_MILLE = 330,
    LAPSE_PER_MILLE = 15,
    LAPSE_UNHAPPY_PER_MILLE = 250, /* more at the worst mood */
    LAPSE_FOR_EVER_PER_MILLE = 350,
    MOOD_MAX = 1000,
    CATEGORIES = 12,
    CHANNELS = 4, /* the last is the store */
    SKUS_PER_CATEGORY = 200,
    STEPS_MAX = 5,
};

/* A script is a session's steps: kinds of interaction, BUY for the purchase, 0 for the end. */
enum { END = 0, BUY = 255 };

enum script {
    SCRIPT_BROWSE,
    SCRIPT_WINDOW,
    SCRIPT_SEARCH,
    SCRIPT_LEFT_CART,
    SCRIPT_BUY,
    SCRIPT_BUY_QUICKLY,
    SCRIPT_BUY_IN_STORE,
    SCRIPT_EMAIL,
    SCRIPT_EMAIL_BUY,
    SCRIPT_SOCIAL,
    SCRIPT_REFER,
    SCRIPT_ACCOUNT,
    SCRIPT_SUPPORT,
    SCRIPTS
};

static const struct {
    uint16_t weight; /* of 1000; support is never chosen but follows from what went wrong */
    uint8_t steps[STEPS_MAX + 1];
} scripts[SCRIPTS] = {
    [SCRIPT_BROWSE] = {120, {INTERACTION_PAGE_VIEW, INTERACTION_PAGE_VIEW, END}},
    [SCRIPT_WINDOW] = {60, {INTERACTION_PAGE_VIEW, END}},
    [SCRIPT_SEARCH] = {110, {INTERACTION_SEARCH, INTERACTION_PAGE_VIEW, INTERACTION_PAGE_VIEW, END}},
    [SCRIPT_LEFT_CART] = {110, {INTERACTION_PAGE_VIEW, INTERACTION_CART_ADD, END}},
    [SCRIPT_BUY] = {230,
                    {INTERACTION_SEARCH, INTERACTION_PAGE_VIEW, INTERACTION_CART_ADD, INTERACTION_CHECKOUT, BUY, END}},
    [SCRIPT_BUY_QUICKLY] = {100, {INTERACTION_CART_ADD, INTERACTION_CHECKOUT, BUY, END}},
    [SCRIPT_BUY_IN_STORE] = {50, {INTERACTION_STORE_VISIT, BUY, END}},
    [SCRIPT_EMAIL] = {100, {INTERACTION_EMAIL_OPEN, INTERACTION_EMAIL_CLICK, END}},
    [SCRIPT_EMAIL_BUY] = {50, {INTERACTION_EMAIL_OPEN, INTERACTION_EMAIL_CLICK, INTERACTION_CART_ADD, BUY, END}},
    [SCRIPT_SOCIAL] = {25, {INTERACTION_SOCIAL, INTERACTION_PAGE_VIEW, END}},
    [SCRIPT_REFER] = {10, {INTERACTION_REFERRAL, END}},
    [SCRIPT_ACCOUNT] = {35, {INTERACTION_LOGIN, INTERACTION_OTHER, END}},
    [SCRIPT_SUPPORT] = {0, {INTERACTION_SUPPORT_CONTACT, END}},
};

static const enum journey_stage kind_stages[INTERACTION_KINDS + 1] = {
    [INTERACTION_PAGE_VIEW] = STAGE_INTEREST,          [INTERACTION_SEARCH] = STAGE_INTEREST,
    [INTERACTION_CART_ADD] = STAGE_DECISION,           [INTERACTION_CHECKOUT] = STAGE_PURCHASE,
    [INTERACTION_EMAIL_OPEN] = STAGE_AWARENESS,        [INTERACTION_EMAIL_CLICK] = STAGE_INTEREST,
    [INTERACTION_SUPPORT_CONTACT] = STAGE_AFTER_SALES, [INTERACTION_SOCIAL] = STAGE_AWARENESS,
};

static const char *const categories[CATEGORIES] = {"books", "fashion", "shoes", "beauty",    "home",   "garden",
                                                   "toys",  "sports",  "food",  "computers", "phones", "music"};
static const char *const channels[CHANNELS] = {"web", "app", "marketplace", "store"};
static const char *const campaigns[] = {"spring", "summer", "back_to_school", "advent", "newsletter", "win_back"};
static const char *const touchpoints[] = {"delivery", "checkout", "product", "support", "store"};

#define PICK(list, random) (list)[random_below((random), sizeof(list) / sizeof *(list))]

static int64_t clamp(int64_t value, int64_t least, int64_t most) {
    return value < least ? least : value > most ? most : value;
}

static void plan_session(struct shopper *shopper, const struct shop *shop, int64_t now_ms, int64_t minutes) {
    minutes = minutes * Q16_ONE / shop->pace_q16;
    shopper->session_ms = season_after(&shop->season, now_ms, minutes, &shopper->random);
    shopper->step = 0;
}

static int64_t draw_gap(struct shopper *shopper) {
    return shopper->gap_minutes * random_exponential(&shopper->random) / Q16_ONE;
}

static enum script draw_script(struct shopper *shopper) {
    uint32_t draw = random_below(&shopper->random, 1000);
    int script = 0;
    while (draw >= scripts[script].weight) {
        draw -= scripts[script++].weight;
    }
    return (enum script)script;
}

/* After a session: the usual gap; or a lapse, from which an e-mail may bring the customer back. */
static void plan_next_session(struct shopper *shopper, const struct shop *shop, int64_t now_ms) {
    int64_t lapse = LAPSE_PER_MILLE * 1000;
    if (shopper->mood < 0) {
        lapse += -shopper->mood * LAPSE_UNHAPPY_PER_MILLE * 1000 / MOOD_MAX;
    }
    if (shop->pace_q16 > Q16_ONE) {
        lapse = lapse * Q16_ONE / shop->pace_q16; /* people do not tire sooner of a busier shop */
    }
    if (random_below(&shopper->random, 1000000) >= lapse) {
        shopper->script = (uint8_t)draw_script(shopper);
        plan_session(shopper, shop, now_ms, draw_gap(shopper));
        return;
    }
    if (random_chance(&shopper->random, LAPSE_FOR_EVER_PER_MILLE)) {
        shopper->session_ms = TIME_NEVER;
        return;
    }
    int64_t days = random_between(&shopper->random, 90, 240);
    shopper->script = random_chance(&shopper->random, 500) ? SCRIPT_EMAIL_BUY : SCRIPT_EMAIL;
    shopper->mood = (int16_t)(shopper->mood / 2); /* time heals */
    shopper->session_ms = season_after(&shop->season, now_ms, days * 1440, &shopper->random);
    shopper->step = 0;
}

static int64_t draw_log_normal(uint64_t *random, int64_t spread_q16) {
    return exp2_q16(random_normal(random) * spread_q16 / Q16_ONE);
}

void shopper_init(struct shopper *shopper, const struct shop *shop, uint32_t index) {
    *shopper = (struct shopper){.random = random_stream(shop->seed, index),
                                .session_ms = TIME_NEVER,
                                .survey_ms = TIME_NEVER,
                                .return_ms = TIME_NEVER};
    uint64_t *random = &shopper->random;
    const struct season *season = &shop->season;
    int64_t rate_q16 = draw_log_normal(random, GAP_SPREAD_Q16);
    int64_t gap = INT64_C(1440) * GAP_DAYS * GAP_MEAN_Q16 / (rate_q16 ? rate_q16 : 1);
    shopper->gap_minutes = (uint32_t)clamp(gap, 60, GAP_MINUTES_MAX);
    shopper->spend_minor = (uint32_t)(SPEND_MINOR * draw_log_normal(random, SPEND_SPREAD_Q16) / Q16_ONE);
    shopper->mood = (int16_t)clamp(150 + random_normal(random) * 250 / Q16_ONE, -900, 900);
    shopper->channel = (uint8_t)random_below(random, CHANNELS - 1);
    shopper->category = (uint8_t)random_below(random, CATEGORIES);
    shopper->script = (uint8_t)draw_script(shopper);
    if (index < shop->founders) {
        plan_session(shopper, shop, season->start_ms, draw_gap(shopper));
    } else {
        shopper->referred = random_chance(random, REFERRED_PER_MILLE);
    }
    if (shopper->session_ms == TIME_NEVER && random_chance(random, shop->join_per_mille)) {
        /* Joins at some time; so does a founder who would not come at all, that all are seen. */
        int64_t minutes = (season->end_ms - season->start_ms) / MS_PER_MINUTE;
        shopper->session_ms = season->start_ms + random_between(random, 0, minutes - 1) * MS_PER_MINUTE;
        shopper->session_ms += random_below(random, MS_PER_MINUTE);
    }
}

int64_t shopper_next_ms(const struct shopper *shopper) {
    int64_t next_ms = shopper->session_ms;
    next_ms = shopper->survey_ms < next_ms ? shopper->survey_ms : next_ms;
    return shopper->return_ms < next_ms ? shopper->return_ms : next_ms;
}

static struct bytes print_customer(char *text, uint32_t index) {
    int size = snprintf(text, GENERATED_TEXT_BYTES, "c%08" PRIu32, index);
    return bytes_of(text, (size_t)size);
}

static struct bytes print_order(char *text, uint32_t index, uint32_t order) {
    int size = snprintf(text, GENERATED_TEXT_BYTES, "o%" PRIu32 "-%" PRIu32, index, order);
    return bytes_of(text, (size_t)size);
}

/* What every event has. The seed is part of the id, so that another history is no duplicate. */
static void begin(struct shopper *shopper, const struct shop *shop, uint32_t index, int64_t now_ms, enum input input,
                  struct generated *out) {
    out->input = input;
    out->activity = (struct activity){.type = (enum activity_type)input, .time_ms = now_ms};
    out->activity.customer_id = print_customer(out->customer_id, index);
    int size = snprintf(out->event_id, GENERATED_TEXT_BYTES, "e%" PRIx64 "-%" PRIu32 "-%" PRIu32, shop->seed, index,
                        ++shopper->events);
    out->activity.event_id = bytes_of(out->event_id, (size_t)size);
}

static void interact(struct shopper *shopper, const struct shop *shop, uint32_t index, int64_t now_ms,
                     enum interaction_kind kind, struct generated *out) {
    begin(shopper, shop, index, now_ms, INPUT_INTERACTIONS, out);
    struct interaction *interaction = &out->activity.interaction;
    bool email = kind == INTERACTION_EMAIL_OPEN || kind == INTERACTION_EMAIL_CLICK;
    bool store = kind == INTERACTION_STORE_VISIT;
    interaction->kind = kind;
    interaction->stage = kind_stages[kind];
    interaction->channel = bytes_of_text(email ? "email" : store ? channels[CHANNELS - 1] : channels[shopper->channel]);
    if (email || kind == INTERACTION_SOCIAL) {
        interaction->campaign = bytes_of_text(PICK(campaigns, &shopper->random));
    }
}

static void fill_items(struct shopper *shopper, int64_t amount_minor, struct generated *out) {
    uint64_t *random = &shopper->random;
    struct purchase *purchase = &out->activity.purchase;
    bool several = random_chance(random, 500);
    size_t count = several ? 1 + random_below(random, GENERATED_ITEMS_MAX) : 1;
    int64_t left = amount_minor;
    for (size_t i = 0; i < count; i++) {
        /* Mostly the favourite category; each item takes its share of what is left. */
        bool favourite = random_chance(random, 700);
        uint32_t category = favourite ? shopper->category : random_below(random, CATEGORIES);
        int size = snprintf(out->skus[i], GENERATED_TEXT_BYTES, "%s-%03" PRIu32, categories[category],
                            random_below(random, SKUS_PER_CATEGORY));
        int64_t amount = i + 1 == count ? left : left / (int64_t)(count - i);
        left -= amount;
        out->items[i] = (struct purchase_item){
            .sku = bytes_of(out->skus[i], (size_t)size),
            .category = bytes_of_text(categories[category]),
            .quantity = 1 + (int64_t)random_below(random, 3) / 2,
            .amount_minor = amount,
        };
    }
    purchase->items = out->items;
    purchase->items_count = count;
}

/* How the order turns out decides the mood, whether it goes back, and what is answered. */
static void plan_aftermath(struct shopper *shopper, int64_t now_ms, int64_t amount_minor, int64_t end_ms) {
    uint64_t *random = &shopper->random;
    bool wrong = random_chance(random, GONE_WRONG_PER_MILLE);
    int64_t change = wrong ? -random_between(random, 200, 450) : random_between(random, 15, 60);
    shopper->mood = (int16_t)clamp(shopper->mood + change, -MOOD_MAX, MOOD_MAX);
    if (shopper->return_ms == TIME_NEVER && random_chance(random, wrong ? 550 : 45)) {
        bool cancelled = random_chance(random, wrong ? 200 : 400);
        bool whole = cancelled || random_chance(random, 550);
        int64_t after_ms = cancelled ? random_between(random, 5, 1200) * MS_PER_MINUTE
                                     : random_between(random, 3 * 1440, 25 * 1440) * MS_PER_MINUTE;
        shopper->return_ms = now_ms + after_ms <= end_ms ? now_ms + after_ms : TIME_NEVER;
        shopper->return_kind = cancelled ? PURCHASE_KIND_CANCELLATION : PURCHASE_KIND_REFUND;
        shopper->return_order_ms = now_ms;
        shopper->return_order = shopper->orders;
        shopper->return_minor = (uint32_t)(whole ? amount_minor : amount_minor * random_between(random, 15, 70) / 100);
    }
    if (shopper->survey_ms == TIME_NEVER && random_chance(random, SURVEYED_PER_MILLE)) {
        static const enum survey surveys[] = {SURVEY_NPS, SURVEY_NPS,    SURVEY_NPS, SURVEY_CSAT,
                                              SURVEY_CES, SURVEY_REVIEW, SURVEY_CSAT};
        int64_t after_ms = random_between(random, 2 * 1440, 10 * 1440) * MS_PER_MINUTE;
        shopper->survey_ms = now_ms + after_ms <= end_ms ? now_ms + after_ms : TIME_NEVER;
        shopper->survey = (uint8_t)(wrong && random_chance(random, 350) ? SURVEY_COMPLAINT : PICK(surveys, random));
    }
    if (wrong && random_chance(random, 400)) {
        shopper->script = SCRIPT_SUPPORT;
    }
}

static void buy(struct shopper *shopper, const struct shop *shop, uint32_t index, int64_t now_ms,
                struct generated *out) {
    uint64_t *random = &shopper->random;
    bool store = shopper->script == SCRIPT_BUY_IN_STORE;
    begin(shopper, shop, index, now_ms, INPUT_PURCHASES, out);
    shopper->orders++;
    /* Prices end in 9. */
    int64_t amount = shopper->spend_minor * draw_log_normal(random, ORDER_SPREAD_Q16) / Q16_ONE;
    amount = clamp(amount / 10 * 10 + 9, ORDER_MINOR_MIN, ORDER_MINOR_MAX - 1);
    struct purchase *purchase = &out->activity.purchase;
    purchase->kind = PURCHASE_KIND_PURCHASE;
    purchase->amount_minor = amount;
    purchase->order_time_ms = now_ms;
    purchase->order_id = print_order(out->order_id, index, shopper->orders);
    purchase->channel = bytes_of_text(channels[store ? CHANNELS - 1 : shopper->channel]);
    fill_items(shopper, amount, out);
    if (shopper->referred) {
        shopper->referred = false;
        purchase->referrer_id = print_customer(out->referrer_id, random_below(random, shop->founders));
    }
    plan_aftermath(shopper, now_ms, amount, shop->season.end_ms);
}

static void give_back(struct shopper *shopper, const struct shop *shop, uint32_t index, struct generated *out) {
    begin(shopper, shop, index, shopper->return_ms, INPUT_PURCHASES, out);
    struct purchase *purchase = &out->activity.purchase;
    purchase->kind = (enum purchase_kind)shopper->return_kind;
    purchase->amount_minor = shopper->return_minor;
    purchase->order_time_ms = shopper->return_order_ms;
    purchase->order_id = print_order(out->order_id, index, shopper->return_order);
    purchase->channel = bytes_of_text(channels[shopper->channel]);
    shopper->return_ms = TIME_NEVER;
}

static int score_of(struct shopper *shopper, enum survey survey) {
    int64_t felt = clamp(shopper->mood + random_normal(&shopper->random) * 220 / Q16_ONE, -MOOD_MAX, MOOD_MAX);
    /* 0..10, a neutral mood giving 7 */
    int64_t out_of_ten = felt >= 0 ? 7 + (felt * 4 + 300) / MOOD_MAX : 7 + felt * 8 / MOOD_MAX;
    out_of_ten = clamp(out_of_ten, 0, 10);
    switch (survey) {
    case SURVEY_NPS:
        return (int)out_of_ten;
    case SURVEY_CES:
        return (int)(1 + out_of_ten * 6 / 10);
    case SURVEY_CSAT:
    case SURVEY_REVIEW:
        return (int)(1 + out_of_ten * 4 / 10);
    case SURVEY_COMPLAINT:
        break;
    }
    return 0;
}

static void answer(struct shopper *shopper, const struct shop *shop, uint32_t index, struct generated *out) {
    begin(shopper, shop, index, shopper->survey_ms, INPUT_FEEDBACK, out);
    struct feedback *feedback = &out->activity.feedback;
    feedback->survey = (enum survey)shopper->survey;
    feedback->score = score_of(shopper, feedback->survey);
    feedback->touchpoint = bytes_of_text(PICK(touchpoints, &shopper->random));
    feedback->channel = bytes_of_text(channels[shopper->channel]);
    shopper->survey_ms = TIME_NEVER;
}

/* One step of the session, and the time of the next: seconds to minutes on, or another session. */
static void visit(struct shopper *shopper, const struct shop *shop, uint32_t index, struct generated *out) {
    int64_t now_ms = shopper->session_ms;
    const uint8_t *steps = scripts[shopper->script].steps;
    uint8_t step = steps[shopper->step++];
    bool more = steps[shopper->step] != END;
    if (step == BUY) {
        buy(shopper, shop, index, now_ms, out);
    } else {
        interact(shopper, shop, index, now_ms, (enum interaction_kind)step, out);
    }
    if (more) {
        int64_t next_ms = now_ms + random_between(&shopper->random, 4000, 240000);
        shopper->session_ms = next_ms <= shop->season.end_ms ? next_ms : TIME_NEVER;
        return;
    }
    if (step == BUY && shopper->script == SCRIPT_SUPPORT) {
        /* It went wrong: the next contact is with the support, soon. */
        int64_t minutes = random_between(&shopper->random, 600, 4 * 1440);
        shopper->session_ms = season_after(&shop->season, now_ms, minutes, &shopper->random);
        shopper->step = 0;
        return;
    }
    plan_next_session(shopper, shop, now_ms);
}

void shopper_act(struct shopper *shopper, const struct shop *shop, uint32_t index, struct generated *out) {
    int64_t now_ms = shopper_next_ms(shopper);
    if (shopper->session_ms == now_ms) {
        visit(shopper, shop, index, out);
    } else if (shopper->return_ms == now_ms) {
        give_back(shopper, shop, index, out);
    } else {
        answer(shopper, shop, index, out);
    }
}

void shopper_look(struct shopper *shopper, const struct shop *shop, uint32_t index, int64_t now_ms,
                  struct generated *out) {
    interact(shopper, shop, index, now_ms, INTERACTION_PAGE_VIEW, out);
}

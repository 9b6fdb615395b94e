/* An activity: one thing a customer did (a purchase, an interaction, a feedback), decoded and validated.
 *
 * Amounts are in minor units of the base currency already; times are UTC milliseconds; slices borrow from the batch's
 * arena. The word "event" is left to libevent. */
#ifndef TIDEMARK_SCORE_ACTIVITY_H
#define TIDEMARK_SCORE_ACTIVITY_H

#include "base/bytes.h"

/* Also the order of the three input topics everywhere: in offsets, in ties of the merge. */
enum activity_type { ACTIVITY_PURCHASE, ACTIVITY_INTERACTION, ACTIVITY_FEEDBACK, ACTIVITY_TYPES };

/* The numbers of all enums below are those of the protobuf schemas (schemas/ *.proto), where 0 is "unspecified". */
enum purchase_kind {
    PURCHASE_KIND_PURCHASE = 1,
    PURCHASE_KIND_REFUND,
    PURCHASE_KIND_CANCELLATION,
    PURCHASE_KINDS = PURCHASE_KIND_CANCELLATION
};

enum interaction_kind {
    INTERACTION_PAGE_VIEW = 1,
    INTERACTION_SEARCH,
    INTERACTION_CART_ADD,
    INTERACTION_CHECKOUT,
    INTERACTION_EMAIL_OPEN,
    INTERACTION_EMAIL_CLICK,
    INTERACTION_LOGIN,
    INTERACTION_SUPPORT_CONTACT,
    INTERACTION_REFERRAL,
    INTERACTION_SOCIAL,
    INTERACTION_STORE_VISIT,
    INTERACTION_OTHER,
    INTERACTION_KINDS = INTERACTION_OTHER
};

enum journey_stage {
    STAGE_NONE,
    STAGE_AWARENESS,
    STAGE_INTEREST,
    STAGE_DECISION,
    STAGE_PURCHASE,
    STAGE_AFTER_SALES,
    STAGES = STAGE_AFTER_SALES
};

enum survey { SURVEY_NPS = 1, SURVEY_CSAT, SURVEY_CES, SURVEY_COMPLAINT, SURVEY_REVIEW, SURVEYS = SURVEY_REVIEW };

struct purchase_item {
    struct bytes sku;
    struct bytes category;
    int64_t quantity;
    int64_t amount_minor;
};

struct purchase {
    enum purchase_kind kind;
    int64_t amount_minor;  /* never negative; a refund's is what goes back */
    int64_t order_time_ms; /* when the order counted; the activity's own time if the event did not say */
    struct bytes order_id;
    struct bytes channel;
    struct bytes referrer_id;
    const struct purchase_item *items;
    size_t items_count;
};

struct interaction {
    enum interaction_kind kind;
    enum journey_stage stage;
    struct bytes channel;
    struct bytes campaign;
};

struct feedback {
    enum survey survey;
    int score; /* on the survey's scale; 0 for a complaint */
    struct bytes touchpoint;
    struct bytes channel;
};

struct activity {
    enum activity_type type;
    struct bytes customer_id;
    struct bytes event_id;
    uint64_t event_hash; /* bytes_hash of event_id, cut to 48 bits, never 0; 0: no id, so never a duplicate */
    int64_t time_ms;
    union {
        struct purchase purchase;
        struct interaction interaction;
        struct feedback feedback;
    };
};

#endif

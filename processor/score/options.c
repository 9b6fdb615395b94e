#include "score/options.h"

#include "base/clock.h"

static const char *const purchase_names[] = {
    [PURCHASE_KIND_PURCHASE] = "purchase",
    [PURCHASE_KIND_REFUND] = "refund",
    [PURCHASE_KIND_CANCELLATION] = "cancellation",
};

static const char *const interaction_names[] = {
    [INTERACTION_PAGE_VIEW] = "page_view",
    [INTERACTION_SEARCH] = "search",
    [INTERACTION_CART_ADD] = "cart_add",
    [INTERACTION_CHECKOUT] = "checkout",
    [INTERACTION_EMAIL_OPEN] = "email_open",
    [INTERACTION_EMAIL_CLICK] = "email_click",
    [INTERACTION_LOGIN] = "login",
    [INTERACTION_SUPPORT_CONTACT] = "support_contact",
    [INTERACTION_REFERRAL] = "referral",
    [INTERACTION_SOCIAL] = "social",
    [INTERACTION_STORE_VISIT] = "store_visit",
    [INTERACTION_OTHER] = "other",
};

static const char *const survey_names[] = {
    [SURVEY_NPS] = "nps",       [SURVEY_CSAT] = "csat", [SURVEY_CES] = "ces", [SURVEY_COMPLAINT] = "complaint",
    [SURVEY_REVIEW] = "review",
};

struct scoring_options scoring_options_default(void) {
    struct scoring_options options = {
        .ces = CES_MEAN,
        .frequent_interval_days = 45,
        .rising_below = 500,
        .points = {.per_unit = 1},
        .engagement = {.half_life_ms = 14 * (int64_t)MS_PER_DAY},
        .lifetime_value = {LTV_MBG_NBD, .r = 0.525, .alpha = 6.183, .a = 0.891, .b = 1.614, .p = 6.25, .q = 3.74,
                           .v = 15.44, .unit_ms = 7.0 * MS_PER_DAY, .money_scale = 100,
                           .discount = 0.1}, /* as fitted to CDNOW */
    };
    for (int kind = INTERACTION_PAGE_VIEW; kind <= INTERACTION_KINDS; kind++) {
        options.engagement.weights[kind] = 1;
    }
    return options;
}

int activity_kind(const struct activity *activity) {
    if (activity->type == ACTIVITY_PURCHASE) {
        return (int)activity->purchase.kind - PURCHASE_KIND_PURCHASE;
    }
    if (activity->type == ACTIVITY_INTERACTION) {
        return PURCHASE_KINDS + (int)activity->interaction.kind - INTERACTION_PAGE_VIEW;
    }
    ASSERT(activity->type == ACTIVITY_FEEDBACK);
    return PURCHASE_KINDS + INTERACTION_KINDS + (int)activity->feedback.survey - SURVEY_NPS;
}

const char *activity_kind_name(int kind) {
    if (kind < 0 || kind >= ACTIVITY_KINDS) {
        return NULL;
    }
    if (kind < PURCHASE_KINDS) {
        return purchase_names[kind + PURCHASE_KIND_PURCHASE];
    }
    kind -= PURCHASE_KINDS;
    return kind < INTERACTION_KINDS ? interaction_names[kind + INTERACTION_PAGE_VIEW]
                                    : survey_names[kind - INTERACTION_KINDS + SURVEY_NPS];
}

const char *interaction_name(int kind) {
    return kind >= INTERACTION_PAGE_VIEW && kind <= INTERACTION_KINDS ? interaction_names[kind] : NULL;
}

int interaction_by_name(struct bytes name) {
    for (int kind = INTERACTION_PAGE_VIEW; kind <= INTERACTION_KINDS; kind++) {
        if (bytes_equal_text(name, interaction_names[kind])) {
            return kind;
        }
    }
    return 0;
}

"""The rules that the campaigns run: every way of falling in RULES, every metric in RULES_EVERYTHING."""

RULES = {
    "state": {"time_zone": "Europe/Berlin", "max_future": "5m", "cache": "64MiB"},
    "currency": {"base": "EUR", "rates": {"USD": 0.92, "GBP": 1.517, "JPY": 0.0075, "KWD": 2.98}},
    "scores": {
        "r": {"metric": "days_since_purchase", "steps": [14, 45, 120, 270], "best": "low"},
        "f": {"metric": "purchases(180d)", "steps": [1, 2, 4, 8]},
        "m": {"metric": "revenue(180d)", "steps": [20, 60, 150, 400.5]},
        "e": {"metric": "interactions(60d)", "steps": [1, 3, 8]},
    },
    "tier_sets": {
        "value": {
            "hold": "30d", "grace": "14d", "demote": "one_step",
            "tiers": [
                {"name": "vip", "enter": "r + f + m >= 12", "stay": "r + f + m >= 11 and e >= 1",
                 "treatment": {"service": "dedicated", "gift": "yes"}},
                {"name": "potential", "enter": "r + f + m >= 9 and (purchases >= 2 or aov(90d) > 80)",
                 "treatment": {"service": "priority"}},
                {"name": "ordinary", "enter": "r + f + m >= 5"},
                {"name": "dormant"}]},
        "lifecycle": {
            "topic": "OWN",
            "tiers": [
                {"name": "new", "enter": "tenure <= 30 and purchases <= 1"},
                {"name": "active", "enter": "days_since_purchase <= 60 or days_since_seen < 7.5 and purchases(365d) > 0"},
                {"name": "lapsing", "enter": "days_since_purchase <= 180 or interactions(page_view, 30d) + 2 * interactions(cart_add, 30d) >= 2"},
                {"name": "gone"}]},
        "mood": {
            "grace": "3d",
            "tiers": [
                {"name": "happy", "enter": "nps(180d) >= 50 and complaints(90d) = 0", "stay": "not nps(180d) < 20 and complaints(90d) = 0"},
                {"name": "unknown", "enter": "not known(nps(180d)) and complaints(180d) = 0 and not refunds(90d) > 0.5 * revenue(90d)"},
                {"name": "unhappy", "enter": "min(nps(180d), nps) < 0 or complaints(180d) >= 1"},
                {"name": "neutral"}]},
        "momentum": {
            "hold": "7d",
            "tiers": [
                {"name": "rising", "enter": "revenue(60d) > 1.5 * max(revenue(60d, ago 60d), 10) and aov(60d) >= 10"},
                {"name": "steady", "enter": "tier(value) = vip or purchases(60d) - purchases(30d, ago 30d) / 2 >= 1 or days_since_purchase < tenure / 4"},
                {"name": "quiet"}]},
        "ladder": {
            "demote": "one_step",
            "tiers": [
                {"name": "three", "enter": "purchases(45d) >= 3"}, {"name": "two", "enter": "purchases(45d) >= 2"},
                {"name": "one", "enter": "purchases(45d) >= 1"}, {"name": "none"}]},
    },
}

BG_NBD = {"model": "bg_nbd", "unit": "7d", "r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426,
          "gamma_gamma": {"p": 6.25, "q": 3.74, "v": 15.44}, "discount": 0.05}

# Every metric that there is, in a rule or a score, where CDNOW's customers cross it. No score by quantiles: their cut points come
# by the wall clock. No set that falls by one step with neither hold nor grace: it would fall at whatever is evaluated next.
RULES_EVERYTHING = {
    "state": RULES["state"],
    "currency": RULES["currency"],
    "behaviour": {"frequent_interval": "60d", "rising_below": 60},
    "engagement": {"half_life": "10d", "weights": {"page_view": 0.5, "cart_add": 2, "checkout": 3, "referral": 4, "email_open": 0.25}},
    "feedback": {"ces": "share"},
    "lifetime_value": {"model": "mbg_nbd", "unit": "7d", "r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614,
                       "gamma_gamma": {"p": 6.25, "q": 3.74, "v": 15.44}, "discount": 0.15},
    "points": {
        "per_unit": 1.3,
        "events": {"purchase": 10, "page_view": 1, "search": 0.5, "login": 0.25, "referral": 50, "social": 3, "nps": 5,
                   "csat": 2.5, "ces": 2.5, "review": 12, "complaint": 1, "refund": 0.125, "cancellation": 0.375},
        "multipliers": {"loyalty": {"gold": 1.5, "silver": 1.2}, "value": {"vip": 1.07, "dormant": 0.9}}},
    "scores": {
        "r": {"metric": "days_since_purchase", "steps": [14, 45, 120], "best": "low"},
        "f": {"metric": "purchases(120d)", "steps": [1, 2, 3, 6]},
        "m": {"metric": "revenue(120d)", "steps": [20, 50, 120, 300.5]},
        "e": {"metric": "engagement", "steps": [0.1, 1.5]},
        "l": {"metric": "clv(90d)", "steps": [8, 20]},
        "risk": {"metric": "p_alive", "steps": [0.3, 0.6], "best": "low"},
        "c": {"metric": "ces(120d)", "steps": [0, 50]},
        "gap": {"metric": "mean_interval", "steps": [20, 50, 110], "best": "low"},
    },
    "tier_sets": {
        "value": {
            "hold": "30d", "grace": "14d", "demote": "one_step", "notice": "10d",
            "tiers": [
                {"name": "vip", "enter": "r + f + m >= 11", "stay": "r + f + m >= 11 or r + f + m >= 10 and e >= 2",
                 "treatment": {"service": "dedicated", "gift": "yes"}},
                {"name": "potential", "enter": "r + f + m >= 8 and (purchase_days >= 2 or aov(60d) > 80)",
                 "treatment": {"service": "priority"}},
                {"name": "ordinary", "enter": "r + f + m >= 5"},
                {"name": "dormant"}]},
        "churn": {
            "topic": "OWN", "notice": "14d",
            "tiers": [
                {"name": "low", "enter": "p_alive >= 0.7"},
                {"name": "medium", "enter": "p_alive >= 0.5 or expected_purchases(60d) > 0.3", "stay": "p_alive >= 0.42 or expected_purchases(60d) > 0.3"},
                {"name": "high", "enter": "0.2 < p_alive", "treatment": {"call": "yes"}},
                {"name": "gone"}]},
        "worth": {
            "grace": "5d",
            "tiers": [
                {"name": "big", "enter": "clv(120d) >= 30 and mean_spend > 28"},
                {"name": "good", "enter": "l >= 2 or clv(120d) * 0.7 - 1 > mean_spend / 3"},
                {"name": "fair", "enter": "expected_purchases(120d) >= 0.3 and risk <= 2"},
                {"name": "poor"}]},
        "voice": {
            "grace": "3d", "notice": "30d",
            "tiers": [
                {"name": "delighted", "enter": "nps_low(120d) > -25 and complaints(60d) = 0", "stay": "nps_low(120d) > -35 and complaints(60d) = 0"},
                {"name": "content", "enter": "nps(120d) >= 0 and nps_margin(120d) < 80 and complaints(120d) = 0"},
                {"name": "unheard", "enter": "not known(nps_high(120d)) and not refunds(60d) > 0.5 * revenue(60d)"},
                {"name": "open", "enter": "nps_high(120d) >= 60 or min(nps_high, nps) > 20"},
                {"name": "lost"}]},
        "service": {
            "hold": "10d", "demote": "one_step",
            "tiers": [
                {"name": "smooth", "enter": "csat(120d) >= 75 and c >= 2"},
                {"name": "liked", "enter": "review_mean >= 4 or csat_mean(120d) >= 3.9 or ces(120d) >= 40"},
                {"name": "unknown", "enter": "reviews = 0 and not known(csat_mean(120d)) and not known(ces(120d))"},
                {"name": "rough"}]},
        "basket": {
            "hold": "20d", "notice": "3d",
            "tiers": [
                {"name": "hoarder", "enter": "items(60d) >= 8 or basket_size >= 4.5 and items(60d) > 0"},
                {"name": "collector", "enter": "basket_size(120d) >= 2.5 and trend(items, 60d) > 0.5"},
                {"name": "buyer", "enter": "items(60d) >= 1"},
                {"name": "none"}]},
        "loyalty": {
            "hold": "60d", "grace": "10d", "demote": "one_step", "notice": "21d",
            "tiers": [
                {"name": "gold", "enter": "points(120d) >= 150", "stay": "points(120d) >= 100", "treatment": {"rate": 1.5}},
                {"name": "silver", "enter": "points(120d) >= 60 or referrals(120d) >= 1", "treatment": {"rate": 1.2}},
                {"name": "bronze", "enter": "points(120d) >= 15.5 or points >= 300"},
                {"name": "blank"}]},
        "rhythm": {
            "tiers": [
                {"name": "regular", "enter": "frequency = frequent and interval_spread < 25 and days_since_purchase <= 2 * mean_interval"},
                {"name": "often", "enter": "frequency = frequent or purchase_days >= 5 and gap >= 2"},
                {"name": "now_and_then", "enter": "frequency != one_off and days_since_purchase < mean_interval + 3 * interval_spread + 30"},
                {"name": "once", "enter": "frequency = one_off and tenure <= 90"},
                {"name": "past"}]},
        "journey": {
            "grace": "2d", "demote": "one_step",
            "tiers": [
                {"name": "owner", "enter": "furthest_stage = after_sales and e >= 2"},
                {"name": "buying", "enter": "stage >= purchase and engagement > 0.2"},
                {"name": "deciding", "enter": "stage = decision or stage = interest and engagement * 2 > 1"},
                {"name": "looking", "enter": "stage <= decision and days_since_seen <= 30"},
                {"name": "away"}]},
        "momentum": {
            "hold": "7d",
            "tiers": [
                {"name": "rising", "enter": "rising(60d) or trend(revenue, 60d) >= 1.5 and aov(60d) >= 10"},
                {"name": "steady", "enter": "tier(value) = vip or trend(interactions, 60d) >= 1 or tier(churn) = low and days_since_purchase < tenure / 4"},
                {"name": "quiet"}]},
        "mixture": {
            "tiers": [
                {"name": "warm", "enter": "csat_mean(60d) * p_alive > 2 * engagement + 1"},
                {"name": "cool", "enter": "days_since_seen < 40 + 5 * csat_mean(60d) * p_alive or interactions(cart_add, 60d) + 2 * interactions(checkout, 60d) >= 2"},
                {"name": "cold"}]},
    },
}

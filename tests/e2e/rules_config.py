"""The rules that the campaigns run: every metric, every way of falling, in one config."""

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

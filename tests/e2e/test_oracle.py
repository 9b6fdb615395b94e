"""The oracle against cases worked out by hand, so that it may judge the program."""

import json
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracle import Record, parse, replay, rules
from oracle.calendar import DAY_MS, Calendar
from oracle.moment import Moment
from oracle.partition import murmur2
from oracle.tiers import fitting
from oracle.task import merged

BASE = {"format": "json", "currency": {"base": "EUR", "rates": {"USD": 0.5, "JPY": 0.006, "KWD": 3}}}


def ms(text, zone="UTC"):
    """`2025-03-01` or `2025-03-01 12:00`, in milliseconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


NOON = ms("2025-03-01 12:00")
MIDNIGHT = ms("2025-03-01")


class Log:
    """Input topics being written: each call appends a record."""

    def __init__(self):
        self.records = []

    def put(self, topic, time_ms, at=None, key=None, customer="c", partition=0, **fields):
        """An event of the customer at time_ms, in a record with timestamp `at`."""
        event = {"customer_id": customer, "event_time_ms": time_ms, **fields}
        event = {name: value for name, value in event.items() if value is not None}
        return self.raw(topic, json.dumps(event).encode(), at or time_ms, key or customer.encode(), partition)

    def raw(self, topic, value, at, key=b"c", partition=0):
        offset = sum(r.input == topic and r.partition == partition for r in self.records)
        self.records.append(Record(topic, partition, offset, at, key, value))
        return self

    def buy(self, time_ms, euros=10.0, **fields):
        return self.put("purchases", time_ms, **{"amount_minor": round(euros * 100), "currency": "EUR"} | fields)

    def look(self, time_ms, **fields):
        return self.put("interactions", time_ms, **{"kind": "PAGE_VIEW"} | fields)

    def answer(self, time_ms, score, survey="NPS", **fields):
        return self.put("feedback", time_ms, survey=survey, score=score, **fields)


def one_set(*tiers, scores=None, state=None, **options):
    """A config with one tier set `s`; tiers are (name, enter[, stay]), the last a name alone."""
    specs = [dict(zip(("name", "enter", "stay"), tier)) for tier in tiers]
    return {**BASE, "scores": scores or {}, "state": state or {}, "tier_sets": {"s": {"tiers": specs, **options}}}


def moves(config, log, clock_ms=None, customer="c"):
    """(effective time, from, to) of each change of the customer."""
    changes = replay(config, log.records, clock_ms).changes.get(customer, [])
    return [(change["effective_time_ms"], change["from"], change["to"]) for change in changes]


# Rules

class Fixed:
    """A moment with given values."""

    def __init__(self, tier=None, **values):
        self.values = values
        self.tier = {"value": tier}.get

    def metric(self, node):
        return self.values.get(node.kind)

    score = None


@pytest.mark.parametrize("text, expected", [
    ("1 + 2 * 3 = 7", True),
    ("(1 + 2) * 3 = 9", True),
    ("10 - 2 - 3 = 5", True),
    ("16 / 4 / 2 = 2", True),
    ("-2 * -3 = 6", True),
    ("not 1 > 2 and 1 < 2", True),
    ("1 < 2 or 1 / 0 > 0 and 1 > 2", True),
    ("1 / 0 = 1 / 0", False),
    ("not 1 / 0 = 1", True),
    ("min(3, 1, 2) = 1 and max(3, 1, 2) = 3", True),
    ("known(aov)", False),
    ("not known(aov) and known(revenue)", True),
    ("aov < 5", False),
    ("aov >= 5", False),
    ("aov != 5", False),
    ("min(aov, 5) = 5", False),
    ("revenue = 12", True),
    ("tier(value) = vip", True),
    ("tier(value) != vip", False),
    ("tier(value) != gone", True),
    ("tier(other) != gone", True),
    ("tier(other) = gone", False),
])
def test_rules_mean_what_the_manual_says(text, expected):
    assert parse.parse_rule(text).holds(Fixed("vip", revenue=12.0)) is expected


@pytest.mark.parametrize("text", ["1 < 2 < 3", "1 + 2", "a > 1", "revenue(90) > 1", "1 < 2 and 3", "(1 < 2) + 1 > 0", "1 <"])
def test_rules_without_meaning_are_refused(text):
    with pytest.raises(rules.RuleError):
        parse.parse_rule(text)


def test_metrics_have_one_name_however_they_are_written():
    assert parse.parse_metric("interactions( page_view,30d )").name == "interactions(page_view, 30d)"
    assert parse.parse_metric("revenue(30d,ago 30d)").name == "revenue(30d, ago 30d)"
    assert parse.parse_metric("nps").name == "nps"


def test_conditions_keep_their_own_text():
    rule = parse.parse_rule("not (nps  +  1) > 2 or (aov = 3 and tier(value) = vip)")
    assert [c.text for c in rules.comparisons(rule)] == ["(nps + 1) > 2", "aov = 3", "tier(value) = vip"]


# Days

def test_days_follow_the_time_zone():
    berlin = Calendar("Europe/Berlin")
    spring, autumn = berlin.day(ms("2025-03-30 12:00")), berlin.day(ms("2025-10-26 12:00"))
    assert berlin.start_ms(spring) == ms("2025-03-29 23:00")
    assert berlin.start_ms(spring + 1) - berlin.start_ms(spring) == 23 * 3_600_000
    assert berlin.start_ms(autumn + 1) - berlin.start_ms(autumn) == 25 * 3_600_000
    assert berlin.day(berlin.start_ms(spring)) == spring
    assert berlin.day(berlin.start_ms(spring) - 1) == spring - 1


def test_a_day_may_begin_at_one_in_the_morning():
    beirut = Calendar("Asia/Beirut")
    day = beirut.day(ms("2024-03-31 12:00", "Asia/Beirut"))
    assert beirut.start_ms(day) == ms("2024-03-30 22:00")
    assert datetime.fromtimestamp(beirut.start_ms(day) / 1000, ZoneInfo("Asia/Beirut")).hour == 1


# Time

def test_elapsed_time_turns_one_millisecond_after_its_limit():
    config = one_set(("fresh", "days_since_purchase <= 7"), ("stale",))
    assert moves(config, Log().buy(NOON), NOON + 8 * DAY_MS) == [
        (NOON, None, "fresh"), (NOON + 7 * DAY_MS + 1, "fresh", "stale")]
    assert moves(config, Log().buy(NOON), NOON + 7 * DAY_MS) == [(NOON, None, "fresh")]


def test_equality_with_elapsed_time_holds_for_one_millisecond():
    config = one_set(("now", "days_since_seen = 2"), ("never",))
    assert moves(config, Log().look(NOON), NOON + 9 * DAY_MS) == [
        (NOON, None, "never"), (NOON + 2 * DAY_MS, "never", "now"), (NOON + 2 * DAY_MS + 1, "now", "never")]


def test_straight_lines_of_elapsed_time_turn_where_they_meet():
    config = one_set(("a", "days_since_purchase > tenure / 2"), ("b",))
    log = Log().look(NOON).buy(NOON + 10 * DAY_MS)  # from day 20 on the purchase is the older half
    assert moves(config, log, NOON + 40 * DAY_MS) == [
        (NOON, None, "b"), (NOON + 20 * DAY_MS + 1, "b", "a")]


def test_a_window_covers_today_and_the_days_before():
    config = one_set(("buyer", "purchases(90d) >= 1"), ("none",))
    assert moves(config, Log().buy(NOON), NOON + 400 * DAY_MS) == [
        (NOON, None, "buyer"), (MIDNIGHT + 90 * DAY_MS, "buyer", "none")]


def test_windows_shift_by_ago():
    config = one_set(("was", "purchases(30d, ago 60d) >= 1"), ("none",))
    assert moves(config, Log().buy(NOON), NOON + 400 * DAY_MS) == [
        (NOON, None, "none"), (MIDNIGHT + 60 * DAY_MS, "none", "was"), (MIDNIGHT + 90 * DAY_MS, "was", "none")]


def test_windows_end_at_local_midnight():
    config = one_set(("buyer", "purchases(1d) >= 1"), ("none",), state={"time_zone": "Europe/Berlin"})
    time_ms = ms("2025-03-30 00:30", "Europe/Berlin")  # a day of 23 hours
    assert moves(config, Log().buy(time_ms), time_ms + 9 * DAY_MS) == [
        (time_ms, None, "buyer"), (ms("2025-03-31", "Europe/Berlin"), "buyer", "none")]


def test_score_steps_turn_by_time():
    config = one_set(("high", "r >= 3"), ("mid", "r >= 2"), ("low",),
                     scores={"r": {"metric": "days_since_purchase", "steps": [5, 10], "best": "low"}})
    assert moves(config, Log().buy(NOON), NOON + 99 * DAY_MS) == [
        (NOON, None, "high"), (NOON + 5 * DAY_MS + 1, "high", "mid"), (NOON + 10 * DAY_MS + 1, "mid", "low")]


def test_scores_count_their_steps():
    config = one_set(("x", "f = 1 or m = 1"), ("y",), scores={
        "f": {"metric": "purchases(9d)", "steps": [2, 3]}, "m": {"metric": "aov(9d)", "steps": [10]}})
    view = replay(config, Log().buy(NOON, 9.99).buy(NOON + 1, 10.01).records).customers["c"].view(NOON + 1)
    assert view["scores"] == {"f": 2, "m": 2}
    silent = replay(config, Log().look(NOON).records).customers["c"].view(NOON)
    assert silent["scores"] == {"f": 1, "m": 1} and silent["metrics"]["aov(9d)"] is None


def test_the_clock_fires_for_silent_customers_of_the_task_only():
    config = one_set(("fresh", "days_since_purchase <= 7"), ("stale",))
    log = (Log().buy(NOON, customer="a").buy(NOON, customer="b", partition=1)
           .look(NOON + 30 * DAY_MS, customer="z", partition=1))
    outcome = replay(config, log.records)
    assert [change["to"] for change in outcome.changes["a"]] == ["fresh"]
    assert [change["to"] for change in outcome.changes["b"]] == ["fresh", "stale"]
    assert outcome.changes["b"][1]["cause"] == "TIME" and outcome.changes["b"][1]["cause_event_id"] is None
    assert outcome.populations() == {("s", "fresh"): 1, ("s", "stale"): 2}


def test_late_events_take_effect_at_the_logical_time():
    config = one_set(("many", "purchases(30d) >= 2"), ("fresh", "days_since_purchase <= 7"), ("stale",))
    late = NOON + 3 * DAY_MS
    log = Log().buy(NOON).buy(late, at=NOON + 9 * DAY_MS)
    assert moves(config, log) == [
        (NOON, None, "fresh"), (NOON + 7 * DAY_MS + 1, "fresh", "stale"), (NOON + 7 * DAY_MS + 1, "stale", "many")]


def test_events_older_than_every_window_count_for_life():
    config = one_set(("x", "purchases(5d) >= 2 or revenue >= 100"), ("y",))
    log = Log().look(NOON, at=NOON - 1).buy(NOON - 5 * DAY_MS, 100, at=NOON).buy(NOON - 4 * DAY_MS, 1, at=NOON)
    outcome = replay(config, log.records)
    assert outcome.counts == {("interactions", "applied"): 1, ("purchases", "late"): 1, ("purchases", "applied"): 1}
    metrics = outcome.customers["c"].view(NOON)["metrics"]
    assert metrics == {"purchases(5d)": 1, "revenue": 101}


# What counts

def test_refunds_count_on_the_day_of_the_order():
    config = one_set(("x", "revenue(10d) > 5 and purchases(10d) > 0"), ("y", "refunds(10d) > 0"), ("z",))
    order = NOON
    log = (Log().buy(order, 10).buy(NOON + 8 * DAY_MS, 5, kind="REFUND", order_time_ms=order)
           .buy(NOON + 9 * DAY_MS, 5, kind="CANCELLATION", order_time_ms=order))
    outcome = replay(config, log.records)
    assert [(c["to"], c["cause"]) for c in outcome.changes["c"]] == [("x", "PURCHASE"), ("y", "REFUND")]
    view = outcome.customers["c"].view(NOON + 9 * DAY_MS)
    assert view["metrics"] == {"revenue(10d)": 0, "purchases(10d)": 0, "refunds(10d)": 10}
    told = ("first_purchase_ms", "last_purchase_ms", "orders", "revenue")
    assert [view["lifetime"][name] for name in told] == [order, order, 0, 0]
    assert moves(config, log, NOON + 30 * DAY_MS)[-1] == (MIDNIGHT + 10 * DAY_MS, "y", "z")


def test_money_is_converted_with_halves_away_from_zero():
    config = one_set(("x", "revenue > 0"), ("y",))
    log = Log()
    for amount, currency in ((1, "USD"), (3, "USD"), (250, "JPY"), (5, "KWD")):
        log.buy(NOON, currency=currency, amount_minor=amount)  # 0.5, 1.5, 150 and 1.5 cents
    assert replay(config, log.records).customers["c"].facts.life["revenue"] == 1 + 2 + 150 + 2


def test_nps_counts_promoters_less_detractors():
    config = one_set(("x", "nps(9d) > 0"), ("y",))
    log = Log().answer(NOON, 9).answer(NOON, 10).answer(NOON, 8).answer(NOON, 7).answer(NOON, 6)
    log.answer(NOON, 0).answer(NOON, 0).put("feedback", NOON, survey="COMPLAINT").answer(NOON, 1, "CSAT")
    outcome = replay(config, log.records)
    assert outcome.customers["c"].view(NOON)["metrics"]["nps(9d)"] == 100 * (2 - 3) / 7
    day = Calendar().day(NOON)
    assert {key[3]: count for key, count in outcome.answers.items() if key[:3] == ("all", None, day)} == {
        "promoters": 2, "passives": 2, "detractors": 3, "complaints": 1, "csat": 1, "csat sum": 1}


def test_duplicates_change_nothing_while_they_are_remembered():
    config = one_set(("x", "purchases >= 3"), ("y",))
    log = Log().buy(NOON, event_id="e").look(NOON, event_id="e").buy(NOON).buy(NOON)
    outcome = replay(config, log.records)
    assert outcome.counts["interactions", "duplicate"] == 1
    life = outcome.customers["c"].facts.life
    assert (life["purchases"], life["revenue"], life["interactions"]) == (3, 3000, 0)
    for number in range(16):
        log.buy(NOON, event_id=f"other {number}")
    assert replay(config, log.buy(NOON, event_id="e").records).counts["purchases", "applied"] == 20
    shorter = config | {"state": {"dedupe": 17}}
    assert replay(shorter, log.records).counts["purchases", "duplicate"] == 1


def test_the_two_oldest_days_become_one_when_there_are_too_many():
    config = one_set(("x", "purchases(30d) >= 3"), ("y",), state={"tiles": 2})
    log = Log().buy(NOON).buy(NOON + DAY_MS).buy(NOON + 2 * DAY_MS)
    assert moves(config, log, NOON + 99 * DAY_MS)[-1] == (MIDNIGHT + 31 * DAY_MS, "x", "y")


# Tiers

LADDER = (("gold", "purchases(10d) >= 3"), ("silver", "purchases(10d) >= 2"), ("bronze", "purchases(10d) >= 1"), ("none",))


def three(log=None):
    """Three purchases in a minute: gold for ten days."""
    return (log or Log()).buy(NOON).buy(NOON + 1).buy(NOON + 2)


OUT = MIDNIGHT + 10 * DAY_MS  # when all three leave the window


def test_a_fall_goes_to_the_fitting_tier():
    assert moves(one_set(*LADDER), three(), OUT + DAY_MS) == [
        (NOON, None, "bronze"), (NOON + 1, "bronze", "silver"), (NOON + 2, "silver", "gold"), (OUT, "gold", "none")]


def test_hold_delays_a_fall_but_no_rise():
    config = one_set(*LADDER, hold="20d")
    assert moves(config, three(), OUT + 90 * DAY_MS)[2:] == [
        (NOON + 2, "silver", "gold"), (NOON + 2 + 20 * DAY_MS, "gold", "none")]


def test_grace_delays_a_fall_and_is_ended_by_a_fit():
    config = one_set(*LADDER, grace="5d")
    assert moves(config, three(), OUT + 90 * DAY_MS)[3:] == [(OUT + 5 * DAY_MS, "gold", "none")]
    again = three().buy(OUT + DAY_MS).buy(OUT + DAY_MS + 1).buy(OUT + DAY_MS + 2)
    leave = OUT + 11 * DAY_MS
    assert moves(config, again, leave + 90 * DAY_MS)[3:] == [(leave + 5 * DAY_MS, "gold", "none")]


def test_a_fall_waits_for_hold_and_grace_both():
    config = one_set(*LADDER, hold="12d", grace="5d")
    assert moves(config, three(), OUT + 90 * DAY_MS)[3:] == [(OUT + 5 * DAY_MS, "gold", "none")]
    config = one_set(*LADDER, hold="20d", grace="5d")
    assert moves(config, three(), OUT + 90 * DAY_MS)[3:] == [(NOON + 2 + 20 * DAY_MS, "gold", "none")]


def test_one_step_falls_again_after_hold_and_grace():
    config = one_set(*LADDER, demote="one_step", grace="5d")
    steps = [(OUT + 5 * DAY_MS, "gold", "silver"), (OUT + 10 * DAY_MS, "silver", "bronze"), (OUT + 15 * DAY_MS, "bronze", "none")]
    assert moves(config, three(), OUT + 90 * DAY_MS)[3:] == steps
    config = one_set(*LADDER, demote="one_step", hold="3d")
    steps = [(OUT, "gold", "silver"), (OUT + 3 * DAY_MS, "silver", "bronze"), (OUT + 6 * DAY_MS, "bronze", "none")]
    assert moves(config, three(), OUT + 90 * DAY_MS)[3:] == steps


def test_one_step_without_hold_falls_at_the_next_evaluation():
    config = one_set(*LADDER, demote="one_step")
    log = three().look(OUT + DAY_MS, event_id="seen")
    assert moves(config, log, OUT + 5 * DAY_MS)[3:] == [(OUT, "gold", "silver"), (OUT + DAY_MS, "silver", "bronze")]
    change = replay(config, log.records).changes["c"][-1]
    assert (change["cause"], change["cause_event_id"], change["direction"]) == ("INTERACTION", "seen", "DOWN")
    # The look's own day leaves the window ten days later: that evaluation takes the last step.
    assert moves(config, log, OUT + 90 * DAY_MS)[5:] == [(OUT + 11 * DAY_MS, "bronze", "none")]


def test_stay_holds_a_tier_that_enter_would_not_give():
    config = one_set(("vip", "purchases(10d) >= 3", "purchases(10d) >= 1"), ("none",))
    log = three().buy(NOON + DAY_MS)
    assert moves(config, log, OUT + 90 * DAY_MS) == [
        (NOON, None, "none"), (NOON + 2, "none", "vip"), (OUT + DAY_MS, "vip", "none")]


def test_a_change_says_why():
    config = one_set(("vip", "f >= 3", "f >= 2 and not purchases(10d) = 0"), ("some", "known(nps) or purchases(10d)  >= 1"), ("none",),
                     scores={"f": {"metric": "purchases(10d)", "steps": [2, 3]}})
    config["tier_sets"]["s"]["tiers"][0]["treatment"] = {"service": "dedicated"}
    config["tier_sets"]["s"]["topic"] = "own"
    log = Log().buy(NOON, event_id="a").buy(NOON + 1, event_id="b").buy(NOON + 2, event_id="c")
    first, rise, fall = replay(config, log.records, OUT).changes["c"]
    assert first == {
        "tier_set": "s", "from": None, "to": "some", "direction": "FIRST", "sequence": 1, "effective_time_ms": NOON,
        "cause": "PURCHASE", "cause_event_id": "a", "treatment": {}, "topic": "own",
        "conditions": [{"rule": "purchases(10d) >= 1", "value": 1, "threshold": 1, "met": True}],
        "metrics": {"f": 1, "purchases(10d)": 1, "nps": None}, "forecast": {"tier": "none", "time_ms": OUT}}
    assert rise["conditions"] == [{"rule": "f >= 3", "value": 3, "threshold": 3, "met": True}]
    assert rise["treatment"] == {"service": "dedicated"} and rise["forecast"] == {"tier": "none", "time_ms": OUT}
    assert fall["conditions"] == [
        {"rule": "f >= 2", "value": 1, "threshold": 2, "met": False},
        {"rule": "purchases(10d) = 0", "value": 0, "threshold": 0, "met": True}]
    assert (fall["sequence"], fall["direction"], fall["forecast"]) == (3, "DOWN", None)


def test_sets_see_the_tiers_of_sets_above_as_they_are_now():
    config = one_set(("buyer", "purchases(10d) >= 1"), ("none",))
    config["tier_sets"]["below"] = {"tiers": [{"name": "yes", "enter": "tier(s) = buyer"}, {"name": "no"}]}
    config["tier_sets"] = {"above": {"tiers": [{"name": "yes", "enter": "tier(s) = buyer"}, {"name": "no"}]},
                           **config["tier_sets"]}
    changes = replay(config, Log().buy(NOON).look(NOON + 5).records, OUT).changes["c"]
    assert [(c["effective_time_ms"], c["tier_set"], c["to"]) for c in changes] == [
        (NOON, "above", "no"), (NOON, "s", "buyer"), (NOON, "below", "yes"), (NOON + 5, "above", "yes"),
        (OUT, "s", "none"), (OUT, "below", "no")]
    assert changes[2]["conditions"] == [{"rule": "tier(s) = buyer", "value": None, "threshold": None, "met": True}]


# Records

def test_partitions_are_merged_by_record_timestamp():
    log = Log().answer(5, 9, at=10).look(5, at=10).buy(5, at=20).buy(5, at=10).look(5, at=11)
    assert [(r.input, r.offset) for r in merged(log.records)] == [
        ("interactions", 0), ("feedback", 0), ("interactions", 1), ("purchases", 0), ("purchases", 1)]


def test_murmur2_is_the_java_clients():
    vectors = {b"21": -973932308, b"foobar": -790332482, b"a-little-bit-long-string": -985981536, b"abc": 479470107}
    assert {key: murmur2(key) - (murmur2(key) >> 31 << 32) for key in vectors} == vectors


GOOD = {"event_id": "e", "customer_id": "c", "event_time_ms": NOON}
SALE = GOOD | {"amount_minor": 1, "currency": "EUR"}


@pytest.mark.parametrize("topic, event, reason", [
    ("purchases", b"{", "undecodable"),
    ("purchases", b"[]", "undecodable"),
    ("purchases", b'{"customer_id":"c","customer_id":"c"}', "undecodable"),
    ("purchases", SALE | {"amount_minor": "x"}, "undecodable"),
    ("purchases", SALE | {"customer_id": "other"}, "key_mismatch"),
    ("purchases", SALE | {"customer_id": ""}, "bad_id"),
    ("purchases", SALE | {"event_id": "e" * 257}, "bad_id"),
    ("purchases", SALE | {"event_id": "a\0b"}, "bad_id"),
    ("purchases", b'{"customer_id":"\xff"}', "bad_id"),
    ("purchases", SALE | {"event_time_ms": None}, "bad_time"),
    ("purchases", SALE | {"event_time_ms": -1}, "bad_time"),
    ("purchases", SALE | {"event_time_ms": NOON + 300_001}, "future_time"),
    ("purchases", SALE | {"amount_minor": -1}, "negative_amount"),
    ("purchases", SALE | {"amount_minor": 10**15 + 1}, "overflow"),
    ("purchases", SALE | {"currency": "USD", "amount_minor": 2 * 10**15 + 1}, "overflow"),
    ("purchases", SALE | {"currency": "XYZ"}, "unknown_currency"),
    ("purchases", SALE | {"currency": None}, "unknown_currency"),
    ("purchases", SALE | {"kind": "GIFT"}, "unknown_enum"),
    ("purchases", SALE | {"items": [{"sku": "a"}] * 1001}, "too_large"),
    ("purchases", b" " * (1 << 20) + b"{}", "too_large"),
    ("interactions", GOOD, "unknown_enum"),
    ("interactions", GOOD | {"kind": "LOGIN", "stage": 9}, "unknown_enum"),
    ("feedback", GOOD | {"survey": "NPS"}, "bad_score"),
    ("feedback", GOOD | {"survey": "NPS", "score": 11}, "bad_score"),
    ("feedback", GOOD | {"survey": "CSAT", "score": 0}, "bad_score"),
    ("feedback", GOOD | {"survey": "CES", "score": 8}, "bad_score"),
    ("feedback", GOOD | {"survey": "GUESS", "score": 8}, "unknown_enum"),
])
def test_bad_records_are_dead_letters_with_a_reason(topic, event, reason):
    value = event if isinstance(event, bytes) else json.dumps(event).encode()
    outcome = replay(one_set(("x",)), Log().raw(topic, value, NOON).records)
    assert outcome.dead == {(topic, 0, 0): reason}
    assert not outcome.customers


@pytest.mark.parametrize("topic, event", [
    ("purchases", SALE | {"event_time_ms": NOON + 300_000}),
    ("purchases", SALE | {"amount_minor": str(10**15), "kind": 1, "unknown": {"a": []}}),
    ("purchases", SALE | {"currency": "USD", "amount_minor": 2 * 10**15}),
    ("purchases", {"customerId": "c", "eventTimeMs": str(NOON), "currency": "EUR"}),
    ("interactions", GOOD | {"kind": "OTHER", "stage": None}),
    ("feedback", GOOD | {"survey": "NPS", "score": 0}),
    ("feedback", GOOD | {"survey": "COMPLAINT"}),
])
def test_good_records_at_the_edge_are_applied(topic, event):
    outcome = replay(one_set(("x",)), Log().raw(topic, json.dumps(event).encode(), NOON).records)
    assert outcome.counts == {(topic, "applied"): 1}


def test_a_misrouted_key_is_a_dead_letter_where_the_config_says_so():
    log = Log()
    for partition in range(4):
        log.look(NOON, customer="foobar", partition=partition)  # murmur2("foobar") is 2 modulo 4
    outcome = replay(one_set(("x",)) | {"misrouted": "reject"}, log.records, partitions=4)
    assert outcome.dead == {("interactions", partition, 0): "misrouted" for partition in (0, 1, 3)}


# Everything at once, against a search that knows nothing of due instants

SEARCHED = one_set(
    ("a", "r + f >= 5", "r + f >= 4"),
    ("b", "days_since_seen <= 2.5 and (nps(6d) > 0 or purchases(3d, ago 2d) >= 1) or tenure > 20 - days_since_purchase"),
    ("c", "known(nps(6d)) or interactions(page_view, 4d) * 2 > refunds(5d)"),
    ("d",),
    scores={"r": {"metric": "days_since_purchase", "steps": [1, 4.2], "best": "low"},
            "f": {"metric": "purchases(7d)", "steps": [1, 2]}},
    state={"time_zone": "Europe/Berlin"})

HOUR_MS = 3_600_000
happenings = st.lists(st.tuples(st.sampled_from(["buy", "look", "answer", "refund"]), st.integers(0, 12 * 24 * 60)),
                      min_size=1, max_size=8)


@settings(max_examples=60, deadline=None)
@given(happenings)
def test_tiers_between_changes_are_those_a_search_finds(events):
    log = Log()
    for kind, minute in sorted(events, key=lambda event: event[1]):
        at = ms("2025-03-25") + minute * 60_000
        {"buy": lambda: log.buy(at), "look": lambda: log.look(at), "answer": lambda: log.answer(at, 9),
         "refund": lambda: log.buy(at, 1, kind="REFUND")}[kind]()
    last_ms = log.records[-1].timestamp_ms
    outcome = replay(SEARCHED, log.records)
    customer = outcome.customers["c"]
    tiers = outcome.model.sets[0]
    present = customer.standings[0].tier
    forecast = customer.view(last_ms)["tiers"]["s"]["forecast"]
    end_ms = forecast["time_ms"] if forecast else last_ms + 40 * 24 * HOUR_MS
    for at in range(last_ms + HOUR_MS, min(end_ms, last_ms + 40 * 24 * HOUR_MS), HOUR_MS):
        assert fitting(tiers, present, Moment(customer.facts, at)) == present
    if forecast:
        assert fitting(tiers, present, Moment(customer.facts, end_ms - 1)) == present
        assert tiers.tiers[fitting(tiers, present, Moment(customer.facts, end_ms))].name == forecast["tier"]


def test_utc_is_the_default():
    assert Calendar().day(int(datetime(1970, 1, 2, tzinfo=timezone.utc).timestamp() * 1000)) == 1

"""The oracle's due instants, forecasts and notices where values fall as time goes by; and everything at once."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workload
from oracle import Record, parse, replay, rules
from oracle.calendar import DAY_MS
from oracle.model import Model
from rules_config import RULES, RULES_EVERYTHING
from test_oracle import MIDNIGHT, NOON, Log, moves, one_set
from test_oracle_metrics import BG_PARAMETERS, MBG, MBG_PARAMETERS, WEEK_MS


# Instants

def test_engagement_turns_one_millisecond_after_its_half_life():
    config = one_set(("warm", "engagement >= 0.5"), ("cool", "engagement * 2 > 0.5"), ("cold",))
    assert moves(config, Log().look(NOON), NOON + 99 * DAY_MS) == [
        (NOON, None, "warm"), (NOON + 14 * DAY_MS + 1, "warm", "cool"), (NOON + 28 * DAY_MS, "cool", "cold")]


def test_p_alive_turns_where_the_closed_form_has_it():
    config = one_set(("low", "risk = 3"), ("medium", "0.4 <= p_alive"), ("high",), scores={
        "risk": {"metric": "p_alive", "steps": [0.55, 0.7]}}) | {"lifetime_value": MBG_PARAMETERS}
    log = Log().buy(NOON).buy(NOON + 70 * DAY_MS)

    def falls(limit):
        age = (6.183 + 10) * ((1 / limit - 1) * 2.614 / 0.891) ** (1 / 1.525) - 6.183
        return NOON + math.ceil(age * WEEK_MS)

    changes = moves(config, log, NOON + 9999 * DAY_MS)
    assert [change for change in changes if change[0] > NOON + 70 * DAY_MS] == [
        (falls(0.7), "low", "medium"), (falls(0.4), "medium", "high")]


def test_what_would_have_been_does_not_decide_what_is():
    """The mean answer will be 2 from the sixth day on, so it was worked out how that compares then; but it becomes 2 on the third."""
    log = Log().buy(NOON).answer(NOON + 1, 5, "CSAT").answer(NOON + DAY_MS, 2, "CSAT")
    limit = MBG.p_alive(0, 0, 3.5 / 7) / 2
    config = one_set(("x", f"p_alive > csat_mean(5d) * {limit!r}"), ("y",)) | {"lifetime_value": MBG_PARAMETERS}
    for _ in range(3):
        log.answer(NOON + 3 * DAY_MS, 1, "CSAT")
    fall_ms, *fall = moves(config, log, NOON + 4 * DAY_MS)[-1]
    assert abs(fall_ms - NOON - 3.5 * DAY_MS) < 2 and fall == ["x", "y"]


@pytest.mark.parametrize("parameters", [BG_PARAMETERS, MBG_PARAMETERS], ids=["bg", "mbg"])
@pytest.mark.parametrize("metric, limit", [("clv(90d)", 6), ("expected_purchases(60d)", 0.3), ("clv(20d) / 2", 0.9)])
def test_falling_metrics_turn_at_their_millisecond(parameters, metric, limit):
    config = one_set(("x", f"{metric} > {limit}"), ("y",)) | {"lifetime_value": parameters}
    outcome = replay(config, Log().buy(NOON, 30).buy(NOON + 30 * DAY_MS, 30).records, NOON + 9999 * DAY_MS)
    fall = outcome.changes["c"][-1]
    at_ms, customer = fall["effective_time_ms"], outcome.customers["c"]
    side = parse.parse_rule(f"{metric} > {limit}").left
    value = [side.value(Instant(customer.facts, t)) for t in (at_ms - 1, at_ms)]
    assert fall["to"] == "y" and value[0] > limit >= value[1] and value[1] == fall["conditions"][0]["value"]


class Instant:
    """Metrics that move, at an instant."""

    def __init__(self, facts, at_ms):
        self.metric = lambda node: facts.moving(node, at_ms)


def due(outcome, count, customer="c"):
    """The next due instants of a customer after the outcome."""
    customer = outcome.customers[customer]
    steps = (customer._future.step(number) for number in range(customer._at, customer._at + count))
    return [step.at_ms for step in steps if step]


def test_what_neither_falls_nor_runs_straight_is_looked_for_day_by_day():
    config = one_set(("x", "p_alive > engagement"), ("y",)) | {"lifetime_value": MBG_PARAMETERS}
    outcome = replay(config, Log().buy(NOON).look(NOON + 1).records)
    assert outcome.changes["c"][-1]["to"] == "y"
    rise_ms = outcome.changes["c"][-1]["forecast"]["time_ms"]
    facts, (alive, engaged) = outcome.customers["c"].facts, (rules.Metric("p_alive"), rules.Metric("engagement"))
    assert [facts.moving(alive, at) > facts.moving(engaged, at) for at in (rise_ms - 1, rise_ms)] == [False, True]
    days = (rise_ms - MIDNIGHT) // DAY_MS
    midnights = [MIDNIGHT + day * DAY_MS for day in range(1, days + 3)]
    assert due(outcome, days + 3) == sorted([*midnights, rise_ms]) and days > 2
    assert due(replay(config, Log().look(NOON).records), 1) == []  # never bought: it has no value


def test_straight_lines_and_lone_falling_sides_are_not_looked_for():
    for rule in ("p_alive > 0.4", "days_since_seen > 3", "2 * engagement + p_alive - purchases > 1", "mean_spend > 3",
                 "max(p_alive, engagement, 0.1) < min(stage, 0.5)"):
        config = one_set(("x", rule), ("y",)) | {"lifetime_value": MBG_PARAMETERS}
        assert len(due(replay(config, Log().buy(NOON).look(NOON + 1).records), 5)) == (rule != "mean_spend > 3"), rule


@pytest.mark.parametrize("rule", ["1 - p_alive > 0.5", "engagement - days_since_seen / 9 > 0.5", "p_alive * stage > 1"])
def test_anything_else_is_looked_for(rule):
    config = one_set(("x", rule), ("y",)) | {"lifetime_value": MBG_PARAMETERS}
    days = {at for at in due(replay(config, Log().buy(NOON).look(NOON + 1).records), 20) if (at - MIDNIGHT) % DAY_MS == 0}
    assert days >= {MIDNIGHT + day * DAY_MS for day in range(1, 15)}


def test_what_falls_is_due_within_twenty_years():
    """At an evaluation it is not known yet, at a later one it is."""
    config = one_set(("x", "p_alive > 0.1087"), ("y",)) | {"lifetime_value": MBG_PARAMETERS}
    log = Log().buy(NOON)
    view = replay(config, log.records).customers["c"].view(NOON)
    assert view["tiers"]["s"]["forecast"] is None
    late = replay(config, log.look(NOON + 200 * DAY_MS).records).customers["c"].view(NOON + 200 * DAY_MS)
    assert 20 * 365 < (late["tiers"]["s"]["forecast"]["time_ms"] - NOON) / DAY_MS < 20 * 365 + 200


def test_a_due_instant_that_changes_nothing_moves_the_customer_on():
    """A late event is evaluated at the logical time, which a comparison that turned has moved, though no tier changed."""
    config = one_set(("x", "purchases >= 2"), ("y", "engagement >= 0.5 or tenure >= 0"), ("z",))
    log = Log().buy(NOON).look(NOON).buy(NOON + 1, at=NOON + 20 * DAY_MS)
    assert moves(config, log)[-1] == (NOON + 14 * DAY_MS + 1, "y", "x")


# Notices

OUT = MIDNIGHT + 10 * DAY_MS  # when a purchase at NOON leaves the window
NOTICED = one_set(("buyer", "purchases(10d) >= 1"), ("none",), notice="3d")


def notices(config, log, clock_ms=None):
    """(published at, fall, cause) of each notice."""
    changes = replay(config, log.records, clock_ms).changes["c"]
    return [(c["effective_time_ms"], c["forecast"]["time_ms"], c["cause"]) for c in changes if c["direction"] == "WILL_FALL"]


def test_a_notice_comes_before_the_fall():
    config = one_set(("buyer", "f >= 2 and purchases(10d) > 0", "purchases(10d) >= 1"), ("seen", "interactions(99d) >= 0"), ("none",),
                     scores={"f": {"metric": "purchases(10d)", "steps": [1]}}, notice="3d")
    config["tier_sets"]["s"]["tiers"][1]["treatment"] = {"letter": "sorry"}
    first, notice, fall = replay(config, Log().buy(NOON, event_id="e").records, OUT).changes["c"]
    assert notice == {
        "tier_set": "s", "from": "buyer", "to": "seen", "direction": "WILL_FALL", "sequence": 1, "cause": "TIME",
        "effective_time_ms": OUT - 3 * DAY_MS, "cause_event_id": None, "topic": "tier-changes", "treatment": {"letter": "sorry"},
        "conditions": [{"rule": "purchases(10d) >= 1", "value": 0, "threshold": 1, "met": False},
                       {"rule": "interactions(99d) >= 0", "value": 0, "threshold": 0, "met": True}],
        "metrics": {"f": 2, "purchases(10d)": 1, "interactions(99d)": 0}, "forecast": {"tier": "seen", "time_ms": OUT}}
    assert fall["conditions"] == notice["conditions"] and (fall["direction"], fall["sequence"]) == ("DOWN", 2)
    assert first["forecast"] == notice["forecast"]


def test_a_notice_is_given_once_for_each_fall():
    log = Log().buy(NOON).look(NOON + 8 * DAY_MS).look(NOON + 9 * DAY_MS)
    assert notices(NOTICED, log, OUT + DAY_MS) == [(OUT - 3 * DAY_MS, OUT, "TIME")]
    again = Log().buy(NOON).buy(NOON + 8 * DAY_MS)
    assert notices(NOTICED, again, OUT + 99 * DAY_MS) == [
        (OUT - 3 * DAY_MS, OUT, "TIME"), (OUT + 5 * DAY_MS, OUT + 8 * DAY_MS, "TIME")]
    early = Log().buy(NOON).buy(NOON + DAY_MS)
    assert notices(NOTICED, early, OUT + 99 * DAY_MS) == [(OUT - 2 * DAY_MS, OUT + DAY_MS, "TIME")]


def test_a_fall_that_moves_away_and_back_is_noticed_once():
    log = Log().buy(NOON, 10).look(NOON + 8 * DAY_MS).buy(NOON + 8 * DAY_MS + 1).buy(
        NOON + 9 * DAY_MS, kind="CANCELLATION", order_time_ms=NOON + 8 * DAY_MS + 1)
    assert notices(NOTICED, log, OUT + 99 * DAY_MS) == [(OUT - 3 * DAY_MS, OUT, "TIME")]


def test_another_tier_that_falls_at_the_same_instant_is_noticed_anew():
    config = one_set(("a", "purchases(10d) >= 1 and complaints(30d) = 0"), ("b", "purchases(10d) >= 1"), ("c",), notice="5d")
    log = Log().buy(NOON).answer(NOON + 8 * DAY_MS, None, "COMPLAINT")
    assert notices(config, log, OUT) == [(OUT - 5 * DAY_MS, OUT, "TIME"), (NOON + 8 * DAY_MS, OUT, "FEEDBACK")]


def test_a_fall_that_is_near_is_noticed_at_once():
    config = one_set(("buyer", "purchases(2d) >= 1"), ("none",), notice="9d")
    assert notices(config, Log().buy(NOON)) == [(NOON, MIDNIGHT + 2 * DAY_MS, "PURCHASE")]
    log = Log().look(NOON).buy(NOON + 5, event_id="e")
    published = replay(config, log.records).changes["c"]
    assert [(c["direction"], c["sequence"], c["cause_event_id"]) for c in published] == [
        ("FIRST", 1, None), ("UP", 2, "e"), ("WILL_FALL", 2, "e")]


def test_notices_follow_hold_grace_and_steps():
    tiers = (("gold", "purchases(10d) >= 3"), ("silver", "purchases(10d) >= 2"), ("bronze",))
    log = Log().buy(NOON).buy(NOON + 1).buy(NOON + 2)
    config = one_set(*tiers, notice="2d", grace="5d", demote="one_step")
    assert notices(config, log, OUT + 99 * DAY_MS) == [
        (OUT + 3 * DAY_MS, OUT + 5 * DAY_MS, "TIME"), (OUT + 8 * DAY_MS, OUT + 10 * DAY_MS, "TIME")]
    config = one_set(*tiers, notice="2d", hold="20d")
    assert notices(config, log, OUT + 99 * DAY_MS) == [(NOON + 2 + 18 * DAY_MS, NOON + 2 + 20 * DAY_MS, "TIME")]


def test_a_rise_to_come_is_not_noticed():
    config = one_set(("was", "purchases(5d, ago 5d) >= 1"), ("none",), notice="4d")
    assert notices(config, Log().buy(NOON), OUT + DAY_MS) == [(MIDNIGHT + 6 * DAY_MS, OUT, "TIME")]


def test_the_instant_of_a_notice_is_due():
    """A late event is evaluated there, and whatever waits for an evaluation happens."""
    config = dict(NOTICED)
    config["tier_sets"] = NOTICED["tier_sets"] | {"t": {"tiers": [{"name": "many", "enter": "purchases >= 2"}, {"name": "few"}]}}
    log = Log().buy(NOON).buy(NOON - 2, at=OUT - DAY_MS)
    many = [c for c in replay(config, log.records).changes["c"] if c["to"] == "many"]
    assert [change["effective_time_ms"] for change in many] == [OUT - 3 * DAY_MS]


# Everything at once

def test_the_ruleset_has_every_metric():
    model = Model.of(RULES_EVERYTHING, 100)
    kinds = {metric.kind for metric in model.metrics}
    assert kinds == {*rules.WINDOWED, *rules.LINEAR, *rules.HISTORY, *rules.FALLING}
    assert {turning.how for turning in model.turnings} == {"linear", "falling", "searched"}
    text = json.dumps(RULES_EVERYTHING)
    assert all(word in text for word in ("trend(", "rising(", "known(", "min(", "notice", "hold", "grace", "one_step"))


def shop_records(seed, customers):
    records = []
    for line in workload.shop(seed, customers):
        records.append(Record(line.topic, 0, len(records), line.event["event_time_ms"], line.event["customer_id"].encode(),
                              json.dumps(line.event).encode()))
    return records


@pytest.mark.parametrize("ruleset", [RULES, RULES_EVERYTHING], ids=["rules", "everything"])
def test_short_cuts_change_nothing(monkeypatch, ruleset):
    """The oracle evaluates what can have changed, and knows when comparisons turn; by values and in full it comes to the same."""
    records = shop_records(3, 25)
    quick = replay({"format": "json"} | ruleset, records)
    compile_model = Model.of

    def thorough(*arguments):
        model = compile_model(*arguments)
        model.thorough = True
        return model

    monkeypatch.setattr(Model, "of", thorough)
    full = replay({"format": "json"} | ruleset, records)
    assert quick.changes == full.changes
    assert {name: c.standings for name, c in quick.customers.items()} == {name: c.standings for name, c in full.customers.items()}


def test_the_shop_has_what_the_rules_need():
    lines = workload.shop(1, 300)
    events = {topic: [line.event for line in lines if line.topic == topic] for topic in ("purchases", "interactions", "feedback")}
    by_kind = {kind: [event for event in events["purchases"] if event.get("kind", "PURCHASE") == kind]
               for kind in ("PURCHASE", "REFUND", "CANCELLATION")}
    for kind in ("REFUND", "CANCELLATION"):
        assert {"order_time_ms" in event for event in by_kind[kind]} == {True, False}
    items = [item for event in by_kind["PURCHASE"] for item in event["items"]]
    assert {item.get("category") for item in items} == {*workload.CATEGORIES, None}
    assert {"quantity" in item for item in items} == {True, False} and max(item.get("quantity", 1) for item in items) > 3
    assert {"referrer_id" in event for event in by_kind["PURCHASE"]} == {True, False}
    assert {event.get("stage") for event in events["interactions"]} == {
        "AWARENESS", "INTEREST", "DECISION", "PURCHASE", "AFTER_SALES", None}
    assert {event["kind"] for event in events["interactions"]} == set(rules.INTERACTION_KINDS)
    assert {event["survey"] for event in events["feedback"]} == {"NPS", "CSAT", "CES", "REVIEW", "COMPLAINT"}
    assert {event.get("touchpoint") for event in events["feedback"]} == {"delivery", "checkout", "product", "support", None}
    assert len({event.get("channel") for event in events["feedback"]}) > 3


INSTANTS = one_set(
    ("a", "clv(30d) > 1.5 and engagement > 0.8 or p_alive * engagement > 0.9"),
    ("b", "p_alive > 0.55 and days_since_seen < 5 * p_alive", "p_alive > 0.5 and days_since_seen < 6 * p_alive"),
    ("c", "risk + expected_purchases(20d) >= 2.2"), ("d",),
    scores={"risk": {"metric": "p_alive", "steps": [0.3, 0.45]}}) | {"lifetime_value": MBG_PARAMETERS}

HOUR_MS = 3_600_000
happenings = st.lists(st.tuples(st.sampled_from(["buy", "look"]), st.integers(0, 30 * 24 * 60)), min_size=1, max_size=6)


@settings(max_examples=40, deadline=None)
@given(happenings)
def test_falling_metrics_change_tiers_when_a_search_finds_it(events):
    """Against a search that knows nothing of due instants: every hour until the forecast, the tier fits."""
    log = Log()
    for kind, minute in sorted(events, key=lambda event: event[1]):
        getattr(log, kind)(NOON + minute * 60_000)
    last_ms = log.records[-1].timestamp_ms
    customer = replay(INSTANTS, log.records).customers["c"]
    forecast = customer.view(last_ms)["tiers"]["s"]["forecast"]
    tier = customer.view(last_ms)["tiers"]["s"]["tier"]
    spec = INSTANTS["tier_sets"]["s"]["tiers"]
    risk = customer.model.scores["risk"]

    def fits(at_ms):
        class At(Instant):
            def score(self, _name):
                return float(risk.of(self.metric(risk.metric)))

        for one in spec:
            rule = one.get("stay", one.get("enter")) if one["name"] == tier else one.get("enter")
            if rule is None or parse.parse_rule(rule, {"risk"}).holds(At(customer.facts, at_ms)):
                return one["name"]

    end_ms = forecast["time_ms"] if forecast else last_ms + 300 * DAY_MS
    for at_ms in range(last_ms + 1, min(end_ms, last_ms + 300 * DAY_MS), 6 * HOUR_MS):
        assert fits(at_ms) == tier, at_ms - last_ms
    if forecast:
        assert (fits(end_ms - 1), fits(end_ms)) == (tier, forecast["tier"])

"""Which tiers follow, and what is said of them."""

from typing import NamedTuple

from . import rules
from .moment import Moment


class Standing(NamedTuple):
    """Where a customer is in one tier set."""

    tier: int | None = None
    since_ms: int = 0
    pending_ms: int | None = None  # since when a fall is pending
    sequence: int = 0


class Move(NamedTuple):
    """A change of the standing in one set."""

    set: int
    before: Standing
    after: Standing
    during: tuple  # the standings as the set's rules saw them

    @property
    def is_fall(self):
        return self.before.tier is not None and self.after.tier > self.before.tier


def tier_function(model, standings):
    """Name of a set -> name of the tier in it; the standings may change in the meantime."""
    def tier(set_name):
        number = model.set_numbers[set_name]
        at = standings[number].tier
        return None if at is None else model.sets[number].tiers[at].name

    return tier


def evaluate(facts, at_ms, standings, touched=None):
    """All sets at an instant, or those that are `touched`, by number: the new standings and the moves."""
    model, after = facts.model, list(standings)
    moment = Moment(facts, at_ms, tier_function(model, after))
    moves, moved = [], set()
    for number, tier_set in enumerate(model.sets):
        before = standings[number]
        if touched is not None and number not in touched and not model.reads[number] & moved:
            continue
        new = move(tier_set, before, moment)
        if new.tier != before.tier:
            moves.append(Move(number, before, new, tuple(after)))
            moved.add(tier_set.name)
        after[number] = new
    return tuple(after), moves


def fitting(tier_set, present, moment):
    """The first tier whose rule holds."""
    for number, tier in enumerate(tier_set.tiers):
        rule = tier.keeps() if number == present else tier.enter
        if rule is None or rule.holds(moment):
            return number
    raise AssertionError("the last tier takes everyone")


def move(tier_set, standing, moment):
    """The standing after an evaluation."""
    now_ms = moment.at_ms
    fits = fitting(tier_set, standing.tier, moment)
    if standing.tier is None or fits < standing.tier:
        return Standing(fits, now_ms, None, standing.sequence + 1)
    if fits == standing.tier:
        return standing._replace(pending_ms=None)
    pending_ms = now_ms if standing.pending_ms is None else standing.pending_ms
    if now_ms - standing.since_ms < tier_set.hold_ms or now_ms - pending_ms < tier_set.grace_ms:
        return standing._replace(pending_ms=pending_ms)
    if not tier_set.one_step:
        return Standing(fits, now_ms, None, standing.sequence + 1)
    lower = standing.tier + 1
    still_falling = fitting(tier_set, lower, moment) > lower
    return Standing(lower, now_ms, now_ms if still_falling else None, standing.sequence + 1)


def conditions(rule, moment):
    """Every comparison of a rule, as it stands."""
    listed = []
    for comparison in rules.comparisons(rule) if rule else ():
        value, threshold = comparison.sides(moment)
        met = comparison.holds(moment)
        listed.append({"rule": comparison.text, "value": value, "threshold": threshold, "met": met})
    return listed


def direction(tier_set, move):
    """From a tier that the rules have no more, it is down to the last tier, and up to any other."""
    if move.before.tier is None and move.after.sequence > 1:
        return "DOWN" if move.after.tier == len(tier_set.tiers) - 1 else "UP"
    return "FIRST" if move.before.tier is None else "DOWN" if move.is_fall else "UP"


def told_change(facts, at_ms, move, cause, event_id):
    """A move at an instant as it is published, but for the forecast."""
    tier_set = facts.model.sets[move.set]
    moment = Moment(facts, at_ms, tier_function(facts.model, move.during))
    left = None if move.before.tier is None else tier_set.tiers[move.before.tier]
    entered = tier_set.tiers[move.after.tier]
    return {
        "tier_set": tier_set.name, "from": left.name if left else None, "to": entered.name,
        "direction": direction(tier_set, move), "sequence": move.after.sequence,
        "effective_time_ms": at_ms, "cause": cause, "cause_event_id": event_id,
        "conditions": (conditions(left.keeps(), moment) if move.is_fall else []) + conditions(entered.enter, moment),
        "metrics": told_metrics(tier_set, moment), "treatment": entered.treatment, "topic": tier_set.topic,
    }


def told_notice(facts, at_ms, move, fall_ms, cause, event_id):
    """The warning, given at at_ms, that the move will happen at fall_ms."""
    tier_set = facts.model.sets[move.set]
    moment = Moment(facts, at_ms, tier_function(facts.model, move.during))
    return told_change(facts, fall_ms, move, cause, event_id) | {
        "direction": "WILL_FALL", "sequence": move.before.sequence, "effective_time_ms": at_ms,
        "metrics": told_metrics(tier_set, moment),
        "forecast": {"tier": tier_set.tiers[move.after.tier].name, "time_ms": fall_ms},
    }


def told_metrics(tier_set, moment):
    return {name: moment.metric(node) if isinstance(node, rules.Metric) else moment.score(name)
            for name, node in tier_set.used}

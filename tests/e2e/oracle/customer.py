"""One customer: what happened to them, what that is worth at a moment, and which tiers follow.

Everything is worked out anew from the sums per day. Time alone is played forward in *steps*, one for each due instant, as
far as somebody asks: the same steps serve for what does happen (`advance`) and for what would happen if nothing more
did (forecasts). An event throws the steps away.
"""

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict, deque
from typing import NamedTuple

from . import rules
from .calendar import DAY_MS

_HORIZON_MS = 1000 * 365 * DAY_MS  # no rule looks further ahead
_SIMPLE = {"purchases": "purchases", "complaints": "complaints"}
_NPS = ("promoters", "passives", "detractors")


class Standing(NamedTuple):
    """Where a customer is in one tier set."""

    tier: int | None = None
    since_ms: int = 0
    pending_ms: int | None = None  # since when a fall is pending
    sequence: int = 0


class Step(NamedTuple):
    """A due instant, evaluated."""

    at_ms: int
    standings: tuple
    changes: list


class Moment:
    """A customer's numbers at an instant; what the rules ask."""

    def __init__(self, customer, at_ms, tier=None):
        self._customer = customer
        self._today = customer.model.calendar.day(at_ms)
        self._values, self._scores = {}, {}
        self.at_ms = at_ms
        self.tier = tier  # function: name of a set -> name of the present tier, or None

    def metric(self, node):
        if node.kind in rules.ELAPSED:
            base_ms = self._customer.base_ms(node.kind)
            return None if base_ms is None else (self.at_ms - base_ms) / 86400000.0
        if node.name not in self._values:
            self._values[node.name] = self._windowed(node)
        return self._values[node.name]

    def score(self, name):
        if name not in self._scores:
            score = self._customer.model.scores[name]
            self._scores[name] = float(score.of(self.metric(score.metric)))
        return self._scores[name]

    def _sum(self, node, field):
        if node.days is None:
            return self._customer.life[field]
        last = self._today - node.ago
        return self._customer.sum(field, last - node.days + 1, last)

    def _windowed(self, node):
        if node.kind in _SIMPLE:
            return float(self._sum(node, _SIMPLE[node.kind]))
        if node.kind in ("revenue", "refunds"):
            return self._sum(node, node.kind) / self._customer.model.money_scale
        if node.kind == "aov":
            count = self._sum(node, "purchases")
            return self._sum(node, "revenue") / self._customer.model.money_scale / count if count > 0 else None
        if node.kind == "interactions":
            return float(self._sum(node, f"interactions {node.interaction}" if node.interaction else "interactions"))
        promoters, passives, detractors = (self._sum(node, field) for field in _NPS)
        answers = promoters + passives + detractors
        return 100.0 * (promoters - detractors) / answers if answers else None


class _Later:
    """A moment at which only elapsed time differs from an earlier one: windows and scores stay."""

    def __init__(self, moment, at_ms):
        self._moment, self._at_ms = moment, at_ms
        self.score = moment.score

    def metric(self, node):
        if node.kind not in rules.ELAPSED:
            return self._moment.metric(node)
        base_ms = self._moment._customer.base_ms(node.kind)
        return (self._at_ms - base_ms) / 86400000.0


def first_other(function, first_ms, last_ms):
    """The first instant in (first_ms, last_ms] at which the function differs from first_ms, or None.

    The function must be monotone, and takes the millisecond.
    """
    was = function(first_ms)
    if function(last_ms) == was:
        return None
    while last_ms - first_ms > 1:
        middle = (first_ms + last_ms) // 2
        if function(middle) == was:
            first_ms = middle
        else:
            last_ms = middle
    return last_ms


class Customer:
    """See the module. `add` and `advance` return the tier changes found, in order."""

    def __init__(self, model):
        self.model = model
        self.now_ms = None
        self.first_seen_ms = self.last_seen_ms = None
        self.first_purchase_ms = self.last_purchase_ms = None
        self.life = defaultdict(int)
        self.standings = tuple(Standing() for _ in model.sets)
        self._tiles = {}  # day -> field -> sum
        self._days = []  # of the tiles, sorted
        self._recent = deque(maxlen=model.dedupe)
        self._turns = {}
        self._steps, self._player = [], iter(())

    # What happened

    def is_duplicate(self, event):
        return event.event_id is not None and event.event_id in self._recent

    def add(self, event, clock_ms):
        """Applies an event that is no duplicate, read when the task's clock stood at clock_ms.

        Returns the changes, and whether the event was late.
        """
        changes = []
        if self.now_ms is None:
            self.now_ms = event.time_ms
        else:
            changes += self.advance(max(clock_ms, event.time_ms))
            self.now_ms = max(self.now_ms, event.time_ms)
        late = self._remember(event)
        self.standings, found = self._evaluate(self.now_ms, self.standings, event.cause, event.event_id)
        self._steps, self._player = [], self._play(self.now_ms, self.standings)
        for change in found:
            change["forecast"] = self._next_change(change["tier_set"], self._steps_from(0))
        return changes + found + self.advance(clock_ms), late

    def _remember(self, event):
        if event.event_id is not None:
            self._recent.append(event.event_id)
        self.first_seen_ms = min(self.first_seen_ms or event.time_ms, event.time_ms)
        self.last_seen_ms = max(self.last_seen_ms or event.time_ms, event.time_ms)
        if event.cause == "PURCHASE":
            self.first_purchase_ms = min(self.first_purchase_ms or event.time_ms, event.time_ms)
            self.last_purchase_ms = max(self.last_purchase_ms or event.time_ms, event.time_ms)
        day = self.model.calendar.day(event.counts_ms)
        oldest = self.model.calendar.day(self.now_ms) - self.model.span_days + 1
        for field, amount in event.sums.items():
            self.life[field] += amount
        if day >= oldest:
            self._add_to_tile(day, event.sums)
        self._trim(oldest)
        return bool(self.model.windows) and day < oldest

    def _add_to_tile(self, day, sums):
        if day not in self._tiles:
            self._tiles[day] = defaultdict(int)
            insort(self._days, day)
        for field, amount in sums.items():
            self._tiles[day][field] += amount
        if not any(self._tiles[day].values()):
            self._drop_tile(day)

    def _drop_tile(self, day):
        self._days.remove(day)
        return self._tiles.pop(day)

    def _trim(self, oldest):
        while self._days and self._days[0] < oldest:
            self._drop_tile(self._days[0])
        while len(self._days) > self.model.tiles_max:
            self._add_to_tile(self._days[1], self._drop_tile(self._days[0]))

    # What it is worth

    def sum(self, field, first, last):
        """The field over the days first..last."""
        days = self._days[bisect_left(self._days, first):bisect_right(self._days, last)]
        return sum(self._tiles[day][field] for day in days if field in self._tiles[day])

    def base_ms(self, kind):
        """The instant from which an elapsed time runs, or None."""
        return {"days_since_purchase": self.last_purchase_ms, "days_since_seen": self.last_seen_ms,
                "tenure": self.first_seen_ms}[kind]

    # Which tiers follow

    def _evaluate(self, at_ms, standings, cause, event_id=None):
        """All sets at an instant: the new standings, and the changes without their forecasts."""
        standings, changes = list(standings), []
        names = [tier_set.name for tier_set in self.model.sets]

        def tier(set_name):
            index = names.index(set_name)
            at = standings[index].tier
            return None if at is None else self.model.sets[index].tiers[at].name

        moment = Moment(self, at_ms, tier)
        for index, tier_set in enumerate(self.model.sets):
            before = standings[index]
            after = _move(tier_set, before, moment)
            if after.tier != before.tier:
                changes.append(_change(tier_set, before, after, moment, cause, event_id))
            standings[index] = after
        return tuple(standings), changes

    def advance(self, clock_ms):
        """Evaluates every due instant up to clock_ms."""
        changes = []
        while (step := next(self._steps_from(0), None)) and step.at_ms <= clock_ms:
            del self._steps[0]
            self.now_ms, self.standings = step.at_ms, step.standings
            for change in step.changes:
                change["forecast"] = self._next_change(change["tier_set"], self._steps_from(0))
            changes += step.changes
        return changes

    def _steps_from(self, index):
        """The steps from `index` on, played when they are needed."""
        while True:
            while index >= len(self._steps):
                step = next(self._player, None)
                if step is None:
                    return
                self._steps.append(step)
            yield self._steps[index]
            index += 1

    def _play(self, now_ms, standings):
        """All due instants after now_ms, each on the state as it then is."""
        while (now_ms := self._next_due(now_ms, standings)) is not None:
            standings, changes = self._evaluate(now_ms, standings, "TIME")
            yield Step(now_ms, standings, changes)

    @staticmethod
    def _next_change(set_name, steps):
        for step in steps:
            for change in step.changes:
                if change["tier_set"] == set_name:
                    return {"tier": change["to"], "time_ms": step.at_ms}
        return None

    def view(self, at_ms):
        """How the customer stands at at_ms if nothing more happens until then."""
        standings = self.standings
        passed = 0
        for step in self._steps_from(0):
            if step.at_ms > at_ms:
                break
            standings = step.standings
            passed += 1
        tiers = [None if standing.tier is None else tier_set.tiers[standing.tier]
                 for tier_set, standing in zip(self.model.sets, standings)]
        by_set = {tier_set.name: tier.name for tier_set, tier in zip(self.model.sets, tiers) if tier}
        moment = Moment(self, max(at_ms, self.now_ms), by_set.get)
        return {
            "tiers": {
                tier_set.name: {
                    "tier": tier.name, "since_ms": standing.since_ms, "sequence": standing.sequence,
                    "conditions": _conditions(tier.keeps(), moment),
                    "forecast": self._next_change(tier_set.name, self._steps_from(passed))}
                for tier_set, tier, standing in zip(self.model.sets, tiers, standings)},
            "scores": {name: moment.score(name) for name in self.model.scores},
            "metrics": {node.name: moment.metric(node) for node in self.model.metrics},
            "lifetime": {
                "first_purchase_ms": self.first_purchase_ms, "last_purchase_ms": self.last_purchase_ms,
                "orders": self.life["purchases"], "revenue": self.life["revenue"] / self.model.money_scale},
        }

    # When time alone may change something

    def _next_due(self, now_ms, standings):
        instants = self._day_instants(now_ms) + self._elapsed_instants(now_ms)
        for tier_set, standing in zip(self.model.sets, standings):
            if tier_set.hold_ms:
                instants.append(standing.since_ms + tier_set.hold_ms)
            if tier_set.grace_ms and standing.pending_ms is not None:
                instants.append(standing.pending_ms + tier_set.grace_ms)
        return min((instant for instant in instants if instant > now_ms), default=None)

    def _day_instants(self, now_ms):
        """For each edge of each window the next start of a day on which a day with something in it passes the edge."""
        today = self.model.calendar.day(now_ms)
        instants = []
        for window, ago in self.model.windows:
            for edge in (ago, ago + window):
                next_day = bisect_right(self._days, today - edge)
                if next_day < len(self._days):
                    instants.append(self.model.calendar.start_ms(self._days[next_day] + edge))
        return instants

    def _elapsed_instants(self, now_ms):
        moment = Moment(self, now_ms)
        return [instant for turning in self.model.turnings for instant in self._turns_of(turning, moment)]

    def _turns_of(self, turning, moment):
        """When elapsed time alone turns it, while everything else keeps its value."""
        bases = [self.base_ms(kind) for kind in turning.elapsed]
        others = [node.value(moment) for node in turning.others]
        if None in bases or None in others:
            return ()
        known = (turning.key, *bases, *others)
        if known not in self._turns:
            self._turns[known] = _turns(lambda at_ms: turning.truth(_Later(moment, at_ms)),
                                        lambda at_ms: turning.monotone(_Later(moment, at_ms)), max(bases))
        return self._turns[known]


def _turns(truth, monotone, from_ms):
    """All instants after from_ms at which the truth differs from the millisecond before."""
    turns = []
    last_ms = from_ms + _HORIZON_MS
    while (from_ms := first_other(monotone, from_ms, last_ms)) is not None:
        if truth(from_ms) != truth(from_ms - 1):
            turns.append(from_ms)
    return tuple(turns)


def _fitting(tier_set, present, moment):
    """The first tier whose rule holds."""
    for index, tier in enumerate(tier_set.tiers):
        rule = tier.keeps() if index == present else tier.enter
        if rule is None or rule.holds(moment):
            return index
    raise AssertionError("the last tier takes everyone")


def _move(tier_set, standing, moment):
    """The standing after an evaluation."""
    now_ms = moment.at_ms
    fitting = _fitting(tier_set, standing.tier, moment)
    if standing.tier is None or fitting < standing.tier:
        return Standing(fitting, now_ms, None, standing.sequence + 1)
    if fitting == standing.tier:
        return standing._replace(pending_ms=None)
    pending_ms = now_ms if standing.pending_ms is None else standing.pending_ms
    if now_ms - standing.since_ms < tier_set.hold_ms or now_ms - pending_ms < tier_set.grace_ms:
        return standing._replace(pending_ms=pending_ms)
    if not tier_set.one_step:
        return Standing(fitting, now_ms, None, standing.sequence + 1)
    lower = standing.tier + 1
    still_falling = _fitting(tier_set, lower, moment) > lower
    return Standing(lower, now_ms, now_ms if still_falling else None, standing.sequence + 1)


def _conditions(rule, moment):
    conditions = []
    for comparison in rules.comparisons(rule) if rule else ():
        value, threshold = comparison.sides(moment)
        conditions.append(
            {"rule": comparison.text, "value": value, "threshold": threshold, "met": comparison.holds(moment)})
    return conditions


def _change(tier_set, before, after, moment, cause, event_id):
    left = None if before.tier is None else tier_set.tiers[before.tier]
    entered = tier_set.tiers[after.tier]
    fall = left is not None and after.tier > before.tier
    conditions = _conditions(left.keeps(), moment) if fall else []
    return {
        "tier_set": tier_set.name, "from": left.name if left else None, "to": entered.name,
        "direction": "FIRST" if left is None else "DOWN" if fall else "UP", "sequence": after.sequence,
        "effective_time_ms": moment.at_ms, "cause": cause, "cause_event_id": event_id,
        "conditions": conditions + _conditions(entered.enter, moment),
        "metrics": {
            name: moment.metric(node) if isinstance(node, rules.Metric) else moment.score(name)
            for name, node in tier_set.used},
        "treatment": entered.treatment, "topic": tier_set.topic,
    }

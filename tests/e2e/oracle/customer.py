"""One customer as time goes by: events, due instants, tiers, notices."""

from typing import NamedTuple

from .facts import Facts
from .future import Future
from .moment import Moment
from .tiers import Standing, conditions, evaluate, tier_function, told_change, told_notice


class Applied(NamedTuple):
    """What came of an event."""

    changes: list  # tier changes and notices, in order
    late: bool
    tiers: tuple  # (set, tier) of each set after the event and what has come due until the clock


class Customer:
    """See the module. What is published comes in order, without the ids."""

    def __init__(self, model):
        self.model = model
        self.facts = Facts(model)
        self.now_ms = None
        self.standings = tuple(Standing() for _ in model.sets)
        self._future, self._at = None, 0  # and which of its steps is the next
        self._noticed = {}  # name of a set: (sequence of the tier, instant of the fall) told last
        self._warning = _with_notice(model)
        self._away = {}  # name of a set that the rules do not have any more: (name of the tier, standing)

    def is_duplicate(self, event):
        return self.facts.is_duplicate(event)

    def tiers(self):
        return tuple((tier_set.name, tier_set.tiers[standing.tier].name)
                     for tier_set, standing in zip(self.model.sets, self.standings) if standing.tier is not None)

    def add(self, event, clock_ms):
        """Applies an event that is no duplicate, read when the task's clock stood at clock_ms."""
        published = []
        if self.now_ms is None:
            self.now_ms = event.time_ms
        else:
            published += self.advance(max(clock_ms, event.time_ms))
            self.now_ms = max(self.now_ms, event.time_ms)
        late = self.facts.add(event, self.now_ms, self.tiers())
        self.standings, moves = evaluate(self.facts, self.now_ms, self.standings)
        self._look_ahead()
        published += self._told(moves, event.cause, event.event_id)
        published += self.advance(clock_ms)
        return Applied(published, late, self.tiers())

    def _look_ahead(self):
        self._future, self._at = Future(self.facts, self.now_ms, self.standings), 0

    def renew(self, model, since_ms):
        """Other rules are in force since then; everything due up to then has been evaluated."""
        for tier_set, standing in zip(self.model.sets, self.standings):
            tier = None if standing.tier is None else tier_set.tiers[standing.tier].name
            self._away[tier_set.name] = (tier, standing)
        self.model = model
        self.facts.renew(model)
        self._warning = _with_notice(model)
        self.standings = tuple(self._brought(tier_set) for tier_set in model.sets)
        self.now_ms = max(self.now_ms, since_ms)
        self.standings, moves = evaluate(self.facts, self.now_ms, self.standings)
        self._look_ahead()
        return self._told(moves, "RULES", None)

    def _brought(self, tier_set):
        """The standing in the set under its former rules, its tier known by its name."""
        name, standing = self._away.pop(tier_set.name, (None, Standing()))
        numbers = {tier.name: number for number, tier in enumerate(tier_set.tiers)}
        return standing._replace(tier=numbers.get(name))

    def advance(self, clock_ms):
        """Evaluates every due instant up to clock_ms."""
        published = []
        while True:
            step = self._future.step(self._at)
            instants = self._notice_instants() + ([step.at_ms] if step else [])
            if not instants or min(instants) > clock_ms:
                return published
            self.now_ms = min(instants)
            if step and step.at_ms == self.now_ms:
                self.standings, moves = step.standings, step.moves
                self._at += 1
            else:
                before = self.standings
                self.standings, moves = evaluate(self.facts, self.now_ms, before)
                if self.standings != before:
                    self._look_ahead()
            published += self._told(moves, "TIME", None)

    def _told(self, moves, cause, event_id):
        """What an evaluation that has just been done publishes."""
        published = []
        for move in moves:
            change = told_change(self.facts, self.now_ms, move, cause, event_id)
            published.append(change | {"forecast": self._forecast(move.set, self._at)})
        for number, (step, move) in self._falls():
            due_ms = step.at_ms - self.model.sets[number].notice_ms
            if due_ms <= self.now_ms and self._noticed.get(self.model.sets[number].name) != (move.before.sequence, step.at_ms):
                self._noticed[self.model.sets[number].name] = (move.before.sequence, step.at_ms)
                published.append(told_notice(self.facts, self.now_ms, move, step.at_ms, cause, event_id))
        return published

    def _falls(self):
        """(set, (step, move)) of the sets with a notice whose next change is a fall."""
        coming = ((number, self._future.next_move(number, self._at)) for number in self._warning)
        return [(number, found) for number, found in coming if found and found[1].is_fall]

    def _notice_instants(self):
        instants = (step.at_ms - self.model.sets[number].notice_ms for number, (step, _) in self._falls())
        return [at_ms for at_ms in instants if at_ms > self.now_ms]

    def _forecast(self, set_number, first):
        found = self._future.next_move(set_number, first)
        if found is None:
            return None
        step, move = found
        return {"tier": self.model.sets[set_number].tiers[move.after.tier].name, "time_ms": step.at_ms}

    def view(self, at_ms):
        """How the customer stands at at_ms if nothing more happens until then."""
        standings, passed = self.standings, self._at
        while (step := self._future.step(passed)) and step.at_ms <= at_ms:
            standings = step.standings
            passed += 1
        at_ms = max(at_ms, self.now_ms)
        moment = Moment(self.facts, at_ms, tier_function(self.model, standings))
        tiers = [tier_set.tiers[standing.tier] for tier_set, standing in zip(self.model.sets, standings)]
        return {
            "tiers": {
                tier_set.name: {
                    "tier": tier.name, "since_ms": standing.since_ms, "sequence": standing.sequence,
                    "conditions": conditions(tier.keeps(), moment), "forecast": self._forecast(number, passed)}
                for number, (tier_set, tier, standing) in enumerate(zip(self.model.sets, tiers, standings))},
            "scores": {name: moment.score(name) for name in self.model.scores},
            "metrics": {node.name: moment.metric(node) for node in self.model.metrics},
            "lifetime": self.facts.told(at_ms),
        }


def _with_notice(model):
    """The numbers of the sets that announce falls."""
    return [number for number, tier_set in enumerate(model.sets) if tier_set.notice_ms is not None]

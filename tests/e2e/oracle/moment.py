"""A customer's numbers at an instant; what the rules ask."""

from . import turning
from .rules import WINDOWED


class Moment:
    """See the module. `tier` is a function: name of a set -> name of the present tier, or None."""

    def __init__(self, facts, at_ms, tier=None):
        self.facts, self._model = facts, facts.model
        self._today = facts.model.calendar.day(at_ms)
        self._reaches, self._scores = {}, {}
        self.at_ms = at_ms
        self.tier = tier

    def later(self, at_ms):
        """A moment at which only elapsed time differs: windows and scores stay."""
        return _Later(self, at_ms)

    def metric(self, node):
        if node.is_elapsed:
            return self.facts.moving(node, self.at_ms)
        reach = None if node.window is None else self._reaches.get(node.window) or self._reach(node.window)
        known = node.name, reach
        if known not in self.facts.memo:
            self.facts.memo[known] = self._still(node, reach)
        return self.facts.memo[known]

    def score(self, name):
        if name not in self._scores:
            score = self._model.scores[name]
            if score.turnings and not self._model.thorough:
                value = 1 + sum(turning.holds(one, self) for one in score.turnings)
            else:
                value = score.of(self.metric(score.metric))
            self._scores[name] = float(value)
        return self._scores[name]

    def turned(self, one):
        """Whether the comparison of a turning holds."""
        return turning.holds(one, self)

    def _reach(self, window):
        self._reaches[window] = self.facts.reach(window, self._today)
        return self._reaches[window]

    def _still(self, node, reach):
        """A metric that only days and events change."""
        if node.kind not in WINDOWED:
            return self.facts.history(node.kind)
        field = f"interactions {node.interaction}" if node.interaction else None
        return self._model.windowed.of[node.kind](lambda name: self.facts.sum(field or name, reach))


class _Later:

    def __init__(self, moment, at_ms):
        self._moment, self._at_ms = moment, at_ms
        self.score = moment.score

    def metric(self, node):
        return self._moment.facts.moving(node, self._at_ms) if node.is_elapsed else self._moment.metric(node)

"""The part of a config that decides about tiers, compiled once."""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from . import rules
from .calendar import Calendar

_UNITS_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def duration_ms(text):
    """`14d` in milliseconds."""
    number, unit = re.fullmatch(r"(\d+)(ms|s|m|h|d)", str(text)).groups()
    return int(number) * _UNITS_MS[unit]


@dataclass(frozen=True)
class ScoreRule:
    """A metric cut into 1..n."""

    name: str
    metric: rules.Metric
    steps: tuple
    best_low: bool

    def of(self, value):
        if value is None:
            return 1
        if self.best_low:
            return 1 + sum(value <= step for step in self.steps)
        return 1 + sum(value >= step for step in self.steps)


@dataclass(frozen=True)
class Tier:
    name: str
    enter: object  # None: takes everyone else
    stay: object   # None: as enter
    treatment: dict

    def keeps(self):
        """The rule that holds a customer who is in this tier."""
        return self.stay or self.enter


@dataclass(frozen=True)
class TierSet:
    name: str
    topic: str
    hold_ms: int
    grace_ms: int
    one_step: bool
    tiers: tuple
    used: tuple  # names of the scores and metrics that its rules use, metrics as nodes


class Turning(NamedTuple):
    """Something that elapsed time alone may turn: a comparison, or a score's step."""

    key: object
    elapsed: tuple  # kinds of the elapsed times in it
    others: tuple  # the other metrics and scores in it, as nodes
    truth: object  # function of a moment
    monotone: object  # function of a moment, on which bisection may be done


@dataclass
class Model:
    """Everything that scoring needs to know; see `Model.of`."""

    calendar: Calendar
    scores: dict
    sets: list
    dedupe: int
    tiles_max: int
    money_scale: int  # minor units in a major one
    windows: set = field(default_factory=set)  # (days, ago)
    turnings: list = field(default_factory=list)
    metrics: list = field(default_factory=list)  # every metric that a rule or score uses

    @property
    def span_days(self):
        """How many days back, today included, the furthest window looks."""
        return max((days + ago for days, ago in self.windows), default=0)

    @classmethod
    def of(cls, config, money_scale):
        state = config.get("state", {})
        scores = {name: _score(name, spec) for name, spec in config.get("scores", {}).items()}
        default_topic = config.get("topics", {}).get("tier_changes", "tier-changes")
        sets = [_tier_set(name, spec, scores, default_topic) for name, spec in config["tier_sets"].items()]
        model = cls(Calendar(state.get("time_zone", "UTC")), scores, sets, state.get("dedupe", 16),
                    state.get("tiles", 128), money_scale)
        model._collect()
        return model

    def _collect(self):
        nodes = [score.metric for score in self.scores.values()]
        for tier_set in self.sets:
            for rule in _rules_of(tier_set.tiers):
                nodes.extend(rule.walk())
        for node in nodes:
            if isinstance(node, rules.Metric):
                if node.days is not None:
                    self.windows.add((node.days, node.ago))
                if node not in self.metrics:
                    self.metrics.append(node)
        comparisons = [node for node in nodes if isinstance(node, rules.Comparison) and node.moves()]
        self.turnings = [_turning_score(score) for score in self.scores.values() if score.metric.moves()]
        self.turnings += [_turning_comparison(index, node) for index, node in enumerate(comparisons)]


def _turning_score(score):
    def level(moment):
        return score.of(moment.metric(score.metric))

    return Turning(score.name, (score.metric.kind,), (), level, level)


def _turning_comparison(index, comparison):
    def sign(moment):
        """-1, 0 or 1: monotone in time when both sides are straight lines."""
        left, right = comparison.sides(moment)
        return None if left is None or right is None else (left > right) - (left < right)

    if not comparison.is_linear():
        raise NotImplementedError(f"not a straight line in time: {comparison.text}")
    leaves = [node for node in comparison.walk() if isinstance(node, (rules.Metric, rules.Score))]
    return Turning(index, tuple(node.kind for node in leaves if node.moves()),
                   tuple(node for node in leaves if not node.moves()), comparison.holds, sign)


def _rules_of(tiers):
    return [rule for tier in tiers for rule in (tier.enter, tier.stay) if rule]


def _score(name, spec):
    return ScoreRule(name, rules.parse_metric(spec["metric"]), tuple(map(float, spec["steps"])),
                     spec.get("best", "high") == "low")


def _tier_set(name, spec, scores, default_topic):
    def rule(tier, key):
        return rules.parse_rule(str(tier[key]), scores) if key in tier else None

    tiers = tuple(
        Tier(tier["name"], rule(tier, "enter"), rule(tier, "stay"),
             {key: str(value) for key, value in tier.get("treatment", {}).items()})
        for tier in spec["tiers"])
    used = {}
    for one in _rules_of(tiers):
        for node in one.walk():
            if isinstance(node, rules.Score):
                used[node.name] = scores[node.name]
                metric = scores[node.name].metric
                used[metric.name] = metric
            elif isinstance(node, rules.Metric):
                used[node.name] = node
    return TierSet(name, spec.get("topic", default_topic), duration_ms(spec.get("hold", "0d")),
                   duration_ms(spec.get("grace", "0d")), spec.get("demote", "to_fit") == "one_step", tiers,
                   tuple(used.items()))

"""The part of a config that decides about tiers, compiled once."""

import re
from dataclasses import dataclass, field, replace
from fractions import Fraction

from . import rules
from .calendar import Calendar
from .lifetime import LifetimeValue
from .parse import parse_metric, parse_rule
from .turning import FALL_MS, FALLING, HORIZON_MS, SEARCHED, Turning
from .windowed import Windowed

_UNITS_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def duration_ms(text):
    """`14d` in milliseconds."""
    number, unit = re.fullmatch(r"(\d+)(ms|s|m|h|d)", str(text)).groups()
    return int(number) * _UNITS_MS[unit]


@dataclass(frozen=True)
class ScoreRule:
    """A metric cut into 1..n. Without cut points, a score by quantiles or shares has its steps, or is 1."""

    name: str
    metric: rules.Metric
    steps: tuple
    best_low: bool
    turnings: tuple = ()  # of its steps, where time alone changes the metric

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
    notice_ms: int | None
    one_step: bool
    tiers: tuple
    used: tuple  # (name, node or score) of the scores and metrics that its rules use

    def rules(self):
        return [rule for tier in self.tiers for rule in (tier.enter, tier.stay) if rule]

    def watch(self, watched):
        tiers = (replace(tier, enter=rules.watch(tier.enter, watched), stay=rules.watch(tier.stay, watched))
                 for tier in self.tiers)
        return replace(self, tiers=tuple(tiers))

    def reads(self):
        """The sets whose tiers it asks for."""
        return {node.set for rule in self.rules() for node in rule.walk() if isinstance(node, rules.InTier)}

    def windows(self):
        return {metric.window for _, metric in self.used if isinstance(metric, rules.Metric) and metric.window}


class Points:
    """What events earn (`points`), exactly; in thousandths of a point."""

    def __init__(self, spec):
        self.events = {kind: Fraction(str(points)) for kind, points in spec.get("events", {}).items()}
        self.per_unit = Fraction(str(spec.get("per_unit", 0)))
        self.multipliers = {(set_name, tier): Fraction(str(factor)) for set_name, tiers in
                            spec.get("multipliers", {}).items() for tier, factor in tiers.items()}

    def earned(self, kind, money, tiers):
        """(all that an event earns, the part of it that money earns). money in major units, tiers as (set, tier)."""
        factor = Fraction(1)
        for tier in tiers:
            factor *= self.multipliers.get(tier, 1)
        by_money = self.per_unit * money * factor
        return thousandths(self.events.get(kind, 0) * factor + by_money), thousandths(by_money)


def thousandths(points):
    """Rounded to the nearest, halves away from zero."""
    size = int(abs(points) * 1000 + Fraction(1, 2))
    return size if points >= 0 else -size


@dataclass(eq=False)
class Model:
    """Everything that scoring needs to know; see `Model.of`."""

    calendar: Calendar
    scores: dict
    sets: list
    dedupe: int
    tiles_max: int
    money_scale: int  # minor units in a major one
    lifetime: LifetimeValue | None
    points: Points
    weights: dict  # of interactions, for engagement
    half_life_ms: int
    frequent_interval: float  # in days
    ces_by_share: bool
    windows: set = field(default_factory=set)  # (days, ago)
    turnings: list = field(default_factory=list)
    metrics: list = field(default_factory=list)  # every metric that a rule or score uses
    windowed: Windowed = None
    set_numbers: dict = field(default_factory=dict)  # name -> number
    reads: list = field(default_factory=list)  # of each set, the names of those whose tiers it asks for
    edges: dict = field(default_factory=dict)  # days back -> the windows that a day enters or leaves then
    turned: list = field(default_factory=list)  # of each turning, the sets that it concerns, by number
    latest_ms: list = field(default_factory=list)  # of each turning, how long after an evaluation it may still be due
    depending: dict = field(default_factory=dict)  # window, or score that moves -> the turnings that depend on it
    searched: set = field(default_factory=set)  # the turnings that are SEARCHED
    watching: dict = field(default_factory=dict)  # window -> the sets that it concerns, by number
    thorough: bool = False  # evaluates everything at every step, by its values: slower, for tests
    always: set = field(default_factory=set)  # sets, by number, of which nobody knows when they need no evaluation
    at_once: set = field(default_factory=set)  # sets, by number, in which a pending fall comes with the next evaluation

    @property
    def span_days(self):
        """How many days back, today included, the furthest window looks."""
        return max((days + ago for days, ago in self.windows), default=0)

    @classmethod
    def of(cls, config, money_scale):
        state, behaviour = config.get("state", {}), config.get("behaviour", {})
        engagement, lifetime = config.get("engagement", {}), config.get("lifetime_value")
        scores = {name: _score(name, spec) for name, spec in config.get("scores", {}).items()}
        topic = config.get("topics", {}).get("tier_changes", "tier-changes")
        rising_below = behaviour.get("rising_below", 500)
        sets = [_tier_set(name, spec, scores, topic, rising_below) for name, spec in config["tier_sets"].items()]
        model = cls(
            Calendar(state.get("time_zone", "UTC")), scores, sets, state.get("dedupe", 16), state.get("tiles", 128),
            money_scale,
            LifetimeValue(lifetime, duration_ms(lifetime.get("unit", "7d"))) if lifetime else None,
            Points(config.get("points", {})),
            {kind.upper(): float(weight) for kind, weight in engagement.get("weights", {}).items()},
            duration_ms(engagement.get("half_life", "14d")),
            duration_ms(behaviour.get("frequent_interval", "45d")) / 86_400_000,
            config.get("feedback", {}).get("ces", "mean") == "share")
        model._collect()
        return model

    def _collect(self):
        self.windowed = Windowed(self)
        nodes = [score.metric for score in self.scores.values()]
        for tier_set in self.sets:
            for rule in tier_set.rules():
                nodes.extend(rule.walk())
        for node in nodes:
            if isinstance(node, rules.Metric):
                if node.window:
                    self.windows.add(node.window)
                if node not in self.metrics:
                    self.metrics.append(node)
        self._watch(dict.fromkeys(node for node in nodes if isinstance(node, rules.Comparison) and node.moves()))

    def _watch(self, comparisons):
        """Finds everything that elapsed time alone may turn, and what it concerns."""
        for name, score in self.scores.items():
            if score.metric.moves():
                sign = "<=" if score.best_low else ">="
                steps = [rules.Comparison(sign, score.metric, rules.Number(step), "") for step in score.steps]
                self.scores[name] = replace(score, turnings=tuple(self._turning(step, name) for step in steps))
        watched = {one: rules.Watched(one.sign, one.left, one.right, one.text, self._turning(one))
                   for one in comparisons}
        self.sets = [tier_set.watch(watched) for tier_set in self.sets]
        self.set_numbers = {tier_set.name: number for number, tier_set in enumerate(self.sets)}
        self.reads = [tier_set.reads() for tier_set in self.sets]
        for window in self.windows:
            for edge in (window[1], sum(window)):
                self.edges.setdefault(edge, set()).add(window)
            self.watching[window] = {index for index, one in enumerate(self.sets) if window in one.windows()}
        inside = [{getattr(node, "turning", node) for rule in one.rules() for node in rule.walk()} for one in self.sets]
        for turning in self.turnings:
            what = rules.Score(turning.owner) if turning.owner else turning
            self.turned.append({index for index, nodes in enumerate(inside) if what in nodes})
            if turning.how == SEARCHED:
                self.searched.add(turning.key)
            self.latest_ms.append(FALL_MS if turning.how == FALLING else HORIZON_MS)
            for what in turning.windows | turning.scores:
                self.depending.setdefault(what, set()).add(turning.key)
        # A tier of a set that is evaluated later is that of the evaluation before.
        names = list(self.set_numbers)
        self.always = {index for index, reads in enumerate(self.reads) if reads & set(names[index:])}
        self.at_once = {index for index, one in enumerate(self.sets) if not one.hold_ms and not one.grace_ms}

    def _turning(self, comparison, owner=None):
        self.turnings.append(Turning.of(len(self.turnings), comparison, self.scores, owner))
        return self.turnings[-1]


def _score(name, spec):
    return ScoreRule(name, parse_metric(spec["metric"]), tuple(map(float, spec.get("steps", ()))),
                     spec.get("best", "high") == "low")


def _tier_set(name, spec, scores, default_topic, rising_below):
    def rule(tier, key):
        return parse_rule(str(tier[key]), scores, rising_below) if key in tier else None

    tiers = tuple(
        Tier(tier["name"], rule(tier, "enter"), rule(tier, "stay"),
             {key: str(value) for key, value in tier.get("treatment", {}).items()})
        for tier in spec["tiers"])
    tier_set = TierSet(name, spec.get("topic", default_topic), duration_ms(spec.get("hold", "0d")),
                       duration_ms(spec.get("grace", "0d")),
                       duration_ms(spec["notice"]) if "notice" in spec else None,
                       spec.get("demote", "to_fit") == "one_step", tiers, ())
    used = {}
    for one in tier_set.rules():
        for node in one.walk():
            if isinstance(node, rules.Score):
                used[node.name] = scores[node.name]
                metric = scores[node.name].metric
                used[metric.name] = metric
            elif isinstance(node, rules.Metric):
                used[node.name] = node
    return replace(tier_set, used=tuple(used.items()))

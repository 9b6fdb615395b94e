"""The rule language: what a rule is made of, and its value at a moment. `parse` reads it from text.

A tree is asked for its value with a *moment*: anything with `metric(node)`, `score(name)` and `tier(set)`.
A number that does not exist (no feedback yet, never bought) is None.
"""

import operator
from dataclasses import dataclass, field

# By what a metric depends on. Of `WINDOWED` a window may be cut out, of `HORIZON` how far to look ahead must be said.
WINDOWED = (
    "purchases", "revenue", "refunds", "aov", "interactions", "nps", "nps_margin", "nps_low", "nps_high", "csat",
    "csat_mean", "ces", "complaints", "reviews", "review_mean", "items", "basket_size", "points", "referrals")
LINEAR = ("days_since_purchase", "days_since_seen", "tenure")  # grow with every millisecond
HISTORY = ("purchase_days", "mean_interval", "interval_spread", "frequency", "stage", "furthest_stage", "mean_spend")
FALLING = ("engagement", "p_alive", "expected_purchases", "clv")  # fall, or stand still, as time goes by
HORIZON = ("expected_purchases", "clv")
PLAIN = tuple(kind for kind in LINEAR + HISTORY + FALLING if kind not in HORIZON)  # written without anything

FREQUENCIES = ("one_off", "infrequent", "frequent")
STAGES = ("awareness", "interest", "decision", "purchase", "after_sales")
CONSTANTS = {name: float(number) for names in (FREQUENCIES, STAGES) for number, name in enumerate(names, 1)}

INTERACTION_KINDS = (
    "PAGE_VIEW", "SEARCH", "CART_ADD", "CHECKOUT", "EMAIL_OPEN", "EMAIL_CLICK", "LOGIN", "SUPPORT_CONTACT",
    "REFERRAL", "SOCIAL", "STORE_VISIT", "OTHER")
COMPARISONS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "=": operator.eq,
               "!=": operator.ne}
_OPERATIONS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": lambda a, b: a / b if b != 0 else None}

# What a value does as time alone goes by.
STILL, RISES, FALLS = "still", "rises", "falls"
_OPPOSITE = {STILL: STILL, RISES: FALLS, FALLS: RISES, None: None}


class RuleError(ValueError):
    """A rule that does not mean anything."""


def _together(courses):
    """The course of a sum or an extreme, from those of its parts."""
    moving = set(courses) - {STILL}
    return moving.pop() if len(moving) == 1 else None if moving else STILL


class Node:
    """What all nodes share: the nodes below, and what time alone does to the value."""

    def parts(self):
        return ()

    def walk(self):
        """This node and all below, from left to right, a node before its parts."""
        yield self
        for part in self.parts():
            yield from part.walk()

    def moves(self):
        """True if the value depends on elapsed time other than through a score."""
        return any(part.moves() for part in self.parts())

    def is_linear(self):
        """True if the value is a straight line in time as long as windows and scores stay as they are."""
        return not self.moves()

    def course(self):
        """STILL, or RISES or FALLS where only metrics that fall are in it, or None where it cannot be said."""
        return None if self.moves() else STILL


@dataclass(frozen=True)
class Number(Node):
    number: float

    def value(self, _moment):
        return self.number


@dataclass(frozen=True)
class Metric(Node):
    kind: str
    days: int | None = None  # None: the whole life; of HORIZON, how far ahead
    ago: int = 0
    interaction: str | None = None  # None: every kind
    name: str = field(init=False, compare=False)
    window: tuple | None = field(init=False, compare=False)  # (days, ago), or None where it has none
    is_elapsed: bool = field(init=False, compare=False)  # whether time alone changes it

    def __post_init__(self):
        words = [self.interaction.lower()] if self.interaction else []
        words += [f"{self.days}d"] if self.days is not None else []
        words += [f"ago {self.ago}d"] if self.ago else []
        object.__setattr__(self, "name", f"{self.kind}({', '.join(words)})" if words else self.kind)
        has_window = self.kind in WINDOWED and self.days is not None
        object.__setattr__(self, "window", (self.days, self.ago) if has_window else None)
        object.__setattr__(self, "is_elapsed", self.kind in LINEAR or self.kind in FALLING)

    def value(self, moment):
        return moment.metric(self)

    def moves(self):
        return self.is_elapsed

    def is_linear(self):
        return self.kind not in FALLING

    def course(self):
        return FALLS if self.kind in FALLING else None if self.kind in LINEAR else STILL


@dataclass(frozen=True)
class Score(Node):
    name: str

    def value(self, moment):
        return moment.score(self.name)


@dataclass(frozen=True)
class Trend(Node):
    """A window against the one before, which must be above 0."""

    metric: Metric
    earlier: Metric

    def parts(self):
        return (self.metric, self.earlier)

    def value(self, moment):
        now, earlier = moment.metric(self.metric), moment.metric(self.earlier)
        return None if now is None or earlier is None or earlier <= 0 else now / earlier


@dataclass(frozen=True)
class Negative(Node):
    inner: Node

    def parts(self):
        return (self.inner,)

    def value(self, moment):
        value = self.inner.value(moment)
        return None if value is None else -value

    def is_linear(self):
        return self.inner.is_linear()

    def course(self):
        return _OPPOSITE[self.inner.course()]


@dataclass(frozen=True)
class Arithmetic(Node):
    sign: str
    left: Node
    right: Node

    def parts(self):
        return (self.left, self.right)

    def value(self, moment):
        left, right = self.left.value(moment), self.right.value(moment)
        return None if left is None or right is None else _OPERATIONS[self.sign](left, right)

    def is_linear(self):
        if self.sign in "+-":
            return self.left.is_linear() and self.right.is_linear()
        if self.sign == "*":
            return (not self.left.moves() and self.right.is_linear()
                    or not self.right.moves() and self.left.is_linear())
        return self.left.is_linear() and not self.right.moves()

    def course(self):
        left, right = self.left.course(), self.right.course()
        if self.sign == "+":
            return _together((left, right))
        if self.sign == "-":
            return _together((left, _OPPOSITE[right]))
        if self.sign == "*" and isinstance(self.left, Number):
            return right if self.left.number > 0 else super().course()
        if isinstance(self.right, Number):
            return left if self.right.number > 0 else super().course()
        return super().course()


@dataclass(frozen=True)
class Extreme(Node):
    name: str  # min or max
    of: tuple

    def parts(self):
        return self.of

    def value(self, moment):
        values = [part.value(moment) for part in self.of]
        if any(value is None for value in values):
            return None
        return min(values) if self.name == "min" else max(values)

    def course(self):
        return _together([part.course() for part in self.of])


@dataclass(frozen=True)
class Known(Node):
    inner: Node

    def parts(self):
        return (self.inner,)

    def holds(self, moment):
        return self.inner.value(moment) is not None


@dataclass(frozen=True)
class Comparison(Node):
    sign: str
    left: Node
    right: Node
    text: str

    def parts(self):
        return (self.left, self.right)

    def sides(self, moment):
        return self.left.value(moment), self.right.value(moment)

    def holds(self, moment):
        left, right = self.left.value(moment), self.right.value(moment)
        return left is not None and right is not None and COMPARISONS[self.sign](left, right)

    def decides(self, left, right):
        """The truth of it, given the sides' values."""
        return left is not None and right is not None and COMPARISONS[self.sign](left, right)

    def is_linear(self):
        return self.left.is_linear() and self.right.is_linear()

    def has_falling_side(self):
        """True if one side falls with time while the other stands still."""
        return {self.left.course(), self.right.course()} == {FALLS, STILL}


@dataclass(frozen=True)
class Watched(Comparison):
    """A comparison of which it is known when time turns it."""

    turning: object

    def holds(self, moment):
        return moment.turned(self.turning)


@dataclass(frozen=True)
class InTier(Node):
    sign: str
    set: str
    tier: str
    text: str

    def sides(self, _moment):
        return None, None

    def holds(self, moment):
        tier = moment.tier(self.set)
        return COMPARISONS[self.sign](tier, self.tier)  # in none yet: it is not this one


@dataclass(frozen=True)
class Not(Node):
    inner: Node

    def parts(self):
        return (self.inner,)

    def holds(self, moment):
        return not self.inner.holds(moment)


@dataclass(frozen=True)
class And(Node):
    left: Node
    right: Node

    def parts(self):
        return (self.left, self.right)

    def holds(self, moment):
        return self.left.holds(moment) and self.right.holds(moment)


@dataclass(frozen=True)
class Or(Node):
    left: Node
    right: Node

    def parts(self):
        return (self.left, self.right)

    def holds(self, moment):
        return self.left.holds(moment) or self.right.holds(moment)


BOOLEAN = (Comparison, InTier, Known, Not, And, Or)


def comparisons(rule):
    """Every comparison of a rule, as `conditions` lists them."""
    return [node for node in rule.walk() if isinstance(node, (Comparison, InTier))]


def watch(rule, watched):
    """The rule with other comparisons in the places of those that `watched`, a dict, names."""
    if isinstance(rule, Not):
        return Not(watch(rule.inner, watched))
    if isinstance(rule, (And, Or)):
        return type(rule)(watch(rule.left, watched), watch(rule.right, watched))
    return watched.get(rule, rule)

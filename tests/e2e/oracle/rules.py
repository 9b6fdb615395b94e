"""The rule language: text to a tree, and the tree's value at a moment.

A tree is asked for its value with a *moment*: anything with `metric(node)`, `score(name)` and `tier(set)`.
A number that does not exist (no feedback yet, never bought) is None.
"""

import re
from dataclasses import dataclass, field

WINDOWED = ("purchases", "revenue", "refunds", "aov", "interactions", "nps", "complaints")
ELAPSED = ("days_since_purchase", "days_since_seen", "tenure")
INTERACTION_KINDS = (
    "PAGE_VIEW", "SEARCH", "CART_ADD", "CHECKOUT", "EMAIL_OPEN", "EMAIL_CLICK", "LOGIN", "SUPPORT_CONTACT",
    "REFERRAL", "SOCIAL", "STORE_VISIT", "OTHER")
COMPARISONS = {
    "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
    "=": lambda a, b: a == b, "!=": lambda a, b: a != b}

_TOKEN = re.compile(
    r"\s*(?:(?P<days>\d+d\b)|(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+)|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<sign><=|>=|!=|[-<>=+*/(),])|(?P<end>$))")


class RuleError(ValueError):
    """A rule that does not mean anything."""


class Node:
    """What all nodes share: the nodes below, and whether time alone changes the value between two days."""

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


@dataclass(frozen=True)
class Number(Node):
    number: float

    def value(self, _moment):
        return self.number


@dataclass(frozen=True)
class Metric(Node):
    kind: str
    days: int | None = None  # None: the whole life
    ago: int = 0
    interaction: str | None = None  # None: every kind
    name: str = field(init=False, compare=False)

    def __post_init__(self):
        words = [self.interaction.lower()] if self.interaction else []
        words += [f"{self.days}d"] if self.days is not None else []
        words += [f"ago {self.ago}d"] if self.ago else []
        object.__setattr__(self, "name", f"{self.kind}({', '.join(words)})" if words else self.kind)

    def value(self, moment):
        return moment.metric(self)

    def moves(self):
        return self.kind in ELAPSED

    def is_linear(self):
        return True


@dataclass(frozen=True)
class Score(Node):
    name: str

    def value(self, moment):
        return moment.score(self.name)


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


@dataclass(frozen=True)
class Arithmetic(Node):
    sign: str
    left: Node
    right: Node

    def parts(self):
        return (self.left, self.right)

    def value(self, moment):
        left, right = self.left.value(moment), self.right.value(moment)
        if left is None or right is None:
            return None
        if self.sign == "+":
            return left + right
        if self.sign == "-":
            return left - right
        if self.sign == "*":
            return left * right
        return left / right if right != 0 else None

    def is_linear(self):
        if self.sign in "+-":
            return self.left.is_linear() and self.right.is_linear()
        if self.sign == "*":
            return (not self.left.moves() and self.right.is_linear()
                    or not self.right.moves() and self.left.is_linear())
        return self.left.is_linear() and not self.right.moves()


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
        left, right = self.sides(moment)
        return left is not None and right is not None and COMPARISONS[self.sign](left, right)

    def is_linear(self):
        return self.left.is_linear() and self.right.is_linear()


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
        return tier is not None and COMPARISONS[self.sign](tier, self.tier)


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


_BOOLEAN = (Comparison, InTier, Known, Not, And, Or)


def comparisons(rule):
    """Every comparison of a rule, as `conditions` lists them."""
    return [node for node in rule.walk() if isinstance(node, (Comparison, InTier))]


def parse_rule(text, scores=()):
    """A condition: `r + f >= 9 and known(nps)`."""
    parser = _Parser(text, scores)
    rule = parser.disjunction()
    parser.expect("end")
    return parser.boolean(rule)


def parse_metric(text):
    """A single metric: `revenue(90d)`."""
    parser = _Parser(text, ())
    metric = parser.primary()
    parser.expect("end")
    if not isinstance(metric, Metric):
        raise RuleError(f"not a metric: {text!r}")
    return metric


class _Parser:
    """Recursive descent, one method for each level of the grammar, loosest first."""

    def __init__(self, text, scores):
        self.text = text
        self.scores = scores
        self.tokens = []
        at = 0
        while not self.tokens or self.tokens[-1][0] != "end":
            match = _TOKEN.match(text, at)
            if not match:
                raise RuleError(f"cannot read {text[at:]!r}")
            self.tokens.append((match.lastgroup, match[match.lastgroup], match.start(match.lastgroup), match.end()))
            at = match.end()
        self.at = 0

    def peek(self, *words):
        kind, word, *_ = self.tokens[self.at]
        return kind in ("sign", "name") and word in words

    def take(self):
        token = self.tokens[self.at]
        self.at += 1
        return token

    def accept(self, *words):
        return self.take()[1] if self.peek(*words) else None

    def expect(self, kind, *words):
        token = self.take()
        if token[0] != kind or (words and token[1] not in words):
            raise RuleError(f"expected {words or kind}, found {token[1]!r} in {self.text!r}")
        return token[1]

    def slice(self, first):
        """The source from token `first` to the one just taken, with single spaces."""
        return " ".join(self.text[self.tokens[first][2]:self.tokens[self.at - 1][3]].split())

    @staticmethod
    def boolean(node):
        if not isinstance(node, _BOOLEAN):
            raise RuleError(f"a number where a condition must stand: {node}")
        return node

    @staticmethod
    def number(node):
        if isinstance(node, _BOOLEAN):
            raise RuleError(f"a condition where a number must stand: {node}")
        return node

    def disjunction(self):
        node = self.conjunction()
        while self.accept("or"):
            node = Or(self.boolean(node), self.boolean(self.conjunction()))
        return node

    def conjunction(self):
        node = self.negation()
        while self.accept("and"):
            node = And(self.boolean(node), self.boolean(self.negation()))
        return node

    def negation(self):
        if self.accept("not"):
            return Not(self.boolean(self.negation()))
        return self.comparison()

    def comparison(self):
        first = self.at
        if self.peek("tier"):
            return self.in_tier(first)
        left = self.sum()
        sign = self.accept(*COMPARISONS)
        if not sign:
            return left
        right = self.sum()
        if self.peek(*COMPARISONS):
            raise RuleError(f"comparisons do not chain: {self.text!r}")
        return Comparison(sign, self.number(left), self.number(right), self.slice(first))

    def in_tier(self, first):
        self.take()
        self.expect("sign", "(")
        tier_set = self.expect("name")
        self.expect("sign", ")")
        sign = self.expect("sign", "=", "!=")
        tier = self.expect("name")
        return InTier(sign, tier_set, tier, self.slice(first))

    def sum(self):
        node = self.product()
        while sign := self.accept("+", "-"):
            node = Arithmetic(sign, self.number(node), self.number(self.product()))
        return node

    def product(self):
        node = self.unary()
        while sign := self.accept("*", "/"):
            node = Arithmetic(sign, self.number(node), self.number(self.unary()))
        return node

    def unary(self):
        if self.accept("-"):
            return Negative(self.number(self.unary()))
        return self.primary()

    def primary(self):
        kind, word, *_ = self.take()
        if kind == "number":
            return Number(float(word))
        if word == "(":
            node = self.disjunction()
            self.expect("sign", ")")
            return node
        if kind != "name":
            raise RuleError(f"unexpected {word!r} in {self.text!r}")
        if word in ("min", "max"):
            return Extreme(word, tuple(self.arguments()))
        if word == "known":
            (inner,) = self.arguments()
            return Known(inner)
        if word in self.scores:
            return Score(word)
        return self.metric(word)

    def arguments(self):
        self.expect("sign", "(")
        arguments = [self.number(self.sum())]
        while self.accept(","):
            arguments.append(self.number(self.sum()))
        self.expect("sign", ")")
        return arguments

    def metric(self, kind):
        if kind in ELAPSED:
            return Metric(kind)
        if kind not in WINDOWED:
            raise RuleError(f"unknown metric {kind!r}")
        days, ago, interaction = None, 0, None
        if self.accept("("):
            if kind == "interactions" and self.tokens[self.at][0] == "name":
                interaction = self.take()[1].upper()
                if interaction not in INTERACTION_KINDS:
                    raise RuleError(f"unknown interaction {interaction!r}")
                if not self.peek(")"):
                    self.expect("sign", ",")
            if self.tokens[self.at][0] == "days":
                days = int(self.take()[1][:-1])
                if self.accept(","):
                    self.expect("name", "ago")
                    ago = int(self.expect("days")[:-1])
            self.expect("sign", ")")
        return Metric(kind, days, ago, interaction)

"""The rule language: text to the trees of `rules`."""

import re

from .rules import (BOOLEAN, COMPARISONS, CONSTANTS, HORIZON, INTERACTION_KINDS, PLAIN, WINDOWED, And, Arithmetic,
                    Comparison, Extreme, InTier, Known, Metric, Negative, Not, Number, Or, RuleError, Score, Trend)

_TOKEN = re.compile(
    r"\s*(?:(?P<days>\d+d\b)|(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+)|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<sign><=|>=|!=|[-<>=+*/(),])|(?P<end>$))")


def parse_rule(text, scores=(), rising_below=500):
    """A condition: `r + f >= 9 and known(nps)`."""
    parser = _Parser(text, scores, rising_below)
    rule = parser.disjunction()
    parser.expect("end")
    return parser.boolean(rule)


def parse_metric(text):
    """A single metric: `revenue(90d)`."""
    parser = _Parser(text, (), 0)
    metric = parser.primary()
    parser.expect("end")
    if not isinstance(metric, Metric):
        raise RuleError(f"not a metric: {text!r}")
    return metric


class _Parser:
    """Recursive descent, one method for each level of the grammar, loosest first."""

    def __init__(self, text, scores, rising_below):
        self.text = text
        self.scores = scores
        self.rising_below = rising_below
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
        if not isinstance(node, BOOLEAN):
            raise RuleError(f"a number where a condition must stand: {node}")
        return node

    @staticmethod
    def number(node):
        if isinstance(node, BOOLEAN):
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
        if word in ("trend", "rising"):
            return getattr(self, word)()
        if word in self.scores:
            return Score(word)
        if word in CONSTANTS:
            return Number(CONSTANTS[word])
        return self.metric(word)

    def arguments(self):
        self.expect("sign", "(")
        arguments = [self.number(self.sum())]
        while self.accept(","):
            arguments.append(self.number(self.sum()))
        self.expect("sign", ")")
        return arguments

    def days(self):
        return int(self.expect("days")[:-1])

    def trend(self):
        """`trend(revenue, 30d)`: `revenue(30d) / revenue(30d, ago 30d)`."""
        self.expect("sign", "(")
        kind = self.expect("name", *WINDOWED)
        self.expect("sign", ",")
        days = self.days()
        self.expect("sign", ")")
        return Trend(Metric(kind, days), Metric(kind, days, days))

    def rising(self):
        """`rising(30d)`: three comparisons, written out."""
        self.expect("sign", "(")
        days = self.days()
        self.expect("sign", ")")
        purchases, revenue, more = Metric("purchases", days), Metric("revenue", days), []
        for metric in (purchases, revenue):
            earlier = Metric(metric.kind, days, days)
            more.append(Comparison(">", metric, earlier, f"{metric.name} > {earlier.name}"))
        small = Comparison("<=", revenue, Number(float(self.rising_below)), f"{revenue.name} <= {self.rising_below}")
        return And(And(*more), small)

    def metric(self, kind):
        if kind in PLAIN:
            return Metric(kind)
        if kind in HORIZON:
            self.expect("sign", "(")
            metric = Metric(kind, self.days())
            self.expect("sign", ")")
            return metric
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
                days = self.days()
                if self.accept(","):
                    self.expect("name", "ago")
                    ago = self.days()
            self.expect("sign", ")")
        return Metric(kind, days, ago, interaction)

"""Comparisons, and steps of scores, that elapsed time alone may turn: when they do.

Between events, and while windows and scores stay, such a comparison changes its truth at certain milliseconds only.
Where its sides are straight lines, or one falls while the other stands still, these are worked out once and kept, and
answer as well whether the comparison holds.
"""

import math
from bisect import bisect_right
from typing import NamedTuple

from . import rules
from .calendar import DAY_MS

HORIZON_MS = 1000 * 365 * DAY_MS  # no rule looks further ahead
FALL_MS = 20 * 365 * DAY_MS  # what falls is due only where it turns within this time after an evaluation

# How the instants are found.
LINEAR, FALLING, SEARCHED = "linear", "falling", "searched"


class Turning(NamedTuple):
    """See the module."""

    key: int
    how: str  # LINEAR, FALLING or SEARCHED
    comparison: rules.Comparison
    elapsed: tuple  # the metrics in it that move, as nodes
    others: tuple  # the other metrics and scores in it, as nodes
    windows: frozenset  # on which the others depend, through scores or not
    scores: frozenset  # names of those among the others that time alone may change
    owner: str | None  # the score whose step it is

    @classmethod
    def of(cls, key, comparison, scores, owner=None):
        how = LINEAR if comparison.is_linear() else FALLING if comparison.has_falling_side() else SEARCHED
        leaves = [node for node in comparison.walk() if isinstance(node, (rules.Metric, rules.Score))]
        others = tuple(node for node in leaves if not node.moves())
        behind = {node.name: scores[node.name].metric for node in others if isinstance(node, rules.Score)}
        metrics = [node for node in others if isinstance(node, rules.Metric)] + list(behind.values())
        return cls(key, how, comparison, tuple(node for node in leaves if node.moves()), others,
                   frozenset(metric.window for metric in metrics if metric.window),
                   frozenset(name for name, metric in behind.items() if metric.moves()), owner)


class Course(NamedTuple):
    """What a comparison does from an instant on while nothing else changes."""

    from_ms: int
    holds_first: bool
    turns: tuple  # instants, ascending


def holds(turning, moment):
    """Whether it holds at a moment."""
    if turning.how == SEARCHED or moment.facts.model.thorough:
        return turning.comparison.decides(*turning.comparison.sides(moment))
    course = _course(turning, moment)
    return course is not None and course.holds_first ^ (bisect_right(course.turns, moment.at_ms) & 1)


def next_turn(turning, moment, until_ms):
    """When elapsed time alone turns it next, or must be asked again; None: never."""
    if turning.how == SEARCHED:
        return _search(turning, moment, until_ms)
    course = _course(turning, moment)
    if course is None:
        return None
    at = bisect_right(course.turns, moment.at_ms)
    return course.turns[at] if at < len(course.turns) else None


def _course(turning, moment):
    """From an instant not after the moment; None: it has no value."""
    known, others, memo = turning.key, (), moment.facts.memo
    if turning.others:
        others = [node.value(moment) for node in turning.others]
        if None in others:
            return None
        known = (known, *others)
    course = memo.get(known, memo)  # itself: not known
    if course is memo or course is not None and course.from_ms > moment.at_ms:
        bases = [moment.facts.basis(node) for node in turning.elapsed]
        course = memo[known] = None if None in bases else _kept_course(turning, moment, (turning.key, *bases, *others))
    return course


def _kept_course(turning, moment, known):
    courses = moment.facts.courses
    if known not in courses or courses[known].from_ms > moment.at_ms:
        courses[known] = _new_course(turning, moment)
    return courses[known]


def _new_course(turning, moment):
    comparison, first_ms = turning.comparison, moment.at_ms

    def sides(at_ms):
        return comparison.sides(moment.later(at_ms))

    turns, from_ms, last_ms = [], first_ms, first_ms + HORIZON_MS
    while (from_ms := first_other(sides, from_ms, last_ms, turning.how == LINEAR)) is not None:
        if comparison.decides(*sides(from_ms)) != comparison.decides(*sides(from_ms - 1)):
            turns.append(from_ms)
    return Course(first_ms, comparison.decides(*sides(first_ms)), tuple(turns))


def first_other(sides, first_ms, last_ms, is_linear=False):
    """The first instant in (first_ms, last_ms] at which the order of the sides is another than at first_ms, or None.

    Their difference must only fall, or only rise. Between an instant before and one after it is looked for where a
    straight line would have it (regula falsi, Illinois), and now and then in the middle.
    """
    def order(gap):
        return (gap > 0) - (gap < 0)

    def gap_at(at_ms):
        left, right = sides(at_ms)
        return math.nan if left is None or right is None else left - right

    low, lower = first_ms, gap_at(first_ms)
    high, upper = last_ms, gap_at(last_ms)
    was = order(lower)
    if math.isnan(lower) or order(upper) == was:
        return None
    width = 16 * DAY_MS
    while not is_linear and low + width < high:
        at_ms = low + width
        gap = gap_at(at_ms)
        if order(gap) == was:
            low, lower, width = at_ms, gap, width * 2
        else:
            high, upper = at_ms, gap
    rounds = kept = 0
    while high - low > 1:
        rounds += 1
        share = lower / (lower - upper) if rounds % 4 else 0.5
        at_ms = min(max(low + round((high - low) * share), low + 1), high - 1)
        gap = gap_at(at_ms)
        if order(gap) == was:
            low, lower = at_ms, gap
            upper, kept = upper / (2 if kept > 0 else 1), 1
        else:
            high, upper = at_ms, gap
            lower, kept = lower / (2 if kept < 0 else 1), -1
    return high


def _search(turning, moment, until_ms):
    """When it turns until the end of the day, or that end; None if it has no value, or after until_ms."""
    def holds_at(at_ms):
        return turning.comparison.decides(*turning.comparison.sides(moment.later(at_ms)))

    elapsed = [moment.facts.basis(node) for node in turning.elapsed]
    if None in elapsed or None in [node.value(moment) for node in turning.others]:
        return None
    calendar = moment.facts.model.calendar
    from_ms, to_ms = moment.at_ms, calendar.start_ms(calendar.day(moment.at_ms) + 1)
    if to_ms > until_ms:
        return None
    was = holds_at(from_ms)
    if holds_at(to_ms) != was:
        while to_ms - from_ms > 1:
            middle = (from_ms + to_ms) // 2
            if holds_at(middle) == was:
                from_ms = middle
            else:
                to_ms = middle
    return to_ms

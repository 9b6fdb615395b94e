"""What time alone will do to a customer, from an instant on.

It is played forward in *steps*, one for each due instant, as far as somebody asks: the same steps serve for what does
happen and for what would happen if nothing more did (forecasts). At a step only those sets are evaluated which the
instant can concern; that the others would not move is tested (test_oracle_time.py), by evaluating all.
"""

from bisect import bisect_left, bisect_right
from heapq import heapify, heappop, heapreplace
from functools import lru_cache
from typing import NamedTuple

from .calendar import DAY_MS
from .moment import Moment
from .tiers import evaluate
from .turning import HORIZON_MS, next_turn

_SEARCH_MS = 10 * 365 * DAY_MS  # how long to go on day by day where what must be searched is all that there is


class Step(NamedTuple):
    """A due instant, evaluated."""

    at_ms: int
    standings: tuple
    moves: list


class Future:
    """See the module."""

    def __init__(self, facts, now_ms, standings):
        self._facts, self._model = facts, facts.model
        self._steps = []
        self._moved = [[] for _ in standings]  # of each set, the numbers of the steps that move it
        self._player = self._play(now_ms, standings)

    def step(self, number):
        """The step with this number, from 0, or None if nothing is due any more."""
        while number >= len(self._steps):
            step = next(self._player, None)
            if step is None:
                return None
            for move in step.moves:
                self._moved[move.set].append(len(self._steps))
            self._steps.append(step)
        return self._steps[number]

    def next_move(self, set_number, first):
        """(step, move): the next of the set in the steps from `first` on, or None."""
        moved = self._moved[set_number]
        while not moved or moved[-1] < first:
            if self.step(max(first, len(self._steps))) is None:
                return None
        step = self._steps[moved[bisect_left(moved, first)]]
        return step, next(move for move in step.moves if move.set == set_number)

    def _play(self, now_ms, standings):
        """All due instants after now_ms, each on the state as it then is."""
        model, facts = self._model, self._facts
        last_ms, until_ms = now_ms + HORIZON_MS, now_ms + _SEARCH_MS
        today = model.calendar.day(now_ms)
        edges = [first for edge in model.edges if (first := self._next_edge(edge, today))]
        heapify(edges)
        moment = Moment(facts, now_ms)
        turns = [next_turn(turning, moment, until_ms) for turning in model.turnings]
        moved = set(range(len(standings)))  # a set that has just moved has other rules from now on
        while True:
            ends = [end for end in _ends(model, standings) if end[0] > now_ms]
            instants = [turn for turn, latest_ms in zip(turns, model.latest_ms) if turn is not None and turn <= now_ms + latest_ms]
            instants += [at_ms for at_ms, _ in ends]
            if edges:
                instants.append(edges[0][0])
            if not instants or min(instants) > last_ms:
                return
            now_ms = min(instants)
            touched = {number for at_ms, number in ends if at_ms == now_ms} | model.always | moved
            touched |= {number for number in model.at_once if standings[number].pending_ms is not None}
            for number in model.searched:
                if turns[number] is not None:  # it has a value, and may have turned twice on the way
                    touched |= model.turned[number]
            windows = self._pass_edges(edges, now_ms)
            for window in windows:
                touched |= model.watching[window]
            fired = [number for number, at_ms in enumerate(turns) if at_ms == now_ms]
            for number in fired:
                touched |= model.turned[number]
            standings, moves = evaluate(facts, now_ms, standings, None if model.thorough else touched)
            moved = {move.set for move in moves}
            self._turn_on(turns, now_ms, windows, fired, until_ms)
            yield Step(now_ms, standings, moves)

    # Days

    def _next_edge(self, edge, today):
        """(instant, number of the day, edge): when the next day that has something will be so many days back, or None."""
        number = bisect_right(self._facts.days, today - edge)
        return self._edge(edge, number)

    def _edge(self, edge, number):
        days = self._facts.days
        return (self._model.calendar.start_ms(days[number] + edge), number, edge) if number < len(days) else None

    def _pass_edges(self, edges, now_ms):
        """Moves the heap on past now; the windows that change."""
        windows = set()
        while edges and edges[0][0] <= now_ms:
            _, number, edge = edges[0]
            windows |= self._model.edges[edge]
            later = self._edge(edge, number + 1)
            if later:
                heapreplace(edges, later)
            else:
                heappop(edges)
        return windows

    def _turn_on(self, turns, now_ms, windows, fired, until_ms):
        """Works out anew when those turn of which something has changed."""
        model, changed = self._model, set(fired) | self._model.searched
        for what in windows | {model.turnings[number].owner for number in fired}:
            changed |= model.depending.get(what, set())
        moment = Moment(self._facts, now_ms) if changed else None
        for number in changed:
            turns[number] = next_turn(model.turnings[number], moment, until_ms)


@lru_cache(maxsize=100)
def _ends(model, standings):
    """(instant, set) of the ends of hold and grace."""
    ends = []
    for number, (tier_set, standing) in enumerate(zip(model.sets, standings)):
        if tier_set.hold_ms:
            ends.append((standing.since_ms + tier_set.hold_ms, number))
        if tier_set.grace_ms and standing.pending_ms is not None:
            ends.append((standing.pending_ms + tier_set.grace_ms, number))
    return ends

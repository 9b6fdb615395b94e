"""The distinct days on which a customer bought, and the gaps between them."""

import math
from bisect import bisect_left, insort

KNOWN_MAX = 366


class PurchaseDays:
    """The last KNOWN_MAX days are known; of the older ones only their number and the squares of their gaps."""

    def __init__(self):
        self._known = []
        self._older = self._older_squares = 0
        self.first = self.last = None

    @property
    def count(self):
        return self._older + len(self._known)

    def add(self, day):
        if self._older and day < self._known[0]:
            self._older += 1  # perhaps it is one of those counted already; nobody can tell
            if day < self.first:
                self._older_squares += (self.first - day) ** 2
        elif not self._knows(day):
            insort(self._known, day)
            if len(self._known) > KNOWN_MAX:
                oldest = self._known.pop(0)
                self._older += 1
                self._older_squares += (self._known[0] - oldest) ** 2
        self.first = day if self.first is None else min(self.first, day)
        self.last = self._known[-1]

    def _knows(self, day):
        at = bisect_left(self._known, day)
        return at < len(self._known) and self._known[at] == day

    def mean_interval(self):
        return (self.last - self.first) / (self.count - 1) if self.count > 1 else None

    def interval_spread(self):
        """The standard deviation of the gaps."""
        gaps = self.count - 1
        if gaps < 1:
            return None
        squares = self._older_squares + sum((b - a) ** 2 for a, b in zip(self._known, self._known[1:]))
        return math.sqrt(max(0, gaps * squares - (self.last - self.first) ** 2)) / gaps

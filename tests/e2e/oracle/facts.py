"""What happened to one customer: sums per day and for life, and whatever else the metrics need."""

from bisect import bisect_left, bisect_right, insort
from collections import Counter, defaultdict, deque
from fractions import Fraction
from math import fsum

from .model import thousandths
from .purchase_days import PurchaseDays
from .rules import FREQUENCIES, STAGES, Metric

_TOLD = (Metric("p_alive"), Metric("clv", 365))
_PURCHASE_DAYS = {
    "purchase_days": lambda days: float(days.count),
    "mean_interval": PurchaseDays.mean_interval,
    "interval_spread": PurchaseDays.interval_spread,
}


class Facts:
    """See the module. What follows from them alone stands in `sum`, `history` and `moving`."""

    def __init__(self, model):
        self.model = model
        self.first_seen_ms = self.last_seen_ms = None
        self.first_purchase_ms = self.last_purchase_ms = None
        self.life = defaultdict(int)  # field -> sum
        self.tiles = {}  # day -> field -> sum
        self.days = []  # of the tiles, sorted
        self.purchase_days = PurchaseDays()
        self.categories, self.channels = Counter(), Counter()
        self.stage_firsts = {}  # stage -> when it was first seen
        self._latest_stage = (0, None)  # (time, stage)
        self._revenue_of_day = Counter()  # for life: that of the first purchase day is needed
        self._interactions = []  # (time, weight)
        self._recent = deque(maxlen=model.dedupe)
        self.memo = {}  # what `moment` worked out since the last event
        self.courses = {}  # what `turning` worked out
        self._engagement = self._lifetime = None

    def renew(self, model):
        """Other rules: what was worked out is forgotten, what happened is not."""
        self.model = model
        self.memo, self.courses = {}, {}
        self._engagement = self._lifetime = None

    def is_duplicate(self, event):
        return event.event_id is not None and event.event_id in self._recent

    def add(self, event, now_ms, tiers):
        """Adds an event while the customer is in the tiers, (set, tier) of each; True if it was late for the windows."""
        self.memo, self._engagement, self._lifetime = {}, None, None
        oldest = self.model.calendar.day(now_ms) - self.model.span_days + 1
        self._see(event)
        day = self.model.calendar.day(event.counts_ms)
        self._revenue_of_day[day] += event.sums.get("revenue", 0)
        for on_day, sums in self._sums(event, day, oldest, tiers):
            for field, amount in sums.items():
                self.life[field] += amount
            if on_day >= oldest:
                self._add_to_tile(on_day, sums)
        self._trim(oldest)
        return bool(self.model.windows) and day < oldest

    def _see(self, event):
        time_ms = event.time_ms
        if event.event_id is not None:
            self._recent.append(event.event_id)
        self.first_seen_ms = min(self.first_seen_ms or time_ms, time_ms)
        self.last_seen_ms = max(self.last_seen_ms or time_ms, time_ms)
        day = self.model.calendar.day(time_ms)
        if event.cause == "PURCHASE":
            self.first_purchase_ms = min(self.first_purchase_ms or time_ms, time_ms)
            self.last_purchase_ms = max(self.last_purchase_ms or time_ms, time_ms)
            self.purchase_days.add(day)
            for category, quantity in event.categories:
                self.categories[category] += quantity
        if event.cause == "INTERACTION":
            self._interactions.append((time_ms, self.model.weights.get(event.kind.upper(), 1.0)))
        if event.channel and event.cause != "FEEDBACK":
            self.channels[event.channel] += 1
        if event.stage:
            self._latest_stage = max(self._latest_stage, (time_ms, event.stage))
            self.stage_firsts[event.stage] = min(self.stage_firsts.get(event.stage, time_ms), time_ms)

    def _sums(self, event, day, oldest, tiers):
        """(day, field -> amount) of everything that an event adds."""
        points, scale = self.model.points, self.model.money_scale
        money = Fraction(event.amount, scale) if event.cause == "PURCHASE" else 0
        earned, by_money = points.earned(event.kind, money, tiers)
        sums = dict(event.sums)
        if event.cause == "REFUND":
            yield self.model.calendar.day(event.time_ms), {"points": earned}
            sums["points"] = -self._points_taken(event, self.tiles.get(day) if day >= oldest else None)
        else:
            sums |= {"points": earned, "points by money": by_money}
        yield day, sums

    def _points_taken(self, event, tile):
        """By a refund or cancellation, from the day of the order."""
        if not tile or not tile["bought"]:
            return thousandths(self.model.points.per_unit * Fraction(event.amount, self.model.money_scale))
        if tile["gross"] == 0:
            return 0
        by_money = tile["points by money"]
        return min(by_money, thousandths(Fraction(by_money, 1000) * event.amount / tile["gross"]))

    def _add_to_tile(self, day, sums):
        if day not in self.tiles:
            if not any(sums.values()):
                return
            self.tiles[day] = defaultdict(int)
            insort(self.days, day)
        for field, amount in sums.items():
            self.tiles[day][field] += amount
        if not any(self.tiles[day].values()):
            self._drop_tile(day)

    def _drop_tile(self, day):
        self.days.remove(day)
        return self.tiles.pop(day)

    def _trim(self, oldest):
        while self.days and self.days[0] < oldest:
            self._drop_tile(self.days[0])
        while len(self.days) > self.model.tiles_max:
            self._add_to_tile(self.days[1], self._drop_tile(self.days[0]))

    # What it is worth

    def reach(self, window, today):
        """(from, to): which of `days` are in the window."""
        days, ago = window
        last = today - ago
        return bisect_left(self.days, last - days + 1), bisect_right(self.days, last)

    def sum(self, field, reach):
        """The field over some of `days`, or the whole life."""
        if reach is None:
            return self.life.get(field, 0)
        return sum(self.tiles[day].get(field, 0) for day in self.days[reach[0]:reach[1]])

    def history(self, kind):
        """A metric over the whole life that only events change, or None."""
        if kind in _PURCHASE_DAYS:
            return _PURCHASE_DAYS[kind](self.purchase_days)
        if kind == "frequency":
            return self.frequency()
        if kind == "stage":
            return self._latest_stage[1] and float(self._latest_stage[1])
        if kind == "furthest_stage":
            return float(max(self.stage_firsts)) if self.stage_firsts else None
        assert kind == "mean_spend"
        lifetime = self.lifetime()
        return lifetime and self.model.lifetime.mean_spend(lifetime[0], lifetime[3])

    def frequency(self):
        """1 one_off, 2 infrequent, 3 frequent."""
        if self.first_purchase_ms is None:
            return None
        mean = self.purchase_days.mean_interval()
        return 1.0 if mean is None else 3.0 if mean <= self.model.frequent_interval else 2.0

    def lifetime(self):
        """(repeat purchase days, first purchase, latest purchase, mean revenue of the repeat days), or None."""
        if self._lifetime is None and self.first_purchase_ms is not None:
            repeats = self.purchase_days.count - 1
            revenue = self.life["revenue"] - self._revenue_of_day[self.purchase_days.first]
            mean = max(0, revenue) / repeats / self.model.money_scale if repeats else 0.0
            self._lifetime = (repeats, self.first_purchase_ms, self.last_purchase_ms, mean)
        return self._lifetime

    # What elapsed time changes

    def basis(self, node):
        """What a metric that moves depends on but the time, or None if it has no value."""
        kind = node.kind
        if kind == "days_since_purchase":
            return self.last_purchase_ms
        if kind == "days_since_seen":
            return self.last_seen_ms
        if kind == "tenure":
            return self.first_seen_ms
        if kind == "engagement":
            return self._engaged()
        lifetime = self.lifetime()
        return lifetime if kind == "clv" or lifetime is None else lifetime[:3]

    def _engaged(self):
        """(the latest interaction, engagement then)."""
        if self._engagement is None:
            at_ms, _ = max(self._interactions, default=(0, 0))
            self._engagement = (at_ms, fsum(weight * 2.0 ** ((time_ms - at_ms) / self.model.half_life_ms)
                                            for time_ms, weight in self._interactions))
        return self._engagement

    def moving(self, node, at_ms):
        """The value at an instant of a metric that moves, or None."""
        basis = self.basis(node)
        if basis is None:
            return None
        if isinstance(basis, int):
            return (at_ms - basis) / 86400000.0
        if node.kind == "engagement":
            return basis[1] * 2.0 ** ((basis[0] - at_ms) / self.model.half_life_ms)
        known = node.name, at_ms
        if known not in self.memo:
            self.memo[known] = self._of_lifetime(node, at_ms, *basis)
        return self.memo[known]

    def _of_lifetime(self, node, at_ms, repeats, first_ms, last_ms, mean=None):
        model = self.model.lifetime
        recency, age = (last_ms - first_ms) / model.unit_ms, (at_ms - first_ms) / model.unit_ms
        if node.kind == "p_alive":
            return model.p_alive(repeats, recency, age)
        ahead = node.days * 86_400_000 / model.unit_ms
        if node.kind == "expected_purchases":
            return model.expected_purchases(repeats, recency, age, ahead)
        return model.clv(repeats, recency, age, mean, ahead)

    # What is told of the customer

    def told(self, at_ms):
        """The part `lifetime` of a view."""
        frequency = self.frequency()
        p_alive, clv = (self.moving(node, at_ms) if self.model.lifetime else None for node in _TOLD)
        return {
            "first_purchase_ms": self.first_purchase_ms, "last_purchase_ms": self.last_purchase_ms,
            "orders": self.life.get("purchases", 0), "revenue": self.life.get("revenue", 0) / self.model.money_scale,
            "top_categories": top(self.categories), "top_channels": top(self.channels),
            "stages": {name: self._told_stage(stage, at_ms) for stage, name in enumerate(STAGES, 1)},
            "mean_interval_days": self.purchase_days.mean_interval(),
            "frequency": frequency and FREQUENCIES[int(frequency) - 1], "p_alive": p_alive, "clv": clv,
        }

    def _told_stage(self, stage, at_ms):
        """When it was first reached, and for how many days, until a further one was reached."""
        first_ms = self.stage_firsts.get(stage)
        if first_ms is None:
            return {"first_ms": None, "days": None}
        further = [time_ms for later, time_ms in self.stage_firsts.items() if later > stage and time_ms >= first_ms]
        return {"first_ms": first_ms, "days": (min(further, default=at_ms) - first_ms) / 86400000.0}


def top(weights):
    """[{name, share, weight}], the heaviest first."""
    total = sum(weights.values())
    ordered = sorted(((-weight, name) for name, weight in weights.items() if weight > 0))
    return [{"name": name, "share": -weight / total, "weight": -weight} for weight, name in ordered]

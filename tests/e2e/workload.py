"""What the customers of a shop do: the purchases of CDNOW, and around them all that the data set does not have.

Everything follows from the seed. Order matters: a partition's log has the events in the order given here, which is the order
of time but for the ones that come late.
"""

import random
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

CDNOW = Path(__file__).parents[1] / "data" / "cdnow_sample.txt"
DAY_MS = 86_400_000
INTERACTIONS = ("PAGE_VIEW", "PAGE_VIEW", "PAGE_VIEW", "SEARCH", "CART_ADD", "CHECKOUT", "EMAIL_OPEN", "EMAIL_CLICK",
                "LOGIN", "SUPPORT_CONTACT", "REFERRAL", "SOCIAL", "STORE_VISIT", "OTHER")
CHANNEL_OF = {"EMAIL_OPEN": "email", "EMAIL_CLICK": "email", "SUPPORT_CONTACT": "phone", "STORE_VISIT": "store"}
STAGE_OF = {"CART_ADD": "DECISION", "CHECKOUT": "PURCHASE", "SUPPORT_CONTACT": "AFTER_SALES"}
CATEGORIES = ("rock", "pop", "jazz", "classical", "spoken word")
MINOR_UNITS = {"USD": 100, "EUR": 100, "GBP": 100, "JPY": 1, "KWD": 1000}
PRICE_OF_DOLLAR = {"USD": 1.0, "EUR": 0.9, "GBP": 0.6, "JPY": 120.0, "KWD": 0.3}


class Line(NamedTuple):
    """An event on its way into a topic."""

    topic: str  # purchases, interactions or feedback
    order_ms: int  # when it is written
    event: dict


def cdnow(customers=None):
    """(customer, [(day, number of CDs, dollars)]) of the sample, or of the first so many customers."""
    purchases = {}
    for row in CDNOW.read_text().splitlines():
        _, customer, date, number, dollars = row.split()
        day = datetime.strptime(date, "%Y%m%d").replace(tzinfo=timezone.utc)
        purchases.setdefault(f"cdnow-{customer}", []).append((int(day.timestamp() * 1000), int(number), float(dollars)))
    return list(purchases.items())[:customers]


def shop(seed=1, customers=None):
    """All valid events, as lines in the order in which they are to be written."""
    rng = random.Random(seed)
    lines = []
    for customer, purchases in cdnow(customers):
        lines += _Shopper(rng, customer).lines(purchases)
    return sorted(lines, key=lambda line: line.order_ms)


class _Shopper:
    """One customer's events around their purchases."""

    def __init__(self, rng, customer):
        self.rng = rng
        self.customer = customer
        self.currency = rng.choices(("USD", "EUR", "GBP", "JPY", "KWD"), (80, 8, 6, 4, 2))[0]
        self.mood = rng.gauss(7.5, 1.5)  # on the NPS scale; moves with what happens to the customer
        self.channel = rng.choice(("web", "web", "app", "store"))
        self.taste = rng.choice(CATEGORIES)
        self.referrer = f"cdnow-{rng.randrange(1, 2358):04}" if rng.random() < 0.2 else None
        self.made = []

    def lines(self, purchases):
        for day_ms, number, dollars in purchases:
            self._visit(day_ms, number, dollars)
        if self.rng.random() < 0.3:  # looks in again long after the last purchase
            self._browse(purchases[-1][0] + self.rng.randrange(20, 120) * DAY_MS)
        return [line for late in map(self._delayed, self.made) for line in late]

    def _put(self, topic, time_ms, **fields):
        event_id = f"{self.customer}-{len(self.made)}"
        if self.rng.random() < 0.01:
            fields = {name: value for name, value in fields.items() if value is not None}
            event_id = None
        event = {"event_id": event_id, "customer_id": self.customer, "event_time_ms": time_ms, **fields}
        self.made.append(Line(topic, time_ms, {name: value for name, value in event.items() if value is not None}))

    def _visit(self, day_ms, number, dollars):
        time_ms = day_ms + self.rng.randrange(6 * 3_600_000, DAY_MS)
        self._browse(time_ms - 1_200_000)
        order = f"{self.customer}/{len(self.made)}"
        amount = round(dollars * PRICE_OF_DOLLAR[self.currency] * MINOR_UNITS[self.currency])
        sale = {"order_id": order, "amount_minor": amount, "currency": self.currency}
        self._put("purchases", time_ms, kind=self.rng.choice(("PURCHASE", None)), channel=self._any_channel(),
                  items=self._items(number, amount), referrer_id=self.referrer, **sale)
        self.referrer = None
        if self.rng.random() < 0.4:
            self._put("feedback", time_ms + self.rng.randrange(DAY_MS, 5 * DAY_MS), channel=self._any_channel(),
                      touchpoint=self.rng.choice(("delivery", "checkout", None)), **self._answer())
        if self.rng.random() < 0.08:
            self._return(time_ms, sale)

    def _any_channel(self):
        return self.rng.choice((self.channel, self.channel, "web", "phone", None))

    def _items(self, number, amount):
        """So many CDs in a few lines; a line that says nothing of its quantity is of one."""
        items = []
        while number:
            quantity = self.rng.randrange(1, number + 1)
            number -= quantity
            category = self.rng.choice((self.taste, self.rng.choice(CATEGORIES), None))
            item = {"sku": f"cd-{len(items)}", "category": category,
                    "quantity": quantity if quantity > 1 or self.rng.random() < 0.5 else None,
                    "amount_minor": None if items else amount}
            items.append({name: value for name, value in item.items() if value is not None})
        return items or None

    def _return(self, time_ms, sale):
        """Some or all of the money goes back, sometimes the order with it; then the customer says what they think."""
        later_ms = time_ms + self.rng.randrange(1, 40) * DAY_MS + self.rng.randrange(DAY_MS)
        kind = self.rng.choice(("REFUND", "REFUND", "CANCELLATION"))
        part = 1 if kind == "CANCELLATION" else self.rng.choice((1, 0.5, 0.25))
        order_time_ms = time_ms if self.rng.random() < 0.8 else None
        self._put("purchases", later_ms, kind=kind, order_time_ms=order_time_ms,
                  **sale | {"amount_minor": int(sale["amount_minor"] * part)})
        self.mood -= 2.5
        if self.rng.random() < 0.5:
            self._put("feedback", later_ms + self.rng.randrange(3 * DAY_MS), survey="COMPLAINT",
                      touchpoint=self.rng.choice(("product", "support")), channel=self.rng.choice(("phone", "web", None)))

    def _browse(self, time_ms):
        for _ in range(self.rng.choice((0, 1, 1, 2, 3))):
            time_ms += self.rng.randrange(1, 120_000)
            kind = self.rng.choice(INTERACTIONS)
            self._put("interactions", time_ms, kind=kind, channel=CHANNEL_OF.get(kind, self.channel),
                      campaign=self.rng.choice(("spring", None)),
                      stage=STAGE_OF.get(kind) or self.rng.choice(("AWARENESS", "INTEREST", "DECISION", None)))

    def _answer(self):
        mood = self.rng.gauss(self.mood, 1)
        survey, most = self.rng.choices((("NPS", 10), ("CSAT", 5), ("CES", 7), ("REVIEW", 5)), (6, 2, 2, 2))[0]
        least = 0 if survey == "NPS" else 1
        return {"survey": survey, "score": max(least, min(most, round(mood / 10 * most)))}

    def _delayed(self, line):
        """The line, perhaps late, perhaps twice."""
        chance = self.rng.random()
        if chance < 0.02:
            return [line, line._replace(order_ms=line.order_ms + self.rng.randrange(40 * DAY_MS))]
        if chance < 0.05:
            return [line._replace(order_ms=line.order_ms + self.rng.randrange(10 * DAY_MS))]
        if chance < 0.06:
            return [line._replace(order_ms=line.order_ms + self.rng.randrange(600 * DAY_MS))]
        return [line]


class BadRecord(NamedTuple):
    """A record that must become a dead letter; `fields` or, where those cannot say it, `raw` bytes."""

    reason: str
    topic: str
    timestamp_ms: int
    key: bytes
    fields: dict | None = None
    raw: bytes | None = None


def bad_records(start_ms, end_ms, seed=1):
    """Three of every reason but `misrouted`, spread over the time. Enums are numbers, so that both formats can say them."""
    rng = random.Random(seed)
    good = {"event_id": b"bad", "customer_id": b"victim", "event_time_ms": 0}
    sale = good | {"amount_minor": 100, "currency": b"EUR"}
    nps = good | {"survey": 1, "score": 5}
    long_id = b"x" * 257
    wrong = [
        ("undecodable", "purchases", None, b"\x0f not a message {"),
        ("undecodable", "interactions", None, b"\xff\xff\xff"),
        ("key_mismatch", "purchases", sale | {"customer_id": b"somebody else"}, None),
        ("bad_id", "interactions", good | {"kind": 1, "customer_id": b""}, None),
        ("bad_id", "purchases", sale | {"event_id": long_id}, None),
        ("bad_id", "feedback", nps | {"customer_id": b"victim\0"}, None),
        ("bad_id", "purchases", sale | {"order_id": b"\xc3("}, None),
        ("bad_time", "feedback", nps | {"event_time_ms": None}, None),
        ("bad_time", "purchases", sale | {"event_time_ms": -5}, None),
        ("future_time", "purchases", sale | {"event_time_ms": 300_001}, None),
        ("bad_score", "feedback", nps | {"score": 11}, None),
        ("bad_score", "feedback", nps | {"score": None}, None),
        ("bad_score", "feedback", nps | {"survey": 2, "score": 0}, None),
        ("negative_amount", "purchases", sale | {"amount_minor": -1}, None),
        ("overflow", "purchases", sale | {"amount_minor": 10**15 + 1}, None),
        ("unknown_currency", "purchases", sale | {"currency": b"XYZ"}, None),
        ("unknown_enum", "purchases", sale | {"kind": 7}, None),
        ("unknown_enum", "interactions", good | {"kind": 99}, None),
        ("unknown_enum", "feedback", nps | {"survey": 6}, None),
        ("too_large", "purchases", sale | {"items": [{"sku": b"a"}] * 1001}, None),
    ]
    for reason, topic, fields, raw in wrong * 3:
        timestamp_ms = rng.randrange(start_ms, end_ms)
        if fields and (offset_ms := fields["event_time_ms"]) is not None:
            fields = fields | {"event_time_ms": timestamp_ms + offset_ms if offset_ms >= 0 else offset_ms}
        yield BadRecord(reason, topic, timestamp_ms, b"victim", fields, raw)

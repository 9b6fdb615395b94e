"""A record's bytes become an event, or a dead letter with the reason why."""

import json
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from wire import WireError, event_from_protobuf

from .model import duration_ms
from .partition import partition_of
from .rules import INTERACTION_KINDS
from .rules import STAGES as STAGE_NAMES

INPUTS = ("purchases", "interactions", "feedback")  # also their order in ties of the merge
PURCHASE_KINDS = ("PURCHASE", "REFUND", "CANCELLATION")
STAGES = tuple(name.upper() for name in STAGE_NAMES)
SCALES = {"NPS": (0, 10), "CSAT": (1, 5), "CES": (1, 7), "COMPLAINT": None, "REVIEW": (1, 5)}
ID_BYTES_MAX, VALUE_BYTES_MAX, ITEMS_MAX = 256, 1 << 20, 1000
AMOUNT_MAX = 10**15
PURCHASE_STAGE = STAGES.index("PURCHASE") + 1
_INT64 = range(-(2**63), 2**63)

_COMMON = {"event_id": "text", "customer_id": "text", "event_time_ms": "integer"}
_FIELDS = {
    "purchases": _COMMON | {
        "kind": PURCHASE_KINDS, "order_id": "text", "amount_minor": "integer", "currency": "text", "channel": "text",
        "items": "items", "referrer_id": "text", "order_time_ms": "integer"},
    "interactions": _COMMON | {
        "kind": INTERACTION_KINDS, "stage": STAGES, "channel": "text", "campaign": "text"},
    "feedback": _COMMON | {
        "survey": tuple(SCALES), "score": "integer", "touchpoint": "text", "channel": "text"},
}
_ITEM = {"sku": "text", "category": "text", "quantity": "integer", "amount_minor": "integer"}


class Record(NamedTuple):
    """A record of an input topic, as it stands in Kafka."""

    input: str  # one of INPUTS
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple = ()


class DeadLetter(Exception):
    """A record that cannot be applied; its text is the reason."""


@dataclass(frozen=True)
class Event:
    """What the scoring needs of an event."""

    customer_id: str
    event_id: str | None
    time_ms: int
    counts_ms: int  # the instant on whose day it counts
    cause: str
    kind: str  # of the event, in lower case: page_view, nps, purchase, ...
    sums: dict  # field -> amount added to that day and to the whole life
    amount: int = 0  # of a purchase, refund or cancellation, in minor units of the base currency
    stage: int | None = None  # of the journey, from 1
    channel: str | None = None
    touchpoint: str | None = None
    categories: tuple = ()  # (category, quantity) of each item that has a category


class Decoder:
    """Reads records as a config says."""

    # Currencies whose minor unit is not a hundredth, among those that the tests use.
    _DECIMALS = {"JPY": 0, "KRW": 0, "KWD": 3, "BHD": 3}

    def __init__(self, config, partitions):
        currency = config.get("currency", {"base": "EUR"})
        self.base = currency["base"]
        self.rates = {code: Decimal(str(rate)) for code, rate in currency.get("rates", {}).items()}
        self.rates[self.base] = Decimal(1)
        self.format = config.get("format", "protobuf")
        self.max_future_ms = duration_ms(config.get("state", {}).get("max_future", "5m"))
        self.partitions = partitions if config.get("misrouted", "accept") == "reject" else None

    @property
    def money_scale(self):
        return 10 ** self._DECIMALS.get(self.base, 2)

    def event(self, record, reference_ms):
        """The event; raises DeadLetter. reference_ms is what `future_time` is measured against."""
        fields = self._fields(record)
        if len(fields.get("items", ())) > ITEMS_MAX:
            raise DeadLetter("too_large")
        _check_ids(record, fields)
        self._check_times(fields, reference_ms)
        build = {"purchases": self._purchase, "interactions": _interaction, "feedback": _feedback}[record.input]
        event = build(fields)
        if self.partitions and partition_of(record.key, self.partitions) != record.partition:
            raise DeadLetter("misrouted")
        return event

    def _fields(self, record):
        if record.value is None:
            raise DeadLetter("undecodable")
        if len(record.value) > VALUE_BYTES_MAX:
            raise DeadLetter("too_large")
        try:
            if self.format == "json":
                raw = _from_json(record.value, _FIELDS[record.input])
            else:
                raw = event_from_protobuf(record.input, record.value, framed=self.format == "confluent-protobuf")
        except (WireError, ValueError) as error:
            raise DeadLetter("undecodable") from error
        # An empty text is the same as none.
        return {name: value for name, value in raw.items() if value is not None and value != b""}

    def _check_times(self, fields, reference_ms):
        time_ms, order_ms = fields.get("event_time_ms", 0), fields.get("order_time_ms", 0)
        if time_ms <= 0 or order_ms < 0:
            raise DeadLetter("bad_time")
        if max(time_ms, order_ms) > reference_ms + self.max_future_ms:
            raise DeadLetter("future_time")

    def _purchase(self, fields):
        kind = _enum(fields, "kind", PURCHASE_KINDS) if "kind" in fields else "PURCHASE"
        code = fields.get("currency", b"").decode(errors="replace")
        if code not in self.rates:
            raise DeadLetter("unknown_currency")
        lines = [fields, *fields.get("items", ())]
        for line in lines:
            if (line.get("amount_minor") or 0) < 0 or _quantity(line) < 0:
                raise DeadLetter("negative_amount")
        amount, *_ = [self._convert(line.get("amount_minor") or 0, code) for line in lines]
        time_ms = fields["event_time_ms"]
        if kind == "PURCHASE":
            items = [(item.get("category"), _quantity(item)) for item in fields.get("items", ())]
            sums = {"purchases": 1, "revenue": amount, "items": sum(quantity for _, quantity in items),
                    "bought": 1, "gross": amount}
            categories = tuple((_text(name), quantity) for name, quantity in items if name)
            return _event(fields, "PURCHASE", kind, sums, amount=amount, categories=categories, stage=PURCHASE_STAGE)
        sums = {"revenue": -amount, "refunds": amount} | ({"purchases": -1} if kind == "CANCELLATION" else {})
        return _event(fields, "REFUND", kind, sums, counts_ms=fields.get("order_time_ms") or time_ms, amount=amount)

    def _convert(self, amount, code):
        """In minor units of the base currency, halves away from zero."""
        shift = self._DECIMALS.get(self.base, 2) - self._DECIMALS.get(code, 2)
        exact = Decimal(amount).scaleb(shift) * self.rates[code]
        converted = int(exact.quantize(Decimal(1), ROUND_HALF_UP))
        if converted > AMOUNT_MAX:
            raise DeadLetter("overflow")
        return converted


def _event(fields, cause, kind, sums, counts_ms=None, **more):
    return Event(_text(fields["customer_id"]), _text(fields.get("event_id")), fields["event_time_ms"],
                 counts_ms or fields["event_time_ms"], cause, kind.lower(), sums, channel=_text(fields.get("channel")),
                 touchpoint=_text(fields.get("touchpoint")), **more)


def _text(value):
    return value.decode(errors="replace") if value else None


def _quantity(item):
    quantity = item.get("quantity")
    return 1 if quantity is None else quantity


def _interaction(fields):
    kind = _enum(fields, "kind", INTERACTION_KINDS)
    stage = fields.get("stage", 0)
    if stage != 0:
        _enum(fields, "stage", STAGES)
    return _event(fields, "INTERACTION", kind, {"interactions": 1, f"interactions {kind}": 1}, stage=stage or None)


def _feedback(fields):
    survey = _enum(fields, "survey", tuple(SCALES))
    score = fields.get("score")
    if survey != "COMPLAINT":
        least, most = SCALES[survey]
        if score is None or not least <= score <= most:
            raise DeadLetter("bad_score")
    return _event(fields, "FEEDBACK", survey, _answer(survey, score))


def _answer(survey, score):
    """What an answer adds; besides the answers and their sum, how many are good or bad."""
    if survey == "NPS":
        return {"promoters" if score >= 9 else "passives" if score >= 7 else "detractors": 1}
    if survey == "CSAT":
        return {"csat": 1, "csat sum": score} | ({"csat satisfied": 1} if score >= 4 else {})
    if survey == "CES":
        return {"ces": 1, "ces sum": score} | ({"ces easy": 1} if score >= 5 else {"ces hard": 1} if score <= 3 else {})
    if survey == "REVIEW":
        return {"reviews": 1, "review sum": score}
    return {"complaints": 1}


def _enum(fields, name, words):
    number = fields.get(name, 0)
    if not 1 <= number <= len(words):
        raise DeadLetter("unknown_enum")
    return words[number - 1]


def _check_ids(record, fields):
    if "customer_id" not in fields:
        raise DeadLetter("bad_id")
    for name in ("customer_id", "event_id", "order_id", "referrer_id"):
        if not _is_text(fields.get(name, b"")) or len(fields.get(name, b"")) > ID_BYTES_MAX:
            raise DeadLetter("bad_id")
    if record.key != fields["customer_id"]:
        raise DeadLetter("key_mismatch")


def _is_text(value):
    try:
        return "\0" not in value.decode()
    except UnicodeDecodeError:
        return False


def _from_json(value, table):
    """Fields by name: texts as bytes, enums as numbers (an unknown name as -1); ValueError where a type is wrong."""
    text = value.decode(errors="surrogateescape")
    document = json.loads(text, object_pairs_hook=lambda pairs: pairs)
    if not isinstance(document, list) or not text.lstrip().startswith("{"):
        raise ValueError("not an object")
    return _json_object(document, table)


def _json_object(pairs, table):
    names = table | {_camel(name): None for name in table}
    snake = {_camel(name): name for name in table} | {name: name for name in table}
    out = {}
    for name, value in pairs:
        if name not in names:
            continue
        if snake[name] in out:
            raise ValueError(f"{name} given twice")
        out[snake[name]] = None if value is None else _json_value(value, table[snake[name]])
    return out


def _json_value(value, kind):
    if kind == "text":
        if not isinstance(value, str):
            raise ValueError("not a text")
        return value.encode(errors="surrogateescape")
    if kind == "items":
        return [_json_object(item, _ITEM) for item in value]
    if isinstance(kind, tuple) and isinstance(value, str):
        return kind.index(value) + 1 if value in kind else -1
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise ValueError("not an integer")
    number = int(value)
    if number not in _INT64:
        raise ValueError("not an integer of 64 bits")
    return number


def _camel(name):
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)

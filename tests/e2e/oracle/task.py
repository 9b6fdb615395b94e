"""All records of the input topics, in the order in which they are applied, and everything that follows."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from .customer import Customer
from .decode import INPUTS, DeadLetter, Decoder
from .model import Model


@dataclass(frozen=True)
class Renewal:
    """Other rules, which a task took while it ran: before the first records at these offsets, and with this clock."""

    config: dict
    offsets: tuple  # of the first record to be applied by them, in the order of INPUTS
    clock_ms: int


@dataclass
class Outcome:
    """What the program must have done."""

    model: Model
    changes: dict = field(default_factory=dict)  # customer id -> tier changes in order
    dead: dict = field(default_factory=dict)  # (input, partition, offset) -> reason
    customers: dict = field(default_factory=dict)  # customer id -> Customer
    counts: Counter = field(default_factory=Counter)  # (input, applied|duplicate|late|dead)
    # The company's feedback, (dimension, name, day, promoters|csat|...): the dimension is `all` (with no name),
    # `tier:<set>`, `channel` or `touchpoint`.
    answers: Counter = field(default_factory=Counter)
    clocks: dict = field(default_factory=dict)  # partition -> the task's clock at the end

    def populations(self):
        """How many customers are in each tier: (set, tier) -> count."""
        counts = Counter()
        for customer in self.customers.values():
            for tier_set, standing in zip(self.model.sets, customer.standings):
                counts[tier_set.name, tier_set.tiers[standing.tier].name] += 1
        return counts


def replay(config, records, clock_ms=None, partitions=None, renewals=None):
    """Everything that follows from the records, all of which stood in the topics before the program began.

    With clock_ms the task's clock moves there after the last record, as the wall clock does (`clock: wall`), and it is
    what future times are measured against; without it the clock ends at the largest record timestamp (`clock: event`).
    `partitions` is the topics' number of partitions, needed for `misrouted: reject`. `renewals`, partition -> [Renewal], in
    the order in which they came, leads each task to the same rules at last.
    """
    decoder = Decoder(config, partitions)
    outcome = Outcome(Model.of(config, decoder.money_scale))
    by_partition = defaultdict(list)
    for record in records:
        by_partition[record.partition].append(record)
    models = [outcome.model]
    for partition, task_records in sorted(by_partition.items()):
        coming = [(one, Model.of(one.config, decoder.money_scale)) for one in (renewals or {}).get(partition, ())]
        models += [model for _, model in coming]
        _replay_task(outcome, decoder, partition, task_records, clock_ms, coming)
    outcome.model = models[-1]
    return outcome


def _replay_task(outcome, decoder, partition, records, end_clock_ms, coming):
    clock_ms = 0
    customers = {}
    model = outcome.model
    for record in merged(records):
        while coming and record.offset >= coming[0][0].offsets[INPUTS.index(record.input)]:
            model = _renew(outcome, customers, clock_ms, *coming.pop(0))
        clock_ms = max(clock_ms, record.timestamp_ms)
        try:
            event = decoder.event(record, record.timestamp_ms if end_clock_ms is None else end_clock_ms)
        except DeadLetter as reason:
            outcome.dead[record.input, partition, record.offset] = str(reason)
            outcome.counts[record.input, "dead"] += 1
            continue
        if event.customer_id not in customers:
            customers[event.customer_id] = Customer(model)
        customer = customers[event.customer_id]
        outcome.counts[record.input, _apply(outcome, customer, event, clock_ms)] += 1
    while coming:
        model = _renew(outcome, customers, clock_ms, *coming.pop(0))
    clock_ms = max(clock_ms, end_clock_ms or 0)
    outcome.clocks[partition] = clock_ms
    for customer_id, customer in customers.items():
        outcome.changes[customer_id] += customer.advance(clock_ms)
    assert not outcome.customers.keys() & customers.keys(), "a customer in two partitions"
    outcome.customers.update(customers)


def _renew(outcome, customers, clock_ms, renewal, model):
    """Everything due by the former rules, then everybody by the new ones; the model."""
    assert clock_ms == renewal.clock_ms, f"the task's clock stood at {renewal.clock_ms}, not {clock_ms}"
    for customer_id, customer in customers.items():
        outcome.changes[customer_id] += customer.advance(clock_ms) + customer.renew(model, clock_ms)
    return model


def _apply(outcome, customer, event, clock_ms):
    """Applies an event; the word under which it is counted."""
    if customer.is_duplicate(event):
        return "duplicate"
    applied = customer.add(event, clock_ms)
    outcome.changes.setdefault(event.customer_id, []).extend(applied.changes)
    if event.cause == "FEEDBACK":
        _count_answer(outcome, customer.model, event, applied.tiers)
    return "late" if applied.late else "applied"


def _count_answer(outcome, model, event, tiers):
    """Everywhere where the company looks for it; the tiers are those after the event."""
    day = model.calendar.day(event.time_ms)
    places = [("all", None), *((f"tier:{set_name}", tier) for set_name, tier in tiers)]
    places += [(word, name) for word in ("channel", "touchpoint") if (name := getattr(event, word))]
    for dimension, name in places:
        for field_name, amount in event.sums.items():
            outcome.answers[dimension, name, day, field_name] += amount


def merged(records):
    """The task's three partitions merged: the oldest head first, ties in the order of INPUTS, then offset."""
    queues = [sorted((r for r in records if r.input == name), key=lambda r: r.offset, reverse=True) for name in INPUTS]
    while heads := [queue for queue in queues if queue]:
        yield min(heads, key=lambda queue: queue[-1].timestamp_ms).pop()

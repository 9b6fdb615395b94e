"""Tidemark once more, written from config/README.md and the schemas alone, to be compared with the program.

Slow and plain on purpose. `replay` takes a config (the YAML as a dict) and all records of the input topics.

    calendar   days of a time zone
    rules      the rule language; `parse` reads it from text
    model      a config, compiled
    decode     a record's bytes -> an event, or the reason why it is a dead letter
    windowed, purchase_days, lifetime    the formulas of the metrics
    facts      what happened to one customer
    moment     a customer's numbers at an instant
    tiers      the tiers that follow from them, and what is said of a change
    future     what time alone will do: due instants, forecasts
    customer   one customer as time goes by
    population scores by rank, from all customers' values
    task       the merge, the task's clock, everything together
"""

from .decode import Record
from .task import Outcome, Renewal, replay

__all__ = ["Outcome", "Record", "Renewal", "replay"]

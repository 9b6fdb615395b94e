"""Tidemark once more, written from config/README.md and the schemas alone, to be compared with the program.

Slow and plain on purpose. `replay` takes a config (the YAML as a dict) and all records of the input topics.

    calendar   days of a time zone
    rules      the rule language
    model      a config, compiled
    decode     a record's bytes -> an event, or the reason why it is a dead letter
    customer   one customer's sums, tiers and due instants
    task       the merge, the task's clock, everything together
"""

from .decode import Record
from .task import Outcome, replay

__all__ = ["Outcome", "Record", "replay"]

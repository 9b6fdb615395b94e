"""All rows of the table, by family: what is measured together stands in one module."""

from . import fairness, latency, midnight, peers, reference, scale, stored, takeover

FAMILIES = (reference.Reference, peers.Peers, latency.Latency, scale.Scale, takeover.Takeover, midnight.Midnight,
            fairness.Fairness, stored.Stored)

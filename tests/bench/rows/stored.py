"""What is stored of the customers of the reference workload, and what it costs to count what they are worth."""

import json
import time

import yaml

from lab import HERE, LONG_S, cpu_s, message_class, wait_until
from table import Figure, Row

from .family import Family

PREFIX = "stored"
# The parts of a state, in schemas/customer_state.proto.
FIELDS = {
    "ids": ("recent_events",), "tiles": ("tiles",), "tiers": ("tiers",), "purchase_days": ("purchase_days", "forgotten_purchase_days"),
    "times": ("now_ms", "due_after_ms", "armed_after_ms", "unarmed", "first_seen_ago_ms", "last_seen_ago_ms", "first_purchase_ago_ms",
              "last_purchase_ago_ms", "edition"),
    "journey": ("journey",), "favourites": ("categories", "channels"), "engagement": ("engagement",), "referrer": ("referrer",),
}


def alerting_rules():
    """The reference's, whose last tier alerts: so everybody has to be looked ahead of."""
    rules = yaml.safe_load((HERE / "score.yaml").read_text())
    rules["tier_sets"]["value"]["tiers"][-1]["treatment"] = {"alert": "somebody"}
    return rules


def sizes_of(state):
    """Bytes by part: what the message loses when the part is left out."""
    sizes = {}
    for part, names in FIELDS.items():
        rest = type(state)()
        rest.CopyFrom(state)
        for name in names:
            rest.ClearField(name)
        sizes[part] = state.ByteSize() - rest.ByteSize()
    return sizes


class Stored(Family):
    rows = (
        Row("state", "the stored state of a customer", (
            Figure("state", "packed state, bytes per customer"),
            *(Figure(part, f"  of it {part.replace('_', ' ')} ({', '.join(names)})") for part, names in FIELDS.items()),
        )),
        Row("value", "counting value at risk", (
            Figure("rate", "customers a second"),
            Figure("cpu", "tidemark, CPU us per customer"),
            Figure("redis", "Redis, CPU us per customer"),
        )),
    )

    def prepare(self):
        self.lab.reference(PREFIX)

    def round(self):
        redis_server = self.lab.redis()
        process = self.lab.group(PREFIX, redis_server, **alerting_rules())
        self.lab.start(process)
        self.lab.until_settled(process, redis_server, PREFIX)
        values = self.each([("state", lambda: self.state(redis_server.client())), ("value", lambda: self.value(process, redis_server))])
        self.lab.stop(*(server for server in (process, redis_server) if server in self.lab.servers))
        return values

    def state(self, client):
        message = message_class("CustomerState")
        total, customers, parts = 0, 0, dict.fromkeys(FIELDS, 0)
        for key in client.scan_iter("*:c:*", 1000):
            for packed in client.hgetall(key).values():
                customers += 1
                total += len(packed)
                for part, size in sizes_of(message.FromString(packed)).items():
                    parts[part] += size
        return {"state": total / customers} | {part: size / customers for part, size in parts.items()}

    def value(self, process, redis_server):
        """From the first question until everybody is counted, and the question again until then."""
        own_s, redis_s = cpu_s(process), cpu_s(redis_server)
        started = time.monotonic()
        told = wait_until(lambda: self.whole(process), LONG_S, "everybody counted")
        seconds, customers = time.monotonic() - started, told["customers"]
        return {"rate": customers / seconds, "cpu": (cpu_s(process) - own_s) / customers * 1e6,
                "redis": (cpu_s(redis_server) - redis_s) / customers * 1e6}

    @staticmethod
    def whole(process):
        told = json.loads(process.http("/v1/value")[1])
        return told if told.get("counted") == 1 else None

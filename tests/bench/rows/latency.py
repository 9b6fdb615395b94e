"""Latency at a steady rate, seen from outside by a reader that reads committed records only (bench_live.c)."""

from lab import latencies
from table import Figure, Row

from .family import Family


class Latency(Family):
    rows = (
        Row("latency-exactly-once", "latency, exactly_once", (
            Figure("p50", "exactly_once, record produced to tier change read with read_committed, p50 ms", "< 20"),
            Figure("p99", "exactly_once, p99 ms", "< 60"),
        )),
        Row("latency-at-least-once", "latency, at_least_once", (
            Figure("p50", "at_least_once, record produced to tier change read, p50 ms", "< 4"),
            Figure("p99", "at_least_once, p99 ms", "< 15"),
        )),
    )

    def round(self):
        return self.each([
            ("latency-exactly-once", lambda: self.measure("exactly_once")),
            ("latency-at-least-once", lambda: self.measure("at_least_once")),
        ])

    def measure(self, delivery):
        prefix, process, redis_server = self.lab.live_group(delivery, self.options.customers)
        seconds = self.options.warm_up + self.options.seconds
        with self.lab.live(process, prefix, rate=self.options.rate, seconds=seconds, customers=self.options.customers) as probes:
            all_probes = probes()
        start_s = all_probes[0].sent_s + self.options.warm_up
        p50, p99 = latencies([probe for probe in all_probes if probe.sent_s > start_s], delivery)
        self.lab.stop(process, redis_server)
        return {"p50": p50, "p99": p99}

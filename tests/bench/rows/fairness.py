"""One customer makes 30 % of all events; one partition has a backlog that the others have not."""

import time
import uuid

from lab import latencies
from table import Figure, Row

from .family import Family

HOT_PERCENT = 30
HOT_PARTITION = 0
RATE = 200  # each is a probe; thousands of requests a second would wait in the client, while all cores are busy
START_S = 5
SETTLE_S = 2  # a producer's first transaction takes the better part of a second


class Fairness(Family):
    rows = (
        Row("hot-customer", f"one customer makes {HOT_PERCENT} % of all events", (
            Figure("ratio", f"one customer with {HOT_PERCENT} % of the events: CPU per event, times that without", "< 1.5"),
            Figure("wall", "  time to catch up, times that without"),
            Figure("p99", "  all others, live, p99 ms", "< 100"),
        )),
        Row("hot-partition", "one partition has a backlog", (
            Figure("rate", "one hot partition: its backlog drained, events a second"),
            Figure("p50", "  events of the others meanwhile, p50 ms"),
            Figure("p99", "  events of the others meanwhile, p99 ms", "< 100"),
        )),
    )

    def prepare(self):
        self.events = self.options.events // 3
        if "hot-customer" in self.wanted:
            self.lab.reference("even", events=self.events)
            self.lab.reference("hot", events=self.events, hot_percent=HOT_PERCENT)

    def round(self):
        return self.each([("hot-customer", self.hot_customer), ("hot-partition", self.hot_partition)])

    def hot_customer(self):
        even = self.lab.catch_up("even")
        hot = self.lab.catch_up("hot")
        prefix, process, redis_server = self.lab.live_group(self.options.delivery, self.options.customers)
        with self.lab.live(process, prefix, rate=self.options.rate, seconds=self.options.warm_up + self.options.seconds,
                           customers=self.options.customers, hot_percent=HOT_PERCENT) as probes:
            all_probes = probes()
        start_s = all_probes[0].sent_s + self.options.warm_up
        _, p99 = latencies([probe for probe in all_probes if probe.sent_s > start_s], "live")
        self.lab.stop(process, redis_server)
        return {"ratio": hot["cpu_s"] / even["cpu_s"], "wall": hot["wall_s"] / even["wall_s"], "p99": p99}

    def hot_partition(self):
        """The backlog is there before the process, so that its writer does not disturb; live events go on all the time."""
        redis_server = self.lab.redis()
        prefix = f"backlog{uuid.uuid4().hex[:8]}"
        written = self.lab.history(prefix, "--partitions", str(self.options.partitions), customers=self.options.customers,
                                   events=self.events, days=1, start=(time.time() - 2 * 86400) * 1000, partition=HOT_PARTITION)
        process = self.lab.group(prefix, redis_server, clock="wall")
        seconds = START_S + self.events / 100_000 + 10
        # Not read by the one that measures: the backlog's tier changes would fill its queue, before those of the others.
        with self.lab.live(process, prefix, rate=RATE, probe=1, seconds=seconds, customers=self.options.customers,
                           **{"except": HOT_PARTITION}) as probes:
            self.lab.start(process)
            samples = self.lab.until_committed(process, prefix)  # what was there; live events go on behind it
            drained_s = time.time()
            all_probes = probes()
        began = next(sample for sample in samples if sample[1] > 0)
        started_s = drained_s - (samples[-1][0] - began[0])
        others = [probe for probe in all_probes if probe.partition != HOT_PARTITION and started_s + SETTLE_S <= probe.sent_s <= drained_s]
        p50, p99 = latencies(others, "the other partitions")
        self.lab.stop(process, redis_server)
        return {"rate": written / (drained_s - started_s), "p50": p50, "p99": p99}

"""Many customers are due in one slot of the wheel, at one instant of the wall clock.

Waiting for midnight is avoided: days_since_purchase is elapsed time, so customers who all bought at one instant are all due
at another, here some time after they have been loaded. The slot is the same as midnight's: one hour of each task, one
millisecond. Every customer changes tier: those of whom nothing would come are on no wheel.
"""

import time
import uuid

from lab import SAMPLE_EVERY_S, latencies, wait_until
from table import Figure, NotMeasured, Row

from .family import Family

RATE = 1000
LIVE_CUSTOMERS_SHARE = 10
DRAIN_TIMEOUT_S = 300
DAY_MS = 86_400_000
# r falls from 3 to 2 after 30 days, of such a purchase: 3 + 1 + 1 is ordinary, 2 + 1 + 1 is dormant.
DUE_DAYS = 30
TOUCH_MINOR = 1_000
LOADED_PER_S = 10_000  # at the least; the due instant comes when they must all be there
START_S = 20


class Midnight(Family):
    rows = (
        Row("midnight", "a wheel slot of many due customers, each of whom changes tier", (
            Figure("customers", "due customers, each changing tier"),
            Figure("rate", "drained and published, customers a second", "> 200000"),
            Figure("p99", "live events meanwhile, p99 ms", "< 100"),
        )),
        Row("midnight-partitions", "the same over the most partitions, half as many customers", (
            Figure("rate", "drained and published, customers a second"),
            Figure("p99", "live events meanwhile, p99 ms"),
        )),
    )

    def round(self):
        return self.each([
            ("midnight", lambda: self.measure(self.options.due, self.options.partitions)),
            ("midnight-partitions", lambda: self.measure(self.options.due // 2, self.options.partitions_max)),
        ])

    def measure(self, customers, partitions):
        """The rate is from the instant at which they are due until the last is evaluated."""
        redis_server = self.lab.redis()
        prefix = f"due{uuid.uuid4().hex[:8]}"
        due_s = int(time.time()) + START_S + customers // LOADED_PER_S
        self.lab.history(prefix, partitions=partitions, customers=customers, touch_minor=TOUCH_MINOR,
                         touch_at=due_s * 1000 - 1 - DUE_DAYS * DAY_MS)
        process = self.lab.group(prefix, redis_server, partitions, clock="wall")
        self.lab.start(process)
        self.lab.until_committed(process, prefix)
        ahead_s = due_s - time.time()
        if ahead_s < 5:
            raise NotMeasured(f"{customers:,} customers were not loaded before they were due")
        before = process.metric("tidemark_due_fired_total") or 0
        seconds = ahead_s + customers / 100_000 + 15
        # Live events are of others: one who buys again is no longer due.
        with self.lab.live(process, prefix, partitions, rate=RATE, probe=4, seconds=seconds, first_customer=customers,
                           customers=customers // LIVE_CUSTOMERS_SHARE) as probes:
            time.sleep(ahead_s)
            drained_s = self.drained_s(process, before + customers)
            all_probes = probes()
        # A probe sent just before may wait behind the slot too.
        meanwhile = [probe for probe in all_probes if due_s - 0.5 <= probe.sent_s <= drained_s]
        _, p99 = latencies(meanwhile, "live events meanwhile")
        self.lab.stop(process, redis_server)
        return {"customers": customers, "rate": customers / (drained_s - due_s), "p99": p99}

    @staticmethod
    def drained_s(process, fired):
        def done():
            process.fail_if_dead()
            return (process.metric("tidemark_due_fired_total") or 0) >= fired

        wait_until(done, DRAIN_TIMEOUT_S, "the slot drained", every_s=SAMPLE_EVERY_S / 2)
        return time.time()

"""CPU per event over the number of partitions and of customers, with a warm cache; and memory with a cache for few of them.

Every customer is touched once, then the events that count follow within a day, so that the wheel has the same to do (nothing)
at every size. The touch also warms the cache.
"""

from lab import HISTORY_START_MS
from table import Figure, NotMeasured, Row

from .family import Family

DAY_MS = 86_400_000
PARTITIONS = (1, 4, 16, 64)
WARM_CACHE = "8GiB"
CACHED_BYTES = 640  # a customer in the cache, about: what 1 % of them take
CACHE_BYTES_MIN = 1 << 20


def sizes_up_to(largest, values):
    return tuple(value for value in values if value < largest) + (largest,)


def cpu_us_after(result, touched):
    """CPU microseconds per event after the touch; what it had cost until then lies between two samples."""
    samples = [sample[1:] for sample in result["samples"]]
    events = samples[-1][0]
    if events <= touched:
        raise NotMeasured(f"only {events:,.0f} events were counted")
    after = next(number for number, (applied, _) in enumerate(samples) if applied >= touched)
    (applied, cpu), (applied_next, cpu_next) = samples[max(after - 1, 0)], samples[after]
    part = (touched - applied) / max(applied_next - applied, 1)
    return (result["cpu_s"] - cpu - part * (cpu_next - cpu)) / (events - touched) * 1e6


class Scale(Family):
    rows = (
        Row("partitions", "CPU us per event", (
            Figure("ratio", "1 to 64 partitions: dearest over cheapest", "< 1.5"),
            Figure("peak", "peak MB, the largest"),
        )),
        Row("customers", "CPU us per event", (
            Figure("ratio", "10,000 to the most customers, all cached: dearest over cheapest", "< 1.5"),
            Figure("peak", "peak MB at the most customers, all cached"),
        )),
        Row("cache", "a cache for 1 % of the customers", (
            Figure("cap", "state.cache for 1 % of the most customers, MB"),
            Figure("few", "peak MB with this cache and 10,000 customers"),
            Figure("peak", "peak MB with this cache and the most customers"),
            Figure("ratio", "the most customers over few: memory stays", "< 1.1"),
            Figure("cpu", "CPU us per event with the most customers"),
        )),
    )

    def prepare(self):
        self.events = max(self.options.events // 3, 1)
        self.partition_sizes = sizes_up_to(self.options.partitions_max, PARTITIONS)
        self.customer_sizes = sizes_up_to(self.options.customers_max, (10_000, 100_000, 1_000_000))
        if "partitions" in self.wanted:
            for count in self.partition_sizes:
                self.write(f"partitions{count}", self.options.customers, count)
        if {"customers", "cache"} & set(self.wanted):
            for count in self.customer_sizes:
                self.write(f"customers{count}", count, self.options.partitions)

    def write(self, prefix, customers, partitions):
        self.lab.history(prefix, partitions=partitions, customers=customers, touch_at=HISTORY_START_MS, events=self.events,
                         start=HISTORY_START_MS + DAY_MS, days=1)

    def run(self, prefix, customers, cache, partitions=None):
        result = self.lab.catch_up(prefix, partitions, state={"cache": cache})
        return cpu_us_after(result, customers), result["peak_mb"]

    def round(self):
        return self.each([("partitions", self.over_partitions), ("customers", self.over_customers), ("cache", self.small_cache)])

    @staticmethod
    def summary(runs):
        """From size -> (CPU us per event, peak MB), the largest size last."""
        costs = {f"{size:,}": cost for size, (cost, _) in runs.items()}
        return {"ratio": max(costs.values()) / min(costs.values()), "peak": list(runs.values())[-1][1]} | costs

    def over_partitions(self):
        return self.summary({count: self.run(f"partitions{count}", self.options.customers, WARM_CACHE, count)
                             for count in self.partition_sizes})

    def over_customers(self):
        return self.summary({count: self.run(f"customers{count}", count, WARM_CACHE) for count in self.customer_sizes})

    def small_cache(self):
        few, most = self.customer_sizes[0], self.customer_sizes[-1]
        cap = max(most // 100 * CACHED_BYTES, CACHE_BYTES_MIN) >> 10
        _, few_mb = self.run(f"customers{few}", few, f"{cap}KiB")
        cost, peak = self.run(f"customers{most}", most, f"{cap}KiB")
        return {"cap": cap / 1024, "few": few_mb, "peak": peak, "ratio": peak / few_mb, "cpu": cost}

"""The reference workload through a bare consumer and through Tidemark, in turns."""

from lab import HISTORY_DAYS, HISTORY_START_MS, LONG_S, bare, carried
from table import Figure, Row

from .family import Family

PREFIX = "reference"
MS_PER_DAY = 86_400_000


def rate(samples):
    """Events a second from the last sample without any to the first with all."""
    before = max((sample for sample in samples if sample[1] == 0), default=samples[0])
    after = next(sample for sample in samples if sample[1] == samples[-1][1])
    return (after[1] - before[1]) / max(after[0] - before[0], 1e-3)


def write_shop(lab, options):
    """The other history: what `tidemark generate` makes, with journeys, moods and refunds of known orders."""
    lab.create_inputs(PREFIX, options.partitions)
    redis_server = lab.redis()
    tool = lab.group(PREFIX, redis_server)
    done = tool.cli("generate", "--customers", options.customers, "--events", options.events, "--days", HISTORY_DAYS, "--end",
                    HISTORY_START_MS + HISTORY_DAYS * MS_PER_DAY, "--partitions", options.partitions, timeout_s=LONG_S)
    assert done.returncode == 0, done.stderr
    lab.stop(tool, redis_server)


class Reference(Family):
    rows = (
        Row("bare", "CPU beside a bare consumer", (
            Figure("bare", "bare librdkafka consumer that decodes with protobuf-c, CPU s per million events"),
            Figure("tidemark", "tidemark, CPU s per million events"),
            Figure("ratio", "times the bare consumer", "<= 1.5"),
            Figure("broker", "broker, CPU s per million events"),
            Figure("tier_changes", "tier changes per event"),
            Figure("peak", "tidemark, peak MB"),
        )),
        Row("carry", "CPU of carrying the events through the same libraries, unscored", (
            Figure("carry", "read, decode, store and publish as much: CPU s per million events"),
            Figure("ratio", "times the bare consumer"),
            Figure("tidemark", "tidemark, times that"),
            Figure("redis", "Redis, CPU s per million events"),
        )),
        Row("redis-cpu", "CPU of Redis", (
            Figure("redis", "Redis, CPU s per million events"),
            Figure("ratio", "times tidemark's own", "<= 0.5"),
        )),
        Row("catch-up", "catch-up rate, broker and Redis on the same machine", (
            Figure("bare", "bare consumer, events a second"),
            Figure("rate", "tidemark, events a second while it catches up", "> 700000"),
            Figure("all", "events a second from the start of the process until all is committed and due"),
        )),
        Row("redis-memory", "memory of Redis", (
            Figure("bytes", "bytes per customer above the empty server, at rest", "<= 200"),
            Figure("customers", "customers"),
        )),
    )

    def prepare(self):
        if self.options.history == "shop":
            write_shop(self.lab, self.options)
        else:
            self.lab.reference(PREFIX)

    def round(self):
        events, million = self.options.events, self.options.events / 1e6
        plain = bare(self.lab, PREFIX, events)
        scored = self.lab.catch_up(PREFIX)
        values = {
            "bare": {
                "bare": plain["cpu_s"] / million, "tidemark": scored["cpu_s"] / million,
                "ratio": scored["cpu_s"] / plain["cpu_s"], "broker": scored["broker_cpu_s"] / million,
                "tier_changes": scored["tier_changes"] / events, "peak": scored["peak_mb"],
            },
            "redis-cpu": {"redis": scored["redis_cpu_s"] / million, "ratio": scored["redis_cpu_s"] / scored["cpu_s"]},
            "catch-up": {
                "bare": events / plain["wall_s"], "rate": rate(scored["samples"]), "all": events / scored["wall_s"],
            },
            "redis-memory": {"bytes": scored["redis_bytes"] / scored["customers"], "customers": scored["customers"]},
        }
        if "carry" in self.wanted:
            percent = round(100 * scored["tier_changes"] / events)
            carry = carried(self.lab, PREFIX, events, scored["output"], percent)
            values["carry"] = {
                "carry": carry["cpu_s"] / million, "ratio": carry["cpu_s"] / plain["cpu_s"],
                "tidemark": scored["cpu_s"] / carry["cpu_s"], "redis": carry["redis_cpu_s"] / million,
            }
        return values

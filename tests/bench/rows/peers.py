"""The same events and job in Kafka Streams, Flink and Go: in each round Tidemark, then each of them.

The history is written twice, in the product's schema and in theirs (mix.h). Tidemark's timers are always on; theirs only in
the rows that say so. Tidemark does more than SPEC.md asks: ids of events against duplicates, whole-life numbers, conditions
and a forecast in every tier change.

What differs in the job: SPEC.md counts days since the last purchase from day to day, score.yaml's days_since_purchase in
exact 24 hours, so a customer within a day of 7, 14, 30 or 60 days may be in another tier. With score_days.yaml, which says
SPEC.md's days by windows (purchases(8d) is "today or the seven days before"), every customer must be in the same tier.
"""

import peer_programs
import yaml
from lab import HERE
from table import Figure, NotMeasured, Row

from .family import Family

OURS = "ours"
THEIRS = "theirs"


def figures(name, cpu_aim, memory_aim=""):
    return (
        Figure("ratio", f"{name}, CPU times tidemark's", cpu_aim),
        Figure("warm", "  its second half (warm), CPU times tidemark's"),
        Figure("memory", "  peak memory of the process, times tidemark's", memory_aim),
        Figure("cpu", "  CPU s per million events"),
        Figure("rate", "  events a second"),
        Figure("broker", "  broker, CPU s per million events"),
    )


GO = "Go service with Redis, at least once (both with their Redis)"


class Peers(Family):
    rows = (
        Row("kafka-streams", "Kafka Streams", figures("Kafka Streams, exactly_once_v2, RocksDB, no timers", ">= 12", ">= 6")),
        Row("kafka-streams-timers", "Kafka Streams, timers", figures("Kafka Streams, exactly_once_v2, RocksDB, timers", "")),
        Row("flink", "Flink", figures("Flink, exactly once, state in memory, no timers", ">= 7")),
        Row("flink-timers", "Flink, timers", figures("Flink, exactly once, state in memory, timers", "")),
        Row("go", "Go", figures(f"{GO}, no timers", ">= 2")),
        Row("go-timers", "Go, timers", figures(f"{GO}, timers", ">= 5")),
        Row("same-tiers", "the final tier of every customer beside the peers'", (
            Figure("days", "final tiers equal to the peer's with timers, days counted as SPEC.md does, %", ">= 100"),
            Figure("exact", "  with days of exact 24 hours (score.yaml), %"),
        )),
    )

    @classmethod
    def check(cls, options):
        peer_programs.check(options.peers)

    def prepare(self):
        problems = peer_programs.build(self.options.peers)
        for row in self.rows[:-1]:
            missing = peer_programs.missing_tools(row.name)
            if missing:
                self.impossible[row.name] = f"{', '.join(missing)} missing"
            elif problems.get("go" if row.name.startswith("go") else "java"):
                self.impossible[row.name] = problems["go" if row.name.startswith("go") else "java"]
        self.lab.reference(OURS)
        self.lab.reference(THEIRS, "--peers")
        self.done = {}  # peer -> one that has run
        self.tidemark = None
        self.compared = False

    def round(self):
        names = [row.name for row in self.rows[:-1]]
        if set(names) & set(self.wanted):
            self.tidemark = self.lab.catch_up(OURS)
            self.at_least_once = None
        values = self.each([(name, lambda name=name: self.measure(name)) for name in names])
        if not self.compared:  # once is enough: tiers do not vary
            self.compared = True
            values |= self.each([("same-tiers", self.same_tiers)])
        return values

    def tidemark_like(self, name):
        """Go's guarantee is at least once, and so is Tidemark's beside it."""
        if not name.startswith("go") or self.options.delivery == "at_least_once":
            return self.tidemark
        self.at_least_once = self.at_least_once or self.lab.catch_up(OURS, delivery="at_least_once")
        return self.at_least_once

    def measure(self, name):
        peer = peer_programs.Peer(name, self.lab, THEIRS)
        theirs, ours = peer.run(), self.tidemark_like(name)
        self.done[name] = peer
        million = self.options.events / 1e6
        their_cpu = theirs["cpu_s"] + theirs["redis_cpu_s"]
        our_cpu = ours["cpu_s"] + (ours["redis_cpu_s"] if name.startswith("go") else 0)
        warm_cpu = theirs["warm_us"] * million + theirs["redis_cpu_s"]
        return {
            "ratio": their_cpu / our_cpu, "warm": warm_cpu / our_cpu, "memory": theirs["peak_mb"] / ours["peak_mb"],
            "cpu": their_cpu / million, "rate": theirs["rate"], "broker": theirs["broker_cpu_s"] / million,
        }

    def same_tiers(self):
        """Against whichever peer with timers is at hand; the peers agree with one another."""
        name = next((name for name in self.done if name.endswith("-timers")), None)
        if not name:
            possible = [name for name in peer_programs.VARIANTS if name.endswith("-timers") and name not in self.impossible]
            if not possible:
                raise NotMeasured("no peer with timers")
            name = possible[-1]
            self.done[name] = peer_programs.Peer(name, self.lab, THEIRS)
            self.done[name].run()
        theirs = self.done[name].final_tiers()
        by_days = self.lab.catch_up(OURS, **yaml.safe_load((HERE / "score_days.yaml").read_text()))
        exact = self.tidemark or self.lab.catch_up(OURS)
        return {"days": self.equal(theirs, by_days["output"]), "exact": self.equal(theirs, exact["output"])}

    def equal(self, theirs, output):
        ours = self.lab.last_tiers(output)
        assert ours.keys() == theirs.keys(), f"{len(ours)} customers, the peer has {len(theirs)}"
        return 100 * sum(ours[key] == tier for key, tier in theirs.items()) / len(theirs)

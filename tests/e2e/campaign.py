"""One campaign: its own topics, group and Redis; a workload loaded into it; processes that score it; and the comparison of
everything they published with what the oracle says."""

import copy
import hashlib
import json
import os
import pickle
import uuid
from collections import Counter, defaultdict
from pathlib import Path
from typing import NamedTuple

import oracle
from oracle import Record
from rules_config import RULES
from servers import Tidemark, wait_until
from topics import Topics

INPUTS = ("purchases", "interactions", "feedback")
PARTITIONS = 4
DONE_TIMEOUT_S = 120
VIEWS = 60
CACHE = Path(__file__).parents[1] / ".cache" / "oracle"


class Campaign:
    """Topics, config and processes of one test."""

    def __init__(self, kafka, redis_server, folder, rules=None, partitions=PARTITIONS, **options):
        self.topics = Topics(kafka.bootstrap)
        self.redis = redis_server
        self.folder = folder
        self.partitions = partitions
        name = f"t{uuid.uuid4().hex[:12]}"
        self.group = name
        self.names = {word: f"{name}.{word}" for word in (*INPUTS, "tier_changes", "dead_letters")}
        self.config = {
            "group": name,
            "kafka": {"bootstrap.servers": kafka.bootstrap, "session.timeout.ms": 3000, "heartbeat.interval.ms": 300,
                      "transaction.timeout.ms": 6000},
            "topics": dict(self.names),
            "redis": {"url": redis_server.url},
            "clock": "event",
            "workers": 2,
        }
        self.config |= copy.deepcopy(rules or RULES)
        self.out_topics = [self.names["tier_changes"]]
        for tier_set in self.config["tier_sets"].values():
            if tier_set.get("topic") == "OWN":
                tier_set["topic"] = f"{name}.own"
                self.out_topics.append(f"{name}.own")
        for key, value in options.items():
            self.config[key] = self.config[key] | value if isinstance(value, dict) and key in self.config else value
        self.processes = []
        counts = {topic: partitions for topic in (*self.names.values(), *self.out_topics)}
        self.topics.create(counts)

    def load(self, lines):
        """Writes workload lines with the command a user would use."""
        tool = Tidemark(self.folder / "load", self.config, "load")
        text = "".join(json.dumps({"topic": line.topic, **line.event}) + "\n" for line in lines)
        done = tool.cli("load", "-", stdin=text)
        tool.destroy()
        assert done.returncode == 0, done.stderr

    def process(self, **changes):
        """A new process, not started."""
        number = len(self.processes)
        config = self.config | changes
        self.processes.append(Tidemark(self.folder / f"p{number}", config, f"tidemark{number}"))
        return self.processes[-1]

    def start(self, **changes):
        return self.process(**changes).start()

    def input_names(self):
        return [self.names[word] for word in INPUTS]

    def committed(self):
        return self.topics.committed(self.group, *self.input_names())

    def is_read(self):
        """Whether everything in the inputs is committed as applied and published."""
        committed = self.committed()
        return all(committed.get(part, 0) >= end for part, end in self.topics.ends(*self.input_names()).items())

    def wait_read(self, timeout_s=DONE_TIMEOUT_S):
        wait_until(self.is_read, timeout_s, "all input committed", every_s=0.2)

    def expected(self, clock_ms=None):
        """What the oracle makes of the records as they stand in Kafka."""
        word_of = {name: word for word, name in self.names.items()}
        records = [Record(word_of[m.topic()], m.partition(), m.offset(), m.timestamp()[1], m.key(), m.value(),
                          tuple(m.headers() or ())) for m in self.topics.read(*self.input_names())]
        assert records
        return remembered(self.config, records, clock_ms, self.partitions)

    def published(self):
        """customer -> tier changes in order, exactly as a subscriber reads them; each customer's are in one partition."""
        changes = defaultdict(list)
        for message in self.topics.read(*self.out_topics):
            change = json.loads(message.value())
            assert message.key().decode() == change["customer_id"]
            assert message.topic() == self.config["tier_sets"].get(change["tier_set"], {}).get("topic", self.names["tier_changes"])
            changes[change["customer_id"]].append(change)
        return changes

    def wait_published(self, count, timeout_s=DONE_TIMEOUT_S):
        """Waits until so many tier changes are there, or more."""
        seen = []

        def enough():
            seen.append(len(self.topics.read(*self.out_topics)))
            return seen[-1] >= count

        try:
            wait_until(enough, timeout_s, f"{count} tier changes", every_s=0.5)
        except TimeoutError as error:
            raise TimeoutError(f"{error}: read {seen[:3]} ... {seen[-3:]}") from None

    def stop(self):
        for process in self.processes:
            if process.is_running():
                assert process.terminate() == 0, process.tail()

    def destroy(self):
        for process in self.processes:
            process.destroy()


class Expected(NamedTuple):
    """What the program must have done; the part of the oracle's outcome that can be kept."""

    changes: dict  # customer -> tier changes in order
    dead: dict  # (input, partition, offset) -> reason
    counts: Counter  # (input, result)
    answers: Counter  # (day, promoters|...): the company's feedback
    populations: dict  # (set, tier) -> customers
    clocks: dict  # partition -> the task's clock at the end
    views: dict  # customer -> (at_ms, view), of some

    @classmethod
    def of(cls, outcome):
        at_ms = max(outcome.clocks.values())
        views = {name: (at_ms, outcome.customers[name].view(at_ms)) for name in sorted(outcome.customers)[:VIEWS]}
        return cls(outcome.changes, outcome.dead, outcome.counts, outcome.answers, dict(outcome.populations()),
                   outcome.clocks, views)


def remembered(config, records, clock_ms, partitions):
    """The oracle's outcome, kept on the disk: campaigns that differ only in their disturbances share it."""
    deciding = {name: config.get(name) for name in ("state", "currency", "scores", "tier_sets", "format", "misrouted", "topics")}
    deciding["tier_sets"] = {name: {key: value for key, value in tier_set.items() if key != "topic"}
                             for name, tier_set in config["tier_sets"].items()}
    del deciding["topics"]
    sources = [path.read_bytes() for path in sorted(Path(oracle.__file__).parent.glob("*.py"))]
    digest = hashlib.sha256(pickle.dumps((deciding, sorted(records), clock_ms, partitions, sources))).hexdigest()
    file = CACHE / f"{digest}.pickle"
    if not file.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        new = file.with_suffix(f".{os.getpid()}")
        new.write_bytes(pickle.dumps(Expected.of(oracle.replay(config, records, clock_ms=clock_ms, partitions=partitions))))
        new.rename(file)
    return pickle.loads(file.read_bytes())


def flat(changes):
    return [change for of_customer in changes.values() for change in of_customer]


def by_set(changes):
    """(customer, set) -> changes in order: sets may have topics of their own, between which there is no order."""
    grouped = defaultdict(list)
    for customer_id, of_customer in changes.items():
        for change in of_customer:
            grouped[customer_id, change["tier_set"]].append(change)
    return grouped


def compare(published, expected):
    """Every tier change, field by field; the message of a failure names the first difference of a few customers."""
    ours, theirs = by_set(expected), by_set(published)
    problems = []
    for key in sorted(ours.keys() | theirs.keys()):
        wanted, found = ours.get(key, []), theirs.get(key, [])
        for number in range(max(len(wanted), len(found))):
            want = wanted[number] if number < len(wanted) else None
            have = found[number] if number < len(found) else None
            difference = difference_of(want, have)
            if difference:
                problems.append(f"{key} #{number}: {difference}")
                break
    assert not problems, f"{len(problems)} customers and sets differ:\n" + "\n".join(problems[:10])


PUBLISHED_ONLY = {"id", "customer_id", "rules_version", "cut_points_version"}


def difference_of(want, have):
    if want is None or have is None:
        return f"expected {want}, published {have}"
    if have.keys() ^ want.keys() != PUBLISHED_ONLY | {"topic"}:
        return f"fields {sorted(have)}"
    for name in sorted(want.keys() - {"topic"}):
        if not same(want[name], have[name]):
            return f"{name}: expected {want[name]!r}, published {have[name]!r} in {have}"
    if have["id"].split("/", 1)[1] != f"{have['tier_set']}/{have['customer_id']}/{have['sequence']}":
        return f"id {have['id']}"
    return None


def same(a, b):
    if isinstance(a, float) or isinstance(b, float):
        return a is not None and b is not None and abs(a - b) <= 1e-9 * max(1.0, abs(a), abs(b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b

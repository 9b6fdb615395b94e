"""One campaign: its own topics, group and Redis; a workload loaded into it; processes that score it; and the comparison of
everything they published with what the oracle says."""

import copy
import gc
import hashlib
import json
import os
import pickle
import uuid
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import oracle
from oracle import Record
from oracle.calendar import Calendar
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

    def expected(self, clock_ms=None, config=None, renewals=None):
        """What the oracle makes of the records as they stand in Kafka, with the config at the start and what came later."""
        word_of = {name: word for word, name in self.names.items()}
        records = [Record(word_of[m.topic()], m.partition(), m.offset(), m.timestamp()[1], m.key(), m.value(),
                          tuple(m.headers() or ())) for m in self.topics.read(*self.input_names())]
        assert records
        return remembered(config or self.config, records, clock_ms, self.partitions, renewals or {})

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

    changes: dict  # customer -> tier changes and notices in order
    dead: dict  # (input, partition, offset) -> reason
    counts: Counter  # (input, result)
    answers: Counter  # (dimension, name, day, promoters|...): the company's feedback
    populations: Counter  # (set, tier) -> customers
    clocks: dict  # partition -> the task's clock at the end
    views: dict  # customer -> (at_ms, view), of some

    @classmethod
    def of(cls, config, records, clock_ms, partitions, at_ms, renewals):
        """In a process of its own."""
        gc.set_threshold(50_000)  # nearly everything stays alive; looking for what does not took an eighth of the time
        outcome = oracle.replay(config, records, clock_ms=clock_ms, partitions=partitions, renewals=renewals)
        views = {name: (at_ms, outcome.customers[name].view(at_ms)) for name in sorted(outcome.customers)[:VIEWS]}
        return cls(outcome.changes, outcome.dead, outcome.counts, outcome.answers, outcome.populations(), outcome.clocks,
                   views)

    def add(self, other):
        """That of other partitions."""
        assert not self.changes.keys() & other.changes.keys(), "a customer in two partitions"
        for mine, more in zip(self, other):
            mine.update(more)  # a Counter adds


def expect(config, records, clock_ms=None, partitions=PARTITIONS, renewals=None):
    """The oracle's outcome, each partition worked out by a process of its own."""
    at_ms = max([clock_ms or 0, *(record.timestamp_ms for record in records)])
    parts = [[record for record in records if record.partition == number]
             for number in sorted({record.partition for record in records})]
    whole = Expected({}, {}, Counter(), Counter(), Counter(), {}, {})
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        for part in [pool.submit(Expected.of, config, part, clock_ms, partitions, at_ms, renewals) for part in parts]:
            whole.add(part.result())
    return whole._replace(views=dict(sorted(whole.views.items())[:VIEWS]))


# What of a config the oracle heeds.
DECIDING = ("state", "currency", "scores", "tier_sets", "format", "misrouted", "behaviour", "engagement", "feedback",
            "lifetime_value", "points")


def remembered(config, records, clock_ms, partitions, renewals):
    """The oracle's outcome, kept on the disk: campaigns that differ only in their disturbances share it."""
    deciding = {name: config.get(name) for name in DECIDING}
    deciding["tier_sets"] = {name: {key: value for key, value in tier_set.items() if key != "topic"}
                             for name, tier_set in config["tier_sets"].items()}
    sources = [path.read_bytes() for path in sorted(Path(oracle.__file__).parent.glob("*.py"))]
    digest = hashlib.sha256(pickle.dumps((deciding, sorted(records), clock_ms, partitions, renewals, sources))).hexdigest()
    file = CACHE / f"{digest}.pickle"
    if not file.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        new = file.with_suffix(f".{os.getpid()}")
        new.write_bytes(pickle.dumps(expect(config, records, clock_ms, partitions, renewals)))
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


def compare(published, expected, slack_ms=0):
    """Every tier change and notice, field by field; instants may differ by slack_ms (see SLACK_MS).

    The message of a failure names the first difference of a few customers.
    """
    ours, theirs = by_set(expected), by_set(published)
    problems = []
    for key in sorted(ours.keys() | theirs.keys()):
        wanted, found = ours.get(key, []), theirs.get(key, [])
        for number in range(max(len(wanted), len(found))):
            want = wanted[number] if number < len(wanted) else None
            have = found[number] if number < len(found) else None
            difference = difference_of(want, have, slack_ms)
            if difference:
                problems.append(f"{key} #{number}: {difference}")
                break
    assert not problems, f"{len(problems)} customers and sets differ:\n" + "\n".join(problems[:10])


PUBLISHED_ONLY = {"id", "customer_id", "rules_version", "cut_points_version"}
# p_alive, clv and their like are worked out with other formulas here than there; a value that falls by a hundredth a day,
# good to 1e-9 of itself, passes a limit within so many milliseconds.
SLACK_MS = 10


def difference_of(want, have, slack_ms=0):
    if want is None or have is None:
        return f"expected {want}, published {have}"
    if have.keys() ^ want.keys() != PUBLISHED_ONLY | {"topic"}:
        return f"fields {sorted(have)}"
    for name in sorted(want.keys() - {"topic"}):
        if not same(want[name], have[name], slack_ms):
            return f"{name}: expected {want[name]!r}, published {have[name]!r} in {have}"
    return None if has_right_id(have) else f"id {have['id']}"


def check_counts(campaign, expected):
    """What the processes counted, none of which was killed, and the populations kept in Redis."""
    for word in INPUTS:
        for result in ("applied", "duplicate", "late", "dead"):
            counted = sum(process.metric("tidemark_events_total", topic=campaign.names[word], result=result) or 0
                          for process in campaign.processes)
            want = expected.counts[word, result]
            assert counted == want, (word, result, counted, want)
    populations = Counter()
    for partition in range(campaign.partitions):
        for field, count in campaign.redis.client().hgetall(f"tm:{{{campaign.group}.{partition}}}:pop").items():
            kind, *rest = field.decode().split("/")
            if kind == "tier" and int(count):
                populations[tuple(rest)] += int(count)
    assert populations == expected.populations


# The store's names of what an answer adds, where they differ from the oracle's but for the blank.
COUNTERS = {"csat": "csat_count", "csat satisfied": "csat_top", "ces": "ces_count", "reviews": "review_count"}
FEEDBACK_DAYS = 400


def check_feedback(campaign, expected):
    """The company's feedback kept in Redis, of all days that are kept in all tasks."""
    calendar = Calendar(campaign.config["state"]["time_zone"])
    first = calendar.day(max(expected.clocks.values())) - FEEDBACK_DAYS + 1
    wanted, found = Counter(), Counter()
    for (dimension, name, day, field), count in expected.answers.items():
        if day >= first:
            wanted[day, f"{dimension}/{name or ''}/{COUNTERS.get(field, field.replace(' ', '_'))}"] += count
    client = campaign.redis.client()
    for key in client.scan_iter(f"tm:{{{campaign.group}.*}}:fb:*", count=1000):
        day = int(key.decode().rsplit(":", 1)[1])
        for field, count in client.hgetall(key).items() if day >= first else ():
            found[day, field.decode()] += int(count)
    different = {key: (wanted[key], found[key]) for key in wanted.keys() | found.keys() if wanted[key] != found[key]}
    assert wanted and not different, f"{len(different)} of {len(wanted)} differ: {sorted(different.items())[:10]}"


def check_views(process, views, lifetime=("first_purchase_ms", "last_purchase_ms", "orders", "revenue"), slack_ms=0):
    """`tidemark get` tells of each customer what the oracle tells; of their `lifetime` the given fields, None: all."""
    at_ms = next(iter(views.values()))[0]
    done = process.cli("get", "--at", at_ms, *views, "nobody")
    assert done.returncode == 1 and "nobody" in done.stderr
    told = {view["customer_id"]: view for view in map(json.loads, done.stdout.splitlines())}
    assert told.keys() == views.keys()
    for customer, (_, wanted) in views.items():
        view = told[customer]
        assert view["as_of_ms"] == at_ms
        for part in ("scores", "metrics"):
            assert same(wanted[part], view[part], slack_ms), (customer, part, wanted[part], view[part])
        for name, tier in wanted["tiers"].items():
            found = {key: view["tiers"][name].get(key, "missing") for key in tier}
            assert same(tier, found, slack_ms), (customer, name, tier, found)
        for name in lifetime or wanted["lifetime"]:
            value, found = wanted["lifetime"][name], view["lifetime"].get(name, "missing")
            assert same(value, found, slack_ms), (customer, name, value, found)


def has_right_id(change):
    _, rest = change["id"].split("/", 1)
    whose = f"{change['tier_set']}/{change['customer_id']}/"
    told = f"/will-fall/{change['effective_time_ms']}/{change['forecast']['time_ms']}" if change["direction"] == "WILL_FALL" else ""
    return rest == f"{whose}{change['sequence']}{told}"


def same(a, b, slack_ms=0):
    """Whether two values of JSON are the same, but for rounding and what a few milliseconds (slack_ms) make of them."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key], slack_ms) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same(one, other, slack_ms) for one, other in zip(a, b))
    if isinstance(a, int) and isinstance(b, int) and min(a, b) > 10**10:  # instants
        return abs(a - b) <= slack_ms
    if isinstance(a, float) or isinstance(b, float):
        limit = 1e-9 + slack_ms * 2 / 86_400_000  # days, twice
        return a is not None and b is not None and abs(a - b) <= limit * max(1.0, abs(a), abs(b))
    return a == b

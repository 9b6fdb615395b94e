"""The servers of one family of rows, and what is common to measuring: histories, groups, CPU from /proc, quantiles."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "e2e"))

from servers import KAFKA_LIB, Kafka, Redis, Tidemark, tidemark_binary, wait_until  # noqa: E402
from topics import Topics  # noqa: E402
from wire import message_class  # noqa: E402
from table import NotMeasured  # noqa: E402

INPUTS = ("purchases", "interactions", "feedback")
HISTORY_START_MS = 1_735_689_600_000  # 2025-01-01: the same events whenever it runs
HISTORY_DAYS = 400
LONG_S = 1800
SAMPLE_EVERY_S = 0.1
TICKS = os.sysconf("SC_CLK_TCK")


class ProductionKafka(Kafka):
    """The tests' broker with the JVM left to itself: its tests' settings spare start-up time at the cost of running."""

    @staticmethod
    def _java():
        return ["java", "-Xms1g", "-Xmx1g", "-cp", f"{KAFKA_LIB}/*"]


def cpu_s(server):
    """CPU seconds of a living child so far, all its threads."""
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def peak_mb(server):
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def quantile(values, part):
    values = sorted(values)
    return values[int(part * (len(values) - 1))]


def program(name):
    return tidemark_binary().parent / "tests" / name


@dataclass
class Probe:
    """The first purchase of a new customer, and when its tier change could be read (None: never)."""

    partition: int
    sent_s: float
    came_s: float | None

    @property
    def latency_ms(self):
        return (self.came_s - self.sent_s) * 1000


def latencies(probes, label):
    """p50 and p99 in ms of the probes; all of them must have come."""
    if not probes:
        raise NotMeasured(f"{label}: no probe fell into the time that counts")
    missing = sum(probe.came_s is None for probe in probes)
    if missing:
        raise NotMeasured(f"{label}: {missing} of {len(probes)} tier changes never came")
    times = [probe.latency_ms for probe in probes]
    return quantile(times, 0.5), quantile(times, 0.99)


class Lab:
    """One broker, and everything that runs against it; nothing outlives it."""

    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.kafka = ProductionKafka(folder / "kafka").start().wait_ready()
        self.topics = Topics(self.kafka.bootstrap)
        self.servers = []

    def clear(self):
        """Ends all but the broker: what a measurement that failed has left."""
        self.stop(*self.servers)

    def close(self):
        self.clear()
        self.topics = None  # its client would complain of a broker gone
        self.kafka.destroy()

    # Topics and histories

    @staticmethod
    def inputs(prefix):
        return [f"{prefix}.{name}" for name in INPUTS]

    def create_inputs(self, prefix, partitions):
        self.topics.create({topic: partitions for topic in self.inputs(prefix)})

    def append(self, prefix, *words, **numbers):
        """Lets bench_write add to a history; the number of records it wrote."""
        options = [part for name, value in numbers.items() for part in (f"--{name.replace('_', '-')}", str(int(value)))]
        command = [str(program("bench_write")), *options, *words, self.kafka.bootstrap, *self.inputs(prefix)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LONG_S)
        assert done.returncode == 0, done.stderr
        return int(done.stdout)

    def history(self, prefix, *words, partitions=None, **numbers):
        """A new history in topics of its own."""
        self.create_inputs(prefix, partitions or self.options.partitions)
        return self.append(prefix, *words, **numbers)

    def reference(self, prefix, *words, **numbers):
        """The reference workload, in the sizes of the options unless others are given."""
        sizes = {"events": self.options.events, "customers": self.options.customers, "start": HISTORY_START_MS,
                 "days": HISTORY_DAYS}
        return self.history(prefix, *words, **(sizes | numbers))

    def last_values(self, topic):
        """key -> its last committed record's value, as texts and bytes."""
        return {message.key().decode(): message.value() for message in self.topics.records(topic)}

    def last_tiers(self, output):
        """Of Tidemark's tier changes: customer -> the tier that the last one leads to."""
        change = message_class("TierChange")
        return {key: change.FromString(value).to for key, value in self.last_values(output).items()}

    # Processes

    def redis(self):
        server = Redis(self.folder / f"redis-{uuid.uuid4().hex[:8]}", durability=None).start().wait_ready()
        self.servers.append(server)
        return server

    def group(self, prefix, redis_server, partitions=None, **settings):
        """A Tidemark, not started yet, in a group of its own; `settings` replace those of the configuration."""
        name = f"bench{uuid.uuid4().hex[:8]}"
        partitions = partitions or self.options.partitions
        self.topics.create({f"{name}.out": partitions, f"{name}.dead": partitions})
        return self.member(name, prefix, redis_server, **settings)

    def member(self, name, prefix, redis_server, **settings):
        """One more process of a group whose topics are there."""
        config = {
            "group": name,
            "kafka": {"bootstrap.servers": self.kafka.bootstrap},
            "topics": {topic: f"{prefix}.{topic}" for topic in INPUTS} | {
                "tier_changes": f"{name}.out", "dead_letters": f"{name}.dead"},
            "redis": {"url": redis_server.url},
            "clock": "event",
            "delivery": self.options.delivery,
            "output_format": "protobuf",  # as the peers publish; --set output_format=json tells what JSON costs more
        } | yaml.safe_load((HERE / "score.yaml").read_text()) | settings
        server = Tidemark(self.folder / f"{name}-{uuid.uuid4().hex[:8]}", config)
        self.servers.append(server)
        return server

    def start(self, process):
        return process.start(*(word for setting in self.options.set for word in ("--set", setting)))

    def stop(self, *servers):
        for server in servers:
            server.destroy()
            self.servers.remove(server)

    # Catching up

    def catch_up(self, prefix, partitions=None, **settings):
        """Tidemark from an empty state to all events committed, and what was due by then evaluated and published."""
        redis_server = self.redis()
        process = self.group(prefix, redis_server, partitions, **settings)
        client = redis_server.client()
        empty = client.info("memory")["used_memory"]
        redis_before, broker_before = cpu_s(redis_server), cpu_s(self.kafka)
        started = time.monotonic()
        self.start(process)
        with profiled(self.options.profile, process):
            samples = self.until_settled(process, redis_server, prefix, partitions)
        wall_s = time.monotonic() - started
        result = {
            "cpu_s": cpu_s(process), "wall_s": wall_s, "peak_mb": peak_mb(process), "samples": samples,
            "redis_cpu_s": cpu_s(redis_server) - redis_before, "broker_cpu_s": cpu_s(self.kafka) - broker_before,
            "customers": sum(client.hlen(key) for key in client.scan_iter("*:c:*", 1000)),
            "tier_changes": process.metric("tidemark_tier_changes_total"),
            "output": process.config["topics"]["tier_changes"],
        }
        assert process.terminate() == 0, process.tail()
        # Without clients, and their buffers.
        result["redis_bytes"] = client.info("memory")["used_memory"] - empty
        self.stop(process, redis_server)
        return result

    def until_settled(self, process, redis_server, prefix, partitions=None):
        """Until all is committed, and evaluated up to the clock, too; see below."""
        client = redis_server.client()
        return self.until_committed(process, prefix, lambda: _settled(client, partitions or self.options.partitions))

    def until_committed(self, process, prefix, and_then=lambda: True):
        """Waits until all that is in the topics now is committed, and for what else is asked. Samples on the way: (seconds,
        events applied, CPU seconds). Offsets decide: what was in flight when a process was killed is in no counter.
        """
        inputs = self.inputs(prefix)
        ends = self.topics.ends(*inputs)
        commits = self.topics.commits(process.config["group"], *inputs)
        samples = []

        def done():
            process.fail_if_dead()
            samples.append((time.monotonic(), process.metric("tidemark_events_total") or 0, cpu_s(process)))
            committed = commits.now()
            return all(committed.get(part, 0) >= end for part, end in ends.items()) and and_then()

        try:
            wait_until(done, LONG_S, "everything committed", every_s=SAMPLE_EVERY_S)
        finally:
            commits.close()
        return samples

    # Live events

    @contextmanager
    def live(self, process, prefix, partitions=None, **numbers):
        """bench_live in the background; yields a function that waits for its end and returns its probes."""
        numbers = {"partitions": partitions or self.options.partitions} | numbers
        options = [part for name, value in numbers.items() for part in (f"--{name.replace('_', '-')}", str(int(value)))]
        command = [str(program("bench_live")), *options, self.kafka.bootstrap, *self.inputs(prefix),
                   process.config["topics"]["tier_changes"]]
        client = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

        def probes():
            out, problem = client.communicate(timeout=LONG_S)
            assert client.returncode == 0, problem
            fields = (line.split() for line in out.splitlines())
            return [Probe(int(part), int(sent) / 1e6, int(came) / 1e6 if came != "0" else None) for part, sent, came in fields]

        try:
            yield probes
        finally:
            client.kill()
            client.wait()

    def live_group(self, delivery, customers, **settings):
        """(prefix, process, its Redis): a Tidemark on the wall clock that knows so many customers."""
        redis_server = self.redis()
        prefix = f"live{uuid.uuid4().hex[:8]}"
        self.history(prefix, customers=customers, touch_at=(time.time() - 86400) * 1000)
        process = self.group(prefix, redis_server, **({"clock": "wall", "delivery": delivery} | settings))
        self.start(process)
        self.until_committed(process, prefix)
        return prefix, process, redis_server


def _settled(client, tasks):
    """Every task has evaluated what was due up to its clock, and Redis has forgotten what is published."""
    metas = [client.hgetall(key) for key in client.scan_iter("*:meta", 1000)]
    return len(metas) == tasks and all(
        meta.get(b"fired") == meta.get(b"clock") and meta.get(b"published") == meta.get(b"output") for meta in metas)


@contextmanager
def profiled(path, process):
    """perf beside the process, if a file is named for it."""
    if not path:
        yield
        return
    time.sleep(1)  # perf takes the threads that are there
    perf = subprocess.Popen(["perf", "record", "-q", "-e", "cpu-clock", "-F", "499", "-g", "-o", path, "-p", str(process.process.pid)])
    try:
        yield
    finally:
        perf.send_signal(signal.SIGINT)
        perf.wait()


def bare(lab, prefix, events, *carrying):
    """A consumer that decodes and drops, or carries what it has read."""
    command = [program("bench_consume"), lab.kafka.bootstrap, *lab.inputs(prefix), lab.options.partitions, *carrying]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=LONG_S)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["events"] == events, result
    return {"cpu_s": result["cpu_s"], "wall_s": result["wall_s"], "peak_mb": result["peak_kb"] / 1024}


def carried(lab, prefix, events, output, published_percent):
    """The same consumer, which besides gives every customer a state in Redis and publishes copies of Tidemark's output."""
    redis_server = lab.redis()
    copies = f"{output}.copies{uuid.uuid4().hex[:8]}"
    lab.topics.create({copies: lab.options.partitions})
    before = cpu_s(redis_server)
    result = bare(lab, prefix, events, output, copies, redis_server.port, published_percent)
    result["redis_cpu_s"] = cpu_s(redis_server) - before
    lab.stop(redis_server)
    return result

"""The reference workload through a bare consumer and through Tidemark, in turns."""

import argparse
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import yaml

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "e2e"))

from servers import Kafka, Redis, Tidemark, tidemark_binary, wait_until  # noqa: E402
from topics import Topics  # noqa: E402

INPUTS = ("purchases", "interactions", "feedback")
HISTORY_END_MS = 1_767_225_600_000  # 2026-01-01: the same events whenever it runs
DAYS = 365
READ_TIMEOUT_S = 1800
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_s(process):
    """CPU seconds of a living child so far, all its threads."""
    fields = Path(f"/proc/{process.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def peak_mb(process):
    status = Path(f"/proc/{process.process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def config_of(options, kafka, redis_server, group):
    config = {
        "group": group,
        "kafka": {"bootstrap.servers": kafka.bootstrap},
        "topics": {name: f"bench.{name}" for name in INPUTS} | {"tier_changes": f"{group}.out", "dead_letters": f"{group}.dead"},
        "redis": {"url": redis_server.url if redis_server else "redis://127.0.0.1:1"},
        "clock": "event",
        "delivery": options.delivery,
        "currency": {"base": "EUR", "rates": {"USD": 0.92, "GBP": 1.17}},
    } | yaml.safe_load((HERE / "score.yaml").read_text())
    return config


def write_history(options, kafka, folder):
    """The events, the same from the same numbers; what Kafka holds then."""
    tool = Tidemark(folder / "generate", config_of(options, kafka, None, "bench"), "generate")
    started = time.monotonic()
    done = tool.cli("generate", "--customers", options.customers, "--events", options.events, "--days", DAYS,
                    "--end", HISTORY_END_MS, "--partitions", options.partitions, timeout_s=READ_TIMEOUT_S)
    tool.destroy()
    assert done.returncode == 0, done.stderr
    return time.monotonic() - started


def bare(options, kafka):
    """A consumer that decodes and drops."""
    program = tidemark_binary().parent / "tests" / "bench_consume"
    done = subprocess.run([str(program), kafka.bootstrap, *(f"bench.{name}" for name in INPUTS), str(options.partitions)],
                          capture_output=True, text=True, timeout=READ_TIMEOUT_S, check=True)
    result = json.loads(done.stdout)
    assert result["events"] == options.events, result
    return {"cpu_s": result["cpu_s"], "wall_s": result["wall_s"], "peak_mb": result["peak_kb"] / 1024}


def settled(client, tasks):
    """Every task has evaluated what was due up to its clock, and Redis has forgotten what is published."""
    metas = [client.hgetall(key) for key in client.scan_iter("*:meta", 1000)]
    return len(metas) == tasks and all(
        meta.get(b"fired") == meta.get(b"clock") and meta.get(b"published") == meta.get(b"output") for meta in metas)


def scored(options, kafka, topics, folder):
    """Tidemark from an empty state to all events committed, and what was due by then evaluated and published."""
    redis_server = Redis(folder / "redis", durability=None).start().wait_ready()
    group = f"bench{uuid.uuid4().hex[:8]}"
    config = config_of(options, kafka, redis_server, group)
    process = Tidemark(folder / group, config)
    topics.create({f"{group}.out": options.partitions, f"{group}.dead": options.partitions})
    inputs = [f"bench.{name}" for name in INPUTS]
    ends = topics.ends(*inputs)
    client = redis_server.client()
    empty = client.info("memory")["used_memory_dataset"]
    redis_before, broker_before = cpu_s(redis_server), cpu_s(kafka)
    started = time.monotonic()
    process.start(*(word for setting in options.set for word in ("--set", setting)))

    profiler = None
    if options.profile:
        time.sleep(1)  # perf takes the threads that are there
        profiler = subprocess.Popen(["perf", "record", "-q", "-e", "cpu-clock", "-F", "499", "-g", "-o", options.profile, "-p", str(process.process.pid)])

    def done():
        process.fail_if_dead()
        committed = topics.committed(group, *inputs)
        return all(committed.get(part, 0) >= end for part, end in ends.items()) and settled(client, options.partitions)

    wait_until(done, READ_TIMEOUT_S, "everything committed", every_s=0.2)
    wall_s = time.monotonic() - started
    if profiler:
        profiler.send_signal(signal.SIGINT)
        profiler.wait()
    result = {
        "cpu_s": cpu_s(process), "wall_s": wall_s, "peak_mb": peak_mb(process),
        "redis_cpu_s": cpu_s(redis_server) - redis_before, "broker_cpu_s": cpu_s(kafka) - broker_before,
        "redis_bytes": client.info("memory")["used_memory_dataset"] - empty,
        "customers": sum(client.hlen(key) for key in client.scan_iter("*:c:*", 1000)),
        "tier_changes": process.metric("tidemark_tier_changes_total"),
    }
    assert process.terminate() == 0, process.tail()
    process.destroy()
    redis_server.destroy()
    return result


def rounds(options, folder):
    kafka = Kafka(folder / "kafka").start().wait_ready()
    try:
        written_s = write_history(options, kafka, folder)
        print(f"{options.events:,} events of {options.customers:,} customers written in {written_s:.0f} s", flush=True)
        topics = Topics(kafka.bootstrap)
        results = []
        for number in range(options.rounds):
            results.append({"bare": bare(options, kafka), "tidemark": scored(options, kafka, topics, folder)})
            print(f"round {number + 1}: {json.dumps(results[-1])}", flush=True)
        return results
    finally:
        kafka.destroy()


def table(options, results):
    """Medians, and ratios of the two halves of the same round."""
    million = options.events / 1e6

    def median(side, name):
        return statistics.median(result[side][name] for result in results)

    ratio = statistics.median(result["tidemark"]["cpu_s"] / result["bare"]["cpu_s"] for result in results)
    redis_ratio = statistics.median(result["tidemark"]["redis_cpu_s"] / result["tidemark"]["cpu_s"] for result in results)
    customers = median("tidemark", "customers")
    return [
        ("bare consumer, CPU s per million events", median("bare", "cpu_s") / million),
        ("tidemark, CPU s per million events", median("tidemark", "cpu_s") / million),
        ("  times the bare consumer", ratio),
        ("Redis, CPU s per million events", median("tidemark", "redis_cpu_s") / million),
        ("  times tidemark", redis_ratio),
        ("broker, CPU s per million events", median("tidemark", "broker_cpu_s") / million),
        ("bare consumer, events a second", options.events / median("bare", "wall_s")),
        ("tidemark, events a second", options.events / median("tidemark", "wall_s")),
        ("bare consumer, peak MB", median("bare", "peak_mb")),
        ("tidemark, peak MB", median("tidemark", "peak_mb")),
        ("customers", customers),
        ("Redis, bytes per customer", median("tidemark", "redis_bytes") / customers),
        ("tier changes", median("tidemark", "tier_changes")),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=3_000_000)
    parser.add_argument("--customers", type=int, default=200_000)
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--delivery", choices=("exactly_once", "at_least_once"), default="exactly_once")
    parser.add_argument("--json", type=Path, help="write all rounds and the table here")
    parser.add_argument("--profile", type=Path, help="let perf record each tidemark run into this file")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="for tidemark run")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="tidemark-bench-"))
    try:
        results = rounds(options, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    rows = table(options, results)
    print(f"\n{platform.machine()}, {os.cpu_count()} cores; medians of {options.rounds}; {options.delivery}")
    for name, value in rows:
        print(f"{name:45} {value:>14,.2f}" if value < 1000 else f"{name:45} {value:>14,.0f}")
    if options.json:
        options.json.write_text(json.dumps({"rows": dict(rows), "rounds": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()

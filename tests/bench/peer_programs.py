"""The same job in Kafka Streams, Flink and Go, from a folder of their own beside the repository (shared/peers).

The sources are copied before they are built: nothing is ever written into that folder.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from lab import INPUTS, LONG_S, cpu_s
from table import NotMeasured

BUILD = Path(__file__).parents[2] / "build" / "peers"
BUILD_TIMEOUT_S = 1200
TIERS = ("none", "dormant", "ordinary", "potential", "vip")  # by SPEC.md's numbers

# name -> script, environment. All of them are exactly once but Go's, which is at least once.
VARIANTS = {
    "kafka-streams": ("kstreams/run.sh", {"GUARANTEE": "exactly_once_v2"}),
    "kafka-streams-timers": ("kstreams/run.sh", {"GUARANTEE": "exactly_once_v2", "TIMERS": "on"}),
    "flink": ("flink/run.sh", {"GUARANTEE": "exactly_once"}),
    "flink-timers": ("flink/run.sh", {"GUARANTEE": "exactly_once", "TIMERS": "on"}),
    "go": ("go/run.sh", {}),
    "go-timers": ("go/run.sh", {"TIMERS": "on"}),
}


def check(folder):
    """Raises NotMeasured when the peers are not there, or nothing that could build them."""
    if not (folder / "SPEC.md").is_file():
        raise NotMeasured("no folder shared/peers beside the repository (--peers DIR names another)")


def missing_tools(name):
    tools = ("go",) if name.startswith("go") else ("java", "mvn", "javac", "go")
    return [tool for tool in tools if not shutil.which(tool)]


def _copy(source, target):
    """Whatever has changed; readable by its owner, whatever it was there."""
    for path in source.rglob("*"):
        if path.is_file() and "target" not in path.parts:
            copy = target / path.relative_to(source)
            if not copy.is_file() or copy.read_bytes() != path.read_bytes():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)
            copy.chmod(0o755 if os.access(path, os.X_OK) else 0o644)


def _make(problems, kind, command, folder):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=BUILD_TIMEOUT_S)
    if done.returncode != 0:
        problems[kind] = f"its build failed: {' '.join((done.stdout + done.stderr).split())[-300:]}"


def build(folder):
    """Copies and builds; kind (java, go) -> problem, for what did not build."""
    _copy(folder, BUILD)
    problems = {}
    if shutil.which("mvn") and shutil.which("javac"):
        _make(problems, "java", ["mvn", "--batch-mode", "--quiet", "package"], BUILD)
    if shutil.which("go"):
        _make(problems, "go", ["go", "build", "-o", "bin/", "./cmd/..."], BUILD / "go")
    return problems


class Peer:
    """One variant over one history (topics PREFIX.purchases, ...)."""

    def __init__(self, name, lab, prefix):
        self.name = name
        self.lab = lab
        self.output = f"{prefix}.{name}.out"
        self.script, settings = VARIANTS[name]
        self.environment = settings | {
            "BOOTSTRAP": lab.kafka.bootstrap, "OUTPUT": self.output, "NAME": name, "EVENTS": str(lab.options.events),
            "STATE_DIR": str(lab.folder / f"state-{name}"),
        } | {topic.upper(): f"{prefix}.{topic}" for topic in INPUTS}

    def run(self):
        """To the end of its input: what it told of itself, and the broker's CPU seconds."""
        redis_server = self.lab.redis() if self.name.startswith("go") else None
        if redis_server:
            self.environment["REDIS"] = f"127.0.0.1:{redis_server.port}"
        self._new_output()
        broker_before = cpu_s(self.lab.kafka)
        done = subprocess.run([str(BUILD / self.script)], env=os.environ | self.environment, capture_output=True, text=True,
                              timeout=LONG_S)
        broker = cpu_s(self.lab.kafka) - broker_before
        if redis_server:
            self.lab.stop(redis_server)
        told = dict(re.findall(r"([\w/]+)=([\d.]+)", done.stdout))
        if done.returncode != 0 or float(told.get("events", 0)) < self.lab.options.events:
            raise NotMeasured(f"{self.name} failed: {' '.join((done.stdout + done.stderr).split())[-300:]}")
        return {
            "cpu_s": float(told["cpu"]), "warm_us": float(told["cpu_per_M_2nd_half"]), "peak_mb": float(told["rss_MB"]),
            "rate": float(told["rate"]), "redis_cpu_s": float(told.get("redis_cpu", 0)), "broker_cpu_s": broker,
        }

    def _new_output(self):
        self.lab.topics.delete(self.output)
        self.lab.topics.create({self.output: self.lab.options.partitions})

    def final_tiers(self):
        """customer -> tier, as published last."""
        return {key: _tier(value) for key, value in self.lab.last_values(self.output).items()}


def _tier(value):
    """The field `to` (3) of their TierChange, whose other fields are numbers but the first."""
    at = 2 + value[1]
    while at < len(value):
        if value[at] == 3 << 3:
            return TIERS[value[at + 1]]
        at += 1
        while value[at] & 0x80:
            at += 1
        at += 1
    return TIERS[0]

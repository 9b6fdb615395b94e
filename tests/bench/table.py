"""What is measured, by name, with its aim; and the table that comes out.

A row is measured as one, may have several figures, and each figure may have an aim. A family of rows (rows/) measures them
in rounds; of each figure the median of all rounds counts.
"""

import operator
import os
import platform
import re
import statistics
import subprocess
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

COMPARISONS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


@dataclass(frozen=True)
class Figure:
    """One number of a row. The aim reads like "<= 1.5"; empty: the number is told, and nothing asked of it."""

    name: str
    label: str
    aim: str = ""

    def meets(self, value):
        comparison, number = self.aim.split()
        return COMPARISONS[comparison](value, float(number))

    def ratio(self, value):
        """How much better than the aim: 2 is twice as good, below 1 it is missed."""
        comparison, number = self.aim.split()
        better, worse = (float(number), value) if comparison.startswith("<") else (value, float(number))
        return better / worse if worse > 0 else float("inf")


@dataclass(frozen=True)
class Row:
    name: str
    what: str
    figures: tuple


class NotMeasured(Exception):
    """Why a row cannot be measured here; the others go on."""


@dataclass
class Outcome:
    """All rounds of a row: figure -> values, one of each round; or the reason why there is none."""

    rounds: dict = field(default_factory=dict)
    reason: str = ""

    def add(self, values):
        for name, value in values.items():
            self.rounds.setdefault(name, []).append(value)

    def median(self, name):
        return statistics.median(self.rounds[name]) if self.rounds.get(name) else None

    def spread(self, name):
        values = self.rounds[name]
        return (min(values), max(values))


def number(value):
    if value == int(value) and abs(value) >= 100 or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:,.3g}" if abs(value) < 1 else f"{value:,.2f}"


def figures_of(row, outcome):
    """Those of the row, then what a measurement told besides under names of its own (one for each size, say)."""
    known = {figure.name for figure in row.figures}
    return row.figures + tuple(Figure(name, f"{row.what}: {name}") for name in outcome.rounds if name not in known)


def lines_of(row, outcome):
    if outcome.reason and not outcome.rounds:
        yield f"| {row.name} | {row.what} | | | | not measured: {outcome.reason} |"
        return
    for figure in figures_of(row, outcome):
        value = outcome.median(figure.name)
        if value is None:
            yield f"| {row.name} | {figure.label} | {figure.aim} | | | not measured{': ' + outcome.reason if outcome.reason else ''} |"
            continue
        least, most = outcome.spread(figure.name)
        spread = f"{number(least)} to {number(most)}" if least < most else ""
        met = f"{'yes' if figure.meets(value) else 'NO'}, {number(figure.ratio(value))}" if figure.aim else ""
        yield f"| {row.name} | {figure.label} | {figure.aim} | {number(value)} | {spread} | {met} |"


def markdown(rows, outcomes):
    """The table, ready to be pasted into README.md."""
    head = ["| row | figure | aim | median | range | met, times better than the aim |", "|---|---|---|---:|---:|---|"]
    return "\n".join(head + [line for row in rows for line in lines_of(row, outcomes[row.name])])


def as_json(rows, outcomes):
    return {
        row.name: {
            "what": row.what, "reason": outcomes[row.name].reason,
            "figures": {
                figure.name: {
                    "label": figure.label, "aim": figure.aim, "median": outcomes[row.name].median(figure.name),
                    "rounds": outcomes[row.name].rounds.get(figure.name, []),
                    "met": figure.meets(outcomes[row.name].median(figure.name))
                    if figure.aim and outcomes[row.name].median(figure.name) is not None else None,
                } for figure in figures_of(row, outcomes[row.name])
            },
        } for row in rows
    }


def _first_line(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except OSError:
        return "none"
    return ((done.stdout + done.stderr).strip().splitlines() or ["unknown"])[0]


def _memory_gb():
    return int(re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text()).group(1)) / 2**20


def _kafka(lib):
    names = sorted(path.name for path in lib.glob("kafka_2.13-*.jar"))
    return names[0].removeprefix("kafka_2.13-").removesuffix(".jar") if names else "none"


def machine(binary, kafka_lib):
    """Where, when and with what: the table means nothing without it."""
    cpu = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    source = Path(__file__).parents[2]
    commit = _first_line("git", "-C", str(source), "log", "-1", "--format=%h")
    return {
        "date": date.today().isoformat(),
        "machine": f"{cpu.group(1) if cpu else platform.machine()}, {os.cpu_count()} cores, {_memory_gb():.0f} GB",
        "load": f"{os.getloadavg()[0]:.1f} when it began",
        "kernel": platform.release(),
        "commit": commit,
        "tidemark": _first_line(str(binary), "--version"),
        "compiler": _first_line("cc", "--version"),
        "Kafka": _kafka(kafka_lib),
        "Redis": _first_line("redis-server", "--version").split(" sha")[0],
        "Java": _first_line("java", "-version"),
        "Go": _first_line("go", "version"),
    }

"""Measures the rows of the table, prints it, and writes it as JSON. tests/bench/run builds what it needs and calls it."""

import argparse
import json
import shutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

from lab import KAFKA_LIB, Lab, tidemark_binary
from rows import FAMILIES
from table import NotMeasured, Outcome, as_json, machine, markdown

REPOSITORY = Path(__file__).parents[2]

# Option -> size in a full run, in a quick one.
SIZES = {
    "events": (3_000_000, 300_000),
    "customers": (200_000, 20_000),
    "partitions": (4, 4),
    "rounds": (3, 1),
    "rate": (5_000, 5_000),
    "warm_up": (20, 5),
    "seconds": (30, 10),
    "due": (1_000_000, 100_000),
    "customers_max": (5_000_000, 200_000),
    "partitions_max": (64, 64),
}
HELP = {
    "events": "of the reference workload; where events are only counted, a third of them",
    "customers": "of the reference workload, and of those who are known before live events come",
    "partitions": "of each topic",
    "rounds": "of which the medians count",
    "rate": "live events a second",
    "warm_up": "seconds of live events that do not count yet",
    "seconds": "of live events that count",
    "due": "customers due at midnight",
    "customers_max": "the most customers of the range",
    "partitions_max": "the most partitions of the range",
}
ALL_ROWS = {row.name: row for family in FAMILIES for row in family.rows}


def parse(words):
    parser = argparse.ArgumentParser(prog="tests/bench/run", description=__doc__)
    parser.add_argument("--row", action="append", choices=sorted(ALL_ROWS), metavar="NAME", help="only this one (again: and that one)")
    parser.add_argument("--list", action="store_true", help="print the rows and their aims, measure nothing")
    parser.add_argument("--quick", action="store_true", help="small sizes and one round: whether it works, not what it costs")
    for name, (full, quick) in SIZES.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, metavar="N", help=f"{HELP[name]} (default {full:,}; quick {quick:,})")
    parser.add_argument("--delivery", choices=("exactly_once", "at_least_once"), default="exactly_once")
    parser.add_argument("--history", choices=("mix", "shop"), default="mix",
                        help="of the rows beside a bare consumer: the mix of all comparisons, or what tidemark generate makes")
    parser.add_argument("--peers", type=Path, default=REPOSITORY.parent / "shared" / "peers", metavar="DIR",
                        help="the same job in Kafka Streams, Flink and Go (default: ../shared/peers beside the repository)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all rounds and medians here")
    parser.add_argument("--profile", type=Path, metavar="FILE", help="let perf record each run that catches up into this file")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="for tidemark run")
    options = parser.parse_args(words)
    for name, sizes in SIZES.items():
        if getattr(options, name) is None:
            setattr(options, name, sizes[options.quick])
    options.row = options.row or list(ALL_ROWS)
    return options


def say(text):
    print(text, file=sys.stderr, flush=True)


def measure_family(kind, options, outcomes):
    """All rounds of one family, on a broker of its own; whether something broke on the way."""
    wanted = [row.name for row in kind.rows if row.name in options.row]
    kind.check(options)
    folder = Path(tempfile.mkdtemp(prefix="tidemark-bench-"))
    lab = family = None
    try:
        lab = Lab(options, folder)
        family = kind(lab, options, wanted)
        family.prepare()
        for number in range(options.rounds):
            started = time.monotonic()
            values = family.round()
            for row, figures in values.items():
                if row in wanted:
                    outcomes[row].add(figures)
            say(f"round {number + 1} in {time.monotonic() - started:.0f} s: {json.dumps({row: values[row] for row in values if row in wanted})}")
            for row, reason in family.reasons.items():
                say(f"round {number + 1} without {row}: {reason}")
        return family.broken
    finally:
        for row in wanted:
            outcomes[row].reason = family.reasons.get(row, "") if family else ""
        if lab:
            lab.close()
        shutil.rmtree(folder, ignore_errors=True)


def measure_all(options):
    """Outcomes by row, and whether something broke (and not only was missing)."""
    outcomes = {name: Outcome() for name in options.row}
    broken = False
    for kind in FAMILIES:
        wanted = [row.name for row in kind.rows if row.name in options.row]
        if not wanted:
            continue
        say(f"{kind.__name__.lower()}: {', '.join(wanted)}")
        reason = ""
        try:
            broken |= measure_family(kind, options, outcomes)
        except NotMeasured as problem:
            reason = str(problem)
        except Exception as problem:  # whatever broke one family must not take the others' figures along
            traceback.print_exc()
            reason, broken = f"broken: {' '.join(str(problem).split())[:200]}", True
        for row in wanted:
            outcomes[row].reason = outcomes[row].reason or reason
    return outcomes, broken


def main():
    options = parse(sys.argv[1:])
    rows = [ALL_ROWS[name] for name in ALL_ROWS if name in options.row]
    if options.list:
        for row in rows:
            aims = "; ".join(f"{figure.label.strip()} {figure.aim}" for figure in row.figures if figure.aim)
            print(f"{row.name:22}{row.what}{': ' + aims if aims else ''}")
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no server is left behind
    where = machine(tidemark_binary(), KAFKA_LIB)
    started = time.monotonic()
    outcomes, broken = measure_all(options)
    sizes = {name: getattr(options, name) for name in SIZES}
    print("; ".join(f"{name} {value}" for name, value in where.items()))
    print(f"\n{options.delivery}; " + ", ".join(f"{name.replace('_', '-')} {value:,}" for name, value in sizes.items())
          + f"; {(time.monotonic() - started) / 60:.0f} minutes\n")
    print(markdown(rows, outcomes))
    if options.json:
        result = {"machine": where, "delivery": options.delivery, "sizes": sizes, "rows": as_json(rows, outcomes)}
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

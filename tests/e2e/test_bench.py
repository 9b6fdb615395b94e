"""The bench's arithmetic, without servers: what the table says of a measurement."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "bench"))

from lab import Probe, latencies  # noqa: E402
from peer_programs import _tier  # noqa: E402
from rows import FAMILIES  # noqa: E402
from rows.scale import cpu_us_after  # noqa: E402
from table import Figure, NotMeasured, Outcome, Row, as_json, markdown  # noqa: E402

ROW = Row("speed", "how fast", (Figure("rate", "events a second", "> 100"), Figure("cost", "CPU", "<= 2"), Figure("told", "told")))


def outcome(*rounds, reason=""):
    result = Outcome(reason=reason)
    for values in rounds:
        result.add(values)
    return result


def test_the_median_of_all_rounds_is_held_against_the_aim():
    table = markdown([ROW], {"speed": outcome({"rate": 90, "cost": 4}, {"rate": 300, "cost": 5}, {"rate": 200, "cost": 1})})
    assert "| speed | events a second | > 100 | 200 | 90.00 to 300 | yes, 2.00 |" in table
    assert "| speed | CPU | <= 2 | 4.00 | 1.00 to 5.00 | NO, 0.5 |" in table


def test_a_row_that_could_not_be_measured_says_why():
    table = markdown([ROW], {"speed": outcome(reason="no Java")})
    assert table.splitlines()[2:] == ["| speed | how fast | | | | not measured: no Java |"]


def test_what_is_told_besides_the_named_figures_is_in_the_table_and_the_json():
    outcomes = {"speed": outcome({"rate": 200, "64": 3.5})}
    assert "| speed | how fast: 64 |  | 3.50 |" in markdown([ROW], outcomes)
    figures = as_json([ROW], outcomes)["speed"]["figures"]
    assert figures["64"]["median"] == 3.5 and figures["rate"]["met"] is True and figures["cost"]["met"] is None


def test_rows_have_names_of_their_own():
    names = [row.name for family in FAMILIES for row in family.rows]
    assert len(names) == len(set(names))


def test_latency_is_not_told_of_tier_changes_that_never_came():
    came = [Probe(0, 10.0, 10.0 + number / 1000) for number in range(1, 101)]
    assert latencies(came, "all") == pytest.approx((50, 99), abs=1)
    with pytest.raises(NotMeasured, match="1 of 101"):
        latencies([*came, Probe(0, 10.0, None)], "all")


def test_the_touch_ends_between_two_samples():
    samples = [(0, 0, 1.0), (1, 100, 2.0), (2, 300, 3.0), (3, 400, 4.0)]
    # 200 touched at 2.5 s of CPU; 200 more events by 4.5 s.
    assert cpu_us_after({"samples": samples, "cpu_s": 4.5}, 200) == pytest.approx(2.0 / 200 * 1e6)
    with pytest.raises(NotMeasured):
        cpu_us_after({"samples": samples, "cpu_s": 4.5}, 400)


def test_the_peers_tier_is_the_field_to_whatever_stands_before_it():
    customer = b"\x0a\x03c\x18\x04"  # an id that looks like the field
    assert _tier(customer + b"\x10\x01\x18\x03\x20\x05") == "potential"
    assert _tier(customer + b"\x18\x01") == "dormant"  # from none: left out
    assert _tier(customer + b"\x10\x04") == "none"

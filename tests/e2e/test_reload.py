"""New rules without a restart: the process reads its file again on SIGHUP, and what follows is as the oracle says, to the record."""

import copy
import json
import re
import signal

import pytest
import yaml

import workload
from campaign import check_counts, check_views, compare, flat
from oracle import Renewal
from rules_config import RULES
from servers import wait_until
from test_disturbed import slow_campaign
from test_populations import metas


def other_rules():
    """Other limits, tiers that go and come, a set less and a set more, another order. No window looks further back than before."""
    sets = copy.deepcopy(RULES["tier_sets"])
    scores = copy.deepcopy(RULES["scores"])
    scores["m"]["steps"] = [15, 50, 120]
    scores["q"] = {"metric": "purchases(90d)", "steps": [1, 3]}
    value = {**sets["value"], "grace": "7d", "notice": "10d", "tiers": [
        {"name": "vip", "enter": "r + f + m >= 11", "treatment": {"service": "dedicated"}},
        {"name": "solid", "enter": "r + f + q >= 7"},
        {"name": "ordinary", "enter": "r + f + m >= 5"},
        {"name": "dormant"}]}
    fresh = {"tiers": [{"name": "buyer", "enter": "purchases(30d) >= 1"}, {"name": "looker", "enter": "interactions(30d) >= 1"},
                       {"name": "gone"}]}
    momentum = {**sets["momentum"], "hold": "3d"}
    return {"scores": scores, "tier_sets": {"mood": sets["mood"], "value": value, "fresh": fresh, "momentum": momentum}}


def told(process, path):
    return json.loads(process.http(path)[1])


def hang_up(process, config):
    """Writes the file and says so; what was read shows in the metrics."""
    process.config_file.write_text(yaml.safe_dump({**config, "http": process.config["http"]}, sort_keys=False))
    process.process.send_signal(signal.SIGHUP)


def reloads(process, result):
    return process.metric("tidemark_reloads_total", result=result)


TAKEN = re.compile(r"took new rules.* task=(\d+) rules=(\w+) edition=(\d+) clock=(-?\d+) offsets=(-?\d+),(-?\d+),(-?\d+)")


def taken(process):
    """task -> [(rules, clock, offsets)], as the log tells."""
    found = {}
    for task, rules, _, clock_ms, *offsets in TAKEN.findall(process.log.read_text()):
        found.setdefault(int(task), []).append((rules, int(clock_ms), tuple(max(0, int(offset)) for offset in offsets)))
    return found


def wait_swept(campaign):
    wait_until(lambda: all(meta[b"edition"] == meta[b"edition.swept"] != b"0" for meta in metas(campaign)), 60, "a sweep")


@pytest.fixture
def campaign(kafka, redis_server, tmp_path):
    run = slow_campaign(kafka, redis_server, tmp_path)
    yield run
    run.destroy()


def test_rules_change_under_load_and_every_tier_change_is_as_the_oracle_says(campaign):
    process = campaign.start(workers=1).wait_ready()
    first = campaign.config
    second = first | other_rules()
    steps = [second, first, second]  # there, back, and there again
    assert [of["name"] for of in told(process, "/v1/value")["tier_sets"]] == list(first["tier_sets"])
    for number, config in enumerate(steps, 1):
        wait_until(lambda: sum(process.metric("tidemark_events_total", topic=name) or 0 for name in campaign.input_names())
                   > 2500 * number, 60, "events", every_s=0.02)
        hang_up(process, config)
        wait_until(lambda: reloads(process, "ok") == number, 20, "new rules")
        wait_until(lambda: sum(map(len, taken(process).values())) == number * campaign.partitions, 20, "all tasks to take them")
        assert not campaign.is_read(), "the rules came when everything was done"
    campaign.wait_read()
    wait_swept(campaign)
    renewals = {task: [Renewal(config, offsets, clock_ms) for config, (_, clock_ms, offsets) in zip(steps, places)]
                for task, places in taken(process).items()}
    assert len(renewals) == campaign.partitions
    expected = campaign.expected(config=first, renewals=renewals)
    by_rules = [change for change in flat(expected.changes) if change["cause"] == "RULES"]
    assert len(by_rules) > 1000 and {"FIRST", "UP", "DOWN"} <= {change["direction"] for change in by_rules}
    campaign.wait_published(len(flat(expected.changes)))
    published = campaign.published()
    compare(published, expected.changes)
    campaign.config = second
    check_counts(campaign, expected)
    check_views(process, expected.views)
    assert len({change["rules_version"] for change in flat(published)}) == 2
    tiers = {of["name"]: {tier["name"]: tier["customers"] for tier in of["tiers"]} for of in told(process, "/v1/tiers")["tier_sets"]}
    assert {(name, tier): count for name, of in tiers.items() for tier, count in of.items() if count} == expected.populations
    assert list(tiers) == list(second["tier_sets"])
    value = {of["name"]: {tier["name"]: tier["customers"] for tier in of["tiers"]} for of in told(process, "/v1/value")["tier_sets"]}
    assert value == tiers
    assert process.terminate() == 0


def test_wrong_rules_are_refused_and_the_old_ones_go_on(campaign):
    process = campaign.start(workers=1).wait_ready()
    wrong = copy.deepcopy(campaign.config)
    wrong["tier_sets"]["value"]["tiers"][0]["enter"] = "r + f + n >= 12"
    missing = copy.deepcopy(campaign.config)
    missing["tier_sets"]["value"]["topic"] = "nowhere"
    zone = campaign.config | {"state": campaign.config["state"] | {"time_zone": "Europe/Nowhere"}}
    for number, (config, words) in enumerate([(wrong, "unknown metric or score 'n'"), (missing, "missing topics: nowhere"),
                                              (zone, "knows no zone 'Europe/Nowhere'")], 1):
        hang_up(process, config)
        wait_until(lambda: reloads(process, "refused") == number, 30, "a refusal")
        told = process.cli("check").stderr
        assert words in told, told
        assert words in process.log.read_text(), process.tail()
    assert reloads(process, "ok") == 0 and not taken(process)
    hang_up(process, campaign.config)
    campaign.wait_read()
    expected = campaign.expected()
    campaign.wait_published(len(flat(expected.changes)))
    compare(campaign.published(), expected.changes)
    check_counts(campaign, expected)
    assert process.is_ready()


def test_what_needs_a_restart_is_named_and_left_alone(campaign):
    process = campaign.start(workers=1).wait_ready()
    config = campaign.config | {"workers": 3, "group": "another", "redis": campaign.config["redis"] | {"durability": "fsync"},
                                "state": campaign.config["state"] | {"time_zone": "Asia/Tokyo"},
                                "kafka": campaign.config["kafka"] | {"linger.ms": 5}}
    hang_up(process, config)
    wait_until(lambda: reloads(process, "ok") == 1, 30, "new rules")
    assert 'options="group, kafka, redis.durability, workers, state.time_zone"' in process.log.read_text(), process.tail()
    campaign.wait_read()
    expected = campaign.expected()
    campaign.wait_published(len(flat(expected.changes)))
    compare(campaign.published(), expected.changes)


def test_words_alone_change_without_evaluating_anybody(campaign):
    """Treatments decide nothing: they are taken, and no new edition begins."""
    process = campaign.start(workers=1).wait_ready()
    config = copy.deepcopy(campaign.config)
    for tier_set in config["tier_sets"].values():
        for tier in tier_set["tiers"]:
            tier["treatment"] = {"since": "today"}
    hang_up(process, config)
    wait_until(lambda: len(taken(process)) == campaign.partitions, 30, "new words in all tasks")
    campaign.wait_read()
    assert {meta[b"edition"] for meta in metas(campaign)} == {b"0"}
    expected = campaign.expected()
    campaign.wait_published(len(flat(expected.changes)))
    treatments = [change["treatment"] for change in flat(campaign.published())]
    assert treatments.count({"since": "today"}) > len(treatments) / 2
    assert "RULES" not in {change["cause"] for change in flat(campaign.published())}

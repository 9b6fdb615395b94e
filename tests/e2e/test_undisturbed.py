"""CDNOW's customers, scored by one process that nobody disturbs: every tier change as the oracle says."""

import json

import pytest

import workload
from campaign import INPUTS, Campaign, compare, flat, same


@pytest.fixture(params=["protobuf", "json", "confluent-protobuf"])
def campaign(request, kafka, redis_server, tmp_path):
    run = Campaign(kafka, redis_server, tmp_path, format=request.param)
    yield run
    run.destroy()


def test_every_tier_change_is_as_the_oracle_says(campaign):
    campaign.load(workload.shop(seed=1))
    process = campaign.start().wait_ready()
    campaign.wait_read()
    expected = campaign.expected()
    assert not expected.dead, list(expected.dead.items())[:3]
    campaign.wait_published(len(flat(expected.changes)))
    compare(campaign.published(), expected.changes)
    for word in INPUTS:
        for result in ("applied", "duplicate", "late", "dead"):
            assert process.metric("tidemark_events_total", topic=campaign.names[word], result=result) == \
                expected.counts[word, result], (word, result)
    populations = {}
    for partition in range(campaign.partitions):
        for field, count in campaign.redis.client().hgetall(f"tm:{{{campaign.group}.{partition}}}:pop").items():
            kind, *rest = field.decode().split("/")
            if kind == "tier" and int(count):
                populations[tuple(rest)] = populations.get(tuple(rest), 0) + int(count)
    assert populations == expected.populations
    assert process.terminate() == 0
    check_views(process, expected.views)


def check_views(process, views):
    """`tidemark get` tells of each customer what the oracle tells."""
    at_ms = next(iter(views.values()))[0]
    done = process.cli("get", "--at", at_ms, *views, "nobody")
    assert done.returncode == 1 and "nobody" in done.stderr
    told = {view["customer_id"]: view for view in map(json.loads, done.stdout.splitlines())}
    assert told.keys() == views.keys()
    for customer, (_, wanted) in views.items():
        view = told[customer]
        assert view["as_of_ms"] == at_ms
        assert same(wanted["scores"], view["scores"]) and same(wanted["metrics"], view["metrics"]), (wanted, view)
        for name, tier in wanted["tiers"].items():
            assert same(tier, {key: view["tiers"][name][key] for key in tier}), (customer, name, tier, view["tiers"][name])
        for name, value in wanted["lifetime"].items():
            assert same(value, view["lifetime"][name]), (customer, name, wanted, view)

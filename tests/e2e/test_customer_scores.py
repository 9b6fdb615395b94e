"""The compacted topic: how each customer stands after every instant at which a tier changed, each once, whatever happens."""

import json
import random
import time
from itertools import groupby

import pytest
import wire
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType
from servers import Tidemark
from test_disturbed import finish, slow_campaign

OUTPUTS = ["json", "protobuf"]


@pytest.fixture
def campaign(kafka, redis_server, tmp_path, request):
    run = slow_campaign(kafka, redis_server, tmp_path, output_format=getattr(request, "param", "json"))
    name = f"{run.group}.scores"
    run.topics.create({name: run.partitions})
    run.config["topics"]["customer_scores"] = run.names["customer_scores"] = name
    yield run
    run.destroy()


def as_json(value, output_format):
    """A record's value as its JSON is, or would be."""
    if output_format == "json":
        return json.loads(value)
    score = wire.message_class("CustomerScore").FromString(value)
    numbers = {part: {each.name: each.value if each.HasField("value") else None for each in getattr(score, part)}
               for part in ("scores", "metrics")}
    tiers = {each.tier_set: {"tier": each.tier, "since_ms": each.since_ms, "sequence": each.sequence} for each in score.tiers}
    return {"customer_id": score.customer_id, "as_of_ms": score.as_of_ms, "tiers": tiers, **numbers,
            "rules_version": score.rules_version, "cut_points_version": score.cut_points_version}


def standings(changes):
    """What must be told of a customer: after all changes of an evaluation, where it stands, and some of its values."""
    tiers = {}
    told = [change for change in changes if change["direction"] != "WILL_FALL"]
    for (at_ms, _, _), same in groupby(told, lambda c: (c["effective_time_ms"], c["cause"], c["cause_event_id"])):
        values = {}
        for change in same:
            tiers[change["tier_set"]] = {"tier": change["to"], "since_ms": at_ms, "sequence": change["sequence"]}
            values |= change["metrics"]
        yield at_ms, dict(tiers), values


def check(campaign, expected, output_format):
    found = {}
    ids = set()
    for message in campaign.topics.read(campaign.names["customer_scores"]):
        headers = {name: value.decode() for name, value in message.headers()}
        standing = as_json(message.value(), output_format)
        assert message.key().decode() == standing["customer_id"] == headers["ce_subject"]
        assert headers["ce_type"] == "io.tidemark.customer_score.v1"
        assert headers["ce_id"] not in ids, "told twice"
        ids.add(headers["ce_id"])
        found.setdefault(standing["customer_id"], []).append(standing)
    assert found.keys() == expected.changes.keys()
    for customer, changes in expected.changes.items():
        wanted = list(standings(changes))
        assert len(found[customer]) == len(wanted), (customer, wanted, found[customer])
        for (at_ms, tiers, values), standing in zip(wanted, found[customer]):
            assert standing["as_of_ms"] == at_ms, customer
            assert standing["tiers"] == tiers, (customer, at_ms)
            assert standing["scores"].keys() == campaign.config["scores"].keys()
            told = standing["scores"] | standing["metrics"]
            for name, value in values.items():
                assert told[name] == value or abs(told[name] - value) <= 1e-9 * max(1, abs(value)), (customer, at_ms, name)


@pytest.mark.parametrize("campaign", OUTPUTS, indirect=True)
def test_every_standing_is_told_once_though_processes_are_killed(campaign):
    rng = random.Random(3)
    process = campaign.start().wait_ready()
    for _ in range(6):
        time.sleep(rng.uniform(0.1, 0.6))
        process.restart()
        process.wait_ready()
    output_format = campaign.config["output_format"]
    if output_format == "json":
        expected = finish(campaign)
    else:
        campaign.wait_read()
        expected = campaign.expected()
    check(campaign, expected, output_format)


def test_a_rebuild_tells_no_standing_twice(campaign):
    process = campaign.start().wait_ready()
    time.sleep(1)
    process.kill()
    campaign.redis.client().flushall()
    process.start("--set", "state.rebuild=true")
    check(campaign, finish(campaign), "json")
    assert process.metric("tidemark_suppressed_total") > 0


def test_generate_makes_it_compacted(kafka, campaign):
    name = f"{campaign.group}.made"
    tool = Tidemark(campaign.folder / "made", campaign.config, "made")
    done = tool.cli("generate", "--events", 10, "--set", f"topics.customer_scores={name}")
    tool.destroy()
    assert done.returncode == 0, done.stderr
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    (described,) = admin.describe_configs([ConfigResource(ResourceType.TOPIC, name)]).values()
    assert described.result()["cleanup.policy"].value == "compact"


def test_a_missing_topic_is_named(campaign):
    done = campaign.process().cli("check", "--set", "topics.customer_scores=nowhere")
    assert done.returncode == 78 and "missing topics: nowhere" in done.stderr

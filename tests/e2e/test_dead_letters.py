"""Records that cannot be applied become dead letters, with everything that was in them, and hurt nobody else."""

import json

import pytest

import workload
from campaign import INPUTS, Campaign, compare, flat
from oracle.partition import partition_of
from wire import event_to_protobuf


@pytest.fixture
def campaign(kafka, redis_server, tmp_path):
    run = Campaign(kafka, redis_server, tmp_path)
    yield run
    run.destroy()


def test_bad_records_become_dead_letters(campaign):
    lines = workload.shop(seed=2, customers=150)
    campaign.load(lines)
    start, end = lines[0].order_ms, lines[-1].order_ms
    bad = list(workload.bad_records(start, end))
    headers = [("trace", b"abc"), ("none", None)]
    campaign.topics.produce([
        (campaign.names[record.topic], partition_of(record.key, campaign.partitions), record.key,
         record.raw if record.raw is not None else event_to_protobuf(record.topic, record.fields), record.timestamp_ms, headers)
        for record in bad])
    process = campaign.start().wait_ready()
    campaign.wait_read()
    expected = campaign.expected()
    campaign.wait_published(len(flat(expected.changes)))
    compare(campaign.published(), expected.changes)

    letters = {}
    for message in campaign.topics.read(campaign.names["dead_letters"]):
        told = dict(message.headers())
        assert told["trace"] == b"abc" and told["none"] is None
        place = told["tidemark-topic"].decode(), int(told["tidemark-partition"]), int(told["tidemark-offset"])
        assert place not in letters, "a dead letter twice"
        letters[place] = told["tidemark-reason"].decode(), message.key(), message.value()
        assert told["tidemark-detail"]
    records = {(m.topic(), m.partition(), m.offset()): m for m in campaign.topics.read(*campaign.input_names())}
    wanted = {(campaign.names[word], partition, offset): reason for (word, partition, offset), reason in expected.dead.items()}
    assert {place: letter[0] for place, letter in letters.items()} == wanted
    assert len(wanted) == len(bad)
    for place, (reason, key, value) in letters.items():
        original = records[place]
        assert key == original.key() and value == original.value(), reason
    for reason in set(wanted.values()):
        assert process.metric("tidemark_dead_letters_total", reason=reason) == list(wanted.values()).count(reason)


def test_misrouted_keys(campaign):
    campaign.config["format"] = "json"
    event = {"event_id": "e", "customer_id": "c", "event_time_ms": 1_000, "amount_minor": 100, "currency": "EUR"}
    wrong = (partition_of(b"c", campaign.partitions) + 1) % campaign.partitions
    campaign.topics.produce([(campaign.names["purchases"], wrong, b"c", json.dumps(event).encode(), 1_000, [])])
    process = campaign.start(misrouted="reject").wait_ready()
    campaign.wait_read()
    (letter,) = campaign.topics.read(campaign.names["dead_letters"])
    assert dict(letter.headers())["tidemark-reason"] == b"misrouted"
    assert process.metric("tidemark_misrouted_total") == 1
    assert process.terminate() == 0
    # Accepted, the customer is scored where the producer has sent it, and found there.
    campaign.topics.produce([(campaign.names["purchases"], wrong, b"c", json.dumps(event).encode(), 1_000, [])])
    process = campaign.start(misrouted="accept").wait_ready()
    campaign.wait_read()
    campaign.wait_published(len(campaign.config["tier_sets"]))
    assert process.customer("c")["lifetime"]["orders"] == 1
    assert process.cli("get", "c").returncode == 0


def test_a_content_type_mixes_formats_in_one_topic(campaign):
    event = {"event_id": "e", "customer_id": "c", "event_time_ms": 1_000, "amount_minor": 100, "currency": "EUR"}
    partition = partition_of(b"c", campaign.partitions)
    json_type = [("content-type", b"application/json")]
    fields = {name: value.encode() if isinstance(value, str) else value for name, value in event.items()}
    campaign.topics.produce([
        (campaign.names["purchases"], partition, b"c", json.dumps(event | {"event_id": "e1"}).encode(), 1_000, json_type),
        (campaign.names["purchases"], partition, b"c", event_to_protobuf("purchases", fields | {"event_id": b"e2"}), 1_000, []),
        (campaign.names["purchases"], partition, b"c", json.dumps(event | {"currency": "???"}).encode(), 1_000, json_type),
        (campaign.names["purchases"], partition, b"c", json.dumps(event).encode(), 1_000, []),
    ])
    process = campaign.start().wait_ready()
    campaign.wait_read()
    campaign.wait_published(len(campaign.config["tier_sets"]))
    assert process.customer("c")["lifetime"]["orders"] == 2
    reasons = [dict(letter.headers()) for letter in campaign.topics.read(campaign.names["dead_letters"])]
    assert [told["tidemark-reason"] for told in reasons] == [b"unknown_currency", b"undecodable"]
    assert reasons[0]["content-type"] == b"application/json"

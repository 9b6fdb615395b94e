"""With the wall clock, silence alone moves customers down; but never because a backlog had not been read yet."""

import json
import time

import pytest

from campaign import Campaign, flat
from oracle.partition import partition_of
from servers import wait_until

RULES = {"tier_sets": {"churn": {"tiers": [
    {"name": "low", "enter": "days_since_purchase <= 1"}, {"name": "high"}]}}}
DAY_MS = 86_400_000


@pytest.fixture
def campaign(kafka, redis_server, tmp_path):
    run = Campaign(kafka, redis_server, tmp_path, rules=RULES, clock="wall", format="json")
    yield run
    run.destroy()


def buy(campaign, customer, time_ms, topic="purchases"):
    event = {"event_id": f"{customer}-{time_ms}", "customer_id": customer, "event_time_ms": time_ms}
    if topic == "purchases":
        event |= {"amount_minor": 100, "currency": "EUR"}
    else:
        event |= {"kind": "PAGE_VIEW"}
    partition = partition_of(customer.encode(), campaign.partitions)
    return campaign.names[topic], partition, customer.encode(), json.dumps(event).encode(), time_ms, []


def test_silence_moves_a_customer_at_its_millisecond(campaign):
    process = campaign.start().wait_ready()
    wait_s = 4
    bought_ms = int(time.time() * 1000) - DAY_MS + wait_s * 1000
    campaign.topics.produce([buy(campaign, "c", bought_ms)])
    campaign.wait_published(1)
    first = flat(campaign.published())
    assert [change["to"] for change in first] == ["low"]
    assert first[0]["forecast"] == {"tier": "high", "time_ms": bought_ms + DAY_MS + 1}
    campaign.wait_published(2)
    _, change = flat(campaign.published())
    assert change["to"] == "high" and change["cause"] == "TIME" and change["cause_event_id"] is None
    assert change["effective_time_ms"] == bought_ms + DAY_MS + 1
    assert time.time() * 1000 >= bought_ms + DAY_MS
    assert process.metric("tidemark_due_fired_total") >= 1
    assert process.customer("c")["tiers"]["churn"]["tier"] == "high"


def test_a_backlog_fires_no_false_churn(campaign):
    """A customer who buys every half day has never been away for a day, however late their purchases are read."""
    start_ms = int(time.time() * 1000) - 30 * DAY_MS
    records = []
    for step in range(60):
        records.append(buy(campaign, "faithful", start_ms + step * DAY_MS // 2))
        records.append(buy(campaign, "faithful", start_ms + step * DAY_MS // 2 + 1, "interactions"))
    campaign.topics.produce(records)
    campaign.config["kafka"] |= {"queued.min.messages": 1, "fetch.message.max.bytes": 512, "fetch.queue.backoff.ms": 20}
    process = campaign.start().wait_ready()
    campaign.wait_read()
    wait_until(lambda: process.metric("tidemark_task_clock_seconds") is not None, 20, "a clock")
    time.sleep(3)
    assert [change["to"] for change in flat(campaign.published())] == ["low"]

"""The broker dies and comes back."""

import time

import pytest

import workload
from campaign import Campaign
from servers import Kafka, wait_until
from test_disturbed import Feeder, finish


@pytest.fixture
def own_kafka(tmp_path):
    server = Kafka(tmp_path / "kafka")
    try:
        yield server.start().wait_ready()
    finally:
        server.destroy()


def test_broker_killed_and_restarted(own_kafka, redis_server, tmp_path):
    campaign = Campaign(own_kafka, redis_server, tmp_path)
    campaign.lines = workload.shop(seed=1)
    feeder = Feeder(campaign, 3)
    process = campaign.start().wait_ready()
    feeder.feed()
    time.sleep(0.3)
    own_kafka.kill()
    wait_until(lambda: process.metric("tidemark_kafka_up") == 0, 30, "Kafka seen to be down")
    own_kafka.start().wait_ready()
    feeder.feed()
    time.sleep(0.5)
    own_kafka.kill()
    own_kafka.start().wait_ready()
    feeder.feed_all()
    finish(campaign)
    assert process.is_running()
    campaign.destroy()

"""The broker dies and comes back."""

import time

import pytest

from servers import Kafka, wait_until
from test_disturbed import finish, slow_campaign


@pytest.fixture
def own_kafka(tmp_path):
    server = Kafka(tmp_path / "kafka")
    try:
        yield server.start().wait_ready()
    finally:
        server.destroy()


def test_broker_killed_and_restarted(own_kafka, redis_server, tmp_path):
    campaign = slow_campaign(own_kafka, redis_server, tmp_path)
    process = campaign.start().wait_ready()
    time.sleep(1)
    own_kafka.kill()
    wait_until(lambda: process.metric("tidemark_kafka_up") == 0, 30, "Kafka seen to be down")
    own_kafka.start().wait_ready()
    process.wait_ready()
    time.sleep(1)
    own_kafka.kill()
    own_kafka.start().wait_ready()
    assert not campaign.is_read()
    finish(campaign)
    assert process.is_running()
    campaign.destroy()

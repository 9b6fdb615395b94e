"""Redis dies, loses what it acknowledged, or loses everything."""

import time

import pytest

import workload
from campaign import Campaign, compare, flat
from servers import Redis, wait_until
from test_disturbed import Feeder, finish


@pytest.fixture
def campaign(kafka, tmp_path, request):
    durability = getattr(request, "param", "everysec")
    server = Redis(tmp_path / "redis", durability=durability).start().wait_ready()
    run = Campaign(kafka, server, tmp_path)
    run.config["kafka"] |= {"queued.max.messages.kbytes": 16, "fetch.message.max.bytes": 4096}
    run.lines = workload.shop(seed=1)
    yield run
    run.destroy()
    server.destroy()


@pytest.mark.parametrize("campaign", ["always"], indirect=True)
def test_redis_killed_and_restarted(campaign):
    campaign.config["redis"]["durability"] = "fsync"
    feeder = Feeder(campaign, 6)
    process = campaign.start().wait_ready()
    for _ in range(4):
        feeder.feed()
        time.sleep(0.3)
        campaign.redis.kill()
        wait_until(lambda: process.http("/readyz")[0] == 503, 20, "not ready without Redis")
        assert process.metric("tidemark_redis_up") == 0
        campaign.redis.start().wait_ready()
    feeder.feed_all()
    finish(campaign)
    assert process.metric("tidemark_rewinds_total") == 0


def test_redis_loses_its_last_second(campaign):
    feeder = Feeder(campaign, 4)
    process = campaign.start().wait_ready()
    feeder.feed()
    campaign.wait_read()
    time.sleep(1.5)
    campaign.redis.save_copy()
    feeder.feed()
    campaign.wait_read()  # applied, published and committed: then lost
    campaign.redis.lose_since_copy().wait_ready()
    feeder.feed()
    feeder.feed()
    finish(campaign)
    assert process.metric("tidemark_rewinds_total") > 0
    assert "lost acknowledged writes" in process.tail(1000)


def test_redis_loses_its_last_second_while_the_process_is_dead(campaign):
    feeder = Feeder(campaign, 3)
    process = campaign.start().wait_ready()
    feeder.feed()
    campaign.wait_read()
    time.sleep(1.5)
    campaign.redis.save_copy()
    feeder.feed()
    time.sleep(1)
    process.kill()
    campaign.redis.lose_since_copy().wait_ready()
    process.start()
    feeder.feed()
    finish(campaign)


def test_redis_that_forgot_everything_is_refused(campaign):
    feeder = Feeder(campaign, 4)
    process = campaign.start().wait_ready()
    feeder.feed()
    campaign.wait_read()
    assert process.terminate() == 0
    campaign.redis.client().flushall()
    process.start()
    wait_until(lambda: "state.rebuild" in process.http("/readyz")[1], 20, "refusal")
    assert process.http("/readyz")[0] == 503
    process.kill()
    # Told to, it reads everything again and publishes nothing twice.
    feeder.feed()
    process.start("--set", "state.rebuild=true")
    feeder.feed_all()
    finish(campaign)

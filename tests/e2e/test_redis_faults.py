"""Redis dies, loses what it acknowledged, or loses everything."""

import time

import pytest

from servers import Redis, wait_until
from test_disturbed import finish, slow_campaign


@pytest.fixture
def campaign(kafka, tmp_path, request):
    server = Redis(tmp_path / "redis", durability=getattr(request, "param", "everysec")).start().wait_ready()
    run = slow_campaign(kafka, server, tmp_path)
    yield run
    run.destroy()
    server.destroy()


@pytest.mark.parametrize("campaign", ["always"], indirect=True)
def test_redis_killed_and_restarted(campaign):
    campaign.config["redis"]["durability"] = "fsync"
    process = campaign.start().wait_ready()
    early = 0
    for _ in range(4):
        time.sleep(0.5)
        campaign.redis.kill()
        early += not campaign.is_read()
        wait_until(lambda: process.http("/readyz")[0] == 503, 20, "not ready without Redis")
        assert process.metric("tidemark_redis_up") == 0
        campaign.redis.start().wait_ready()
        process.wait_ready()
    assert early > 0, "every kill came when everything was done"
    finish(campaign)
    assert process.metric("tidemark_rewinds_total") == 0


def test_redis_loses_its_last_seconds(campaign):
    process = campaign.start().wait_ready()
    time.sleep(2)
    campaign.redis.save_copy()
    committed = campaign.committed()
    wait_until(lambda: campaign.committed() != committed, 20, "more to be committed")
    campaign.redis.lose_since_copy().wait_ready()
    assert not campaign.is_read()
    finish(campaign)
    assert process.metric("tidemark_rewinds_total") > 0
    assert "lost acknowledged writes" in process.log.read_text()


def test_redis_loses_its_last_seconds_while_nobody_looks(campaign):
    process = campaign.start().wait_ready()
    time.sleep(2)
    campaign.redis.save_copy()
    time.sleep(2)
    process.kill()
    campaign.redis.lose_since_copy().wait_ready()
    process.start()
    finish(campaign)


def test_redis_that_forgot_everything_is_refused(campaign):
    process = campaign.start().wait_ready()
    time.sleep(2)
    assert process.terminate() == 0
    assert process.cli("check").returncode == 0
    campaign.redis.client().flushall()
    checked = process.cli("check")
    assert checked.returncode == 78 and "but Redis holds no state" in checked.stderr
    assert process.cli("check", "--set", "state.rebuild=true").returncode == 0
    process.start()
    wait_until(lambda: "state.rebuild" in process.http("/readyz")[1], 20, "refusal")
    assert process.http("/readyz")[0] == 503
    process.kill()
    # Told to, it reads everything again and publishes nothing twice.
    process.start("--set", "state.rebuild=true")
    finish(campaign)
    assert process.metric("tidemark_suppressed_total") > 0
    # The next start without it has lost nothing, and alarms nobody.
    assert process.terminate() == 0
    process.start()
    process.wait_ready()
    assert process.metric("tidemark_rewinds_total") == 0

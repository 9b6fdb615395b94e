"""The same campaign with processes dying, joining, leaving and freezing: what a subscriber reads stays exactly the same.

Everything stands in the topics before the first process starts, so that there is one right answer; and the processes are made
to read slowly, so that there is something to disturb.
"""

import os
import random
import time

import pytest

import workload
from campaign import INPUTS, Campaign, compare, flat

FULL = os.environ.get("TIDEMARK_TESTS") == "full"
KILLS = 100 if FULL else 20
SEED = int(os.environ.get("TIDEMARK_SEED", "1"))
# Some ten records at a time, and then a pause: the workload takes some ten seconds instead of less than one.
SLOW = {"queued.min.messages": 1, "fetch.message.max.bytes": 512, "fetch.queue.backoff.ms": 50}


def slow_campaign(kafka, redis_server, folder, **options):
    run = Campaign(kafka, redis_server, folder, **options)
    run.config["kafka"]["batch.num.messages"] = 10
    run.load(workload.shop(seed=1))
    run.config["kafka"] |= SLOW
    return run


@pytest.fixture
def campaign(kafka, redis_server, tmp_path):
    run = slow_campaign(kafka, redis_server, tmp_path)
    yield run
    run.destroy()


def finish(campaign):
    """Waits until everything is scored and compares."""
    campaign.wait_read()
    expected = campaign.expected()
    campaign.wait_published(len(flat(expected.changes)))
    compare(campaign.published(), expected.changes)
    return expected


def test_killed_twenty_times_at_random_moments(campaign):
    rng = random.Random(SEED)
    process = campaign.start().wait_ready()
    early = 0
    for _ in range(KILLS):
        time.sleep(rng.uniform(0.0, 0.8))
        early += not campaign.is_read()
        process.restart()
        process.wait_ready()
    assert early >= KILLS / 2, "most kills came when everything was done"
    finish(campaign)


def test_processes_join_leave_and_die(campaign):
    rng = random.Random(SEED)
    for _ in range(3):
        campaign.start(workers=1)
    campaign.processes[0].wait_ready()
    for _ in range(8):
        time.sleep(rng.uniform(0.2, 1.5))
        victim = rng.choice(campaign.processes)
        if not victim.is_running():
            victim.start()
        elif rng.random() < 0.5:
            victim.kill()
        else:
            assert victim.terminate() == 0, victim.tail()
    for process in campaign.processes:
        if not process.is_running():
            process.start()
    finish(campaign)


def test_a_zombie_publishes_and_writes_nothing(campaign):
    zombie = campaign.start(workers=1).wait_ready()
    time.sleep(1)
    zombie.freeze()
    other = campaign.start(workers=1)
    time.sleep(5)  # the session time-out is 3 s
    other.wait_ready()
    before = metas(campaign, "epoch", "seq")
    zombie.thaw()
    finish(campaign)
    assert other.is_running() and zombie.is_running()
    for earlier, later in zip(before, metas(campaign, "epoch", "seq")):
        assert later["epoch"] >= earlier["epoch"] and later["seq"] >= earlier["seq"]


def metas(campaign, *names):
    """These numbers of each task, as Redis has them."""
    client = campaign.redis.client()
    keys = [f"tm:{{{campaign.group}.{number}}}:meta" for number in range(campaign.partitions)]
    return [dict(zip(names, map(int, client.hmget(key, names)))) for key in keys]


def test_at_least_once_loses_nothing(campaign):
    """Repeats are allowed, but each has its id, and the first copies are in order and complete."""
    campaign.config["delivery"] = "at_least_once"
    rng = random.Random(SEED)
    process = campaign.start().wait_ready()
    for _ in range(6):
        time.sleep(rng.uniform(0.0, 0.8))
        process.restart()
        process.wait_ready()
    campaign.wait_read()
    expected = campaign.expected()
    campaign.wait_published(len(flat(expected.changes)))
    first = {}
    for customer, changes in campaign.published().items():
        first[customer] = list({change["id"]: change for change in reversed(changes)}.values())[::-1]
    compare(first, expected.changes)


def test_at_least_once_has_committed_all_when_it_leaves(campaign):
    """Offsets are committed for several turns at once: none may be left behind."""
    campaign.config["delivery"] = "at_least_once"
    process = campaign.start().wait_ready()
    time.sleep(1.5)
    assert process.terminate() == 0
    committed = campaign.committed()
    for number, meta in enumerate(metas(campaign, *(f"offset.{word}" for word in INPUTS))):
        for word in INPUTS:
            assert committed.get((campaign.names[word], number), -1) == meta[f"offset.{word}"]
    assert any(offset > 0 for offset in committed.values())
    assert not campaign.is_read(), "it had read everything, so nothing was under way"

"""The same campaign with processes dying, joining, leaving and freezing: what a subscriber reads stays exactly the same."""

import os
import random
import time

import pytest

import workload
from campaign import Campaign, compare, flat

FULL = os.environ.get("TIDEMARK_TESTS") == "full"
KILLS = 20
SEED = int(os.environ.get("TIDEMARK_SEED", "1"))


@pytest.fixture
def campaign(kafka, redis_server, tmp_path):
    """Loaded and ready to be scored; small fetches and batches, so that there is something to disturb."""
    run = Campaign(kafka, redis_server, tmp_path)
    run.config["kafka"] |= {"queued.max.messages.kbytes": 16, "fetch.message.max.bytes": 4096}
    run.lines = workload.shop(seed=SEED)
    yield run
    run.destroy()


def finish(campaign):
    """Waits until everything is scored and compares."""
    campaign.wait_read()
    expected = campaign.expected()
    campaign.wait_published(len(flat(expected.changes)))
    compare(campaign.published(), expected.changes)
    return expected


class Feeder:
    """Writes the workload piece by piece between disturbances, so that there is always something left to read."""

    def __init__(self, campaign, pieces):
        self.campaign = campaign
        size = -(-len(campaign.lines) // pieces)
        self.pieces = [campaign.lines[at:at + size] for at in range(0, len(campaign.lines), size)]

    def feed(self):
        if self.pieces:
            self.campaign.load(self.pieces.pop(0))

    def feed_all(self):
        while self.pieces:
            self.feed()


def test_killed_twenty_times_at_random_moments(campaign):
    rng = random.Random(SEED)
    feeder = Feeder(campaign, KILLS)
    process = campaign.start()
    for _ in range(KILLS):
        feeder.feed()
        time.sleep(rng.uniform(0.0, 1.2))
        process.restart()
    process.wait_ready()
    finish(campaign)


def test_processes_join_leave_and_die(campaign):
    rng = random.Random(SEED)
    feeder = Feeder(campaign, 10)
    for _ in range(3):
        campaign.start(workers=1)
    while feeder.pieces:
        feeder.feed()
        victim = rng.choice(campaign.processes)
        time.sleep(rng.uniform(0.2, 1.5))
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
    feeder = Feeder(campaign, 4)
    zombie = campaign.start(workers=1).wait_ready()
    feeder.feed()
    time.sleep(0.5)
    zombie.freeze()
    feeder.feed()
    other = campaign.start(workers=1)
    time.sleep(5)  # the session time-out is 3 s
    other.wait_ready()
    feeder.feed()
    time.sleep(1)
    before = epochs(campaign)
    zombie.thaw()
    feeder.feed()
    finish(campaign)
    assert other.is_running() and zombie.is_running()
    assert all(later >= earlier for earlier, later in zip(before, epochs(campaign)))


def epochs(campaign):
    client = campaign.redis.client()
    return [int(client.hget(f"tm:{{{campaign.group}.{number}}}:meta", "epoch") or 0) for number in range(campaign.partitions)]


@pytest.mark.parametrize("format", ["protobuf"])
def test_at_least_once_loses_nothing(campaign, format):
    """Repeats are allowed, but each has its id, and the first copies are in order and complete."""
    campaign.config["delivery"] = "at_least_once"
    rng = random.Random(SEED)
    feeder = Feeder(campaign, 6)
    process = campaign.start()
    for _ in range(6):
        feeder.feed()
        time.sleep(rng.uniform(0.2, 1.0))
        process.restart()
    campaign.wait_read()
    expected = campaign.expected()
    wanted = len(flat(expected.changes))
    campaign.wait_published(wanted)
    published = campaign.published()
    for customer, changes in published.items():
        seen, first = set(), []
        for change in changes:
            if change["id"] not in seen:
                seen.add(change["id"])
                first.append(change)
        published[customer] = first
    compare(published, expected.changes)

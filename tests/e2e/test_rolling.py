"""Processes that are replaced one after the other while events pour in, as at an upgrade: nothing is lost, doubled or out of order,
whoever is told to end ends well, and its tasks are somebody else's at once."""

import time
from collections import defaultdict

import pytest

from campaign import check_counts
from servers import Redis, wait_until
from test_disturbed import finish, slow_campaign

PROCESSES = 3
SLOW_REPLICA_S = 0.1


@pytest.fixture
def campaign(kafka, redis_server, tmp_path):
    run = slow_campaign(kafka, redis_server, tmp_path)
    yield run
    run.destroy()


def longest_pauses(campaign):
    """Partition -> the longest time between two outputs, in seconds."""
    times = defaultdict(list)
    for message in campaign.topics.read(campaign.names["tier_changes"]):
        times[message.partition()].append(message.timestamp()[1])
    return {number: max(later - earlier for earlier, later in zip(of_partition, of_partition[1:])) / 1000
            for number, of_partition in sorted(times.items())}


def test_three_processes_are_replaced_under_load(campaign):
    old = [campaign.start(workers=1) for _ in range(PROCESSES)]
    for process in old:
        process.wait_ready()
    for process in old:
        new = campaign.start(workers=1).wait_ready()
        assert not campaign.is_read(), "the replacement came when everything was done"
        assert process.terminate() == 0, process.tail()
        new.wait_ready()
    finish(campaign)
    assert all(process.is_running() for process in campaign.processes[PROCESSES:])
    print("longest pause between two outputs, by partition, in s:", longest_pauses(campaign))


def test_one_that_ends_leaves_its_tasks_to_the_others_at_once(campaign):
    """Nobody has to miss it: until the session time-out the group would wait for longer than this test does."""
    campaign.config["kafka"]["session.timeout.ms"] = 120_000
    leaving, staying = [campaign.start(workers=1) for _ in range(2)]
    for process in (leaving, staying):
        process.wait_ready()
    wait_until(lambda: all(process.metric("tidemark_task_clock_seconds") for process in (leaving, staying)), 30, "both to have tasks")
    assert not campaign.is_read()
    started = time.monotonic()
    assert leaving.terminate() == 0, leaving.tail()
    print(f"ended within {time.monotonic() - started:.2f} s of SIGTERM")
    told = leaving.log.read_text().split('msg="stops"')[1]
    assert "finished its work" in told and "level=warning" not in told, told
    clocks = 'tidemark_task_clock_seconds{task="'
    wait_until(lambda: staying.http("/metrics")[1].count(clocks) == campaign.partitions, 60, "all tasks at the one that stays")
    finish(campaign)


@pytest.fixture
def replica(campaign, tmp_path):
    """Without which nothing counts as done."""
    server = Redis(tmp_path / "replica", durability=None)
    server.start().wait_ready().client().replicaof("127.0.0.1", campaign.redis.port)
    wait_until(lambda: server.client().info("replication")["master_link_status"] == "up", 30, "the replica to follow")
    campaign.config["redis"]["durability"] = "replicas:1"
    yield server
    server.destroy()


def test_those_that_join_take_nothing_from_the_counters(campaign, replica):
    """A task that is given up has a batch in Redis whose answer is on its way, nearly always with so slow a replica: it is counted."""
    first = campaign.start(workers=1).wait_ready()
    for count in range(1, PROCESSES):
        campaign.start(workers=1)
        while sum(bool(process.metric("tidemark_task_clock_seconds")) for process in campaign.processes) <= count:
            replica.freeze()
            time.sleep(SLOW_REPLICA_S)
            replica.thaw()
            time.sleep(SLOW_REPLICA_S / 10)
    assert first.log.read_text().count("gave up its tasks") == PROCESSES - 1
    assert not campaign.is_read(), "the last one came when everything was done"
    check_counts(campaign, finish(campaign))

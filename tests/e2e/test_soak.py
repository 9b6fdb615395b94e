"""5,000 events a second for a while (an hour with TIDEMARK_TESTS=full): everything is processed, and memory stays what it was.

What bounds memory does not depend on how long the process runs or how many customers there are: the cache, the input queues, the
batches and outputs on their way. The cache is full once the warm-up is over, for the shop has several times the customers that it holds;
the queues are made small. So from then on the process must not grow by more than GROWTH_MAX, which is for a backlog (some MiB in the
queues and in batches) and for the allocator's fragments.

What is on its way grows with the customers' states, and those grow until the longest window, a year, is full of events: half of the
hour, in which two years of events come. So the warm-up of the full form ends there; and of what is left of it, the second half must be what the
first was, but for DRIFT_MAX: a leak would show sooner than as growth.
"""

import os
import re
import statistics
import threading
import time

import pytest

from campaign import Campaign
from servers import Tidemark, wait_until

FULL = os.environ.get("TIDEMARK_TESTS") == "full"
RATE = 5000
SECONDS = 3600 if FULL else 60
DAYS = 730 if FULL else 60
WARM_UP_S = 1860 if FULL else 20  # the cache is full after a few, the queues after the first backlog
CUSTOMERS = 100_000
GROWTH_MAX = 24 << 20
DRIFT_MAX = 4 << 20
CATCH_UP_S = 300


@pytest.fixture
def campaign(kafka, redis_server, tmp_path):
    run = Campaign(kafka, redis_server, tmp_path, state={"cache": "16MiB"})
    run.config["kafka"] |= {"queued.max.messages.kbytes": 256, "queued.min.messages": 1000}
    yield run
    run.destroy()


class Memory(threading.Thread):
    """The resident memory of a process, looked at twice a second."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self._status = f"/proc/{server.process.pid}/status"
        self._ended = threading.Event()
        self.samples = []  # (seconds since the start, bytes)

    def run(self):
        start = time.monotonic()
        while not self._ended.wait(0.5):
            with open(self._status) as status:
                kib = int(re.search(r"VmRSS:\s+(\d+) kB", status.read()).group(1))
            self.samples.append((time.monotonic() - start, kib << 10))

    def end(self):
        self._ended.set()
        self.join()
        return self.samples


def applied(campaign, process):
    return sum(process.metric("tidemark_events_total", topic=name) or 0 for name in campaign.input_names())


def test_memory_stays_flat_under_load(campaign):
    process = campaign.start().wait_ready()
    feeder = Tidemark(campaign.folder / "feed", campaign.config, "feed")
    memory = Memory(process)
    memory.start()
    started = time.monotonic()
    done = feeder.cli("generate", "--rate", RATE, "--events", RATE * SECONDS, "--customers", CUSTOMERS, "--days",
                      DAYS, "--seed", 1, timeout_s=2 * SECONDS + CATCH_UP_S)
    took_s = time.monotonic() - started
    feeder.destroy()
    assert done.returncode == 0, done.stderr
    campaign.wait_read(CATCH_UP_S)
    samples = memory.end()
    assert applied(campaign, process) == RATE * SECONDS
    warm = max(size for at_s, size in samples if at_s <= WARM_UP_S)
    most = max(size for at_s, size in samples if at_s > WARM_UP_S)
    print(f"{RATE * SECONDS / took_s:.0f} events a second for {took_s:.0f} s; resident: {warm >> 20} MiB after {WARM_UP_S} s, "
          f"at most {most >> 20} MiB later; cache {process.metric('tidemark_cache_bytes') / 2**20:.0f} MiB of 16")
    assert process.metric("tidemark_cache_bytes") > 12 << 20, "the cache was never full: this proves nothing"
    course = [f"{at_s:.0f}s:{size >> 20}" for at_s, size in samples[::len(samples) // 60 + 1]]
    print("resident MiB:", *course)
    assert most <= warm + GROWTH_MAX, "it has grown"
    if FULL:
        middle_s = (WARM_UP_S + took_s) / 2
        first, second = (statistics.median(size for at_s, size in samples if WARM_UP_S < at_s and (at_s > middle_s) is late)
                         for late in (False, True))
        print(f"median MiB: {first / 2**20:.1f}, then {second / 2**20:.1f}")
        assert second <= first + DRIFT_MAX, "it grows slowly"
    wait_until(lambda: process.metric("tidemark_outbox_entries") == 0, 60, "the outbox to be empty")
    assert process.terminate() == 0

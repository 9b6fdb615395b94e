"""What a process tells its service manager: the protocol of sd_notify(3), heard by a socket of the test's."""

import ctypes
import os
import socket
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

import workload
from campaign import Campaign
from servers import Tidemark, free_port, tidemark_binary, wait_until

BAD_CONFIG = 78
PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207
WALL = 0x40000000  # waitpid: also for threads
FULL = os.environ.get("TIDEMARK_TESTS") == "full"


class Manager:
    """Hears as systemd does: one datagram for each message."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.socket.setblocking(False)
        self.path = path
        self.heard = []

    def listen(self):
        while True:
            try:
                self.heard += self.socket.recv(4096).decode().splitlines()
            except BlockingIOError:
                return self.heard

    def has_heard(self, line, times=1):
        return self.listen().count(line) >= times

    def forget(self):
        self.listen()
        self.heard.clear()


@pytest.fixture
def manager(request, tmp_path):
    kind = getattr(request, "param", "path")
    hearing = Manager(str(tmp_path / "notify") if kind == "path" else f"\0tidemark-test-{os.getpid()}")
    yield hearing
    hearing.socket.close()


class Managed(Tidemark):
    """Started as a unit with Type=notify and WatchdogSec=1 would."""

    def __init__(self, folder, config, manager):
        super().__init__(folder, config)
        self.manager = manager

    def start(self, *options):
        environment = os.environ | {"NOTIFY_SOCKET": self.manager.path.replace("\0", "@"), "WATCHDOG_USEC": "1000000"}
        environment.pop("WATCHDOG_PID", None)
        self._spawn(tidemark_binary(), "run", "-c", self.config_file, *options, env=environment)
        return self


@pytest.fixture
def campaign(kafka, redis_server, tmp_path):
    run = Campaign(kafka, redis_server, tmp_path)
    yield run
    run.destroy()


def test_it_tells_that_it_runs_whether_it_is_ready_and_that_it_stops(campaign, manager):
    process = Managed(campaign.folder / "managed", campaign.config, manager).start()
    try:
        wait_until(lambda: manager.has_heard("STATUS=processes events"), 30, "ready")
        assert manager.heard[0] == "READY=1" and manager.heard.count("READY=1") == 1
        wait_until(lambda: manager.has_heard("WATCHDOG=1", times=3), 10, "the watchdog is fed")
        campaign.redis.freeze()
        campaign.redis.kill()
        wait_until(lambda: manager.has_heard("STATUS=Redis cannot be reached"), 30, "told that Redis is gone")
        campaign.redis.start().wait_ready()
        wait_until(lambda: manager.has_heard("STATUS=processes events", times=2), 30, "ready again")
        assert process.terminate() == 0
        assert manager.listen().count("STOPPING=1") == 1
        assert "STATUS=finishes what it has scored" in manager.heard
    finally:
        process.destroy()


@pytest.mark.parametrize("manager", ["path", "abstract"], indirect=True)
def test_without_kafka_it_is_up_but_says_that_it_waits(campaign, manager):
    nowhere = campaign.config | {"kafka": {"bootstrap.servers": f"127.0.0.1:{free_port()}"}}
    process = Managed(campaign.folder / "managed", nowhere, manager).start()
    try:
        wait_until(lambda: any("cannot be reached" in line for line in manager.listen()), 30, "told that Kafka is gone")
        assert manager.has_heard("READY=1") and manager.has_heard("WATCHDOG=1")
        assert process.terminate() == 0
    finally:
        process.destroy()


def test_a_refusal_is_told_before_it_is_ready(campaign, manager):
    process = Managed(campaign.folder / "managed", campaign.config | {"workers": "many"}, manager).start()
    assert process.process.wait(10) == BAD_CONFIG
    assert manager.listen() == []
    process.destroy()


def test_a_hanging_process_does_not_feed_the_watchdog(campaign, manager):
    process = Managed(campaign.folder / "managed", campaign.config, manager).start()
    try:
        wait_until(lambda: manager.has_heard("WATCHDOG=1"), 30, "the watchdog is fed")
        process.freeze()
        manager.forget()
        with pytest.raises(TimeoutError):
            wait_until(lambda: manager.has_heard("WATCHDOG=1"), 2, "silence")
        process.thaw()
        wait_until(lambda: manager.has_heard("WATCHDOG=1"), 10, "the watchdog is fed again")
    finally:
        process.destroy()


@contextmanager
def stopped(process, name):
    """All its threads of this name stand still, as a debugger has them; the others go on."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    tasks = Path(f"/proc/{process.process.pid}/task").iterdir()
    threads = [int(task.name) for task in tasks if (task / "comm").read_text().strip() == name]
    assert threads
    for thread in threads:
        for request in (PTRACE_SEIZE, PTRACE_INTERRUPT):
            assert libc.ptrace(request, thread, None, None) == 0, os.strerror(ctypes.get_errno())
        os.waitpid(thread, WALL)
    try:
        yield
    finally:
        for thread in threads:
            libc.ptrace(PTRACE_DETACH, thread, None, None)


# A publisher has time limits of its own, so it hangs only when it is beyond all of them: after 3 minutes.
@pytest.mark.parametrize("thread, busy", [("worker", False),
                                          pytest.param("publisher", True, marks=pytest.mark.skipif(not FULL, reason="takes 4 minutes"))])
def test_a_thread_that_hangs_is_told_and_the_watchdog_is_not_fed(campaign, manager, thread, busy):
    process = Managed(campaign.folder / "managed", campaign.config, manager).start()
    try:
        wait_until(lambda: manager.has_heard("STATUS=processes events"), 30, "ready")
        if busy:
            campaign.load(workload.shop(seed=3, customers=200))
            wait_until(lambda: (process.metric("tidemark_events_total") or 0) > 100, 30, "events", every_s=0.01)
        with stopped(process, thread):
            assert process.http("/healthz")[0] == 200
            wait_until(lambda: process.http("/healthz")[0] == 503, 240, "told as hanging")
            time.sleep(1)
            manager.forget()
            with pytest.raises(TimeoutError):
                wait_until(lambda: manager.has_heard("WATCHDOG=1"), 2, "silence")
        wait_until(lambda: process.http("/healthz")[0] == 200, 30, "alive again")
        wait_until(lambda: manager.has_heard("WATCHDOG=1"), 10, "the watchdog is fed again")
        assert process.terminate() == 0
    finally:
        process.destroy()

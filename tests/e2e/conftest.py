"""Fixtures shared by all end-to-end tests, and the servers' logs in the report of a failure."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import pytest

from servers import Kafka, Redis, Server


@pytest.fixture(scope="session")
def kafka(tmp_path_factory):
    """One broker for the whole session; tests that hurt it start their own."""
    server = Kafka(tmp_path_factory.mktemp("kafka"))
    try:
        yield server.start().wait_ready()
    finally:
        server.destroy()


@pytest.fixture
def redis_server(tmp_path):
    """A Redis of one's own, so that state never leaks between tests."""
    server = Redis(tmp_path / "redis")
    try:
        yield server.start().wait_ready()
    finally:
        server.destroy()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        for server in Server.living:
            report.sections.append((f"end of the log of {server.name}", server.tail()))
    return report

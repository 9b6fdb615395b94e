"""Log lines: in both formats whole and parseable, and without any customer's id above debug level."""

import hashlib
import hmac
import json
import re

import pytest

import workload
from campaign import Campaign
from servers import wait_until

KEY = "key-of-the-log"
LOGFMT = re.compile(r'([a-z_0-9]+)=("(?:[^"\\]|\\.)*"|[^ "]+)')


@pytest.fixture
def campaign(kafka, redis_server, tmp_path):
    run = Campaign(kafka, redis_server, tmp_path)
    run.load(workload.shop(seed=1)[:1000])
    yield run
    run.destroy()


def read_line(log_format, line):
    """The fields of a line, of which nothing may be left over."""
    if log_format == "json":
        return json.loads(line)
    assert re.sub(LOGFMT, "", line).strip() == "", line
    return dict(LOGFMT.findall(line))


def spoil(campaign):
    """Makes every stored state unreadable; the customers' ids."""
    client = campaign.redis.client()
    ids = set()
    for key in client.scan_iter("tm:*:c:*"):
        for customer_id in client.hkeys(key):
            client.hset(key, customer_id, b"\xff\xff\xff")
            ids.add(customer_id.decode())
    assert ids
    return ids


@pytest.mark.parametrize("log_format", ["logfmt", "json"])
def test_lines_are_whole_and_name_no_customer(campaign, log_format):
    """Nothing goes wrong worse than that a customer cannot be read: the operator is told which, by a keyed hash."""
    process = campaign.start(log={"format": log_format, "customer_key": KEY}).wait_ready()
    campaign.wait_read()
    assert process.terminate() == 0
    ids = spoil(campaign)
    campaign.load(workload.shop(seed=1)[:1000])
    process.start()
    wait_until(lambda: "customer_hash" in process.log.read_text(), 30, "told that a customer is unreadable")
    campaign.redis.kill()
    wait_until(lambda: "cannot use Redis" in process.log.read_text(), 30, "told that Redis is gone")
    process.kill()
    lines = process.log.read_text().splitlines()
    told = [read_line(log_format, line) for line in lines]
    assert len(told) > 5 and all(line["ts"] and line["level"] and line["msg"] for line in told)
    [hashed, *_] = [line["customer_hash"] for line in told if "customer_hash" in line]
    assert hashed in {hmac.new(KEY.encode(), name.encode(), hashlib.sha256).hexdigest()[:16] for name in ids}
    words = set(re.findall(r"[\w.@-]+", process.log.read_text()))
    assert not words & {name for name in ids if len(name) > 3}
    assert KEY not in process.log.read_text()


def test_at_debug_level_the_customer_is_named(campaign):
    process = campaign.start().wait_ready()
    campaign.wait_read()
    assert process.terminate() == 0
    ids = spoil(campaign)
    campaign.load(workload.shop(seed=1)[:1000])
    process.start("--verbose")
    wait_until(lambda: re.search('level=debug .* customer="', process.log.read_text()), 30, "told which customer it is")
    process.kill()
    assert re.search('customer="([^"]+)"', process.log.read_text()).group(1) in ids

"""Long work shows how far it is, where standard error is a terminal, and only there."""

import json
import os
import pty
import re
import subprocess

import pytest

import workload
from campaign import Campaign
from servers import Tidemark, tidemark_binary

EVENTS = 5000


@pytest.fixture
def campaign(kafka, redis_server, tmp_path):
    run = Campaign(kafka, redis_server, tmp_path)
    yield run
    run.destroy()


@pytest.fixture
def tool(campaign):
    server = Tidemark(campaign.folder / "tool", campaign.config, "tool")
    yield server
    server.destroy()


def on_a_terminal(tool, *words):
    """What the command shows on a terminal of its own."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([tidemark_binary(), words[0], "-c", tool.config_file, *words[1:]], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 4096):
            shown += chunk
    except OSError:  # how Linux tells that the other end is closed
        pass
    os.close(ours)
    process.wait(60)
    return shown.decode()


def test_generate_tells_how_much_of_all_is_done(tool):
    shown = on_a_terminal(tool, "generate", "--events", str(EVENTS), "--seed", "7")
    assert re.search(rf"\r{EVENTS} of {EVENTS} events \(100 %\), \d+ a second", shown), shown
    assert "\r" not in tool.cli("generate", "--events", EVENTS, "--seed", 7).stderr


def test_load_tells_how_much_is_done(tool):
    lines = workload.shop(seed=1)[:1000]
    file = tool.folder / "events.jsonl"
    file.write_text("".join(json.dumps({"topic": line.topic, **line.event}) + "\n" for line in lines))
    shown = on_a_terminal(tool, "load", str(file))
    assert re.search(r"\r1000 events, \d+ a second", shown), shown
    assert "\r" not in tool.cli("load", file).stderr


def test_fit_tells_how_many_customers_it_has_read(campaign, tool):
    tool.cli("generate", "--customers", 300, "--seed", 7)
    process = campaign.start().wait_ready()
    campaign.wait_read()
    assert process.terminate() == 0
    shown = on_a_terminal(tool, "fit")
    assert re.search(r"\r\d+ customers, \d+ a second", shown), shown
    assert "\r" not in tool.cli("fit").stderr

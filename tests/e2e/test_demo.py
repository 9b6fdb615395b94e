"""`tidemark demo`: with nothing at all, and with real servers."""

import re
import signal
import subprocess
import time

import pytest

from servers import tidemark_binary, wait_until

LINE = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d  c\d{8}  \w+ +(starts as|\w+ (rises|falls) to)")


def run_demo(tmp_path, *options):
    out = tmp_path / "demo.out"
    with open(out, "wb") as file:
        process = subprocess.Popen([str(tidemark_binary()), "demo", "--speed", "2000000", *options], stdout=file,
                                   stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env={"PATH": "/usr/bin:/bin", "TMPDIR": str(tmp_path)})
    return process, out


def changes(out):
    return [line for line in out.read_text().splitlines() if LINE.match(line)]


def fallen(out):
    return any("falls to" in line and "no longer" in line for line in changes(out))


@pytest.mark.parametrize("real", [False, True], ids=["mock", "real"])
def test_demo(real, request, tmp_path):
    options = []
    if real:
        options = ["--kafka", request.getfixturevalue("kafka").bootstrap, "--redis", request.getfixturevalue("redis_server").url]
    process, out = run_demo(tmp_path, *options)
    try:
        wait_until(lambda: process.poll() is not None or (len(changes(out)) > 50 and fallen(out)), 60, "tier changes and a fall")
        text = out.read_text()
        assert process.poll() is None, text
        assert ("at-least-once" in text) != real
        assert re.search(r"dashboard  http://127.0.0.1:\d+/\n", text)
        assert re.search(r"curl -s http://127.0.0.1:\d+/v1/customers/", text)
        process.send_signal(signal.SIGINT)
        assert process.wait(15) == 0
    finally:
        process.kill()
        process.wait()
    assert not list(tmp_path.glob("tidemark-demo*")), "a folder was left behind"
    time.sleep(0.5)
    left = subprocess.run(["pgrep", "-f", f"redis-server.*{tmp_path}"], capture_output=True, text=True)
    assert not left.stdout

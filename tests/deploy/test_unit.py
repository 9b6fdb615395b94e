"""The systemd unit: well formed, and shut in as tightly as a process that only talks to the network can be."""

import json
import re
import subprocess

import pytest

from roots import REPO

UNIT = REPO / "deploy" / "systemd" / "tidemark.service"
EXPOSURE_MAX = 1.5
STOP_S_MAX = 10  # what `tidemark run` promises


def test_it_is_shut_in():
    done = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--no-pager", "--json=short", f"--threshold={EXPOSURE_MAX * 10:.0f}",
                           UNIT], capture_output=True, text=True)
    assert done.returncode == 0, f"more exposed than {EXPOSURE_MAX}:\n{done.stdout}{done.stderr}"
    told = json.loads(done.stdout)
    bad = {row["name"] for row in told if row["exposure"] and float(row["exposure"]) >= 0.4}
    assert bad == {"PrivateNetwork="}, "it must reach Kafka and Redis, and nothing else"


def test_it_is_well_formed(tmp_path):
    program = tmp_path / "tidemark"
    program.write_text("#!/bin/true\n")
    program.chmod(0o755)
    # systemd looks whether the program is there; the page is not installed here.
    text = UNIT.read_text().replace("/usr/bin/tidemark run", f"{program} run").replace("Documentation=man:tidemark(1) ", "Documentation=")
    copy = tmp_path / "tidemark.service"
    copy.write_text(text)
    done = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True)
    assert done.returncode == 0 and "tidemark.service" not in done.stderr, done.stderr
    copy.write_text(text.replace("Restart=always", "Restart=allways"))
    done = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True)
    assert "allways" in done.stderr


@pytest.mark.parametrize("name, least_s", [("TimeoutStopSec", STOP_S_MAX), ("WatchdogSec", 15)])
def test_its_times_fit_the_program(name, least_s):
    [value] = re.findall(rf"^{name}=(\d+)$", UNIT.read_text(), re.M)
    assert int(value) > least_s


def test_it_is_told_by_the_program_and_not_restarted_over_a_refusal():
    lines = UNIT.read_text().splitlines()
    for line in ("Type=notify", "Restart=always", "RestartPreventExitStatus=78", "DynamicUser=yes",
                 "LoadCredential=secret:/etc/tidemark/secrets"):
        assert line in lines

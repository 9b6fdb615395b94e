"""The alert rules: promtool says that they are well formed, and that each fires on what it is for."""

import shutil
import subprocess
from pathlib import Path

import yaml

PROMETHEUS = Path(__file__).parents[2] / "deploy" / "prometheus"


def promtool(*words, folder=PROMETHEUS):
    return subprocess.run(["promtool", *words], cwd=folder, capture_output=True, text=True)


def test_the_rules_and_the_configuration_are_well_formed():
    done = promtool("check", "rules", "--lint=all", "--lint-fatal", "alerts.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    done = promtool("check", "config", "--syntax-only", "prometheus.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_fires_on_what_it_is_for():
    done = promtool("test", "rules", "alerts_test.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    names = {rule["alert"] for rule in yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"][0]["rules"]}
    tests = yaml.safe_load((PROMETHEUS / "alerts_test.yml").read_text())["tests"]
    fired = {case["alertname"] for test in tests for case in test.get("alert_rule_test", ()) if case["exp_alerts"]}
    assert fired == names


def test_a_rule_that_does_not_do_what_it_should_is_noticed(tmp_path):
    for file in ("alerts.yml", "alerts_test.yml"):
        shutil.copy(PROMETHEUS / file, tmp_path)
    rules = (tmp_path / "alerts.yml").read_text()
    assert "> 0.85" in rules
    (tmp_path / "alerts.yml").write_text(rules.replace("> 0.85", "> 0.95"))
    done = promtool("test", "rules", "alerts_test.yml", folder=tmp_path)
    assert done.returncode != 0 and "TidemarkRedisMemory" in done.stdout + done.stderr

"""The package's service under a systemd that really runs: a clean Debian 12, booted in a container that shares this machine's
network, where Kafka and Redis are."""

import errno
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
import yaml

from roots import REPO, run

sys.path.insert(0, str(REPO / "tests" / "e2e"))

from servers import Kafka, Redis, free_port, wait_until  # noqa: E402
from topics import Topics  # noqa: E402

BOOT_TIMEOUT_S = 60
SECRET = "s3cret from a file"
TOPICS = ("purchases", "interactions", "feedback", "tier_changes", "dead_letters")
RULES = {"value": {"tiers": [{"name": "buyer", "enter": "purchases >= 1"}, {"name": "rest"}]}}


class Machine:
    """A booted container. Commands run in it through its namespaces, for nobody has registered it anywhere."""

    def __init__(self, root, log):
        self.root = root
        self.log = log
        with open(log, "wb") as out:
            self.container = subprocess.Popen(
                ["systemd-nspawn", "--quiet", "--directory", root.folder, "--boot", "--register=no", "--keep-unit", "--console=pipe"],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    def init(self):
        """The process that is the container's first; None: it has none (yet)."""
        told = Path(f"/proc/{self.container.pid}/task/{self.container.pid}/children").read_text().split()
        return told[0] if told else None

    def run(self, *words, check=True):
        done = run("nsenter", "--target", self.init(), "--all", "env", "-i", f"PATH={self.root.PATH}", *words, timeout=120)
        assert not check or done.returncode == 0, (words, done.stdout, done.stderr, self.journal())
        return done

    def is_booted(self):
        assert self.container.poll() is None, self.log.read_text(errors="replace")
        return self.init() and self.run("systemctl", "is-system-running", check=False).stdout.strip() in ("running", "degraded")

    def shows(self, name):
        return self.run("systemctl", "show", "--value", "-p", name, "tidemark").stdout.strip()

    def journal(self):
        return self.run("journalctl", "-u", "tidemark", "-o", "cat", "--no-pager", check=False).stdout

    def main_process(self):
        """Its number as seen from here."""
        inside = self.shows("MainPID")
        for status in Path("/proc").glob("[0-9]*/status"):
            try:
                text = status.read_text()
            except OSError:
                continue
            if re.search(rf"^NSpid:\t\d+\t{inside}$", text, re.M) and "Name:\ttidemark" in text:
                return int(status.parent.name)
        return None

    def end(self):
        self.container.terminate()
        try:
            self.container.wait(30)
        except subprocess.TimeoutExpired:
            self.container.kill()
            self.container.wait()


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("servers")
    kafka = Kafka(folder / "kafka").start()
    redis_server = Redis(folder / "redis").start().wait_ready()
    redis_server.client().config_set("requirepass", SECRET)
    try:
        yield kafka.wait_ready(), redis_server
    finally:
        redis_server.destroy()
        kafka.destroy()


@pytest.fixture(scope="module")
def machine(clean_root, package, tmp_path_factory):
    inside = clean_root.folder / "root" / package.name
    inside.write_bytes(package.read_bytes())
    clean_root.run("apt-get -qq update && apt-get -qq install --yes --no-install-recommends systemd-sysv dbus /root/" + package.name)
    booted = Machine(clean_root, tmp_path_factory.mktemp("machine") / "console")
    try:
        try:
            wait_until(booted.is_booted, BOOT_TIMEOUT_S, "systemd")
        except (AssertionError, TimeoutError) as error:
            pytest.skip(f"systemd cannot be booted in a container here: {' '.join(str(error).split())[:300]}")
        yield booted
    finally:
        booted.end()


@pytest.fixture(scope="module")
def service(machine, servers):
    """Started as the guide says: configuration, secret, systemctl start."""
    kafka, redis_server = servers
    names = {topic: f"shop.{topic}" for topic in TOPICS}
    Topics(kafka.bootstrap).create(dict.fromkeys(names.values(), 2))
    machine.config = {
        "group": "shop", "topics": names, "kafka": {"bootstrap.servers": kafka.bootstrap}, "format": "json", "clock": "wall",
        "redis": {"url": redis_server.url, "password": "${file:/run/credentials/tidemark.service/secret_redis}"},
        "http": {"listen": f"127.0.0.1:{free_port()}"}, "tier_sets": RULES,
    }
    machine.topics = Topics(kafka.bootstrap)
    machine.names = names
    configure(machine, machine.config)
    (machine.root.folder / "etc/tidemark/secrets/redis").write_text(SECRET)
    machine.run("chmod", "600", "/etc/tidemark/secrets/redis")
    machine.run("systemctl", "start", "tidemark")  # returns when the program has said that it is ready
    wait_until(lambda: machine.shows("StatusText") == "processes events", 60, "it processes events")
    return machine


def configure(machine, config):
    (machine.root.folder / "etc/tidemark/tidemark.yaml").write_text(yaml.safe_dump(config, sort_keys=False))


def tier_of(machine, customer):
    """From an event until its tier can be asked for."""
    now_ms = int(time.time() * 1000)
    event = {"event_id": f"{customer}-{now_ms}", "customer_id": customer, "event_time_ms": now_ms, "amount_minor": 100, "currency": "EUR"}
    machine.topics.produce([(machine.names["purchases"], 0, customer.encode(), json.dumps(event).encode(), now_ms, None)])

    def told():
        try:
            with urllib.request.urlopen(f"http://{machine.config['http']['listen']}/v1/customers/{customer}", timeout=5) as answer:
                return json.loads(answer.read())["tiers"]["value"]["tier"]
        except OSError:
            return None

    return wait_until(told, 60, f"the tier of {customer}")


def keys_of_partition_0(machine):
    """Customers whose key belongs there, so that nobody is misrouted."""
    producer = machine.topics.producer({"log_level": 0, "partitioner": "murmur2_random"})
    found = []
    for number in range(40):
        producer.produce(machine.names["dead_letters"], b"", f"k{number}".encode(),
                         on_delivery=lambda error, message: found.append(message.key().decode()) if message.partition() == 0 else None)
    producer.flush(30)
    return found


def test_it_starts_with_its_secret_and_processes_events(service):
    service.customers = keys_of_partition_0(service)
    assert tier_of(service, service.customers[0]) == "buyer"
    assert (service.shows("ActiveState"), service.shows("SubState"), service.shows("NRestarts")) == ("active", "running", "0")
    assert "secret" not in Path(f"/proc/{service.main_process()}/environ").read_bytes().decode()


def test_it_runs_as_nobody_in_particular_and_may_do_nothing_else(service):
    pid = service.main_process()
    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)
    assert status["Uid"].split()[0] != "0" and status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
    assert {status[name] for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb")} == {"0" * 16}
    seen = Path(f"/proc/{pid}/root")  # the world as the process has it
    for path in ("etc/tidemark/x", "usr/x", "var/lib/x"):
        with pytest.raises(OSError) as refused:
            (seen / path).touch()
        assert refused.value.errno == errno.EROFS, path
    shell = run("nsenter", "--target", pid, "--mount", "--root", "sh", "-c", "true")
    assert shell.returncode != 0 and "Permission denied" in shell.stderr
    secret = (seen / "run/credentials/tidemark.service/secret_redis").stat()
    assert stat.S_IMODE(secret.st_mode) & 0o077 == 0 or secret.st_uid == int(status["Uid"].split()[0])
    exposure = service.run("systemd-analyze", "security", "--no-pager", "tidemark", check=False).stdout
    assert float(re.search(r"Overall exposure level for tidemark.service: ([\d.]+)", exposure).group(1)) <= 1.5


def test_reload_takes_new_rules_and_refuses_wrong_ones(service):
    tiers = [{"name": "regular", "enter": "purchases >= 2"}, *RULES["value"]["tiers"]]
    configure(service, service.config | {"tier_sets": {"value": {"tiers": tiers}}})
    service.run("systemctl", "reload", "tidemark")
    first = service.customers[1]
    wait_until(lambda: tier_of(service, first) == "regular", 30, "the new rules")
    configure(service, service.config | {"tier_sets": {"value": {"tiers": [{"name": "odd", "enter": "purchases >="}]}}})
    service.run("systemctl", "reload", "tidemark")
    wait_until(lambda: "refused the new configuration" in service.journal(), 30, "the refusal in the journal")
    assert tier_of(service, first) == "regular" and service.shows("NRestarts") == "0"
    configure(service, service.config)
    service.run("systemctl", "reload", "tidemark")


def restarted(service, before):
    return service.shows("NRestarts") == before and service.shows("StatusText") == "processes events"


def test_it_is_started_again_when_it_is_killed_and_when_it_hangs(service):
    os.kill(service.main_process(), signal.SIGKILL)
    wait_until(lambda: restarted(service, "1"), 60, "started again")
    assert tier_of(service, service.customers[2]) == "buyer"
    service.run("mkdir", "-p", "/run/systemd/system/tidemark.service.d")
    service.run("sh", "-c", "printf '[Service]\\nWatchdogSec=4\\n' > /run/systemd/system/tidemark.service.d/watchdog.conf")
    service.run("systemctl", "daemon-reload")
    service.run("systemctl", "restart", "tidemark")
    wait_until(lambda: service.shows("StatusText") == "processes events", 60, "it processes events")
    before = int(service.shows("NRestarts"))
    os.kill(service.main_process(), signal.SIGSTOP)
    wait_until(lambda: restarted(service, str(before + 1)), 90, "the watchdog has it started again")
    assert "Watchdog timeout" in service.journal()
    assert tier_of(service, service.customers[3]) == "buyer"


def test_a_stop_is_clean_and_a_wrong_configuration_is_not_tried_again(service):
    service.run("systemctl", "stop", "tidemark")
    assert (service.shows("ActiveState"), service.shows("Result"), service.shows("ExecMainStatus")) == ("inactive", "success", "0")
    configure(service, service.config | {"grupp": "shop"})
    before = service.shows("NRestarts")
    assert service.run("systemctl", "start", "tidemark", check=False).returncode != 0
    time.sleep(4)  # RestartSec is 2
    assert (service.shows("ActiveState"), service.shows("ExecMainStatus"), service.shows("NRestarts")) == ("failed", "78", before)
    assert "grupp" in service.journal()

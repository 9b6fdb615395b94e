"""Real servers for the tests: Kafka, Redis and Tidemark, on free ports and in temporary folders.

Each is a `Server`: a child process with a log that can be killed, frozen and started again. The log of every server that is
there when a test fails is shown with the failure (conftest.py).
"""

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import redis
import yaml
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from redis.backoff import NoBackoff
from redis.retry import Retry

TESTS = Path(__file__).parents[1]
KAFKA_LIB = TESTS / ".cache" / "kafka" / "lib"
DEFAULT_BINARY = TESTS.parent / "build" / "release" / "tidemark"
LOG_LINES_SHOWN = 60


def tidemark_binary():
    return Path(os.environ.get("TIDEMARK_BIN", DEFAULT_BINARY))


def free_port():
    """Below the ports that outgoing connections take: nobody else gets it while its server is being restarted."""
    while True:
        port = random.SystemRandom().randrange(11000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def wait_until(condition, timeout_s, what, every_s=0.05):
    """Waits for a condition and returns its value; TimeoutError names what did not come."""
    end = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {timeout_s} s")
        time.sleep(every_s)


class Server:
    """A child process with its folder and log."""

    living = []

    def __init__(self, name, folder):
        self.name = name
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = self.folder / f"{name}.log"
        self.process = None
        Server.living.append(self)

    def _spawn(self, *command, **options):
        assert not self.is_running(), f"{self.name} runs already"
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
                **options)

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        """kill -9, and the body is carried away."""
        if self.is_running():
            self.process.kill()
        if self.process:
            self.process.wait()

    def terminate(self, timeout_s=15):
        """SIGTERM; the exit code."""
        self.process.terminate()
        return self.process.wait(timeout_s)

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def destroy(self):
        """Ends the process and forgets the server; its folder is pytest's to clean up."""
        self.kill()
        if self in Server.living:
            Server.living.remove(self)

    def tail(self, lines=LOG_LINES_SHOWN):
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def fail_if_dead(self):
        assert self.is_running(), f"{self.name} ended with {self.process.poll()}:\n{self.tail()}"


class Kafka(Server):
    """One broker in KRaft mode."""

    SETTINGS = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "auto.create.topics.enable": "false",
        "log.retention.ms": -1,  # the tests' records are from the last century
        "group.initial.rebalance.delay.ms": 500,  # all workers of a process join in the group's first round
        "group.min.session.timeout.ms": 1000,
        "broker.session.timeout.ms": 2000,  # a killed broker may come back once its last session has ended
        "broker.heartbeat.interval.ms": 500,
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 4,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": 4,
        "transaction.abort.timed.out.transaction.cleanup.interval.ms": 1000,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
    }

    def __init__(self, folder):
        super().__init__("kafka", folder)
        self.port, self.controller_port = free_port(), free_port()
        self.bootstrap = f"127.0.0.1:{self.port}"
        settings = self.SETTINGS | {
            "listeners": f"PLAINTEXT://{self.bootstrap},CONTROLLER://127.0.0.1:{self.controller_port}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap}",
            "controller.quorum.voters": f"1@127.0.0.1:{self.controller_port}",
            "log.dirs": self.folder / "data",
        } | self.more_settings()
        self.settings = self.folder / "server.properties"
        self.settings.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        assert KAFKA_LIB.is_dir(), "no Kafka: run tests/kafka/fetch"
        format_command = [*self._java(), "kafka.tools.StorageTool", "format", "-t", "dGlkZW1hcmstdGVzdHMtMQ", "-c", self.settings]
        subprocess.run(format_command, check=True, capture_output=True)

    def more_settings(self):
        return {}

    @staticmethod
    def _java():
        return ["java", "-Xms256m", "-Xmx768m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{KAFKA_LIB}/*"]

    def start(self):
        self._spawn(*self._java(), "kafka.Kafka", self.settings)
        return self

    def wait_ready(self, timeout_s=60):
        admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})

        def answers():
            self.fail_if_dead()
            try:
                return admin.list_topics(timeout=1).brokers
            except KafkaException:
                return False

        wait_until(answers, timeout_s, "Kafka")
        return self


class StrictKafka(Kafka):
    """A broker that asks who one is (SASL/PLAIN, on a second port) and what one may. The first port is the administrator's."""

    USER, PASSWORD = "tidemark", "s3cret-of-kafka"

    def more_settings(self):
        self.strict_port = free_port()
        listener = f"STRICT://127.0.0.1:{self.strict_port}"
        return {
            "listeners": f"PLAINTEXT://{self.bootstrap},{listener},CONTROLLER://127.0.0.1:{self.controller_port}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap},{listener}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,STRICT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT",
            "listener.name.strict.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.strict.plain.sasl.jaas.config":
                f'org.apache.kafka.common.security.plain.PlainLoginModule required user_{self.USER}="{self.PASSWORD}";',
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
        }

    def client_settings(self, password=PASSWORD):
        """What a client says who is not the administrator."""
        return {"bootstrap.servers": f"127.0.0.1:{self.strict_port}", "security.protocol": "SASL_PLAINTEXT",
                "sasl.mechanism": "PLAIN", "sasl.username": self.USER, "sasl.password": password}


class Redis(Server):
    """One redis-server; `durability` is its appendfsync (always, everysec), or None to keep nothing."""

    def __init__(self, folder, durability="everysec", **settings):
        super().__init__("redis", folder)
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.data = self.folder / "data"
        self.data.mkdir(exist_ok=True)
        self.settings = {
            "port": self.port, "bind": "127.0.0.1", "dir": self.data, "save": "", "maxmemory-policy": "noeviction",
            "appendonly": "yes" if durability else "no", "appendfsync": durability or "no",
        } | {name.replace("_", "-"): value for name, value in settings.items()}

    def start(self):
        options = [word for name, value in self.settings.items() for word in (f"--{name}", str(value))]
        self._spawn("redis-server", *options)
        return self

    def client(self):
        """A client that says at once what goes wrong."""
        return redis.Redis(port=self.port, socket_timeout=5, retry=Retry(NoBackoff(), 0))

    def wait_ready(self, timeout_s=30):
        def answers():
            self.fail_if_dead()
            try:
                return self.client().ping()
            except (redis.ConnectionError, redis.BusyLoadingError):
                return False

        wait_until(answers, timeout_s, "Redis")
        return self

    def save_copy(self):
        """Copies what is on the disk now, to come back to."""
        copy = self.folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.data, copy)

    def lose_since_copy(self):
        """Dies, and comes back as it was when save_copy was called."""
        self.kill()
        shutil.rmtree(self.data)
        (self.folder / "copy").rename(self.data)
        return self.start()


class Tidemark(Server):
    """A `tidemark run`, or with `cli` any other command, with a config given as a dict."""

    def __init__(self, folder, config, name="tidemark"):
        super().__init__(name, folder)
        self.port = free_port()
        self.config = config | {"http": {"listen": f"127.0.0.1:{self.port}"}}
        self.config_file = self.folder / f"{name}.yaml"
        self.config_file.write_text(yaml.safe_dump(self.config, sort_keys=False, allow_unicode=True))

    def start(self, *options):
        self._spawn(tidemark_binary(), "run", "-c", self.config_file, *options)
        return self

    def restart(self):
        self.kill()
        return self.start()

    def cli(self, command, *arguments, timeout_s=60, stdin=None):
        """Runs another command with this config; the finished process with its texts."""
        return subprocess.run(
            [str(tidemark_binary()), command, "-c", str(self.config_file), *map(str, arguments)], input=stdin,
            capture_output=True, text=True, timeout=timeout_s)

    def http(self, path):
        """(status, text) of a GET; status None while nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return None, ""

    def customer(self, customer_id):
        return json.loads(self.http(f"/v1/customers/{urllib.parse.quote(customer_id, safe='')}")[1])

    def is_ready(self):
        return self.http("/readyz")[0] == 200

    def wait_ready(self, timeout_s=30):
        def ready():
            self.fail_if_dead()
            return self.is_ready()

        wait_until(ready, timeout_s, f"{self.name} ready")
        return self

    def metric(self, name, **labels):
        """The sum of a metric's samples that carry these labels; None where there is none."""
        total = None
        for line in self.http("/metrics")[1].splitlines():
            series, _, value = line.rpartition(" ")
            if series.split("{")[0] == name and all(f'{key}="{word}"' in series for key, word in labels.items()):
                total = (total or 0) + float(value)
        return total

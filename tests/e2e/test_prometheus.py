"""A real Prometheus scrapes a process, as deploy/prometheus/prometheus.yml says; every expression of the alert rules and of the
dashboard is asked of it."""

import json
import re
import urllib.parse
import urllib.request

import pytest
import yaml

import workload
from campaign import Campaign
from servers import TESTS, Server, free_port, wait_until

DEPLOY = TESTS.parent / "deploy"
TOKEN = "scrape-me"
# The names that deploy/README.md promises, and no others.
PROMISED = set(re.findall(r"^\| `(tidemark_\w+)`", (DEPLOY / "README.md").read_text(), re.M)
               + re.findall(r"^\| `tidemark_\w+`, `(tidemark_\w+)`", (DEPLOY / "README.md").read_text(), re.M))


class Prometheus(Server):
    """Debian's prometheus with our configuration, whose target and secret are replaced by the test's."""

    def __init__(self, folder, target):
        super().__init__("prometheus", folder)
        self.port = free_port()
        settings = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
        settings["global"] = {"scrape_interval": "250ms", "evaluation_interval": "250ms"}
        [job] = settings["scrape_configs"]
        assert job["job_name"] == "tidemark" and "authorization" in job
        (self.folder / "token").write_text(TOKEN + "\n")
        job["authorization"]["credentials_file"] = "token"
        job["static_configs"] = [{"targets": [target]}]
        (self.folder / "prometheus.yml").write_text(yaml.safe_dump(settings))
        (self.folder / "alerts.yml").write_bytes((DEPLOY / "prometheus" / "alerts.yml").read_bytes())

    def start(self):
        self._spawn("prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data", "--log.level=warn",
                    f"--web.listen-address=127.0.0.1:{self.port}")
        return self

    def get(self, path, **query):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=5) as answer:
            return json.loads(answer.read())["data"]

    def ask(self, expression):
        """The samples of an expression, now."""
        return self.get("query", query=expression)["result"]

    def has(self, expression):
        try:
            return self.ask(expression)
        except OSError:  # it is still starting
            return None


@pytest.fixture(scope="module")
def scraped(kafka, tmp_path_factory):
    """A process that has read a shop, with everything that can go into a metric, and the Prometheus that scrapes it."""
    from servers import Redis
    folder = tmp_path_factory.mktemp("scraped")
    redis_server = Redis(folder / "redis").start().wait_ready()
    run = Campaign(kafka, redis_server, folder)
    run.load(workload.shop(seed=3)[:2000])
    process = run.process()
    process.start("--set", f"http.token={TOKEN}").wait_ready()
    run.wait_read()
    server = Prometheus(folder / "prometheus", f"127.0.0.1:{process.port}").start()
    try:
        wait_until(lambda: server.has("sum(tidemark_events_total) >= 2000"), 30, "scrapes of all events")
        wait_until(lambda: server.has("tidemark_redis_memory_used_bytes"), 30, "Redis' memory")
        yield server
    finally:
        server.destroy()
        run.destroy()
        redis_server.destroy()


def names_known(server):
    return {name for name in server.get("label/__name__/values") if name.startswith("tidemark_")}


def base_name(name):
    return re.sub(r"_(bucket|sum|count)$", "", name) if "_seconds_" in name else name


def test_prometheus_finds_every_metric_that_the_guide_promises_and_no_other(scraped):
    assert len(PROMISED) > 20
    assert {base_name(name) for name in names_known(scraped)} == PROMISED


def test_the_numbers_are_the_right_ones(scraped):
    def one(expression):
        [sample] = scraped.ask(expression)
        return float(sample["value"][1])

    assert one("sum(tidemark_events_total)") == 2000
    assert one("min(tidemark_ready)") == 1
    assert one("sum(tidemark_consumer_lag)") == 0
    assert one("count(tidemark_consumer_lag)") == 12  # three topics of four partitions
    assert one("sum(tidemark_tier_changes_total)") > 0
    assert one("count(tidemark_task_clock_seconds)") == 4
    assert one("sum(tidemark_commit_seconds_count)") > 0
    assert 0 < one("tidemark_redis_memory_used_bytes") < one("tidemark_redis_memory_limit_bytes")


def test_every_alert_is_loaded_and_none_fires(scraped):
    [group] = scraped.get("rules")["groups"]
    written = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"][0]["rules"]
    assert [rule["name"] for rule in group["rules"]] == [rule["alert"] for rule in written]
    wait_until(lambda: all(rule["health"] == "ok" for rule in scraped.get("rules")["groups"][0]["rules"]), 10, "all rules evaluated")
    assert scraped.ask('ALERTS{alertstate="firing"}') == []
    guide = (DEPLOY / "README.md").read_text()
    for rule in written:
        page, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert page == "deploy/README.md" and anchor == rule["alert"].lower()
        assert re.search(rf"^#+ {rule['alert']}$", guide, re.M), f"the guide says nothing about {rule['alert']}"


def dashboard_expressions():
    board = json.loads((DEPLOY / "grafana" / "tidemark.json").read_text())
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            filled = target["expr"].replace("$job", "tidemark").replace("$tier_set", ".+").replace("$__rate_interval", "1m")
            yield panel["title"], filled


# Nothing of this kind happened, or not long enough ago.
EMPTY_WHEN_ALL_IS_WELL = {"Dead letters"}


def test_every_panel_of_the_dashboard_shows_something(scraped):
    expressions = list(dashboard_expressions())
    assert len(expressions) > 20
    mentioned = set()
    for title, expression in expressions:
        samples = wait_until(lambda: scraped.ask(expression) or title in EMPTY_WHEN_ALL_IS_WELL, 20, f"{title}: {expression}")
        assert samples is True or all(sample["value"][1] is not None for sample in samples)
        mentioned |= {base_name(name) for name in re.findall(r"tidemark_\w+", expression)}
    assert mentioned == PROMISED, "the dashboard leaves out a metric, or shows one that there is not"

"""The HTTP API on real servers: what it tells is what the oracle says, and has the shape that schemas/openapi.json gives it."""

import copy
import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from collections import Counter, defaultdict
from datetime import date, timedelta
from math import sqrt
from pathlib import Path

import jsonschema
import openapi_spec_validator
import pytest

import workload
from campaign import INPUTS, Campaign, flat, same
from oracle.calendar import Calendar
from rules_config import RULES
from servers import Redis, wait_until

OPENAPI = Path(__file__).parents[2] / "schemas" / "openapi.json"
CUSTOMERS = 300
ALERTING = {("lifecycle", "gone"), ("mood", "unhappy")}
FEEDS_MAX = 16
Z_95 = 1.959963984540054


@pytest.fixture(scope="module")
def shop(kafka, tmp_path_factory):
    """A process that has read a shop's history, and what the oracle makes of it; nobody changes it."""
    folder = tmp_path_factory.mktemp("http")
    rules = copy.deepcopy(RULES)
    for name, tier in ALERTING:
        (of,) = [of for of in rules["tier_sets"][name]["tiers"] if of["name"] == tier]
        of["treatment"] = {"alert": "account_manager", "campaign": "win_back"}
    redis_server = Redis(folder / "redis").start()
    run = Campaign(kafka, redis_server, folder, rules=rules)
    try:
        redis_server.wait_ready()
        run.load(workload.shop(seed=3, customers=CUSTOMERS))
        run.server = run.start().wait_ready()
        run.wait_read()
        run.oracle = run.expected()
        yield run
    finally:
        run.destroy()
        redis_server.destroy()


def request(process, path, method="GET", **headers):
    """(status, headers with lower-case names, bytes)"""
    connection = http.client.HTTPConnection("127.0.0.1", process.port, timeout=20)
    try:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def told(process, path):
    status, headers, body = request(process, path)
    assert status == 200 and headers["content-type"] == "application/json", (status, body)
    return json.loads(body)


# ---- the document ----

def closed(schema):
    """The schema with every field forbidden that it does not name: what is answered must be documented."""
    if isinstance(schema, dict):
        schema = {name: closed(value) for name, value in schema.items()}
        if "properties" in schema and "additionalProperties" not in schema:
            schema["additionalProperties"] = False
    return [closed(value) for value in schema] if isinstance(schema, list) else schema


def check_shape(document, path, status, content_type, value):
    """That a value is as the document says of the path's answer."""
    answer = document["paths"][path]["get"]["responses"][str(status)]
    if "$ref" in answer:
        answer = document["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
    schema = closed({**answer["content"][content_type]["schema"], "components": document["components"]})
    jsonschema.validate(value, schema, jsonschema.Draft202012Validator)


def test_the_document_is_valid_and_is_the_one_that_is_served(shop):
    document = json.loads(OPENAPI.read_text())
    openapi_spec_validator.validate(document)
    assert told(shop.server, "/openapi.json") == document


def test_every_answer_has_the_documented_shape(shop):
    document = json.loads(OPENAPI.read_text())
    customer = next(iter(shop.oracle.views))
    paths = {
        "/v1/customers/{id}": [f"/v1/customers/{customer}", f"/v1/customers/{customer}?at=1000000000000"],
        "/v1/tiers": ["/v1/tiers"],
        "/v1/feedback": ["/v1/feedback", *(f"/v1/feedback?by={by}&days=400" for by in ("tier", "channel", "touchpoint"))],
        "/v1/alerts": ["/v1/alerts", "/v1/alerts?limit=500"],
        "/v1/value": ["/v1/value", "/v1/value?days=1"],
        "/v1/tasks": ["/v1/tasks"],
        "/openapi.json": ["/openapi.json"],
        "/healthz": ["/healthz"],
        "/readyz": ["/readyz"],
    }
    elsewhere = {"/metrics", "/v1/changes", "/", "/dashboard/{file}"}  # no JSON
    assert paths.keys() | elsewhere == document["paths"].keys()
    for path, examples in paths.items():
        for example in examples:
            check_shape(document, path, 200, "application/json", told(shop.server, example))
    wrong = {"/v1/customers/{id}": [(404, "/v1/customers/nobody"), (400, "/v1/customers/%00"), (400, f"/v1/customers/{customer}?at=x")],
             "/v1/feedback": [(400, "/v1/feedback?days=0"), (400, "/v1/feedback?days=401"), (400, "/v1/feedback?by=weather")],
             "/v1/alerts": [(400, "/v1/alerts?limit=0"), (400, "/v1/alerts?limit=501"), (400, "/v1/alerts?limit=all")],
             "/v1/value": [(400, "/v1/value?days=0"), (400, "/v1/value?days=93")]}
    for path, examples in wrong.items():
        for status, example in examples:
            answered, headers, body = request(shop.server, example)
            assert (answered, headers["content-type"]) == (status, "application/problem+json"), (example, answered, body)
            check_shape(document, path, status, "application/problem+json", json.loads(body))
            assert json.loads(body)["status"] == status


# ---- what is told ----

def test_populations_are_as_the_oracle_says(shop):
    answer = told(shop.server, "/v1/tiers")
    assert answer["counting"] is False
    assert [of["name"] for of in answer["tier_sets"]] == list(shop.config["tier_sets"])
    found = Counter()
    for tier_set in answer["tier_sets"]:
        spec = shop.config["tier_sets"][tier_set["name"]]["tiers"]
        assert [tier["name"] for tier in tier_set["tiers"]] == [tier["name"] for tier in spec]
        assert [tier["treatment"] for tier in tier_set["tiers"]] == [tier.get("treatment", {}) for tier in spec]
        assert tier_set["customers"] == sum(tier["customers"] for tier in tier_set["tiers"]) == CUSTOMERS
        for tier in tier_set["tiers"]:
            assert tier["share"] == tier["customers"] / CUSTOMERS
            found[tier_set["name"], tier["name"]] = tier["customers"]
    assert +found == shop.oracle.populations


def stats(counts):
    """What the API tells of answers, worked out from the oracle's counts."""
    promoters, passives, detractors = (counts[name] for name in ("promoters", "passives", "detractors"))

    def nps(p, q, d):
        return 100 * (p - d) / (p + q + d)

    def margin(p, q, d):
        n = p + q + d
        return 100 * Z_95 * sqrt(max(0, (p + d) / n - ((p - d) / n) ** 2) / n)

    def mean(total, count):
        return total / count if count else None

    known = promoters + passives + detractors > 0
    near = (promoters + 0.75, passives + 1.5, detractors + 0.75)
    return {
        "nps": nps(promoters, passives, detractors) if known else None,
        "nps_margin": margin(promoters, passives, detractors) if known else None,
        "nps_low": max(-100.0, nps(*near) - margin(*near)) if known else None,
        "nps_high": min(100.0, nps(*near) + margin(*near)) if known else None,
        "promoters": promoters, "passives": passives, "detractors": detractors,
        "csat": mean(100 * counts["csat satisfied"], counts["csat"]), "csat_mean": mean(counts["csat sum"], counts["csat"]),
        "csat_answers": counts["csat"], "ces": mean(counts["ces sum"], counts["ces"]), "ces_answers": counts["ces"],
        "complaints": counts["complaints"], "review_mean": mean(counts["review sum"], counts["reviews"]),
        "reviews": counts["reviews"],
    }


@pytest.mark.parametrize("days", [400, 90, 1])
@pytest.mark.parametrize("by", [None, "tier", "channel", "touchpoint"])
def test_feedback_is_as_the_oracle_says(shop, days, by):
    calendar = Calendar(shop.config["state"]["time_zone"])
    today = calendar.day(max(shop.oracle.clocks.values()))
    wanted, total, groups = defaultdict(Counter), Counter(), defaultdict(Counter)
    for (dimension, name, day, field), count in shop.oracle.answers.items():
        if today - days < day <= today:
            if dimension == "all":
                wanted[day][field] += count
                total[field] += count
            elif by == "tier" and dimension.startswith("tier:"):
                groups[dimension.removeprefix("tier:"), name][field] += count
            elif dimension == by:
                groups[None, name][field] += count
    answer = told(shop.server, f"/v1/feedback?days={days}" + (f"&by={by}" if by else ""))
    assert (answer["days"], answer["by"], answer["ces_is"]) == (days, by, "mean")
    assert days < 400 or total["promoters"] > 10
    assert same(stats(total), answer["total"]), (stats(total), answer["total"])
    dates = [(date(1970, 1, 1) + timedelta(today - days + 1 + i)).isoformat() for i in range(days)]
    assert [day["date"] for day in answer["by_day"]] == dates
    for number, day in enumerate(answer["by_day"], today - days + 1):
        assert calendar.day(day["start_ms"]) == number != calendar.day(day["start_ms"] - 1)
        found = {name: value for name, value in day.items() if name not in ("date", "start_ms")}
        assert same(stats(wanted[number]), found), (day["date"], stats(wanted[number]), found)
    found = {(group["tier_set"], group["name"]): group for group in answer["groups"]}
    assert len(found) == len(answer["groups"]) and found.keys() == groups.keys()
    for key, counts in groups.items():
        group = {name: value for name, value in found[key].items() if name not in ("tier_set", "name")}
        assert same(stats(counts), group), (key, stats(counts), group)
    answers = [sum(group[name] for name in ("promoters", "passives", "detractors", "csat_answers", "ces_answers", "complaints",
                                            "reviews")) for group in answer["groups"]]
    assert answers == sorted(answers, reverse=True)


def test_alerts_are_told_worst_first(shop):
    """Everybody who is in a tier that alerts, since when the oracle says, with what they have spent."""
    last = {}
    for customer, changes in shop.oracle.changes.items():
        last |= {(customer, change["tier_set"]): change for change in changes if change["direction"] != "WILL_FALL"}
    wanted = {key: change for key, change in last.items() if (change["tier_set"], change["to"]) in ALERTING}
    answer = told(shop.server, "/v1/alerts?limit=500")
    assert 50 < len(wanted) <= 500 and (answer["open"], answer["limit"]) == (len(wanted), 500)
    found = {(alert["customer_id"], alert["tier_set"]): alert for alert in answer["alerts"]}
    assert len(found) == len(answer["alerts"]) and found.keys() == wanted.keys()
    assert {tier_set for _, tier_set in found} == {name for name, _ in ALERTING}
    for (customer, tier_set), alert in found.items():
        change = wanted[customer, tier_set]
        assert (alert["tier"], alert["since_ms"]) == (change["to"], change["effective_time_ms"])
        assert 0 <= alert["p_alive"] <= 1
        assert alert["treatment"] == {"alert": "account_manager", "campaign": "win_back"}
        if customer in shop.oracle.views:
            lifetime = shop.oracle.views[customer][1]["lifetime"]
            assert same(alert["value_at_risk"], lifetime["revenue"]), (alert, lifetime)
            assert alert["last_purchase_ms"] == lifetime["last_purchase_ms"]
    assert len({customer for customer, _ in found} & shop.oracle.views.keys()) > 10
    values = [alert["value_at_risk"] for alert in answer["alerts"]]
    assert values == sorted(values, reverse=True) and values[0] > values[-1]
    some = told(shop.server, "/v1/alerts?limit=7")
    assert (some["open"], some["limit"]) == (len(wanted), 7)
    assert [alert["value_at_risk"] for alert in some["alerts"]] == values[:7] and some["alerts"] == answer["alerts"][:7]
    assert len(told(shop.server, "/v1/alerts")["alerts"]) == 50


def everybody(shop):
    """All customers as they are told one by one, which is tested by itself."""
    done = shop.server.cli("get", *shop.oracle.changes)
    assert done.returncode == 0, done.stderr
    views = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(views) == CUSTOMERS
    return views


def valued(of):
    return of["customers"], round(of["value"], 2)


def test_value_is_counted_by_tier_and_by_the_day_on_which_it_will_be_at_risk(shop):
    days = 92
    answer = told(shop.server, f"/v1/value?days={days}")
    calendar = Calendar(shop.config["state"]["time_zone"])
    assert (answer["as_of_ms"], answer["counted"], answer["days"]) == (max(shop.oracle.clocks.values()), 1, days)
    today = calendar.day(answer["as_of_ms"])
    tiers, now, by_day = defaultdict(list), [], defaultdict(list)
    for view in everybody(shop):
        revenue = view["lifetime"]["revenue"]
        coming = [step["time_ms"] for name, tier in view["tiers"].items() for step in tier["ahead"] if (name, step["tier"]) in ALERTING]
        for name, tier in view["tiers"].items():
            tiers[name, tier["tier"]].append(revenue)
        if any((name, tier["tier"]) in ALERTING for name, tier in view["tiers"].items()):
            now.append(revenue)
        elif coming:
            by_day[max(0, calendar.day(min(coming)) - today)].append(revenue)
    found = {(tier_set["name"], tier["name"]): valued(tier) for tier_set in answer["tier_sets"] for tier in tier_set["tiers"]}
    assert {key: of for key, of in found.items() if of[0]} == {key: (len(of), round(sum(of), 2)) for key, of in tiers.items()}
    assert {key: of[0] for key, of in found.items() if of[0]} == +shop.oracle.populations
    assert valued(answer["at_risk"]["now"]) == (len(now), round(sum(now), 2))
    dates = [(date(1970, 1, 1) + timedelta(days=today + i)).isoformat() for i in range(days)]
    assert [(day["date"], day["start_ms"], *valued(day)) for day in answer["at_risk"]["by_day"]] == [
        (dates[i], calendar.start_ms(today + i), len(by_day[i]), round(sum(by_day[i]), 2)) for i in range(days)]
    assert len(now) > 20 and sum(1 for i in range(days) if by_day[i]) > 10
    assert told(shop.server, "/v1/value?days=3")["at_risk"]["by_day"] == answer["at_risk"]["by_day"][:3]


def test_tasks_are_told_with_owner_clock_and_lag(shop):
    wait_until(lambda: all(task["outbox"] == 0 for task in told(shop.server, "/v1/tasks")["tasks"]), 30, "an empty outbox")
    answer = told(shop.server, "/v1/tasks")
    assert (answer["group"], answer["ready"], answer["reason"], answer["workers"]) == (shop.group, True, None, 2)
    assert answer["kafka_up"] and answer["redis_up"]
    assert [task["task"] for task in answer["tasks"]] == list(range(shop.partitions))
    ends = shop.topics.ends(*shop.input_names())
    for task in answer["tasks"]:
        assert task["owner"] == f"{socket.gethostname()}/{shop.server.process.pid}"
        assert (task["here"], task["state"], task["problem"], task["sweeping"]) == (True, "running", None, False)
        assert task["clock_ms"] == shop.oracle.clocks[task["task"]]
        assert task["outbox"] == 0 and task["wheel_hours"] > 0
        for word in INPUTS:
            found = task["inputs"][word]
            assert (found["topic"], found["lag"]) == (shop.names[word], 0)
            assert found["offset"] == ends[found["topic"], task["task"]]
    assert {task["worker"] for task in answer["tasks"]} == {0, 1}


def lags_of(process, tasks=None):
    return {of["lag"] for task in told(process, "/v1/tasks")["tasks"] for of in task["inputs"].values()
            if tasks is None or task["task"] in tasks}


def test_every_process_tells_of_all_tasks_until_redis_is_gone(kafka, redis_server, tmp_path):
    run = Campaign(kafka, redis_server, tmp_path, rules=RULES)
    run.config["kafka"]["session.timeout.ms"] = 30_000  # one that hangs keeps its tasks
    try:
        processes = [run.start(workers=1) for _ in range(2)]
        run.load(workload.shop(seed=3, customers=40))
        run.wait_read()
        wait_until(lambda: all(process.is_ready() for process in processes), 30, "both ready")
        names = [f"{socket.gethostname()}/{process.process.pid}" for process in processes]

        def shared():
            here = [{task["task"] for task in told(process, "/v1/tasks")["tasks"] if task["here"]} for process in processes]
            return here if all(here) and sorted(here[0] | here[1]) == list(range(run.partitions)) else None

        here = wait_until(shared, 30, "both have tasks")
        for number, process in enumerate(processes):
            wait_until(lambda: lags_of(process) == {0}, 30, "all is read, and every end known")
            for task in told(process, "/v1/tasks")["tasks"]:
                ours = task["task"] in here[number]
                assert task["owner"] == names[number if ours else 1 - number]
                assert task["state"] == ("running" if ours else "elsewhere")
        # The one that hangs cannot tell of its lag; the other one does.
        processes[1].process.send_signal(signal.SIGSTOP)
        run.load(workload.shop(seed=4, customers=40))
        behind = wait_until(lambda: lags_of(processes[0], here[1]) - {0}, 20, "the lag of the tasks of the one that hangs")
        assert None not in behind and lags_of(processes[0], here[0]) <= {0}
        processes[1].process.send_signal(signal.SIGCONT)
        for process in processes:
            wait_until(lambda: lags_of(process) == {0}, 60, "all is read again")
        run.wait_read()
        paths = ("/v1/tiers", "/v1/feedback", "/v1/alerts", "/v1/value")
        first, second = ([told(process, path) for path in paths] for process in processes)
        assert first == second and first[0]["tier_sets"][0]["customers"] == 40
        # While Redis is slow, what was counted before is told.
        time.sleep(6)  # it is no longer fresh
        redis_server.client().execute_command("CLIENT", "PAUSE", 4000, "ALL")
        assert told(processes[0], "/v1/value") == first[-1]
        redis_server.kill()
        wait_until(lambda: request(processes[0], "/v1/value")[0] == 503, 60, "what was counted is no longer fresh")
        for path in (*paths, "/v1/tasks", "/v1/customers/c", "/v1/feedback?days=400&by=tier"):
            status, headers, body = request(processes[0], path)
            assert (status, headers["content-type"]) == (503, "application/problem+json"), (path, body)
        redis_server.start().wait_ready()
        wait_until(lambda: request(processes[0], "/v1/tiers")[0] == 200, 30, "Redis is found again")
        assert [told(processes[0], path) for path in paths] == first
    finally:
        run.destroy()


# ---- changes ----

class Events:
    """A client of /v1/changes, as a browser's EventSource is one."""

    def __init__(self, process, query="", last_event_id=None, timeout_s=30):
        self.connection = http.client.HTTPConnection("127.0.0.1", process.port, timeout=timeout_s)
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last_event_id} if last_event_id else {})
        self.connection.request("GET", f"/v1/changes{query}", headers=headers)
        self.answer = self.connection.getresponse()
        self.last_event_id = last_event_id
        assert self.answer.status == 200, self.answer.read()
        assert self.answer.getheader("Content-Type") == "text/event-stream"

    def next(self):
        """The data of the next event, None for a block without; the id is kept."""
        data = None
        while line := self.answer.readline().decode().rstrip("\n"):
            name, _, value = line.partition(": ")
            if name == "id":
                self.last_event_id = value
            elif name == "data":
                data = value
        return data

    def take(self, count):
        """The next so many tier changes."""
        changes = []
        while len(changes) < count:
            data = self.next()
            if data is not None:
                changes.append(json.loads(data))
        return changes

    def close(self):
        self.answer.close()
        self.connection.close()


def by_id(changes):
    return {change["id"]: change for change in changes}


def beginning(campaign):
    """The id that stands before everything."""
    return ";".join(f"{topic}:{','.join(['0'] * campaign.partitions)}" for topic in campaign.out_topics)


def test_changes_are_told_from_any_place_on(shop):
    """Everything from the beginning, once each; cut off in the middle and resumed, nothing is missing and nothing comes twice."""
    published = flat(shop.published())
    events = Events(shop.server, last_event_id=beginning(shop))
    first = events.take(len(published) // 3)
    events.close()
    resumed = Events(shop.server, last_event_id=events.last_event_id)
    rest = resumed.take(len(published) - len(first))
    resumed.close()
    changes = first + rest
    assert len(by_id(changes)) == len(changes) and by_id(changes) == by_id(published)
    chains = defaultdict(list)
    for change in changes:
        chains[change["customer_id"], change["tier_set"]].append(change["sequence"])
    assert all(chain == list(range(1, len(chain) + 1)) for chain in chains.values())


def test_changes_can_be_of_one_tier_set(shop):
    for name in ("lifecycle", "mood"):  # one with a topic of its own, one of several in a topic
        wanted = [change for change in flat(shop.published()) if change["tier_set"] == name]
        events = Events(shop.server, f"?tier_set={name}", beginning(shop))
        assert by_id(events.take(len(wanted))) == by_id(wanted)
        events.close()


def test_wrong_questions_for_changes_are_refused(shop):
    assert request(shop.server, "/v1/changes?tier_set=weather")[0] == 400
    assert request(shop.server, "/v1/changes?tier_set=%00")[0] == 400
    assert request(shop.server, "/v1/changes", Last_Event_ID="nonsense")[0] == 400
    status, headers, body = request(shop.server, "/v1/changes", "HEAD")
    assert (status, headers["content-type"], body) == (200, "text/event-stream", b"")


def test_there_is_an_end_to_streams(shop):
    """No more than so many at once; each that ends makes room."""
    streams = []

    def all_open():
        try:
            streams.append(Events(shop.server))
        except AssertionError:  # those of other tests are still ending
            return False
        return len(streams) == FEEDS_MAX

    wait_until(all_open, 20, "as many streams as there may be")
    for stream in streams:
        assert stream.next() is None and stream.last_event_id  # it has begun
    assert request(shop.server, "/v1/changes")[0] == 503
    for stream in streams:
        stream.close()

    def begins():
        status, _, _ = request(shop.server, "/v1/changes", "HEAD")
        return status == 200

    wait_until(begins, 20, "room for a stream")


@pytest.mark.parametrize("output_format", ["json", "protobuf"])
def test_a_change_is_told_as_it_happens(kafka, redis_server, tmp_path, output_format):
    rules = {"tier_sets": {"spent": {"topic": "OWN", "tiers": [{"name": "much", "enter": "revenue >= 10", "treatment": {"a": "b"}},
                                                               {"name": "little"}]}}}
    run = Campaign(kafka, redis_server, tmp_path, rules=rules, format="json", output_format=output_format)
    try:
        process = run.start().wait_ready()
        live = Events(process)
        assert live.next() is None
        before = live.last_event_id
        for number, amount in enumerate([500, 600]):
            event = {"event_id": f"e{number}", "customer_id": "c", "event_time_ms": 1_000 + number, "currency": "EUR",
                     "amount_minor": amount}
            run.topics.produce([(run.names["purchases"], 0, b"c", json.dumps(event).encode(), 1_000 + number, [])])
            (change,) = live.take(1)
            assert (change["customer_id"], change["to"], change["direction"]) == [("c", "little", "FIRST"), ("c", "much", "UP")][number]
            assert change["cause_event_id"] == f"e{number}" and change["metrics"]["revenue"] in (5.0, 11.0)
            if number == 1:
                assert change["treatment"] == {"a": "b"} and change["conditions"] == [
                    {"rule": "revenue >= 10", "value": 11.0, "threshold": 10.0, "met": True}]
        again = Events(process, last_event_id=before)
        assert [change["sequence"] for change in again.take(2)] == [1, 2]
        assert again.last_event_id == live.last_event_id
        started = time.monotonic()
        assert process.terminate() == 0
        assert time.monotonic() - started < 10
        assert live.answer.read() == b"" and again.answer.read() == b""
    finally:
        run.destroy()


# ---- as HTTP ----

def test_an_answer_that_the_client_has_is_not_sent_again(shop):
    for path in ("/v1/tiers", "/v1/feedback?by=tier", "/v1/alerts", "/v1/tasks", "/openapi.json",
                 f"/v1/customers/{next(iter(shop.oracle.views))}"):
        status, headers, body = request(shop.server, path)
        assert status == 200 and headers["cache-control"] == "private, no-cache"
        assert request(shop.server, path, If_None_Match=headers["etag"])[::2] == (304, b"")
        again = request(shop.server, path, If_None_Match='"other"')
        assert again[::2] == (200, body)
        status, head, nothing = request(shop.server, path, "HEAD")
        assert (status, nothing, head["content-length"], head["etag"]) == (200, b"", str(len(body)), headers["etag"])


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_can_be_written(shop, method):
    document = json.loads(OPENAPI.read_text())
    for path in document["paths"]:
        status, headers, body = request(shop.server, path.replace("{id}", "c"), method)
        assert (status, headers["allow"]) == (405, "GET, HEAD"), (method, path)
        assert json.loads(body)["status"] == 405


def test_whatever_is_asked_is_answered_as_the_document_says(shop):
    """Schemathesis asks for what the document allows, and for what it does not."""
    done = subprocess.run(
        [Path(sys.executable).with_name("schemathesis"), "--config-file", Path(__file__).with_name("schemathesis.toml"), "run", f"http://127.0.0.1:{shop.server.port}/openapi.json",
         "--exclude-path", "/v1/changes",  # has no end
         "--exclude-path", "/readyz",  # may say 503 where the machine is so busy that the group loses its members
         "--exclude-checks", "positive_data_acceptance",  # ids are limited in bytes, which no schema can say
         "--phases", "examples,coverage,fuzzing", "--max-examples", "10", "--seed", "1",
         "--max-time", "25", "--no-color"], capture_output=True, text=True, timeout=120, cwd=shop.folder)
    assert done.returncode == 0, done.stdout + done.stderr

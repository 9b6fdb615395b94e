"""What `check` and `run` refuse, each with one clear line; and what `run` waits for."""

import json

import pytest
import yaml

import workload
from campaign import Campaign
from servers import Redis, Tidemark, free_port, wait_until

OK, UNREACHABLE, BAD_CONFIG, BAD_USAGE = 0, 69, 78, 64


@pytest.fixture
def campaign(kafka, redis_server, tmp_path):
    run = Campaign(kafka, redis_server, tmp_path)
    yield run
    run.destroy()


def check(campaign, *options, **changes):
    tool = Tidemark(campaign.folder / "check", campaign.config | changes, "check")
    done = tool.cli("check", *options)
    tool.destroy()
    return done.returncode, done.stderr.strip().splitlines()


def refused_by_run(campaign, **changes):
    process = campaign.start(**changes)
    assert process.process.wait(20) == BAD_CONFIG
    return process.log.read_text()


def test_a_good_config_passes(campaign):
    assert check(campaign) == (OK, [])


@pytest.mark.parametrize("changes, words", [
    ({"grup": "x"}, "unknown key 'grup'; did you mean 'group'?"),
    ({"state": {"cahce": "1MiB"}}, "unknown key 'cahce' in state; did you mean 'cache'?"),
    ({"format": "jsn"}, "format: expected one of protobuf|json|confluent-protobuf, not 'jsn'"),
    ({"state": {"time_zone": "Europe/Berlyn"}}, "no zone 'Europe/Berlyn'"),
    ({"currency": {"base": "EUR", "rates": {"USD": -1}}}, "currency.rates.USD"),
    ({"http": {"listen": "0.0.0.0:0"}}, "set http.token"),
    ({"kafka": {"bootstrap.servers": "127.0.0.1:1", "enable.auto.commit": True}}, "kafka.enable.auto.commit: must be false"),
    ({"kafka": {"bootstrap.server": "127.0.0.1:1"}}, "kafka.bootstrap.server"),
    ({"redis": {"url": "http://127.0.0.1"}}, "redis.url"),
    ({"tier_sets": {"a": {"tiers": [{"name": "x", "enter": "revenu(90d) > 1"}, {"name": "y"}]}}}, "did you mean 'revenue'?"),
    ({"tier_sets": {"a": {"tiers": [{"name": "x", "enter": "revenue(90d) >"}, {"name": "y"}]}}}, "found the end"),
])
def test_a_wrong_file_is_refused_where_it_is_wrong(campaign, changes, words):
    config = campaign.config | {"http": {"listen": f"127.0.0.1:{free_port()}"}} | changes
    file = campaign.folder / "wrong.yaml"
    file.write_text(yaml.safe_dump(config, sort_keys=False))
    tool = campaign.process()
    tool.config_file = file
    for command in ("check", "run"):
        done = tool.cli(command)
        lines = [line for line in done.stderr.splitlines() if "level=" not in line]
        assert done.returncode == BAD_CONFIG, done.stderr
        assert len(lines) == 1 and words in lines[0], lines


def test_a_missing_topic_is_refused(campaign):
    topics = campaign.config["topics"] | {"feedback": "no-such-topic"}
    assert check(campaign, topics=topics) == (BAD_CONFIG, ["tidemark: missing topics: no-such-topic"])
    assert "missing topics: no-such-topic" in refused_by_run(campaign, topics=topics)


def test_unequal_partition_counts_are_refused(campaign):
    campaign.topics.create({f"{campaign.group}.odd": 3})
    topics = campaign.config["topics"] | {"feedback": f"{campaign.group}.odd"}
    code, lines = check(campaign, topics=topics)
    assert code == BAD_CONFIG and len(lines) == 1 and "unequal partition counts" in lines[0]
    assert "unequal partition counts" in refused_by_run(campaign, topics=topics)


def test_a_redis_that_evicts_is_refused(campaign, tmp_path):
    server = Redis(tmp_path / "evicts", maxmemory_policy="allkeys-lru").start().wait_ready()
    code, lines = check(campaign, redis={"url": server.url})
    assert code == BAD_CONFIG and len(lines) == 1 and "allkeys-lru" in lines[0]
    assert "allkeys-lru" in refused_by_run(campaign, redis={"url": server.url})
    server.destroy()


def test_a_redis_that_begins_to_evict_shows(campaign):
    process = campaign.start().wait_ready()
    campaign.redis.client().config_set("maxmemory-policy", "allkeys-lru")
    wait_until(lambda: "evict" in process.http("/readyz")[1], 90, "eviction noticed", every_s=1)


def test_state_of_another_partition_count_is_refused(campaign):
    campaign.load(workload.shop(seed=1, customers=40))
    process = campaign.start().wait_ready()
    campaign.wait_read()
    assert process.terminate() == OK
    topics = dict(campaign.config["topics"])
    for word in ("purchases", "interactions", "feedback"):
        topics[word] = f"{campaign.group}.wide.{word}"
    campaign.topics.create({topics[word]: 6 for word in ("purchases", "interactions", "feedback")})
    code, lines = check(campaign, topics=topics)
    assert code == BAD_CONFIG and len(lines) == 1 and "is for 4 partitions, but the topics have 6" in lines[0]
    assert "is for 4 partitions" in refused_by_run(campaign, topics=topics)


def test_state_of_an_unreadable_version_is_refused(campaign):
    campaign.load(workload.shop(seed=1, customers=40))
    process = campaign.start().wait_ready()
    campaign.wait_read()
    assert process.terminate() == OK
    campaign.redis.client().hset(f"tm:{{{campaign.group}.0}}:meta", "schema", 99)
    code, lines = check(campaign)
    assert code == BAD_CONFIG and len(lines) == 1 and "version 99" in lines[0]
    assert "version 99" in refused_by_run(campaign)


def test_check_tells_what_is_unreachable(campaign):
    kafka = campaign.config["kafka"] | {"bootstrap.servers": f"127.0.0.1:{free_port()}"}
    code, lines = check(campaign, kafka=kafka)
    assert code == UNREACHABLE and len(lines) == 1 and "Kafka at 127.0.0.1" in lines[0]
    code, lines = check(campaign, redis={"url": f"redis://127.0.0.1:{free_port()}"})
    assert code == UNREACHABLE and len(lines) == 1 and "Redis cannot be used" in lines[0]


def test_run_waits_for_kafka_and_redis(campaign, tmp_path):
    server = Redis(tmp_path / "late")
    process = campaign.start(redis={"url": server.url})
    wait_until(lambda: "Redis" in process.http("/readyz")[1], 20, "not ready, and why")
    assert process.http("/readyz")[0] == 503 and process.http("/healthz")[0] == 200
    server.start().wait_ready()
    process.wait_ready()
    assert process.terminate() == OK
    server.destroy()


def test_a_bad_command_line_is_told(campaign):
    tool = campaign.process()
    assert tool.cli("generate", "--customers", "many").returncode == BAD_USAGE
    assert tool.cli("load").returncode == BAD_USAGE
    assert tool.cli("run", "--no-such-option").returncode == BAD_USAGE


def test_a_redis_with_a_password(campaign, tmp_path):
    server = Redis(tmp_path / "closed", requirepass="geheim").start()
    code, lines = check(campaign, redis={"url": server.url})
    assert code == BAD_CONFIG and len(lines) == 1 and "NOAUTH" in lines[0]
    code, lines = check(campaign, redis={"url": server.url, "password": "wrong"})
    assert code == BAD_CONFIG and len(lines) == 1 and "refused" in lines[0]
    assert check(campaign, redis={"url": server.url, "password": "geheim"}) == (OK, [])
    secret = tmp_path / "secret"
    secret.write_text("geheim\n")
    assert check(campaign, redis={"url": server.url, "password": f"${{file:{secret}}}"}) == (OK, [])
    server.destroy()


def test_load_names_the_bad_line(campaign):
    tool = campaign.process()
    good = json.dumps({"topic": "purchases", "customer_id": "c", "event_time_ms": 1, "amount_minor": 1, "currency": "EUR"})
    done = tool.cli("load", "-", stdin=good + "\n{nonsense\n")
    assert done.returncode == 65 and "standard input:2:" in done.stderr
    assert len(campaign.topics.read(campaign.names["purchases"])) == 1


def test_another_base_currency_is_refused(campaign):
    campaign.load(workload.shop(seed=1)[:200])
    process = campaign.start().wait_ready()
    campaign.wait_read()
    assert process.terminate() == 0
    other = {"base": "USD", "rates": {"EUR": 1.1, "GBP": 1.3, "JPY": 0.01, "KWD": 3.2}}
    code, lines = check(campaign, currency=other)
    assert code == BAD_CONFIG and "sums are in EUR, but currency.base is USD" in lines[0], lines
    assert "sums are in EUR" in refused_by_run(campaign, currency=other)

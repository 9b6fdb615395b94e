"""Scores that are cut by the customers themselves, rules that change, and falls that are announced: on real servers, with several
tasks in several processes that must agree on the cut points."""

import json
import time
from bisect import bisect_left
from collections import defaultdict

import pytest

import workload
from campaign import INPUTS, Campaign, flat
from servers import wait_until

RULES = {
    "state": {"time_zone": "Europe/Berlin"},
    "currency": {"base": "EUR", "rates": {"USD": 0.92, "GBP": 1.17, "JPY": 0.0061, "KWD": 2.98}},
    "populations": {"refresh": "1s", "minimum": 20},
    "scores": {
        "m": {"metric": "revenue", "quantiles": 5},
        "r": {"metric": "days_since_purchase", "quantiles": 4, "best": "low"},
        "abc": {"metric": "revenue", "shares": [80, 95]},
    },
    "tier_sets": {
        "money": {"tiers": [{"name": f"m{n}", "enter": f"m >= {n}"} for n in (5, 4, 3, 2)] + [{"name": "m1"}]},
        "recent": {"tiers": [{"name": f"r{n}", "enter": f"r >= {n}"} for n in (4, 3, 2)] + [{"name": "r1"}]},
        "class": {"tiers": [{"name": "a", "enter": "abc = 3"}, {"name": "b", "enter": "abc = 2"}, {"name": "c"}]},
    },
}


@pytest.fixture
def campaign(kafka, redis_server, tmp_path):
    run = Campaign(kafka, redis_server, tmp_path, rules=RULES)
    yield run
    run.destroy()


def metas(campaign):
    client = campaign.redis.client()
    return [client.hgetall(f"tm:{{{campaign.group}.{number}}}:meta") for number in range(campaign.partitions)]


def cuts(campaign):
    client = campaign.redis.client()
    return [client.get(f"tm:{{{campaign.group}.{number}}}:cuts") for number in range(campaign.partitions)]


def settled(campaign):
    """Every task has evaluated everybody by one and the same set of cut points, and for a while nothing has changed."""
    first = cuts(campaign)
    if None in first or len(set(first)) != 1:
        return False
    if any(meta[b"edition"] != meta[b"edition.swept"] for meta in metas(campaign)):
        return False
    time.sleep(2.5)
    return cuts(campaign) == first and campaign.is_read()


def chains(changes):
    """(customer, set) -> its changes, checked to be one chain without gaps."""
    last = defaultdict(list)
    for of_customer in changes.values():
        for change in of_customer:
            chain = last[change["customer_id"], change["tier_set"]]
            assert change["sequence"] == len(chain) + 1, (chain[-1:], change)
            assert change["from"] == (chain[-1]["to"] if chain else None), (chain[-1:], change)
            chain.append(change)
    return last


def views(campaign, process):
    ids = sorted({message.key().decode() for message in campaign.topics.read(*campaign.input_names())})
    told = []
    for start in range(0, len(ids), 400):
        done = process.cli("get", *ids[start:start + 400])
        assert done.returncode == 0, done.stderr
        told += map(json.loads, done.stdout.splitlines())
    return told


def near(values, value):
    """The values that the error of the histogram, 1 %, cannot tell from this one."""
    return abs(value) * 0.0101 + 0.0101


def exact_quantile(ordered, value, n):
    return 1 + int(n * bisect_left(ordered, value) / len(ordered))


def test_everybody_is_where_the_quantiles_of_all_say(campaign):
    lines = workload.shop(seed=1)
    campaign.load(lines[:len(lines) // 2])
    processes = [campaign.start(workers=1) for _ in range(2)]
    for process in processes:
        process.wait_ready()
    campaign.wait_read()
    wait_until(lambda: settled(campaign), 60, "cut points in all tasks")
    early = {change["cut_points_version"] for change in flat(campaign.published())}
    campaign.load(lines[len(lines) // 2:])
    processes[0].kill()  # whoever takes over goes on with the same cut points
    campaign.wait_read()
    processes[0].start().wait_ready()
    wait_until(lambda: settled(campaign), 60, "cut points in all tasks, again")

    changes = campaign.published()
    last = chains(changes)
    assert len({change["cut_points_version"] for change in flat(changes)} - early) > 0
    moved = [change for change in flat(changes) if change["cause"] == "RULES"]
    assert moved and all(change["cut_points_version"] > 0 and change["cause_event_id"] is None for change in moved)

    told = views(campaign, processes[1])
    spent = sorted(view["metrics"]["revenue"] for view in told)
    bought = [view for view in told if view["lifetime"]["last_purchase_ms"] is not None]
    lasts = sorted(view["lifetime"]["last_purchase_ms"] // 3_600_000 for view in bought)
    total = sum(value for value in spent if value > 0)
    for view in told:
        for name in RULES["tier_sets"]:
            chain = last[view["customer_id"], name]
            assert chain[-1]["to"] == view["tiers"][name]["tier"], (view, chain)
        value = view["metrics"]["revenue"]
        low, high = exact_quantile(spent, value - near(spent, value), 5), exact_quantile(spent, value + near(spent, value), 5)
        assert low <= view["scores"]["m"] <= high, (view["scores"], value, low, high)
        better = sum(other for other in spent if other > value + near(spent, value)) / total
        at_best = sum(other for other in spent if other > value - near(spent, value)) / total
        classes = {3 if share < 0.80 else 2 if share < 0.95 else 1 for share in (better, at_best, better - 0.011, at_best + 0.011)}
        assert view["scores"]["abc"] in (classes if value > 0 else {1}), (value, better, view["scores"])
    for view in bought:
        hour = view["lifetime"]["last_purchase_ms"] // 3_600_000
        assert view["scores"]["r"] == 1 + int(4 * bisect_left(lasts, hour) / len(lasts)), (view["scores"], hour)

    populations = defaultdict(int)
    for number in range(campaign.partitions):
        for field, count in campaign.redis.client().hgetall(f"tm:{{{campaign.group}.{number}}}:pop").items():
            _, name, tier = field.decode().split("/")
            populations[name, tier] += int(count)
    counted = defaultdict(int)
    for view in told:
        for name, tier in view["tiers"].items():
            counted[name, tier["tier"]] += 1
    assert {key: count for key, count in populations.items() if count} == counted


def test_what_the_referred_spend_is_known_of_the_referrer(campaign):
    """Whoever was referred may be in any task: looked up, the referrer has all of them."""
    lines, wanted = [], defaultdict(lambda: [set(), 0])
    start_ms = 1_700_000_000_000
    for number in range(40):
        customer, referrer = f"new{number}", f"old{number % 3}"
        amounts = [1000 + number, 500]
        for step, amount in enumerate(amounts):
            event = {"event_id": f"{customer}-{step}", "customer_id": customer, "event_time_ms": start_ms + number * 1000 + step,
                     "amount_minor": amount, "currency": "EUR"}
            lines.append({"topic": "purchases", **event} | ({"referrer_id": referrer} if step == 0 else {}))
        lines.append({"topic": "purchases", "event_id": f"{customer}-r", "customer_id": customer, "kind": "REFUND",
                      "event_time_ms": start_ms + number * 1000 + 9, "amount_minor": 300, "currency": "EUR"})
        wanted[referrer][0].add(customer)
        wanted[referrer][1] += sum(amounts) - 300
    lines += [{"topic": "interactions", "event_id": f"i{n}", "customer_id": f"old{n}", "event_time_ms": start_ms, "kind": "LOGIN"}
              for n in range(3)]
    done = campaign.process().cli("load", "-", stdin="".join(json.dumps(line) + "\n" for line in lines))
    assert done.returncode == 0, done.stderr
    process = campaign.start().wait_ready()
    campaign.wait_read()
    for referrer, (customers, minor) in wanted.items():
        told = process.customer(referrer)["lifetime"]
        assert (told["referred_customers"], told["referred_revenue"]) == (len(customers), minor / 100), (referrer, told)


def test_new_rules_reach_everybody_and_say_so(campaign):
    campaign.load(workload.shop(seed=1)[:6000])
    process = campaign.start().wait_ready()
    campaign.wait_read()
    assert process.terminate() == 0
    before = chains(campaign.published())
    campaign.config["scores"] = {"m": {"metric": "revenue", "steps": [10, 20, 50, 100]}}
    campaign.config["tier_sets"] = {"money": RULES["tier_sets"]["money"],
                                    "seen": {"tiers": [{"name": "buyer", "enter": "purchases >= 1"}, {"name": "visitor"}]}}
    renewed = campaign.start().wait_ready()
    wait_until(lambda: all(meta[b"edition"] == meta[b"edition.swept"] != b"0" for meta in metas(campaign)), 60, "a sweep")
    told = views(campaign, renewed)
    campaign.wait_published(len(flat(before)) + len(told))
    after = chains(campaign.published())
    steps = [10, 20, 50, 100]
    for view in told:
        score = 1 + sum(view["metrics"]["revenue"] >= step for step in steps)
        assert view["tiers"]["money"]["tier"] == after[view["customer_id"], "money"][-1]["to"] == f"m{score}"
        seen = after[view["customer_id"], "seen"]
        assert len(seen) == 1 and seen[0]["cause"] == "RULES" and seen[0]["to"] == view["tiers"]["seen"]["tier"]
    news = [change for key, chain in after.items() for change in chain[len(before.get(key, [])):]]
    assert news and {change["cause"] for change in news} == {"RULES"}
    assert len({change["rules_version"] for change in news}) == 1 < len({change["rules_version"] for change in flat(campaign.published())})

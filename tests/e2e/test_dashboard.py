"""The dashboard in a real browser, on real servers: it shows what the API tells, live, to everybody, and asks nobody else."""

import gzip
import json
import os
import re
import time
import urllib.request
from pathlib import Path

import pytest
import yaml
from selenium.webdriver.common.keys import Keys

from browser import Browser
from campaign import Campaign
from servers import Redis

CONFIG = Path(__file__).parents[2] / "config"
SCREENSHOTS = Path(__file__).parent / "screenshots"
CUSTOMERS = 1500
SETS = ("value.yaml", "churn.yaml", "rfm-grid.yaml")


def rules():
    """Ready-made tier sets, as a user would include them."""
    merged = {"scores": {}, "tier_sets": {}}
    for name in SETS:
        for key, value in yaml.safe_load((CONFIG / name).read_text()).items():
            merged[key] |= value
    del merged["scores"]["m"]["quantiles"]  # new cut points would move customers while a test looks on
    return merged


def buy(shop, *customers, amount_minor=9900):
    """Purchases of this moment."""
    now_ms = int(time.time() * 1000)
    events = [{"topic": "purchases", "event_id": f"now-{customer}-{now_ms}", "customer_id": customer, "event_time_ms": now_ms,
               "amount_minor": amount_minor, "currency": "EUR"} for customer in customers]
    done = shop.server.cli("load", "-", stdin="".join(json.dumps(event) + "\n" for event in events))
    assert done.returncode == 0, done.stderr


def open_shop(kafka, redis_server, folder):
    run = Campaign(kafka, redis_server, folder, rules=rules(), clock="wall", currency={"base": "EUR"}, format="json")
    run.server = run.process()
    done = run.server.cli("generate", "--customers", CUSTOMERS, "--days", 400, "--seed", 7)
    assert done.returncode == 0, done.stderr
    run.server.start().wait_ready()
    run.wait_read()
    return run


@pytest.fixture(scope="module")
def shop(kafka, tmp_path_factory):
    """A shop of generated customers, up to now."""
    folder = tmp_path_factory.mktemp("dashboard")
    redis_server = Redis(folder / "redis").start()
    redis_server.wait_ready()
    run = open_shop(kafka, redis_server, folder)
    try:
        yield run
    finally:
        run.destroy()
        redis_server.destroy()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    window = Browser(tmp_path_factory.mktemp("browser"))
    try:
        yield window
    finally:
        window.destroy()


@pytest.fixture
def page(shop, browser):
    """The dashboard, opened and filled; at the end nothing was complained about, and nobody else was asked."""
    browser.forget()
    browser.emulate()
    origin = f"http://127.0.0.1:{shop.server.port}"
    browser.open(f"{origin}/")
    browser.wait(lambda: is_filled(browser), "the page is filled")
    yield browser
    assert browser.complaints() == []
    assert browser.origins() == {origin}


def is_filled(browser):
    return browser.rows("#tiers-table") and browser.rows("#tasks") and browser.text("#changes-state") == "Live"


def told(shop, path):
    return json.loads(shop.server.http(path)[1])


def plain(text):
    return int(text.replace(",", ""))


def choose(page, selector, value):
    page.driver.execute_script(
        "const select = document.querySelector(arguments[0]); select.value = arguments[1]; select.dispatchEvent(new Event('change'))",
        selector, value)


def is_drawn(page, chart):
    """Whether there is anything on the chart's canvas."""
    return page.driver.execute_script(
        """const canvas = document.querySelector(arguments[0] + " canvas");
        if (!canvas) { return false; }
        const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
        copy.drawImage(canvas, 0, 0);
        const bytes = copy.getImageData(0, 0, canvas.width, canvas.height).data;
        return bytes.filter((byte, i) => i % 4 === 3 && byte > 0).length > 500;""", chart)


# ---- what it shows ----

def test_populations_are_shown_as_the_api_tells(shop, page):
    answer = told(shop, "/v1/tiers")
    assert len(answer["tier_sets"]) == 3
    for tier_set in answer["tier_sets"]:
        choose(page, "#tier-set", tier_set["name"])
        wanted = [[tier["name"].replace("_", " "), tier["customers"]] for tier in tier_set["tiers"]]
        page.wait(lambda: [[row[0], plain(row[1])] for row in page.rows("#tiers-table")] == wanted, tier_set["name"])
        label = page.find("#tiers-chart").get_attribute("aria-label")
        assert all(f"{name} {customers:,}" in label for name, customers in wanted)
        page.wait(lambda: is_drawn(page, "#tiers-chart"), "bars")
    assert sum(customers for _, customers in wanted) >= CUSTOMERS


def test_the_heat_map_is_the_tier_set_of_its_cells(shop, page):
    (grid,) = [of for of in told(shop, "/v1/tiers")["tier_sets"] if of["name"] == "rfm_grid"]
    customers = {tier["name"]: tier["customers"] for tier in grid["tiers"]}
    wanted = [[f"F {f}"] + [f"{customers[f'r{r}_f{f}']:,}" for r in range(1, 6)] for f in range(5, 0, -1)]
    assert sum(customers[name] > 0 for name in customers) > 15
    page.wait(lambda: page.rows("#grid-table") == wanted, "cells")
    page.wait(lambda: is_drawn(page, "#grid-chart"), "the map")
    choose(page, "#grid-by", "value")
    (grid,) = [of for of in told(shop, "/v1/value")["tier_sets"] if of["name"] == "rfm_grid"]
    spent = {tier["name"]: tier["value"] for tier in grid["tiers"]}
    page.wait(lambda: page.text("#grid-note").startswith("Revenue by score"), "by revenue")
    shown = page.rows("#grid-table")
    assert [row[0] for row in shown] == [f"F {f}" for f in range(5, 0, -1)]
    for f, row in zip(range(5, 0, -1), shown):
        assert all(abs(plain(cell) - spent[f"r{r}_f{f}"]) <= 0.5 for r, cell in zip(range(1, 6), row[1:]))
    assert max(spent.values()) > 10_000
    page.wait(lambda: is_drawn(page, "#grid-chart"), "the map in other colours")


def test_the_value_at_risk_is_told_by_day(shop, page):
    page.wait(lambda: page.rows("#risk-table"), "the days")
    answer = told(shop, "/v1/value?days=28")
    days = answer["at_risk"]["by_day"]
    assert sum(day["customers"] for day in days) > 10 and answer["at_risk"]["now"]["customers"] > 10
    for row, day in zip(page.rows("#risk-table"), days, strict=True):
        assert (row[0], plain(row[1])) == (day["date"], day["customers"]) and abs(plain(row[2]) - day["value"]) <= 0.5
    more, spent = re.fullmatch(r"([\d,]+) more in 28 days, who have spent ([\d,]+)", page.text("#risk-now")).groups()
    assert plain(more) == sum(day["customers"] for day in days) and abs(plain(spent) - sum(day["value"] for day in days)) <= 0.51
    assert page.text("#number-risk") not in ("", "–")
    page.wait(lambda: is_drawn(page, "#risk-chart"), "the bars")


def test_nps_alerts_and_tasks_are_shown_as_the_api_tells(shop, page):
    total = told(shop, "/v1/feedback?days=90")["total"]
    answers = total["promoters"] + total["passives"] + total["detractors"]
    assert answers > 50
    wanted = [f"{total[name]:.1f}" for name in ("nps", "nps_low", "nps_high")]
    page.wait(lambda: page.text("#nps-now"), "the score")
    assert page.text("#nps-now") == f"{wanted[0]} ({wanted[1]} to {wanted[2]}), {answers} answers"
    days = page.rows("#nps-table")
    assert len(days) == 90 and days[0][1:] == [*wanted, str(answers)]
    earlier = told(shop, "/v1/feedback?days=179")["by_day"][:90]
    assert plain(days[-1][4]) == sum(day[name] for day in earlier for name in ("promoters", "passives", "detractors"))
    page.wait(lambda: is_drawn(page, "#nps-chart"), "the line")

    alerts = told(shop, "/v1/alerts?limit=500")
    page.wait(lambda: page.rows("#churn"), "alerts")
    assert 10 < alerts["open"] <= 500 and page.text("#number-alerts") == str(alerts["open"])
    rows = page.rows("#churn")
    assert len(rows) == min(100, alerts["open"])
    for row, alert in zip(rows, alerts["alerts"]):
        assert row[0] == alert["customer_id"] and abs(plain(row[2]) - alert["value_at_risk"]) <= 0.5
    spent = plain(page.text("#churn-now").removeprefix(f"{alerts['open']} open; they have spent "))
    assert abs(spent - sum(alert["value_at_risk"] for alert in alerts["alerts"])) <= 0.51

    tasks = told(shop, "/v1/tasks")
    assert [row[:3] for row in page.rows("#tasks")] == [[str(task["task"]), "running", task["owner"]] for task in tasks["tasks"]]
    assert page.text("#health").split("\n") == ["Kafka up", "Redis up", "ready", "4 of 4 tasks run"]
    assert shop.group in page.text("#process") and page.text("#number-customers").replace(",", "") >= str(CUSTOMERS)


def test_changes_arrive_live_and_move_the_numbers(shop, page):
    strange = "<img src=x onerror=alert(1)>&\"'"
    page.wait(lambda: len(page.rows("#work-table")) > 1, "two looks at the metrics")
    buy(shop, "live-1", strange)
    page.wait(lambda: {"live-1", strange} <= {row[0] for row in page.rows("#changes")}, "both")
    rows = [row for row in page.rows("#changes") if row[0] == "live-1"]
    tiers = {name.replace("_", " "): tier for name, tier in shop.server.customer("live-1")["tiers"].items()}
    (value,) = [change for change in shop.published()["live-1"] if change["tier_set"] == "value"]
    assert {row[3]: row[1] for row in rows} == {name: f"starts as {tier['tier'].replace('_', ' ')}" for name, tier in tiers.items()}
    (why,) = [row[2] for row in rows if row[3] == "value"]
    assert why == f"because {value['conditions'][0]['rule']} (is {value['conditions'][0]['value']:g}), by purchase"
    assert not page.driver.execute_script("return document.querySelector('#changes img')")
    choose(page, "#tier-set", "value")
    page.wait(lambda: ["new", value["to"].replace("_", " "), "2"] in page.rows("#flow-table"), "the flow")
    page.wait(lambda: is_drawn(page, "#flow-chart"), "the flow's picture")
    page.wait(lambda: any(float(row[1]) > 0 for row in page.rows("#work-table")), "events per second")
    page.wait(lambda: re.match(r"[1-6] tier changes?; the latest: (live-1|<img)", page.text("#changes-said")), "said to those who do not see", 30)

    page.find("#changes-pause").click()
    buy(shop, "live-2")
    page.wait(lambda: int(page.text("#number-changes")) >= 9, "counted")
    assert "live-2" not in {row[0] for row in page.rows("#changes")}
    page.find("#changes-pause").click()
    page.wait(lambda: "live-2" in {row[0] for row in page.rows("#changes")}, "shown again")
    choose(page, "#changes-direction", "DOWN")
    assert page.text("#changes").startswith("None yet")


# ---- a customer, by keyboard ----

def focused(page):
    return page.driver.execute_script("return document.activeElement.id || document.activeElement.className")


def press(page, *keys):
    page.driver.switch_to.active_element.send_keys(*keys)


def test_a_customer_is_looked_up_by_keyboard(shop, page):
    order = []
    page.find("body").send_keys(Keys.TAB)
    for _ in range(4):
        order.append(focused(page))
        press(page, Keys.TAB)
    assert order == ["skip", "theme", "customer-id", ""] and focused(page) == "tier-set"
    alert = told(shop, "/v1/alerts")["alerts"][0]["customer_id"]
    page.driver.execute_script("document.getElementById('customer-id').focus()")
    press(page, alert, Keys.ENTER)
    page.wait(lambda: page.text("#customer-name") == alert, "the customer")
    assert focused(page) == "customer-name"
    customer = shop.server.customer(alert)
    text = page.text("#customer")
    for name, tier in customer["tiers"].items():
        card = page.text(f"article[aria-label='{name.replace('_', ' ')}']")
        assert tier["tier"].replace("_", " ") in card
        assert all(of["rule"] in card for of in tier["conditions"])
        if tier["to_next"]:
            assert f"To reach {tier['to_next']['tier'].replace('_', ' ')}" in card
            assert all(of["rule"] in card for of in tier["to_next"]["conditions"])
        assert ("If nothing happens: falls to" in card) == (tier["forecast"] is not None)
    assert [f"{name}\n{value:g}" in text for name, value in customer["scores"].items()] == [True] * len(customer["scores"])
    coming = sum(len(tier["ahead"]) for tier in customer["tiers"].values())
    assert page.driver.execute_script("return document.querySelectorAll('.coming li').length") == coming
    facts = {row[0]: row[1] for row in page.rows("#customer")}
    assert facts["Orders"] == str(customer["lifetime"]["orders"])
    assert facts.keys() >= customer["metrics"].keys()

    page.driver.execute_script("document.getElementById('customer-id').focus()")
    press(page, Keys.CONTROL + "a", Keys.BACKSPACE)
    press(page, "nobody at all", Keys.ENTER)
    page.wait(lambda: page.text("#customer-status") == "There is no customer nobody at all.", "no such customer")
    assert [line for line in page.complaints() if "404" not in line] == []
    page.find("#customer-close").click()
    assert focused(page) == "customer-id"


# ---- for everybody ----

@pytest.mark.parametrize("scheme, width", [("light", 1280), ("dark", 1280), ("light", 360)])
def test_nobody_is_kept_out(shop, page, scheme, width, tmp_path):
    """axe-core finds nothing, nothing runs out of a phone's screen; and the pictures of README."""
    shown = os.environ.get("TIDEMARK_SCREENSHOTS")
    folder = SCREENSHOTS if shown else tmp_path
    known = [alert["customer_id"] for alert in told(shop, "/v1/alerts?limit=500")["alerts"]]
    page.emulate(scheme, width, 740 if width < 600 else 900)
    buy(shop, *known[:60:3], amount_minor=15000)
    page.wait(lambda: len(page.rows("#changes")) >= 30 and len(page.rows("#work-table")) > (15 if shown else 0), "something to see", 60)
    page.screenshot(folder / f"{scheme}-{width}.png", 1330 if width > 600 else 2000)
    if (scheme, width) == ("light", 1280):
        choose(page, "#grid-by", "value")
        page.screenshot(folder / "whole-1280.png")
    page.driver.execute_script("location.hash = '#customer=' + arguments[0]", known[0])
    page.wait(lambda: page.text("#customer-name") == known[0], "the customer")
    if (scheme, width) == ("dark", 1280):
        page.screenshot(folder / "customer.png", 1250)
    page.driver.execute_script("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.overflow() == 0
    assert page.axe() == []


def test_the_theme_is_chosen_and_kept(shop, page):
    theme = "return document.documentElement.dataset.theme"
    assert page.driver.execute_script(theme) == "light"
    page.emulate("dark")
    page.wait(lambda: page.driver.execute_script(theme) == "dark", "as the system says")
    choose(page, "#theme", "light")
    assert page.driver.execute_script(theme) == "light"
    page.driver.refresh()
    page.wait(lambda: page.driver.execute_script(theme) == "light", "kept")


# ---- the token ----

@pytest.fixture
def guarded(shop):
    """A process that wants a token; of a group of its own, so that the other keeps its tasks."""
    process = shop.process(group=f"{shop.group}g").start("--set", "http.token=s3cret").wait_ready()
    yield process
    process.destroy()


def test_the_token_is_asked_for_and_kept_in_memory_only(guarded, browser):
    shown = "return document.getElementById('token-dialog').open"
    browser.forget()
    browser.open(f"http://127.0.0.1:{guarded.port}/")
    browser.wait(lambda: browser.driver.execute_script(shown), "asked for")
    assert focused(browser) == "token" and browser.rows("#tasks") == []
    press(browser, "wrong", Keys.ENTER)
    browser.wait(lambda: "not the token" in browser.text("#token-why"), "asked for again")
    press(browser, Keys.ESCAPE)
    assert browser.driver.execute_script(shown)
    press(browser, "s3cret", Keys.ENTER)
    browser.wait(lambda: is_filled(browser), "the page is filled")
    assert not browser.driver.execute_script(shown)
    kept = browser.driver.execute_script("return JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href])")
    assert "s3cret" not in kept
    assert [line for line in browser.complaints() if "401" not in line] == []
    assert browser.origins() == {f"http://127.0.0.1:{guarded.port}"}
    browser.driver.refresh()
    browser.wait(lambda: browser.driver.execute_script(shown), "asked for after a reload")
    press(browser, "s3cret", Keys.ENTER)
    browser.wait(lambda: browser.rows("#tasks"), "filled again")
    guarded.kill()
    browser.wait(lambda: "The process cannot be reached." in browser.text("#trouble"), "says that it is no longer fresh")


# ---- its files ----

def test_files_come_packed_or_plain_with_their_policy(shop):
    origin = f"http://127.0.0.1:{shop.server.port}"
    for path, kind in (("/", "text/html"), ("/dashboard/main.js", "text/javascript"), ("/dashboard/echarts.js", "text/javascript")):
        bodies = []
        for encoding in ("gzip", "identity"):
            with urllib.request.urlopen(urllib.request.Request(origin + path, headers={"Accept-Encoding": encoding})) as answer:
                bodies.append(answer.read())
                assert answer.headers["Content-Type"] == f"{kind}; charset=utf-8"
                assert answer.headers["Content-Encoding"] == ("gzip" if encoding == "gzip" else None)
                assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self';")
        assert gzip.decompress(bodies[0]) == bodies[1]
    assert shop.server.http("/dashboard/nothing.js")[0] == 404

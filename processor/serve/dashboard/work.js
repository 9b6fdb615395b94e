// What the process does: events a second, lag and latency over the last minutes; and every task's state.

import { axis, Chart } from "./charts.js";
import { byId, fill, make, table } from "./dom.js";
import { compact, count, dateTime, number, seconds, time, words } from "./format.js";
import { showNumber } from "./numbers.js";
import { buckets, parse, quantile, sum } from "./prometheus.js";
import { colour } from "./theme.js";

export const WORK_SECONDS = 2;
const KEPT = 150; // five minutes
const LATENCY = "tidemark_event_latency_seconds";

// Beyond the histogram's last bound nothing more is known: records that carry times of the past end there.
function latency(value) {
    const bounds = before?.latency.filter(({ limit }) => limit !== Infinity) ?? [];
    return `${value !== null && value === bounds.at(-1)?.limit ? "> " : ""}${seconds(value)}`;
}

const samples = [];
const charts = {};
let before = null;

function line(chart, label, series, write) {
    charts[chart].show(label, () => ({
        grid: { left: 4, right: 12, top: series.length > 1 ? 30 : 12, bottom: 4, containLabel: true },
        legend: series.length > 1 ? { top: 0, left: 0, icon: "roundRect", itemWidth: 12, itemHeight: 4, textStyle: { color: colour("muted") } } : undefined,
        xAxis: axis({ type: "category", boundaryGap: false, data: samples.map(({ at }) => time(at)), axisLabel: { hideOverlap: true, showMinLabel: false } }),
        yAxis: axis({ type: "value", min: 0, minInterval: 1, splitNumber: 3, axisLabel: { formatter: (value) => compact(value) } }),
        tooltip: { trigger: "axis", formatter: (points) => [points[0].axisValue, ...points.map(({ seriesName, value }) => `${seriesName} ${write(value)}`)].join("\n") },
        animation: false,
        series: series.map(([name, key, tone]) => ({
            name, type: "line", showSymbol: key.endsWith("_ms"), symbolSize: 4, connectNulls: true, lineStyle: { width: 2, color: colour(tone) }, itemStyle: { color: colour(tone) },
            areaStyle: series.length === 1 ? { color: colour(tone), opacity: 0.15 } : undefined,
            data: samples.map((sample) => sample[key]),
        })),
    }));
}

function draw() {
    const last = samples.at(-1);
    const ms = (value) => (value === null ? null : value * 1000);
    samples.forEach((sample) => { sample.half_ms = ms(sample.half); sample.most_ms = ms(sample.most); });
    line("rate", `Line: ${number(last.rate)} events per second now.`, [["events/s", "rate", "accent"]], (value) => number(value));
    line("lag", `Line: a lag of ${count(last.lag)} records now.`, [["records", "lag", "warm"]], count);
    line("latency", `Lines: half of the events took up to ${latency(last.half)}, 99 per cent up to ${latency(last.most)}.`,
        [["50 %", "half_ms", "accent"], ["99 %", "most_ms", "warm"]], (value) => `${number(value)} ms`);
    fill(byId("work-table"), table("Throughput of the last minutes", ["Time", "Events/s", "Lag", "Latency 50 %", "Latency 99 %"],
        [...samples].reverse().map((sample) => [time(sample.at), number(sample.rate), count(sample.lag), latency(sample.half), latency(sample.most)]), [1, 2, 3, 4]));
}

export function showMetrics(text) {
    const families = parse(text);
    const now = { at: Date.now(), events: sum(families, "tidemark_events_total"), latency: buckets(families, LATENCY) };
    if (before && now.events >= before.events) { // less: the process was started anew
        samples.push({
            at: now.at,
            rate: (now.events - before.events) / (now.at - before.at) * 1000,
            lag: sum(families, "tidemark_consumer_lag"),
            half: quantile(0.5, before.latency, now.latency),
            most: quantile(0.99, before.latency, now.latency),
        });
        samples.splice(0, samples.length - KEPT);
        const last = samples.at(-1);
        const measured = samples.findLast(({ most }) => most !== null);
        showNumber("rate", compact(Math.round(last.rate)));
        showNumber("lag", compact(last.lag));
        showNumber("latency", latency(measured?.most ?? null));
        draw();
    }
    before = now;
}

const STATES = { running: "good", taking_over: "fair", draining: "fair", fenced: "bad", refused: "bad", elsewhere: "plain" };

function lagOf({ inputs }) {
    const lags = Object.values(inputs).map(({ lag }) => lag);
    return lags.includes(null) ? null : lags.reduce((all, lag) => all + lag, 0);
}

const pill = (state, text) => make("span", { class: `pill ${state}` }, text);

function health({ kafka_up: kafka, redis_up: redis, ready, reason, tasks }) {
    const here = tasks.filter(({ here: ours }) => ours);
    const running = here.filter(({ state }) => state === "running").length;
    const pills = [
        [kafka ? "good" : "bad", `Kafka ${kafka ? "up" : "down"}`],
        [redis ? "good" : "bad", `Redis ${redis ? "up" : "down"}`],
        [ready ? "good" : "bad", ready ? "ready" : `not ready: ${reason}`],
        [running === here.length ? "good" : "fair", `${running} of ${here.length} tasks run`],
    ];
    const list = byId("health");
    if (list.textContent !== pills.map(([, text]) => text).join("")) {
        list.replaceChildren(...pills.map(([state, text]) => make("li", {}, pill(state, text))));
    }
}

export function showTasks(answer) {
    health(answer);
    byId("process").textContent = `${answer.group} · version ${answer.version} · rules ${answer.rules.slice(0, 8)}`;
    fill(byId("tasks"), table("Tasks", ["Task", "State", "Owner", "Clock", "Lag", "Outbox", "Hours due"], answer.tasks.map((task) => [
        String(task.task),
        make("span", {}, pill(STATES[task.state] ?? "plain", words(task.state)), task.sweeping ? " evaluates anew" : null, task.problem ? ` ${task.problem}` : null),
        task.owner ?? "–", dateTime(task.clock_ms), count(lagOf(task)), count(task.outbox), count(task.wheel_hours),
    ]), [4, 5, 6]));
}

export function startWork() {
    for (const name of ["rate", "lag", "latency"]) {
        charts[name] = new Chart(byId(`${name}-chart`));
    }
}

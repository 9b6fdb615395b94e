// The net promoter score over time, with the interval in which it lies.

import { axis, Chart } from "./charts.js";
import { byId, fill, table } from "./dom.js";
import { count, date, score } from "./format.js";
import { rolling } from "./nps.js";
import { showNumber } from "./numbers.js";
import { colour } from "./theme.js";

export const WINDOW_DAYS = 90;
// So that the first day shown has its whole window before it.
export const FEEDBACK_PATH = `v1/feedback?days=${2 * WINDOW_DAYS - 1}`;

let chart = null;

function describe(days) {
    // The interval as a band: an invisible line for its lower end, and its height stacked upon that.
    const band = (data, extra) => ({ type: "line", stack: "interval", stackStrategy: "all", symbol: "none", silent: true, lineStyle: { opacity: 0 }, data, ...extra });
    const known = days.filter(({ value }) => value !== null);
    const floor = Math.max(-100, Math.floor((Math.min(...known.map(({ low }) => low)) - 5) / 20) * 20);
    const ceiling = Math.min(100, Math.ceil((Math.max(...known.map(({ high }) => high)) + 5) / 20) * 20);
    return {
        grid: { left: 8, right: 14, top: 14, bottom: 6, containLabel: true },
        xAxis: axis({ type: "category", boundaryGap: false, data: days.map(({ start_ms: start }) => date(start)), axisLabel: { hideOverlap: true, alignMinLabel: "left", alignMaxLabel: "right" } }),
        yAxis: axis({ type: "value", min: floor, max: ceiling, splitNumber: 4 }),
        tooltip: {
            trigger: "axis",
            formatter: ([{ dataIndex: i }]) => `${date(days[i].start_ms)}: ${score(days[i].value)}\n${score(days[i].low)} to ${score(days[i].high)}, ${count(days[i].answers)} answers`,
        },
        series: [
            band(days.map(({ low }) => low), { tooltip: { show: false } }),
            band(days.map(({ low, high }) => (low === null ? null : high - low)), { areaStyle: { color: colour("accent"), opacity: 0.2 } }),
            { type: "line", symbol: "none", lineStyle: { width: 2.5, color: colour("accent") }, itemStyle: { color: colour("accent") }, data: days.map(({ value }) => value) },
        ],
    };
}

export function showFeedback({ by_day: byDay }) {
    const days = rolling(byDay, WINDOW_DAYS);
    const last = days.at(-1);
    const none = days.every(({ value }) => value === null);
    byId("nps-chart").hidden = none;
    byId("nps-empty").hidden = !none;
    showNumber("nps", score(last.value === null ? null : Math.round(last.value)));
    byId("nps-now").textContent = last.value === null ? "" : `${score(last.value)} (${score(last.low)} to ${score(last.high)}), ${count(last.answers)} answers`;
    chart.show(`Line: the net promoter score of 90 days is ${score(last.value)} on ${last.date}; it was ${score(days[0].value)} on ${days[0].date}.`, () => describe(days));
    fill(byId("nps-table"), table("Net promoter score of the 90 days up to each day", ["Day", "NPS", "From", "To", "Answers"],
        [...days].reverse().map((day) => [day.date, score(day.value), score(day.low), score(day.high), count(day.answers)]), [1, 2, 3, 4]));
}

export function startFeedback() {
    chart = new Chart(byId("nps-chart"));
}

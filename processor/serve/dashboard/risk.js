// The value at risk: what those have spent who are in a tier that alerts, and those who will be if nothing happens, by day.

import { axis, Chart } from "./charts.js";
import { byId, fill, table } from "./dom.js";
import { compact, count, date, percent } from "./format.js";
import { showNumber } from "./numbers.js";
import { colour } from "./theme.js";

const DAYS = 28;
export const VALUE_PATH = `v1/value?days=${DAYS}`;

let chart = null;

function describe(days) {
    return {
        grid: { left: 8, right: 14, top: 14, bottom: 6, containLabel: true },
        xAxis: axis({ type: "category", data: days.map(({ start_ms: start }) => date(start)), axisLabel: { hideOverlap: true, alignMinLabel: "left", alignMaxLabel: "right" }, splitLine: { show: false } }),
        yAxis: axis({ type: "value", splitNumber: 4, axisLabel: { formatter: (value) => compact(value) } }),
        tooltip: { formatter: ({ dataIndex: i }) => `${date(days[i].start_ms)}: ${count(days[i].customers)} customers\nwho have spent ${count(days[i].value)}` },
        series: [{ type: "bar", barMaxWidth: 22, itemStyle: { color: colour("accent"), borderRadius: [4, 4, 0, 0] }, data: days.map(({ value }) => value) }],
    };
}

export function showRisk({ counted, at_risk: { now, by_day: days } }) {
    const sum = (name) => days.reduce((all, day) => all + day[name], 0);
    const none = sum("customers") === 0;
    const partly = counted < 1 ? `; ${percent(counted)} of all customers counted so far` : "";
    showNumber("risk", `${counted < 1 ? "≥ " : ""}${compact(now.value)}`);
    byId("risk-now").textContent = `${count(sum("customers"))} more in ${DAYS} days, who have spent ${count(sum("value"))}${partly}`;
    byId("risk-chart").hidden = none;
    byId("risk-empty").hidden = !none;
    const most = days.reduce((worst, day) => (day.value > worst.value ? day : worst), days[0]);
    chart.show(`Bars: ${byId("risk-now").textContent}; most on ${date(most.start_ms)}, ${count(most.value)}.`, () => describe(days));
    fill(byId("risk-table"), table("Value at risk by day, if nothing happens", ["Day", "Customers", "Have spent"],
        days.map((day) => [day.date, count(day.customers), count(day.value)]), [1, 2]));
}

export function startRisk() {
    chart = new Chart(byId("risk-chart"));
}

// The heat map of recency and frequency: a tier set whose tiers are named after their cells, r5_f5 to r1_f1, as in
// config/rfm-grid.yaml. Nothing else keeps how the two scores meet, so without such a set there is no map.

import { axis, Chart } from "./charts.js";
import { byId, fill, table } from "./dom.js";
import { count, percent, words } from "./format.js";
import { colour, heatColour, textOn } from "./theme.js";

const CELL = /^r(\d)_?f(\d)$/i;
const CELLS_MIN = 9;
let chart = null;

function cellsOf(set) {
    return set.tiers.flatMap((tier) => {
        const found = CELL.exec(tier.name);
        return found ? [{ r: Number(found[1]), f: Number(found[2]), customers: tier.customers, share: tier.share }] : [];
    });
}

const scores = (cells, name) => [...new Set(cells.map((cell) => cell[name]))].sort((a, b) => a - b);

function draw(set, cells) {
    const rs = scores(cells, "r");
    const fs = scores(cells, "f");
    const most = Math.max(1, ...cells.map(({ customers }) => customers));
    const at = (r, f) => cells.find((cell) => cell.r === r && cell.f === f);
    byId("grid-note").textContent = `Customers by score, of the tier set ${words(set.name)}; 5 is best`;
    chart.show("Heat map of customers by recency and frequency; the table below has the numbers.", () => ({
        grid: { left: 8, right: 16, top: 8, bottom: 26, containLabel: true },
        xAxis: axis({ type: "category", data: rs.map((r) => `R ${r}`), splitLine: { show: false }, name: "recency: bought lately →", nameLocation: "middle", nameGap: 28, nameTextStyle: { color: colour("muted") } }),
        yAxis: axis({ type: "category", data: fs.map((f) => `F ${f}`), splitLine: { show: false }, name: "", axisLabel: { fontSize: 13 } }),
        tooltip: { formatter: ({ data: { value: [x, y] } }) => `R ${rs[x]}, F ${fs[y]}: ${count(at(rs[x], fs[y]).customers)} customers, ${percent(at(rs[x], fs[y]).share)}` },
        series: [{
            type: "heatmap",
            // The root brings small cells apart; labels tell the numbers themselves.
            data: cells.map(({ r, f, customers }) => {
                const heat = heatColour(Math.sqrt(customers / most));
                return {
                    value: [rs.indexOf(r), fs.indexOf(f), customers],
                    itemStyle: { color: heat, borderColor: colour("card"), borderWidth: 3, borderRadius: 6 },
                    label: { color: textOn(heat) },
                };
            }),
            label: { show: true, fontSize: 13, formatter: ({ data: { value: [x, y] } }) => count(at(rs[x], fs[y]).customers) },
        }],
    }));
    fill(byId("grid-table"), table("Customers by recency (columns) and frequency (rows)", ["Frequency", ...rs.map((r) => `R ${r}`)],
        [...fs].reverse().map((f) => [`F ${f}`, ...rs.map((r) => count(at(r, f)?.customers))]), rs.map((_, i) => i + 1)));
}

export function showGrid({ tier_sets: sets }) {
    const set = sets.find((candidate) => cellsOf(candidate).length >= CELLS_MIN);
    byId("grid").hidden = !set;
    if (set) {
        chart ??= new Chart(byId("grid-chart"));
        draw(set, cellsOf(set));
    }
}

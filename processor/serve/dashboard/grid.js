// The heat map of recency and frequency: a tier set whose tiers are named after their cells, r5_f5 to r1_f1, as in
// config/rfm-grid.yaml. Nothing else keeps how the two scores meet, so without such a set there is no map.

import { axis, Chart } from "./charts.js";
import { byId, fill, table } from "./dom.js";
import { compact, count, percent, words } from "./format.js";
import { colour, heatColour, textOn } from "./theme.js";

const CELL = /^r(\d)_?f(\d)$/i;
const CELLS_MIN = 9;
const AMOUNTS = { customers: "Customers", value: "Revenue" };
let chart = null;
let population = null; // the set as /v1/tiers tells it
let values = []; // of all sets, as /v1/value does
let counted = 0;

function cellsOf(set) {
    const spent = new Map(values.find(({ name }) => name === set.name)?.tiers.map(({ name, value }) => [name, value]));
    return set.tiers.flatMap((tier) => {
        const found = CELL.exec(tier.name);
        return found ? [{ r: Number(found[1]), f: Number(found[2]), customers: tier.customers, value: spent.get(tier.name) }] : [];
    });
}

const scores = (cells, name) => [...new Set(cells.map((cell) => cell[name]))].sort((a, b) => a - b);

function draw() {
    const by = byId("grid-by").value;
    const cells = cellsOf(population);
    const amount = (cell) => cell[by] ?? 0;
    const rs = scores(cells, "r");
    const fs = scores(cells, "f");
    const most = Math.max(1, ...cells.map(amount));
    const total = Math.max(1, cells.reduce((all, cell) => all + amount(cell), 0));
    const at = (r, f) => cells.find((cell) => cell.r === r && cell.f === f);
    const partly = by === "value" && counted < 1 ? `; ${percent(counted)} of them counted so far` : "";
    byId("grid-note").textContent = `${AMOUNTS[by]} by score, of the tier set ${words(population.name)}; 5 is best${partly}`;
    chart.show(`Heat map of ${AMOUNTS[by].toLowerCase()} by recency and frequency; the table below has the numbers.`, () => ({
        grid: { left: 8, right: 16, top: 8, bottom: 26, containLabel: true },
        xAxis: axis({ type: "category", data: rs.map((r) => `R ${r}`), splitLine: { show: false }, name: "recency: bought lately →", nameLocation: "middle", nameGap: 28, nameTextStyle: { color: colour("muted") } }),
        yAxis: axis({ type: "category", data: fs.map((f) => `F ${f}`), splitLine: { show: false }, name: "", axisLabel: { fontSize: 13 } }),
        tooltip: {
            formatter: ({ data: { value: [x, y] } }) => {
                const cell = at(rs[x], fs[y]);
                return `R ${rs[x]}, F ${fs[y]}: ${count(cell.customers)} customers, who have spent ${count(cell.value)}\n${percent(amount(cell) / total)} of all`;
            },
        },
        series: [{
            type: "heatmap",
            // The root brings small cells apart; labels tell the numbers themselves. Refunds may leave a cell below zero.
            data: cells.map((cell) => {
                const heat = heatColour(Math.sqrt(Math.max(0, amount(cell)) / most));
                return {
                    value: [rs.indexOf(cell.r), fs.indexOf(cell.f), amount(cell)],
                    itemStyle: { color: heat, borderColor: colour("card"), borderWidth: 3, borderRadius: 6 },
                    label: { color: textOn(heat) },
                };
            }),
            label: { show: true, fontSize: 13, formatter: ({ data: { value: [x, y] } }) => compact(at(rs[x], fs[y])[by]) },
        }],
    }));
    fill(byId("grid-table"), table(`${AMOUNTS[by]} by recency (columns) and frequency (rows)`, ["Frequency", ...rs.map((r) => `R ${r}`)],
        [...fs].reverse().map((f) => [`F ${f}`, ...rs.map((r) => count(at(r, f)?.[by]))]), rs.map((_, i) => i + 1)));
}

function drawIfAny() {
    byId("grid").hidden = !population;
    if (population) {
        draw();
    }
}

export function showGrid({ tier_sets: sets }) {
    population = sets.find((candidate) => cellsOf(candidate).length >= CELLS_MIN) ?? null;
    drawIfAny();
}

export function showGridValues(answer) {
    values = answer.tier_sets;
    counted = answer.counted;
    drawIfAny();
}

export function startGrid() {
    chart = new Chart(byId("grid-chart"));
    byId("grid-by").addEventListener("change", drawIfAny);
}

// Who moved from which tier to which since the page was opened: the live stream, added up.

import { Chart } from "./charts.js";
import { byId, fill, table } from "./dom.js";
import { count, time, words } from "./format.js";
import { colour } from "./theme.js";
import { chosenSet, onChosen, tierColour, tiersOf } from "./tiers.js";

const NEW = ""; // where those come from who had no tier yet
const moves = new Map(); // set -> "from\nto" -> customers
let chart = null;
let stale = true;

export function addMove({ tier_set: set, from, to, direction }) {
    if (direction === "WILL_FALL") {
        return; // a notice moves nobody
    }
    if (!moves.has(set)) {
        moves.set(set, new Map());
    }
    const of = moves.get(set);
    const key = `${from ?? NEW}\n${to}`;
    of.set(key, (of.get(key) ?? 0) + 1);
    stale = true;
}

const label = (name) => (name === NEW ? "new" : words(name));

// Links by the order of tiers, so that the picture keeps its order as numbers grow.
function links(set) {
    const order = [NEW, ...tiersOf(set)];
    const place = (name) => (order.includes(name) ? order.indexOf(name) : order.length);
    return [...(moves.get(set) ?? [])]
        .map(([key, value]) => ({ from: key.split("\n")[0], to: key.split("\n")[1], value }))
        .sort((a, b) => place(a.from) - place(b.from) || place(a.to) - place(b.to));
}

function nodes(set, of) {
    const order = [NEW, ...tiersOf(set)];
    const side = (names, prefix, position) => [...new Set(names)]
        .sort((a, b) => order.indexOf(a) - order.indexOf(b))
        .map((name) => ({ name: prefix + name, itemStyle: { color: tierColour(set, name) }, label: { position } }));
    return [...side(of.map(({ from }) => from), "<", "right"), ...side(of.map(({ to }) => to), ">", "left")];
}

export function drawFlow() {
    const set = chosenSet()?.name;
    if (!stale || !set) {
        return;
    }
    stale = false;
    const of = links(set);
    byId("flow-empty").hidden = of.length > 0;
    byId("flow-chart").hidden = of.length === 0;
    const told = of.map(({ from, to, value }) => `${label(from)} to ${label(to)} ${count(value)}`);
    chart.show(`Flow: ${told.join(", ")}.`, () => ({
        tooltip: {
            formatter: ({ dataType, data, name, value }) => (dataType === "edge"
                ? `${label(data.source.slice(1))} to ${label(data.target.slice(1))}: ${count(data.value)}`
                : `${name[0] === "<" ? "from" : "to"} ${label(name.slice(1))}: ${count(value)}`),
        },
        series: [{
            type: "sankey", left: 4, right: 4, top: 12, bottom: 12, nodeWidth: 14, nodeGap: 14, layoutIterations: 0, draggable: false,
            data: nodes(set, of),
            links: of.map(({ from, to, value }) => ({ source: `<${from}`, target: `>${to}`, value })),
            lineStyle: { color: "gradient", opacity: 0.35, curveness: 0.5 },
            label: { color: colour("text"), fontSize: 13, formatter: ({ name, value }) => `${label(name.slice(1))}  ${count(value)}` },
        }],
    }));
    fill(byId("flow-table"), table(`Moves between tiers of ${words(set)}`, ["From", "To", "Customers"],
        of.map(({ from, to, value }) => [label(from), label(to), count(value)]), [2]));
}

export function startFlow() {
    chart = new Chart(byId("flow-chart"));
    byId("flow-chart").hidden = true;
    byId("flow-since").textContent = `since ${time(Date.now())}, when this page was opened`;
    onChosen(() => {
        stale = true;
        drawFlow();
    });
}

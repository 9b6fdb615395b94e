// How many customers are in each tier of the chosen set.

import { axis, Chart } from "./charts.js";
import { byId, fill, make, table } from "./dom.js";
import { compact, count, percent, words } from "./format.js";
import { showNumber } from "./numbers.js";
import { colour, rankColour } from "./theme.js";

const listeners = [];
let sets = [];
let chart = null;

export const chosenSet = () => sets.find(({ name }) => name === byId("tier-set").value) ?? sets[0];
export const onChosen = (listener) => listeners.push(listener);

// The tiers' names of a set, best first; none before the first answer.
export const tiersOf = (set) => sets.find(({ name }) => name === set)?.tiers.map(({ name }) => name) ?? [];

export function tierColour(set, tier) {
    const names = tiersOf(set);
    const rank = names.indexOf(tier);
    return rank < 0 ? colour("muted") : rankColour(rank, names.length);
}

function draw() {
    const { name, tiers } = chosenSet();
    byId("tiers-chart").style.height = `${Math.max(200, 44 * tiers.length + 30)}px`;
    chart.show(`Bars: ${tiers.map((tier) => `${words(tier.name)} ${count(tier.customers)}`).join(", ")}.`, () => ({
        grid: { left: 8, right: 76, top: 8, bottom: 8, containLabel: true },
        xAxis: axis({ type: "value", axisLabel: { show: false }, splitNumber: 4 }),
        yAxis: axis({ type: "category", inverse: true, data: tiers.map((tier) => words(tier.name)), axisLabel: { fontSize: 13, color: colour("text"), width: 110, overflow: "truncate" } }),
        tooltip: { formatter: ({ dataIndex: i }) => `${words(tiers[i].name)}: ${count(tiers[i].customers)} customers, ${percent(tiers[i].share)}` },
        series: [{
            type: "bar", barMaxWidth: 26, itemStyle: { borderRadius: [0, 5, 5, 0] },
            data: tiers.map((tier) => ({ value: tier.customers, itemStyle: { color: tierColour(name, tier.name) } })),
            label: { show: true, position: "right", color: colour("text"), formatter: ({ dataIndex: i }) => `${compact(tiers[i].customers)}  ${percent(tiers[i].share)}` },
        }],
    }));
    const labels = (treatment) => Object.entries(treatment).map(([label, value]) => `${words(label)}: ${words(value)}`).join(", ");
    fill(byId("tiers-table"), table(`Customers by tier of ${words(name)}`, ["Tier", "Customers", "Share", "Treatment"],
        tiers.map((tier) => [words(tier.name), count(tier.customers), percent(tier.share), labels(tier.treatment)]), [1, 2]));
}

function choices() {
    const select = byId("tier-set");
    const names = sets.map(({ name }) => name);
    if ([...select.options].map(({ value }) => value).join() !== names.join()) {
        const before = select.value;
        select.replaceChildren(...names.map((name) => make("option", { value: name }, words(name))));
        select.value = names.includes(before) ? before : names[0];
    }
}

export function showTiers(answer) {
    sets = answer.tier_sets;
    choices();
    byId("counting").textContent = answer.counting ? "(being counted anew: the rules have changed)" : "";
    showNumber("customers", compact(Math.max(0, ...sets.map(({ customers }) => customers))));
    if (sets.length > 0) {
        draw();
    }
}

export function startTiers() {
    chart = new Chart(byId("tiers-chart"));
    byId("tier-set").addEventListener("change", () => {
        draw();
        listeners.forEach((listener) => listener());
    });
}

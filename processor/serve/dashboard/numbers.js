// The tiles at the top: one number each.

import { byId, make } from "./dom.js";

const LABELS = {
    customers: "Customers",
    rate: "Events/s",
    changes: "Changes/min",
    latency: "Latency 99 %",
    lag: "Lag",
    nps: "NPS, 90 days",
    alerts: "Open alerts",
    risk: "Value at risk",
};

const shown = {};

export function startNumbers() {
    for (const [name, label] of Object.entries(LABELS)) {
        shown[name] = make("dd", { id: `number-${name}` }, "–");
        byId("numbers").append(make("div", {}, make("dt", {}, label), shown[name]));
    }
}

export function showNumber(name, text) {
    shown[name].textContent = text;
}

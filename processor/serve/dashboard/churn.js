// Who is at risk, those who have spent most first, and what they have spent.

import { byId, customerLink, fill, make, table } from "./dom.js";
import { compact, count, date, percent, words } from "./format.js";
import { showNumber } from "./numbers.js";

export const ALERTS_PATH = "v1/alerts?limit=500";
const SHOWN = 100;

export function showAlerts({ open, alerts }) {
    // A customer may be at risk in several sets, but has spent once.
    const values = new Map(alerts.map(({ customer_id: id, value_at_risk: value }) => [id, value]));
    const total = [...values.values()].reduce((all, value) => all + value, 0);
    const partly = open > alerts.length;
    showNumber("alerts", compact(open));
    byId("churn-now").textContent = open === 0 ? "" : `${count(open)} open; ${partly ? `the worst ${count(alerts.length)}` : "they"} have spent ${count(total)}`;
    if (open === 0) {
        fill(byId("churn"), make("p", { class: "empty" }, "No alert is open. A tier whose treatment has the label “alert” opens one."));
        return;
    }
    fill(byId("churn"), table("Open alerts, worst first", ["Customer", "Tier", "At risk", "Alive", "Last bought"],
        alerts.slice(0, SHOWN).map((alert) => [
            customerLink(alert.customer_id), make("span", {}, words(alert.tier), make("small", { class: "muted" }, ` ${words(alert.tier_set)}`)),
            count(alert.value_at_risk), percent(alert.p_alive), date(alert.last_purchase_ms),
        ]), [2, 3]));
}

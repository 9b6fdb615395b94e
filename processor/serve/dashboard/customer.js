// One customer: in which tiers and why, what would lift them, when they fall, scores and numbers. The address of the page
// names the customer (#customer=ID), so that it can be kept and sent.

import { askJson, Problem } from "./api.js";
import { byId, make, table } from "./dom.js";
import { condition, count, date, number, percent, span, words } from "./format.js";
import { timeline } from "./timeline.js";
import { tierColour, tiersOf } from "./tiers.js";

let wanted = null;

const mark = (met) => [make("span", { class: met ? "yes" : "no", "aria-hidden": "true" }, met ? "✓ " : "✗ "), make("span", { class: "hidden" }, met ? "holds: " : "does not hold: ")];
const conditions = (list) => make("ul", { class: "conditions" }, list.map((of) => make("li", {}, mark(of.met), condition(of))));

function lift({ to_next: next }) {
    if (!next) {
        return make("p", { class: "muted" }, "There is no better tier.");
    }
    const items = next.conditions.map((of) => make("li", {}, mark(of.met), condition(of), of.missing ? make("strong", {}, `, ${number(Math.abs(of.missing))} ${of.missing > 0 ? "more" : "less"}`) : null));
    return [make("p", {}, "To reach ", make("strong", {}, words(next.tier)), ":"), make("ul", { class: "conditions" }, items)];
}

function fall(set, { tier, forecast }, now_ms) {
    if (!forecast) {
        return make("p", { class: "muted" }, "If nothing happens they stay.");
    }
    const names = tiersOf(set);
    const falls = names.indexOf(forecast.tier) > names.indexOf(tier);
    return make("p", {}, `If nothing happens: ${falls ? "falls" : "rises"} to `, make("strong", {}, words(forecast.tier)),
        ` on ${date(forecast.time_ms)}, in ${span(Math.max(0, forecast.time_ms - now_ms))}.`);
}

function tierCard(set, of, now_ms) {
    const bar = make("div", { class: "stripe", "aria-hidden": "true" });
    bar.style.background = tierColour(set, of.tier);
    return make("article", { class: "tier-card", "aria-label": words(set) },
        bar,
        make("p", { class: "muted" }, words(set)),
        make("h4", {}, of.tier ? words(of.tier) : "in no tier yet"),
        make("p", { class: "muted" }, of.since_ms === null ? "" : `since ${date(of.since_ms)} (${span(Math.max(0, now_ms - of.since_ms))}), change ${count(of.sequence)}`),
        of.conditions.length > 0 ? [make("p", {}, "Why:"), conditions(of.conditions)] : make("p", { class: "muted" }, "Takes everyone else."),
        lift(of),
        fall(set, of, now_ms));
}

const facts = (caption, entries) => table(caption, ["What", "Value"], entries.map(([name, value]) => [name, value]), [1]);

function lifetimeFacts(life) {
    return [
        ["Orders", count(life.orders)], ["Revenue", number(life.revenue)],
        ["First purchase", date(life.first_purchase_ms)], ["Last purchase", date(life.last_purchase_ms)],
        ["Days between purchases", number(life.mean_interval_days)], ["Frequency", words(life.frequency ?? "–")],
        ["Probably alive", percent(life.p_alive)], ["Expected purchases", number(life.expected_purchases)],
        ["Lifetime value to come", number(life.clv)], ["Referrals", count(life.referrals)],
        ["Revenue of referred", number(life.referred_revenue)],
        ["Categories", life.top_categories.map(({ name, share }) => `${name} ${percent(share)}`).join(", ") || "–"],
        ["Channels", life.top_channels.map(({ name, share }) => `${name} ${percent(share)}`).join(", ") || "–"],
    ];
}

function render(customer) {
    const scores = Object.entries(customer.scores).map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, number(value))));
    byId("customer").replaceChildren(
        make("h3", { id: "customer-name", tabindex: "-1" }, customer.customer_id),
        scores.length > 0 ? make("dl", { class: "chips", "aria-label": "Scores" }, scores) : "",
        make("div", { class: "tier-cards" }, Object.entries(customer.tiers).map(([set, of]) => tierCard(set, of, customer.as_of_ms))),
        make("h4", {}, "What comes if nothing happens"),
        timeline(customer),
        make("div", { class: "two" },
            make("div", {}, make("h4", {}, "Metrics of the rules"), facts("Metrics", Object.entries(customer.metrics).map(([name, value]) => [name, number(value)]))),
            make("div", {}, make("h4", {}, "So far"), facts("Lifetime", lifetimeFacts(customer.lifetime)))),
    );
}

function status(text) {
    byId("customer-status").textContent = text;
}

async function look(id) {
    wanted = id;
    byId("customer-id").value = id;
    byId("customer-close").hidden = false;
    status("Looking …");
    try {
        const customer = await askJson(`v1/customers/${encodeURIComponent(id)}`);
        if (wanted === id) {
            render(customer);
            byId("customer").hidden = false;
            status(`As of ${date(customer.as_of_ms)}.`);
            byId("customer-name").focus();
        }
    } catch (error) {
        if (!(error instanceof Problem)) {
            throw error;
        }
        if (wanted === id) {
            byId("customer").hidden = true;
            status(error.status === 404 ? `There is no customer ${id}.` : error.message);
        }
    }
}

function close() {
    wanted = null;
    byId("customer").hidden = true;
    byId("customer-close").hidden = true;
    byId("customer-id").value = "";
    status("Scores, why this tier, what would lift them, and what comes if nothing happens.");
}

function followAddress() {
    const found = /^#customer=(.+)$/.exec(location.hash);
    try {
        if (found) {
            look(decodeURIComponent(found[1]));
            return;
        }
    } catch {
        // Not percent-encoded: no address of ours.
    }
    close();
}

export function startCustomer() {
    byId("lookup").addEventListener("submit", (event) => {
        event.preventDefault();
        const address = `#customer=${encodeURIComponent(byId("customer-id").value.trim())}`;
        if (location.hash === address) {
            followAddress(); // again, for what is new
        } else {
            location.hash = address;
        }
    });
    byId("customer-close").addEventListener("click", () => {
        location.hash = "";
        byId("customer-id").focus();
    });
    addEventListener("hashchange", followAddress);
    followAddress();
}

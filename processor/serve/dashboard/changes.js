// Tier changes as they happen, newest first, with their reasons.

import { byId, customerLink, fill, make, table } from "./dom.js";
import { dateTime, reason, verb, words } from "./format.js";
import { showNumber } from "./numbers.js";
import { tierColour } from "./tiers.js";

const KEPT = 500;
const SHOWN = 60;
const SAID_EVERY_MS = 10000; // for screen readers: often enough, and they can still be listened to
const MINUTE_MS = 60000;

let latest = [];
let arrivals = [];
let unsaid = 0;
let stale = true;

export function addChange(change) {
    latest.unshift(change);
    latest.length = Math.min(latest.length, KEPT);
    arrivals.push(Date.now());
    unsaid++;
    stale = true;
}

function badge(set, tier) {
    const dot = make("span", { class: "dot", "aria-hidden": "true" });
    dot.style.background = tierColour(set, tier);
    return make("span", { class: "tier" }, dot, words(tier));
}

function move(change) {
    const from = change.from ? [badge(change.tier_set, change.from), " "] : [];
    return make("span", { class: `move ${change.direction.toLowerCase()}` }, from, `${verb(change.direction)} `, badge(change.tier_set, change.to));
}

function draw() {
    const wanted = byId("changes-direction").value;
    const rows = latest.filter(({ direction }) => !wanted || direction === wanted).slice(0, SHOWN);
    if (rows.length === 0) {
        fill(byId("changes"), make("p", { class: "empty" }, "None yet: they appear as they happen."));
        return;
    }
    fill(byId("changes"), table("Latest tier changes", ["Customer", "Change", "Why", "Tier set", "When"], rows.map((change) => [
        customerLink(change.customer_id), move(change), reason(change), words(change.tier_set), dateTime(change.effective_time_ms),
    ])));
}

export function drawChanges() {
    const since = Date.now() - MINUTE_MS;
    arrivals = arrivals.filter((arrived) => arrived > since);
    showNumber("changes", String(arrivals.length));
    if (stale && byId("changes-pause").getAttribute("aria-pressed") === "false") {
        stale = false;
        draw();
    }
}

export function showStreamState(state) {
    const text = state === "live" ? "Live" : state;
    if (byId("changes-state").textContent !== text) {
        byId("changes-state").textContent = text;
    }
    byId("changes-state").classList.toggle("live", state === "live");
}

export function startChanges() {
    const pause = byId("changes-pause");
    pause.addEventListener("click", () => {
        const paused = pause.getAttribute("aria-pressed") === "false";
        pause.setAttribute("aria-pressed", String(paused));
        pause.textContent = paused ? "Go on" : "Pause";
        drawChanges();
    });
    byId("changes-direction").addEventListener("change", draw);
    setInterval(() => {
        if (unsaid > 0) {
            const { customer_id: id, to, tier_set: set, direction } = latest[0];
            byId("changes-said").textContent = `${unsaid} tier change${unsaid === 1 ? "" : "s"}; the latest: ${id} ${verb(direction)} ${words(to)} (${words(set)}).`;
            unsaid = 0;
        }
    }, SAID_EVERY_MS);
    draw();
}

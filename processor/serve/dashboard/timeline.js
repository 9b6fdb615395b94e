// What comes for a customer in the next year if nothing happens: a lane for each tier set, and the same as a list.

import { make } from "./dom.js";
import { date, MS_PER_DAY, span, words } from "./format.js";
import { textOn } from "./theme.js";
import { tierColour } from "./tiers.js";

const YEAR_MS = 365 * MS_PER_DAY;

function lane(set, { tier, ahead }, from_ms) {
    const stops = [{ tier, time_ms: from_ms }, ...ahead].filter((stop) => stop.tier !== null);
    const stays = stops.map((stop, i) => {
        const start = Math.max(0, (stop.time_ms - from_ms) / YEAR_MS);
        const end = Math.min(1, ((stops[i + 1]?.time_ms ?? Infinity) - from_ms) / YEAR_MS);
        const piece = make("div", { class: "stay", title: `${words(stop.tier)} from ${date(stop.time_ms)}` }, words(stop.tier));
        piece.style.flexGrow = String(Math.max(0, end - start));
        const background = tierColour(set, stop.tier);
        piece.style.background = background;
        piece.style.color = textOn(background);
        return piece;
    });
    return make("div", { class: "lane" }, make("span", { class: "lane-name" }, words(set)), make("div", { class: "stays" }, stays));
}

export function timeline({ tiers, as_of_ms: now_ms }) {
    const coming = Object.entries(tiers)
        .flatMap(([set, of]) => of.ahead.map((stop) => ({ set, ...stop })))
        .sort((a, b) => a.time_ms - b.time_ms);
    const list = coming.length === 0
        ? make("p", { class: "muted" }, "Nothing changes in the coming year by time alone.")
        : make("ol", { class: "coming" }, coming.map(({ set, tier, time_ms: when_ms }) => make("li", {},
            make("time", { datetime: new Date(when_ms).toISOString() }, date(when_ms)),
            ` ${words(set)}: ${words(tier)}, in ${span(Math.max(0, when_ms - now_ms))}`)));
    return make("div", {},
        make("div", { class: "lanes", "aria-hidden": "true" },
            Object.entries(tiers).map(([set, of]) => lane(set, of, now_ms)),
            make("div", { class: "scale" }, make("span", {}, date(now_ms)), make("span", {}, date(now_ms + YEAR_MS / 2)), make("span", {}, date(now_ms + YEAR_MS)))),
        list);
}

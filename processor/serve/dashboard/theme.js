// Light or dark: as the system says, unless the reader chose. The choice is kept in the browser.

import { byId } from "./dom.js";

const dark = matchMedia("(prefers-color-scheme: dark)");
const listeners = [];

function kept() {
    try {
        return localStorage.getItem("theme") ?? "system";
    } catch {
        return "system"; // storage is off
    }
}

function apply(choice) {
    document.documentElement.dataset.theme = choice === "system" ? (dark.matches ? "dark" : "light") : choice;
    listeners.forEach((listener) => listener());
}

export function onTheme(listener) {
    listeners.push(listener);
}

export function startTheme() {
    const select = byId("theme");
    select.value = kept();
    apply(select.value);
    select.addEventListener("change", () => {
        try {
            localStorage.setItem("theme", select.value);
        } catch {
            // Then it holds until the page is left.
        }
        apply(select.value);
    });
    dark.addEventListener("change", () => apply(select.value));
}

// A colour of style.css, for what is drawn on a canvas.
export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

// From the best tier to the last: told apart by hue and by lightness, also without red or green.
const RANKS = [[13, 125, 115], [76, 166, 152], [160, 199, 163], [232, 199, 108], [226, 144, 82], [196, 85, 64]];

export function rankColour(rank, ranks) {
    const at = ranks > 1 ? rank / (ranks - 1) * (RANKS.length - 1) : 0;
    const low = Math.min(Math.floor(at), RANKS.length - 2);
    const mixed = RANKS[low].map((part, i) => Math.round(part + (RANKS[low + 1][i] - part) * (at - low)));
    return `rgb(${mixed.join(", ")})`;
}

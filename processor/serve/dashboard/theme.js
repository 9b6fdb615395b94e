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
const RANKS = [[13, 125, 115], [76, 166, 152], [160, 199, 163], [232, 199, 108], [226, 144, 82], [190, 78, 58]];

const rgb = (parts) => `rgb(${parts.join(", ")})`;
const between = (a, b, share) => a.map((part, i) => Math.round(part + (b[i] - part) * share));
const parts = (text) => (text.startsWith("#") ? text.match(/[0-9a-f]{2}/gi).map((hex) => parseInt(hex, 16)) : text.match(/\d+/g).map(Number));

export function rankColour(rank, ranks) {
    const at = ranks > 1 ? rank / (ranks - 1) * (RANKS.length - 1) : 0;
    const low = Math.min(Math.floor(at), RANKS.length - 2);
    return rgb(between(RANKS[low], RANKS[low + 1], at - low));
}

export const heatColour = (share) => rgb(between(parts(colour("heat-low")), parts(colour("heat-high")), share));

// Black or white, whichever can be read better on the colour: at least 4.5 to 1 (WCAG 2, relative luminance).
export function textOn(background) {
    const [r, g, b] = parts(background).map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
    const luminance = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    return 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05 ? "#fff" : "#000";
}

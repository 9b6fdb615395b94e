// How numbers, times, tiers and rules are written.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const fine = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });
const tenth = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const days = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const minutes = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

const NONE = "–";
const known = (value) => value !== null && value !== undefined && Number.isFinite(value);

export const MS_PER_DAY = 86400000;

export const count = (value) => (known(value) ? whole.format(value) : NONE);
export const compact = (value) => (known(value) ? (Math.abs(value) < 10000 ? whole : short).format(value) : NONE);
export const number = (value) => (known(value) ? fine.format(value) : NONE);
export const score = (value) => (known(value) ? tenth.format(value) : NONE);
export const percent = (share) => (known(share) ? `${fine.format(Math.round(share * 1000) / 10)} %` : NONE);
export const date = (ms) => (known(ms) ? days.format(ms) : NONE);
export const dateTime = (ms) => (known(ms) ? minutes.format(ms) : NONE);
export const time = (ms) => (known(ms) ? clock.format(ms) : NONE);
export const words = (name) => name.replaceAll("_", " ");

export function span(ms) {
    const amounts = [[365 * MS_PER_DAY, "year"], [MS_PER_DAY, "day"], [3600000, "hour"], [60000, "minute"], [1000, "second"]];
    const [unit_ms, unit] = amounts.find(([size_ms]) => ms >= size_ms) ?? amounts.at(-1);
    const value = unit === "year" ? fine.format(Math.round(ms / unit_ms * 10) / 10) : whole.format(Math.floor(ms / unit_ms));
    return `${value} ${unit}${value === "1" ? "" : "s"}`;
}

export function seconds(value) {
    return known(value) ? (value < 1 ? `${fine.format(value * 1000)} ms` : `${fine.format(value)} s`) : NONE;
}

// "r + f + m >= 13 (is 11)"
export const condition = ({ rule, value }) => (known(value) ? `${rule} (is ${number(value)})` : rule);

const VERBS = { UP: "rises to", DOWN: "falls to", FIRST: "starts as", WILL_FALL: "will fall to" };
export const verb = (direction) => VERBS[direction] ?? "moves to";

// What decided a tier change: of a fall what ceased to hold, else what holds; without either the cause.
export function reason(change) {
    const fall = change.direction === "DOWN" || change.direction === "WILL_FALL";
    const decided = (change.conditions ?? []).find(({ met }) => met !== fall);
    const cause = words((change.cause ?? "").toLowerCase());
    return decided ? `${fall ? "no longer" : "because"} ${condition(decided)}${cause ? `, by ${cause}` : ""}` : cause;
}

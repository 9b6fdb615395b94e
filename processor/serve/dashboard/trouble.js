// What could not be asked, in one place: a card that is no longer fresh must not look as if it were.

import { byId } from "./dom.js";

const problems = new Map();

function show() {
    const lines = [...new Set(problems.values())];
    byId("trouble").hidden = lines.length === 0;
    const text = lines.length > 0 ? `Not up to date: ${lines.join(" ")}` : "";
    if (byId("trouble").textContent !== text) {
        byId("trouble").textContent = text;
    }
}

export function fails(what, error) {
    if (!("status" in error)) {
        throw error; // a mistake of this page, for the console
    }
    problems.set(what, error.message);
    show();
}

export function works(what) {
    problems.delete(what);
    show();
}

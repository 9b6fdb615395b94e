// Server-sent events by fetch: EventSource cannot send the token. Comes back by itself, from behind the last event.

import { Problem, request } from "./api.js";

const RETRY_MS_MIN = 1000;
const RETRY_MS_MAX = 15000;

// Splits a text stream into events; takes pieces of any size.
export class EventReader {
    constructor(tell) {
        this.tell = tell;
        this.rest = "";
        this.data = [];
        this.id = null;
    }

    take(text) {
        const lines = (this.rest + text).split("\n");
        this.rest = lines.pop();
        lines.forEach((line) => this.takeLine(line.replace(/\r$/, "")));
    }

    takeLine(line) {
        if (line === "") {
            if (this.data.length > 0) {
                this.tell(this.data.join("\n"), this.id);
            }
            this.data = [];
            return;
        }
        const colon = line.indexOf(":");
        const name = colon < 0 ? line : line.slice(0, colon);
        const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
        if (name === "data") {
            this.data.push(value);
        } else if (name === "id") {
            this.id = value;
        }
    }
}

// Never returns. `changed` gets "live", or a sentence that says why not.
export async function follow(path, told, changed) {
    let last = null;
    let wait_ms = RETRY_MS_MIN;
    let leaving = new AbortController();
    // A page that the browser keeps for going back must not hold its connection; if it is shown again, it goes on.
    addEventListener("pagehide", () => leaving.abort());
    for (;;) {
        try {
            leaving = new AbortController();
            const response = await request(path, { headers: last ? { "Last-Event-ID": last } : {}, signal: leaving.signal });
            const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
            const events = new EventReader((data, id) => {
                last = id ?? last;
                told(JSON.parse(data));
            });
            for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
                changed("live"); // at the latest now: the first that comes says where the stream stands
                wait_ms = RETRY_MS_MIN;
                events.take(piece.value);
            }
            changed("The stream ended; coming back.");
        } catch (error) {
            if (error instanceof Problem && error.status === 400) {
                last = null; // a place that this process does not know
            }
            changed(error instanceof Problem ? error.message : "The stream broke off; coming back.");
        }
        await new Promise((resolve) => setTimeout(resolve, wait_ms));
        wait_ms = Math.min(2 * wait_ms, RETRY_MS_MAX);
    }
}

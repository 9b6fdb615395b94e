// Asking the process that serves this page. Where it wants a token the page asks for it once, and keeps it in this
// module's memory only.

import { byId } from "./dom.js";

let token = "";
let asking = null;

export class Problem extends Error {
    constructor(status, detail) {
        super(detail);
        this.status = status;
    }
}

function askForToken(wasRefused) {
    asking ??= new Promise((resolve) => {
        const dialog = byId("token-dialog");
        const field = byId("token");
        if (wasRefused) {
            byId("token-why").textContent = "That is not the token. Please try again.";
        }
        dialog.addEventListener("cancel", (event) => event.preventDefault());
        byId("token-form").onsubmit = (event) => {
            event.preventDefault();
            token = field.value;
            field.value = "";
            asking = null;
            dialog.close();
            resolve();
        };
        dialog.showModal();
    });
    return asking;
}

async function detailOf(response) {
    try {
        return (await response.json()).detail;
    } catch {
        return `The answer was ${response.status}.`;
    }
}

// A path is relative to the page, so that it may stand behind a proxy under any prefix.
export async function request(path, { headers = {}, signal } = {}) {
    for (;;) {
        const sent = token;
        let response;
        try {
            response = await fetch(path, { headers: sent ? { ...headers, Authorization: `Bearer ${sent}` } : headers, signal });
        } catch (error) {
            throw signal?.aborted ? error : new Problem(0, "The process cannot be reached.");
        }
        if (response.status === 401) {
            if (sent === token) {
                await askForToken(sent !== "");
            }
        } else if (!response.ok) {
            throw new Problem(response.status, await detailOf(response));
        } else {
            return response;
        }
    }
}

export async function askJson(path) {
    return (await request(path)).json();
}

export async function askText(path) {
    return (await request(path)).text();
}

// Asks again and again, as long as somebody looks at the page; `told` gets what `ask` resolves to, `failed` a Problem.
export function every(seconds, ask, told, failed) {
    const turn = async () => {
        try {
            if (!document.hidden) {
                told(await ask());
            }
        } catch (error) {
            failed(error);
        } finally {
            setTimeout(turn, seconds * 1000);
        }
    };
    turn();
}

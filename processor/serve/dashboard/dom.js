// Making and filling elements. All text goes in as text, never as HTML: ids and names come from outside.

export const byId = (id) => document.getElementById(id);

// make("a", { href: "#x", class: "quiet" }, "text", child, ...): null children are left out.
export function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
        if (value !== null && value !== undefined && value !== false) {
            element.setAttribute(name, value === true ? "" : value);
        }
    }
    element.append(...children.flat().filter((child) => child !== null && child !== undefined));
    return element;
}

// A table with a caption for those who do not see where it stands. A cell is text or an element; the first column heads
// its row. `numeric` are the numbers of columns that are set to the right.
export function table(caption, headers, rows, numeric = []) {
    const align = (column) => (numeric.includes(column) ? "number" : null);
    return make(
        "table",
        {},
        make("caption", { class: "hidden" }, caption),
        make("thead", {}, make("tr", {}, headers.map((text, column) => make("th", { scope: "col", class: align(column) }, text)))),
        make("tbody", {}, rows.map((cells) => make("tr", {}, cells.map((cell, column) =>
            make(column === 0 ? "th" : "td", { scope: column === 0 ? "row" : null, class: align(column) }, cell))))),
    );
}

// Replaces the content, unless the reader is inside of it: a table that is renewed must not take the focus away.
export function fill(element, ...children) {
    const focused = element.contains(document.activeElement) && element !== document.activeElement;
    if (!focused) {
        const { scrollTop, scrollLeft } = element;
        element.replaceChildren(...children);
        element.scrollTop = scrollTop;
        element.scrollLeft = scrollLeft;
    }
}

export function customerLink(id) {
    return make("a", { href: `#customer=${encodeURIComponent(id)}` }, id);
}

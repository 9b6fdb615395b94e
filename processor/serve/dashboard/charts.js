// Charts on canvases, in the page's colours. What each shows stands in a table below it too: the canvas itself only has a
// sentence for those who cannot see it.

import * as echarts from "./echarts.js";
import { colour, onTheme } from "./theme.js";

const still = matchMedia("(prefers-reduced-motion: reduce)");

function common() {
    return {
        animationDuration: 300,
        animation: !still.matches,
        textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: colour("text") },
        // Rich text is drawn on the canvas: a tooltip of HTML would need inline styles.
        tooltip: {
            renderMode: "richText", confine: true, backgroundColor: colour("card"), borderColor: colour("line"),
            textStyle: { color: colour("text"), fontSize: 13 },
        },
    };
}

export function axis(extra = {}) {
    return {
        axisLine: { lineStyle: { color: colour("line") } },
        axisTick: { show: false },
        axisLabel: { color: colour("muted"), ...extra.axisLabel },
        splitLine: { lineStyle: { color: colour("line"), opacity: 0.6 } },
        ...Object.fromEntries(Object.entries(extra).filter(([name]) => name !== "axisLabel")),
    };
}

export class Chart {
    constructor(element) {
        this.element = element;
        this.element.setAttribute("role", "img");
        this.drawing = null;
        this.describe = null;
        new ResizeObserver(() => this.drawing?.resize()).observe(element);
        onTheme(() => this.draw());
    }

    // `describe` returns ECharts' options in the colours of the moment; `label` is what a screen reader says.
    show(label, describe) {
        this.element.setAttribute("aria-label", label);
        this.describe = describe;
        this.draw();
    }

    draw() {
        if (!this.describe || this.element.hidden) {
            return;
        }
        this.drawing ??= echarts.init(this.element, null, { renderer: "canvas" });
        const { tooltip, ...options } = this.describe();
        const base = common();
        this.drawing.setOption({ ...base, ...options, tooltip: { ...base.tooltip, ...tooltip } }, { notMerge: true });
    }
}

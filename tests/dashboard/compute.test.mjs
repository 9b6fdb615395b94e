// What the dashboard computes by itself, against values worked out by hand. The modules are imported as text, because Debian
// 12's node takes .js for an ES module only beside a package.json.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

async function load(name) {
    const source = readFileSync(new URL(`../../processor/serve/dashboard/${name}`, import.meta.url), "utf8");
    return import(`data:text/javascript,${encodeURIComponent(source.replace(/^import .* from "\.\/api\.js";$/m, "class Problem {} const request = null;"))}`);
}

const near = (found, wanted) => assert.ok(Math.abs(found - wanted) < 1e-6, `${found} is not ${wanted}`);

test("the score's interval is wide for few answers and never leaves the scale", async () => {
    const { nps } = await load("nps.js");
    assert.deepEqual(nps({ promoters: 0, passives: 0, detractors: 0 }), { value: null, low: null, high: null });
    const one = nps({ promoters: 1, passives: 0, detractors: 0 });
    assert.equal(one.value, 100);
    // (1.75 - 0.75) / 4 = 0.25; sqrt((2.5 / 4 - 0.0625) / 4) = 0.375; 1.959963985 * 0.375 = 0.734986494
    near(one.low, -48.4986494);
    near(one.high, 98.4986494);
    assert.equal(nps({ promoters: 0, passives: 0, detractors: 50 }).low, -100);
});

test("a rolling window takes a day in and lets one go", async () => {
    const { rolling } = await load("nps.js");
    const day = (promoters, detractors) => ({ date: `d${promoters}${detractors}`, promoters, passives: 0, detractors });
    const found = rolling([day(1, 0), day(0, 1), day(1, 1), day(3, 0)], 2);
    assert.deepEqual(found.map(({ date, value, answers }) => [date, value, answers]), [["d01", 0, 2], ["d11", -100 / 3, 3], ["d30", 60, 5]]);
    assert.deepEqual(rolling([day(1, 0)], 2), []);
});

const METRICS = `# HELP tidemark_events_total Events.
# TYPE tidemark_events_total counter
tidemark_events_total{task="0",result="applied"} 10
tidemark_events_total{task="1",result="applied"} 5
tidemark_redis_up 1
tidemark_event_latency_seconds_bucket{task="0",le="0.1"} 4
tidemark_event_latency_seconds_bucket{task="0",le="1"} 8
tidemark_event_latency_seconds_bucket{task="0",le="+Inf"} 10
tidemark_event_latency_seconds_bucket{task="1",le="0.1"} 0
tidemark_event_latency_seconds_bucket{task="1",le="1"} 2
tidemark_event_latency_seconds_bucket{task="1",le="+Inf"} 2
`;

test("metrics are added up over their labels", async () => {
    const { buckets, parse, sum } = await load("prometheus.js");
    const families = parse(METRICS);
    assert.equal(sum(families, "tidemark_events_total"), 15);
    assert.equal(sum(families, "tidemark_redis_up"), 1);
    assert.equal(sum(families, "unheard_of"), 0);
    assert.deepEqual(buckets(families, "tidemark_event_latency_seconds"),
        [{ limit: 0.1, count: 4 }, { limit: 1, count: 10 }, { limit: Infinity, count: 12 }]);
});

test("quantiles are of what came between two looks", async () => {
    const { quantile } = await load("prometheus.js");
    const at = (...counts) => counts.map((count, i) => ({ limit: [0.1, 1, Infinity][i], count }));
    assert.equal(quantile(0.5, at(4, 10, 12), at(4, 10, 12)), null);
    near(quantile(0.5, [], at(4, 8, 8)), 0.1);
    near(quantile(0.75, [], at(4, 8, 8)), 0.55);
    near(quantile(0.5, at(4, 8, 8), at(6, 10, 10)), 0.05);
    assert.equal(quantile(0.99, [], at(1, 2, 10)), 1, "beyond the last bound nothing is known but the bound");
});

test("a stream is cut into events wherever its pieces end", async () => {
    const { EventReader } = await load("stream.js");
    const text = ":\r\nid: t:1\r\n\r\ndata: {\"a\":1}\nid: t:2\n\n: still there\ndata: x\ndata: y\n\n";
    for (let size = 1; size < text.length; size++) {
        const told = [];
        const reader = new EventReader((data, id) => told.push([data, id]));
        for (let at = 0; at < text.length; at += size) {
            reader.take(text.slice(at, at + size));
        }
        assert.deepEqual(told, [['{"a":1}', "t:2"], ["x\ny", "t:2"]]);
    }
});

// What /metrics says: sums of counters and gauges, and quantiles of histograms between two looks.

// { name: [{ labels: "...", value }] }
export function parse(text) {
    const families = {};
    for (const line of text.split("\n")) {
        const found = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line);
        if (found) {
            (families[found[1]] ??= []).push({ labels: found[2] ?? "", value: Number(found[3]) });
        }
    }
    return families;
}

export const sum = (families, name) => (families[name] ?? []).reduce((total, { value }) => total + value, 0);

// Upper bounds with how many were at most so much, of all label sets together, ascending.
export function buckets(families, name) {
    const counts = new Map();
    for (const { labels, value } of families[`${name}_bucket`] ?? []) {
        const bound = /le="([^"]+)"/.exec(labels)[1];
        const limit = bound === "+Inf" ? Infinity : Number(bound);
        counts.set(limit, (counts.get(limit) ?? 0) + value);
    }
    return [...counts].sort(([a], [b]) => a - b).map(([limit, count]) => ({ limit, count }));
}

// As Prometheus' histogram_quantile: linear inside of a bucket. null: nothing was measured in between.
export function quantile(share, before, now) {
    const grown = now.map(({ limit, count }, i) => ({ limit, count: count - (before[i]?.count ?? 0) }));
    const all = grown.at(-1)?.count ?? 0;
    if (!(all > 0)) {
        return null;
    }
    const at = grown.findIndex(({ count }) => count >= share * all);
    const low = at > 0 ? grown[at - 1] : { limit: 0, count: 0 };
    if (grown[at].limit === Infinity) {
        return low.limit;
    }
    return low.limit + (grown[at].limit - low.limit) * (share * all - low.count) / (grown[at].count - low.count);
}

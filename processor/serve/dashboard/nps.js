// The net promoter score with its interval, from counts, as score/answer.c computes it.

const Z_95 = 1.959963984540054;

function score(promoters, passives, detractors) {
    return 100 * (promoters - detractors) / (promoters + passives + detractors);
}

function margin(promoters, passives, detractors) {
    const answers = promoters + passives + detractors;
    const mean = (promoters - detractors) / answers;
    return 100 * Z_95 * Math.sqrt(Math.max(0, (promoters + detractors) / answers - mean * mean) / answers);
}

// Adjusted Wald: 3 answers more, spread as 1/4, 1/2, 1/4, which keeps the interval honest for few answers.
export function nps({ promoters, passives, detractors }) {
    if (promoters + passives + detractors === 0) {
        return { value: null, low: null, high: null };
    }
    const near = [promoters + 0.75, passives + 1.5, detractors + 0.75];
    return {
        value: score(promoters, passives, detractors),
        low: Math.max(-100, score(...near) - margin(...near)),
        high: Math.min(100, score(...near) + margin(...near)),
    };
}

// For each day from the `width`-th on: the score of the `width` days up to and with it.
export function rolling(byDay, width) {
    const sums = { promoters: 0, passives: 0, detractors: 0 };
    const add = (day, sign) => Object.keys(sums).forEach((name) => { sums[name] += sign * day[name]; });
    return byDay.flatMap((day, i) => {
        add(day, 1);
        if (i >= width) {
            add(byDay[i - width], -1);
        }
        return i >= width - 1 ? [{ date: day.date, start_ms: day.start_ms, answers: sums.promoters + sums.passives + sums.detractors, ...nps(sums) }] : [];
    });
}

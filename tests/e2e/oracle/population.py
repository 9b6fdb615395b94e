"""Scores by rank among all customers: by quantiles, or by shares of the sum (ABC analysis).

Two ways that say the same: the score itself, from everybody's values, and cut points, from which one value's score can
be read.
"""

import math


def score_at_cuts(value, cuts, best_low=False):
    """1 + how many of the sorted cut points the value has reached; `best: low` reaches them from above."""
    if value is None:
        return 1
    return 1 + sum(value <= cut if best_low else value >= cut for cut in cuts)


def quantile_scores(values, quantiles, best_low=False):
    """The exact score of each value: 1 + the whole part of n x (share of the customers who are worse)."""
    ordered = sorted(values, reverse=best_low)  # the worst first
    worse = {}
    for number, value in enumerate(ordered):
        worse.setdefault(value, number)
    return [1 + quantiles * worse[value] // len(ordered) for value in values]


def quantile_cuts(values, quantiles, best_low=False):
    """The exact cut points: ascending, fewer than `quantiles` - 1 where the best scores are nobody's."""
    least = {}
    for value, score in zip(values, quantile_scores(values, quantiles, best_low)):
        for reached in range(2, score + 1):
            least[reached] = (max if best_low else min)(value, least.get(reached, value))
    return sorted(least.values())


def share_scores(values, shares):
    """The exact score of each value; with shares [80, 95]: 3 for those who make the first 80 % of the sum, 2 up to 95 %.

    A customer with whom a share is passed still belongs to it, and so do all with the same value.
    """
    total = math.fsum(value for value in values if value > 0)
    better, reached = {}, 0.0
    for value in sorted(values, reverse=True):
        better.setdefault(value, reached)
        reached += max(value, 0.0)
    return [1 + (sum(100 * better[value] < share * total for share in shares) if value > 0 else 0) for value in values]


def share_cuts(values, shares):
    """The exact cut points, ascending; fewer than there are shares where nobody has the best scores."""
    least = {}
    for value, score in zip(values, share_scores(values, shares)):
        for reached in range(2, score + 1):
            least[reached] = min(value, least.get(reached, value))
    return sorted(least.values())

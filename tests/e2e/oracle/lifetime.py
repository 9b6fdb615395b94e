"""How long a customer stays and what they are worth: BG/NBD, MBG/NBD and Gamma-Gamma.

While customers stay they buy at a rate that is Gamma(r, alpha) among them; after a purchase they leave with a
probability that is Beta(a, b). In MBG/NBD they may leave after the first purchase already, in BG/NBD only after the
second. So of a customer with x repeat purchases until T who is still there, the rate is Gamma(r + x, alpha + T) and
the probability Beta(a, b + x) (BG/NBD) or Beta(a, b + x + 1) (MBG/NBD), and with rate l and probability p they buy
(1 - exp(-l p t)) / p times within t. The mean of that is the conditional expectation of the papers, there written with
2F1; over l it is taken by hand, over p by Gauss's quadrature, which is quick and exact to 13 digits
(test_oracle_metrics.py compares it with 2F1).
"""

import math
from functools import lru_cache
from operator import mul

_SIZES = (6, 8, 10, 12, 16, 20, 26, 34, 48, 64, 96, 140, 200)  # of quadratures, so that few are made


class LifetimeValue:
    """The models with the parameters of a config (`lifetime_value`). Times are in units since the first purchase."""

    def __init__(self, spec, unit_ms):
        self.is_bg = spec.get("model", "mbg_nbd") == "bg_nbd"
        self.unit_ms = unit_ms
        self.r, self.alpha, self.a, self.b = (float(spec[name]) for name in ("r", "alpha", "a", "b"))
        gamma_gamma = spec.get("gamma_gamma")
        self.p, self.q, self.v = (float(gamma_gamma[name]) for name in "pqv") if gamma_gamma else (None, None, None)
        self.discount = float(spec.get("discount", 0.1))
        self._weights = lru_cache(maxsize=None)(self._make_weights)

    def p_alive(self, x, recency, age):
        if self.is_bg and x == 0:
            return 1.0
        chances = self.b + x - (1 if self.is_bg else 0)
        return 1 / (1 + self.a / chances * ((self.alpha + age) / (self.alpha + recency)) ** (self.r + x))

    def expected_purchases(self, x, recency, age, ahead):
        """Within the next `ahead` units."""
        return self.p_alive(x, recency, age) * self._purchases(x, age, (ahead,), (1.0,))

    def mean_spend(self, x, mean):
        """`mean` is that of the repeat purchase days; without one it does not matter."""
        return self.p * (self.v + x * mean) / (self.p * x + self.q - 1)

    def clv(self, x, recency, age, mean, ahead):
        """Discounted revenue within the next `ahead` units."""
        return self.mean_spend(x, mean) * self.p_alive(x, recency, age) * self._purchases(x, age, *self._weights(ahead))

    def _make_weights(self, ahead):
        """Ends of the units within `ahead`, and how much the purchases until each of them count.

        sum d[k] (E[k] - E[k-1]) = sum (d[k] - d[k+1]) E[k], so that no small differences of large numbers are taken.
        """
        ends = [min(k, ahead) for k in range(1, math.ceil(ahead) + 1)]
        year = 365 * 86_400_000 / self.unit_ms
        factors = [(1 + self.discount) ** (-k / year) for k in range(1, len(ends) + 1)] + [0.0]
        return tuple(map(float, ends)), tuple(now - later for now, later in zip(factors, factors[1:]))

    def _purchases(self, x, age, times, weights):
        """The weighted sum of the purchases expected until each of the times of a customer who is still there."""
        shape, scale = self.r + x, self.alpha + age
        size = _size(shape, math.floor(8 * math.log(scale / times[-1])))
        nodes = beta_quadrature(self.a, self.b + x + (0 if self.is_bg else 1), size)
        log1p, expm1 = math.log1p, math.expm1
        total = 0.0
        for p, share in nodes:
            rate = p / scale
            bought = [expm1(-shape * log1p(rate * time)) for time in times]
            total -= share / p * sum(map(mul, bought, weights))
        return total


@lru_cache(maxsize=None)
def _size(order, ratio_eighths):
    """How many nodes are enough. The integrand is smooth but for a pole of that order at p = -exp(ratio_eighths / 8)."""
    edge = 1 + 2 * math.exp(ratio_eighths / 8)
    digits_a_node = 2 * math.log10(edge + math.sqrt(edge * edge - 1))
    for size in _SIZES:
        lost = (math.lgamma(2 * size + order + 1) - math.lgamma(2 * size + 1) - math.lgamma(order + 1)) / math.log(10)
        if digits_a_node * size - lost >= 14:
            break
    return size


@lru_cache(maxsize=None)
def beta_quadrature(a, b, size):
    """((p, weight), ...) such that the weighted sum of a polynomial is its mean over Beta(a, b).

    The nodes are the eigenvalues of the Jacobi matrix of the polynomials orthogonal over Beta(a, b) (Golub and Welsch
    1969), found by counting how many are below a value; the weights are 1 / the sum of squares of the normed
    polynomials there.
    """
    left, right = a - 1, b - 1  # the Jacobi polynomials' exponents at 0 and at 1
    total = left + right
    middles = [(left - right) / (total + 2)]
    squares = [4 * (1 + left) * (1 + right) / ((total + 2) ** 2 * (total + 3))]
    for k in range(1, size):
        middles.append((left * left - right * right) / ((2 * k + total) * (2 * k + total + 2)))
        n = k + 1
        squares.append(4 * n * (n + left) * (n + right) * (n + total)
                       / ((2 * n + total) ** 2 * (2 * n + total + 1) * (2 * n + total - 1)))
    middles = [(1 + u) / 2 for u in middles]  # from (-1, 1) to (0, 1)
    squares = [square / 4 for square in squares]
    return tuple(_node(middles, squares, number) for number in range(size))


def _node(middles, squares, number):
    low, high = 0.0, 1.0
    while low < (p := (low + high) / 2) < high:
        if _below(middles, squares, p) > number:
            high = p
        else:
            low = p
    return high, 1 / _norm(middles, squares, high)


def _below(middles, squares, p):
    """How many eigenvalues are below p: the negative pivots of the matrix less p (Sylvester)."""
    pivot, below = 1.0, 0
    for k, middle in enumerate(middles):
        pivot = middle - p - (squares[k - 1] / pivot if k else 0)
        pivot = pivot or 1e-300
        below += pivot < 0
    return below


def _norm(middles, squares, p):
    before, now, norm = 0.0, 1.0, 1.0
    for k in range(len(middles) - 1):
        back = math.sqrt(squares[k - 1]) * before if k else 0.0
        before, now = now, ((p - middles[k]) * now - back) / math.sqrt(squares[k])
        norm += now * now
    return norm

"""Metrics over a window or the whole life, from sums."""

import math

_Z = 1.959963984540054  # of the 95 % interval


def _share(sums, good, all_of_them, bad=None):
    count = sums(all_of_them)
    return 100.0 * (sums(good) - (sums(bad) if bad else 0)) / count if count else None


def _mean(sums, total, count):
    return sums(total) / sums(count) if sums(count) else None


def _answers(sums):
    """(answers, promoters, detractors)."""
    promoters, detractors = sums("promoters"), sums("detractors")
    return promoters + sums("passives") + detractors, promoters, detractors


def _nps(answers, promoters, detractors):
    return 100.0 * (promoters - detractors) / answers if answers else None


def _nps_margin(answers, promoters, detractors):
    if not answers:
        return None
    p, d = promoters / answers, detractors / answers
    return 100.0 * _Z * math.sqrt((p + d - (p - d) ** 2) / answers)


def _nps_bound(sums, sign):
    """The adjusted-Wald interval's lower (-1) or upper (1) end."""
    answers, promoters, detractors = _answers(sums)
    if not answers:
        return None
    adjusted = answers + 3, promoters + 0.75, detractors + 0.75
    return min(max(_nps(*adjusted) + sign * _nps_margin(*adjusted), -100.0), 100.0)


class Windowed:
    """Metrics over a window or the whole life, from the sums of fields; `sums` is a function of a field's name."""

    def __init__(self, model):
        scale = model.money_scale
        self.of = {
            "purchases": lambda sums: float(sums("purchases")),
            "revenue": lambda sums: sums("revenue") / scale,
            "refunds": lambda sums: sums("refunds") / scale,
            "aov": lambda sums: sums("revenue") / scale / sums("purchases") if sums("purchases") > 0 else None,
            "interactions": lambda sums: float(sums("interactions")),
            "referrals": lambda sums: float(sums("interactions REFERRAL")),
            "nps": lambda sums: _nps(*_answers(sums)),
            "nps_margin": lambda sums: _nps_margin(*_answers(sums)),
            "nps_low": lambda sums: _nps_bound(sums, -1),
            "nps_high": lambda sums: _nps_bound(sums, 1),
            "csat": lambda sums: _share(sums, "csat satisfied", "csat"),
            "csat_mean": lambda sums: _mean(sums, "csat sum", "csat"),
            "ces": lambda sums: (_share(sums, "ces easy", "ces", "ces hard") if model.ces_by_share
                                 else _mean(sums, "ces sum", "ces")),
            "complaints": lambda sums: float(sums("complaints")),
            "reviews": lambda sums: float(sums("reviews")),
            "review_mean": lambda sums: _mean(sums, "review sum", "reviews"),
            "items": lambda sums: float(sums("items")),
            "basket_size": lambda sums: sums("items") / sums("purchases") if sums("purchases") > 0 else None,
            "points": lambda sums: sums("points") / 1000,
        }

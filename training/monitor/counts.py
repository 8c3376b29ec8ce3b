"""How far a count of conversions is out of what was promised, for any number of leads, and allowing for what was known.

Nothing here knows grades or calibration.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import norm, poisson_binom

from leadlight.model.margins import FloatArray
from training.as_judged import TRUE, Found

MOST_FOR_EXACT = 2_000
"""Leads up to which tails are exact; beyond, the cost of that grows with their square."""
WIDEST = 60.0
_AT_THE_MEAN = 1e-3


def count_p(margins: FloatArray, hits: int, *, known: Found = TRUE) -> float:
    """How often leads of these margins, all too low by a ``known`` shift, give a count as far out as ``hits``.

    Twice the smaller tail if the shift is known without an error. Else a likelihood ratio: at the shift that is
    likeliest after both, the normal score of the count's own tail, and how far that shift is from the known one.
    """
    if known.error <= 0.0:
        return _two_sided(margins + known.value, hits)
    between = _between(margins, hits, known)
    own = float(norm.isf(_two_sided(margins + between, hits) / 2.0))
    return float(2.0 * norm.sf(np.hypot(own, (between - known.value) / known.error)))


def tails(margins: FloatArray, hits: int) -> tuple[float, float]:
    """How often independent leads of these log-odds give at most, and at least, so many conversions.

    Exact for up to 2,000 leads, else by the saddlepoint method.
    """
    if len(margins) <= MOST_FOR_EXACT:
        counts = poisson_binom(expit(margins))
        return float(counts.cdf(hits)), float(counts.sf(hits - 1))
    return 1.0 - approximate_tail(margins, hits + 1), approximate_tail(margins, hits)


def approximate_tail(margins: FloatArray, hits: int) -> float:
    """How often there are at least so many conversions, within a few per cent of itself down to the far tails.

    Lugannani and Rice's saddlepoint formula with Daniels' second correction for whole numbers (Daniels 1987). At the
    mean, where it is nought by nought, stands its limit: a normal tail corrected for skewness.
    """
    if hits <= 0 or hits > len(margins):
        return float(hits <= 0)
    point = hits - 0.5
    tilt = _root(lambda at: point - float(expit(margins + at).sum()))
    said = expit(margins + tilt)
    spread = float(np.sum(said * (1.0 - said)))
    if abs(tilt) * np.sqrt(spread) < _AT_THE_MEAN:
        skew = float(np.sum(said * (1.0 - said) * (1.0 - 2.0 * said))) / spread**1.5
        return float(norm.sf(tilt * np.sqrt(spread)) - skew * norm.pdf(0.0) / 6.0)
    raised = float(np.sum(np.logaddexp(0.0, margins + tilt) - np.logaddexp(0.0, margins)))
    far = np.sign(tilt) * np.sqrt(2.0 * max(tilt * point - raised, 0.0))
    wide = 2.0 * np.sinh(tilt / 2.0) * np.sqrt(spread)
    return float(np.clip(norm.sf(far) + norm.pdf(far) * (1.0 / wide - 1.0 / far), 0.0, 1.0))


def _two_sided(margins: FloatArray, hits: int) -> float:
    return min(1.0, 2.0 * min(tails(margins, hits)))


def _between(margins: FloatArray, hits: int, known: Found) -> float:
    """The likeliest shift after both what was known of it and the count."""

    def pull(at: float) -> float:
        return hits - float(expit(margins + at).sum()) - (at - known.value) / known.error**2

    return _root(pull)


def _root(falling: Callable[[float], float]) -> float:
    return float(brentq(falling, -WIDEST, WIDEST, xtol=1e-10))

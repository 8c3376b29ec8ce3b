"""What calls to everybody would have found, from those called: flagged leads, and others that chance drew."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import betaincinv, gammaincinv

from leadlight.model.margins import FloatArray

Labels = npt.NDArray[np.int8]
Flags = npt.NDArray[np.bool_]

TAIL = 0.025


@dataclass(frozen=True)
class Interval:
    """A 95 % interval; no ``value`` where a single number would mislead."""

    value: float | None
    lower: float
    upper: float


@dataclass(frozen=True)
class Corrected:
    """What holds for all leads, had sales called them all, from those called: flagged ones and ones drawn to explore.

    ``promised`` and ``observed`` are mean probability and rate over all leads; ``recall`` is of the conversions that
    calls to everybody would have found. ``None``: nothing can be said. Without an explored lead that converted there
    is an interval, but no value: none of so few is not none at all.
    """

    flagged: int
    flagged_converted: int
    explored: int
    explored_converted: int
    promised: float
    observed: Interval | None
    recall: Interval | None


@dataclass(frozen=True)
class _Count:
    """Conversions of some leads, and a 95 % interval of how many were to be expected of them."""

    value: float
    lower: float
    upper: float


def corrected(
    promised: FloatArray, labels: Labels, *, flagged: Flags, explored: Flags, chance: FloatArray
) -> Corrected | None:
    """Flagged leads stand for themselves, explored ones for all that were not flagged, each for 1 / its ``chance``.

    Leads that were neither say nothing of what a call would have done. ``None`` where no lead had a chance to be
    drawn. Outcomes are taken to be independent. Intervals are made for the few conversions that exploring finds, where
    a standard error is too small, or 0: exact ones of either group's conversions (Clopper and Pearson 1934; Fay and
    Feuer 1997, which with equal chances is Garwood's of 1936), joined by recovering variances from them (Zou and
    Donner 2008; for recall, a function of the ratio of the two, Donner and Zou 2012).
    """
    could_be = ~flagged & (chance > 0)
    if not could_be.any():
        return None
    drawn = could_be & explored
    hits, finds = int(labels[flagged].sum(dtype=np.int64)), int(labels[drawn].sum(dtype=np.int64))
    observed = recall = None
    if drawn.any():
        of_flagged = _of_flagged(hits, int(flagged.sum()))
        of_others = _of_others(labels[drawn], 1.0 / chance[drawn], leads=int((~flagged).sum()))
        observed = _rate(of_flagged, of_others, leads=len(labels))
        recall = _recall(of_flagged, of_others)
    return Corrected(
        flagged=int(flagged.sum()),
        flagged_converted=hits,
        explored=int(drawn.sum()),
        explored_converted=finds,
        promised=float(promised.mean()),
        observed=observed,
        recall=recall,
    )


def _of_flagged(hits: int, leads: int) -> _Count:
    """Clopper and Pearson's interval of the probability, times the leads."""
    lower = float(betaincinv(hits, leads - hits + 1, TAIL)) if hits > 0 else 0.0
    upper = float(betaincinv(hits + 1, leads - hits, 1 - TAIL)) if hits < leads else 1.0
    return _Count(hits, lower * leads, upper * leads)


def _of_others(labels: Labels, weights: FloatArray, *, leads: int) -> _Count:
    """Fay and Feuer's gamma interval of a weighted sum of Poisson counts; the weights are made to sum to ``leads``."""
    weight = weights * (leads / weights.sum())
    total, most = float(weight @ labels), float(weight.max())
    spread = float(weight**2 @ labels)
    wider = spread + most**2
    lower = spread / total * gammaincinv(total**2 / spread, TAIL) if total > 0 else 0.0
    upper = wider / (total + most) * gammaincinv((total + most) ** 2 / wider, 1 - TAIL)
    return _Count(total, float(lower), float(min(upper, leads)))


def _rate(hits: _Count, others: _Count, *, leads: int) -> Interval:
    total = hits.value + others.value
    lower = total - np.hypot(hits.value - hits.lower, others.value - others.lower)
    upper = total + np.hypot(hits.upper - hits.value, others.upper - others.value)
    return Interval(total / leads if others.value > 0 else None, float(lower) / leads, float(upper) / leads)


def _recall(hits: _Count, others: _Count) -> Interval | None:
    """The recalls r for which (1 - r) x hits - r x others may be 0; ``None`` if nobody converted."""
    total = hits.value + others.value
    if total == 0.0:
        return None

    def least(r: float) -> float:
        away = np.hypot((1 - r) * (hits.value - hits.lower), r * (others.upper - others.value))
        return float((1 - r) * hits.value - r * others.value - away)

    def most(r: float) -> float:
        away = np.hypot((1 - r) * (hits.upper - hits.value), r * (others.value - others.lower))
        return float((1 - r) * hits.value - r * others.value + away)

    value = hits.value / total
    lower = float(brentq(least, 0.0, value)) if hits.lower > 0 else 0.0
    upper = float(brentq(most, value, 1.0)) if others.lower > 0 else 1.0
    return Interval(value if others.value > 0 else None, lower, upper)

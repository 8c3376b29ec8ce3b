"""From the last fold's margins to promises: one offset, the interval's steps, and the cuts of grades and flags."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from leadlight.grading import Cuts
from leadlight.model.interval import Interval
from leadlight.model.margins import FloatArray, sigmoid
from leadlight.settings import Grades, Operate

Labels = npt.NDArray[np.int8]

WIDEST_SHIFT = 20.0
MOST_WEIGHT = 25.0
MOST_STEPS = 256


def shrunken_offset(margins: FloatArray, labels: Labels) -> float:
    """Half of the shift that makes the mean right, less what noise alone could ask for.

    With d that shift and se its standard error: 0.5 d max(0, 1 - 4 se^2 / d^2); half, for a shift may stay or revert.
    """
    shift, error = shift_of(margins, labels)
    if shift**2 <= 4.0 * error**2:
        return 0.0
    return 0.5 * shift * (1.0 - 4.0 * error**2 / shift**2)


def shift_of(margins: FloatArray, labels: Labels) -> tuple[float, float]:
    """The shift of all margins that makes the mean probability the share of positives, and its standard error."""
    shift = _shift(margins, labels)
    probability = sigmoid(margins + shift)
    return shift, float(np.sum(probability * (1.0 - probability))) ** -0.5


def first_offset(margins: FloatArray, labels: Labels, *, offset: float) -> dict[str, float]:
    """What following the offset later begins with: the offset that training chose, and how sure its rows were of it."""
    shift, error = shift_of(margins, labels)
    return {"error": error, "offset": offset, "rows": len(labels), "shift": shift}


def followed_offset(margins: FloatArray, labels: Labels, *, first: float, first_error: float) -> tuple[float, float]:
    """The offset for margins without any, after these mature rows, and its standard error.

    (d1 / se1^2 + w0 first) / (1 / se1^2 + w0): d1 is the shift that the rows ask for, ``first`` the offset of training,
    which weighs w0 = min(1 / se^2, 25), that is at most as much as some 25 / (p (1 - p)) rows.
    """
    shift, error = shift_of(margins, labels)
    own, weight = error**-2, min(first_error**-2, MOST_WEIGHT)
    return (shift * own + first * weight) / (own + weight), (own + weight) ** -0.5


def _shift(margins: FloatArray, labels: Labels) -> float:
    """The shift of all margins at which the mean probability is the share of positives, by bisection."""
    rate = float((labels.sum(dtype=np.int64) + 0.5) / (len(labels) + 1.0))
    low, high = -WIDEST_SHIFT, WIDEST_SHIFT
    while (middle := (low + high) / 2) not in (low, high):
        if sigmoid(margins + middle).mean() < rate:
            low = middle
        else:
            high = middle
    return middle


def venn_abers(margins: FloatArray, labels: Labels) -> Interval:
    """The steps of an inductive Venn-Abers predictor calibrated on these rows, of at most 256 equal parts of them.

    Vovk, Petej and Fedorova (2015), algorithms 1 and 2. A margin rounded up to the end of its part is itself a score,
    so the parts cost none of the predictor's validity; they keep it small.
    """
    places = np.arange(1, MOST_STEPS) / MOST_STEPS
    edges = np.unique(np.quantile(margins, places, method="inverted_cdf"))
    edges = edges[edges < margins.max()]
    steps = np.searchsorted(edges, margins)
    rows = np.bincount(steps, minlength=len(edges) + 1).tolist()
    positives = np.bincount(steps[labels == 1], minlength=len(rows)).tolist()
    high = calibrated_as_positive(rows, positives)
    negatives = [total - of_those for total, of_those in zip(rows, positives, strict=True)]
    low = [1.0 - share for share in reversed(calibrated_as_positive(rows[::-1], negatives[::-1]))]
    return _merged(edges, low=low, high=high)


def calibrated_as_positive(rows: Sequence[int], positives: Sequence[int]) -> list[float]:
    """For each step, its isotonic estimate once one more positive row is added to it.

    Steps are in the order of their margins and hold so many rows, of which so many positive. The isotonic estimate is
    the slope of the greatest convex minorant of the cumulative sums; counts are integers, so every turn is exact.
    """
    points = [(0, 0)]
    for total, of_those in zip(rows, positives, strict=True):
        points.append((points[-1][0] + total, points[-1][1] + of_those))
    corners: list[tuple[int, int]] = []
    for point in [(-1, -1), *points]:
        while len(corners) > 1 and _turn(corners[-2], corners[-1], point) <= 0:
            corners.pop()
        corners.append(point)
    corners.reverse()  # the last is now the leftmost: the top of a stack
    estimates = []
    for after in points[1:]:
        (x, y), (next_x, next_y) = corners[-1], corners[-2]
        estimates.append(float(Fraction(next_y - y, next_x - x)))
        # the added row moves behind this step, and the sums before it move one row left and one positive down
        moved = (after[0] - 1, after[1] - 1)
        if _turn((x, y), (next_x, next_y), moved) >= 0:
            continue
        corners.pop()
        while len(corners) > 1 and _turn(moved, corners[-1], corners[-2]) <= 0:
            corners.pop()
        corners.append(moved)
    return estimates


def _turn(a: tuple[int, int], b: tuple[int, int], c: tuple[int, int]) -> int:
    """Positive if the way a, b, c turns left, negative if right, 0 if straight on."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _merged(edges: FloatArray, *, low: Sequence[float], high: Sequence[float]) -> Interval:
    pairs = list(zip(low, high, strict=True))
    ends = [place for place, pair in enumerate(pairs) if place + 1 == len(pairs) or pair != pairs[place + 1]]
    return Interval(
        edges=edges[ends[:-1]],
        low=np.array([low[place] for place in ends]),
        high=np.array([high[place] for place in ends]),
    )


def freeze_cuts(probabilities: FloatArray, *, operate: Operate, grades: Grades) -> Cuts:
    """The probabilities that reach the site's shares among the calibration rows; a fixed threshold stays as it is.

    Grade A is the top share, B the next, C the one after. Rows that tie at a cut are all on its better side.
    """
    ordered = np.sort(probabilities)[::-1]

    def top(share: float) -> float:
        return float(ordered[max(round(share * len(ordered)), 1) - 1])

    return Cuts(
        threshold=top(operate.flag_share) if operate.threshold is None else operate.threshold,
        a=top(grades.A),
        b=top(grades.A + grades.B),
        c=top(grades.A + grades.B + grades.C),
        quantiles=tuple(np.quantile(probabilities, np.arange(101) / 100, method="inverted_cdf").tolist()),
    )


def moved(probability: float, shift: float) -> float:
    """A probability whose log-odds are moved by ``shift``; certainty stays certain."""
    odds = probability * math.exp(shift)
    return odds / (1.0 - probability + odds)


def moved_cuts(cuts: Cuts, shift: float) -> Cuts:
    """Cuts that flag and grade the same leads once all log-odds are moved by ``shift``.

    They come to lie a trillionth lower: a cut is some lead's own probability, which rounding must not put under it.
    """

    def cut(probability: float) -> float:
        return moved(probability, shift) * (1.0 - 1e-12)

    quantiles = tuple(moved(probability, shift) for probability in cuts.quantiles)
    return Cuts(threshold=cut(cuts.threshold), a=cut(cuts.a), b=cut(cuts.b), c=cut(cuts.c), quantiles=quantiles)


def moved_interval(interval: Interval, shift: float, *, error: float, allowed: float = 0.0) -> Interval:
    """The same steps for margins moved by ``shift``, wide enough for its standard ``error`` (95 %).

    ``allowed`` is the error that the steps already make room for, by an earlier move.
    """
    wide = 1.96 * (error - allowed)
    return Interval(
        edges=interval.edges + shift,
        low=np.array([moved(each, shift - wide) for each in interval.low.tolist()]),
        high=np.array([moved(each, shift + wide) for each in interval.high.tolist()]),
    )

"""The metrics of two versions on the same rows, with intervals of their difference, by slice too, and their curves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from leadlight.model.margins import FloatArray, IntArray
from training.evaluate import Names, Scored, log_losses, mass_bins
from training.evaluate.clusters import cells, cluster_weights, days_tell, drawn_error, mean_error
from training.evaluate.measure import Measure

REPLICATES = 500
FEWEST_ROWS = 50
"""Rows below which a slice is not compared."""
POINTS = 50
SIGMAS = 1.959964
LOWER_IS_BETTER = frozenset({"log_loss", "brier", "calibration_error"})
NEITHER_IS_BETTER = frozenset({"calibration_slope", "calibration_in_the_large"})


@dataclass(frozen=True)
class Pair:
    """A metric of the first and the second version; ``difference`` is second less first, with its 95 % interval."""

    first: float | None
    second: float | None
    difference: float | None
    lower: float | None
    upper: float | None

    @property
    def told_apart(self) -> bool:
        """Whether the interval leaves no room for no difference."""
        return self.lower is not None and self.upper is not None and not self.lower <= 0.0 <= self.upper


@dataclass(frozen=True)
class Slice:
    """Mean log loss of both versions on the rows of one name, and the paired difference, second less first."""

    name: str
    rows: int
    positives: int
    first: float
    second: float
    difference: float
    error: float


@dataclass(frozen=True)
class Curves:
    """``calibration``: (said, came true, rows) of ten bins; ``gain``: (share of rows, share of conversions found)."""

    calibration: tuple[tuple[float, float, int], ...]
    gain: tuple[tuple[float, float], ...]


def paired_metrics(first: Scored, second: Scored, *, seed: int) -> dict[str, Pair]:
    """Every metric of both; the same leads and days are drawn for both, so that what they share of luck drops out.

    The error is two-way clustered as in ``training.evaluate.clusters``, the interval normal.
    """
    measures = Measure(first), Measure(second)
    points = [measure(np.ones((1, len(first.y)))) for measure in measures]
    gaps = list(_gaps(measures, first, seed=seed))
    days = 0 if first.day is None else len(np.unique(first.day))
    pairs = {}
    for name in points[0]:
        one, other = (float(point[name][0]) for point in points)
        pairs[name] = _pair(one, other, [gap[name] for gap in gaps], days)
    return pairs


def _gaps(measures: tuple[Measure, Measure], rows: Scored, *, seed: int) -> Iterator[dict[str, FloatArray]]:
    """The differences of replicates with leads drawn, and where days tell something, with days and with both."""
    clusters: list[IntArray] = [rows.lead]
    if rows.day is not None and days_tell(rows.day):
        clusters += [rows.day, cells(rows.lead, rows.day)]
    for place, cluster in enumerate(clusters):
        found: dict[str, list[FloatArray]] = {}
        for weights in cluster_weights(cluster, seed=[seed, place], replicates=REPLICATES):
            one, other = (measure(weights) for measure in measures)
            for name in one:
                found.setdefault(name, []).append(other[name] - one[name])
        yield {name: np.concatenate(parts) for name, parts in found.items()}


def _pair(first: float, second: float, gaps: list[FloatArray], days: int) -> Pair:
    kept = [gap[np.isfinite(gap)] for gap in gaps]
    difference = second - first
    if not np.isfinite(difference) or any(len(gap) == 0 for gap in kept):
        return Pair(_finite(first), _finite(second), _finite(difference), None, None)
    error = drawn_error([float(gap.std()) for gap in kept], days=days)
    return Pair(first, second, difference, difference - SIGMAS * error, difference + SIGMAS * error)


def paired_slices(first: Scored, second: Scored, names: Names) -> tuple[Slice, ...]:
    """Each name with at least 50 rows, in the order of their names."""
    losses = [log_losses(side.y, side.p) for side in (first, second)]
    gaps = losses[1] - losses[0]
    found = []
    for name in np.unique(names.astype(str)):
        rows = names == name
        if rows.sum() >= FEWEST_ROWS:
            day = None if first.day is None else first.day[rows]
            error = mean_error(gaps[rows], first.lead[rows], day)
            one, other = (float(loss[rows].mean()) for loss in losses)
            counts = int(rows.sum()), int(first.y[rows].sum())
            found.append(Slice(str(name), *counts, one, other, other - one, error))
    return tuple(found)


def curves(rows: Scored) -> Curves:
    """How probabilities came true in ten bins of equal mass, and how many conversions the best rows hold."""
    bins = mass_bins(rows.p)
    bins = bins[:, bins.any(axis=0)]
    counts = bins.sum(axis=0)
    said, came = rows.p @ bins / counts, rows.y @ bins / counts
    order = np.argsort(-rows.p, kind="stable")
    found = np.cumsum(rows.y[order]) / max(int(rows.y.sum()), 1)
    places = np.unique(np.linspace(0, len(order) - 1, POINTS).astype(np.intp))
    gain = [(0.0, 0.0), *(((place + 1) / len(order), float(found[place])) for place in places.tolist())]
    return Curves(tuple(zip(said.tolist(), came.tolist(), counts.astype(int).tolist(), strict=True)), tuple(gain))


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None

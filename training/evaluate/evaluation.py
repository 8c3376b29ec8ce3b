"""The metrics of some rows, each with its interval and error, for all of them and for parts of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.stats import norm

from leadlight.model.margins import FloatArray
from training.evaluate.calibration import noise_floor
from training.evaluate.clusters import cells, cluster_weights, days_tell, drawn_error
from training.evaluate.measure import Measure
from training.evaluate.rows import Flags, Names, Scored

LEVEL = 0.95
SIGMAS = float(norm.isf((1 - LEVEL) / 2))
REPLICATES = 1000
SLICE_REPLICATES = 200
SHARES = frozenset({"auc", "average_precision", "precision", "recall", "accuracy"})
GAPS = "gaps"
SIGNED = frozenset({"calibration_slope", "calibration_in_the_large"})

Draws = dict[str, FloatArray]


@dataclass(frozen=True)
class Metric:
    """A value with its 95 % interval and standard error."""

    value: float
    lower: float
    upper: float
    error: float


@dataclass(frozen=True)
class Evaluation:
    """Counts and metrics of some rows; a metric they cannot have (no flagged row, one outcome only) is ``None``."""

    rows: int
    leads: int
    positives: int
    flagged: int
    noise_floor: float
    metrics: dict[str, Metric | None] = field(default_factory=dict)

    def to_json(self) -> dict[str, float | None]:
        """One flat object: each metric by name, its interval as ``NAME_lower`` and ``NAME_upper``."""
        flat: dict[str, float | None] = {
            "rows": self.rows,
            "leads": self.leads,
            "positives": self.positives,
            "flagged": self.flagged,
        }
        for name, metric in self.metrics.items():
            flat[name] = metric.value if metric else None
            flat[f"{name}_lower"] = metric.lower if metric else None
            flat[f"{name}_upper"] = metric.upper if metric else None
        return {**flat, "calibration_noise_floor": self.noise_floor}


def evaluate(rows: Scored, *, seed: int, replicates: int = REPLICATES) -> Evaluation:
    """Every metric of ``rows`` with an interval that allows for leads seen twice and for days that differ.

    The interval has the shape of a bootstrap over leads, and the width of the two-way clustered error (see
    ``clusters``).
    """
    measure = Measure(rows)
    points = measure(np.ones((1, len(rows.y))))
    drawn = _drawn(measure, rows, seed=seed, replicates=replicates)
    days = 0 if rows.day is None else len(np.unique(rows.day))
    return Evaluation(
        rows=len(rows.y),
        leads=int(rows.lead.max()) + 1,
        positives=int(rows.y.sum()),
        flagged=int(rows.flagged.sum()),
        noise_floor=noise_floor(rows.p, seed=seed),
        metrics={name: _metric(name, float(point[0]), drawn, days) for name, point in points.items()},
    )


def by_slice(rows: Scored, names: Names, *, seed: int) -> dict[str, Evaluation]:
    """The same metrics for the rows of each name: each channel, or each month."""
    return {
        str(name): evaluate(rows.where(names == name), seed=seed, replicates=SLICE_REPLICATES)
        for name in np.unique(names.astype(str))
    }


def _drawn(measure: Measure, rows: Scored, *, seed: int, replicates: int) -> list[Draws]:
    """Replicates of every metric with leads drawn, and, where days tell something, with days and with both."""
    leads = _replicates(measure, rows.lead, seed, replicates)
    if rows.day is None or not days_tell(rows.day):
        return [leads]
    days = _replicates(measure, rows.day, [seed, 1], replicates)
    both = cells(rows.lead, rows.day)
    once = int(both.max()) == int(rows.lead.max())  # no lead is seen on two days
    return [leads, days, leads if once else _replicates(measure, both, [seed, 2], replicates)]


def _replicates(measure: Measure, cluster: np.ndarray, seed: int | list[int], replicates: int) -> Draws:
    draws = [
        {**measure(weights), GAPS: measure.gaps(weights)}
        for weights in cluster_weights(cluster, seed=seed, replicates=replicates)
    ]
    return {name: np.concatenate([draw[name] for draw in draws]) for name in draws[0]}


def _metric(name: str, value: float, drawn: list[Draws], days: int) -> Metric | None:
    finite = [draws[name][_finite(draws[name])] for draws in drawn]
    if not np.isfinite(value) or any(len(draws) == 0 for draws in finite):
        return None
    errors = [float(draws.std()) for draws in finite]
    error = drawn_error(errors, days=days)
    lower, upper = np.quantile(finite[0], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    if name == "calibration_error":
        lower, upper = value - _raised_by_noise(drawn[0][GAPS]) - SIGMAS * errors[0], value + SIGMAS * errors[0]
    stretch = error / errors[0] if errors[0] > 0 else 1.0
    lower, upper = value + stretch * (lower - value), value + stretch * (upper - value)
    if name not in SIGNED:
        lower, upper = max(lower, 0.0), min(upper, 1.0) if name in SHARES else upper
    return Metric(value, float(lower), float(upper), error)


def _raised_by_noise(gaps: FloatArray) -> float:
    """How much of a calibration error is likely noise: the mean of |gap + noise| less |gap|, summed over the bins.

    To be safe each gap is taken to be two standard errors nearer to zero than it was seen (replicates x bins), as noise
    makes small ones look larger; of gaps that are all zero the whole error is noise. The mean is a folded normal's.
    """
    spread = np.maximum(gaps.std(axis=0), 1e-12)
    size = np.maximum(np.abs(gaps.mean(axis=0)) / spread - 2.0, 0.0)
    return float(np.sum(spread * 2.0 * (norm.pdf(size) - size * norm.sf(size))))


def _finite(draws: FloatArray) -> Flags:
    return np.asarray(np.isfinite(draws))

"""What a model is worth on rows it has not seen: metrics, each with an interval from a bootstrap over leads.

Rows of one lead are drawn together, since they tell much the same story. Knows no model and no gate.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from leadlight.model.margins import FloatArray, IntArray

Flags = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.int8]
Names = npt.NDArray[np.object_]

LEVEL = 0.95
REPLICATES = 1000
SLICE_REPLICATES = 200
BINS = 10
_CHUNK = 2_000_000  # weights held at once
_TINY = 1e-15


@dataclass(frozen=True, eq=False)
class Scored:
    """Rows with their outcome and probability; ``lead`` numbers the leads from 0, ``flagged`` is the site's choice."""

    lead: IntArray
    y: Labels
    p: FloatArray
    flagged: Flags

    @classmethod
    def of(cls, lead_id: Names, y: Labels, p: FloatArray, *, threshold: float) -> Scored:
        """Rows whose probability reaches the frozen ``threshold`` are flagged."""
        return cls(np.unique(lead_id.astype(str), return_inverse=True)[1], y, p, p >= threshold)

    def where(self, rows: Flags) -> Scored:
        """Some of the rows, their leads numbered anew."""
        lead = np.unique(self.lead[rows], return_inverse=True)[1]
        return Scored(lead, self.y[rows], self.p[rows], self.flagged[rows])


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
    """Every metric of ``rows`` with its percentile interval (calibration error: basic interval, see ``_interval``)."""
    measure = _Measure(rows)
    points = measure(np.ones((1, len(rows.y))))
    draws = [measure(weights) for weights in lead_weights(rows.lead, seed=seed, replicates=replicates)]
    return Evaluation(
        rows=len(rows.y),
        leads=int(rows.lead.max()) + 1,
        positives=int(rows.y.sum()),
        flagged=int(rows.flagged.sum()),
        noise_floor=noise_floor(rows.p, seed=seed),
        metrics={
            name: _interval(name, float(point[0]), np.concatenate([draw[name] for draw in draws]))
            for name, point in points.items()
        },
    )


def by_slice(rows: Scored, names: Names, *, seed: int) -> dict[str, Evaluation]:
    """The same metrics for the rows of each name: each channel, or each month."""
    return {
        str(name): evaluate(rows.where(names == name), seed=seed, replicates=SLICE_REPLICATES)
        for name in np.unique(names.astype(str))
    }


def lead_weights(lead: IntArray, *, seed: int, replicates: int) -> Iterator[FloatArray]:
    """How often each row counts in each replicate (replicates x rows), in chunks: leads drawn with replacement."""
    random = np.random.default_rng(seed)
    leads = int(lead.max()) + 1
    size = max(_CHUNK // len(lead), 1)
    for start in range(0, replicates, size):
        number = min(size, replicates - start)
        drawn = random.integers(leads, size=(number, leads)) + leads * np.arange(number)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=number * leads).reshape(number, leads)
        yield counts[:, lead].astype(np.float64)


class _Measure:
    """Metrics of rows under many weightings at once; the rows are sorted once, highest probability first."""

    def __init__(self, rows: Scored) -> None:
        self._order = np.argsort(-rows.p, kind="stable")
        p, y, flagged = rows.p[self._order], rows.y[self._order].astype(np.float64), rows.flagged[self._order]
        self._positive = y
        self._ends = np.flatnonzero(np.append(p[1:] != p[:-1], True))  # the last row ends a tie
        correct = flagged == (y == 1)
        sums = np.column_stack([np.ones(len(y)), y, log_losses(y, p), (p - y) ** 2, flagged, flagged * y, correct])
        self._columns = np.concatenate([sums, mass_bins(p) * (p - y)[:, None]], axis=1)

    def __call__(self, weights: FloatArray) -> dict[str, FloatArray]:
        weights = weights[:, self._order]
        sums = (weights @ self._columns).T
        rows, positives, loss, brier, flagged, hits, correct = sums[:7]
        with np.errstate(divide="ignore", invalid="ignore"):
            auc, average_precision = self._ranking(weights)
            return {
                "auc": auc,
                "average_precision": average_precision,
                "log_loss": loss / rows,
                "brier": brier / rows,
                "calibration_error": np.abs(sums[7:]).sum(axis=0) / rows,
                "precision": hits / flagged,
                "recall": hits / positives,
                "accuracy": correct / rows,
                "lift": (hits / flagged) / (positives / rows),
            }

    def _ranking(self, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """ROC-AUC (ties count half) and average precision (as scikit-learn defines it) of each weighting."""
        true = np.cumsum(weights * self._positive, axis=1)[:, self._ends]
        false = np.cumsum(weights, axis=1)[:, self._ends] - true
        gained, lost = np.diff(true, axis=1, prepend=0.0), np.diff(false, axis=1, prepend=0.0)
        positives, negatives = true[:, -1], false[:, -1]
        auc = np.sum(lost * (true - gained / 2), axis=1) / (positives * negatives)
        precision = np.divide(true, true + false, out=np.zeros_like(true), where=true + false > 0)
        return auc, np.where(positives > 0, np.sum(gained * precision, axis=1) / positives, np.nan)


def _interval(name: str, value: float, draws: FloatArray) -> Metric | None:
    draws = draws[np.isfinite(draws)]
    if not np.isfinite(value) or len(draws) == 0:
        return None
    lower, upper = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    if name == "calibration_error":
        # a resample adds its own noise to every bin, so its error is too high by about as much as the value already is
        lower, upper = max(2 * value - upper, 0.0), max(2 * value - lower, 0.0)
    return Metric(value, float(lower), float(upper), float(draws.std()))


def log_losses(y: Labels | FloatArray, p: FloatArray) -> FloatArray:
    """The log loss of each row; a probability of exactly 0 or 1 counts as 1e-15 away from it."""
    said = np.clip(np.where(y == 1, p, 1.0 - p), _TINY, 1.0)
    return np.asarray(-np.log(said))


def mass_bins(p: FloatArray) -> FloatArray:
    """Which of ten bins of equal mass each row is in (rows x bins, 0 or 1); equal probabilities share a bin."""
    rank = np.searchsorted(np.sort(p), p, side="left")
    return np.asarray((rank * BINS // len(p))[:, None] == np.arange(BINS), dtype=np.float64)


def noise_floor(p: FloatArray, *, seed: int, draws: int = 200) -> float:
    """The mean calibration error that a model of these probabilities, all true, would still show on so few rows."""
    random = np.random.default_rng(seed)
    bins = mass_bins(p)
    size = max(_CHUNK // len(p), 1)
    errors = [
        np.abs((p - (random.random((min(size, draws - start), len(p))) < p)) @ bins).sum(axis=1) / len(p)
        for start in range(0, draws, size)
    ]
    return float(np.concatenate(errors).mean())


@dataclass(frozen=True)
class Difference:
    """Mean log loss of a model less another's on the same rows: below zero is better; errors clustered by lead."""

    mean: float
    error: float
    other: float


def loss_difference(rows: Scored, other: FloatArray) -> Difference:
    """How much lower or higher the log loss of ``rows`` is than that of the probabilities ``other``."""
    theirs = log_losses(rows.y, other)
    gaps = log_losses(rows.y, rows.p) - theirs
    mean = float(gaps.mean())
    by_lead = np.bincount(rows.lead, weights=gaps - mean)
    correction = len(by_lead) / max(len(by_lead) - 1, 1)
    return Difference(mean, float(np.sqrt(correction * np.sum(by_lead**2)) / len(gaps)), float(theirs.mean()))

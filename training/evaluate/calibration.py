"""Whether probabilities come true: by how much they are off in log-odds, and what error even true ones would show."""

from __future__ import annotations

import numpy as np

from leadlight.model.margins import FloatArray, sigmoid
from training.evaluate.rows import Labels, log_odds, mass_bins

MOST_STEPS = 50
WIDEST = 30.0
_CHUNK = 2_000_000
_CLOSE = 1e-9


def recalibration(y: Labels, p: FloatArray, *, with_slope: bool) -> tuple[float, float]:
    """The (intercept, slope) in log-odds that would fit the outcomes best (Cox 1958); the slope stays 1 if not asked.

    Not a number where nothing fits: one outcome only, or outcomes that the probabilities part without a fault.
    """
    z, outcome = log_odds(p), y.astype(np.float64)
    intercept, slope = 0.0, 1.0
    if outcome.min() == outcome.max() or (with_slope and np.ptp(z) < _CLOSE):
        return np.nan, np.nan
    for _ in range(MOST_STEPS):
        step = newton_step(curvature(outcome, z, intercept, slope).sum(axis=0)[None, :], with_slope=with_slope)[0]
        if not np.isfinite(step).all():
            break
        if np.abs(step).max() < _CLOSE:
            return intercept, slope
        here = _likelihood(outcome, intercept + slope * z)
        while (
            np.abs(step).max() > _CLOSE and _likelihood(outcome, intercept + slope * z + step[0] + step[1] * z) < here
        ):
            step /= 2.0  # a whole step may leap over the top
        intercept, slope = intercept + float(step[0]), slope + float(step[1])
        if max(abs(intercept), abs(slope)) > WIDEST:
            break
    return np.nan, np.nan


def _likelihood(y: FloatArray, margin: FloatArray) -> float:
    return float(np.sum(y * margin - np.logaddexp(0.0, margin)))


def curvature(y: FloatArray, z: FloatArray, intercept: float, slope: float) -> FloatArray:
    """What each row adds to the two gradients and three second derivatives of the log likelihood (rows x 5)."""
    q = sigmoid(intercept + slope * z)
    spread = q * (1.0 - q)
    return np.column_stack([y - q, (y - q) * z, spread, spread * z, spread * z**2])


def newton_step(sums: FloatArray, *, with_slope: bool) -> FloatArray:
    """One step of Newton's method for each row of sums (… x 5): the changes of intercept and slope (… x 2)."""
    gradient, gradient_z, flat, cross, square = sums.T
    with np.errstate(divide="ignore", invalid="ignore"):
        if not with_slope:
            return np.column_stack([gradient / flat, np.zeros_like(gradient)])
        determinant = flat * square - cross**2
        intercept = (square * gradient - cross * gradient_z) / determinant
        slope = (flat * gradient_z - cross * gradient) / determinant
    return np.column_stack([intercept, slope])


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

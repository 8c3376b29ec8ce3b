"""What the linear part learns about numbers before it sees a label: clips, scales, knots and common values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leadlight.model.linear import HINGES, NumberTerms, compress
from leadlight.model.margins import FloatArray

CLIP = (0.005, 0.995)
KNOTS = (0.2, 0.4, 0.6, 0.8)
COMMON_SHARE = 0.25
SKEWED = 1.0


@dataclass(frozen=True)
class _Number:
    low: float
    high: float
    fill: float
    skewed: bool
    mean: float
    scale: float
    common: float
    knots: tuple[float, ...]


def learn_terms(values: FloatArray) -> NumberTerms:
    """The terms of number columns (rows x columns) that may hold NaN."""
    numbers = [_learn(values[:, column]) for column in range(values.shape[1])]
    return NumberTerms(
        low=np.array([number.low for number in numbers], dtype=np.float64),
        high=np.array([number.high for number in numbers], dtype=np.float64),
        fill=np.array([number.fill for number in numbers], dtype=np.float64),
        skewed=np.array([number.skewed for number in numbers], dtype=np.bool_),
        mean=np.array([number.mean for number in numbers], dtype=np.float64),
        scale=np.array([number.scale for number in numbers], dtype=np.float64),
        common=np.array([number.common for number in numbers], dtype=np.float64),
        knots=np.array([number.knots for number in numbers], dtype=np.float64).reshape(-1, HINGES).T.copy(),
    )


def _learn(column: FloatArray) -> _Number:
    present = column[np.isfinite(column)]
    if len(present) == 0:
        return _Number(low=0, high=0, fill=0, skewed=False, mean=0, scale=1, common=np.nan, knots=(0,) * HINGES)
    # quantiles that are values of the column: what is clipped to exists
    low, high = (float(bound) for bound in np.quantile(present, CLIP, method="nearest"))
    held = np.clip(present, low, high)
    skewed = low >= 0 and _skewness(held) > SKEWED
    drawn = compress(held) if skewed else held
    mean, scale = float(drawn.mean()), float(drawn.std()) or 1.0
    standard = (drawn - mean) / scale
    return _Number(
        low=low,
        high=high,
        fill=float(np.quantile(held, 0.5, method="nearest")),
        skewed=skewed,
        mean=mean,
        scale=scale,
        common=_common(column, present),
        knots=_knots(standard),
    )


def _skewness(values: FloatArray) -> float:
    centred = values - values.mean()
    spread = float(np.sqrt(np.mean(centred**2)))
    return float(np.mean(centred**3)) / spread**3 if spread > 0 else 0.0


def _common(column: FloatArray, present: FloatArray) -> float:
    """The value that more than a quarter of all rows hold, NaN if there is none."""
    found, counts = np.unique(present, return_counts=True)
    return float(found[counts.argmax()]) if counts.max() > COMMON_SHARE * len(column) else np.nan


def _knots(standard: FloatArray) -> tuple[float, ...]:
    """Distinct knots inside the range; the rest stand at its top, where a hinge is always zero."""
    top = float(standard.max())
    quantiles = np.quantile(standard, KNOTS, method="nearest")
    inner = [float(knot) for knot in np.unique(quantiles) if standard.min() < knot < top]
    return (*inner, *[top] * (HINGES - len(inner)))

"""Every metric of rows under many weightings at once: the rows are sorted once, the rest is sums."""

from __future__ import annotations

import numpy as np

from leadlight.model.margins import FloatArray
from training.evaluate.calibration import curvature, newton_step, recalibration
from training.evaluate.rows import Scored, log_losses, log_odds, mass_bins

SUMS = 7


class Measure:
    """Metrics of rows for each weighting of them (weightings x rows)."""

    def __init__(self, rows: Scored) -> None:
        self._order = np.argsort(-rows.p, kind="stable")
        p, y, flagged = rows.p[self._order], rows.y[self._order].astype(np.float64), rows.flagged[self._order]
        self._positive = y
        self._ends = np.flatnonzero(np.append(p[1:] != p[:-1], True))  # the last row ends a tie
        correct = flagged == (y == 1)
        sums = np.column_stack([np.ones(len(y)), y, log_losses(y, p), (p - y) ** 2, flagged, flagged * y, correct])
        bins = mass_bins(p) * (p - y)[:, None]
        self._bins = bins.shape[1]
        self._gaps = bins
        self._large = recalibration(rows.y, rows.p, with_slope=False)
        self._fit = recalibration(rows.y, rows.p, with_slope=True)
        fits = [fit if np.isfinite(fit).all() else (0.0, 1.0) for fit in (self._large, self._fit)]
        curves = [curvature(y, log_odds(p), *fit) for fit in fits]
        self._columns = np.concatenate([sums, bins, *curves], axis=1)

    def __call__(self, weights: FloatArray) -> dict[str, FloatArray]:
        weights = weights[:, self._order]
        sums = (weights @ self._columns).T
        rows, positives, loss, brier, flagged, hits, correct = sums[:SUMS]
        bins, curves = sums[SUMS : SUMS + self._bins], sums[SUMS + self._bins :]
        with np.errstate(divide="ignore", invalid="ignore"):
            auc, average_precision = self._ranking(weights)
            return {
                "auc": auc,
                "average_precision": average_precision,
                "log_loss": loss / rows,
                "brier": brier / rows,
                "calibration_error": np.abs(bins).sum(axis=0) / rows,
                **self._calibration(curves),
                "precision": hits / flagged,
                "recall": hits / positives,
                "accuracy": correct / rows,
                "lift": (hits / flagged) / (positives / rows),
            }

    def gaps(self, weights: FloatArray) -> FloatArray:
        """By how much each of the ten bins was said too high, as its share of the calibration error (… x 10)."""
        weights = weights[:, self._order]
        return np.asarray(weights @ self._gaps / weights.sum(axis=1, keepdims=True))

    def _calibration(self, curves: FloatArray) -> dict[str, FloatArray]:
        """One Newton step away from the fit of all rows: exact there, and close for weightings near it."""
        half = len(curves) // 2
        large = self._large[0] + newton_step(curves[:half].T, with_slope=False)[:, 0]
        slope = self._fit[1] + newton_step(curves[half:].T, with_slope=True)[:, 1]
        return {"calibration_slope": slope, "calibration_in_the_large": large}

    def _ranking(self, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """ROC-AUC (ties count half) and average precision (as scikit-learn defines it) of each weighting."""
        true = np.cumsum(weights * self._positive, axis=1)[:, self._ends]
        false = np.cumsum(weights, axis=1)[:, self._ends] - true
        gained, lost = np.diff(true, axis=1, prepend=0.0), np.diff(false, axis=1, prepend=0.0)
        positives, negatives = true[:, -1], false[:, -1]
        auc = np.sum(lost * (true - gained / 2), axis=1) / (positives * negatives)
        precision = np.divide(true, true + false, out=np.zeros_like(true), where=true + false > 0)
        return auc, np.where(positives > 0, np.sum(gained * precision, axis=1) / positives, np.nan)

"""How parts are judged and weighed: log loss over the folds, and the weight of trees against linear."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from leadlight.model.margins import FloatArray
from training.fit.folds import FoldRows, Sample

WEIGHTS = tuple(step / 20 for step in range(21))
EVEN = 0.5
PULL = 0.01  # what it costs, in log loss, to move the weight from even to one side, times four


def log_loss(margins: FloatArray, rows: Sample) -> float:
    """The weighted mean log loss of margins against the rows' labels."""
    losses = np.logaddexp(0.0, margins) - rows.labels * margins
    return float(np.average(losses, weights=rows.weights))


def pooled_loss(folds: Sequence[FoldRows], losses: Sequence[float]) -> float:
    """The mean over all judged rows, from each fold's own mean."""
    return float(np.average(losses, weights=[fold.judge.weights.sum() for fold in folds]))


def choose_weight(folds: Sequence[FoldRows], *, trees: Sequence[FloatArray], linear: Sequence[FloatArray]) -> float:
    """The weight of the trees with the lowest pooled loss, drawn gently towards even; margins are given by fold."""

    def cost(weight: float) -> float:
        losses = [
            log_loss(weight * of_trees + (1.0 - weight) * of_linear, fold.judge)
            for fold, of_trees, of_linear in zip(folds, trees, linear, strict=True)
        ]
        return pooled_loss(folds, losses) + PULL * (weight - EVEN) ** 2

    return min(WEIGHTS, key=cost)

"""How much of a model is the luck of its seed: the same rows fitted with other seeds, on the same test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import spearmanr

from leadlight.model.margins import FloatArray, IntArray
from training.audit import rank_auc
from training.dataset import Dataset
from training.deep.refit import Refit, scored
from training.evaluate import log_losses
from training.evaluate.clusters import mean_error

SEEDS = 5
TOP_SHARE = 0.1


@dataclass(frozen=True)
class Stability:
    """Log loss and AUC by seed, and how alike the models are: rank correlation and share of the same best tenth.

    ``loss_spread`` is the standard deviation over seeds, ``loss_error`` what the test itself is unsure by.
    """

    seeds: tuple[int, ...]
    log_loss: tuple[float, ...]
    auc: tuple[float | None, ...]
    loss_spread: float
    loss_error: float
    rank_correlation: float
    same_best_tenth: float


def stability(
    learned: Dataset, test: Dataset, whole: FloatArray, day: IntArray, *, refit: Refit, seed: int
) -> Stability:
    """Five fits, of which ``whole`` is the first; likeness is the least among the others with it."""
    seeds = tuple(range(seed, seed + SEEDS))
    said = [whole, *(refit(learned, other)(test.X) for other in seeds[1:])]
    losses = [float(log_losses(test.y, p).mean()) for p in said]
    rows = scored(test, whole, day)
    both = 0 < test.y.sum() < len(test.y)
    return Stability(
        seeds=seeds,
        log_loss=tuple(losses),
        auc=tuple(rank_auc(p, test.y == 1) if both else None for p in said),
        loss_spread=float(np.std(losses, ddof=1)),
        loss_error=mean_error(log_losses(test.y, whole), rows.lead, rows.day),
        rank_correlation=min(_rank_correlation(whole, p) for p in said[1:]),
        same_best_tenth=min(_same_best(whole, p) for p in said[1:]),
    )


def _rank_correlation(one: FloatArray, other: FloatArray) -> float:
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 1.0 if np.ptp(one) == np.ptp(other) else 0.0
    return float(spearmanr(one, other).statistic)


def _same_best(one: FloatArray, other: FloatArray) -> float:
    size = max(round(len(one) * TOP_SHARE), 1)
    best: Sequence[set[int]] = [set(np.argsort(-p, kind="stable")[:size].tolist()) for p in (one, other)]
    return len(best[0] & best[1]) / size

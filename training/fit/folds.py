"""Which rows a fit may learn from and which judge it: expanding folds in time order, and thinned negatives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from leadlight.model.encoder import Encoder
from leadlight.model.margins import FloatArray, IntArray
from leadlight.schema import Micros
from training.fit.encode import learn_encoder

Labels = npt.NDArray[np.int8]
Moments = npt.NDArray[np.int64]

STARTS = (0.4, 0.6, 0.8, 1.0)
LONGEST_GAP = 0.3
FEWEST_TRAINING = 5
MOST_NEGATIVES = 60_000


@dataclass(frozen=True, eq=False)
class Fold:
    """Positions of the rows to learn from and, later in time, of those that judge."""

    train: IntArray
    judge: IntArray


@dataclass(frozen=True, eq=False)
class Sample:
    """Encoded rows with their labels and weights."""

    matrix: FloatArray
    labels: Labels
    weights: FloatArray


@dataclass(frozen=True, eq=False)
class FoldRows:
    """A fold's rows, encoded as its own training rows teach; ``judged`` are the positions of those that judge."""

    encoder: Encoder
    train: Sample
    judge: Sample
    judged: IntArray


def calibration_start(rows: int) -> int:
    """The position of the first row of the last fold, which is the calibration split."""
    return round(rows * STARTS[-2])


def last_fold(rows: int) -> Fold:
    """The calibration rows and all before them."""
    return Fold(train=np.arange(calibration_start(rows)), judge=np.arange(calibration_start(rows), rows))


def time_folds(labels: Labels, as_of: Moments, *, horizon: Micros) -> tuple[Fold, ...]:
    """Up to three expanding folds over rows in time order.

    Before each lies a gap of one horizon, at most 0.3 of the time elapsed, so a training label is known when its fold
    begins. Left out: folds with fewer than five training rows of either outcome or no positive to judge by.
    """
    marks = [round(len(labels) * share) for share in STARTS]
    folds = []
    for start, end in pairwise(marks):
        if start in {0, end}:
            continue
        begins = int(as_of[start])
        gap = min(horizon, int(LONGEST_GAP * (begins - int(as_of[0]))))
        fold = Fold(train=np.flatnonzero(as_of[:start] <= begins - gap), judge=np.arange(start, end))
        if rarer(labels[fold.train]) >= FEWEST_TRAINING and labels[fold.judge].any():
            folds.append(fold)
    return tuple(folds)


def rarer(labels: Labels) -> int:
    """How many rows have the rarer outcome."""
    positives = int(labels.sum(dtype=np.int64))
    return min(positives, len(labels) - positives)


def thin_negatives(labels: Labels, *, seed: int) -> FloatArray:
    """A weight for each row: of more than 60,000 negatives so many are drawn and weighted up, the others weigh 0."""
    weights = np.ones(len(labels))
    negatives = np.flatnonzero(labels == 0)
    if len(negatives) > MOST_NEGATIVES:
        kept = np.random.default_rng(seed).choice(negatives, MOST_NEGATIVES, replace=False)
        weights[negatives] = 0.0
        weights[kept] = len(negatives) / MOST_NEGATIVES
    return weights


def encoded(
    rows: pd.DataFrame,
    labels: Labels,
    weights: FloatArray,
    fold: Fold,
    *,
    levels: Mapping[str, tuple[str, ...]] | None = None,
) -> FoldRows:
    """The fold's rows of positive weight, encoded; ``levels`` as for ``learn_encoder``."""
    train, judge = (part[weights[part] > 0] for part in (fold.train, fold.judge))
    encoder = learn_encoder(rows.iloc[train], levels)
    return FoldRows(
        encoder=encoder,
        train=Sample(encoder.encode(rows.iloc[train]), labels[train], weights[train]),
        judge=Sample(encoder.encode(rows.iloc[judge]), labels[judge], weights[judge]),
        judged=judge,
    )

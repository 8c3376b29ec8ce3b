"""How well one column ranks rows by their outcome, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import rankdata

from leadlight.model.margins import FloatArray, IntArray

Flags = npt.NDArray[np.bool_]
Moments = npt.NDArray[np.int64]

FOLDS = 5
PRIOR_ROWS = 10
BLOCKS = 6
FEWEST = 5
"""Leads of either outcome that a block must have."""


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of which columns are asked: outcome, number of the lead (from 0), and moment of the question."""

    converted: Flags
    lead: IntArray
    as_of: Moments

    @classmethod
    def of(cls, converted: Flags, lead_id: npt.NDArray[Any], as_of: Moments) -> Rows:
        return cls(converted, np.unique(lead_id.astype(str), return_inverse=True)[1], as_of)

    @cached_property
    def outcomes(self) -> tuple[int, int]:
        """How many leads converted in some row, and how many in none."""
        converted = len(np.unique(self.lead[self.converted]))
        return converted, len(np.unique(self.lead)) - converted

    @cached_property
    def sides(self) -> tuple[int, int]:
        """How many leads have a row that converts, and how many one that does not."""
        return len(np.unique(self.lead[self.converted])), len(np.unique(self.lead[~self.converted]))

    @cached_property
    def order(self) -> IntArray:
        """The rows in the order of time."""
        return np.argsort(self.as_of, kind="stable")

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """Sixths of time from the second on, each with all rows before it; those that cannot rank are left out."""
        edges = {int(self.as_of[self.order[len(self.order) * number // BLOCKS]]) for number in range(1, BLOCKS)}
        place = np.searchsorted(np.array(sorted(edges)), self.as_of, side="right")
        parts = (Block.of(self, place == number, place < number) for number in range(1, int(place.max()) + 1))
        return tuple(part for part in parts if min(part.rows.sides) >= FEWEST and self.converted[part.before].any())


@dataclass(frozen=True, eq=False)
class Block:
    """The rows of a stretch of time, which of all rows they are, and which lie before it."""

    rows: Rows
    here: Flags
    before: Flags

    @classmethod
    def of(cls, rows: Rows, here: Flags, before: Flags) -> Block:
        return cls(Rows(rows.converted[here], rows.lead[here], rows.as_of[here]), here, before)


def column_auc(values: pd.Series[Any], converted: Flags, lead: IntArray) -> float:
    """How well one column ranks the rows alone, in whichever direction and with missing values at whichever end.

    Categories are ranked by the outcome of other leads that hold them (five folds over leads), so that a column of
    names that nobody shares ranks nothing.
    """
    if values.dtype == object:
        codes = pd.factorize(values, use_na_sentinel=False)[0]
        return rank_auc(out_of_fold_means(codes, converted, lead), converted)
    numbers = values.to_numpy(dtype=np.float64)
    missing = np.isnan(numbers)
    ends = (-np.inf, np.inf) if missing.any() else (0.0,)
    sides = [rank_auc(np.where(missing, end, numbers), converted) for end in ends]
    return max(max(side, 1.0 - side) for side in sides)


def rank_auc(values: FloatArray, positive: Flags) -> float:
    """The ROC-AUC of ``values`` (Mann-Whitney: ties count half)."""
    positives, negatives = int(positive.sum()), int((~positive).sum())
    ranks = float(rankdata(values)[positive].sum())
    return (ranks - positives * (positives + 1) / 2) / (positives * negatives)


def auc_error(auc: float, rows: Rows) -> float:
    """The standard error of an AUC (Hanley and McNeil 1982), counting leads rather than their rows."""
    positives, negatives = rows.sides
    one, two = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = auc * (1 - auc) + (positives - 1) * (one - auc**2) + (negatives - 1) * (two - auc**2)
    return float(np.sqrt(max(variance, 0.0) / (positives * negatives)))


def out_of_fold(codes: IntArray, converted: Flags, lead: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Of each level and fold (levels x folds): rows and conversions in the other folds; and the others' base rate."""
    cells = codes * FOLDS + lead % FOLDS
    size = (int(codes.max()) + 1) * FOLDS
    rows = np.bincount(cells, minlength=size).reshape(-1, FOLDS)
    hits = np.bincount(cells, weights=converted, minlength=size).reshape(-1, FOLDS)
    other_rows = rows.sum(axis=1, keepdims=True) - rows
    other_hits = hits.sum(axis=1, keepdims=True) - hits
    base = other_hits.sum(axis=0) / np.maximum(other_rows.sum(axis=0), 1)
    return other_rows.astype(np.float64), other_hits, base


def out_of_fold_means(codes: IntArray, converted: Flags, lead: IntArray) -> FloatArray:
    """For each row, how often other leads with its level convert, drawn towards the base rate."""
    rows, hits, prior = out_of_fold(codes, converted, lead)
    # the mean of the other folds alone stands in for a level, lest a fold's own outcomes shine through its prior
    means = (hits + PRIOR_ROWS * prior) / (rows + PRIOR_ROWS)
    return np.asarray(means[codes, lead % FOLDS], dtype=np.float64)

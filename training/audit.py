"""The smallest leakage check: a single column that nearly decides the outcome has nearly always been written after it.

Looks at training rows only, one column at a time. Real lead data hold no honest column above an AUC of about 0.8, and
whole models seldom pass 0.9: a column is accused if its own AUC is above 0.90 by three standard errors, or if it is
filled in for a good part of the converted leads and for nobody else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import hypergeom, rankdata

from features.catalogue import Column
from leadlight.model.margins import FloatArray, IntArray
from training.dataset import Dataset

Flags = npt.NDArray[np.bool_]

HIGHEST_HONEST = 0.90
ERRORS = 3.0
FEWEST = 10
"""Leads of either outcome that a judgement about a column needs."""
CHANCE = 1e-5
"""How likely it may be that only converted leads hold a column by accident."""
GOOD_PART = 0.2
"""The share of converted rows above which a column that only they have is no rare accident."""
FOLDS = 5
PRIOR_ROWS = 10


@dataclass(frozen=True)
class Audit:
    """``faults``: columns that must not be trained on, each with evidence; ``allowed``: those the site vouches for."""

    faults: tuple[str, ...]
    allowed: tuple[str, ...]


def audit(rows: Dataset, leaks: Mapping[str, str]) -> Audit:
    """Look for leaks among the columns of these training rows; ``leaks`` has the site's reasons, by column or entry."""
    lead = np.unique(rows.lead_id.astype(str), return_inverse=True)[1]
    converted = rows.y == 1
    faults: list[str] = []
    allowed: list[str] = []
    if min(len(np.unique(lead[converted])), len(np.unique(lead[~converted]))) >= FEWEST:
        for column in rows.columns:
            evidence = _evidence(rows.X[column.name], converted, lead)
            if evidence:
                reason = leaks.get(column.name) or leaks.get(column.entry.name)
                (allowed if reason else faults).append(_words(column, evidence, reason))
    return Audit(tuple(faults), tuple(allowed))


def _words(column: Column, evidence: str, reason: str | None) -> str:
    if reason:
        return f"{column.name} {evidence}; allowed by the site: {reason}"
    advice = f'if it was known by then, say why under [leaks] in leadlight.toml: {column.name} = "reason"'
    return f"column {column.name!r} {evidence}: leave it out of the catalogue, or {advice}"


def _evidence(values: pd.Series[Any], converted: Flags, lead: IntArray) -> str:
    present = values.notna().to_numpy()
    for flag, said in ((present, "filled in"), (~present, "missing")):
        share = flag[converted].mean()
        if share >= GOOD_PART and not flag[~converted].any() and _chance(flag, converted, lead) < CHANCE:
            return f"is {said} for {share:.0%} of the rows that convert and for none of the others"
    auc = column_auc(values, converted, lead)
    if auc - ERRORS * _auc_error(auc, converted, lead) <= HIGHEST_HONEST:
        return ""
    return f"nearly decides the outcome by itself (AUC {auc:.3f} on the training rows)"


def column_auc(values: pd.Series[Any], converted: Flags, lead: IntArray) -> float:
    """How well one column ranks the rows alone, in whichever direction and with missing values at whichever end.

    Categories are ranked by the outcome of other leads that hold them (five folds over leads), so that a column of
    names that nobody shares ranks nothing.
    """
    if values.dtype == object:
        return rank_auc(_out_of_fold_means(values, converted, lead), converted)
    numbers = values.to_numpy(dtype=np.float64)
    sides = [rank_auc(np.where(np.isnan(numbers), end, numbers), converted) for end in (-np.inf, np.inf)]
    return max(max(side, 1.0 - side) for side in sides)


def rank_auc(values: FloatArray, positive: Flags) -> float:
    """The ROC-AUC of ``values`` (Mann-Whitney: ties count half)."""
    positives, negatives = int(positive.sum()), int((~positive).sum())
    ranks = float(rankdata(values)[positive].sum())
    return (ranks - positives * (positives + 1) / 2) / (positives * negatives)


def _out_of_fold_means(values: pd.Series[Any], converted: Flags, lead: IntArray) -> FloatArray:
    codes = pd.factorize(values, use_na_sentinel=False)[0]
    fold = lead % FOLDS
    cells = codes * FOLDS + fold
    size = (int(codes.max()) + 1) * FOLDS
    rows = np.bincount(cells, minlength=size).reshape(-1, FOLDS)
    hits = np.bincount(cells, weights=converted, minlength=size).reshape(-1, FOLDS)
    other_rows = rows.sum(axis=1, keepdims=True) - rows
    other_hits = hits.sum(axis=1, keepdims=True) - hits
    # the mean of the other folds alone stands in for a level, lest a fold's own outcomes shine through its prior
    prior = other_hits.sum(axis=0) / np.maximum(other_rows.sum(axis=0), 1)
    means = (other_hits + PRIOR_ROWS * prior) / (other_rows + PRIOR_ROWS)
    return np.asarray(means[codes, fold], dtype=np.float64)


def _chance(flag: Flags, converted: Flags, lead: IntArray) -> float:
    """How likely as many of the flagged leads are converted ones if the flag knew nothing (hypergeometric)."""
    flagged, won = np.unique(lead[flag]), np.unique(lead[converted])
    both = len(np.intersect1d(flagged, won))
    return float(hypergeom.sf(both - 1, len(np.unique(lead)), len(won), len(flagged)))


def _auc_error(auc: float, converted: Flags, lead: IntArray) -> float:
    """The standard error of an AUC (Hanley and McNeil 1982), counting leads rather than their rows."""
    positives, negatives = len(np.unique(lead[converted])), len(np.unique(lead[~converted]))
    one, two = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = auc * (1 - auc) + (positives - 1) * (one - auc**2) + (negatives - 1) * (two - auc**2)
    return float(np.sqrt(max(variance, 0.0) / (positives * negatives)))

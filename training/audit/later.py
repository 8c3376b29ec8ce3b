"""What leads that come later became, as foretold by those before them: by one column's values, or by a family's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from leadlight.model.margins import FloatArray, IntArray
from training.audit.finding import LEAK, SUSPECT, Doubt, Finding, Verdict
from training.audit.ranking import FEWEST, PRIOR_ROWS, Flags, Rows, auc_error, rank_auc

HIGHEST_HONEST = 0.90
RARELY_HONEST = 0.85
FINE_BINS = 400
MOST_ROWS = 20_000
"""Rows that a family's tree is grown on, at most."""
LEAVES, LEAST_OF_LEAF = 16, 20


def shape_findings(codes: IntArray, rows: Rows, doubt: Doubt) -> Iterator[Finding]:
    """Whether levels, in whatever order, decide the outcome of leads that come later: numbers given by batches do.

    ``codes`` are levels or fine bins. What is learned of leads that began earlier is judged on those that began later,
    so that a value that names a lead says nothing.
    """
    scores = np.full(len(codes), np.nan)
    for learned, judged in _stretches(rows):
        hits = np.bincount(codes[learned], weights=rows.converted[learned], minlength=int(codes.max()) + 1)
        number = np.bincount(codes[learned], minlength=int(codes.max()) + 1)
        usual = rows.converted[learned].mean()
        scores[judged] = ((hits + PRIOR_ROWS * usual) / (number + PRIOR_ROWS))[codes[judged]]
    sure, auc = _sure(scores, rows, doubt)
    if sure > RARELY_HONEST:
        verdict: Verdict = LEAK if sure > HIGHEST_HONEST else SUSPECT
        words = f"foretells later leads with AUC {auc:.3f} by what earlier ones with about the same value became"
        yield Finding("shape", verdict, words)


def fine_codes(values: pd.Series[Any]) -> IntArray:
    """Levels as numbers from 0, many different numbers as fine bins; missing is a level."""
    numbers = values.to_numpy(dtype=np.float64)
    known = numbers[~np.isnan(numbers)]
    edges = np.unique(np.quantile(known if len(known) else [0.0], np.arange(1, FINE_BINS) / FINE_BINS))
    return np.asarray(np.where(np.isnan(numbers), len(edges) + 1, np.searchsorted(edges, numbers, side="right")))


def family_auc(columns: Mapping[str, pd.Series[Any]], rows: Rows, doubt: Doubt) -> float:
    """How well a small tree on all these columns foretells later leads, if surely better than honest ones; else 0."""
    from sklearn.tree import DecisionTreeClassifier

    scores = np.full(len(rows.converted), np.nan)
    for learned, judged in _stretches(rows):
        places = np.flatnonzero(learned)[:: max(int(learned.sum()) // MOST_ROWS, 1)]
        read = [_as_numbers(values, rows.converted, places) for values in columns.values()]
        tree = DecisionTreeClassifier(max_leaf_nodes=LEAVES, min_samples_leaf=LEAST_OF_LEAF, random_state=0)
        tree.fit(np.column_stack([each[places] for each in read]), rows.converted[places])
        scores[judged] = tree.predict_proba(np.column_stack([each[judged] for each in read]))[:, -1]
    sure, auc = _sure(scores, rows, doubt)
    return auc if sure > HIGHEST_HONEST else 0.0


def _as_numbers(values: pd.Series[Any], converted: Flags, places: IntArray) -> FloatArray:
    """Numbers as they are; levels by how often the learned rows with them convert."""
    if values.dtype != object:
        return values.to_numpy(dtype=np.float64)
    codes = np.asarray(pd.factorize(values, use_na_sentinel=False)[0])
    hits = np.bincount(codes[places], weights=converted[places], minlength=int(codes.max()) + 1)
    number = np.bincount(codes[places], minlength=int(codes.max()) + 1)
    return np.asarray(((hits + PRIOR_ROWS * converted[places].mean()) / (number + PRIOR_ROWS))[codes])


def _stretches(rows: Rows) -> Sequence[tuple[Flags, Flags]]:
    """The third and the last quarter of the leads by when they began, each with the rows of all leads before it."""
    began = np.full(int(rows.lead.max()) + 1, np.iinfo(np.int64).max)
    np.minimum.at(began, rows.lead, rows.as_of)
    first = began[rows.lead]
    edges = [int(np.quantile(began, share, method="lower")) for share in (0.5, 0.75)]
    parts = [(first <= edges[0], (first > edges[0]) & (first <= edges[1])), (first <= edges[1], first > edges[1])]
    return [(learned, judged) for learned, judged in parts if judged.any() and 0 < rows.converted[learned].mean() < 1]


def _sure(scores: FloatArray, rows: Rows, doubt: Doubt) -> tuple[float, float]:
    """The AUC of the rows that have a score, by its lower bound and as it is; 0 where they are too few."""
    here = ~np.isnan(scores)
    part = Rows(rows.converted[here], rows.lead[here], rows.as_of[here])
    if not here.any() or min(part.sides) < FEWEST:
        return 0.0, 0.0
    auc = rank_auc(scores[here], part.converted)
    return auc - doubt.errors * auc_error(auc, part), auc

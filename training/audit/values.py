"""Probes of a column's values alone: what no honest column shows, whenever it was written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import hypergeom

from leadlight.model.margins import FloatArray, IntArray
from training.audit.finding import LEAK, OK, SUSPECT, Doubt, Finding, Verdict
from training.audit.later import HIGHEST_HONEST, RARELY_HONEST, fine_codes, shape_findings
from training.audit.ranking import (
    FOLDS,
    PRIOR_ROWS,
    Flags,
    Rows,
    auc_error,
    column_auc,
    out_of_fold,
    out_of_fold_means,
    rank_auc,
)
from training.audit.share import Share

CHANCE = 1e-5
"""How likely it may be that only converted leads hold a column by accident."""
GOOD_PART = 0.2
"""The share of converted rows above which a column that only they have is no rare accident."""
MISSING_LEAK, MISSING_SUSPECT = 0.85, 0.70
LEVELS = 200
"""More different numbers than this are no codes."""
BINS = 20
WON, LOST = 0.85, 0.25
"""Levels of which so many convert, or so few for the base rate, are tried as settled."""
SURELY_WON, AT_LEAST_WON = 0.9, 0.5
BOTH_ODDS, ONE_ODDS = 3.0, 50.0
ONE_RATE = 0.8
SURELY_LOST, AT_MOST_LOST = 1 / 8, 1 / 3
"""Of the base rate. With the above it is a span of five in log-odds, which no honest column was seen to have alone."""
FEWEST_OF_LEVEL = 5
GAP_LEAK, GAP_SUSPECT = 0.15, 0.08


def value_findings(values: pd.Series[Any], rows: Rows, doubt: Doubt) -> list[Finding]:
    """What all probes say of these values, ``ok`` findings included: the numbers are for people to see."""
    auc = column_auc(values, rows.converted, rows.lead)
    codes = _codes(values)
    found = [
        _too_good(auc, rows, doubt),
        *_only_with_the_outcome(values, rows),
        *_missingness(values, rows, doubt),
        *_settled_levels(values, codes, rows, doubt),
        *_time_gap(codes, rows, doubt),
        *(shape_findings(fine_codes(values), rows, doubt) if values.dtype != object else ()),
    ]
    return sorted(found, key=lambda finding: finding.verdict == OK)


def _too_good(auc: float, rows: Rows, doubt: Doubt) -> Finding:
    lower = auc - doubt.errors * auc_error(auc, rows)
    if lower > HIGHEST_HONEST:
        return Finding("too_good", LEAK, f"nearly decides the outcome by itself (AUC {auc:.3f} on the training rows)")
    if lower > RARELY_HONEST:
        return Finding("too_good", SUSPECT, f"ranks suspiciously well by itself (AUC {auc:.3f} on the training rows)")
    return Finding("too_good", OK, f"ranks the training rows with AUC {auc:.3f} by itself")


def _only_with_the_outcome(values: pd.Series[Any], rows: Rows) -> Iterator[Finding]:
    present = values.notna().to_numpy()
    for flag, said in ((present, "filled in"), (~present, "missing")):
        share = flag[rows.converted].mean()
        if share >= GOOD_PART and not flag[~rows.converted].any() and _accident(flag, rows) < CHANCE:
            words = f"is {said} for {share:.0%} of the rows that convert and for none of the others"
            yield Finding("missingness", LEAK, words)


def _accident(flag: Flags, rows: Rows) -> float:
    """How likely as many of the flagged leads are converted ones if the flag knew nothing (hypergeometric)."""
    flagged, won = np.unique(rows.lead[flag]), np.unique(rows.lead[rows.converted])
    both = len(np.intersect1d(flagged, won))
    return float(hypergeom.sf(both - 1, len(np.unique(rows.lead)), len(won), len(flagged)))


def _missingness(values: pd.Series[Any], rows: Rows, doubt: Doubt) -> Iterator[Finding]:
    """Whether being filled in tells the outcome: what is written only after contact is missing where none came."""
    present = values.notna().to_numpy()
    if present.all() or not present.any():
        return
    area = rank_auc(present.astype(np.float64), rows.converted)
    auc = max(area, 1 - area)
    lower = auc - doubt.errors * auc_error(auc, rows)
    filled, rest = rows.converted[present].mean(), rows.converted[~present].mean()
    verdict: Verdict = LEAK if lower > MISSING_LEAK else SUSPECT if lower > MISSING_SUSPECT else OK
    fifth = max(len(present) // 5, 1)
    early, late = present[rows.order[:fifth]].mean(), present[rows.order[-fifth:]].mean()
    words = (
        f"is filled in for {present.mean():.0%} of the rows ({early:.0%} of the earliest fifth, {late:.0%} of the"
        f" latest): {filled:.1%} of these convert, and {rest:.1%} where it is missing (AUC {auc:.3f})"
    )
    yield Finding("missingness", verdict, words)


def _settled_levels(values: pd.Series[Any], codes: IntArray, rows: Rows, doubt: Doubt) -> Iterator[Finding]:
    """Levels that settle the outcome, as a status does that is set by it.

    Levels are chosen on four folds of the leads and counted on the fifth, so that luck in choosing does not count. To
    know of some leads that they surely convert and of others that they surely do not is to know the outcome; to know
    one of the two is possible in advance, so it takes much more.
    """
    if values.dtype != object and values.nunique() > LEVELS:
        return
    others, hits, base = out_of_fold(codes, rows.converted, rows.lead)
    rate = hits / np.maximum(others, 1)
    fold = rows.lead % FOLDS
    won = ((rate >= WON) & (others >= FEWEST_OF_LEVEL))[codes, fold]
    lost = ((rate <= LOST * base) & (others * base >= FEWEST_OF_LEVEL))[codes, fold]
    usual = float(rows.converted.mean())
    odds = _odds(usual)
    both = float(np.sqrt(doubt.alpha))  # two groups of leads must both show it
    sure, vain = (Share.of(rows.converted, among, rows.lead, both) for among in (won, lost))
    named, spoilt = f"{_named(values, won)}: {sure.words} rows convert", f"{_named(values, lost)}: {vain.words} convert"
    is_won = sure.rate >= SURELY_WON and sure.lower >= AT_LEAST_WON and _odds(sure.lower) >= BOTH_ODDS * odds
    is_lost = lost.any() and vain.rate <= SURELY_LOST * usual and vain.upper <= AT_MOST_LOST * usual
    alone = Share.of(rows.converted, won, rows.lead, doubt.alpha).lower
    if is_won and is_lost:
        words = f"has levels that settle the outcome, as only a status set after it does ({named}; {spoilt})"
        yield Finding("settled_levels", LEAK, words)
    elif alone >= ONE_RATE and _odds(alone) >= ONE_ODDS * odds:
        words = f"has levels that nearly only leads which convert hold, as a status set by the outcome ({named})"
        yield Finding("settled_levels", LEAK, words)
    elif is_won or is_lost:
        yield Finding("settled_levels", OK, f"has telling levels on one side only ({named if is_won else spoilt})")


def _odds(share: float) -> float:
    return share / max(1 - share, 1e-12)


def _named(values: pd.Series[Any], among: Flags) -> str:
    levels = values[among].value_counts(dropna=False)
    shown = ", ".join("missing" if pd.isna(level) else repr(level) for level in levels.index[:3])
    return f"{shown} and {len(levels) - 3} more" if len(levels) > 3 else shown  # noqa: PLR2004


def _time_gap(codes: IntArray, rows: Rows, doubt: Doubt) -> Iterator[Finding]:
    """Whether the column tells much of rows among their neighbours in time that it does not tell of later ones.

    Both encodings rank the same rows, within blocks of time, so that a base rate that moves counts for neither.
    """
    shuffled = out_of_fold_means(codes, rows.converted, rows.lead)
    areas: list[tuple[float, float, float, float]] = []
    for block in rows.blocks:
        means = _means_of(codes[block.before], rows.converted[block.before], int(codes.max()) + 1)
        converted = block.rows.converted
        one, other = rank_auc(shuffled[block.here], converted), rank_auc(means[codes[block.here]], converted)
        error = max(auc_error(one, block.rows), auc_error(other, block.rows))
        areas.append((float(converted.sum()) * float((~converted).sum()), one, other, error))
    if not areas:
        return
    weight, one, other, error = np.array(areas).T
    weight = weight / weight.sum()
    near, far = float(weight @ one), max(float(weight @ other), 0.5)  # levels never seen before rank by chance
    # the two rank the same rows: treating them as independent is on the safe side
    sure = near - far - doubt.errors * float(np.sqrt(2 * np.sum((weight * error) ** 2)))
    verdict: Verdict = LEAK if sure > GAP_LEAK else SUSPECT if sure > GAP_SUSPECT else OK
    words = f"ranks with AUC {near:.3f} by what leads of the same time became, with {far:.3f} by what earlier ones did"
    if verdict != OK:
        words += ": it marks outcomes, and says nothing of those to come"
    yield Finding("time_gap", verdict, words)


def _means_of(codes: IntArray, converted: Flags, levels: int) -> FloatArray:
    rows = np.bincount(codes, minlength=levels)
    hits = np.bincount(codes, weights=converted, minlength=levels)
    return np.asarray((hits + PRIOR_ROWS * converted.mean()) / (rows + PRIOR_ROWS), dtype=np.float64)


def _codes(values: pd.Series[Any]) -> IntArray:
    """Levels as numbers from 0; many different numbers as equal bins; missing is a level."""
    if values.dtype != object and values.nunique() > LEVELS:
        numbers = values.to_numpy(dtype=np.float64)
        edges = np.unique(np.nanquantile(numbers, np.arange(1, BINS) / BINS))
        return np.asarray(np.where(np.isnan(numbers), len(edges) + 1, np.searchsorted(edges, numbers, side="right")))
    return np.asarray(pd.factorize(values, use_na_sentinel=False)[0])

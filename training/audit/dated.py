"""Probes of a column's times against those of the outcome: first known after it, changed by it, knowing the future."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from leadlight.schema import DAY
from training.audit.asked import Asked
from training.audit.finding import LEAK, OK, SUSPECT, Doubt, Finding, Verdict
from training.audit.ranking import Flags, auc_error, column_auc
from training.audit.share import Share
from training.audit.told import KNOWN, LEAD, VALUE, Told
from training.audit.values import LEVELS

FEWEST = 10
TELLS = 0.55
"""The AUC from which on a column that is filled in late does harm."""
MOSTLY, OFTEN, SOMETIMES = 0.5, 0.3, 0.1
TWICE = 2.0
GAIN_LEAK, GAIN_SUSPECT = 0.10, 0.03
ALWAYS, LIKELY = 0.8, 0.5


def dated_findings(told: Told, asked: Asked, doubt: Doubt) -> list[Finding]:
    """What the times of a dated column say of taking it as it stands, without them."""
    return [
        *_availability(told, asked, doubt),
        *_changes(told, asked, doubt),
        *_statuses(told, asked, doubt),
        *_future(told, asked, doubt),
    ]


def moment_findings(told: Told, asked: Asked, doubt: Doubt) -> Iterator[Finding]:
    """Whether a column of moments holds moments of the outcome or after it."""
    moments = told.end.to_numpy(dtype=np.float64)
    with np.errstate(invalid="ignore"):
        # a date without a time of day stands for its midnight
        after = (moments >= asked.as_of) & (moments >= asked.outcome_at - DAY)
    has = ~np.isnan(moments) & asked.converted
    share = Share.of(after, has, asked.rows.lead, doubt.alpha)
    if share.lower >= MOSTLY and has.sum() >= FEWEST and _sure_auc(told.end, asked, doubt) >= TELLS:
        words = f"holds a moment at or after the outcome for {share.words} leads that convert and have one"
        yield Finding("availability", LEAK, words)


def _availability(told: Told, asked: Asked, doubt: Doubt) -> Iterator[Finding]:
    """When a lead's first value was known, against when the outcome came."""
    first = told.first_known().to_numpy(dtype=np.float64)
    has = ~np.isnan(first) & asked.converted
    if has.sum() < FEWEST:
        return
    with np.errstate(invalid="ignore"):
        share = Share.of(first >= asked.outcome_at, has, asked.rows.lead, doubt.alpha)
    late = share.lower >= MOSTLY
    verdict: Verdict = LEAK if late and _sure_auc(told.end, asked, doubt) >= TELLS else OK
    words = f"is first known at the outcome or after it for {share.words} leads that convert and have a value"
    yield Finding("availability", verdict, words)


def _changes(told: Told, asked: Asked, doubt: Doubt) -> Iterator[Finding]:
    """Whether values change after the outcome, more than they do for others in the same time."""
    before, end = told.at(asked.outcome_at - 1), told.end
    had, changed = before.notna().to_numpy(), (before.notna() & (before != end)).to_numpy()
    lead = asked.rows.lead
    won = Share.of(changed, had & asked.converted, lead, doubt.alpha)
    lost = Share.of(changed, had & ~asked.converted, lead, doubt.alpha)
    if (had & asked.converted).sum() < FEWEST or won.lower < max(SOMETIMES, TWICE * lost.upper):
        return
    gain = _sure_gain(before, end, asked, doubt)
    verdict: Verdict = LEAK if won.lower >= OFTEN and gain > GAIN_SUSPECT else SUSPECT
    words = f"changes after the outcome for {won.words} leads that convert, and for {lost.words} others in that time"
    yield Finding("changes", verdict, words)


def _statuses(told: Told, asked: Asked, doubt: Doubt) -> Iterator[Finding]:
    """Levels that come with the outcome or after it, never before, and hardly to anybody else."""
    levels = told.rows[VALUE].nunique()
    if not 1 <= levels <= LEVELS:
        return
    sure = Doubt.among(levels).alpha * doubt.alpha / Doubt.among(1).alpha
    after: list[str] = []
    for level, rows in told.rows.groupby(VALUE):
        first = rows.groupby(LEAD)[KNOWN].first()
        place = first.index.to_numpy()
        won = asked.converted[place]
        if won.sum() < FEWEST:
            continue
        late = first.to_numpy() >= asked.outcome_at[place]
        holders: Flags = np.ones(len(place), dtype=bool)
        kept = Share.of(won, holders, place, sure)
        always = Share.of(late, won, place, sure)
        if always.rate >= ALWAYS and always.lower >= MOSTLY and kept.lower >= LIKELY:
            after.append(f"{level!r} ({always.words} leads that convert; {kept.words} that have it convert)")
    if after:
        words = f"has levels that come with the outcome or after it: {', '.join(after[:3])}"
        yield Finding("statuses", LEAK, words)


def _future(told: Told, asked: Asked, doubt: Doubt) -> Iterator[Finding]:
    """What the column tells at the question, against what it tells one horizon later."""
    now, later = told.at(asked.as_of), told.at(asked.closes)
    if later.notna().sum() < FEWEST:
        return
    gain = _sure_gain(now, later, asked, doubt)
    verdict: Verdict = LEAK if gain > GAIN_LEAK else SUSPECT if gain > GAIN_SUSPECT else OK
    one, other = (column_auc(values, asked.converted, asked.rows.lead) for values in (now, later))
    knows = "" if verdict == OK else ": it comes to know the outcome"
    yield Finding("future", verdict, f"ranks with AUC {one:.3f} as known then, {other:.3f} one horizon later{knows}")


def future_words(now: pd.Series[Any], later: pd.Series[Any], asked: Asked, doubt: Doubt) -> Finding | None:
    """The same of a feature: that it will know the outcome is as it should be, as long as its facts are dated."""
    if _sure_gain(now, later, asked, doubt) <= GAIN_SUSPECT:
        return None
    one, other = (column_auc(values, asked.converted, asked.rows.lead) for values in (now, later))
    words = f"ranks with AUC {one:.3f} as known then, {other:.3f} one horizon later: right while its facts are dated"
    return Finding("future", OK, words)


def _sure_auc(values: pd.Series[Any], asked: Asked, doubt: Doubt) -> float:
    auc = column_auc(values, asked.converted, asked.rows.lead)
    return auc - doubt.errors * auc_error(auc, asked.rows)


def _sure_gain(before: pd.Series[Any], after: pd.Series[Any], asked: Asked, doubt: Doubt) -> float:
    """How much better ``after`` ranks, at least; the two rank the same leads, so adding errors is on the safe side."""
    one, other = (column_auc(values, asked.converted, asked.rows.lead) for values in (before, after))
    error = np.hypot(auc_error(one, asked.rows), auc_error(other, asked.rows))
    return other - one - doubt.errors * float(error)

"""Where a feature's values stand in the raw files, and whether these say that they were known only later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from leadlight.schema import DAY
from training.audit.asked import Asked
from training.audit.finding import LEAK, SUSPECT, Doubt, Finding
from training.audit.ranking import Flags
from training.audit.share import Share
from training.audit.told import KNOWN, LEAD, VALUE, Told
from training.audit.values import GOOD_PART, LEVELS

FEWEST_SHARED = 30
AGREEMENT = 0.9
"""The share of leads, beyond those that agree by chance, for which two columns must say the same."""
SOME = 0.05
FEWEST_LATE = 10


def known_later(values: pd.Series[Any], files: Sequence[Told], asked: Asked, doubt: Doubt) -> list[Finding]:
    """Whether a feature has, at the question, what every raw column that says the same shows only later.

    Nothing is said if one of these columns has no time, for then the value may come from there. A day's difference
    is none: delays and time zones are made of it.
    """
    sources = [told for told in files if told.dated and _says_the_same(values, told)]
    if not sources or any(not told.dated and _says_the_same(values, told) for told in files):
        return []
    first = pd.concat([_first_shown(values, told) for told in sources], axis=1).min(axis=1).to_numpy(dtype=np.float64)
    with np.errstate(invalid="ignore"):
        late = first >= asked.as_of + DAY
        beyond = late & (first >= asked.outcome_at)
    has = values.notna().to_numpy() & ~np.isnan(first)
    lead = asked.rows.lead
    won = Share.of(beyond, has & asked.converted, lead, doubt.alpha)
    anybody = Share.of(late, has, lead, doubt.alpha)
    named = ", ".join(f"{told.source}:{told.name}" for told in sources)
    if won.lower >= SOME and won.rate >= GOOD_PART and (beyond & has & asked.converted).sum() >= FEWEST_LATE:
        words = f"has values that {named} shows only after the outcome, for {won.words} leads that convert"
        return [Finding("known_later", LEAK, words)]
    if anybody.lower >= SOME:
        words = f"has values that {named} shows only after the question was asked, for {anybody.words} leads"
        return [Finding("known_later", SUSPECT, words)]
    return []


def _first_shown(values: pd.Series[Any], told: Told) -> pd.Series[float]:
    """When each lead's present value was first shown, as the file's last value that stands for the same."""
    pairs = pd.DataFrame({VALUE: told.end, "as": values}).dropna()
    means = pairs.groupby("as")[VALUE].agg(lambda same: same.value_counts().index[0])
    sought = values.map(means)
    same: Flags = told.rows[VALUE].to_numpy() == sought.to_numpy()[told.rows[LEAD].to_numpy()]
    rows = told.rows[same]
    return rows.groupby(LEAD)[KNOWN].first().reindex(range(told.leads))


def _says_the_same(values: pd.Series[Any], told: Told) -> bool:
    """Whether feature and raw column name the same things, whatever they call them: each settles the other."""
    end = told.end
    both = (values.notna() & end.notna()).to_numpy()
    if both.sum() < FEWEST_SHARED or (values.dtype == object) != (end.dtype == object):
        return False
    one, other = values[both], end[both]
    if values.dtype != object:
        return _beyond_chance(float((one == other).mean()), one) >= AGREEMENT
    if not 1 < one.nunique() <= LEVELS or not 1 < other.nunique() <= LEVELS:
        return False
    (left, names), (right, others) = pd.factorize(one), pd.factorize(other)
    table = np.bincount(left * len(others) + right, minlength=len(names) * len(others)).reshape(len(names), -1)
    forth, back = table.max(axis=1).sum() / len(one), table.max(axis=0).sum() / len(one)
    return min(_beyond_chance(forth, other), _beyond_chance(back, one)) >= AGREEMENT


def _beyond_chance(agreement: float, values: pd.Series[Any]) -> float:
    usual = float(values.value_counts(normalize=True).iloc[0])
    return (agreement - usual) / max(1 - usual, 1e-12)

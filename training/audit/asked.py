"""The leads that the probes of times look at: one question each, its answer, and when the answer came."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.facts import Tables
from leadlight.schema import AT, KIND, LEAD_ID, UNTIL
from leadlight.settings import Target
from training.audit.ranking import Flags, Moments, Rows
from training.dataset import Dataset, Names

MOST_LEADS = 20_000
"""Leads looked at, at most; converted ones first, up to a half."""


@dataclass(frozen=True, eq=False)
class Asked:
    """Leads by id, each with one of its training rows: its middle one, or its middle one that converts.

    ``row`` is the row's place among the training rows; ``closes`` is when the horizon is over. ``outcome_at`` is when
    the outcome came; for a lead that does not convert it is when it would have, after the usual time.
    """

    lead_id: Names
    row: Moments
    as_of: Moments
    converted: Flags
    outcome_at: Moments
    closes: Moments

    @property
    def rows(self) -> Rows:
        """The same as the probes of values want them."""
        return Rows(self.converted, np.arange(len(self.lead_id)), self.as_of)

    def first(self, leads: int) -> Asked:
        """Fewer of them: every so many, so that both outcomes stay in proportion."""
        step = -(-len(self.lead_id) // leads)
        return Asked(*(values[::step] for values in vars(self).values()))


def ask(rows: Dataset, target: Target, people: Tables, *, seed: int) -> Asked:
    """One question for each lead of the training rows, or for a sample of them; ``people`` know when outcomes came."""
    frame = pd.DataFrame({LEAD_ID: rows.lead_id, "row": np.arange(len(rows.y)), "converted": rows.y == 1})
    frame = frame[frame["converted"] | ~frame.groupby(LEAD_ID)["converted"].transform("any")]
    place, size = frame.groupby(LEAD_ID).cumcount(), frame.groupby(LEAD_ID)["row"].transform("size")
    frame = _sampled(frame[place == size // 2].sort_values(LEAD_ID), seed=seed)
    row = frame["row"].to_numpy()
    as_of, converted = rows.as_of[row], frame["converted"].to_numpy()
    lead_id = frame[LEAD_ID].to_numpy(dtype=object)
    outcome = _outcomes(lead_id, as_of, target, people)
    horizon = target.horizon + target.outcome_delay
    usual = int(np.median((outcome - as_of)[converted & (outcome >= 0)])) if converted.any() else horizon
    outcome = np.where(converted & (outcome >= 0), outcome, as_of + usual)
    return Asked(lead_id, row, as_of, converted, outcome, as_of + horizon)


def _sampled(frame: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    won, lost = np.flatnonzero(frame["converted"]), np.flatnonzero(~frame["converted"])
    won = random.permutation(won)[: MOST_LEADS // 2]
    lost = random.permutation(lost)[: MOST_LEADS - len(won)]
    return frame.iloc[np.sort(np.concatenate([won, lost]))]


def _outcomes(lead_id: Names, as_of: Moments, target: Target, people: Tables) -> Moments:
    """When each lead's first outcome from ``as_of`` on came; -1: never, as far as the history goes."""
    events = people.events
    latest = events[UNTIL].isnull()  # noqa: PD003 - of Ibis
    outcomes = events.filter(events[KIND].isin(target.outcome), latest)
    told = outcomes.select(LEAD_ID, AT).to_pandas()
    joined = told.merge(pd.DataFrame({LEAD_ID: lead_id, "as_of": as_of}), on=LEAD_ID)
    first = joined[joined[AT] >= joined["as_of"]].groupby(LEAD_ID)[AT].min()
    found: Moments = first.reindex(lead_id).fillna(-1).to_numpy(dtype=np.int64)
    return found

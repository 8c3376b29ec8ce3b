"""Which test rows may judge a model: those that it neither learned from nor was moved by, whenever it was made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leadlight.model.manifest import Origin
from leadlight.schema import FOREVER, from_micros
from leadlight.settings import Target
from training.dataset import Dataset
from training.gate import FEWEST


@dataclass(frozen=True, eq=False)
class Unseen:
    """The test rows that count, by their place too; ``notes`` say what does not count, and whether the rest suffices.

    ``missing`` is how many more leads of the rarer outcome it takes to judge by.
    """

    rows: Dataset
    places: npt.NDArray[np.bool_]
    missing: int
    notes: tuple[str, ...]


def unseen(test: Dataset, target: Target, origins: Sequence[Origin], *, who: str) -> Unseen:
    """The rows from the moment on at which the outcomes of all rows that any of these models saw were known.

    A test that is drawn today may hold rows that an older version was trained on, where dates or shares were edited,
    or that moved its offset since (``leadlight recalibrate``). ``who`` are these models, in words.
    """
    seen = max(origin.seen_until for origin in origins)
    since = seen if seen == FOREVER else seen + target.horizon + target.outcome_delay
    places = test.as_of >= since
    rows = test.where(places)
    out = int((~places).sum())
    outcomes = rows.outcomes
    missing = max(FEWEST - min(outcomes), 0)
    notes = []
    if out:
        known = "at moments that its manifest does not tell" if since == FOREVER else f"known by {_day(since)}"
        notes.append(
            f"{out:,} of {len(places):,} test rows do not count: {who} learned from outcomes,"
            f" or was moved by some, {known}"
        )
    if missing:
        seen_leads = f"{outcomes[0]:,} leads that converted and {outcomes[1]:,} that did not"
        notes.append(f"{seen_leads} are too few to judge by: {FEWEST} of either are needed")
    return Unseen(rows, places, missing, tuple(notes))


def _day(moment: int) -> str:
    return from_micros(moment).isoformat(timespec="minutes")

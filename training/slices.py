"""Parts of the test rows that one can name, and the one in which a model's promises are furthest from what came.

Many parts are looked at, so the worst of them always looks bad. What counts is whether it is worse than the worst part
of a model that is right everywhere: outcomes are drawn from the probabilities themselves, again and again, and the
worst part of each draw is what ours is held against (Westfall and Young 1993). So noise is not reported as a bad slice,
however many slices there are and however much they overlap.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from leadlight.model.margins import FloatArray, sigmoid
from training.dataset import Dataset, local_months
from training.evaluate import Flags, Names, Scored, log_odds, recalibration
from training.evaluate.clusters import sum_error

FEWEST_LEADS = 100
FEWEST_EXPECTED = 10.0
"""Conversions that a slice must be expected to hold, and rows without one, to be looked at."""
PARTS = 4
MOST_LEVELS = 20
DRAWS = 400
AT_ONCE = 40
LEVEL = 0.95
NEW, RETURNING = "new", "returning"


@dataclass(frozen=True, eq=False)
class Slice:
    """Some of the test rows, by a name such as ``channel = ads`` or ``visits <= 2``."""

    name: str
    rows: Flags


@dataclass(frozen=True)
class WorstSlice:
    """The slice whose outcomes are furthest from what was said, once the shift that all rows share is taken out.

    ``lower`` and ``upper`` bound ``came - said`` for all searched slices at once; ``chance`` is how often the worst
    slice of a model that is right everywhere looks as bad.
    """

    name: str
    rows: int
    leads: int
    said: float
    came: float
    lower: float
    upper: float
    chance: float
    searched: int

    @property
    def real(self) -> bool:
        """Whether it is more than the noise of the search."""
        return self.chance <= 1.0 - LEVEL

    def to_json(self) -> dict[str, Any]:
        """All of it as one object."""
        return {**asdict(self), "real": self.real}


def seen_before(rows: Dataset) -> Names:
    """For each row, in time order, whether its lead is ``new`` or was looked at before: ``returning``."""
    return np.where(pd.Series(rows.lead_id).duplicated().to_numpy(), RETURNING, NEW).astype(object)


def slices_of(test: Dataset, seen: Names, *, offset: int) -> tuple[Slice, ...]:
    """Channels, local months, new or returning leads, and levels or quarters of every column; each set of rows once."""
    names = {"channel": test.channel, "month": local_months(test.as_of, offset), "lead": seen}
    found = [part for name, values in names.items() for part in _levels(name, pd.Series(values))]
    for name in test.X:
        values = test.X[name]
        found += _levels(str(name), values) if values.dtype == object else _quarters(str(name), values)
    once = {part.rows.tobytes(): part for part in reversed(found)}
    return tuple(part for part in reversed(once.values()) if not part.rows.all())


def worst_slice(rows: Scored, slices: Sequence[Slice], *, seed: int) -> WorstSlice | None:
    """The slice that is furthest off for its size, of all that are big enough; ``None`` if none is."""
    shift, _ = recalibration(rows.y, rows.p, with_slope=False)
    said = sigmoid(log_odds(rows.p) + (shift if np.isfinite(shift) else 0.0))
    parts = [part for part in slices if _can_tell(part, rows, said)]
    if not parts:
        return None
    masks = csr_array(np.array([part.rows for part in parts], dtype=np.float64))
    spread = np.sqrt(_sums(masks, said * (1.0 - said)))
    errors = np.maximum([_error(part, rows, said) for part in parts], spread)
    gaps = _sums(masks, rows.y - said)
    chances = _worst_of_draws(masks, said, spread, seed=seed)
    place = int(np.argmax(np.abs(gaps) / errors))
    part, size = parts[place], int(parts[place].rows.sum())
    reach = float(np.quantile(chances, LEVEL)) * errors[place]
    return WorstSlice(
        name=part.name,
        rows=size,
        leads=len(np.unique(rows.lead[part.rows])),
        said=float(said[part.rows].mean()),
        came=float(rows.y[part.rows].mean()),
        lower=float(gaps[place] - reach) / size,
        upper=float(gaps[place] + reach) / size,
        chance=float((1 + np.sum(chances >= abs(gaps[place]) / errors[place])) / (1 + DRAWS)),
        searched=len(parts),
    )


def _worst_of_draws(masks: csr_array, said: FloatArray, spread: FloatArray, *, seed: int) -> FloatArray:
    """The worst slice's deviation in each draw of outcomes from probabilities that are all true."""
    random = np.random.default_rng(seed)
    worst = []
    for _ in range(DRAWS // AT_ONCE):
        came = random.random((len(said), AT_ONCE)) < said[:, None]
        worst.append(np.abs(_sums(masks, came - said[:, None]) / spread[:, None]).max(axis=0))
    return np.concatenate(worst)


def _sums(masks: csr_array, values: FloatArray) -> FloatArray:
    return np.asarray(masks @ values)


def _error(part: Slice, rows: Scored, said: FloatArray) -> float:
    of_part = rows.where(part.rows)
    return sum_error(of_part.y - said[part.rows], of_part.lead, of_part.day)


def _can_tell(part: Slice, rows: Scored, said: FloatArray) -> bool:
    expected = float(said[part.rows].sum())
    leads = len(np.unique(rows.lead[part.rows]))
    return leads >= FEWEST_LEADS and min(expected, part.rows.sum() - expected) >= FEWEST_EXPECTED


def _levels(name: str, values: pd.Series[Any]) -> Iterator[Slice]:
    """The rows of each of the most frequent levels, and those where it is missing."""
    counts = values.value_counts()
    for level in counts.index[:MOST_LEVELS]:
        yield Slice(f"{name} = {level}", (values == level).to_numpy(dtype=bool))
    yield from _missing(name, values)


def _quarters(name: str, values: pd.Series[Any]) -> Iterator[Slice]:
    """The rows of each quarter of a number (ties stay together), and those where it is missing."""
    numbers = values.to_numpy(dtype=np.float64)
    present = numbers[~np.isnan(numbers)]
    places = np.arange(1, PARTS) / PARTS
    cuts = np.unique(np.quantile(present, places, method="inverted_cdf")) if len(present) else present
    edges = [-np.inf, *cuts[cuts < present.max(initial=-np.inf)].tolist(), np.inf]
    for low, high in pairwise(edges):
        inside = (numbers > low) & (numbers <= high)
        if inside.any():
            yield Slice(_between(name, low, high), inside)
    yield from _missing(name, values)


def _between(name: str, low: float, high: float) -> str:
    if np.isfinite(low) and np.isfinite(high):
        return f"{low:g} < {name} <= {high:g}"
    if np.isfinite(low):
        return f"{name} > {low:g}"
    return f"{name} <= {high:g}" if np.isfinite(high) else f"{name} is present"


def _missing(name: str, values: pd.Series[Any]) -> Iterator[Slice]:
    missing = values.isna().to_numpy(dtype=bool)
    if missing.any():
        yield Slice(f"{name} is missing", missing)

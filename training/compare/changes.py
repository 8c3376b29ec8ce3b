"""The rows that two versions grade differently: what moved them, and which version was right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leadlight.model.margins import FloatArray
from leadlight.schema import from_micros
from training.compare.sides import Side
from training.dataset import Dataset

GRADES = ("A", "B", "C", "D")
SHOWN = 50
"""Rows told one by one: those whose log-odds differ the most."""
MOVERS = 3


@dataclass(frozen=True)
class Mover:
    """A reason group, by how much more log-odds the second version gives it, and the values it has."""

    group: str
    points: float
    values: dict[str, str | float | None]


@dataclass(frozen=True)
class Change:
    """One row with another grade; ``right`` is the version whose grade is on the side of what happened.

    Where few convert, that is nearly always the lower grade, whatever the versions are worth: see ``Changes``.
    """

    lead_id: str
    as_of: str
    first: str
    second: str
    converted: bool
    right: int
    movers: tuple[Mover, ...]


@dataclass(frozen=True)
class Changes:
    """``matrix[first][second]`` counts (rows, converted); ``rows`` are the greatest changes.

    ``raised_expected`` and ``lowered_expected`` are how many conversions the first and the second version expected
    among the rows graded higher and lower: the sums of their probabilities. Against what came, they say who was right.
    """

    changed: int
    raised: int
    raised_expected: tuple[float, float]
    raised_converted: int
    lowered: int
    lowered_expected: tuple[float, float]
    lowered_converted: int
    matrix: dict[str, dict[str, tuple[int, int]]]
    rows: tuple[Change, ...]


def changed_grades(rows: Dataset, first: Side, second: Side) -> Changes:
    """All rows by the two grades, and of those that differ the fifty whose log-odds moved the most."""
    grades = [_grades(side) for side in (first, second)]
    won = rows.y == 1
    raised, lowered = grades[1] < grades[0], grades[1] > grades[0]
    changed = np.flatnonzero(raised | lowered)
    moved = np.abs(second.scores.raw - first.scores.raw)
    order = changed[np.argsort(-moved[changed], kind="stable")][:SHOWN]
    groups = _groups((first, second))
    gains = _by_group(second, groups) - _by_group(first, groups)
    return Changes(
        changed=len(changed),
        raised=int(raised.sum()),
        raised_expected=_expected((first, second), raised),
        raised_converted=int((raised & won).sum()),
        lowered=int(lowered.sum()),
        lowered_expected=_expected((first, second), lowered),
        lowered_converted=int((lowered & won).sum()),
        matrix={
            one: {
                other: (int((cell := (grades[0] == i) & (grades[1] == j)).sum()), int((cell & won).sum()))
                for j, other in enumerate(GRADES)
            }
            for i, one in enumerate(GRADES)
        },
        rows=tuple(
            _change(rows, (first, second), (grades[0][place], grades[1][place]), gains, place) for place in order
        ),
    )


def _grades(side: Side) -> np.ndarray:
    """0 for A to 3 for D."""
    cuts = np.array([side.bundle.cuts.c, side.bundle.cuts.b, side.bundle.cuts.a])
    return len(cuts) - np.searchsorted(cuts, side.scores.probability, side="right")


def _expected(sides: tuple[Side, Side], rows: npt.NDArray[np.bool_]) -> tuple[float, float]:
    one, other = (float(side.scores.probability[rows].sum()) for side in sides)
    return one, other


def _groups(sides: tuple[Side, Side]) -> list[str]:
    return list(dict.fromkeys([*sides[1].scores.groups, *sides[0].scores.groups]))


def _by_group(side: Side, groups: list[str]) -> FloatArray:
    """The contributions of each reason group (rows x groups); a group that it does not have adds nothing."""
    totals = np.zeros((len(side.scores.raw), len(groups)))
    for place, group in enumerate(side.scores.groups):
        totals[:, groups.index(group)] += side.scores.contributions[:, place]
    return totals


def _change(rows: Dataset, sides: tuple[Side, Side], grades: tuple[int, int], gains: FloatArray, place: int) -> Change:
    converted = bool(rows.y[place])
    second_is_higher = grades[1] < grades[0]
    groups = _groups(sides)
    strongest = np.argsort(-np.abs(gains[place]), kind="stable")[:MOVERS]
    return Change(
        lead_id=str(rows.lead_id[place]),
        as_of=from_micros(int(rows.as_of[place])).isoformat(),
        first=GRADES[grades[0]],
        second=GRADES[grades[1]],
        converted=converted,
        right=sides[1 if second_is_higher == converted else 0].version,
        movers=tuple(
            Mover(groups[group], float(gains[place, group]), _values(rows, sides, groups[group], place))
            for group in strongest
        ),
    )


def _values(rows: Dataset, sides: tuple[Side, Side], group: str, place: int) -> dict[str, str | float | None]:
    """What the row has in the columns that either version counts to this group."""
    columns = dict.fromkeys(
        name
        for side in reversed(sides)
        for name, of in zip(side.scores.columns, side.scores.groups, strict=True)
        if of == group
    )
    return {name: _plain(rows.X[name].iloc[place]) for name in columns}


def _plain(value: object) -> str | float | None:
    if isinstance(value, str):
        return value
    number = float("nan") if value is None else float(value)  # type: ignore[arg-type]  # a cell of a frame
    return None if np.isnan(number) else number

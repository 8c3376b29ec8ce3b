"""The points part: a card of rules whose points, times one slope, are log-odds; shared out column by column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from leadlight.model.encoder import FIRST, MISSING
from leadlight.model.margins import FloatArray, running_sum
from leadlight.settings.points import Comparison, Condition, PointsTable

Holds = npt.NDArray[np.bool_]
COMPARED: dict[Comparison, np.ufunc] = {
    ">=": np.greater_equal,
    "<=": np.less_equal,
    ">": np.greater,
    "<": np.less,
    "==": np.equal,
    "!=": np.not_equal,
}


@dataclass(frozen=True)
class Check:
    """A condition on a column of the vector, by its position; a category's level is given by its code."""

    column: int
    op: Comparison
    value: float = 0.0
    category: bool = False

    def holds(self, values: FloatArray) -> Holds:
        """Whether each value of the column meets it; a missing one meets ``is missing`` alone."""
        missing = values == MISSING if self.category else np.isnan(values)
        if self.op in COMPARED:
            return ~missing & np.asarray(COMPARED[self.op](values, self.value), dtype=np.bool_)
        return missing if self.op == "is missing" else ~missing


@dataclass(frozen=True)
class Rule:
    """So many points where every check holds; on one scale only the rule with the most points counts."""

    checks: tuple[Check, ...]
    points: float
    scale: str = ""


@dataclass(frozen=True, eq=False)
class PointsPart:
    """``base`` plus ``slope`` times the points: what a lead without points has, and what a point is worth.

    A rule's points are shared evenly among the columns it looks at.
    """

    rules: tuple[Rule, ...]
    columns: int
    slope: float = 0.0
    base: float = 0.0
    _shares: FloatArray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        shares = np.zeros((len(self.rules), self.columns))
        for place, rule in enumerate(self.rules):
            seen = sorted({check.column for check in rule.checks})
            shares[place, seen] = rule.points / len(seen)
        object.__setattr__(self, "_shares", shares)

    @classmethod
    def of(cls, table: PointsTable, columns: tuple[str, ...], levels: Mapping[str, tuple[str, ...]]) -> Self:
        """The card of a table that was checked against these columns, before it is worth anything."""
        rules = tuple(
            Rule(tuple(_check(each, columns, levels) for each in rule.when), rule.points, rule.scale)
            for rule in table.rule
        )
        return cls(rules, len(columns))

    def points(self, matrix: FloatArray) -> FloatArray:
        """What each column is given (rows x columns), in points."""
        given = np.zeros(matrix.shape)
        for place, counted in self._counted(matrix):
            given += counted[:, None] * self._shares[place]
        return given

    def _counted(self, matrix: FloatArray) -> Iterator[tuple[int, Holds]]:
        """Each rule and the rows where it counts."""
        taken: dict[str, Holds] = {}
        for place in sorted(range(len(self.rules)), key=lambda place: -self.rules[place].points):
            rule = self.rules[place]
            counted = np.ones(len(matrix), dtype=np.bool_)
            for check in rule.checks:
                counted &= check.holds(matrix[:, check.column])
            if rule.scale:
                before = taken.get(rule.scale, np.zeros(len(matrix), dtype=np.bool_))
                taken[rule.scale] = before | counted
                counted &= ~before
            yield place, counted

    def contributions(self, matrix: FloatArray) -> FloatArray:
        """What each column adds to the base (rows x columns), in log-odds."""
        return self.slope * self.points(matrix)

    def margin(self, contributions: FloatArray) -> FloatArray:
        """The margin of each row from its contributions."""
        return running_sum(self.base, contributions)

    def to_json(self) -> dict[str, Any]:
        """A document that ``from_json`` reads back to the same bits."""
        rules = [
            {
                "checks": [[check.column, check.op, check.value, check.category] for check in rule.checks],
                "points": rule.points,
                "scale": rule.scale,
            }
            for rule in self.rules
        ]
        return {"base": self.base, "columns": self.columns, "rules": rules, "slope": self.slope}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        rules = tuple(
            Rule(tuple(Check(*check) for check in rule["checks"]), rule["points"], rule["scale"])
            for rule in document["rules"]
        )
        return cls(rules, document["columns"], document["slope"], document["base"])


def _check(condition: Condition, columns: tuple[str, ...], levels: Mapping[str, tuple[str, ...]]) -> Check:
    column = columns.index(condition.column)
    known = levels.get(condition.column)
    if known is None or condition.value is None:
        return Check(column, condition.op, float(condition.value or 0.0), known is not None)
    return Check(column, condition.op, float(FIRST + known.index(str(condition.value))), category=True)

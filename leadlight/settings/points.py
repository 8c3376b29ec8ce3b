"""A points table: rules on feature columns that give or take points, from a site's TOML file. Knows no catalogue."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator

from leadlight.settings.parts import Name, Part, parse_part, read_toml

Comparison = Literal[">=", "<=", ">", "<", "==", "!=", "is missing", "is known"]
ORDER: tuple[Comparison, ...] = (">=", "<=", ">", "<")
COMPARISONS: tuple[Comparison, ...] = (*ORDER, "==", "!=")
PRESENCE: tuple[Comparison, ...] = ("is missing", "is known")
_CONDITION = re.compile(
    r"\s*([a-z][a-z0-9_]*)\s*(?:(>=|<=|==|!=|=|>|<)\s*(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|'[^']*')|\sis\s+(missing|known))\s*"
)


@dataclass(frozen=True)
class Condition:
    """What a column must be; a missing value meets no condition but ``is missing``."""

    column: str
    op: Comparison
    value: float | str | None = None

    def __str__(self) -> str:
        """The text that says it, as a file has it."""
        if self.value is None:
            return f"{self.column} {self.op}"
        if isinstance(self.value, str):
            return f"{self.column} {self.op} '{self.value}'"
        return f"{self.column} {self.op} {int(self.value) if self.value == int(self.value) else self.value!r}"


def parse_condition(text: object) -> Condition:
    """The condition that a text such as ``trials_7d >= 1`` says."""
    match = _CONDITION.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        message = 'a condition looks like "trials_7d >= 1", "city == \'Beijing\'" or "minutes is missing"'
        raise ValueError(message)
    column, op, value, presence = match.groups()
    if presence:
        return Condition(column, "is missing" if presence == "missing" else "is known")
    comparison = next(each for each in COMPARISONS if each == op) if op != "=" else "=="
    return Condition(column, comparison, value[1:-1] if "'" in value else float(value))


def _conditions(when: object) -> object:
    return tuple(parse_condition(each) for each in when) if isinstance(when, list) else (parse_condition(when),)


class PointsRule(Part):
    """So many points where every condition holds.

    Of the rules that share a ``scale`` only the one with the most points counts.
    """

    when: Annotated[tuple[Condition, ...], BeforeValidator(_conditions), Field(min_length=1)]
    points: Annotated[float, Field(allow_inf_nan=False)]
    scale: Name | Literal[""] = ""

    @field_validator("points")
    @classmethod
    def _some(cls, points: float) -> float:
        if points == 0:
            message = "a rule without points says nothing: give it some, or take it out"
            raise ValueError(message)
        return points


class PointsTable(Part):
    """The rules of one card, in the order of the file."""

    rule: tuple[PointsRule, ...]

    @field_validator("rule")
    @classmethod
    def _rules(cls, rules: tuple[PointsRule, ...]) -> tuple[PointsRule, ...]:
        if not rules:
            message = "a card needs rules: [[rule]] with when and points"
            raise ValueError(message)
        return rules


def read_points(path: Path) -> PointsTable:
    """The table in this file; all its faults come in one ``SiteError``."""
    return parse_part(PointsTable, read_toml(path), path.name)

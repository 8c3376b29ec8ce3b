"""Which unknown attribute of a lead would tell the model most: the model asked with each value that it might have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from features.catalogue import Attribute, Catalogue, Column, Level
from features.history import Value
from leadlight.model.bundle import NO_LEVEL
from leadlight.model.margins import FloatArray, sigmoid
from leadlight.schema import NOT_RECORDED
from serving.champion import Champion
from serving.language import Language
from serving.schemas_tags import Telling


def most_telling(
    champion: Champion, catalogue: Catalogue, values: Mapping[str, Value], missing: Sequence[Column], language: Language
) -> Telling | None:
    """The column among ``missing`` whose value, were it known, would move the lead's log-odds most on average.

    ``None`` if none would, or if that cannot be told: the model came without its training rows' values, or a missing
    attribute also decides a level, which it would change too.
    """
    reference = champion.bundle.reference.get("columns", {})
    columns = [column for column in missing if column in champion.columns]
    if _decides_a_level(catalogue, missing) or any(column.name not in reference for column in columns):
        return None
    guesses = [guess for column in columns for guess in _guesses(column, reference[column.name])]
    rows = {
        column.name: [values[column.name], *(guess.value_of(column, values) for guess in guesses)]
        for column in champion.columns
    }
    margins = champion.bundle.model.margin(rows)
    found = [
        Telling(
            name=column.name,
            what=column.wording(language),
            points=_mean_move(margins, guesses, column),
            percentage_points=100.0 * _mean_move(sigmoid(margins), guesses, column),
        )
        for column in columns
    ]
    most = max(found, key=lambda telling: telling.points, default=None)
    return most if most is not None and most.points > 0.0 else None


@dataclass(frozen=True)
class _Guess:
    """What a missing column may be, and how many training rows had this value."""

    column: Column
    value: Value
    weight: float

    def value_of(self, column: Column, values: Mapping[str, Value]) -> Value:
        """The value of ``column`` if the guess holds: columns that read the same attribute change together."""
        return self.value if _attribute(column) == _attribute(self.column) else values[column.name]


def _attribute(column: Column) -> str:
    return f"attribute {column.entry.column}" if isinstance(column.entry, Attribute) else column.name


def _decides_a_level(catalogue: Catalogue, missing: Sequence[Column]) -> bool:
    levels = [entry for entry in catalogue.feature if isinstance(entry, Level)]
    asked = {condition.column for level in levels for rule in level.levels for condition in rule.when}
    return any(column.name in asked for column in missing)


def _guesses(column: Column, seen: Mapping[str, Any]) -> Iterator[_Guess]:
    """The values that training rows had: each frequent level, all rare ones as one, or the tenths of a number."""
    for level, count in seen.get("levels", {}).items():
        if level != NOT_RECORDED:
            yield _Guess(column, level, count)
    if seen.get("rare"):
        yield _Guess(column, NO_LEVEL, seen["rare"])
    for value in seen.get("deciles", ()):
        yield _Guess(column, value, 1.0)


def _mean_move(answers: FloatArray, guesses: Sequence[_Guess], column: Column) -> float:
    """How far the guesses of ``column`` are from the first of ``answers``, which was given without any."""
    weights = np.array([guess.weight if guess.column == column else 0.0 for guess in guesses])
    return float(np.average(np.abs(answers[1:] - answers[0]), weights=weights)) if weights.any() else 0.0

"""Columns by the names that people give: of a column, or of the entry that yields it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence

from features.catalogue import Column

NEAR = 3
"""How many near names are told of one that is unknown."""


def named(columns: Sequence[Column], names: Iterable[str]) -> tuple[tuple[Column, ...], Mapping[str, tuple[str, ...]]]:
    """The columns that ``names`` mean, in that order and each once; and what is near each name that means none."""
    meant: dict[str, list[Column]] = {}
    for column in columns:
        meant.setdefault(column.entry.name, []).append(column)
    for column in columns:
        meant.setdefault(column.name, [column])  # an entry that yields one column has its name
    found: dict[str, Column] = {}
    unknown: dict[str, tuple[str, ...]] = {}
    for name in names:
        found |= {column.name: column for column in meant.get(name, ())}
        if name not in meant:
            unknown[name] = near(name, meant)
    return tuple(found.values()), unknown


def near(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """The names among ``known`` that ``name`` may have been meant for, the nearest first."""
    return tuple(difflib.get_close_matches(name, known, n=NEAR))

"""The catalogue evaluated over one lead in plain Python: what serving computes on the way to an answer.

Means exactly what ``features.relational`` means, bit for bit; knows no table and no database.
"""

from __future__ import annotations

import operator
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from features.catalogue import UNITS, Attribute, Catalogue, Condition, EventAge, EventsEntry, LeadAge, Level
from features.facts import LeadFacts, Value, Version
from features.selection import Relevance, Selection
from features.single.known import Events, Matches, known_events, matcher
from features.single.readings import Read, edge_of, reading
from leadlight.schema import FOREVER, Micros
from leadlight.settings import Site

_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}


@dataclass(frozen=True)
class Row:
    """A lead's columns at one moment, in catalogue order, and the next moment at which one of them may change."""

    values: dict[str, Value]
    valid_until: Micros


Evaluator = Callable[[LeadFacts, Micros], Row]


def evaluate(catalogue: Catalogue, site: Site, facts: LeadFacts, as_of: Micros) -> Row:
    """The lead columns of ``catalogue`` for one lead at ``as_of``; for many leads keep one ``evaluator``."""
    return evaluator(catalogue, site)(facts, as_of)


def evaluator(catalogue: Catalogue, site: Site) -> Evaluator:
    """``catalogue`` compiled into a function of a lead's facts and ``as_of``; it keeps no state between calls."""
    relevance = Relevance.of(catalogue)
    slices = _slices(catalogue, site.offset)
    names = [column.name for column in catalogue.lead_columns]
    attributes = [entry for entry in catalogue.feature if isinstance(entry, Attribute)]
    ages = [entry for entry in catalogue.feature if isinstance(entry, LeadAge)]
    levels = [entry for entry in catalogue.feature if isinstance(entry, Level)]

    def evaluate_lead(facts: LeadFacts, as_of: Micros) -> Row:
        values: dict[str, Value] = dict.fromkeys(names)
        known, change = known_events(facts.events, relevance, as_of)
        changes = [change]
        if attributes:
            changes.append(_read_attributes(values, attributes, facts.versions, as_of))
        changes += [_read_age(values, entry, facts.created_at, as_of) for entry in ages]
        changes += [_read_slice(values, piece, known, as_of) for piece in slices]
        for level in levels:
            values[level.name] = _level(level, values)
        return Row(values, min(changes))

    return evaluate_lead


@dataclass(frozen=True, slots=True)
class _Windowed:
    """The columns that read one selection within one window; ``ticks``: event and unit of each age among them."""

    window: Micros | None
    reads: tuple[tuple[str, Read], ...]
    ticks: tuple[tuple[int, Micros], ...]


@dataclass(frozen=True, slots=True)
class _Slice:
    """All columns that read one selection of events."""

    matches: Matches
    windows: tuple[_Windowed, ...]


def _slices(catalogue: Catalogue, offset: Micros) -> list[_Slice]:
    grouped: dict[Selection, dict[Micros | None, list[tuple[str, EventsEntry, Read]]]] = {}
    for column in catalogue.lead_columns:
        if isinstance(column.entry, EventsEntry):
            windows = grouped.setdefault(Selection.of(column.entry), {})
            read = reading(column.entry, column.rank, offset)
            windows.setdefault(column.window, []).append((column.name, column.entry, read))
    return [
        _Slice(matcher(selection), tuple(_windowed(window, columns) for window, columns in windows.items()))
        for selection, windows in grouped.items()
    ]


def _windowed(window: Micros | None, columns: Iterable[tuple[str, EventsEntry, Read]]) -> _Windowed:
    columns = tuple(columns)
    ticks = {(edge_of(entry), UNITS[entry.unit]) for _, entry, _ in columns if isinstance(entry, EventAge)}
    return _Windowed(window, tuple((name, read) for name, _, read in columns), tuple(sorted(ticks)))


def _read_slice(values: dict[str, Value], piece: _Slice, known: Events, as_of: Micros) -> Micros:
    chosen = [event for event in known if piece.matches(event)]
    moments = [event.at for event in chosen]
    change = FOREVER
    for windowed in piece.windows:
        start = 0 if windowed.window is None else bisect_left(moments, as_of - windowed.window)
        events = chosen[start:]
        for name, read in windowed.reads:
            values[name] = read(events, as_of)
        for edge, unit in windowed.ticks if events else ():
            change = min(change, _tick(events[edge].at, unit, as_of))
    return change


def _read_attributes(
    values: dict[str, Value], attributes: Iterable[Attribute], versions: Iterable[Version], as_of: Micros
) -> Micros:
    known = []
    change = FOREVER
    for version in versions:
        enters = max(version.at + 1, version.arrived_at)
        gone = FOREVER if version.until is None else version.until
        if enters <= as_of < gone:
            known.append(version)
            change = min(change, gone)
        elif as_of < enters < gone:
            change = min(change, enters)
    if known:
        newest = max(known, key=operator.attrgetter("at", "arrived_at", "member"))
        for attribute in attributes:
            values[attribute.name] = _attribute_value(attribute, newest.values.get(attribute.column))
    return change


def _attribute_value(attribute: Attribute, value: Value) -> Value:
    if attribute.type == "text" or value is None:
        return value
    number = float(value)
    return None if number != number else number  # noqa: PLR0124  NaN, the one number unequal to itself, is missing


def _read_age(values: dict[str, Value], entry: LeadAge, created_at: Micros, as_of: Micros) -> Micros:
    if created_at >= as_of:
        return created_at + 1
    values[entry.name] = (as_of - created_at) // UNITS[entry.unit]
    return _tick(created_at, UNITS[entry.unit], as_of)


def _tick(at: Micros, unit: Micros, as_of: Micros) -> Micros:
    """The next moment after ``as_of`` at which the whole units elapsed since ``at`` become one more."""
    return at + ((as_of - at) // unit + 1) * unit


def _level(level: Level, values: Mapping[str, Value]) -> str | None:
    return next((rule.name for rule in level.levels if all(_holds(each, values) for each in rule.when)), None)


def _holds(condition: Condition, values: Mapping[str, Value]) -> bool:
    value = values[condition.column]
    return value is not None and _OPERATORS[condition.op](value, condition.value)

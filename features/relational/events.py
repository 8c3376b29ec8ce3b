"""What the rows learn from one pass over the events that each sees: counts, amounts, first and last, shares, days."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import ibis

from features.catalogue import UNITS, ActiveDays, Catalogue, Column, EventAge, EventValue, Indicator, ShareOf
from features.relational.known import CHANGES, DAYS_AGO, part, selected, within
from features.relational.rows import (
    KEYS,
    as_int64,
    beside,
    bit_count,
    bit_or,
    changing_at,
    floor_div,
    how_often,
    only,
    tick,
)
from leadlight.schema import AMOUNT, ARRIVED_AT, AS_OF, AT, DAY, EVENT_ID, THOUSANDTHS

Finish = Callable[[ibis.Table], ibis.Value]
_WORD = 63
"""The bits of an int64 that are not its sign: one for each day."""
_WORDS_AT_MOST = 6


@dataclass(frozen=True)
class Reading:
    """A column as aggregates over the seen events, what the row makes of them, and when an age in it ticks."""

    cells: dict[str, ibis.Value]
    value: Finish
    tick: Finish | None = None


def with_events(rows: ibis.Table, seen: ibis.Table, catalogue: Catalogue) -> ibis.Table:
    """``rows`` with the columns that look at each event by itself, valid until an event changes what it is to them."""
    readings = {
        column.name: reading for column in catalogue.lead_columns if (reading := _reading(column, seen)) is not None
    }
    cells = {CHANGES: seen[CHANGES].min()}
    for reading in readings.values():
        cells |= reading.cells
    rows = beside(rows, seen.group_by(KEYS).aggregate(**cells))
    ticks = [reading.tick(rows) for reading in readings.values() if reading.tick]
    rows = changing_at(rows, rows[CHANGES], *ticks)
    return rows.mutate(**{name: reading.value(rows) for name, reading in readings.items()}).drop(*cells)


def marks_days(column: Column) -> bool:
    """Whether the days of ``column`` are few enough to be a bit each."""
    return isinstance(column.entry, ActiveDays) and len(_words(column)) <= _WORDS_AT_MOST


def _reading(column: Column, seen: ibis.Table) -> Reading | None:
    match column.entry:
        case Indicator(kind="count" | "sum" | "max"):
            return _indicator(column, column.entry, seen)
        case EventAge():
            return _age(column, column.entry, seen)
        case EventValue():
            return _value(column, column.entry, seen)
        case ShareOf():
            return _share(column, column.entry, seen)
        case ActiveDays() if marks_days(column):
            return _days(column, seen)
        case _:
            return None


def _counted(seen: ibis.Table, column: Column) -> ibis.Value:
    """Whether ``column`` counts the event: its entry selects it, and it is known and lies in the column's window."""
    return seen[selected(column.entry)] & seen[within(column.window)]


def _indicator(column: Column, entry: Indicator, seen: ibis.Table) -> Reading:
    cell, where = f"_cell_{column.name}", _counted(seen, column)
    match entry.kind:
        case "count":
            return Reading({cell: how_often(where)}, lambda rows: rows[cell].fill_null(0))
        case "sum":
            total = as_int64(only(seen[AMOUNT], where).sum())
            return Reading({cell: total}, lambda rows: _units(rows[cell].fill_null(0)))
        case _:
            return Reading({cell: only(seen[AMOUNT], where).max()}, lambda rows: _units(rows[cell]))


def _age(column: Column, entry: EventAge, seen: ibis.Table) -> Reading:
    cell, where, unit = f"_cell_{column.name}", _counted(seen, column), UNITS[entry.unit]
    first = entry.kind == "first_age"
    return Reading(
        {cell: only(seen[AT], where).min() if first else only(seen[AT], where).max()},
        lambda rows: floor_div(rows[AS_OF] - rows[cell], unit),
        lambda rows: tick(rows[cell], unit, rows[AS_OF]),
    )


def _value(column: Column, entry: EventValue, seen: ibis.Table) -> Reading:
    cell = f"_cell_{column.name}"
    where = _counted(seen, column) & seen[entry.of].notnull()
    # The least or greatest struct is the first or last event in its total order, with the value in its train.
    event = ibis.struct({name: seen[name] for name in dict.fromkeys((AT, EVENT_ID, ARRIVED_AT, entry.of))})
    edge = event.min(where=where) if entry.kind == "first_value" else event.max(where=where)
    return Reading(
        {cell: edge}, lambda rows: _units(rows[cell][AMOUNT]) if entry.of == AMOUNT else rows[cell][entry.of]
    )


def _share(column: Column, entry: ShareOf, seen: ibis.Table) -> Reading:
    some, every, where = f"_cell_{column.name}", f"_every_{column.name}", _counted(seen, column)
    return Reading(
        {some: how_often(where & seen[part(entry)]), every: how_often(where)},
        lambda rows: rows[some].cast("float64") / rows[every].nullif(0),
    )


def _days(column: Column, seen: ibis.Table) -> Reading:
    """A day is one bit, set by any of its events: there are as many days as bits set."""
    ago, where = seen[DAYS_AGO], _counted(seen, column)
    cells = {}
    for word in _words(column):
        within_word = where & (ago >= word) & (ago < word + _WORD) if len(_words(column)) > 1 else where
        bit = ibis.literal(1 << (_WORD - 1), "int64") >> (ago - word).cast("int32")
        cells[f"_cell_{column.name}_{word}"] = bit_or(only(bit, within_word))
    return Reading(
        cells, lambda rows: sum((bit_count(rows[cell]).cast("int64").fill_null(0) for cell in cells), ibis.literal(0))
    )


def _words(column: Column) -> range:
    """The first day of each word, counted back from the row's own, that the column's window reaches."""
    return range(0, 10**6 if column.window is None else -(-column.window // DAY) + 1, _WORD)


def _units(thousandths: ibis.Value) -> ibis.Value:
    return thousandths.cast("float64") / float(THOUSANDTHS)

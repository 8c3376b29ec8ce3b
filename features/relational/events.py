"""What the rows learn from one pass over their known events: counts, amounts, first and last, shares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import ibis

from features.catalogue import UNITS, Catalogue, Column, EventAge, EventValue, Indicator, ShareOf
from features.relational.known import GONE, leaving, part, selected, within
from features.relational.rows import KEYS, as_int64, beside, changing_at, floor_div, how_often, only, tick
from features.selection import Relevance
from leadlight.schema import AMOUNT, ARRIVED_AT, AS_OF, AT, EVENT_ID, THOUSANDTHS

Finish = Callable[[ibis.Table], ibis.Value]


@dataclass(frozen=True)
class Reading:
    """A column as aggregates over the known events, what the row makes of them, and when an age in it ticks."""

    cells: dict[str, ibis.Value]
    value: Finish
    tick: Finish | None = None


def with_events(rows: ibis.Table, known: ibis.Table, catalogue: Catalogue) -> ibis.Table:
    """``rows`` with the columns that look at each event by itself, valid until one is gone or leaves a window."""
    readings = {
        column.name: reading for column in catalogue.lead_columns if (reading := _reading(column, known)) is not None
    }
    leaves = {f"_next_{window}": window for window in Relevance.of(catalogue).shorter}
    cells = {GONE: known[GONE].min()}
    for name, window in leaves.items():
        cells[name] = only(known[AT], known[leaving(window)] & known[within(window)]).min() + (window + 1)
    for reading in readings.values():
        cells |= reading.cells
    rows = beside(rows, known.group_by(KEYS).aggregate(**cells))
    ticks = [reading.tick(rows) for reading in readings.values() if reading.tick]
    rows = changing_at(rows, *(rows[name] for name in (GONE, *leaves)), *ticks)
    return rows.mutate(**{name: reading.value(rows) for name, reading in readings.items()}).drop(*cells)


def counted(known: ibis.Table, column: Column) -> ibis.Value:
    """Whether ``column`` counts the event: its entry selects it, and it lies in the column's window."""
    flag = known[selected(column.entry)]
    return flag if column.window is None else flag & known[within(column.window)]


def _reading(column: Column, known: ibis.Table) -> Reading | None:
    match column.entry:
        case Indicator(kind="count" | "sum" | "max"):
            return _indicator(column, column.entry, known)
        case EventAge():
            return _age(column, column.entry, known)
        case EventValue():
            return _value(column, column.entry, known)
        case ShareOf():
            return _share(column, column.entry, known)
        case _:
            return None


def _indicator(column: Column, entry: Indicator, known: ibis.Table) -> Reading:
    cell, where = f"_cell_{column.name}", counted(known, column)
    match entry.kind:
        case "count":
            return Reading({cell: how_often(where)}, lambda rows: rows[cell].fill_null(0))
        case "sum":
            total = as_int64(only(known[AMOUNT], where).sum())
            return Reading({cell: total}, lambda rows: _units(rows[cell].fill_null(0)))
        case _:
            return Reading({cell: only(known[AMOUNT], where).max()}, lambda rows: _units(rows[cell]))


def _age(column: Column, entry: EventAge, known: ibis.Table) -> Reading:
    cell, where, unit = f"_cell_{column.name}", counted(known, column), UNITS[entry.unit]
    first = entry.kind == "first_age"
    return Reading(
        {cell: only(known[AT], where).min() if first else only(known[AT], where).max()},
        lambda rows: floor_div(rows[AS_OF] - rows[cell], unit),
        lambda rows: tick(rows[cell], unit, rows[AS_OF]),
    )


def _value(column: Column, entry: EventValue, known: ibis.Table) -> Reading:
    cell = f"_cell_{column.name}"
    where = counted(known, column) & known[entry.of].notnull()
    # The least or greatest struct is the first or last event in its total order, with the value in its train.
    event = ibis.struct({name: known[name] for name in dict.fromkeys((AT, EVENT_ID, ARRIVED_AT, entry.of))})
    edge = event.min(where=where) if entry.kind == "first_value" else event.max(where=where)
    return Reading(
        {cell: edge}, lambda rows: _units(rows[cell][AMOUNT]) if entry.of == AMOUNT else rows[cell][entry.of]
    )


def _share(column: Column, entry: ShareOf, known: ibis.Table) -> Reading:
    some, every, where = f"_cell_{column.name}", f"_every_{column.name}", counted(known, column)
    return Reading(
        {some: how_often(where & known[part(entry)]), every: how_often(where)},
        lambda rows: rows[some].cast("float64") / rows[every].nullif(0),
    )


def _units(thousandths: ibis.Value) -> ibis.Value:
    return thousandths.cast("float64") / float(THOUSANDTHS)

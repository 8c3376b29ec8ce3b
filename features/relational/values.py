"""What the rows learn from their known events grouped by value: distinct values, favourites, active days."""

from __future__ import annotations

import ibis

from features.catalogue import ActiveDays, Catalogue, Column, Indicator, Preference
from features.relational.events import counted
from features.relational.known import LOCAL_DAY, selected
from features.relational.rows import KEYS, beside, how_often, only
from leadlight.schema import AS_OF, AT


def with_values(rows: ibis.Table, known: ibis.Table, catalogue: Catalogue) -> ibis.Table:
    """``rows`` with the columns that look at the values of a label, or at local days; one pass for each of these."""
    grouped: dict[str, list[Column]] = {}
    for column in catalogue.lead_columns:
        if (by := _grouped_by(column.entry)) is not None:
            grouped.setdefault(by, []).append(column)
    for by, columns in grouped.items():
        rows = beside(rows, _cells(known, by, columns))
        counts = [column.name for column in columns if not isinstance(column.entry, Preference)]
        rows = rows.mutate(**{name: rows[name].fill_null(0) for name in counts})
    return rows


def _grouped_by(entry: object) -> str | None:
    match entry:
        case ActiveDays():
            return LOCAL_DAY
        case Indicator(kind="distinct") | Preference():
            return entry.of
        case _:
            return None


def _cells(known: ibis.Table, by: str, columns: list[Column]) -> ibis.Table:
    """Per moment, from one row per moment and value: how many values there are, or which have the highest ranks."""
    flags = {selected(column.entry): known[selected(column.entry)] for column in columns}
    some = known.filter(known[by].notnull() & ibis.or_(*flags.values()))
    favourites = [column for column in columns if isinstance(column.entry, Preference) and column.rank == 1]
    counts = {_times(column): how_often(counted(some, column)) for column in favourites}
    newest = {_newest(column): only(some[AT], some[selected(column.entry)]).max() for column in columns}
    values = some.group_by([*KEYS, by]).aggregate(**newest, **counts)
    for column in favourites:
        order = [values[_times(column)].desc(), values[by].asc()]
        values = values.mutate(**{_rank(column): ibis.row_number().over(group_by=KEYS, order_by=order)})
    return values.group_by(KEYS).aggregate(**{column.name: _cell(values, by, column) for column in columns})


def _cell(values: ibis.Table, by: str, column: Column) -> ibis.Value:
    if isinstance(column.entry, Preference):
        ranked = (values[_rank(column)] == column.rank - 1) & (values[_times(column)] > 0)
        return only(values[by], ranked).max()
    newest = values[_newest(column)]
    return how_often(newest.notnull() if column.window is None else newest >= values[AS_OF] - column.window)


def _newest(column: Column) -> str:
    return f"_newest_{column.entry.name}"


def _times(column: Column) -> str:
    return f"_times_{column.entry.name}_{column.window_text}"


def _rank(column: Column) -> str:
    return f"_rank_{column.entry.name}_{column.window_text}"

"""What the rows learn from their known events grouped by value: distinct values, favourites, days without bound."""

from __future__ import annotations

import ibis

from features.catalogue import ActiveDays, Catalogue, Column, EventsEntry, Indicator, Preference
from features.relational.events import marks_days
from features.relational.known import known_values
from features.relational.rows import KEYS, beside, floor_div, how_often
from features.selection import Selection
from leadlight.schema import AS_OF, AT, DAY, Micros

_DAY = "_day"
_NEWEST = "_newest"


def with_values(
    rows: ibis.Table, catalogue: Catalogue, offset: Micros, events: ibis.Table, moments: ibis.Table
) -> ibis.Table:
    """``rows`` with the columns that look at the values of a label, or at days without bound.

    Each label and selection of events is a pass of its own.
    """
    grouped: dict[tuple[str, Selection], list[Column]] = {}
    for column in catalogue.lead_columns:
        if isinstance(column.entry, EventsEntry) and (by := _grouped_by(column)) is not None:
            grouped.setdefault((by, Selection.of(column.entry)), []).append(column)
    dated = events.mutate(**{_DAY: floor_div(events[AT] + offset, DAY)})
    for (by, selection), columns in grouped.items():
        known = known_values(dated if by == _DAY else events, selection, by, _reach(columns), moments)
        rows = beside(rows, _cells(known, by, columns))
        counts = [column.name for column in columns if not isinstance(column.entry, Preference)]
        rows = rows.mutate(**{name: rows[name].fill_null(0) for name in counts})
    return rows


def _grouped_by(column: Column) -> str | None:
    match column.entry:
        case ActiveDays() if not marks_days(column):
            return _DAY
        case Indicator(kind="distinct") | Preference():
            return column.entry.of
        case _:
            return None


def _reach(columns: list[Column]) -> Micros | None:
    """How far back the columns look."""
    windows = [column.window for column in columns if column.window is not None]
    return max(windows) if len(windows) == len(columns) else None


def _cells(known: ibis.Table, by: str, columns: list[Column]) -> ibis.Table:
    """Per moment, from one row per moment and value: how many values there are, or which have the highest ranks."""
    times = {_times(column): _how_often(known, column) for column in columns if isinstance(column.entry, Preference)}
    values = known.group_by([*KEYS, by]).aggregate(**{_NEWEST: known[AT].max()}, **times)
    return values.group_by(KEYS).aggregate(**{column.name: _cell(values, by, column) for column in columns})


def _how_often(known: ibis.Table, column: Column) -> ibis.Value:
    return known.count() if column.window is None else how_often(known[AT] >= known[AS_OF] - column.window)


def _cell(values: ibis.Table, by: str, column: Column) -> ibis.Value:
    if isinstance(column.entry, Preference):
        return _favourite(values, by, column, column.entry.k)
    return values.count() if column.window is None else how_often(values[_NEWEST] >= values[AS_OF] - column.window)


def _favourite(values: ibis.Table, by: str, column: Column, k: int) -> ibis.Value:
    """The value of the column's rank: the least by how often it did not occur, ties by name."""
    times = values[_times(column)]
    ranked = ibis.struct({"_rarer": -times, by: values[by]})
    if k == 1:
        return ranked.min(where=times > 0)[by]
    favourites = ranked.collect(where=times > 0).sort()
    return ibis.cases((favourites.length() >= column.rank, favourites[column.rank - 1][by]), else_=None)


def _times(column: Column) -> str:
    return f"_times_{column.window_text}"

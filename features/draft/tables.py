"""Which files are dated facts about leads, and what their columns mean: kind, moment, amount, labels, final states."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from features.draft.columns import WORDY, best, first, is_contact, is_id, is_state, name_of, query, values_of
from features.draft.keys import CREATED, MATCHED, lead_reference, other_reference
from features.draft.profile import ColumnProfile, TableProfile, quoted
from features.draft.roles import EventTable
from leadlight.schema import ARRIVED_AT, EVENT_COLUMNS

_KIND = re.compile(
    r"^((order|payment|pay)[ _])?(event|kind|type|action|activity|behaviou?r|status|行为|动作|事件|类型|状态)"
    r"([ _]?(type|name|kind)|类型|名称)?$|^(订单|支付|交易)状态$",
    re.IGNORECASE,
)
_AMOUNT = re.compile(r"amount|price|value|total|minute|second|duration|revenue|score|金额|价格|时长", re.IGNORECASE)
_ARRIVED = re.compile(r"arriv|ingest|recv|receiv|recorded|loaded|synced|到达|入库|接收|上报", re.IGNORECASE)
_LATER = re.compile(
    r"clos|updat|modif|last|finish|resolv|complet|ended|end_|won|lost|更新|修改|关闭|结束|完成|最后", re.IGNORECASE
)
KINDS_AT_MOST = 40
LABELS_AT_MOST = 2_000
_NEARLY_ALL = 0.95


def event_tables(
    tables: list[TableProfile], leads: TableProfile, key: ColumnProfile, data: Path, taken: set[str]
) -> tuple[tuple[EventTable, ...], dict[str, str]]:
    """The events of every file that speaks of leads by date, and why each other file is left out."""
    found: list[EventTable] = []
    unused: dict[str, str] = {}
    for table in tables:
        times = [c for c in table.columns if c.is_moment and not _ARRIVED.search(c.name)]
        at = best([c for c in times if not _LATER.search(c.name)] or times, CREATED)
        via = None
        lead = lead_reference(table, leads, key, data)
        if lead is None:
            lead, via = other_reference(table, leads, key, data)
        if lead is None:
            unused[table.name] = f"no column holds the leads' {key.name}, nor another of their keys"
        elif at is None:
            unused[table.name] = _undated(table)
        elif lead.distinct == lead.filled and {c.name for c in table.columns} <= {c.name for c in leads.columns}:
            unused[table.name] = f"looks like another copy of {leads.name}"
        else:
            once = _once(table, at, data)
            parts = _parts(once, lead, at, _later(once, at, times, data), data, taken)
            found += [replace(each, via=via) for each in parts]
    return tuple(found), unused


def _undated(table: TableProfile) -> str:
    for column in table.columns:
        if not column.is_number and column.filled > column.dates >= column.filled * MATCHED:
            wrong = column.filled - column.dates
            return f"{wrong} values of {column.name} are no date: mend them and draft again, or map it with try_cast"
    return "has no date or time: what is not dated cannot be used honestly"


def _once(table: TableProfile, at: ColumnProfile, data: Path) -> TableProfile:
    """Without rows that are there twice to the second; of whole days, two alike may well be two facts."""
    if table.unique() or at.whole_days:
        return table
    rows = int(query(f"SELECT count(*) FROM (SELECT DISTINCT * FROM {table.scan})", data)[0][0])
    if rows == table.rows:
        return table
    check = f"/* CHECK: {table.rows - rows:,} rows are there twice, to the second, and count once */"
    return replace(table, scan=f"(SELECT DISTINCT * FROM {table.scan} {check})", rows=rows)


def _later(table: TableProfile, at: ColumnProfile, times: list[ColumnProfile], data: Path) -> ColumnProfile | None:
    """The moment at which a row was closed or last changed: called so, and hardly ever before ``at``."""
    begun = at.moment or quoted(at.name)
    for column in (c for c in times if c is not at and _LATER.search(c.name)):
        ended = column.moment or quoted(column.name)
        both = f"count(*) FILTER ({quoted(column.name)} IS NOT NULL AND {quoted(at.name)} IS NOT NULL)"
        compared = f"count(*) FILTER ({ended} >= {begun}), count(*) FILTER ({ended} > {begun})"
        filled, since, after = map(int, query(f"SELECT {both}, {compared} FROM {table.scan}", data)[0])
        if after and since >= _NEARLY_ALL * filled:
            return column
    return None


def _parts(  # noqa: PLR0917 - what is known of a file
    table: TableProfile,
    lead: ColumnProfile,
    at: ColumnProfile,
    later: ColumnProfile | None,
    data: Path,
    taken: set[str],
) -> list[EventTable]:
    """The file's events; what its rows became in the end are events of their own, at the moment they became it."""
    whole = _event_table(table, lead, at, data, taken, without=frozenset())
    states = [c for c in (whole.kind, *whole.labels) if c and is_state(c)] if later else []
    if later is None or not states:
        return [whole]
    names = frozenset(c.name for c in states)
    taken -= set(whole.kinds.values())
    begun = _event_table(table, lead, at, data, taken, without=names)
    only = replace(table, columns=tuple(c for c in table.columns if c.name in {lead.name, later.name, *names}))
    ended = _event_table(only, lead, later, data, taken, without=frozenset(), fallback=f"{table.name} closed")
    return [begun, replace(ended, table=table, part="closed", arrived=begun.arrived)]


def _event_table(
    table: TableProfile,
    lead: ColumnProfile,
    at: ColumnProfile,
    data: Path,
    taken: set[str],
    *,
    without: frozenset[str],
    fallback: str = "",
) -> EventTable:
    rest = [c for c in table.columns if c.name not in {lead.name, at.name, *without}]
    arrived = first([c for c in rest if c.is_moment], _ARRIVED)
    kind = next((c for c in rest if _KIND.match(c.name) and 1 < c.distinct <= KINDS_AT_MOST), None)
    amount = first([c for c in rest if (c.is_number or c.number) and not c.is_moment and not is_id(c)], _AMOUNT)
    values = values_of(table, kind, data) if kind else [fallback or table.name]
    kinds = {value: name_of(value, taken, "event") for value in values}
    labels = tuple(
        c
        for c in rest
        if c not in (arrived, kind, amount)
        and not c.is_moment
        and c.distinct > 1
        and c.distinct <= LABELS_AT_MOST
        and c.distinct < c.filled * WORDY
        and c.name.lower() not in {*EVENT_COLUMNS, ARRIVED_AT}
        and not is_contact(c)
    )
    told = told_by(table, kind, labels, data) if kind and labels else {}
    return EventTable(table, lead, at, arrived, kind, kinds, amount, labels, told=told)


def told_by(
    table: TableProfile, kind: ColumnProfile, columns: tuple[ColumnProfile, ...], data: Path
) -> dict[str, frozenset[str]]:
    """Which of the columns the events of each kind fill in."""
    counts = ", ".join(f"count({quoted(column.name)})" for column in columns)
    by = f"{quoted(kind.name)}::VARCHAR"
    rows = query(f"SELECT {by}, {counts} FROM {table.scan} GROUP BY {by}", data)
    names = [column.name for column in columns]
    return {row[0]: frozenset(name for name, filled in zip(names, row[1:], strict=True) if filled) for row in rows}

"""Which rows are the leads, and what names each: a key, the people of a log, or the place in a list."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from features.draft.columns import (
    LEAD,
    best,
    distinct,
    is_contact,
    is_id,
    is_reference,
    names_people,
    names_things,
    query,
)
from features.draft.profile import ColumnProfile, TableProfile, measured, quoted
from features.draft.readings import numbered, prepared
from leadlight.settings import SiteError

CREATED = re.compile(r"creat|regist|sign.?up|start|first|open|join|注册|创建|时间|日期|date|time|_at$", re.IGNORECASE)
MATCHED = 0.5
_ACTION = re.compile(
    r"^(event|action|activity|behaviou?r|行为|动作|事件)([ _]?(type|name|kind)|类型|名称)?$", re.IGNORECASE
)
_LOG = "no file lists the leads: each {who} of {log} is a lead, created with its first row"
_AGAIN = 0.8
_FULL = 0.9
_FEWEST_PEOPLE = 2


@dataclass(frozen=True)
class Leads:
    """The table of the leads, their key, the files that are not theirs, and what a person should know of all that."""

    table: TableProfile
    key: ColumnProfile
    others: list[TableProfile]
    notes: tuple[str, ...] = ()


def find_leads(tables: list[TableProfile], data: Path) -> Leads:
    """The likeliest leads; a ``SiteError`` where none can be told."""
    named = _keys(tables)
    if named:
        leads, key = max(named, key=lambda pair: _likeness(pair[0], pair[1], tables, data))
        if len(tables) > 1 or not _is_log(leads, key):
            return Leads(leads, key, [table for table in tables if table is not leads])
    logs = [(table, who) for table in tables if (who := _people(table)) and any(c.is_moment for c in table.columns)]
    if logs:
        log, who = max(logs, key=lambda pair: (bool(LEAD.search(pair[1].name)), pair[0].rows))
        return Leads(*_of_log(log, who, data), tables, (_LOG.format(who=who.name, log=log.name),))
    if len(tables) > 1:
        names = ", ".join(table.name for table in tables)
        words = f"no column names each lead once (files: {names}); add one, or write sources/leads.sql by hand"
        raise SiteError([words])
    leads = prepared(numbered(tables[0], data), data)
    return Leads(leads, leads.columns[0], [], _of_list(leads))


def _keys(tables: list[TableProfile]) -> list[tuple[TableProfile, ColumnProfile]]:
    broken = ("DOUBLE", "FLOAT", "DECIMAL")
    return [(t, c) for t in tables for c in t.unique() if not is_contact(c) and not c.type.startswith(broken)]


def _likeness(table: TableProfile, column: ColumnProfile, tables: list[TableProfile], data: Path) -> tuple[int, ...]:
    return (
        _references(table, column, tables, data),
        bool(LEAD.search(column.name + table.name)),
        table.rows,
        _rises(column, table),
        is_id(column),
        len(table.columns),
        -tables.index(table),
    )


def _references(table: TableProfile, column: ColumnProfile, tables: list[TableProfile], data: Path) -> int:
    """How many other dated files hold this key's values in a column that is called like a lead."""
    others = [other for other in tables if other is not table and any(c.is_moment for c in other.columns)]
    return sum(lead_reference(other, table, column, data) is not None for other in others)


def _rises(column: ColumnProfile, table: TableProfile) -> bool:
    """Whether a number can stand in for a missing time: keys are usually given in order."""
    return column.is_number and not any(c.is_moment for c in table.columns)


def lead_reference(table: TableProfile, leads: TableProfile, key: ColumnProfile, data: Path) -> ColumnProfile | None:
    """The column of a file that holds the leads' key."""
    rows = {c.name for c in table.unique() if not LEAD.search(c.name)}
    same = [c for c in table.columns if c.name.lower() == key.name.lower() and c.name not in rows]
    alike = [c for c in table.columns if LEAD.search(c.name) and not c.is_moment]
    for column in (*same, *alike):
        if _matched(table, column, leads, key, data) >= MATCHED:
            return column
    return None


def other_reference(
    table: TableProfile, leads: TableProfile, key: ColumnProfile, data: Path
) -> tuple[ColumnProfile | None, ColumnProfile | None]:
    """The column of a file that holds another key of the leads, as a log of the app's users does, and that key."""
    rows = {c.name for c in table.unique()}
    theirs = [c for c in table.columns if is_reference(c) and c.name not in rows]
    for via in (c for c in leads.columns if is_reference(c) and c.name != key.name and names_people(c)):
        for column in theirs:
            if _matched(table, column, leads, via, data) >= MATCHED:
                return column, via
    return None, None


def _matched(table: TableProfile, column: ColumnProfile, leads: TableProfile, key: ColumnProfile, data: Path) -> float:
    """The share of a column's values that name a lead, or of the leads that it names: a log may have strangers."""
    values, names = distinct(table.scan, column.name, data), distinct(leads.scan, key.name, data)
    return len(values & names) / max(min(len(values), len(names)), 1)


def _is_log(table: TableProfile, key: ColumnProfile) -> bool:
    """Whether the rows with this key are what people did, rather than people: the key names no lead, another does."""
    who = _people(table)
    return (
        not LEAD.search(key.name)
        and who is not None
        and bool(LEAD.search(who.name))
        and any(c.is_moment for c in table.columns)
        and any(_ACTION.match(c.name) for c in table.columns)
    )


def _people(table: TableProfile) -> ColumnProfile | None:
    """The column that names whose row each is: filled in, with values that come again."""
    again = [
        c
        for c in table.columns
        if is_reference(c)
        and c.filled >= _FULL * table.rows
        and _FEWEST_PEOPLE <= c.distinct <= _AGAIN * c.filled
        and (LEAD.search(c.name) or is_id(c))
    ]
    return max(again, key=lambda c: (is_id(c) and bool(LEAD.search(c.name)), bool(LEAD.search(c.name))), default=None)


def _of_log(log: TableProfile, who: ColumnProfile, data: Path) -> tuple[TableProfile, ColumnProfile]:
    """The people of a log as leads, created with their first row; what never changes of each is an attribute."""
    at = best([c for c in log.columns if c.is_moment], CREATED) or who
    name, when = quoted(who.name), at.moment or quoted(at.name)
    others = [c for c in log.columns if c is not who and not c.is_moment and c.distinct > 1]
    changed = ", ".join(f"max(n{place})" for place in range(len(others))) or "1"
    counts = ", ".join(f"count(DISTINCT {quoted(c.name)}) AS n{place}" for place, c in enumerate(others)) or "1"
    most = query(f"SELECT {changed} FROM (SELECT {counts} FROM {log.scan} GROUP BY {name})", data)[0]
    fixed = [c for c, values in zip(others, most, strict=False) if int(values) == 1]
    told = "".join(f", arg_min({quoted(c.name)}, {when}) AS {quoted(c.name)}" for c in fixed)
    check = f"/* CHECK: one lead a {who.name.replace('*/', '')}, created with its first row */"
    rows = f"FROM {log.scan} WHERE {name} IS NOT NULL GROUP BY {name} {check}"
    scan = f"(SELECT {name}, min({when}) AS created_at{told} {rows})"
    with duckdb.connect() as connection:
        leads = replace(prepared(measured(connection, log.name, scan, data), data), name=f"{log.name} by {who.name}")
    return leads, next(c for c in leads.columns if c.name == who.name)


def _of_list(leads: TableProfile) -> tuple[str, ...]:
    """What to know of a list that goes by its rows, above all where something in it names people."""
    rows = "no column names each row once: a lead is a row, named by its place; in another order it has another name"
    again = [c for c in leads.columns[1:] if names_things(c) and not c.is_moment and c.distinct < c.filled]
    people = [
        f"{c.filled:,} rows have {c.distinct:,} values of {c.name}: if it names people, rows of one person are on both"
        f" sides of the test; to take the first row of each, end the FROM with\n--   QUALIFY row_number() OVER"
        f" (PARTITION BY {quoted(c.name)} ORDER BY {quoted(leads.columns[0].name)}) = 1"
        for c in again
        if c.is_number or is_id(c)
    ]
    return (rows, *people)

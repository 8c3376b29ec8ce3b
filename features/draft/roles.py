"""Which file and column plays which part (leads, key, time, channel, outcome): guesses a person can correct."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from features.draft.attributes import attributes_of, flag_of, is_true, settling
from features.draft.columns import (
    CONTACT,
    LEAD,
    OUTCOME,
    WORDY,
    best,
    distinct,
    first,
    is_contact,
    is_id,
    is_outcome,
    is_reference,
    name_of,
    names_people,
    query,
    values_of,
)
from features.draft.profile import ColumnProfile, TableProfile, quoted
from features.draft.readings import numbered, prepared
from leadlight.schema import ARRIVED_AT, EVENT_COLUMNS
from leadlight.settings import SiteError

_CREATED = re.compile(r"creat|regist|sign.?up|start|first|open|join|注册|创建|时间|日期|date|time|_at$", re.IGNORECASE)
_CHANNEL = re.compile(r"channel|source|medium|campaign|渠道|来源", re.IGNORECASE)
_KIND = re.compile(
    r"^((order|payment|pay)[ _])?(event|kind|type|action|activity|behaviou?r|status|行为|动作|事件|类型|状态)"
    r"([ _]?(type|name|kind)|类型|名称)?$|^(订单|支付|交易)状态$",
    re.IGNORECASE,
)
_AMOUNT = re.compile(r"amount|price|value|total|minute|second|duration|revenue|score|金额|价格|时长", re.IGNORECASE)
_ARRIVED = re.compile(r"arriv|ingest|recv|receiv|recorded|loaded|synced|到达|入库|接收|上报", re.IGNORECASE)
_LAST = re.compile(r"last|latest|updat|modif|clos|won|lost|最近|最后|更新|修改|成交|下次|next", re.IGNORECASE)
KINDS_AT_MOST = 40
LABELS_AT_MOST = 2_000
_MATCHED = 0.5


@dataclass(frozen=True)
class Measure:
    """A number beside the amount of a file's events, drafted as ``kinds`` of its own, by raw value."""

    name: str
    column: ColumnProfile
    kinds: dict[str, str]


@dataclass(frozen=True)
class EventTable:
    """A file of dated facts about leads; ``kinds`` are its kinds by raw value, or one kind for the whole file.

    ``lead`` holds the leads' key or, if given, what their column ``via`` holds. ``told`` names the columns that the
    events of each kind fill in; ``measures`` and ``more`` are the further numbers that the draft takes and leaves.
    """

    table: TableProfile
    lead: ColumnProfile
    at: ColumnProfile
    arrived: ColumnProfile | None
    kind: ColumnProfile | None
    kinds: dict[str, str]
    amount: ColumnProfile | None
    labels: tuple[ColumnProfile, ...]
    outcome: bool
    via: ColumnProfile | None = None
    told: dict[str, frozenset[str]] = field(default_factory=dict)
    measures: tuple[Measure, ...] = ()
    more: tuple[str, ...] = ()

    def has(self, value: str, column: ColumnProfile) -> bool:
        """Whether events of the kind with this raw value ever have the column filled in."""
        return value not in self.told or column.name in self.told[value]


@dataclass(frozen=True)
class Roles:
    """The whole guess; ``unused`` says of each file left out why."""

    leads: TableProfile
    key: ColumnProfile
    created: ColumnProfile | None
    channel: ColumnProfile | None
    contacts: dict[str, ColumnProfile]
    attributes: dict[str, ColumnProfile]
    left_out: dict[str, str]
    flag: ColumnProfile | None
    truth: str
    won_at: ColumnProfile | None
    events: tuple[EventTable, ...]
    unused: dict[str, str]

    @property
    def offset(self) -> str:
        """The UTC offset to begin with: China's where headers are Chinese."""
        columns = [*self.leads.columns, *(column for table in self.events for column in table.table.columns)]
        return "+08:00" if any("一" <= sign <= "鿿" for column in columns for sign in column.name) else "+00:00"


def guess(tables: list[TableProfile], data: Path) -> Roles:
    """The likeliest part of every file and column; a ``SiteError`` where no table of leads can be told."""
    if len(tables) == 1 and not _keys(tables) and flag_of(tables[0], None, data)[0]:
        tables = [prepared(numbered(tables[0], data), data)]
    leads, key = _leads_table(tables, data)
    rest = [table for table in tables if table is not leads]
    events, unused = _event_tables(rest, leads, key, data)
    dated = any(table.outcome for table in events)
    times = [c for c in leads.columns if c.is_moment]
    won_at = None if dated else first([c for c in times if c.filled < leads.rows], OUTCOME)
    flag, truth = (None, "") if dated else flag_of(leads, key, data)
    created = best([c for c in times if c is not won_at and not _LAST.search(c.name)], _CREATED)
    spoken = {key.name, *(c.name for c in (created, flag, won_at) if c)}
    contacts = {
        contact: column
        for contact, pattern in CONTACT.items()
        if (column := first([c for c in leads.columns if c.name not in spoken and names_people(c)], pattern))
    }
    spoken |= {c.name for c in contacts.values()}
    channel = first([c for c in leads.columns if c.name not in spoken and not c.is_number], _CHANNEL)
    spoken |= {channel.name} if channel else set()
    won = quoted(won_at.name) + " IS NOT NULL" if won_at else is_true(flag, truth)
    attributes, left_out = attributes_of(leads, spoken, settling(leads, won, data))
    return Roles(leads, key, created, channel, contacts, attributes, left_out, flag, truth, won_at, events, unused)


def _leads_table(tables: list[TableProfile], data: Path) -> tuple[TableProfile, ColumnProfile]:
    named = _keys(tables)
    if not named:
        names = ", ".join(table.name for table in tables)
        raise SiteError(
            [f"no column names each lead once (files: {names}); add one, or write sources/leads.sql by hand"]
        )
    return max(named, key=lambda pair: _likeness(pair[0], pair[1], tables, data))


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
    return sum(_lead_reference(other, table, column, data) is not None for other in others)


def _rises(column: ColumnProfile, table: TableProfile) -> bool:
    """Whether a number can stand in for a missing time: keys are usually given in order."""
    return column.is_number and not any(c.is_moment for c in table.columns)


def _event_tables(
    tables: list[TableProfile], leads: TableProfile, key: ColumnProfile, data: Path
) -> tuple[tuple[EventTable, ...], dict[str, str]]:
    found: list[EventTable] = []
    unused: dict[str, str] = {}
    taken: set[str] = set()
    for table in tables:
        at = best([c for c in table.columns if c.is_moment and not _ARRIVED.search(c.name)], _CREATED)
        via = None
        lead = _lead_reference(table, leads, key, data)
        if lead is None:
            lead, via = _other_reference(table, leads, key, data)
        if lead is None:
            unused[table.name] = f"no column holds the leads' {key.name}, nor another of their keys"
        elif at is None:
            unused[table.name] = _undated(table)
        elif lead.distinct == lead.filled and {c.name for c in table.columns} <= {c.name for c in leads.columns}:
            unused[table.name] = f"looks like another copy of {leads.name}"
        else:
            found.append(replace(_event_table(table, lead, at, data, taken), via=via))
    return tuple(found), unused


def _undated(table: TableProfile) -> str:
    for column in table.columns:
        if not column.is_number and column.filled > column.dates >= column.filled * _MATCHED:
            wrong = column.filled - column.dates
            return f"{wrong} values of {column.name} are no date: mend them and draft again, or map it with try_cast"
    return "has no date or time: what is not dated cannot be used honestly"


def _lead_reference(table: TableProfile, leads: TableProfile, key: ColumnProfile, data: Path) -> ColumnProfile | None:
    rows = {c.name for c in table.unique() if not LEAD.search(c.name)}
    same = [c for c in table.columns if c.name.lower() == key.name.lower() and c.name not in rows]
    alike = [c for c in table.columns if LEAD.search(c.name) and not c.is_moment]
    for column in (*same, *alike):
        if _matched(table, column, leads, key, data) >= _MATCHED:
            return column
    return None


def _other_reference(
    table: TableProfile, leads: TableProfile, key: ColumnProfile, data: Path
) -> tuple[ColumnProfile | None, ColumnProfile | None]:
    """The column of a file that holds another key of the leads, as a log of the app's users does, and that key."""
    rows = {c.name for c in table.unique()}
    theirs = [c for c in table.columns if is_reference(c) and c.name not in rows]
    for via in (c for c in leads.columns if is_reference(c) and c.name != key.name and names_people(c)):
        for column in theirs:
            if _matched(table, column, leads, via, data) >= _MATCHED:
                return column, via
    return None, None


def _matched(table: TableProfile, column: ColumnProfile, leads: TableProfile, key: ColumnProfile, data: Path) -> float:
    """The share of a column's values that name a lead, or of the leads that it names: a log may have strangers."""
    values, names = distinct(table.scan, column.name, data), distinct(leads.scan, key.name, data)
    return len(values & names) / max(min(len(values), len(names)), 1)


def _event_table(
    table: TableProfile, lead: ColumnProfile, at: ColumnProfile, data: Path, taken: set[str]
) -> EventTable:
    rest = [c for c in table.columns if c.name not in {lead.name, at.name}]
    arrived = first([c for c in rest if c.is_moment], _ARRIVED)
    kind = next((c for c in rest if _KIND.match(c.name) and 1 < c.distinct <= KINDS_AT_MOST), None)
    amount = first([c for c in rest if (c.is_number or c.number) and not c.is_moment and not is_id(c)], _AMOUNT)
    values = values_of(table, kind, data) if kind else [table.name]
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
    outcome = is_outcome(table.name) or any(map(is_outcome, values))
    told = told_by(table, kind, labels, data) if kind and labels else {}
    return EventTable(table, lead, at, arrived, kind, kinds, amount, labels, outcome, told=told)


def told_by(
    table: TableProfile, kind: ColumnProfile, columns: tuple[ColumnProfile, ...], data: Path
) -> dict[str, frozenset[str]]:
    """Which of the columns the events of each kind fill in."""
    counts = ", ".join(f"count({quoted(column.name)})" for column in columns)
    by = f"{quoted(kind.name)}::VARCHAR"
    rows = query(f"SELECT {by}, {counts} FROM {table.scan} GROUP BY {by}", data)
    names = [column.name for column in columns]
    return {row[0]: frozenset(name for name, filled in zip(names, row[1:], strict=True) if filled) for row in rows}

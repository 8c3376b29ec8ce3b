"""Which file and column plays which part (leads, key, time, channel, outcome): guesses a person can correct."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import duckdb

from features.draft.profile import ColumnProfile, TableProfile, quoted
from leadlight.schema import ARRIVED_AT, CONTACTS, EVENT_COLUMNS, LEAD_COLUMNS, RESERVED
from leadlight.settings import SiteError

_LEAD = re.compile(
    r"lead|student|customer|user|contact|member|prospect|account|client|person|线索|客户|学员|用户", re.IGNORECASE
)
_CREATED = re.compile(r"creat|regist|sign.?up|start|first|open|join|注册|创建|时间|日期|date|time|_at$", re.IGNORECASE)
_CHANNEL = re.compile(r"channel|source|medium|campaign|渠道|来源", re.IGNORECASE)
_OUTCOME = re.compile(
    r"purchas|order|payment|paid|convert|conversion|won|deal|subscri|enrol|sale|成交|订单|付款|购买|转化|^y$|label|target",
    re.IGNORECASE,
)
_KIND = re.compile(
    r"^(event|kind|type|action|activity|behaviou?r|status|行为|事件|类型|状态)(_?(type|name|kind))?$", re.IGNORECASE
)
_AMOUNT = re.compile(r"amount|price|value|total|minute|second|duration|revenue|score|金额|价格|时长", re.IGNORECASE)
_ARRIVED = re.compile(r"arriv|ingest|received|recorded|loaded|synced|到达|入库", re.IGNORECASE)
_CONTACT = {
    "phone": re.compile(r"phone|mobile|手机|电话", re.IGNORECASE),
    "wechat": re.compile(r"wechat|weixin|openid|unionid|微信", re.IGNORECASE),
    "email": re.compile(r"e.?mail|邮箱", re.IGNORECASE),
    "device": re.compile(r"device.?id|imei|idfa|设备", re.IGNORECASE),
}
_TRUE = {"1", "true", "yes", "y", "t", "won", "converted", "是"}
_FALSE = {"0", "false", "no", "n", "f", "lost", "否"}
KINDS_AT_MOST = 40
LABELS_AT_MOST = 2_000
_WORDY = 0.5
_MATCHED = 0.5


@dataclass(frozen=True)
class EventTable:
    """A file of dated facts about leads; ``kinds`` are its kinds by raw value, or one kind for the whole file."""

    table: TableProfile
    lead: ColumnProfile
    at: ColumnProfile
    arrived: ColumnProfile | None
    kind: ColumnProfile | None
    kinds: dict[str, str]
    amount: ColumnProfile | None
    labels: tuple[ColumnProfile, ...]
    outcome: bool


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


def guess(tables: list[TableProfile], data: Path) -> Roles:
    """The likeliest part of every file and column; a ``SiteError`` where no table of leads can be told."""
    leads, key = _leads_table(tables, data)
    rest = [table for table in tables if table is not leads]
    events, unused = _event_tables(rest, leads, key, data)
    dated = any(table.outcome for table in events)
    times = [c for c in leads.columns if c.is_time]
    won_at = None if dated else _first([c for c in times if c.filled < leads.rows], _OUTCOME)
    flag, truth = (None, "") if dated else _flag(leads, key, data)
    created = _best([c for c in times if c is not won_at], _CREATED)
    spoken = {key.name, *(c.name for c in (created, flag, won_at) if c)}
    contacts = {
        contact: column
        for contact, pattern in _CONTACT.items()
        if (column := _first([c for c in leads.columns if c.name not in spoken and _names_people(c)], pattern))
    }
    spoken |= {c.name for c in contacts.values()}
    channel = _first([c for c in leads.columns if c.name not in spoken and not c.is_number], _CHANNEL)
    spoken |= {channel.name} if channel else set()
    attributes, left_out = _attributes(leads, spoken)
    return Roles(leads, key, created, channel, contacts, attributes, left_out, flag, truth, won_at, events, unused)


def is_outcome(text: str) -> bool:
    """Whether a file, column or kind is called like a success."""
    return bool(_OUTCOME.search(text))


def name_of(text: str, taken: set[str], fallback: str) -> str:
    """``text`` in lower-case letters, digits and underscores, unlike any ``taken``; ``fallback`` for nothing."""
    name = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_").lstrip("0123456789_") or fallback
    name = f"{name}_{fallback}" if name in RESERVED or name.endswith("_y") else name
    numbered, number = name, 2
    while numbered in taken:
        numbered, number = f"{name}_{number}", number + 1
    taken.add(numbered)
    return numbered


def _leads_table(tables: list[TableProfile], data: Path) -> tuple[TableProfile, ColumnProfile]:
    named = [(table, column) for table in tables for column in table.unique() if not _is_contact(column)]
    if not named:
        names = ", ".join(table.name for table in tables)
        raise SiteError([f"no column names each lead once (files: {names}); write sources/leads.sql by hand"])
    return max(named, key=lambda pair: _likeness(pair[0], pair[1], tables, data))


def _likeness(table: TableProfile, column: ColumnProfile, tables: list[TableProfile], data: Path) -> tuple[int, ...]:
    return (
        _references(table, column, tables, data),
        bool(_LEAD.search(column.name + table.name)),
        table.rows,
        _rises(column, table),
        _is_id(column),
        len(table.columns),
        -tables.index(table),
    )


def _references(table: TableProfile, column: ColumnProfile, tables: list[TableProfile], data: Path) -> int:
    """How many other dated files hold this key's values in a column that is called like a lead."""
    others = [other for other in tables if other is not table and any(c.is_time for c in other.columns)]
    return sum(_lead_reference(other, table, column, data) is not None for other in others)


def _rises(column: ColumnProfile, table: TableProfile) -> bool:
    """Whether a number can stand in for a missing time: keys are usually given in order."""
    return column.is_number and not any(c.is_time for c in table.columns)


def _names_people(column: ColumnProfile) -> bool:
    """Whether a column has nearly as many values as rows, as phone numbers do and yes-or-no answers do not."""
    return column.distinct > column.filled * _WORDY


def _is_contact(column: ColumnProfile) -> bool:
    return any(pattern.search(column.name) for pattern in _CONTACT.values())


def _is_id(column: ColumnProfile) -> bool:
    return bool(re.search(r"id$|编号", column.name, re.IGNORECASE))


def _event_tables(
    tables: list[TableProfile], leads: TableProfile, key: ColumnProfile, data: Path
) -> tuple[tuple[EventTable, ...], dict[str, str]]:
    found: list[EventTable] = []
    unused: dict[str, str] = {}
    taken: set[str] = set()
    for table in tables:
        at = _best([c for c in table.columns if c.is_time and not _ARRIVED.search(c.name)], _CREATED)
        lead = _lead_reference(table, leads, key, data)
        if lead is None:
            unused[table.name] = f"no column holds the leads' {key.name}"
        elif at is None:
            unused[table.name] = _undated(table)
        elif lead.distinct == lead.filled and {c.name for c in table.columns} <= {c.name for c in leads.columns}:
            unused[table.name] = f"looks like another copy of {leads.name}"
        else:
            found.append(_event_table(table, lead, at, data, taken))
    return tuple(found), unused


def _undated(table: TableProfile) -> str:
    for column in table.columns:
        if not column.is_number and column.filled > column.dates >= column.filled * _MATCHED:
            wrong = column.filled - column.dates
            return f"{wrong} values of {column.name} are no date: mend them and draft again, or map it with try_cast"
    return "has no date or time: what is not dated cannot be used honestly"


def _lead_reference(table: TableProfile, leads: TableProfile, key: ColumnProfile, data: Path) -> ColumnProfile | None:
    same = [c for c in table.columns if c.name.lower() == key.name.lower()]
    alike = [c for c in table.columns if _LEAD.search(c.name) and not c.is_time]
    for column in (*same, *alike):
        if _matched(table, column, leads, key, data) >= _MATCHED:
            return column
    return None


def _matched(table: TableProfile, column: ColumnProfile, leads: TableProfile, key: ColumnProfile, data: Path) -> float:
    """The share of a column's values that name a lead."""
    values = _distinct(table.scan, column.name, data)
    return len(values & _distinct(leads.scan, key.name, data)) / max(len(values), 1)


@cache
def _distinct(scan: str, column: str, data: Path) -> frozenset[str]:
    name = quoted(column)
    rows = _query(f"SELECT DISTINCT {name}::VARCHAR FROM {scan} WHERE {name} IS NOT NULL", data)
    return frozenset(row[0] for row in rows)


def _event_table(
    table: TableProfile, lead: ColumnProfile, at: ColumnProfile, data: Path, taken: set[str]
) -> EventTable:
    rest = [c for c in table.columns if c.name not in {lead.name, at.name}]
    arrived = _first([c for c in rest if c.is_time], _ARRIVED)
    kind = next((c for c in rest if _KIND.match(c.name) and 1 < c.distinct <= KINDS_AT_MOST), None)
    amount = _first([c for c in rest if c.is_number and not _is_id(c)], _AMOUNT)
    values = _values(table, kind, data) if kind else [table.name]
    kinds = {value: name_of(value, taken, "event") for value in values}
    labels = tuple(
        c
        for c in rest
        if c not in (arrived, kind, amount)
        and not c.is_time
        and c.distinct <= LABELS_AT_MOST
        and c.distinct < c.filled * _WORDY
        and c.name.lower() not in {*EVENT_COLUMNS, ARRIVED_AT}
        and not _is_contact(c)
    )
    outcome = is_outcome(table.name) or any(map(is_outcome, values))
    return EventTable(table, lead, at, arrived, kind, kinds, amount, labels, outcome)


def _flag(leads: TableProfile, key: ColumnProfile, data: Path) -> tuple[ColumnProfile | None, str]:
    """The column of the leads that says whether each was won, and its word for yes."""
    two_valued = [c for c in leads.columns if c.distinct == len(("yes", "no")) and c.name != key.name and not c.is_time]
    for column in sorted(two_valued, key=lambda c: _OUTCOME.search(c.name) is None):
        values = {value.lower(): value for value in _values(leads, column, data)}
        if _OUTCOME.search(column.name) and len(values.keys() & _TRUE) == 1 and values.keys() & _FALSE:
            return column, values[next(iter(values.keys() & _TRUE))]
    return None, ""


def _values(table: TableProfile, column: ColumnProfile, data: Path) -> list[str]:
    return sorted(_distinct(table.scan, column.name, data))


def _query(sql: str, data: Path) -> list[tuple[str, ...]]:
    with duckdb.connect() as connection:
        return connection.execute(sql.replace("{data}", str(data).replace("'", "''"))).fetchall()


def _attributes(leads: TableProfile, spoken: set[str]) -> tuple[dict[str, ColumnProfile], dict[str, str]]:
    kept: dict[str, ColumnProfile] = {}
    left_out: dict[str, str] = {}
    taken = {*LEAD_COLUMNS, *CONTACTS, "at", ARRIVED_AT}
    for column in leads.columns:
        if column.name in spoken:
            continue
        if column.distinct <= 1:
            left_out[column.name] = "says the same of every lead"
        elif _is_contact(column) and _names_people(column):
            left_out[column.name] = "a contact: never a feature"
        elif column.is_time:
            left_out[column.name] = "a moment: bring it in as an event of its own, dated by itself"
        elif not column.is_number and column.distinct > column.filled * _WORDY:
            left_out[column.name] = "nearly every lead has its own value"
        elif column.is_number and column.distinct == column.filled == leads.rows:
            left_out[column.name] = "a number that names the lead"
        else:
            kept[name_of(column.name, taken, "attribute")] = column
    return kept, left_out


def _first(columns: list[ColumnProfile], pattern: re.Pattern[str]) -> ColumnProfile | None:
    return next((c for c in columns if pattern.search(c.name)), None)


def _best(columns: list[ColumnProfile], pattern: re.Pattern[str]) -> ColumnProfile | None:
    """The fullest column, those with a telling name first."""
    return max(columns, key=lambda c: (pattern.search(c.name) is not None, c.filled), default=None)

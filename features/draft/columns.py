"""What columns are called and what they hold, as far as guesses need it."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import duckdb

from features.draft.profile import ColumnProfile, TableProfile, quoted
from features.draft.words import in_english
from leadlight.schema import RESERVED

LEAD = re.compile(
    r"lead|student|customer|user|contact|member|prospect|account|client|person|线索|客户|学员|用户", re.IGNORECASE
)
_KEYS = re.compile(r"id$|编号|no\.?$|^uid|openid|unionid", re.IGNORECASE)
_NAMES = re.compile(r"(^| )(id|ids|no|nr|num|number|code|key|uid|zip|phone|mobile|tel)$|编号|单号|号码|电话|手机|代码")
_STATE = re.compile(
    r"(^| )(status|stage|state|outcome|result|disposition|resolution|phase)( |$)|状态|阶段|结果|结局", re.IGNORECASE
)
_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
CONTACT = {
    "phone": re.compile(r"phone|mobile|手机|电话", re.IGNORECASE),
    "wechat": re.compile(r"wechat|weixin|openid|unionid|微信", re.IGNORECASE),
    "email": re.compile(r"e.?mail|邮箱", re.IGNORECASE),
    "device": re.compile(r"device.?id|imei|idfa|设备", re.IGNORECASE),
}
WORDY = 0.5
_MANY = 40


def spaced(text: str) -> str:
    """``text`` in lower-case words: ``closedWon``, ``closed_won`` and ``Closed-Won`` are the same."""
    return re.sub(r"[\W_]+", " ", _HUMPS.sub(" ", text).lower()).strip()


def name_of(text: str, taken: set[str], fallback: str) -> str:
    """``text`` in lower-case letters, digits and underscores, unlike any ``taken``; ``fallback`` for nothing."""
    name = re.sub(r"[^a-z0-9]+", "_", in_english(text).lower()).strip("_").lstrip("0123456789_") or fallback
    name = f"{name}_{fallback}" if name in RESERVED or name.endswith("_y") else name
    numbered, number = name, 2
    while numbered in taken:
        numbered, number = f"{name}_{number}", number + 1
    taken.add(numbered)
    return numbered


def names_people(column: ColumnProfile) -> bool:
    """Whether a column has nearly as many values as rows, as phone numbers do and yes-or-no answers do not."""
    return column.distinct > column.filled * WORDY


def is_contact(column: ColumnProfile) -> bool:
    """Whether a column is called like a phone number, a WeChat id, an e-mail or a device."""
    return any(pattern.search(column.name) for pattern in CONTACT.values())


def is_id(column: ColumnProfile) -> bool:
    """Whether a column is called like the number of something."""
    return bool(re.search(r"id$|编号", column.name, re.IGNORECASE))


def is_state(column: ColumnProfile) -> bool:
    """Whether a column is called like what becomes of something, which is overwritten as it goes on."""
    return bool(_STATE.search(spaced(column.name)))


def names_things(column: ColumnProfile) -> bool:
    """Whether a column is called like the number of something, and has as many values as such numbers have."""
    return not column.is_moment and column.distinct > _MANY and bool(_NAMES.search(spaced(column.name)))


def is_reference(column: ColumnProfile) -> bool:
    """Whether a column may name leads: a key, a contact, or one called like a person."""
    return not column.is_moment and bool(_KEYS.search(column.name) or is_contact(column) or LEAD.search(column.name))


def first(columns: list[ColumnProfile], pattern: re.Pattern[str]) -> ColumnProfile | None:
    """The first column with a telling name."""
    return next((c for c in columns if pattern.search(c.name)), None)


def best(columns: list[ColumnProfile], pattern: re.Pattern[str]) -> ColumnProfile | None:
    """The fullest column, those with a telling name first."""
    return max(columns, key=lambda c: (pattern.search(c.name) is not None, c.filled), default=None)


def values_of(table: TableProfile, column: ColumnProfile, data: Path) -> list[str]:
    """The values of a column, in order."""
    return sorted(distinct(table.scan, column.name, data))


@cache
def distinct(scan: str, column: str, data: Path) -> frozenset[str]:
    """The values of a column as text."""
    name = quoted(column)
    rows = query(f"SELECT DISTINCT {name}::VARCHAR FROM {scan} WHERE {name} IS NOT NULL", data)
    return frozenset(row[0] for row in rows)


def literal(value: str) -> str:
    """``value`` as an SQL text."""
    return "'" + value.replace("'", "''") + "'"


def query(sql: str, data: Path) -> list[tuple[str, ...]]:
    """The rows of a query over the raw files."""
    with duckdb.connect() as connection:
        return connection.execute(sql.replace("{data}", str(data).replace("'", "''"))).fetchall()

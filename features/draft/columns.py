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
OUTCOME = re.compile(
    r"purchas|order|payment|paid|convert|conversion|won|deal|subscri|enrol|sale|成交|订单|付款|支付|缴费|购买|转化|签约|报名"
    r"|^y$|label|target",
    re.IGNORECASE,
)
_UNDONE = re.compile(r"refund|cancel|fail|lost|unpaid|unsubscri|pending|void|退|取消|失败|关闭|未|待", re.IGNORECASE)
_KEYS = re.compile(r"id$|编号|no\.?$|^uid|openid|unionid", re.IGNORECASE)
CONTACT = {
    "phone": re.compile(r"phone|mobile|手机|电话", re.IGNORECASE),
    "wechat": re.compile(r"wechat|weixin|openid|unionid|微信", re.IGNORECASE),
    "email": re.compile(r"e.?mail|邮箱", re.IGNORECASE),
    "device": re.compile(r"device.?id|imei|idfa|设备", re.IGNORECASE),
}
WORDY = 0.5


def is_outcome(text: str) -> bool:
    """Whether a file, column or kind is called like a success, and not like one that was undone."""
    return bool(OUTCOME.search(text)) and not _UNDONE.search(text)


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


def query(sql: str, data: Path) -> list[tuple[str, ...]]:
    """The rows of a query over the raw files."""
    with duckdb.connect() as connection:
        return connection.execute(sql.replace("{data}", str(data).replace("'", "''"))).fetchall()

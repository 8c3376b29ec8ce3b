"""What raw columns mean beyond their type: moments as text or counted since 1970, money as text, rows sent twice."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import duckdb

from features import spellings
from features.draft.profile import PLACEHOLDERS, ColumnProfile, TableProfile, measured, quoted

_SAMPLE = 500
_DAYS = (19900101, 20991231)
_WHEN = re.compile(r"(^|_)ts($|_)|time|date|stamp|_at$|时间|日期|时刻", re.IGNORECASE)
_MONEY = r"[¥￥$€£,%\s]|元|RMB|CNY|USD|EUR"
_MOSTLY = 0.95
_NEARLY = 0.9
_KEY = re.compile(r"id$|编号|单号|^no\.?$|number$", re.IGNORECASE)


def prepared(table: TableProfile, data: Path) -> TableProfile:
    """``table`` with every row once and each column's reading, as far as the values themselves tell."""
    with duckdb.connect() as connection:
        once = _once(connection, table, data)
        source = once.scan.replace("{data}", str(data).replace("'", "''"))
        if "read_parquet" not in source:
            connection.execute(f"CREATE TEMP TABLE texts AS SELECT * FROM {source}")  # parsed once, asked often
            source = "texts"
        return replace(once, columns=tuple(_read(connection, column, source) for column in once.columns))


def numbered(table: TableProfile, data: Path) -> TableProfile:
    """``table`` with the place of each row, for a list whose rows have no name of their own."""
    scan = f"(SELECT row_number() OVER () AS row_number, * FROM {table.scan})"
    with duckdb.connect() as connection:
        return measured(connection, table.name, scan, data)


def _once(connection: duckdb.DuckDBPyConnection, table: TableProfile, data: Path) -> TableProfile:
    """Without rows that are there twice if a key is unique then; else one row of each value of what is nearly a key."""
    if table.unique():
        return table
    distinct = measured(connection, table.name, f"(SELECT DISTINCT * FROM {table.scan})", data)
    if distinct.unique() and 2 * distinct.rows > table.rows:
        return distinct
    keys = [c for c in distinct.columns if _KEY.search(c.name) and c.distinct >= _NEARLY * distinct.rows]
    times = [c for c in distinct.columns if c.is_time]
    if not keys or keys[0].filled < distinct.rows:
        return table
    order = f" ORDER BY {quoted(times[0].name)}" if times else ""
    one = f"QUALIFY row_number() OVER (PARTITION BY {quoted(keys[0].name)}{order}) = 1"
    check = f"/* CHECK: of several rows of one {keys[0].name.replace('*/', '')} only the first is taken */"
    return measured(connection, table.name, f"(SELECT * FROM {table.scan} {one} {check})", data)


def _read(connection: duckdb.DuckDBPyConnection, column: ColumnProfile, source: str) -> ColumnProfile:
    if column.type == "VARCHAR" and column.filled:
        return _read_text(connection, column, source)
    if column.is_number and _WHEN.search(column.name):
        return _read_since_1970(connection, column, source)
    return column


def _read_text(connection: duckdb.DuckDBPyConnection, column: ColumnProfile, source: str) -> ColumnProfile:
    name = quoted(column.name)
    some = f"(SELECT {name} FROM {source} WHERE nullif(trim({name}), '') IS NOT NULL LIMIT {_SAMPLE})"
    for reading in (f"{name}::TIMESTAMP", *(_strptime(name, _formats(days)) for days in spellings.DAYS)):
        if _all_days(connection, name, reading, some) is not None:
            whole_days = _all_days(connection, name, reading, source)
            if whole_days is not None:
                return replace(column, moment=_shortest(connection, name, reading, source), whole_days=whole_days)
    number = f"TRY_CAST(regexp_replace({name}, '{_MONEY}', '', 'g') AS DOUBLE)"
    words = f"nullif(trim({name}), '') IS NOT NULL AND lower(trim({name})) NOT IN {PLACEHOLDERS}"
    said, numbers, different, money = connection.execute(
        f"SELECT count(*) FILTER ({words}), count({number}), count(DISTINCT {number}), "
        f"count(*) FILTER (regexp_matches({name}, '{_MONEY}')) FROM {source}"
    ).fetchall()[0]
    is_number = money and different > 1 and numbers >= _MOSTLY * said
    return replace(column, number=number) if is_number else column


def _all_days(connection: duckdb.DuckDBPyConnection, name: str, reading: str, source: str) -> bool | None:
    """Whether all moments are whole days; None unless every text can be read as a moment."""
    one = f"TRY_CAST({name} AS TIMESTAMP)" if reading.endswith("::TIMESTAMP") else f"try_{reading}"
    filled, read, whole = connection.execute(
        f"SELECT count({name}), count({one}), bool_and({one} = date_trunc('day', {one})) FROM {source}"
    ).fetchall()[0]
    return bool(whole) if filled and filled == read else None


def _shortest(connection: duckdb.DuckDBPyConnection, name: str, reading: str, source: str) -> str:
    """``reading`` with only the formats that it needs."""
    formats = next((each for each in map(_formats, spellings.DAYS) if _strptime(name, each) == reading), [])
    for one in tuple(formats):
        fewer = [each for each in formats if each != one]
        if fewer and _all_days(connection, name, _strptime(name, fewer), source) is not None:
            formats = fewer
    return _strptime(name, formats) if formats else reading


def _formats(days: tuple[str, ...]) -> list[str]:
    return [f"{day}{time}" for day in days for time in spellings.TIMES]


def _strptime(name: str, formats: list[str]) -> str:
    return f"strptime(trim({name}), [" + ", ".join(f"'{each}'" for each in formats) + "])"


def _read_since_1970(connection: duckdb.DuckDBPyConnection, column: ColumnProfile, source: str) -> ColumnProfile:
    name = quoted(column.name)
    found = connection.execute(f"SELECT min({name}), max({name}) FROM {source} WHERE {name} <> 0").fetchone()
    least, most = found or (None, None)
    for one, micros in spellings.SINCE_1970.values():
        if least is not None and one <= least <= most < spellings.SPAN * one:
            return replace(column, moment=f"make_timestamptz(({name} * {micros})::BIGINT)")
    if least is not None and _DAYS[0] <= least <= most <= _DAYS[1]:
        return replace(column, moment=f"strptime({name}::VARCHAR, '%Y%m%d')", whole_days=True)
    return column

"""What raw files hold: tables, columns, types, how full and how varied they are. Guesses nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from leadlight.settings import SiteError

PLACEHOLDERS = ("select", "n/a", "na", "none", "null", "nan", "-", "?")


@dataclass(frozen=True)
class ColumnProfile:
    """One raw column; ``placeholders`` counts words such as "Select" or "N/A" that stand for nothing.

    ``dates`` counts the values that can be read as a moment, ``whole_days`` is true of dates without a time of day.
    ``moment`` and ``number`` are the SQL that reads a text or a number as a moment, a text as a number.
    """

    name: str
    type: str
    filled: int
    distinct: int
    placeholders: int
    dates: int
    whole_days: bool
    moment: str = ""
    number: str = ""

    @property
    def is_moment(self) -> bool:
        """Whether it says when: a date or a moment, or what can be read as one."""
        return self.is_time or bool(self.moment)

    @property
    def is_time(self) -> bool:
        """Whether DuckDB reads it as a date or a moment."""
        return self.type.startswith(("DATE", "TIMESTAMP"))

    @property
    def is_number(self) -> bool:
        """Whether it can be added up."""
        return self.type.startswith(("BIGINT", "INTEGER", "DOUBLE", "FLOAT", "DECIMAL", "HUGEINT", "SMALLINT"))


@dataclass(frozen=True)
class TableProfile:
    """One file: ``scan`` is the SQL that reads it, with ``{data}`` for the folder."""

    name: str
    scan: str
    rows: int
    columns: tuple[ColumnProfile, ...]

    def unique(self) -> list[ColumnProfile]:
        """The columns that name each row: filled everywhere, never twice the same, and no moment."""
        return [c for c in self.columns if c.distinct == c.filled == self.rows and not c.is_moment]


_READERS = {
    ".csv": "read_csv('{data}/%s', sample_size = -1)",
    ".tsv": "read_csv('{data}/%s', sample_size = -1)",
    ".parquet": "read_parquet('{data}/%s')",
    ".json": "read_json('{data}/%s', sample_size = -1)",
    ".jsonl": "read_json('{data}/%s', sample_size = -1)",
    ".ndjson": "read_json('{data}/%s', sample_size = -1)",
}


def profile(data: Path) -> list[TableProfile]:
    """Every CSV, Parquet and JSON file in ``data`` that holds rows, by name; unreadable ones are a ``SiteError``."""
    paths = sorted(path for path in data.glob("*") if path.suffix.lower() in _READERS)
    if not paths:
        allowed = ", ".join(_READERS)
        raise SiteError([f"{data}: holds no file of {allowed}; give the folder of the raw files with --data DIR"])
    tables: list[TableProfile] = []
    faults: list[str] = []
    with duckdb.connect() as connection:
        for path in paths:
            try:
                tables.append(_table(connection, path))
            except duckdb.Error as error:
                if path.suffix.lower() != ".json":  # which may be settings rather than rows
                    faults.append(f"{path.name}: cannot be read: {_words(error)}")
    if faults:
        raise SiteError(faults)
    return [table for table in tables if table.rows]


def unread(data: Path) -> dict[str, str]:
    """Why each other file or folder in ``data`` is not looked at."""
    why = f"is no file of {', '.join(_READERS)}; save it as one of these, or read it in the SQL by hand"
    others = [path for path in sorted(data.glob("[!.]*")) if path.suffix.lower() not in _READERS]
    return {path.name: why for path in others}


def quoted(name: str) -> str:
    """``name`` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _table(connection: duckdb.DuckDBPyConnection, path: Path) -> TableProfile:
    scan = _READERS[path.suffix.lower()] % path.name.replace("'", "''")
    return measured(connection, path.stem, scan, path.parent)


def measured(connection: duckdb.DuckDBPyConnection, name: str, scan: str, data: Path) -> TableProfile:
    """The profile of what ``scan`` returns."""
    source = scan.replace("{data}", str(data).replace("'", "''"))
    types = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
    parts = ", ".join(_measures(name, kind) for name, kind, *_ in types)
    row = connection.execute(f"SELECT count(*), {parts} FROM {source}").fetchone() or ()
    columns = tuple(
        ColumnProfile(column, kind, *row[1 + 5 * place : 6 + 5 * place])
        for place, (column, kind, *_) in enumerate(types)
    )
    return TableProfile(name, scan, row[0], columns)


def _words(error: duckdb.Error) -> str:
    """The first line of DuckDB's words, and the second where that says what is wrong."""
    first, *rest = str(error).splitlines()
    return " ".join([first, *rest[:1]]) if "CSV Error" in first else first


def _measures(name: str, kind: str) -> str:
    column = quoted(name)
    whole = "true" if kind == "DATE" else "false"
    if kind.startswith("TIMESTAMP"):
        whole = f"coalesce(bool_and({column} = date_trunc('day', {column})), false)"
    return (
        f"count({column}), count(DISTINCT {column}), "
        f"count(*) FILTER (lower(trim({column}::VARCHAR)) IN {PLACEHOLDERS}), "
        f"count(try_cast({column}::VARCHAR AS TIMESTAMP)), {whole}"
    )

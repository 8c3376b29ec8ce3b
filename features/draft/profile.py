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
    """

    name: str
    type: str
    filled: int
    distinct: int
    placeholders: int
    dates: int
    whole_days: bool

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
        return [c for c in self.columns if c.distinct == c.filled == self.rows and not c.is_time]


def profile(data: Path) -> list[TableProfile]:
    """Every CSV and Parquet file in ``data`` that holds rows, by name; unreadable ones are a ``SiteError``."""
    paths = sorted(path for path in data.glob("*") if path.suffix in {".csv", ".parquet"})
    if not paths:
        raise SiteError([f"{data}: holds no .csv or .parquet file; give the folder of the raw files with --data DIR"])
    tables: list[TableProfile] = []
    faults: list[str] = []
    with duckdb.connect() as connection:
        for path in paths:
            try:
                tables.append(_table(connection, path))
            except duckdb.Error as error:
                faults.append(f"{path.name}: cannot be read: {str(error).splitlines()[0]}")
    if faults:
        raise SiteError(faults)
    return [table for table in tables if table.rows]


def quoted(name: str) -> str:
    """``name`` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _table(connection: duckdb.DuckDBPyConnection, path: Path) -> TableProfile:
    reader = "read_csv('{data}/%s', sample_size = -1)" if path.suffix == ".csv" else "read_parquet('{data}/%s')"
    scan = reader % path.name.replace("'", "''")
    source = scan.replace("{data}", str(path.parent).replace("'", "''"))
    types = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
    parts = ", ".join(_measures(name, kind) for name, kind, *_ in types)
    row = connection.execute(f"SELECT count(*), {parts} FROM {source}").fetchone() or ()
    columns = tuple(
        ColumnProfile(name, kind, *row[1 + 5 * place : 6 + 5 * place]) for place, (name, kind, *_) in enumerate(types)
    )
    return TableProfile(path.stem, scan, row[0], columns)


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

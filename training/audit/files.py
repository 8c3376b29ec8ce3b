"""The raw files as they are: every column of a file that speaks of leads, whether the site's SQL took it or not."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from features.draft.profile import PLACEHOLDERS, ColumnProfile, TableProfile, profile, quoted
from leadlight.schema import LEAD_ID, Micros
from leadlight.settings import SiteError
from training.audit.asked import Asked
from training.audit.told import KNOWN, VALUE, Told

HALF = 0.5
"""The share of a file's rows that must name a lead in one column."""
FEWEST_NAMED = 20
NEARLY_ALL = 0.95
AGAIN = 0.05
"""The share of leads with several rows from which on a file is a log rather than a list."""


@dataclass(frozen=True)
class Files:
    """Every column of the files that name leads, and what is to say of the others."""

    columns: tuple[Told, ...]
    notes: tuple[str, ...]


def told_by_files(
    data: Path, leads: Sequence[str], asked: Asked, *, offset: Micros, called: Collection[str] = ()
) -> Files:
    """Read the CSV and Parquet files in ``data``; ``leads`` are all that the history knows.

    A file's key is the column whose values are leads. Where leads are numbered one by one, any small numbers are: then
    the site's SQL must have ``called`` the column the lead's, or it names nearly every lead once. Where leads have
    several rows, its moments date the rows: of those filled everywhere that differ within a lead, the earliest.
    Moments without a zone are local, ``offset`` ahead.
    """
    try:
        tables = profile(data)
    except SiteError as error:
        return Files((), tuple(f"raw files are not judged: {fault}" for fault in error.faults))
    columns: list[Told] = []
    notes: list[str] = []
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("every_lead", pd.DataFrame({LEAD_ID: pd.Series(leads, dtype=object)}))
        connection.register("asked_lead", pd.DataFrame({LEAD_ID: asked.lead_id}))
        for table in tables:
            scan = table.scan.replace("{data}", str(data).replace("'", "''"))
            key = _key(connection, table, scan)
            if key is None:
                notes.append(f"{_file(table)} is not judged: no column of it names leads")
            elif key not in called and _by_chance(connection, table, scan, key, len(leads)):
                why = f"the numbers in {key} are leads' numbers as well, as any of that size would be"
                notes.append(f"{_file(table)}: no key found: raw columns of this file were not judged ({why})")
            else:
                columns += _columns(connection, table, scan, key, asked, offset=offset)
    return Files(tuple(columns), tuple(notes))


def _key(connection: duckdb.DuckDBPyConnection, table: TableProfile, scan: str) -> str | None:
    """The column that names the most leads, if it does so in at least half of the rows."""
    candidates = [column.name for column in table.columns if not column.is_time and column.distinct > 1]
    if not candidates:
        return None
    counts = ", ".join(
        f"count(*) FILTER ({quoted(name)}::VARCHAR IN (FROM every_lead)), "
        f"count(DISTINCT {quoted(name)}) FILTER ({quoted(name)}::VARCHAR IN (FROM every_lead))"
        for name in candidates
    )
    found = connection.execute(f"SELECT {counts} FROM {scan}").fetchall()[0]  # noqa: S608 - names are quoted
    named = [(found[2 * place + 1], found[2 * place], name) for place, name in enumerate(candidates)]
    leads, rows, name = max(named, key=lambda each: each[:2])
    return name if rows >= HALF * table.rows and leads >= FEWEST_NAMED else None


def _by_chance(connection: duckdb.DuckDBPyConnection, table: TableProfile, scan: str, key: str, leads: int) -> bool:
    """Whether a column's whole numbers lie where most numbers are leads, and do not name nearly every lead once."""
    column = next(each for each in table.columns if each.name == key)
    if not column.type.endswith("INT") and not column.type.startswith("INTEGER"):
        return False
    name = quoted(key)
    least, most = connection.execute(f"SELECT min({name}), max({name}) FROM {scan}").fetchall()[0]  # noqa: S608 - quoted
    taken = connection.execute(
        "SELECT count(*) FROM (SELECT try_cast(COLUMNS(*) AS HUGEINT) AS number FROM every_lead)"
        " WHERE number BETWEEN ? AND ?",
        [least, most],
    ).fetchall()[0][0]
    dense = taken >= HALF * (most - least + 1)
    once = column.distinct == table.rows and column.distinct >= NEARLY_ALL * leads
    return bool(dense and not once)


def _columns(
    connection: duckdb.DuckDBPyConnection, table: TableProfile, scan: str, key: str, asked: Asked, *, offset: Micros
) -> list[Told]:
    others = [column for column in table.columns if column.name != key]
    read = ", ".join(f"{_sql(column)} AS {quoted(column.name)}" for column in others) or "1"
    query = f"SELECT {quoted(key)}::VARCHAR AS lead_key, {read} FROM {scan}"  # noqa: S608 - names are quoted
    rows = connection.execute(f"FROM ({query}) WHERE lead_key IN (FROM asked_lead)").df()
    lead = rows.pop("lead_key").rename(LEAD_ID)
    for column in (column for column in others if column.is_time and "ZONE" not in column.type):
        rows[column.name] -= offset
    known = _row_times(rows, lead, [column.name for column in others if column.is_time])
    dated = {} if known is None else {KNOWN: known}
    return [
        Told.of(
            column.name,
            _file(table),
            pd.DataFrame({LEAD_ID: lead, VALUE: _values(rows[column.name]), **dated}),
            asked,
            moment=column.is_time,
        )
        for column in others
    ]


def _row_times(rows: pd.DataFrame, lead: pd.Series[str], times: list[str]) -> pd.Series[float] | None:
    """Since when each row can have been known at the earliest, if leads have several rows with different moments."""
    if lead.empty or (lead.value_counts() > 1).mean() < AGAIN:
        return None
    full = [name for name in times if rows[name].notna().all()]
    differing = [name for name in full if (rows[name].groupby(lead).agg(np.ptp) > 0).mean() >= AGAIN]
    return rows[differing].min(axis=1) if differing else None


def _sql(column: ColumnProfile) -> str:
    """Numbers as doubles, moments as microseconds, all else as text."""
    name = quoted(column.name)
    if column.is_time:
        return f"epoch_us({name if 'ZONE' in column.type else f'{name}::TIMESTAMP'})::DOUBLE"
    return f"{name}::DOUBLE" if column.is_number else f"{name}::VARCHAR"


def _values(values: pd.Series[Any]) -> pd.Series[Any]:
    """What a form shows before anybody chooses is no value."""
    if values.dtype != object:
        return values
    empty = values.str.strip().str.lower().isin([*PLACEHOLDERS, ""])
    return values.where(~empty & values.notna(), None)


def _file(table: TableProfile) -> str:
    return table.scan.split("{data}/")[1].split("'")[0]

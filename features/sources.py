"""A site's SQL over its data: runs it with DuckDB and hands back the two raw tables as they came. Checks nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import ibis

from features.duck import connect
from features.encoding import utf8_folder
from leadlight.schema import HOUR, Micros
from leadlight.settings import Site, SiteError

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

TABLES = ("leads", "events")
_GB = re.compile(r"encoding\s*=\s*'(gb|cp936)", re.IGNORECASE)

_BETWEEN_HOURS = {
    4.5: "Asia/Kabul",
    5.5: "Asia/Kolkata",
    5.75: "Asia/Kathmandu",
    6.5: "Asia/Yangon",
    9.5: "Australia/Darwin",
    -9.5: "Pacific/Marquesas",
}
"""The places whose clocks never change, for the offsets that are no whole hours."""


@dataclass(frozen=True)
class Raw:
    """What the site's two queries returned, held in one DuckDB connection of its own."""

    connection: Backend
    leads: ibis.Table
    events: ibis.Table


def query_files(site: Site) -> tuple[Path, ...]:
    """``sources/leads.sql`` and ``sources/events.sql`` of ``site``."""
    return tuple(site.folder / "sources" / f"{table}.sql" for table in TABLES)


def read_sources(site: Site, data: Path) -> Raw:
    """Run both queries of ``site`` with ``{data}`` standing for the folder ``data``; its text files may be GB18030.

    The session is at the site's offset, whatever the machine's time zone: where a query lays moments with a zone and
    local ones into one column, or casts one to the other, they mean the same as apart. Raises ``SiteError`` with the
    faults of both files.
    """
    if not data.is_dir():
        raise SiteError([f"{data}: no such folder; --data DIR names the one that holds the raw files"])
    connection = connect()
    connection.con.execute(f"SET TimeZone = '{_zone(site.offset)}'")
    with utf8_folder(data) as readable:
        found = [fault for path in query_files(site) for fault in _run(connection.con, path, readable)]
    connection.con.execute("SET TimeZone = 'UTC'")
    faults = [fault.replace(str(readable.absolute()), str(data.absolute())) for fault in found]
    if faults:
        connection.disconnect()
        raise SiteError(faults)
    return Raw(connection, *(connection.table(f"raw_{table}") for table in TABLES))


def _zone(offset: Micros) -> str:
    """DuckDB's name for a fixed offset (its sign is the other way round); UTC for the few that have none."""
    hours, rest = divmod(offset, HOUR)
    return _BETWEEN_HOURS.get(offset / HOUR, "UTC") if rest else f"Etc/GMT{-hours:+d}"


def _run(connection: duckdb.DuckDBPyConnection, path: Path, data: Path) -> Iterator[str]:
    name = f"sources/{path.name}"
    if not path.is_file():
        yield f"{name}: no such file; it holds the SELECT that returns the site's {path.stem}"
        return
    query = path.read_text(encoding="utf-8").replace("{data}", str(data.absolute()).replace("'", "''"))
    try:
        relation = connection.sql(query)
        if relation is None:
            yield f"{name}: returns no rows at all; its last statement must be a SELECT"
        else:
            relation.create(f"raw_{path.stem}")
    except duckdb.Error as error:
        hint = "; GB18030 files are read by themselves: leave `encoding` out" if _GB.search(query) else ""
        yield f"{name}: DuckDB refused it: {error}{hint}"

"""A site's SQL over its data: runs it with DuckDB and hands back the two raw tables as they came. Checks nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import ibis

from leadlight.settings import Site, SiteError

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

TABLES = ("leads", "events")


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
    """Run both queries of ``site`` with ``{data}`` standing for the folder ``data``.

    The session is always in UTC, whatever the machine's time zone. Raises ``SiteError`` with the faults of both files.
    """
    if not data.is_dir():
        raise SiteError([f"{data}: no such folder; --data DIR names the one that holds the raw files"])
    connection = ibis.duckdb.connect()  # Ibis sets the session's time zone to UTC
    faults = [fault for path in query_files(site) for fault in _run(connection.con, path, data)]
    if faults:
        connection.disconnect()
        raise SiteError(faults)
    return Raw(connection, *(connection.table(f"raw_{table}") for table in TABLES))


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
        yield f"{name}: DuckDB refused it: {error}"

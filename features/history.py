"""A lead's past: the log of events and attribute versions, as Parquet bucketed by lead, and how it is read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import ibis

from leadlight.schema import AMOUNT, ARRIVED_AT, AT, CREATED_AT, EVENT_ID, KIND, LEAD_ID, UNTIL, Micros
from leadlight.settings import Site, SiteError

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

Value = int | float | str | None
Fields = dict[str, Any]
"""A row of one of the history's tables: its columns are checked where they are written."""

TABLES = {
    "leads": (LEAD_ID,),
    "attributes": (LEAD_ID, AT, ARRIVED_AT),
    "events": (LEAD_ID, AT, EVENT_ID, ARRIVED_AT),
}
"""The history's tables and the columns that come first in each, which order its rows."""
BUCKETS = "0123456789abcdef"
ROW_GROUP = 8_192
"""Rows of a Parquet row group: few enough that one lead is read in milliseconds, enough to scan all quickly."""

_EVENT_KEYS = (*TABLES["events"], UNTIL, KIND, AMOUNT)


@dataclass(frozen=True)
class Event:
    """One dated fact; ``until`` is the arrival of its next version, of the same ``event_id`` (``None``: the latest)."""

    event_id: str
    kind: str
    at: Micros
    arrived_at: Micros
    until: Micros | None = None
    amount: int | None = None
    labels: Mapping[str, str | None] | None = None


@dataclass(frozen=True)
class Version:
    """The attributes of a lead as they stood from ``at``, known from ``arrived_at``."""

    at: Micros
    arrived_at: Micros
    values: Mapping[str, Value]


@dataclass(frozen=True)
class LeadFacts:
    """All that the log holds of one lead."""

    lead_id: str
    created_at: Micros
    channel: str
    contact: str | None = None
    versions: tuple[Version, ...] = ()
    events: tuple[Event, ...] = ()


@dataclass(frozen=True)
class Tables:
    """The history as tables.

    leads: ``lead_id``, ``created_at``, ``channel`` (of its first version), ``contact`` (masked): one row a lead.
    attributes: ``lead_id``, ``at``, ``arrived_at``, ``channel`` and every attribute (text or float): one row a version.
    events: ``lead_id``, ``at``, ``event_id``, ``arrived_at``, ``until``, ``kind``, ``amount`` and every label.
    """

    leads: ibis.Table
    attributes: ibis.Table
    events: ibis.Table


@dataclass(frozen=True)
class Summary:
    """What a history holds: its digest is the same for the same facts, in whatever files and order they came."""

    digest: str
    newest_fact: Micros
    leads: int
    attributes: int
    events: int


@dataclass(frozen=True)
class History:
    """A history in a folder. Reading it is safe from several threads."""

    root: Path
    summary: Summary
    _connection: duckdb.DuckDBPyConnection = field(repr=False, compare=False)

    def tables(self, connection: Backend) -> Tables:
        """The history's tables, read by ``connection`` (Ibis on DuckDB)."""
        files = {name: str(_file(self.root, name, "*")) for name in TABLES}
        return Tables(**{name: connection.read_parquet(path, hive_partitioning=False) for name, path in files.items()})

    @contextmanager
    def reading(self) -> Iterator[Tables]:
        """The history's tables, over a connection of their own that ends with the block."""
        connection = ibis.duckdb.connect()
        try:
            yield self.tables(connection)
        finally:
            connection.disconnect()

    def lead(self, lead_id: str) -> LeadFacts | None:
        """All facts of one lead, quickly; ``None`` if the history does not know it."""
        return self.facts([lead_id]).get(lead_id)

    def facts(self, lead_ids: Iterable[str]) -> dict[str, LeadFacts]:
        """All facts of each of these leads that the history knows, with one query a table."""
        wanted = sorted(set(lead_ids))
        cursor = self._connection.cursor()
        leads, attributes, events = (_read(cursor, self.root, table, wanted) for table in TABLES)
        versions_of = {lead_id: tuple(map(_version, rows)) for lead_id, rows in attributes.items()}
        events_of = {lead_id: tuple(map(_event, rows)) for lead_id, rows in events.items()}
        return {
            lead_id: LeadFacts(**row, versions=versions_of.get(lead_id, ()), events=events_of.get(lead_id, ()))
            for lead_id, (row,) in leads.items()
        }


def write_history(tables: Tables, connection: Backend, state: Path) -> History:
    """Write ``tables``, which ``connection`` holds, into ``state``/history, which must not exist yet."""
    root = history_folder(state)
    for name in TABLES:
        _write_table(getattr(tables, name), connection, root, name)
    summary = _summarise(connection.con, root)
    (root / "summary.json").write_text(json.dumps(asdict(summary), indent=1) + "\n", encoding="utf-8")
    return open_history(state)


def open_history(state: Path) -> History:
    """The history that the last build left in ``state``; ``SiteError`` if there is none."""
    root = history_folder(state)
    summary = root / "summary.json"
    if not summary.is_file():
        raise SiteError([f"{state}: holds no history yet; `leadlight build SITE` makes it"])
    connection = duckdb.connect(config={"threads": 1})  # a read is short: more threads only make it slower
    return History(root, Summary(**json.loads(summary.read_text(encoding="utf-8"))), connection)


def clock(site: Site, history: History, *, wall: Micros) -> Micros:
    """What *now* means for ``site``: ``wall``, or just after the newest fact, so that this fact counts."""
    return wall if site.clock.at == "wall" else history.summary.newest_fact + 1


def history_folder(state: Path) -> Path:
    """Where the history lies in a state folder."""
    return state / "history"


def _file(root: Path, name: str, bucket: str) -> Path:
    return root / name / f"bucket={bucket}" / "part.parquet"


def _bucket(lead_id: str) -> str:
    return hashlib.md5(lead_id.encode(), usedforsecurity=False).hexdigest()[0]


def _write_table(table: ibis.Table, connection: Backend, root: Path, name: str) -> None:
    """One file a bucket, even an empty one, so that every read finds its files."""
    table = table.relocate(*TABLES[name])
    connection.create_table(name, table.mutate(_bucket=table[LEAD_ID].hexdigest("md5").left(1)))
    columns = ", ".join(f'"{column}"' for column in table.columns)
    for bucket in BUCKETS:
        file = _file(root, name, bucket)
        file.parent.mkdir(parents=True)
        rows = connection.con.table(name).filter(f"_bucket = '{bucket}'").project(columns).order(columns)
        rows.write_parquet(str(file), row_group_size=ROW_GROUP)
    connection.drop_table(name)


def _summarise(connection: duckdb.DuckDBPyConnection, root: Path) -> Summary:
    digest = hashlib.sha256()
    counts = dict.fromkeys(TABLES, 0)
    newest: list[Micros | None] = []
    for name in TABLES:
        for bucket in BUCKETS:
            rows, content = connection.execute(_DIGEST, [str(_file(root, name, bucket))]).fetchall()[0]
            counts[name] += rows
            digest.update(f"{name}/{bucket}:{rows}:{content}\n".encode())
        moment = CREATED_AT if name == "leads" else ARRIVED_AT
        newest += connection.read_parquet(str(_file(root, name, "*"))).max(moment).fetchall()[0]
    return Summary(digest.hexdigest(), max(moment for moment in newest if moment is not None), **counts)


_DIGEST = """
SELECT count(*), sha256(coalesce(string_agg(row, '' ORDER BY row), ''))
FROM (SELECT md5(to_json(fact)::VARCHAR) AS row FROM read_parquet(?, hive_partitioning = false) AS fact)
"""
"""A file's content whatever its encoding: names and values of each row as JSON, hashed in the order of the hashes."""

_READ = """
FROM read_parquet(?, hive_partitioning = false) WHERE lead_id IN (SELECT unnest(?)) ORDER BY ALL
"""


def _read(cursor: duckdb.DuckDBPyConnection, root: Path, name: str, lead_ids: list[str]) -> dict[str, list[Fields]]:
    """Each lead's rows of one table, in the order of its columns."""
    files = [str(_file(root, name, bucket)) for bucket in sorted({_bucket(lead_id) for lead_id in lead_ids})]
    if not files:
        return {}
    rows = cursor.execute(_READ, [files, lead_ids]).fetchall()
    columns = [column for column, *_ in cursor.description or ()]
    fields = (dict(zip(columns, row, strict=True)) for row in rows)
    return {lead_id: list(own) for lead_id, own in groupby(fields, key=itemgetter(LEAD_ID))}


def _version(row: Fields) -> Version:
    return Version(
        row[AT], row[ARRIVED_AT], {name: value for name, value in row.items() if name not in TABLES["attributes"]}
    )


def _event(row: Fields) -> Event:
    labels = {name: value for name, value in row.items() if name not in _EVENT_KEYS}
    return Event(**{key: row[key] for key in _EVENT_KEYS if key != LEAD_ID}, labels=labels)

"""How a version of the history is read: all of it as tables, or a few leads quickly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from features.duck import connected
from features.facts import TABLES, Event, LeadFacts, Tables, Version
from features.history.event_ids import of_other_leads
from features.history.summary import Summary, bucket_file, bucket_of, history_folder, read_summary
from features.identity import Evidence, Interval
from features.identity.contacts import HASH
from features.people import Identities, person
from leadlight.schema import AMOUNT, ARRIVED_AT, AT, EVENT_ID, KIND, LEAD_ID, UNTIL, Micros
from leadlight.settings import Site

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

Fields = dict[str, Any]
"""A row of one of the history's files: its columns are checked where they are written."""

_VERSION_KEYS = (AT, ARRIVED_AT, UNTIL)
_EVENT_KEYS = (AT, EVENT_ID, ARRIVED_AT, UNTIL, KIND, AMOUNT)


@dataclass(frozen=True)
class History:
    """One version of a history. Reading it is safe from several threads.

    ``identity`` knows who is one person with whom, as far as the history goes.
    """

    root: Path
    summary: Summary
    identity: Identities
    _connection: duckdb.DuckDBPyConnection = field(repr=False, compare=False)

    def tables(self, connection: Backend) -> Tables:
        """The history's tables as recorded, lead by lead, read by ``connection`` (Ibis on DuckDB)."""
        files = {table: str(bucket_file(self.root, table, "*")) for table in TABLES}
        return Tables(**{name: connection.read_parquet(path, hive_partitioning=False) for name, path in files.items()})

    @contextmanager
    def reading(self) -> Iterator[Tables]:
        """The history's tables as recorded, over a connection of their own that ends with the block."""
        with connected() as connection:
            yield self.tables(connection)

    def lead(self, lead_id: str) -> LeadFacts | None:
        """All facts of one person, quickly; ``None`` if the history does not know the lead it is named after."""
        return self.facts([lead_id]).get(lead_id)

    def facts(self, lead_ids: Iterable[str]) -> dict[str, LeadFacts]:
        """All facts of the person that each of these leads stands for: at any moment they say what was known.

        While a lead is merged into another it stands for nobody.
        """
        wanted = set(lead_ids)
        members = {lead_id: self.identity.ever(lead_id) for lead_id in wanted}
        recorded = self.records(wanted.union(*members.values()))
        return {
            lead_id: person(lead_id, recorded, self.identity) if lead_id in self.identity else recorded[lead_id]
            for lead_id in wanted
            if lead_id in recorded
        }

    def records(self, lead_ids: Iterable[str]) -> dict[str, LeadFacts]:
        """All facts of each of these leads as they were recorded, whoever it is, with one query a table."""
        wanted = sorted(set(lead_ids))
        cursor = self._connection.cursor()
        leads, attributes, events = (
            self._rows(cursor, table, wanted, LEAD_ID) for table in ("leads", "attributes", "events")
        )
        versions_of = {lead_id: tuple(map(_version, rows)) for lead_id, rows in attributes.items()}
        events_of = {lead_id: tuple(map(_event, rows)) for lead_id, rows in events.items()}
        return {
            lead_id: LeadFacts(**row, versions=versions_of.get(lead_id, ()), events=events_of.get(lead_id, ()))
            for lead_id, (row,) in leads.items()
        }

    def of_other_leads(self, named: Iterable[tuple[str, str]]) -> frozenset[str]:
        """The event ids, of these (event_id, lead_id), that are recorded as another lead's events."""
        return of_other_leads(self.root, named)

    def contacts_of(self, lead_ids: Iterable[str]) -> list[Evidence]:
        """Every hashed contact that these leads showed."""
        return self._contacts("contacts", lead_ids, LEAD_ID)

    def contacts_like(self, hashes: Iterable[str]) -> list[Evidence]:
        """Every lead that showed a contact with one of these hashes."""
        return self._contacts("hashes", hashes, HASH)

    def _contacts(self, name: str, keys: Iterable[str], key: str) -> list[Evidence]:
        rows = self._rows(self._connection.cursor(), name, sorted(set(keys)), key)
        return sorted(Evidence(**row) for own in rows.values() for row in own)

    def _rows(
        self, cursor: duckdb.DuckDBPyConnection, name: str, values: list[str], key: str
    ) -> dict[str, list[Fields]]:
        """The rows of each of these values of the first column, in the order of the columns."""
        files = [str(bucket_file(self.root, name, bucket)) for bucket in sorted(set(map(bucket_of, values)))]
        if not files:
            return {}
        rows = cursor.execute(_READ.format(key=key), [files, values]).fetchall()
        columns = [column for column, *_ in cursor.description or ()]
        fields = (dict(zip(columns, row, strict=True)) for row in rows)
        return {value: list(own) for value, own in groupby(fields, key=itemgetter(key))}


def open_history(state: Path) -> History:
    """The history that the last build left in ``state``; ``SiteError`` if there is none."""
    summary = read_summary(state)
    return history_in(history_folder(state) / summary.folder, summary)


def history_in(root: Path, summary: Summary) -> History:
    """The version that lies in ``root``."""
    connection = duckdb.connect(config={"threads": 1})  # a read is short: more threads only make it slower
    return History(root, summary, _identity(connection, root) if summary.merged else Identities(), connection)


def clock(site: Site, history: History, *, wall: Micros) -> Micros:
    """What *now* means for ``site``: ``wall``, or just after the newest fact, so that this fact counts."""
    return wall if site.clock.at == "wall" else history.summary.newest_fact + 1


_READ = """
FROM read_parquet(?, hive_partitioning = false) WHERE {key} IN (SELECT unnest(?)) ORDER BY ALL
"""


def _identity(connection: duckdb.DuckDBPyConnection, root: Path) -> Identities:
    query = f"SELECT {', '.join(Interval._fields)} FROM read_parquet(?, hive_partitioning = false)"
    rows = connection.execute(query, [str(bucket_file(root, "identity", "*"))]).fetchall()
    return Identities(map(Interval._make, rows))


def _version(row: Fields) -> Version:
    values = {name: value for name, value in row.items() if name not in {LEAD_ID, *_VERSION_KEYS}}
    return Version(**{key: row[key] for key in _VERSION_KEYS}, values=values)


def _event(row: Fields) -> Event:
    labels = {name: value for name, value in row.items() if name not in {LEAD_ID, *_EVENT_KEYS}}
    return Event(**{key: row[key] for key in _EVENT_KEYS}, labels=labels)

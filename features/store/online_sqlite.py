"""The embedded online store: Feast's SQLite store, one table row a key, in which the newest row always wins."""

from __future__ import annotations

import datetime as dt
import sqlite3
import threading
from collections.abc import Callable, Sequence
from typing import Any

from feast import Entity, FeatureView
from feast.infra.key_encoding_utils import serialize_entity_key
from feast.infra.online_stores.helpers import compute_table_id
from feast.infra.online_stores.sqlite import SqliteOnlineStore, SqliteOnlineStoreConfig
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Map, Value
from feast.repo_config import RepoConfig
from feast.utils import to_naive_utc

from features.store.definitions import CATALOGUE_TAG
from features.store.place import state_folder
from leadlight.schema import from_micros, to_micros

OnlineRow = tuple[EntityKey, dict[str, Value], dt.datetime, dt.datetime | None]


class NewestWinsSqliteOnlineStoreConfig(SqliteOnlineStoreConfig):
    """Feast's settings; a relative path is one below the state folder."""

    type: str = "features.store.online_sqlite.NewestWinsSqliteOnlineStore"  # type: ignore[assignment]  # Feast's is a Literal of its own


class NewestWinsSqliteOnlineStore(SqliteOnlineStore):
    """Feast's store with all features of a key in one cell, and the guard against older rows inside the write.

    Feast keeps one table row per feature and its times in whole seconds; there a reader can meet half of a write, and
    rows of the same second cannot be told apart.
    """

    def __init__(self) -> None:
        # One a thread: cursors of one connection share a snapshot, so a read in one thread refuses a write in another.
        self._connections = threading.local()

    @staticmethod
    def _get_db_path(config: RepoConfig) -> str:
        return str(state_folder() / config.online_store.path)

    def _get_conn(self, config: RepoConfig) -> sqlite3.Connection:
        conn: sqlite3.Connection | None = getattr(self._connections, "own", None)
        if conn is None:
            conn = self._connections.own = sqlite3.connect(self._get_db_path(config))
            conn.execute("PRAGMA journal_mode = WAL")  # readers never wait for a bulk write
            conn.execute("PRAGMA synchronous = NORMAL")
        return conn

    def update(  # noqa: PLR0917 - Feast's interface
        self,
        config: RepoConfig,
        tables_to_delete: Sequence[FeatureView],
        tables_to_keep: Sequence[FeatureView],
        entities_to_delete: Sequence[Entity],  # noqa: ARG002
        entities_to_keep: Sequence[Entity],  # noqa: ARG002
        partial: bool,  # noqa: ARG002, FBT001
    ) -> None:
        """Create the tables of new views and drop those of deleted ones."""
        with self._get_conn(config) as conn:
            for view in tables_to_keep:
                conn.execute(
                    f"CREATE TABLE IF NOT EXISTS {_table(config, view)}"
                    " (entity_key BLOB PRIMARY KEY, as_of INTEGER NOT NULL, features BLOB NOT NULL)"
                )
            for view in tables_to_delete:
                conn.execute(f"DROP TABLE IF EXISTS {_table(config, view)}")

    def online_write_batch(
        self,
        config: RepoConfig,
        table: FeatureView,
        data: list[OnlineRow],
        progress: Callable[[int], Any] | None,
    ) -> None:
        """Write all rows in one transaction; a row whose event time is before the stored one's changes nothing."""
        upsert = (
            f"INSERT INTO {_table(config, table)} AS stored VALUES (?, ?, ?) ON CONFLICT (entity_key)"
            " DO UPDATE SET as_of = excluded.as_of, features = excluded.features WHERE excluded.as_of >= stored.as_of"
        )
        cells = [
            (_key(config, key), _micros(as_of), Map(val=values).SerializeToString()) for key, values, as_of, _ in data
        ]
        with self._get_conn(config) as conn:
            conn.executemany(upsert, cells)
        if progress:
            progress(len(data))

    def clear(self, config: RepoConfig, table: FeatureView) -> None:
        """Take out every row of a view, whatever its catalogue: one still served shall not say old facts."""
        prefix = f"{compute_table_id(config.project, table)}_"
        with self._get_conn(config) as conn:
            for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                if name.startswith(prefix):
                    conn.execute(f'DELETE FROM "{name}"')

    def online_read(
        self,
        config: RepoConfig,
        table: FeatureView,
        entity_keys: list[EntityKey],
        requested_features: list[str] | None = None,  # noqa: ARG002 - a row is read whole
    ) -> list[tuple[dt.datetime | None, dict[str, Value] | None]]:
        """Each key's row as it was written, or ``(None, None)``; one SELECT a key, so no row is torn."""
        select = f"SELECT as_of, features FROM {_table(config, table)} WHERE entity_key = ?"
        conn = self._get_conn(config)
        return [_decoded(conn.execute(select, (_key(config, key),)).fetchone()) for key in entity_keys]


def _table(config: RepoConfig, view: FeatureView) -> str:
    """The rows of one catalogue: after a change of it, a server still on the old one keeps its own."""
    return f'"{compute_table_id(config.project, view)}_{view.tags[CATALOGUE_TAG]}"'


def _key(config: RepoConfig, key: EntityKey) -> bytes:
    return serialize_entity_key(key, config.entity_key_serialization_version)


def _micros(moment: dt.datetime) -> int:
    return to_micros(to_naive_utc(moment).replace(tzinfo=dt.UTC))


def _decoded(cell: tuple[int, bytes] | None) -> tuple[dt.datetime | None, dict[str, Value] | None]:
    if cell is None:
        return None, None
    return from_micros(cell[0]), dict(Map.FromString(cell[1]).val)

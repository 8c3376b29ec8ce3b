"""The embedded online store: Feast's SQLite store, one table row a key, in which the newest row always wins."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from feast import Entity, FeatureView
from feast.infra.online_stores.sqlite import SqliteOnlineStore, SqliteOnlineStoreConfig
from feast.repo_config import RepoConfig

from features.store import StoreUnavailable
from features.store.place import state_folder
from features.store.rows import (
    FeastWrites,
    OneCellReads,
    OnlineRow,
    Values,
    cell,
    cell_values,
    table_name,
    table_prefix,
)
from leadlight.schema import Micros


class NewestWinsSqliteOnlineStoreConfig(SqliteOnlineStoreConfig):
    """Feast's settings; a relative path is one below the state folder."""

    type: str = "features.store.online_sqlite.NewestWinsSqliteOnlineStore"  # type: ignore[assignment]  # Feast's is a Literal of its own


class NewestWinsSqliteOnlineStore(FeastWrites, OneCellReads, SqliteOnlineStore):
    """Feast's store with all features of a key in one cell, and the guard against older rows inside the write.

    Feast keeps one table row per feature and its times in whole seconds; there a reader can meet half of a write, and
    rows of the same second cannot be told apart.
    """

    def __init__(self) -> None:
        # One a thread: cursors of one connection share a snapshot, so a read in one thread refuses a write in another.
        self._connections = threading.local()

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
        with self._transaction(config) as conn:
            for table in (table_name(config, view) for view in tables_to_keep):
                conn.execute(
                    f'CREATE TABLE IF NOT EXISTS "{table}" (entity_key BLOB PRIMARY KEY, row_seq INTEGER NOT NULL,'
                    " as_of INTEGER NOT NULL, valid_until INTEGER, features BLOB NOT NULL)"
                )
                conn.execute(f'CREATE INDEX IF NOT EXISTS "{table}_until" ON "{table}" (valid_until)')
            for view in tables_to_delete:
                conn.execute(f'DROP TABLE IF EXISTS "{table_name(config, view)}"')

    def write(self, config: RepoConfig, view: FeatureView, rows: Sequence[OnlineRow]) -> None:
        """Write all rows in one transaction; one that is older than the stored row changes nothing."""
        upsert = (
            f'INSERT INTO "{table_name(config, view)}" AS stored VALUES (?, ?, ?, ?, ?) ON CONFLICT (entity_key)'
            " DO UPDATE SET row_seq = excluded.row_seq, as_of = excluded.as_of, valid_until = excluded.valid_until,"
            " features = excluded.features WHERE (excluded.row_seq, excluded.as_of) >= (stored.row_seq, stored.as_of)"
        )
        with self._transaction(config) as conn:
            conn.executemany(upsert, ((*order, cell(values)) for *order, values in rows))

    def read(self, config: RepoConfig, view: FeatureView, keys: Sequence[bytes]) -> Iterator[Values | None]:
        """Each key's values, or ``None``; one SELECT a key, so no row is torn."""
        select = f'SELECT features FROM "{table_name(config, view)}" WHERE entity_key = ?'
        with self._connected(config) as conn:
            found = [conn.execute(select, (key,)).fetchone() for key in keys]
        return (row and cell_values(row[0]) for row in found)

    def delete(self, config: RepoConfig, view: FeatureView, keys: Sequence[bytes]) -> None:
        """Take out the rows of ``keys``."""
        with self._transaction(config) as conn:
            conn.executemany(f'DELETE FROM "{table_name(config, view)}" WHERE entity_key = ?', ((key,) for key in keys))
        with self._connected(config) as conn:
            conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()  # nor is it left in the journal

    def expired(self, config: RepoConfig, view: FeatureView, before: Micros, limit: int) -> list[bytes]:
        """Up to ``limit`` keys of rows whose ``valid_until`` is ``before`` or earlier, the longest expired first."""
        select = (
            f'SELECT entity_key FROM "{table_name(config, view)}" WHERE valid_until <= ? ORDER BY valid_until LIMIT ?'
        )
        with self._connected(config) as conn:
            return [key for (key,) in conn.execute(select, (before, limit))]

    def clear(self, config: RepoConfig, view: FeatureView) -> None:
        """Take out every row of a view, whatever its catalogue: one still served shall not say old facts."""
        prefix = table_prefix(config, view)
        with self._transaction(config) as conn:
            for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                if name.startswith(prefix):
                    conn.execute(f'DELETE FROM "{name}"')

    def connect(self, config: RepoConfig) -> None:
        """Nothing: each thread connects when it first reads."""

    def disconnect(self) -> None:
        """Close this thread's connection; those of others end with them."""
        if conn := getattr(self._connections, "own", None):
            conn.close()
            del self._connections.own

    @staticmethod
    def _get_db_path(config: RepoConfig) -> str:
        return str(state_folder() / config.online_store.path)

    def _get_conn(self, config: RepoConfig) -> sqlite3.Connection:
        conn: sqlite3.Connection | None = getattr(self._connections, "own", None)
        if conn is None:
            conn = sqlite3.connect(self._get_db_path(config))
            conn.execute("PRAGMA journal_mode = WAL")  # readers never wait for a bulk write
            conn.execute("PRAGMA synchronous = NORMAL")
            conn.execute("PRAGMA secure_delete = ON")  # what is taken out is overwritten
            self._connections.own = conn
        return conn

    @contextmanager
    def _connected(self, config: RepoConfig) -> Iterator[sqlite3.Connection]:
        try:
            yield self._get_conn(config)
        except sqlite3.Error as error:
            raise StoreUnavailable(f"SQLite: {error}") from error

    @contextmanager
    def _transaction(self, config: RepoConfig) -> Iterator[sqlite3.Connection]:
        with self._connected(config) as conn, conn:
            yield conn

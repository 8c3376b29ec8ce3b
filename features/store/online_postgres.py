"""PostgreSQL for online rows: Feast's store, one table row a key, where the newest wins and no call waits long."""

from __future__ import annotations

import math
import select
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from feast import Entity, FeatureView
from feast.infra.online_stores.postgres_online_store.postgres import PostgreSQLOnlineStore, PostgreSQLOnlineStoreConfig
from feast.infra.supported_async_methods import SupportedAsyncMethods
from feast.repo_config import RepoConfig
from psycopg import sql
from psycopg_pool import ConnectionPool, PoolTimeout

from features.store import StoreUnavailable
from features.store.rows import (
    BULK,
    BULK_SECONDS,
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

_CONNECTIONS = 8  # a process; more callers at once wait for one, within their deadline
_OPENING_SECONDS = 2  # libpq allows no less
_CHECK_SECONDS = 0.05
_ONE_AT_A_TIME = 0x1EAD  # the lock under which tables are made


class NewestWinsPostgreSQLOnlineStoreConfig(PostgreSQLOnlineStoreConfig):
    """An address of libpq's in place of Feast's single fields, and how long one call may take."""

    type: str = "features.store.online_postgres.NewestWinsPostgreSQLOnlineStore"  # type: ignore[assignment]  # Feast's is a Literal of its own
    address: str
    deadline_ms: int
    host: str = ""
    database: str = ""
    user: str = ""
    password: str = ""
    max_batched_result_rows: int = 0  # a view at a time, through online_read: Feast reads several at once its own way


class NewestWinsPostgreSQLOnlineStore(FeastWrites, OneCellReads, PostgreSQLOnlineStore):
    """Feast's store with all features of a key in one cell, and the guard against older rows inside the write.

    Feast keeps one table row per feature, without a guard: a lead would be some 60 rows to write and to index.
    """

    def __init__(self) -> None:
        self._making = threading.Lock()
        self._made: ConnectionPool[_Connection] | None = None

    @property
    def async_supported(self) -> SupportedAsyncMethods:
        """None: Feast's own would look for its own layout."""
        return SupportedAsyncMethods()

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
        with self._connected(config, BULK_SECONDS) as conn, conn.transaction():
            conn.execute("SELECT pg_advisory_xact_lock(%s)", (_ONE_AT_A_TIME,))
            for name in (table_name(config, view) for view in tables_to_keep):
                table, index = sql.Identifier(name), sql.Identifier(f"{name}_until")
                conn.execute(
                    sql.SQL(
                        "CREATE TABLE IF NOT EXISTS {} (entity_key bytea PRIMARY KEY, row_seq bigint NOT NULL,"
                        " as_of bigint NOT NULL, valid_until bigint, features bytea NOT NULL)"
                    ).format(table)
                )
                conn.execute(sql.SQL("CREATE INDEX IF NOT EXISTS {} ON {} (valid_until)").format(index, table))
            for view in tables_to_delete:
                conn.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(_table(config, view)))

    def teardown(self, config: RepoConfig, tables: Sequence[FeatureView], entities: Sequence[Entity]) -> None:
        """Drop the tables of ``tables``."""
        self.update(config, tables, [], entities, [], partial=False)

    def write(self, config: RepoConfig, view: FeatureView, rows: Sequence[OnlineRow]) -> None:
        """Write all rows in one statement; one that is older than the stored row changes nothing."""
        upsert = sql.SQL(
            "INSERT INTO {} AS stored SELECT * FROM unnest(%b::bytea[], %b::bigint[], %b::bigint[], %b::bigint[],"
            " %b::bytea[]) ON CONFLICT (entity_key) DO UPDATE SET row_seq = excluded.row_seq, as_of = excluded.as_of,"
            " valid_until = excluded.valid_until, features = excluded.features"
            " WHERE (excluded.row_seq, excluded.as_of) >= (stored.row_seq, stored.as_of)"
        )
        newest = _newest(rows)
        columns = [list(column) for column in zip(*((*order, cell(values)) for *order, values in newest), strict=True)]
        if columns:
            with self._connected(config, BULK_SECONDS if len(rows) > BULK else None) as conn:
                conn.execute(upsert.format(_table(config, view)), columns)

    def read(self, config: RepoConfig, view: FeatureView, keys: Sequence[bytes]) -> Iterator[Values | None]:
        """Each key's values, or ``None``; one statement, so no row is torn."""
        query = f'SELECT entity_key, features FROM "{table_name(config, view)}" WHERE entity_key = ANY(%b)'
        with self._connected(config) as conn, conn.cursor(binary=True) as cursor:
            found = dict(cursor.execute(query.encode(), (list(keys),)).fetchall())
        return (cell_values(found[key]) if key in found else None for key in keys)

    def delete(self, config: RepoConfig, view: FeatureView, keys: Sequence[bytes]) -> None:
        """Take out the rows of ``keys``."""
        query = sql.SQL("DELETE FROM {} WHERE entity_key = ANY(%b)").format(_table(config, view))
        with self._connected(config, BULK_SECONDS if len(keys) > BULK else None) as conn:
            conn.execute(query, (list(keys),))

    def expired(self, config: RepoConfig, view: FeatureView, before: Micros, limit: int) -> list[bytes]:
        """Up to ``limit`` keys of rows whose ``valid_until`` is ``before`` or earlier, the longest expired first."""
        query = sql.SQL("SELECT entity_key FROM {} WHERE valid_until <= %s ORDER BY valid_until LIMIT %s")
        with self._connected(config, BULK_SECONDS) as conn, conn.cursor(binary=True) as cursor:
            cursor.execute(query.format(_table(config, view)), (before, limit))
            return [key for (key,) in cursor.fetchall()]

    def clear(self, config: RepoConfig, view: FeatureView) -> None:
        """Take out every row of a view, whatever its catalogue: one still served shall not say old facts."""
        tables = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema AND starts_with(tablename, %s)"
        with self._connected(config, BULK_SECONDS) as conn:
            for (name,) in conn.execute(tables, (table_prefix(config, view),)).fetchall():
                conn.execute(sql.SQL("TRUNCATE {}").format(sql.Identifier(name)))

    def connect(self, config: RepoConfig) -> None:
        """Connect, so that no later call has to wait for it; a server that is down is met at the first call."""
        with suppress(PoolTimeout), self._pool(config).connection(timeout=_OPENING_SECONDS):
            pass

    def disconnect(self) -> None:
        """Close the pool; a later call opens another."""
        with self._making:
            if self._made is not None:
                self._made.close()
            self._made = None

    @contextmanager
    def _connected(self, config: RepoConfig, seconds: float | None = None) -> Iterator[_Connection]:
        """A connection for one call of at most ``seconds``, or of the store's deadline."""
        seconds = seconds or config.online_store.deadline_ms / 1000
        ends = time.monotonic() + seconds
        try:
            with self._pool(config).connection(timeout=seconds) as conn:
                conn.allow(ends, seconds)
                yield conn
        except psycopg.Error as error:
            raise StoreUnavailable(f"PostgreSQL: {str(error).strip() or type(error).__name__}") from error

    def _pool(self, config: RepoConfig) -> ConnectionPool[_Connection]:
        with self._making:
            if self._made is None:
                self._made = ConnectionPool(
                    config.online_store.address.replace("postgresql+psycopg:", "postgresql:", 1),
                    connection_class=_Connection,
                    kwargs={"autocommit": True, "connect_timeout": _OPENING_SECONDS},
                    min_size=1,
                    max_size=_CONNECTIONS,
                    reconnect_timeout=_OPENING_SECONDS,  # then the next call asks for a connection anew
                    check=_check,
                    name="leadlight-online",
                    open=True,
                )
            return self._made


class _Connection(psycopg.Connection[tuple[Any, ...]]):
    """A connection that gives a call up at its deadline, and itself with it: the answer may still be on its way."""

    _ends = math.inf
    _server_seconds = math.inf

    def allow(self, ends: float, seconds: float) -> None:
        """What follows ends by the monotonic clock's ``ends``; the server gives a statement up after ``seconds``."""
        self._ends = ends
        if self._server_seconds != seconds:
            self.execute(f"SET statement_timeout = {math.ceil(seconds * 1000)}".encode())
            self._server_seconds = seconds

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:  # noqa: ANN401 - psycopg's own
        """What every call of psycopg comes through."""
        if self._ends < math.inf:
            timeout = max(0.0, self._ends - time.monotonic())
        try:
            return super().wait(gen, interval, timeout)
        except psycopg.Error:
            if time.monotonic() >= self._ends:
                self.close()
            raise


def _check(conn: _Connection) -> None:
    """Before a call: something to read on an idle connection is nearly always the server's good-bye."""
    waiting = select.poll()
    waiting.register(conn.fileno(), select.POLLIN)
    if waiting.poll(0):
        conn.allow(time.monotonic() + _CHECK_SECONDS, _CHECK_SECONDS)
        ConnectionPool.check_connection(conn)


def _newest(rows: Sequence[OnlineRow]) -> list[OnlineRow]:
    """One row a key, as one statement wants it, and in the order of keys, so that two writers never lock crosswise."""
    newest: dict[bytes, OnlineRow] = {}
    for row in rows:
        stored = newest.get(row.key)
        if stored is None or (row.row_seq, row.as_of) >= (stored.row_seq, stored.as_of):
            newest[row.key] = row
    return [newest[key] for key in sorted(newest)]


def _table(config: RepoConfig, view: FeatureView) -> sql.Identifier:
    return sql.Identifier(table_name(config, view))

"""How an open database is used: a quick read of one statement, or a transaction that writes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

Row = tuple[Any, ...]
"""A row as the driver gives it: the statement beside it says what its values are."""


class DatabaseUnavailable(Exception):  # noqa: N818 -- it names the state, as StoreUnavailable does
    """The database does not answer, or not in time. What was being written may or may not be there: send it again."""


class TracesLeft(DatabaseUnavailable):
    """What was erased is gone for all who read, but its traces on disk could not be removed yet: erase again."""


def spoken(sql: str, engine: Engine) -> str:
    """``sql`` as the driver of ``engine`` reads it.

    In ``sql``, ``?`` is one value and ``AMONG ?`` any of a list of texts, given as ``listed`` makes it.
    """
    if engine.dialect.name == "sqlite":
        return sql.replace("AMONG ?", "IN (SELECT value FROM json_each(?))")
    return sql.replace("AMONG ?", "= ANY(%s)").replace("?", "%s")


def is_storable(text: str) -> bool:
    """Whether every database can hold it: PostgreSQL has no NUL, and half of a surrogate pair is no character."""
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def lead_hash(lead_id: str) -> str:
    """What stands for a lead that was erased: the SHA-256 of its id, in hex."""
    return hashlib.sha256(lead_id.encode(errors="surrogatepass")).hexdigest()


def listed(texts: Sequence[str], engine: Engine) -> object:
    """The value for ``AMONG ?``; a text that cannot be stored is left out, for nothing stored is equal to it."""
    storable = [text for text in texts if is_storable(text)]
    if engine.dialect.name == "sqlite":
        import json

        return json.dumps(storable)
    return storable


def read(engine: Engine, statement: str, values: Sequence[object] = ()) -> list[Row]:
    """All rows of one ``spoken`` statement, which sees one moment of the database.

    ``DatabaseUnavailable`` if it does not answer; a server that was restarted meanwhile does.
    """
    try:
        try:
            return _read(engine, statement, values)
        except engine.dialect.loaded_dbapi.OperationalError:
            if engine.dialect.name == "sqlite":
                raise
            engine.dispose()  # the connections that a server's end leaves behind
            return _read(engine, statement, values)
    except engine.dialect.loaded_dbapi.OperationalError as fault:
        raise DatabaseUnavailable(str(fault)) from fault


def _read(engine: Engine, statement: str, values: Sequence[object]) -> list[Row]:
    """Past SQLAlchemy's own statements and transactions, which cost several times what the database does."""
    pooled = engine.raw_connection()
    driver: Any = pooled.driver_connection
    try:
        if engine.dialect.name == "sqlite":
            return list(driver.execute(statement, values).fetchall())
        driver.autocommit = True
        try:
            return list(driver.execute(statement, values).fetchall())
        finally:
            driver.autocommit = False
    finally:
        pooled.close()


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that will write: SQLite lets one in at a time, the others wait. It commits with the block."""
    from sqlalchemy.exc import OperationalError

    try:
        with engine.connect().execution_options(writes=True) as connection, connection.begin():
            yield connection
    except OperationalError as fault:
        raise DatabaseUnavailable(str(fault.orig)) from fault


def leave_no_trace(engine: Engine, tables: Sequence[str]) -> None:
    """Remove what a delete from these tables leaves on disk: SQLite's log of writes, PostgreSQL's dead rows.

    ``TracesLeft`` if somebody is still reading what was before: erase again.
    """
    if engine.dialect.name == "sqlite":
        [(busy, *_)] = read(engine, "PRAGMA wal_checkpoint(TRUNCATE)")
        if busy:
            raise TracesLeft(
                "the leads are erased, but somebody is reading what was before: erase them again to remove the traces"
            )
    else:
        with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.exec_driver_sql(f"VACUUM (INDEX_CLEANUP ON) {', '.join(tables)}")

"""How a site's database is opened: found by its settings, and brought to the newest revision by one process alone."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from leadlight.database.use import writing
from leadlight.settings import Site, SiteError
from leadlight.settings.stores import resolved

if TYPE_CHECKING:
    import sqlite3

    from sqlalchemy import Connection, Engine
    from sqlalchemy.engine import URL

REVISION: Final = "0003"
"""The newest revision in ``migrations/versions``."""
BUSY_SECONDS: Final = 30
"""How long a writer waits for others."""
_MIGRATING: Final = 0x4C_45_41_44
"""PostgreSQL's advisory lock of whoever migrates: the letters LEAD."""


def open_database(site: Site, state: Path) -> Engine:
    """The database of ``site``, at the newest revision; safe while other processes open it too.

    ``SiteError`` if it cannot be reached, or if a newer Leadlight has been at it.
    """
    server = resolved(site.stores.database)
    if server == "sqlite":
        return open_sqlite(state / "leadlight.db")
    if server.startswith(("postgresql://", "postgresql+psycopg://")):
        return open_postgres(server)
    scheme = server.partition(":")[0]
    raise SiteError(
        [f"leadlight.toml: [stores] database is 'sqlite' or begins with postgresql://, not with {scheme!r}"]
    )


def open_sqlite(file: Path) -> Engine:
    """The database in ``file``, made if it is not there."""
    from sqlalchemy import create_engine
    from sqlalchemy.engine import URL

    engine = create_engine(URL.create("sqlite", database=str(file)), connect_args={"timeout": BUSY_SECONDS})
    _prepare_sqlite(engine)
    file.parent.mkdir(parents=True, exist_ok=True)
    with _closed_if_refused(engine), _alone_in(file.parent), writing(engine) as connection:
        _upgrade(connection, str(file))
    return engine


def open_postgres(address: str) -> Engine:
    """The database at ``address``, whose tables are made if they are not there."""
    from sqlalchemy import create_engine, make_url
    from sqlalchemy.exc import ArgumentError, OperationalError

    try:
        url = make_url(address).set(drivername="postgresql+psycopg")
    except (ArgumentError, ValueError) as fault:
        raise SiteError(
            [f"leadlight.toml: [stores] database is no address of a PostgreSQL database: {fault}"]
        ) from None
    engine = create_engine(url, connect_args={"connect_timeout": 5})
    try:
        with _closed_if_refused(engine), engine.begin() as connection:
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (_MIGRATING,))
            _upgrade(connection, _shown(url))
    except OperationalError as fault:
        raise SiteError([f"{_shown(url)}: the database cannot be reached: {fault.orig}"]) from fault
    return engine


def _shown(url: URL) -> str:
    """An address without its password."""
    return url.set(drivername="postgresql").render_as_string(hide_password=True)


def _prepare_sqlite(engine: Engine) -> None:
    """What each connection to SQLite is told, and transactions that begin where we say."""
    from sqlalchemy import event

    @event.listens_for(engine, "connect")
    def _connected(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # else the driver begins its own transactions, and later than we do
        connection.execute("PRAGMA journal_mode = WAL")  # readers and a writer do not wait for one another
        connection.execute("PRAGMA synchronous = FULL")  # what was acknowledged outlives a power cut
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")  # what was erased is overwritten

    @event.listens_for(engine, "begin")
    def _begins(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _closed_if_refused(engine: Engine) -> Iterator[None]:
    try:
        yield
    except BaseException:
        engine.dispose()
        raise


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Nobody else opens a database in ``folder`` meanwhile: of two that make SQLite write ahead, one can be refused."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _upgrade(connection: Connection, where: str) -> None:
    """Bring the database to ``REVISION``, in the transaction of ``connection``, which nobody else can be in."""
    from sqlalchemy import inspect

    known = inspect(connection).has_table("alembic_version")
    current = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() if known else None
    if current == REVISION:
        return
    if current is not None and current > REVISION:
        raise SiteError(
            [f"{where}: made by a newer Leadlight (revision {current}; this one knows {REVISION}): install that one"]
        )
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    command.upgrade(config, "head")

"""A database is read past restarts of its server, and says so when it does not answer."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from leadlight.database import DatabaseUnavailable, listed, read, spoken, writing
from leadlight.database.opening import open_postgres
from leadlight.database.tables import EXPORTS


@pytest.fixture
def engine(postgres_database: str) -> Iterator[Engine]:
    opened = open_postgres(postgres_database)
    yield opened
    opened.dispose()


def test_reading_goes_on_after_the_server_ended_its_connections(engine: Engine, postgres_url: str) -> None:
    assert read(engine, "SELECT seq FROM head") == [(0,)]
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (engine.url.database,)
        )

    assert read(engine, "SELECT seq FROM head") == [(0,)]


def test_a_database_that_is_gone_is_unavailable(engine: Engine, postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{engine.url.database}" WITH (FORCE)'.encode())

    with pytest.raises(DatabaseUnavailable):
        read(engine, "SELECT seq FROM head")
    with pytest.raises(DatabaseUnavailable), writing(engine):
        pytest.fail("nothing can be written")


def test_a_read_holds_nothing_afterwards(engine: Engine) -> None:
    read(engine, "SELECT seq FROM head")

    idle = "SELECT count(*) FROM pg_stat_activity WHERE datname = ? AND state = 'idle in transaction'"
    assert read(engine, spoken(idle, engine), (engine.url.database,)) == [(0,)]


def test_what_is_written_is_there_when_the_block_ends_and_not_if_it_fails(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(EXPORTS.insert().values(path="kept", written_at=1))
    with pytest.raises(IntegrityError), writing(engine) as connection:
        connection.execute(
            EXPORTS.insert().values([{"path": "not kept", "written_at": 1}, {"path": "kept", "written_at": 1}])
        )

    wanted = (listed(["kept", "not kept", "\0"], engine),)
    assert read(engine, spoken("SELECT path FROM exports WHERE path AMONG ?", engine), wanted) == [("kept",)]

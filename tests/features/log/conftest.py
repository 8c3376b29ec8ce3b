"""An empty log on each of the databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from features.log import Log
from leadlight.database import writing
from leadlight.database.opening import open_postgres, open_sqlite
from leadlight.database.tables import HEAD, METADATA
from tests.servers import new_database


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    if request.param == "sqlite":
        engine = open_sqlite(tmp_path_factory.mktemp("log") / "leadlight.db")
    else:
        engine = open_postgres(new_database(request.getfixturevalue("postgres_url")))
    yield engine
    engine.dispose()


@pytest.fixture
def engine(database: Engine) -> Engine:
    with writing(database) as connection:
        for table in METADATA.sorted_tables:
            connection.execute(HEAD.update().values(seq=0, newest=0, clock=0) if table is HEAD else table.delete())
    return database


@pytest.fixture
def log(engine: Engine) -> Log:
    return Log(engine)

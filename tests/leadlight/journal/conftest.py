"""An empty journal on each of the databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from leadlight.database import writing
from leadlight.database.opening import open_postgres, open_sqlite
from leadlight.database.tables import ANSWERS, ERASED_ANSWERS, TOMBSTONES
from tests.servers import new_database


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    if request.param == "sqlite":
        engine = open_sqlite(tmp_path_factory.mktemp("journal") / "leadlight.db")
    else:
        engine = open_postgres(new_database(request.getfixturevalue("postgres_url")))
    yield engine
    engine.dispose()


@pytest.fixture
def engine(database: Engine) -> Engine:
    with writing(database) as connection:
        for table in (ANSWERS, ERASED_ANSWERS, TOMBSTONES):
            connection.execute(table.delete())
    return database

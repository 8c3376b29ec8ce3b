"""A site's database is found by its settings and has its tables, however many processes open it first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from leadlight.database import open_database, read, writing
from leadlight.database.opening import REVISION
from leadlight.database.tables import METADATA
from leadlight.settings import SiteError
from tests.builders import site
from tests.features.log.writers import PROCESSES, head_of, opened


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "leadlight.db") if request.param == "sqlite" else request.getfixturevalue("postgres_database")


@pytest.fixture
def engine(place: str) -> Iterator[Engine]:
    engine = opened(place)
    yield engine
    engine.dispose()


def test_the_migrations_make_the_tables_that_the_code_uses(engine: Engine) -> None:
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), METADATA)

    assert differences == []


def test_the_newest_migration_is_the_one_that_the_code_knows() -> None:
    config = Config()
    config.set_main_option("script_location", "leadlight:database/migrations")

    assert ScriptDirectory.from_config(config).get_current_head() == REVISION


def test_opening_again_changes_nothing(place: str, engine: Engine) -> None:
    with writing(engine) as connection:
        connection.exec_driver_sql("UPDATE head SET seq = 7")

    again = opened(place)

    assert read(again, "SELECT seq FROM head") == [(7,)]
    again.dispose()


def test_several_processes_may_open_a_new_database_at_once(place: str) -> None:
    with PROCESSES.Pool(3) as pool:
        assert pool.map(head_of, [place] * 3, chunksize=1) == [0, 0, 0]


def test_a_database_of_a_newer_leadlight_is_left_alone(place: str, engine: Engine) -> None:
    with writing(engine) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(SiteError, match=r"made by a newer Leadlight \(revision 9999; this one knows"):
        opened(place)


def test_sqlite_keeps_what_it_acknowledged_and_overwrites_what_it_deleted(tmp_path: Path) -> None:
    engine = open_database(site(), tmp_path / "state")

    assert (tmp_path / "state" / "leadlight.db").is_file()
    settings = {
        name: read(engine, f"PRAGMA {name}")[0][0]
        for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "busy_timeout")
    }
    assert settings == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
        "busy_timeout": 30_000,
    }
    engine.dispose()


def test_the_address_may_be_in_the_environment(
    postgres_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOG_DATABASE", postgres_database)

    engine = open_database(site(stores={"database": "env:LOG_DATABASE"}), tmp_path)

    assert engine.dialect.name == "postgresql"
    assert list(tmp_path.iterdir()) == []
    engine.dispose()


@pytest.mark.parametrize(
    ("server", "words"),
    [
        ("redis://127.0.0.1", "is 'sqlite' or begins with postgresql://, not with 'redis'"),
        ("postgresql://ada:secret@127.0.0.1:1/none", r"postgresql://ada:\*\*\*@127.0.0.1:1/none: .* cannot be reached"),
        ("postgresql://ada:secret@127.0.0.1:port/none", "no address of a PostgreSQL"),
    ],
)
def test_what_cannot_be_opened_is_said_without_its_password(server: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(SiteError, match=words) as refused:
        open_database(site(stores={"database": server}), tmp_path)

    assert "secret" not in str(refused.value)

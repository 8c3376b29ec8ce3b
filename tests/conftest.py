"""What every test shares: how examples are drawn, real servers, and the real data if they lie beside the checkout."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.servers import NoServerError, Server, new_database, postgres, valkey

ROOT = Path(__file__).parents[1]

# What takes longest (`make test ARGS=--durations=0`) is handed out first: no worker is left with it at the end, alone.
LONGEST = (
    "tests/test_notebooks.py",
    "tests/journey/test_journey.py",
    "tests/journey/test_skew.py",
    "tests/journey/test_questions.py",
    "tests/journey/test_together.py",
    "tests/features/test_build_live.py",
    "tests/training/monitor/test_run.py",
    "tests/leadlight/test_registry.py",
    "tests/training/test_pipeline.py",
    "tests/training/test_fit.py",
    "tests/training/test_search.py",
    "tests/leadlight/test_main.py",
    "tests/serving/test_app.py",
    "tests/features/test_history.py",
    "tests/features/test_build.py",
    "tests/leadlight/test_live_commands.py",
    "tests/serving/test_rollback.py",
    "tests/features/log/test_writers.py",
    "tests/serving/test_journal.py",
    "tests/features/test_checks.py",
    "tests/serving/web/test_chromium.py",
    "tests/serving/test_bulk.py",
    "tests/features/test_store_online.py",
)

# The same examples on every run and no deadline: a busy machine is no counterexample.
settings.register_profile("leadlight", derandomize=True, deadline=None, database=None)
settings.load_profile("leadlight")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, the others in their order."""
    places = {ROOT / file: place for place, file in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(LONGEST)))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of the two real data sets, which are not part of the repository."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real data sets do not lie beside the checkout (../shared/data)")
    return folder


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """A real PostgreSQL, one a session (with pytest-xdist: one a worker)."""
    try:
        with postgres() as server:
            yield server
    except NoServerError as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[Server]:
    """A real Valkey, one a session (with pytest-xdist: one a worker)."""
    try:
        with valkey() as server:
            yield server
    except NoServerError as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def postgres_url(postgres_server: Server) -> str:
    """The address of the session's PostgreSQL; what a test leaves in its database, the next one finds."""
    return postgres_server.url


@pytest.fixture(scope="session")
def valkey_url(valkey_server: Server) -> str:
    """The address of the session's Valkey; what a test leaves in it, the next one finds."""
    return valkey_server.url


@pytest.fixture
def postgres_database(postgres_url: str) -> str:
    """The address of a database of the test's own, empty."""
    return new_database(postgres_url)

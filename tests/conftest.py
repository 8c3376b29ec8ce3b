"""What every test shares: how examples are drawn, real servers, and the real data if they lie beside the checkout."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.servers import NoServerError, Server, new_database, postgres, valkey

ROOT = Path(__file__).parents[1]

# The same examples on every run and no deadline: a busy machine is no counterexample.
settings.register_profile("leadlight", derandomize=True, deadline=None, database=None)
settings.load_profile("leadlight")


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

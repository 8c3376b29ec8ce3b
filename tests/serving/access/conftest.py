"""The keys of a new database."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from leadlight.database import open_database
from serving.access import Keys
from tests.builders import site


@pytest.fixture
def database(tmp_path: Path) -> Engine:
    """A new database."""
    return open_database(site(), tmp_path)


@pytest.fixture
def keys(database: Engine) -> Keys:
    """Its keys: none yet."""
    return Keys(database)

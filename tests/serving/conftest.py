"""One school for all tests of the server that only read it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from serving.champion import Champion, load_champion
from tests.serving.serving_builders import School, build_school, certify_champion


@pytest.fixture(scope="session")
def school(tmp_path_factory: pytest.TempPathFactory) -> School:
    """The small school with a champion for its first target."""
    made = build_school(tmp_path_factory.mktemp("school"))
    certify_champion(made)
    return made


@pytest.fixture(scope="session")
def champion(school: School) -> Champion:
    """The school's champion."""
    return load_champion(school.catalogue, school.site, "first_order", state=school.state)


@pytest.fixture(scope="session")
def app(school: School) -> FastAPI:
    """The school's server."""
    return school.app()


@pytest.fixture(scope="session")
def client(app: FastAPI) -> Iterator[TestClient]:
    """A client of the school's server."""
    with TestClient(app) as opened:
        yield opened

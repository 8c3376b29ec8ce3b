"""The school that tests of the monitor look at."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from leadlight.settings import load_site
from tests.training.monitor.watch_builders import Place, World, made_place


@pytest.fixture(scope="session")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Nothing changed after training."""
    return made_place(tmp_path_factory.mktemp("quiet") / "site", World())


@pytest.fixture
def copied(quiet: Place, tmp_path: Path) -> Place:
    """A copy of the quiet place to change."""
    shutil.copytree(quiet.site.folder, tmp_path / "site")
    site = load_site(tmp_path / "site")
    return Place(site, quiet.catalogue, site.folder / "state")

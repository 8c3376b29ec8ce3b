"""journal prune: what leadlight.toml says of how long answers are kept, done at once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from leadlight.__main__ import app
from leadlight.commands.place import wall
from leadlight.database import open_database
from leadlight.journal import answers, keep
from leadlight.schema import DAY
from leadlight.settings import SiteError, UsageError, load_site
from tests.leadlight.journal.journal_builders import an_answer

DEMO = Path(__file__).parents[2] / "examples" / "demo"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A site whose journal has an answer of today, and one that is ten days old."""
    shutil.copy(DEMO / "leadlight.toml", tmp_path)
    engine = open_database(load_site(tmp_path), tmp_path / "state")
    keep(engine, [an_answer("new", asked_at=wall()), an_answer("old", asked_at=wall() - 10 * DAY)])
    engine.dispose()
    return tmp_path


def keep_for(folder: Path, days: object) -> None:
    path = folder / "leadlight.toml"
    path.write_text(f"{path.read_text(encoding='utf-8')}\n[journal]\nkeep_days = {days}\n", encoding="utf-8")


def left(folder: Path) -> list[str]:
    engine = open_database(load_site(folder), folder / "state")
    try:
        return sorted(answers(engine)["id"].to_pylist())
    finally:
        engine.dispose()


@pytest.mark.parametrize(("days", "removed", "stay"), [(9, 1, ["new"]), (11, 0, ["new", "old"])])
def test_answers_older_than_the_site_keeps_go(folder: Path, days: int, removed: int, stay: list[str]) -> None:
    """And the others stay."""
    keep_for(folder, days)

    done = CliRunner().invoke(app, ["journal", "prune", str(folder), "--json"])

    assert json.loads(done.stdout)["removed"] == removed
    assert left(folder) == stay


def test_a_site_that_keeps_everything_loses_nothing(folder: Path) -> None:
    """Without the setting the command says what to write, and removes nothing."""
    done = CliRunner().invoke(app, ["journal", "prune", str(folder)])

    assert isinstance(done.exception, UsageError)
    assert "keep_days = N" in str(done.exception)
    assert left(folder) == ["new", "old"]


@pytest.mark.parametrize("days", [0, -1, '"7d"', 40_000])
def test_days_are_a_whole_number_from_one(folder: Path, days: object) -> None:
    """Nobody empties the journal by a slip."""
    keep_for(folder, days)

    with pytest.raises(SiteError, match=r"journal\.keep_days"):
        load_site(folder)

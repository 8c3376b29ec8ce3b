"""What was answered stays the answer for its moment, and is what training computes, whoever writes meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.journey.together import lived_together


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.proof)])
def database(request: pytest.FixtureRequest) -> str:
    return "sqlite" if request.param == "sqlite" else str(request.getfixturevalue("postgres_database"))


def test_two_servers_and_an_ingest_at_once(database: str, tmp_path: Path) -> None:
    """No answer is another when it is asked again at its own moment, of any server; nor does a build find another."""
    assert_no_skew(tmp_path, database, servers=2, answers=150)


@pytest.mark.proof
def test_three_servers_for_longer(database: str, tmp_path: Path) -> None:
    """The same at length."""
    assert_no_skew(tmp_path, database, servers=3, answers=1_500)


def assert_no_skew(folder: Path, database: str, *, servers: int, answers: int) -> None:
    """Every answer is what is answered of its moment today, and what a build computes for it."""
    with lived_together(folder / "site", servers=servers, answers=answers, database=database) as together:
        otherwise = together.told_otherwise()
    asked = together.replay.asked
    differences = together.replay.differences()

    assert len(asked) >= answers
    assert len({each.as_of for each in asked}) > answers / 20
    assert not otherwise, f"{len(otherwise)} of {len(asked)} answers: {otherwise[:3]}"
    assert not differences, f"{len(differences)} values: {differences[:3]}"

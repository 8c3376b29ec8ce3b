"""The benchmark of the build, at a small size: what it compares must be equal, whatever it measures."""

from __future__ import annotations

import re

import duckdb
import pytest

from benchmarks import build
from benchmarks.made_history import Made, draw
from benchmarks.report import tell

pytestmark = pytest.mark.proof


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A history of two thousand leads, compared once."""
    return draw(tmp_path_factory.mktemp("made"), leads=2_000, events=60_000)


@pytest.fixture(scope="module")
def told(made: Made) -> str:
    """What the benchmark says of it."""
    return build.compared(made, rounds=1)


def test_the_compiled_catalogue_and_the_sql_by_hand_write_the_same_table(told: str) -> None:
    """Every value of every lead, known times and ``valid_until`` included; the table names all runners."""
    tell("build", "A small one", "today", told, keep=False)

    assert "equal in all of their 2,000 rows, 40 features and valid_until" in told
    assert re.findall(r"^\| (\D+?) \|", told, flags=re.MULTILINE)[1:] == ["---", *build.RUNNERS]


def test_one_other_value_is_found(told: str, made: Made) -> None:
    """The comparison ends the benchmark if one value of one row differs."""
    assert told
    ours, other = build.written(made, build.OURS), made.folder / "other.parquet"
    changed = "* REPLACE (views_all + (lead_id = 'L000000007')::BIGINT AS views_all)"
    duckdb.read_parquet(str(ours)).project(changed).write_parquet(str(other))

    with pytest.raises(SystemExit, match="L000000007"):
        build.count_equal_rows(ours, other)


def test_what_is_drawn_holds_what_makes_it_hard(made: Made) -> None:
    """Late events, corrected ones, events after the row's moment, and missing labels."""
    events = duckdb.sql(f"FROM read_parquet('{made.files('events')}') JOIN '{made.spine}' USING (lead_id)")

    held = events.aggregate(
        """
        count_if("at" < as_of AND arrived_at > as_of) > 0 AS late,
        count_if(until <= as_of) > 0 AS corrected_before,
        count_if(until > as_of) > 0 AS corrected_after,
        count_if("at" >= as_of) > 0 AS future,
        count_if(kind = 'page_view' AND course IS NULL) > 0 AS missing
        """
    ).fetchall()

    assert held == [(True,) * 5]

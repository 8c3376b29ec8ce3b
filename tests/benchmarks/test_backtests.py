"""The backtests' table and misses, and the comparison with few positives, at a small size."""

from __future__ import annotations

import importlib.util
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import automl, backtests, few_positives, problems
from benchmarks.backtests import Line
from benchmarks.misses import PARTS, Split, differences
from benchmarks.sources import Problem, Rows, Source
from features.catalogue import load_catalogue
from leadlight.schema import DAY
from leadlight.settings import load_site

BEHIND = Line("behind", 200, 80, "logistic", 0.40, 0.42, 0.02, 0.01, 0.80, 0.81, fresh=True)
FRESH = ["wa_churn", "mlc_churn", "credit_data", "lending_club", "attrition"]
AHEAD = Line("ahead", 900, 90, "hist", 0.30, 0.27, -0.03, 0.01, 0.85, 0.80, fresh=False)


def rows(number: int, *, seed: int) -> Rows:
    """Rows whose first number makes one in three of them positive, about."""
    random = np.random.default_rng(seed)
    X = pd.DataFrame({"told": random.normal(size=number), "noise": random.normal(size=number)})
    y = (X["told"].to_numpy() + random.normal(size=number) > 0.6).astype(np.int8)
    return Rows(X, y, np.arange(number, dtype=np.int64) * DAY)


def test_the_table_counts_what_is_within_an_error_and_what_is_lower() -> None:
    """A loss of two errors is no hit, and the fresh problems are counted by themselves as well."""
    text = backtests.told([AHEAD, BEHIND, replace(BEHIND, name="close", gap=0.009, fresh=False)], ["x_education"])

    assert "or lower, on 2 of 3; lower on 1; regret -0.92% in the mean, +5.00% at worst (behind)." in text
    assert "On the 1 fresh ones alone: within one standard error" in text
    assert "Left out, for their data were not given: x_education." in text


def test_the_parts_of_a_miss_are_judged_on_the_rows_that_the_rival_is_judged_on() -> None:
    """Each later row has a difference for the whole and for every part, and a new order keeps the moments."""
    known = rows(260, seed=1)
    split = Split(known.X, known.y, known.as_of, learned=200, horizon=DAY)

    other = split.shuffled(3)
    found = differences(other, "logistic")

    assert list(found) == list(PARTS)
    assert {len(gaps) for gaps in found.values()} == {60}
    assert abs(float(found["whole"].mean())) < 0.1
    assert np.array_equal(other.as_of, known.as_of)
    assert sorted(other.X["told"]) == sorted(known.X["told"])
    assert not np.array_equal(other.X["told"], known.X["told"])


def test_a_number_with_gaps_stays_a_number(tmp_path: Path) -> None:
    """An empty field of a packaged table is missing; it does not make a text of its column."""
    content = b"size,colour,bought\n1.5,red,Yes\n,blue,No\n3,,Yes\n"
    package = {"name": "made", "label": "bought", "positive": "Yes", "order": "file"}

    site = problems.flat_site(package, "made.csv", content, tmp_path)

    types = {column.name: column.type for column in load_catalogue(load_site(site)).columns}
    assert types == {"c_size": "float", "c_colour": "str"}


def test_few_positives_are_told_with_ranks_and_kept(tmp_path: Path) -> None:
    """A problem of 60 positives answers at 20 and 50, and its kept draws are not drawn again."""
    problem = Problem("small", DAY, rows(190, seed=1), rows(150, seed=2))
    made: list[str] = []

    def make() -> Problem:
        made.append("once")
        return problem

    source = Source("small", known=False, make=make)
    found = few_positives.measured(source, tmp_path, draws=1)
    again = few_positives.measured(source, tmp_path, draws=1)
    text = few_positives.told(found, draws=1)

    assert [of.positives for of in found] == [20, 50]
    assert made == ["once"]
    assert all(np.array_equal(one.scores, two.scores) for one, two in zip(found, again, strict=True))
    assert "| 20 | independent: 1 |" in text
    assert "## 100 positives" not in text


def test_the_comparison_with_automl_counts_sure_wins_and_losses() -> None:
    """Ahead by two errors is a sure win, behind by half of one no sure loss."""
    ahead = automl.Line("ahead", 900, 90, 0.30, 0.27, 0.015, 0.80, 0.85, "lgbm", 41.0)
    behind = automl.Line("behind", 200, 80, 0.40, 0.41, 0.02, 0.82, 0.81, "rf", 55.0)

    text = automl.told([ahead, behind], [], seconds=60, flaml="2.7.0")

    assert "lower on 1: by more than one standard error on 1, higher\nby more than one on 0" in text
    assert "| behind | 200 | 80 | 0.40000 | 0.41000 | +0.01000 | 0.02000 | 0.820 | 0.810 | rf | 55 |" in text


@pytest.mark.skipif(importlib.util.find_spec("flaml") is not None, reason="FLAML is installed")
def test_without_flaml_it_says_what_to_install(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The comparison ends at once, with the command that helps."""
    monkeypatch.setattr(sys, "argv", ["automl"])

    automl.main()

    assert 'pip install "flaml[automl]"' in capsys.readouterr().out


def test_the_problems_keep_their_splits() -> None:
    """Every packaged problem names its wheel by hash and its order; a fresh one says so."""
    packages = problems.sets()["package"]

    assert all(re.fullmatch(r"[0-9a-f]{64}", each["sha256"]) for each in packages)
    assert all("site" in each or each["order"] for each in packages)
    assert [each["name"] for each in packages if each.get("fresh")] == FRESH

"""The simulation of the monitor, at a small size: champions as they are fitted are not accused of being so."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import monitor
from benchmarks.report import tell

pytestmark = pytest.mark.proof


def test_fitted_champions_in_quiet_weeks_are_left_in_peace() -> None:
    """Three champions in ten quiet weeks each of 1,000 leads: hardly an alarm; taken for true, there are several."""
    random = np.random.default_rng(3)
    tally = monitor.Tally()

    for _ in range(3):
        champion = monitor.fitted_champion(random)
        monitor.with_fitted_champion(champion, 1_000, monitor.QUIET, weeks=10, random=random, tally=tally)

    assert tally.weeks == 30
    assert tally.alarms <= 3
    assert tally.other_rule > tally.alarms


def test_the_page_has_both_tables() -> None:
    """A run of a week a cell gives the whole page, with a line for each kind of week."""
    *_, told = monitor.reports(quiet=1, drifted=1, champions=1)
    tell("monitor", "A small one", "today", told, keep=False)

    lines = told.splitlines()
    assert [line for line in lines if line.startswith("## ")] == [
        "## Fitted champions",
        "## A champion whose probabilities are true",
    ]
    assert sum(line.startswith("| 200 | ") for line in lines) == len(monitor.DRIFTS) + 1 + 4

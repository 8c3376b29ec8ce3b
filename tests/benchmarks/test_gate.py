"""The simulation of the gate, at a small size: the gate is as rarely wrong as it says."""

from __future__ import annotations

import pytest

from benchmarks import gate
from benchmarks.report import tell


@pytest.mark.parametrize(("over", "at_most", "at_least"), [(-0.02, 0.03, 0.0), (0.0, 0.08, 0.0), (0.05, 1.0, 0.85)])
def test_the_precision_rule_keeps_its_word(over: float, at_most: float, at_least: float) -> None:
    """Over 150 runs at 1,000 flagged leads, as near to 1 %, 5 % and 90 % as so few runs can be."""
    world = gate.WORLDS[0]

    passed = gate.precision_alone(world, flagged=1000, over=over, place=1, runs=150, seed=5)

    assert at_least <= passed <= at_most


@pytest.mark.parametrize("correlated", [False, True])
def test_trying_again_does_not_help(correlated: bool) -> None:  # noqa: FBT001
    """Twenty candidates on moved windows have twenty places, and seldom is any of them let through."""
    places = gate.places_of_moved_windows()

    passed = gate.lucky(places, correlated=correlated, flagged=150, runs=20, seed=5)

    assert places == list(range(1, gate.CANDIDATES + 1))
    assert passed <= 0.1


@pytest.mark.proof
def test_the_page_has_every_table() -> None:
    """A run of a few draws a cell gives the whole page."""
    told = gate.report(runs=2)
    tell("gate", "A small one", "today", told, keep=False)

    assert [line for line in told.splitlines() if line.startswith("## ")] == [
        "## The precision rule alone",
        "## The whole gate",
        "## Retraining until lucky",
        "## What a later look costs",
    ]

"""What is served at any moment equals what a later build computes for that moment."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.journey.skew import SITE_ON_THE_WALL_CLOCK, lived
from tests.serving.serving_builders import CATALOGUE


def test_served_vectors_equal_a_later_build(tmp_path: Path) -> None:
    """Late, corrected and re-sent events, new leads and versions, merges and un-merges, two servers, two builds."""
    assert_no_skew(tmp_path, SITE_ON_THE_WALL_CLOCK, seed=5, moments=100)


@pytest.mark.proof
def test_two_thousand_moments(tmp_path: Path) -> None:
    """The same at length."""
    assert_no_skew(tmp_path, SITE_ON_THE_WALL_CLOCK, seed=6, moments=2_000)


def assert_no_skew(folder: Path, site: str, *, seed: int, moments: int) -> None:
    """Every value that was served is the value a build has for that moment."""
    with lived(folder / "site", site, CATALOGUE, seed=seed, moments=moments) as replay:
        differences = replay.differences()

    assert len(replay.asked) >= moments
    assert not differences, f"{len(differences)} values differ: {differences[:5]}"

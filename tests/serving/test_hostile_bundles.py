"""No harmed or hostile bundle is loaded, nothing it brings is executed, and the server lives on."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from features.catalogue import load_catalogue
from leadlight.settings import load_site
from tests.serving.hostile import ATTACKS, SIGNED, Attack, Outcome, Target
from tests.serving.serving_builders import School


@pytest.fixture
def target(school: School, tmp_path: Path) -> Target:
    """A copy of the school whose champion is attacked."""
    shutil.copytree(school.site.folder, tmp_path / "school")
    site = load_site(tmp_path / "school")
    return Target(site, load_catalogue(site), tmp_path / "school" / "state", "first_order")


def test_nothing_harmed_is_loaded(target: Target) -> None:
    """Two of each kind; the whole bundle serves again afterwards."""
    draw = random.Random(1)  # noqa: S311  a proof that can be repeated

    found = {attack.name: _tried(target, attack, draw, times=2) for attack in ATTACKS}

    assert {name: outcome.loaded for name, outcome in found.items()} == dict.fromkeys(found, 0)
    assert all(outcome.refused + outcome.harmless == 2 for outcome in found.values())
    assert sum(outcome.harmless for outcome in found.values()) <= 2
    assert target.still_serves()


@pytest.mark.proof
def test_a_child_process_meets_it_first(target: Target) -> None:
    """Even with the gate's own signature, what does not load and answer as written does not serve, and harms nobody."""
    draw = random.Random(2)  # noqa: S311  a proof that can be repeated

    found = [_tried(target, attack, draw, times=3) for attack in SIGNED]

    assert [outcome.tried for outcome in found] == [3, 3, 3]
    assert found[0].refused == 3
    assert target.still_serves()


def _tried(target: Target, attack: Attack, draw: random.Random, *, times: int) -> Outcome:
    outcome = Outcome()
    for _ in range(times):
        target.attack(attack, draw, outcome)
    return outcome

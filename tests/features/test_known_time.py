"""Known time: what a row says is what was known then, whoever asks, and nothing that was learnt later."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.features.known_time import compare
from tests.features.planted import plant


@pytest.mark.parametrize("histories", [400, pytest.param(10_000, marks=pytest.mark.proof, id="at length")])
def test_both_evaluators_read_what_the_definitions_say(histories: int) -> None:
    """Late, doubled, corrected, disordered and future facts, leads merged and parted: no cell differs."""
    compared = compare(seed=histories, histories=histories)

    assert compared.cells > 300 * histories
    assert compared.differences == []


def test_no_planted_leak_changes_what_was_known_before() -> None:
    """Twenty facts learnt later: none shows before, all do then, and all fool a join on event time."""
    planted = plant(seed=20, count=20)

    assert Counter(each.leak.kind for each in planted) == {
        "value written after the outcome": 5,
        "correction": 5,
        "late arrival": 5,
        "status set by the sale": 5,
    }
    assert [each.leak for each in planted if each.leaked] == []
    assert [each.leak for each in planted if not each.counted] == []
    assert [each.leak for each in planted if not each.real] == []

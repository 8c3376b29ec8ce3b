"""When a check becomes a finding, and what to do about it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.monitor.findings import Check, Kind, advice, findings, holm


def check(kind: Kind, p: float, *, matters: bool = True, advice: str = "retrain", subject: str = "x") -> Check:
    """A check with this p-value."""
    return Check(kind, subject, p, 0.2, matters, "moved", advice)


def test_holm_is_as_published() -> None:
    """The smallest counts as often as there are tests, the next once less, and none is below one before it."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_holm_never_makes_a_test_surer(p_values: list[float]) -> None:
    """A corrected p-value is at least the raw one, at most 1, and in the same order."""
    adjusted = holm(p_values)

    assert all(raw <= corrected <= 1 for raw, corrected in zip(p_values, adjusted, strict=True))
    assert [adjusted[place] for place in np.argsort(p_values, kind="stable")] == sorted(adjusted)


def test_a_finding_is_certain_and_matters() -> None:
    """Neither a sure trifle nor an unsure upheaval is one, and one among many tests needs to be surer."""
    alone = findings([check("score", 0.02)], false_alarms=0.05)
    trifle = findings([check("score", 0.02, matters=False)], false_alarms=0.05)
    unsure = findings([check("score", 0.03)], false_alarms=0.05)
    crowd = findings([check("values", 0.02, subject=f"c{n}") for n in range(2)], false_alarms=0.05)

    assert [found.kind for found in alone] == ["score"]
    assert trifle == unsure == crowd == []


def test_inputs_do_not_drown_the_rest() -> None:
    """However many columns there are, calibration is judged within its own half of the rate."""
    many = [check("values", 0.9, subject=f"column {n}") for n in range(500)]

    found = findings([*many, check("calibration", 0.01, advice="recalibrate")], false_alarms=0.05)

    assert [each.kind for each in found] == ["calibration"]


def test_sources_come_first_in_the_advice() -> None:
    """A model is not fitted to a fault of its data; each advice is given once."""
    checks = [
        check("score", 1e-6),
        check("calibration", 1e-7, advice="recalibrate"),
        check("missing", 1e-5, advice="look at source leads.city", subject="city"),
        check("values", 1e-9, advice="look at source leads.city", subject="city"),
    ]

    assert advice(findings(checks, false_alarms=0.05)) == ["look at source leads.city", "recalibrate", "retrain"]


def test_a_finding_has_one_name_while_it_lasts() -> None:
    """The same about the same bundle has the same id whatever its numbers; about another bundle another."""
    (first,) = findings([check("score", 1e-4)], false_alarms=0.05)
    (later,) = findings([check("score", 1e-6)], false_alarms=0.05)

    assert first.id("a" * 64) == later.id("a" * 64) != later.id("b" * 64)

"""Promises against outcomes."""

from __future__ import annotations

import numpy as np
import pytest

from leadlight.model.margins import sigmoid
from training.as_judged import TRUE, AsJudged, Found
from training.monitor.calibration import calibration, promises
from training.monitor.findings import findings

RIGHT = AsJudged(leads=10_000, converted=2_000, shift=TRUE, slope=Found(1.0, 0.0), grades=dict.fromkeys("ABCD", TRUE))
"""A champion whose probabilities are known to be true."""


def drawn(rows: int, *, seed: int, shift: float = 0.0, slope: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Margins, and outcomes of which these are the truth but for a shift and a slope."""
    random = np.random.default_rng(seed)
    margins = random.normal(-1.5, 1.2, rows)
    return margins, (random.random(rows) < sigmoid(slope * margins + shift)).astype(np.int8)


def test_true_promises_are_seldom_accused() -> None:
    """Of 40 weeks of 300 leads with true probabilities, at most a few have a finding of calibration or grades."""
    accused = 0
    for seed in range(40):
        margins, labels = drawn(300, seed=seed)
        _, whole = calibration(margins, labels, judged=RIGHT, seed=7)
        grades = np.where(margins > 0, "A", "B").astype(object)
        _, by_grade = promises(sigmoid(margins), grades, labels, judged=RIGHT)
        accused += bool(findings([*whole, *by_grade], false_alarms=0.05))

    assert accused <= 4


@pytest.mark.parametrize(
    ("truth", "subject", "advice"),
    [({"shift": 0.8}, "base rate", "recalibrate"), ({"slope": 0.4, "shift": -0.9}, "slope", "retrain")],
)
def test_what_is_off_is_named_with_its_remedy(truth: dict[str, float], subject: str, advice: str) -> None:
    """A moved base rate asks for another offset, probabilities too bold for another model."""
    found, checks = calibration(*drawn(1_500, seed=3, **truth), judged=RIGHT, seed=7)

    surest = findings(checks, false_alarms=0.05)[0]
    assert found is not None
    assert (surest.subject, surest.advice) == (subject, advice)
    if subject == "base rate":
        assert found.shift == pytest.approx(0.8, abs=3 * found.shift_error)
        assert found.error > 2 * found.noise_floor


def test_too_few_outcomes_say_nothing() -> None:
    """Fewer than 50 leads, or than 5 of either outcome, are no evidence for or against."""
    margins = np.zeros(200)

    assert calibration(margins[:40], np.ones(40, dtype=np.int8), judged=RIGHT, seed=7) == (None, [])
    assert calibration(margins, (np.arange(200) < 4).astype(np.int8), judged=RIGHT, seed=7) == (None, [])


def test_each_grade_keeps_its_own_account() -> None:
    """Leads, conversions, promise, and an interval around what came; a broken promise is a finding by its grade."""
    grades = np.array(["A"] * 100 + ["D"] * 300, dtype=object)
    promised = np.array([0.5] * 100 + [0.05] * 300)
    labels = np.array([1] * 20 + [0] * 80 + [1] * 15 + [0] * 285, dtype=np.int8)

    kept, checks = promises(promised, grades, labels, judged=RIGHT)

    assert [(each.grade, each.leads, each.converted, each.promised) for each in kept] == [
        ("A", 100, 20, 0.5),
        ("D", 300, 15, pytest.approx(0.05)),
    ]
    assert kept[0].lower < 0.2 < kept[0].upper < 0.5
    assert [each.subject for each in findings(checks, false_alarms=0.05)] == ["grade A"]


def in_grades(margins: np.ndarray) -> np.ndarray:
    """A for the surest, C for most."""
    return np.where(margins > 0, "A", np.where(margins > -1, "B", "C")).astype(object)


def as_judged(*, seed: int, **truth: float) -> AsJudged:
    """What 400 leads of that truth said of a champion."""
    margins, labels = drawn(400, seed=seed, **truth)
    return AsJudged.of(margins, labels, in_grades(margins))


def found_of(judged: AsJudged, *, seed: int, **truth: float) -> set[str]:
    """What a week of that truth raises for that champion."""
    margins, labels = drawn(1_000, seed=seed, **truth)
    _, whole = calibration(margins, labels, judged=judged, seed=7)
    _, by_grade = promises(sigmoid(margins), in_grades(margins), labels, judged=judged)
    return {each.subject for each in findings([*whole, *by_grade], false_alarms=0.05)}


def test_a_champion_that_is_as_it_was_judged_is_not_accused() -> None:
    """One too timid and too low from the first has hardly a finding, though it would have most weeks as a true one."""
    fitted = {"slope": 1.25, "shift": 0.3}

    accused = sum(bool(found_of(as_judged(seed=seed, **fitted), seed=1_000 + seed, **fitted)) for seed in range(100))
    as_if_true = sum(bool(found_of(RIGHT, seed=1_000 + seed, **fitted)) for seed in range(10))

    assert accused <= 5
    assert as_if_true >= 5


@pytest.mark.parametrize(
    ("truth", "subject"),
    [({"slope": 1.25, "shift": 1.1}, "base rate"), ({"slope": 0.5, "shift": -0.6}, "slope")],
)
def test_what_has_changed_since_is_found(truth: dict[str, float], subject: str) -> None:
    """A base rate that moves, or a slope that falls, is found for the same champion in nearly every week."""
    judged = [as_judged(seed=seed, slope=1.25, shift=0.3) for seed in range(20)]

    found = [subject in found_of(each, seed=1_000 + seed, **truth) for seed, each in enumerate(judged)]

    assert sum(found) >= 17


def test_a_grade_that_judged_nobody_is_told_and_not_tested() -> None:
    """Nobody knows what it was: its account is kept, without a check."""
    margins, labels = drawn(300, seed=1)
    judged = AsJudged.of(margins, labels, np.full(300, "B", dtype=object))

    kept, checks = promises(sigmoid(margins), in_grades(margins), labels, judged=judged)

    assert {each.grade for each in kept} == {"A", "B", "C"}
    assert [each.subject for each in checks] == ["grade B"]

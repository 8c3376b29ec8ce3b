"""Promises against outcomes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from leadlight.model.margins import sigmoid
from training.monitor.calibration import calibration, exact_p, promises
from training.monitor.findings import findings


def drawn(rows: int, *, seed: int, shift: float = 0.0, slope: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Margins, and outcomes of which these are the truth but for a shift and a slope."""
    random = np.random.default_rng(seed)
    margins = random.normal(-1.5, 1.2, rows)
    return margins, (random.random(rows) < sigmoid(slope * margins + shift)).astype(np.int8)


def test_the_exact_p_value_is_the_binomial_one_for_equal_promises() -> None:
    """For one probability it is twice the smaller tail of the binomial distribution."""
    for hits in (0, 7, 10, 18):
        tails = [binomtest(hits, 50, 0.2, alternative=side).pvalue for side in ("less", "greater")]
        assert exact_p(np.full(50, 0.2), hits) == pytest.approx(min(1.0, 2 * min(tails)))


def test_true_promises_are_seldom_accused() -> None:
    """Of 40 weeks of 300 leads with true probabilities, at most a few have a finding of calibration or grades."""
    accused = 0
    for seed in range(40):
        margins, labels = drawn(300, seed=seed)
        _, whole = calibration(margins, labels, seed=7)
        grades = np.where(margins > 0, "A", "B").astype(object)
        _, by_grade = promises(sigmoid(margins), grades, labels)
        accused += bool(findings([*whole, *by_grade], false_alarms=0.05))

    assert accused <= 4


@pytest.mark.parametrize(
    ("truth", "subject", "advice"),
    [({"shift": 0.8}, "base rate", "recalibrate"), ({"slope": 0.4, "shift": -0.9}, "slope", "retrain")],
)
def test_what_is_off_is_named_with_its_remedy(truth: dict[str, float], subject: str, advice: str) -> None:
    """A moved base rate asks for another offset, probabilities too bold for another model."""
    found, checks = calibration(*drawn(1_500, seed=3, **truth), seed=7)

    surest = findings(checks, false_alarms=0.05)[0]
    assert found is not None
    assert (surest.subject, surest.advice) == (subject, advice)
    if subject == "base rate":
        assert found.shift == pytest.approx(0.8, abs=3 * found.shift_error)
        assert found.error > 2 * found.noise_floor


def test_too_few_outcomes_say_nothing() -> None:
    """Fewer than 50 leads, or than 5 of either outcome, are no evidence for or against."""
    margins = np.zeros(200)

    assert calibration(margins[:40], np.ones(40, dtype=np.int8), seed=7) == (None, [])
    assert calibration(margins, (np.arange(200) < 4).astype(np.int8), seed=7) == (None, [])


def test_each_grade_keeps_its_own_account() -> None:
    """Leads, conversions, promise, and an interval around what came; a broken promise is a finding by its grade."""
    grades = np.array(["A"] * 100 + ["D"] * 300, dtype=object)
    promised = np.array([0.5] * 100 + [0.05] * 300)
    labels = np.array([1] * 20 + [0] * 80 + [1] * 15 + [0] * 285, dtype=np.int8)

    kept, checks = promises(promised, grades, labels)

    assert [(each.grade, each.leads, each.converted, each.promised) for each in kept] == [
        ("A", 100, 20, 0.5),
        ("D", 300, 15, pytest.approx(0.05)),
    ]
    assert kept[0].lower < 0.2 < kept[0].upper < 0.5
    assert [each.subject for each in findings(checks, false_alarms=0.05)] == ["grade A"]

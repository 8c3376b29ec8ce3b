from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.model.margins import sigmoid
from leadlight.settings import Grades, Operate
from training.calibrate import calibrated_as_positive, freeze_cuts, shrunken_offset, venn_abers

steps = st.lists(
    st.integers(1, 6).flatmap(lambda rows: st.tuples(st.just(rows), st.integers(0, rows))), min_size=1, max_size=12
)


def isotonic(rows: list[int], positives: list[int], step: int) -> float:
    """The isotonic estimate at a step by its definition: the greatest, over starts, of the least mean over ends."""
    return float(
        max(
            min(Fraction(sum(positives[start : end + 1]), sum(rows[start : end + 1])) for end in range(step, len(rows)))
            for start in range(step + 1)
        )
    )


def added(values: list[int], step: int, more: int) -> list[int]:
    """The values with some more at one step."""
    return [value + more * (place == step) for place, value in enumerate(values)]


@given(steps)
def test_the_walk_finds_what_the_definition_says(counts: list[tuple[int, int]]) -> None:
    """For every step, the estimate with one more positive row there is the isotonic one, exactly."""
    rows, positives = [list(column) for column in zip(*counts, strict=True)]

    estimates = calibrated_as_positive(rows, positives)

    assert estimates == [isotonic(added(rows, step, 1), added(positives, step, 1), step) for step in range(len(rows))]


@given(steps)
def test_the_interval_is_the_venn_abers_pair(counts: list[tuple[int, int]]) -> None:
    """At every margin, low and high are the isotonic estimates as if the lead were negative and positive."""
    rows, positives = [list(column) for column in zip(*counts, strict=True)]
    margins = np.repeat(np.arange(len(rows), dtype=np.float64), rows)
    labels = np.concatenate([[1] * hit + [0] * (all_ - hit) for all_, hit in counts]).astype(np.int8)

    interval = venn_abers(margins, labels)

    places = np.arange(len(rows), dtype=np.float64)
    found = np.searchsorted(interval.edges, places)
    assert interval.low[found] == pytest.approx(
        [isotonic(added(rows, step, 1), positives, step) for step in range(len(rows))], abs=1e-12
    )
    assert interval.high[found].tolist() == [
        isotonic(added(rows, step, 1), added(positives, step, 1), step) for step in range(len(rows))
    ]


def test_the_interval_of_many_rows_is_small_and_monotone() -> None:
    """Ten thousand rows make at most 256 steps, which rise, and around the truth their width is narrow."""
    margins = np.random.default_rng(7).normal(size=10_000)
    labels = (np.random.default_rng(8).random(10_000) < sigmoid(margins)).astype(np.int8)

    interval = venn_abers(margins, labels)

    assert len(interval.low) <= 256
    assert np.all(np.diff(interval.low) >= 0)
    assert np.all(np.diff(interval.high) >= 0)
    low, high = interval.around(sigmoid(np.zeros(1)), np.zeros(1))
    assert low[0] <= 0.5 <= high[0]
    assert high[0] - low[0] < 0.1


@pytest.mark.parametrize("shift", [-1.0, 1.0])
def test_the_offset_is_half_of_a_certain_shift(shift: float) -> None:
    """With many rows, half of what would make the mean right."""
    margins = np.random.default_rng(7).normal(size=50_000)
    labels = (np.random.default_rng(8).random(50_000) < sigmoid(margins + shift)).astype(np.int8)

    offset = shrunken_offset(margins, labels)

    assert offset == pytest.approx(shift / 2, abs=0.03)


def test_the_offset_is_nothing_where_noise_explains_the_shift() -> None:
    """A mean that is off by less than two standard errors is left alone."""
    margins = np.zeros(100)
    labels = np.array([1] * 55 + [0] * 45, dtype=np.int8)

    assert shrunken_offset(margins, labels) == 0.0


@given(st.integers(0, 50), st.floats(-5, 5))
def test_the_offset_is_finite_whatever_happened(positives: int, margin: float) -> None:
    """Even if nobody or everybody converted."""
    labels = np.array([1] * positives + [0] * (50 - positives), dtype=np.int8)

    assert abs(shrunken_offset(np.full(50, margin), labels)) < 10


def test_cuts_reach_the_shares_on_the_calibration_rows() -> None:
    """Of distinct probabilities exactly the asked share is flagged, and A, B, C hold theirs."""
    probabilities = np.random.default_rng(7).random(1000)

    cuts = freeze_cuts(probabilities, operate=Operate(flag_share=0.1), grades=Grades(A=0.05, B=0.15, C=0.30))

    grades = [cuts.grade(probability) for probability in probabilities]
    assert [grades.count(grade) for grade in ("A", "B", "C", "D")] == [50, 150, 300, 500]
    assert sum(cuts.flagged(probability) for probability in probabilities) == 100
    assert len(cuts.quantiles) == 101


def test_a_fixed_threshold_stays_as_the_site_gave_it() -> None:
    """A site that names a threshold gets that one."""
    cuts = freeze_cuts(np.array([0.1, 0.2]), operate=Operate(threshold=0.3), grades=Grades())

    assert cuts.threshold == 0.3


def test_rows_that_tie_at_a_cut_are_all_on_its_better_side() -> None:
    """With one probability for all, all are flagged and graded A."""
    cuts = freeze_cuts(np.full(10, 0.2), operate=Operate(), grades=Grades())

    assert cuts.flagged(0.2)
    assert cuts.grade(0.2) == "A"

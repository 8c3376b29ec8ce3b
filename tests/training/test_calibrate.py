from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.model.interval import Interval
from leadlight.model.margins import logit, sigmoid
from leadlight.settings import Grades, Operate
from training.calibrate import (
    calibrated_as_positive,
    first_offset,
    followed_offset,
    freeze_cuts,
    moved,
    moved_cuts,
    moved_interval,
    shift_of,
    shrunken_offset,
    venn_abers,
)
from training.evaluate import log_losses

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


@pytest.mark.parametrize("shift", [-1.2, 1.2])
def test_the_offset_that_follows_comes_near_the_truth(shift: float) -> None:
    """Many outcomes outweigh what training chose; few hardly move it, and its error says how sure it is."""
    random = np.random.default_rng(7)
    margins = random.normal(-1, 1, 5_000)
    labels = (random.random(5_000) < sigmoid(margins + shift)).astype(np.int8)

    many, sure = followed_offset(margins, labels, first=0.0, first_error=0.05)
    few, unsure = followed_offset(margins[:50], labels[:50], first=0.0, first_error=0.05)

    assert many == pytest.approx(shift, abs=0.1)
    assert 0 < few / shift < 0.6
    assert sure < unsure < 0.2


def test_the_formula_by_hand() -> None:
    """The rows' own shift and the first offset, each weighed by its precision, the latter's at most 25."""
    margins, labels = np.zeros(100), np.array([1] * 60 + [0] * 40, dtype=np.int8)
    own, error = shift_of(margins, labels)

    offset, spread = followed_offset(margins, labels, first=0.2, first_error=0.01)

    assert offset == pytest.approx((own / error**2 + 25 * 0.2) / (error**-2 + 25))
    assert spread == pytest.approx((error**-2 + 25) ** -0.5)
    assert first_offset(margins, labels, offset=0.2) == {"error": error, "offset": 0.2, "rows": 100, "shift": own}


def _followed_losses(shifts: list[float], *, seed: int) -> tuple[float, float]:
    """The mean log loss of blocks of 200 leads with these shifts: with the first offset, and with one that follows."""
    random = np.random.default_rng(seed)
    seen_margins, seen_labels = np.empty(0), np.empty(0, dtype=np.int8)
    frozen, followed = [], []
    for shift in shifts:
        margins = random.normal(-2, 1, 200)
        labels = (random.random(200) < sigmoid(margins + shift)).astype(np.int8)
        offset = 0.0
        if len(seen_labels) >= 50:
            offset, _ = followed_offset(seen_margins[-1000:], seen_labels[-1000:], first=0.0, first_error=0.1)
        frozen.append(log_losses(labels, sigmoid(margins)).mean())
        followed.append(log_losses(labels, sigmoid(margins + offset)).mean())
        seen_margins, seen_labels = np.append(seen_margins, margins), np.append(seen_labels, labels)
    return float(np.mean(frozen)), float(np.mean(followed))


def test_following_pays_under_drift_and_costs_almost_nothing_without() -> None:
    """Where the base rate climbs, several per cent less log loss than frozen; where it stays, half a per cent more."""
    climbing = [_followed_losses([step / 5 for step in range(8)], seed=seed) for seed in range(4)]
    steady = [_followed_losses([0.0] * 8, seed=seed) for seed in range(4)]

    gains = [followed / frozen - 1 for frozen, followed in climbing]
    costs = [followed / frozen - 1 for frozen, followed in steady]
    assert max(gains) < -0.02
    assert np.mean(gains) < -0.05
    assert np.mean(costs) < 0.005


@given(st.lists(st.integers(1, 999_999), min_size=1, max_size=30), st.floats(-4, 4))
def test_moved_cuts_choose_the_same_leads(millionths: list[int], shift: float) -> None:
    """Whatever the shift, every lead keeps its flag and grade, those that are a cut themselves too."""
    margins = np.array([logit(each / 1e6) for each in millionths])
    before = sigmoid(margins)
    cuts = freeze_cuts(before, operate=Operate(), grades=Grades())

    after = moved_cuts(cuts, shift)

    now = sigmoid(margins + shift).tolist()
    assert [after.grade(p) for p in now] == [cuts.grade(p) for p in before.tolist()]
    assert [after.flagged(p) for p in now] == [cuts.flagged(p) for p in before.tolist()]


@given(st.floats(0, 1), st.floats(-5, 5), st.floats(-5, 5))
def test_moving_twice_is_moving_once(probability: float, first: float, second: float) -> None:
    """Moves add up, certainty stays, and a move back undoes one."""
    assert moved(moved(probability, first), second) == pytest.approx(moved(probability, first + second), abs=1e-9)
    assert moved(0.0, first) == 0.0
    assert moved(1.0, first) == 1.0


@pytest.mark.parametrize("seed", range(3))
def test_a_moved_interval_holds_after_the_base_rate_moved(seed: int) -> None:
    """In each fifth of the leads the share that converts lies in the mean interval; the one that stayed misses it."""
    random = np.random.default_rng(seed)

    def leads(rows: int, shift: float) -> tuple[np.ndarray, np.ndarray]:
        margins = random.normal(-1.5, 1.2, rows)
        return margins, (random.random(rows) < sigmoid(margins + shift)).astype(np.int8)

    stayed = venn_abers(*leads(2_000, 0.0))
    offset, error = followed_offset(*leads(600, 0.9), first=0.0, first_error=0.1)
    margins, labels = leads(20_000, 0.9)

    follows = moved_interval(stayed, offset, error=error)

    inside = [_fifths_inside(follows, margins + offset, labels), _fifths_inside(stayed, margins, labels)]
    assert inside[0] == 5
    assert inside[1] <= 1
    again = moved_interval(follows, 0.0, error=0.05, allowed=error)
    assert np.all(again.high - again.low <= follows.high - follows.low + 1e-12)


def _fifths_inside(interval: Interval, margins: np.ndarray, labels: np.ndarray) -> int:
    """In how many fifths of the leads, by margin, the share of positives lies in the mean interval, but for noise."""
    low, high = interval.around(sigmoid(margins), margins)
    parts = np.array_split(np.argsort(margins), 5)
    noise = [3 * np.sqrt(labels[part].mean() / len(part)) for part in parts]
    return sum(
        low[part].mean() - slack <= labels[part].mean() <= high[part].mean() + slack
        for part, slack in zip(parts, noise, strict=True)
    )

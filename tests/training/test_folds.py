from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.fit.folds import LONGEST_GAP, MOST_NEGATIVES, calibration_start, thin_negatives, time_folds

moments = st.lists(st.integers(0, 1000), min_size=10, max_size=80).map(lambda seen: np.array(sorted(seen), np.int64))


@given(moments, st.integers(0, 400), st.integers(0, 2**32))
def test_no_fold_learns_from_labels_of_its_own_time(as_of: np.ndarray, horizon: int, seed: int) -> None:
    """Every training row's horizon (or 0.3 of the time elapsed) has passed when the fold begins."""
    labels = np.random.default_rng(seed).integers(0, 2, len(as_of)).astype(np.int8)

    folds = time_folds(labels, as_of, horizon=horizon)

    for fold in folds:
        begins = as_of[fold.judge[0]]
        gap = min(horizon, int(LONGEST_GAP * (begins - as_of[0])))
        assert np.all(as_of[fold.train] + gap <= begins)
        assert fold.train[-1] < fold.judge[0]
        assert labels[fold.train].sum() >= 5
        assert labels[fold.judge].any()


def test_the_folds_expand_and_the_last_is_the_calibration() -> None:
    """Rows 40-60, 60-80 and 80-100 % judge, all earlier ones (less the gap) teach."""
    labels = np.tile(np.array([0, 1], dtype=np.int8), 50)

    folds = time_folds(labels, np.arange(100, dtype=np.int64), horizon=5)

    assert [(len(fold.train), fold.judge[0], fold.judge[-1]) for fold in folds] == [
        (36, 40, 59),
        (56, 60, 79),
        (76, 80, 99),
    ]
    assert calibration_start(100) == 80


def test_folds_that_cannot_judge_are_left_out() -> None:
    """Without a positive to judge by, or with fewer than five to learn from, there is no fold."""
    labels = np.zeros(100, dtype=np.int8)
    labels[[1, 2, 3, 41, 42, 85]] = 1

    folds = time_folds(labels, np.arange(100, dtype=np.int64), horizon=0)

    assert [(fold.judge[0], fold.judge[-1]) for fold in folds] == [(80, 99)]


def test_many_negatives_are_thinned_to_the_same_total_weight() -> None:
    """Every positive stays, 60,000 negatives are kept, and their weights stand for all of them."""
    labels = np.zeros(100_000, dtype=np.int8)
    labels[:500] = 1

    weights = thin_negatives(labels, seed=7)

    assert np.all(weights[:500] == 1.0)
    assert (weights[500:] > 0).sum() == MOST_NEGATIVES
    assert weights.sum() == pytest.approx(100_000)
    assert np.array_equal(weights, thin_negatives(labels, seed=7))
    assert np.all(thin_negatives(labels[:1000], seed=7) == 1.0)

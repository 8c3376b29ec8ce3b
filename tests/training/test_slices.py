"""Parts of the rows that can be named, and whether the worst of them is worse than chance makes it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from leadlight.model.margins import FloatArray, sigmoid
from tests.training.training_builders import as_dataset, made_place, made_rows
from training.dataset import Dataset
from training.evaluate import Scored, log_odds
from training.slices import DRAWS, Slice, seen_before, slices_of, worst_slice


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """1,200 made leads, each seen once."""
    made = made_rows(1200)
    return as_dataset(made_place(tmp_path_factory.mktemp("slices"), made), made)


def test_every_row_is_in_one_slice_of_each_column(rows: Dataset) -> None:
    """Channels, months, levels, quarters and what is missing part the rows; no slice holds them all."""
    seen = np.where(np.arange(1200) % 3 == 0, "returning", "new").astype(object)

    slices = {part.name: part.rows for part in slices_of(rows, seen, offset=0)}

    of_channel = [mask for name, mask in slices.items() if name.startswith("channel = ")]
    of_minutes = [mask for name, mask in slices.items() if "minutes" in name]
    assert np.all(np.sum(of_channel, axis=0) == 1)
    assert np.all(np.sum(of_minutes, axis=0) == 1)
    assert len(of_minutes) == 5
    assert np.array_equal(slices["minutes is missing"], rows.X["minutes"].isna())
    assert np.array_equal(slices["city = Wuhan"], rows.X["city"] == "Wuhan")
    assert np.array_equal(slices["lead = returning"], seen == "returning")
    assert not any(mask.all() or not mask.any() for mask in slices.values())


def test_a_lead_is_new_once(rows: Dataset) -> None:
    """The first row of a lead is new, every later one returning, in whichever part it lies."""
    again = rows.where(np.ones(1200, dtype=bool))
    again.lead_id[700] = again.lead_id[3]

    seen = seen_before(again)

    assert seen[3] == "new"
    assert seen[700] == "returning"
    assert (seen == "returning").sum() == 1


def made(seed: int, *, shift: float = 0.0) -> tuple[Scored, list[Slice], FloatArray]:
    """2,000 leads and forty overlapping slices, of which the first is really shifted."""
    random = np.random.default_rng(seed)
    truth = sigmoid(random.normal(-1.5, 1.0, 2000))
    slices = [Slice(f"slice {number}", random.random(2000) < 0.2) for number in range(40)]
    p = np.where(slices[0].rows, sigmoid(log_odds(truth) + shift), truth)
    y = (random.random(2000) < truth).astype(np.int8)
    return Scored(np.arange(2000), y, p, p > 0.5), slices, truth


def test_noise_is_not_reported_as_a_bad_slice() -> None:
    """With true probabilities, the worst of forty slices is called real about one time in twenty."""
    found = [worst_slice(*made(seed)[:2], seed=seed) for seed in range(25)]

    assert sum(each is not None and each.real for each in found) <= 4


def test_a_slice_that_is_wrong_is_found() -> None:
    """Where one slice is promised too little it is named, with bounds for the difference that leave out nothing."""
    scored, slices, _ = made(3, shift=-0.9)

    worst = worst_slice(scored, slices, seed=1)

    assert worst is not None
    assert (worst.name, worst.searched) == ("slice 0", 40)
    assert worst.real
    assert 0 < worst.lower < worst.came - worst.said < worst.upper
    assert worst.chance == pytest.approx(1 / (1 + DRAWS), abs=0.02)


def test_a_shift_that_all_rows_share_is_no_slice() -> None:
    """A model that is off as a whole has no bad slice: another rule is about that."""
    scored, slices, truth = made(5)
    off = Scored(scored.lead, scored.y, sigmoid(log_odds(truth) + 1.0), scored.flagged)

    worst = worst_slice(off, slices, seed=1)

    assert worst is not None
    assert not worst.real
    assert worst.said == pytest.approx(worst.came, abs=0.1)


def test_small_slices_tell_nothing() -> None:
    """Slices of few leads, or of hardly any expected conversion, are not searched."""
    scored, _, _ = made(1)
    small = Slice("small", np.arange(2000) < 90)
    hopeless = Slice("hopeless", scored.p < 0.01)

    assert worst_slice(scored, [small, hopeless], seed=1) is None


def test_a_number_with_few_values_has_fewer_quarters(tmp_path: Path) -> None:
    """Ties stay together: a column of two values has two slices, one of a single value none."""
    made_up = made_rows(300)
    made_up["binary"] = (np.arange(300) % 2).astype(float)
    made_up["same"] = 1.0
    made_up["empty"] = np.full(300, np.nan)
    rows = as_dataset(made_place(tmp_path, made_up), made_up)

    names = [part.name for part in slices_of(rows, np.full(300, "new", dtype=object), offset=0)]

    assert [name for name in names if "binary" in name] == ["binary <= 0", "binary > 0"]
    assert not [name for name in names if "same" in name or "empty" in name]
    assert pd.Series(names).is_unique

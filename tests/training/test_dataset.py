"""The time-ordered split, and what a dataset takes from Feast's join."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.schema import DAY, HOUR, day_number, local_day, midnight
from leadlight.settings import SiteError, Split, Target
from tests.training.training_builders import as_dataset, made_place, made_rows
from training.dataset import load, local_days, split_rows

OFFSET = 8 * HOUR


def target(*, horizon: int = 3, delay: int = 0, split: Split | None = None) -> Target:
    """A target of so many days' horizon."""
    question = {
        "outcome": ["buy"],
        "horizon": f"{horizon}d",
        "outcome_delay": f"{delay}d",
        "observe": {"offsets": ["7d"]},
        "gate": {"precision": 0.3, "recall": 0.2},
        "split": split or Split(),
    }
    return Target.model_validate(question)


@given(
    days=st.lists(st.integers(0, 120), min_size=30, max_size=200),
    horizon=st.integers(0, 40),
    delay=st.integers(0, 5),
    share=st.floats(0.05, 0.5),
)
def test_no_training_outcome_is_known_later_than_the_test_begins(
    days: list[int], horizon: int, delay: int, share: float
) -> None:
    """Training rows' label windows end by the first test row, calibration follows training, the rest is gap."""
    as_of = np.sort(np.array(days, dtype=np.int64)) * DAY
    asked = target(horizon=horizon, delay=delay, split=Split(test_share=share))

    split = split_rows(as_of, target=asked, offset=OFFSET)

    test, learned = as_of[split == "test"], as_of[np.isin(split, ["train", "calibration"])]
    assert np.all(learned + (horizon + delay) * DAY <= test.min())
    assert np.all(as_of[split == "gap"] < test.min())
    assert np.all(as_of[split == "gap"] + (horizon + delay) * DAY > test.min())
    assert len(test) >= max(round(len(as_of) * share), 1)
    if (split == "calibration").any() and (split == "train").any():
        assert as_of[split == "train"].max() <= as_of[split == "calibration"].min()


@pytest.mark.parametrize("hours", [-11, 0, 8, 14])
def test_local_days_are_those_of_the_schema(hours: int) -> None:
    """Whole arrays count days as one moment does, on both sides of midnight and of 1970."""
    moments = np.array([-DAY - 1, -1, 0, 1, 20_000 * DAY - 8 * HOUR - 1, 20_000 * DAY - 8 * HOUR])

    assert local_days(moments, hours * HOUR).tolist() == [local_day(at, hours * HOUR) for at in moments.tolist()]


def test_dates_are_local_days_and_inclusive() -> None:
    """A row at the local midnight of train_until is learned from, one at that of test_from is judged."""
    asked = target(split=Split(train_until=dt.date(2022, 6, 27), test_from=dt.date(2022, 8, 1)))
    dates = [dt.date(2022, 6, 1), dt.date(2022, 6, 27), dt.date(2022, 6, 28), dt.date(2022, 7, 31), dt.date(2022, 8, 1)]
    as_of = np.array([midnight(day_number(date), OFFSET) for date in dates])

    split = split_rows(as_of, target=asked, offset=OFFSET)

    assert np.isin(split[:2], ["train", "calibration"]).all()
    assert split[2:].tolist() == ["gap", "gap", "test"]


def test_dates_do_not_let_a_label_reach_into_the_test() -> None:
    """A horizon longer than the time between the dates puts the latest training rows into the gap."""
    asked = target(horizon=40, split=Split(train_until=dt.date(2022, 6, 27), test_from=dt.date(2022, 8, 1)))
    as_of = np.array([midnight(day_number(dt.date(2022, 6, day)), OFFSET) for day in (1, 22, 23, 27)])

    split = split_rows(as_of, target=asked, offset=OFFSET)

    assert split[2:].tolist() == ["gap", "gap"]
    assert "gap" not in split[:2]


def test_rows_come_from_feast_as_they_were_built(tmp_path: Path) -> None:
    """Values, missing values, labels and order survive the join; the label and keys are no feature."""
    rows = made_rows(60).sample(frac=1.0, random_state=1)
    place = made_place(tmp_path, rows)

    loaded = load(place.site, place.catalogue, "sale", state=place.state)

    expected = as_dataset(place, rows.sort_values(["as_of", "lead_id"], ignore_index=True))
    pd.testing.assert_frame_equal(loaded.X, expected.X)
    assert list(loaded.X.columns) == ["visits", "minutes", "city", "noise"]
    assert loaded.lead_id.tolist() == expected.lead_id.tolist()
    assert loaded.y.tolist() == expected.y.tolist()
    assert loaded.digest == expected.digest


def test_the_digest_sees_every_cell(tmp_path: Path) -> None:
    """Another label, value or missing value is another digest; the same rows are the same one."""
    rows = made_rows(40)
    place = made_place(tmp_path, rows)
    changed = [rows.copy() for _ in range(3)]
    changed[0]["label"] = 1 - changed[0]["label"]
    changed[1].loc[5, "noise"] = np.nan
    changed[2].loc[5, "city"] = "None"

    digests = {as_dataset(place, frame).digest for frame in (rows, rows.copy(), *changed)}

    assert len(digests) == 4


def test_too_little_history_is_named(tmp_path: Path) -> None:
    """Where no row is old enough to learn from, the error counts the parts and says what to do."""
    rows = made_rows(40)
    rows["as_of"] = rows["as_of"].iloc[0] + np.arange(40)
    place = made_place(tmp_path, rows)

    with pytest.raises(SiteError, match=r"train 0, calibration 0, test 8, gap 32.*more history"):
        load(place.site, place.catalogue, "sale", state=place.state)

"""Ablation, stability and ageing on rows whose truth is known, with a quick model."""

from __future__ import annotations

import numpy as np
import pytest

from leadlight.model.margins import FloatArray, IntArray
from leadlight.schema import DAY
from tests.training.training_builders import as_dataset, made_place, made_rows
from training.dataset import CALIBRATION, TEST, TRAIN, Dataset
from training.deep import Deep, ablation, ageing, deep, stability
from training.deep.refit import Predict
from training.plain import fit_plain


def refit(rows: Dataset, seed: int) -> Predict:
    """A plain logistic regression."""
    return fit_plain("logistic", rows.X, rows.y, seed=seed)


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Dataset, Dataset]:
    """Training and test rows of 1,500 made leads."""
    made = made_rows(1500)
    rows = as_dataset(made_place(tmp_path_factory.mktemp("deep"), made), made)
    return rows.part(TRAIN, CALIBRATION), rows.part(TEST)


def days(rows: Dataset) -> IntArray:
    """The day of each row."""
    return rows.as_of // DAY


def test_groups_earn_what_they_know(parts: tuple[Dataset, Dataset]) -> None:
    """Visits decide most and noise nothing; every group is there once, the best first."""
    learned, test = parts
    whole = refit(learned, 1)(test.X)

    found = ablation(learned, test, whole, days(test), refit=refit, seed=1)

    earned = {each.group: each for each in found}
    assert list(earned) == [each.group for each in sorted(found, key=lambda each: -each.earned)]
    assert set(earned) == {column.group for column in learned.columns}
    assert found[0].group == "visits"
    assert found[0].sure
    assert found[0].share > 0.05
    assert not earned["noise"].sure


def test_the_only_group_earns_all_there_is(parts: tuple[Dataset, Dataset]) -> None:
    """Without any feature the base rate is left."""
    learned, test = parts
    one = {"columns": learned.columns[:1]}
    alone = [type(rows)(**{**vars(rows), **one, "X": rows.X[[learned.columns[0].name]]}) for rows in parts]

    found = ablation(alone[0], alone[1], refit(alone[0], 1)(alone[1].X), days(test), refit=refit, seed=1)

    assert len(found) == 1
    assert found[0].earned > 0


def test_a_fit_without_luck_is_stable(parts: tuple[Dataset, Dataset]) -> None:
    """The same model for every seed has no spread, and shares its best tenth; one of pure luck has both."""
    learned, test = parts

    def luck(_: Dataset, seed: int) -> Predict:
        return lambda rows: np.random.default_rng(seed).random(len(rows))

    steady = stability(learned, test, refit(learned, 1)(test.X), days(test), refit=refit, seed=1)
    lucky = stability(learned, test, luck(learned, 1)(test.X), days(test), refit=luck, seed=1)

    assert (steady.loss_spread, steady.same_best_tenth) == (0.0, 1.0)
    assert steady.rank_correlation == pytest.approx(1.0)
    assert len(set(steady.log_loss)) == 1
    assert lucky.loss_spread > 0
    assert lucky.rank_correlation < 0.3
    assert lucky.same_best_tenth < 0.6


def test_a_world_that_moves_makes_models_old(parts: tuple[Dataset, Dataset]) -> None:
    """Where the base rate climbs, older models lose more and the curve says when; where nothing moves, it does not."""
    learned, test = parts

    def recent(rows: Dataset, _: int) -> Predict:
        rate = float((rows.as_of[-1] - learned.as_of[0]) / (learned.as_of[-1] - learned.as_of[0]))
        return lambda frame: np.full(len(frame), 0.01 + rate**4 * (float(test.y.mean()) - 0.01))

    moving = ageing(learned, test, days(test), refit=recent, seed=1)
    still = ageing(learned, test, days(test), refit=refit, seed=1)

    losses = [age.log_loss for age in moving.ages]
    assert losses == sorted(losses)
    assert moving.ages[0].days == 0
    assert moving.ages[0].loss_above_freshest == 0
    assert moving.retrain_after_days is not None
    assert 0 < moving.retrain_after_days <= moving.ages[-1].days
    assert still.retrain_after_days is None
    assert max(age.rows for age in still.ages) < 1.1 * min(age.rows for age in still.ages)


def test_a_short_past_has_no_curve(parts: tuple[Dataset, Dataset]) -> None:
    """With a few dozen training rows nothing is said of ageing."""
    learned, test = parts
    few = learned.where(np.arange(len(learned.y)) < 60)

    assert ageing(few, test, days(test), refit=refit, seed=1).ages == ()


def test_all_three_are_told(parts: tuple[Dataset, Dataset]) -> None:
    """One object and lines with every group, the seeds and every age."""
    learned, test = parts
    whole: FloatArray = refit(learned, 1)(test.X)

    found: Deep = deep(learned, test, whole, days(test), refit=refit, seed=1)

    told = "\n".join(found.lines())
    assert set(found.to_json()) == {"ablation", "stability", "ageing"}
    assert all(each.group in told for each in found.ablation)
    assert "over 5 seeds" in told
    assert told.count(" days: log loss") == len(found.ageing.ages) == 5
    assert "no ageing to be seen" in told

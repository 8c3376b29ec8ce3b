from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss

from leadlight.model.bundle import load_bundle
from leadlight.model.margins import sigmoid
from leadlight.schema import DAY
from leadlight.settings import SiteError
from tests.leadlight.model.fit_builders import Rows, fit_rows, fitted, in_columns, made_rows, written
from tests.training.test_card import few, fit_card
from training.fit import HINGED, PLAIN, LinearChoice, blend
from training.fit.encode import learn_encoder
from training.fit.folds import Sample, encoded, time_folds
from training.fit.linear import choose_linear, fit_linear

OTHER_FIT = """
import sys
from pathlib import Path
from tests.leadlight.model.fit_builders import fit_rows, made_rows, written
from tests.training.test_card import few, fit_card
print(written(Path(sys.argv[1]), fit_rows(made_rows(), workers=1)))
print(written(Path(sys.argv[1] + "-card"), fit_card(few(6), workers=1)))
"""


def with_positives(positives: int, *, rows: int = 400) -> Rows:
    """Made rows of which so many, evenly spread over time, are positive."""
    made = made_rows(rows=rows)
    labels = np.zeros(rows, dtype=np.int8)
    labels[np.linspace(0, rows - 1, positives).astype(np.intp)] = 1
    return made._replace(y=labels)


def test_the_fit_finds_what_made_the_rows() -> None:
    """On later rows its log loss is close to that of the true probabilities, and far below the base rate's."""
    later = made_rows(rows=4000, seed=8)

    found = log_loss(later.y, sigmoid(fitted().model.margin(later.X)))

    best, worst = log_loss(later.y, sigmoid(later.truth)), log_loss(later.y, np.full(4000, later.y.mean()))
    assert found - best < 0.2 * (worst - best)


def test_what_made_the_rows_is_what_explains_them() -> None:
    """More visits and a referral raise the score, and the columns that matter weigh more than the rest."""
    scores = fitted().model.score(made_rows().X)
    weight = dict(zip(scores.columns, np.abs(scores.contributions).mean(axis=0), strict=True))
    row = {
        "visits": 1,
        "minutes": 20.0,
        "channel": "ads",
        "city": "city 1",
        "empty": None,
        "always": 1,
        "nothing": None,
    }

    lead, keener, referred = (
        fitted().model.score(in_columns([row, {**row, "visits": 6}, {**row, "channel": "referral"}])).raw
    )

    assert keener > lead + 1
    assert referred > lead + 0.3
    assert min(weight["visits"], weight["minutes"], weight["channel"]) > weight["city"]


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    """Another process, number of workers, hash seed and time zone end in the same bundles, byte for byte."""
    command = [sys.executable, "-c", OTHER_FIT, str(tmp_path / "other")]
    environment = {**os.environ, "PYTHONHASHSEED": "123", "OMP_NUM_THREADS": "1", "TZ": "Asia/Shanghai"}

    here = [written(tmp_path / "here"), written(tmp_path / "card", fit_card(few(6)))]
    there = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()

    assert there == here
    load_bundle(tmp_path / "other", expected=here[0])


def test_the_last_fold_is_scored_by_a_model_that_never_saw_it() -> None:
    """Its rows are the latest fifth, its margins differ from the final model's, and the offset lies between its two."""
    result, rows = fitted(), made_rows()

    last = result.last_fold

    assert last.rows.tolist() == list(range(1200, 1500))
    assert np.array_equal(last.labels, rows.y[last.rows])
    assert np.array_equal(last.margins, last.before + result.log.offset)
    final = result.model.margin(rows.X.iloc[last.rows])
    assert np.abs(final - last.margins).max() > 0.01
    assert np.corrcoef(final, last.margins)[0, 1] > 0.9


def test_the_log_tells_what_was_chosen() -> None:
    """Three folds, three different candidates best first, a strength and a weight from the grids."""
    log = fitted().log

    assert log.folds == ((591, 300), (891, 300), (1191, 300))
    assert len({name for name, _, _ in log.trees}) == 3
    assert [loss for _, _, loss in log.trees] == sorted(loss for _, _, loss in log.trees)
    assert log.linear is not None
    assert 0.0 <= log.weight <= 1.0
    assert log.positives == int(made_rows().y.sum())


def test_the_mean_of_two_regressions_is_one_linear_part() -> None:
    """Its margin is the mean of theirs on every row, and so is each contribution; what comes of it is one part."""
    rows = made_rows()
    encoder = learn_encoder(rows.X)
    sample = Sample(encoder.encode(rows.X), rows.y, np.ones(len(rows.y)))

    hinged, plain, both = (
        fit_linear(sample, encoder, LinearChoice(forms, 0.0), directions={})
        for forms in (((HINGED, 0.1),), ((PLAIN, 3.0),), ((HINGED, 0.1), (PLAIN, 3.0)))
    )

    ones, others, means = (part.contributions(sample.matrix) for part in (hinged, plain, both))
    assert means == pytest.approx((ones + others) / 2)
    assert both.margin(means) == pytest.approx((hinged.margin(ones) + plain.margin(others)) / 2)


def test_the_linear_part_is_the_best_of_both_forms_and_their_mean() -> None:
    """On the folds none of the three, each at its strength, has a lower loss than the one chosen."""
    rows = made_rows()
    weights = np.ones(len(rows.y))
    folds = [encoded(rows.X, rows.y, weights, fold) for fold in time_folds(rows.y, rows.as_of, horizon=DAY)]

    with ThreadPoolExecutor(1) as pool:
        single = [choose_linear(folds, forms=[form], directions={}, pool=pool) for form in (HINGED, PLAIN)]
        chosen = choose_linear(folds, forms=[HINGED, PLAIN], directions={}, pool=pool)

    mean = LinearChoice((*single[0].forms, *single[1].forms), 0.0)
    losses = []
    for fold in folds:
        part = fit_linear(fold.train, fold.encoder, mean, directions={})
        losses.append(blend.log_loss(part.margin(part.contributions(fold.judge.matrix)), fold.judge))
    of_mean = blend.pooled_loss(folds, losses)
    assert chosen.loss == min(single[0].loss, single[1].loss, of_mean)
    assert chosen.forms in {single[0].forms, single[1].forms, mean.forms}


@pytest.mark.parametrize("positives", [0, 9, 400])
def test_too_few_outcomes_leave_the_base_rate(positives: int) -> None:
    """With fewer than 10 of either outcome everybody has nearly the observed share, and no reason."""
    rows = with_positives(positives)

    scores = fit_rows(rows).model.score(rows.X)

    assert np.ptp(scores.raw) == 0.0
    assert scores.probability[0] == pytest.approx(positives / 400, abs=0.01)
    assert np.all(scores.contributions == 0.0)


def test_few_positives_make_a_linear_model() -> None:
    """Between 10 and 29 positives there are no trees."""
    result = fit_rows(with_positives(20))

    assert result.log.linear is not None
    assert result.log.weight == 0.0
    assert result.model.trees.boosters == ()


def test_some_positives_make_an_even_blend() -> None:
    """Between 30 and 149 positives the weight is not chosen but even."""
    result = fit_rows(with_positives(60))

    assert result.log.weight == 0.5
    assert len(result.model.trees.boosters) == 3
    assert result.model.rung == "blend"


def test_some_positives_leave_the_trees_out_where_the_truth_is_a_sum() -> None:
    """The folds tell a strong sum of numbers even from so few, and the bundle holds no trees then."""
    random = np.random.default_rng(3)
    X = pd.DataFrame(random.normal(size=(400, 6)), columns=list("abcdef"))
    truth = 2.0 * X.sum(axis=1).to_numpy() - 7.0
    y = (random.random(400) < sigmoid(truth)).astype(np.int8)

    result = fit_rows(Rows(X, y, np.arange(400) * DAY // 10, dict.fromkeys("abcdef", "all"), truth))

    assert 30 <= y.sum() < 150
    assert result.model.rung == "logistic"
    assert result.model.trees.texts == ()


@pytest.mark.parametrize("kept", [["visits", "minutes"], ["channel", "city"], ["empty", "nothing"]])
def test_any_kind_of_columns_can_be_fitted(kept: list[str]) -> None:
    """Numbers alone, categories alone, and columns that hold nothing at all."""
    rows = made_rows(rows=300)

    scores = fit_rows(rows._replace(X=rows.X[kept])).model.score(rows.X)

    assert np.all(np.isfinite(scores.raw))
    assert np.abs(scores.base + scores.contributions.sum(axis=1) - scores.raw).max() <= 1e-9


def test_every_fault_of_the_rows_is_told() -> None:
    """Too few, unsorted, unlabelled rows and columns without a group are refused in one error."""
    rows = made_rows(rows=5)

    with pytest.raises(SiteError) as caught:
        fit_rows(rows._replace(y=rows.y[:4], as_of=rows.as_of[::-1], groups={**rows.groups, "visits": "x"}))
    with pytest.raises(SiteError, match="'visits' has no reason group"):
        fit_rows(rows._replace(groups={}))

    assert len(caught.value.faults) == 3

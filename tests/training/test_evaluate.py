"""Metrics against scikit-learn and brute force, and intervals that know which rows belong together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from leadlight.model.margins import FloatArray, sigmoid
from training.evaluate import (
    Labels,
    Scored,
    by_slice,
    evaluate,
    log_odds,
    loss_difference,
    mass_bins,
    noise_floor,
    recalibration,
)
from training.evaluate.clusters import cluster_weights, drawn_error, mean_error, sum_error, two_way
from training.evaluate.evaluation import REPLICATES
from training.evaluate.measure import Measure


class Rows(NamedTuple):
    """Rows of a model that tells the truth, some leads seen more than once, with ties."""

    scored: Scored
    y: Labels
    p: FloatArray


def made(rows: int, *, leads: int | None = None, seed: int = 1, digits: int = 2) -> Rows:
    """Probabilities rounded to so many digits, and outcomes drawn from them."""
    random = np.random.default_rng(seed)
    p = np.clip(np.round(random.beta(1, 3, rows), digits), 0.001, 0.999)
    y = (random.random(rows) < p).astype(np.int8)
    y[:2] = (0, 1)
    lead = random.integers(leads or rows, size=rows).astype(str).astype(object)
    return Rows(Scored.of(lead, y, p, threshold=0.4), y, p)


@settings(max_examples=50)
@given(rows=st.integers(2, 60), seed=st.integers(0, 10_000), digits=st.integers(1, 3))
def test_every_weighting_is_measured_as_scikit_learn_would(rows: int, seed: int, digits: int) -> None:
    """AUC, average precision, log loss and Brier agree with scikit-learn's weighted ones, ties and all."""
    given_rows = made(rows, seed=seed, digits=digits)
    weights = next(cluster_weights(given_rows.scored.lead, seed=seed, replicates=3))
    weights[0] = 1.0

    found = Measure(given_rows.scored)(weights)

    for place, weight in enumerate(weights):
        kept = weight > 0
        y, p, w = given_rows.y[kept], given_rows.p[kept], weight[kept]
        if 0 < y.sum() < len(y):
            assert found["auc"][place] == pytest.approx(roc_auc_score(y, p, sample_weight=w))
            assert found["average_precision"][place] == pytest.approx(average_precision_score(y, p, sample_weight=w))
        assert found["log_loss"][place] == pytest.approx(log_loss(y, p, sample_weight=w, labels=[0, 1]))
        assert found["brier"][place] == pytest.approx(brier_score_loss(y, p, sample_weight=w, labels=[0, 1]))


def test_decisions_are_counted_at_the_threshold() -> None:
    """Precision, recall, accuracy and lift by hand: two of three flagged converted, of four converted in all."""
    p = np.array([0.9, 0.8, 0.4, 0.3, 0.2, 0.1, 0.1, 0.1])
    y = np.array([1, 0, 1, 1, 0, 1, 0, 0], dtype=np.int8)
    scored = Scored.of(np.arange(8).astype(str).astype(object), y, p, threshold=0.4)

    found = Measure(scored)(np.ones((1, 8)))

    assert found["precision"][0] == pytest.approx(2 / 3)
    assert found["recall"][0] == pytest.approx(2 / 4)
    assert found["accuracy"][0] == pytest.approx(5 / 8)
    assert found["lift"][0] == pytest.approx((2 / 3) / (4 / 8))


@given(rows=st.integers(1, 80), seed=st.integers(0, 1000))
def test_bins_hold_equal_mass_and_never_part_equals(rows: int, seed: int) -> None:
    """Each row is in one bin, bins rise with probability, equal probabilities share one, and the error adds them up."""
    given_rows = made(max(rows, 2), seed=seed, digits=1)

    bins = mass_bins(given_rows.p)

    place = bins.argmax(axis=1)
    assert np.all(bins.sum(axis=1) == 1)
    order = np.argsort(given_rows.p)
    assert np.all(np.diff(place[order]) >= 0)
    assert all(len(set(place[given_rows.p == value])) == 1 for value in set(given_rows.p.tolist()))
    brute = sum(abs((given_rows.p - given_rows.y)[place == b].sum()) for b in range(10)) / len(place)
    assert Measure(given_rows.scored)(np.ones((1, len(place))))["calibration_error"][0] == pytest.approx(brute)


def test_the_noise_floor_is_what_true_probabilities_show() -> None:
    """The floor equals the mean calibration error over fresh outcomes of the same true probabilities."""
    p = made(2000, digits=6).p
    random = np.random.default_rng(99)
    bins = mass_bins(p)

    floor = noise_floor(p, seed=1)

    fresh = [np.abs((p - (random.random(len(p)) < p)) @ bins).sum() / len(p) for _ in range(300)]
    assert floor == pytest.approx(float(np.mean(fresh)), rel=0.05)


def test_intervals_cover_the_truth() -> None:
    """A 95 % interval of recall and AUC misses the truth of a large sample about one time in twenty."""
    truth = evaluate(made(200_000, digits=4, seed=0).scored, seed=0, replicates=2).metrics
    misses = {"auc": 0, "recall": 0}

    for seed in range(1, 101):
        found = evaluate(made(300, digits=4, seed=seed).scored, seed=seed, replicates=200).metrics
        for name in misses:
            inside, true = found[name], truth[name]
            assert inside is not None
            assert true is not None
            misses[name] += not inside.lower <= true.value <= inside.upper

    assert all(1 <= missed <= 13 for missed in misses.values()), misses


@pytest.mark.parametrize("slope", [1.0, 0.6])
def test_the_interval_of_the_calibration_error_holds_the_true_one(slope: float) -> None:
    """Of probabilities that are all true it holds zero; of bold ones the gap that a large sample shows."""
    large = made(400_000, digits=6, seed=0)
    bold = sigmoid(log_odds(large.p) / slope)
    true = np.abs((bold - large.p) @ mass_bins(bold)).sum() / len(bold)
    missed = 0

    for seed in range(1, 101):
        rows = made(600, digits=6, seed=seed)
        scored = Scored.of(
            rows.scored.lead.astype(str).astype(object), rows.y, sigmoid(log_odds(rows.p) / slope), threshold=0.4
        )
        found = evaluate(scored, seed=seed, replicates=200).metrics["calibration_error"]
        assert found is not None
        missed += not found.lower <= true <= found.upper

    assert missed <= 10
    assert (slope == 1.0) == (true < 1e-9)


def test_rows_of_one_lead_count_as_one() -> None:
    """Every row given four times over widens nothing and narrows nothing: the interval is that of the leads."""
    once = made(400, digits=4).scored
    copies = Scored(np.repeat(once.lead, 4), np.repeat(once.y, 4), np.repeat(once.p, 4), np.repeat(once.flagged, 4))

    alone = evaluate(once, seed=5).metrics["log_loss"]
    together = evaluate(copies, seed=5).metrics["log_loss"]

    assert alone is not None
    assert together is not None
    assert together.error == pytest.approx(alone.error, rel=1e-9)


def test_one_seed_one_answer_whatever_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The replicates are the same when they are drawn a few at a time."""
    scored = made(300, leads=90).scored
    whole = np.concatenate(list(cluster_weights(scored.lead, seed=3, replicates=REPLICATES)))

    monkeypatch.setattr("training.evaluate.clusters._CHUNK", 2_000)
    pieces = list(cluster_weights(scored.lead, seed=3, replicates=REPLICATES))

    assert len(pieces) > 1
    assert np.array_equal(np.concatenate(pieces), whole)
    assert np.all(whole.sum(axis=1) > 0)


def test_metrics_that_rows_cannot_have_are_none() -> None:
    """Without a flagged row there is no precision, without a positive no recall, AUC or lift; nothing is made up."""
    p = np.full(30, 0.1)
    scored = Scored.of(np.arange(30).astype(str).astype(object), np.zeros(30, dtype=np.int8), p, threshold=0.5)

    found = evaluate(scored, seed=1)

    absent = {name for name, metric in found.metrics.items() if metric is None}
    of_outcomes = {"auc", "average_precision", "precision", "recall", "lift"}
    assert absent == of_outcomes | {"calibration_slope", "calibration_in_the_large"}
    assert found.to_json()["auc"] is None
    assert found.to_json()["rows"] == 30


def test_slices_are_whole_evaluations_of_their_rows() -> None:
    """Each name's metrics are those of its rows alone."""
    given_rows = made(200)
    names = np.where(np.arange(200) % 3 == 0, "ads", "search").astype(object)

    slices = by_slice(given_rows.scored, names, seed=1)

    ads = slices["ads"].metrics["auc"]
    assert ads is not None
    assert list(slices) == ["ads", "search"]
    assert ads.value == pytest.approx(roc_auc_score(given_rows.y[names == "ads"], given_rows.p[names == "ads"]))


def test_a_paired_difference_knows_its_leads() -> None:
    """Mean and clustered error by hand: two leads, of which one was seen twice."""
    y = np.array([1, 1, 0], dtype=np.int8)
    ours, theirs = np.array([0.8, 0.6, 0.3]), np.array([0.5, 0.5, 0.5])
    scored = Scored.of(np.array(["a", "a", "b"], dtype=object), y, ours, threshold=0.5)

    gap = loss_difference(scored, theirs)

    each = -np.log([0.8, 0.6, 0.7]) + np.log(0.5)
    centred = each - each.mean()
    by_lead = np.array([centred[0] + centred[1], centred[2]])
    assert gap.mean == pytest.approx(each.mean())
    assert gap.other == pytest.approx(np.log(2))
    assert gap.error == pytest.approx(np.sqrt(2 * np.sum(by_lead**2)) / 3)


def test_recalibration_is_a_logistic_regression_on_the_log_odds() -> None:
    """Slope and intercept are scikit-learn's; alone, the intercept makes the mean right; true ones need neither."""
    rows = made(4000, digits=5)
    too_bold = sigmoid(2.0 * log_odds(rows.p) - 0.7)
    fitted = LogisticRegression(C=np.inf, tol=1e-10).fit(log_odds(too_bold)[:, None], rows.y)

    intercept, slope = recalibration(rows.y, too_bold, with_slope=True)
    large, _ = recalibration(rows.y, too_bold, with_slope=False)

    assert slope == pytest.approx(float(fitted.coef_[0, 0]), rel=1e-4)
    assert intercept == pytest.approx(float(fitted.intercept_[0]), rel=1e-3)
    assert slope == pytest.approx(0.5, abs=0.05)
    assert sigmoid(log_odds(too_bold) + large).mean() == pytest.approx(rows.y.mean())


@pytest.mark.parametrize("p", [np.full(20, 0.3), np.where(np.arange(20) < 10, 0.2, 0.8)])
def test_where_no_slope_fits_there_is_none(p: FloatArray) -> None:
    """One probability for all, or outcomes that are parted without a fault, have no slope."""
    y = (np.arange(20) >= 10).astype(np.int8)

    slope = recalibration(y, p, with_slope=True)[1]

    assert np.isnan(slope)


def test_the_slope_of_a_replicate_is_nearly_that_of_a_new_fit() -> None:
    """One Newton step from the whole gives a spread within a few percent of that of full fits."""
    rows = made(1500, digits=5).scored
    weights = next(cluster_weights(rows.lead, seed=2, replicates=60))

    quick = Measure(rows)(weights)["calibration_slope"]

    each = [np.repeat(np.arange(len(rows.y)), weight.astype(int)) for weight in weights]
    slow = np.array([recalibration(rows.y[drawn], rows.p[drawn], with_slope=True)[1] for drawn in each])
    assert quick.std() == pytest.approx(slow.std(), rel=0.05)
    assert np.abs(quick - slow).max() < 0.5 * slow.std()


def test_days_that_differ_widen_the_error() -> None:
    """Where a day moves all its rows, errors grow to what days alone give; where it moves none, they hardly do."""
    random = np.random.default_rng(5)
    lead, day = np.arange(3000), np.arange(3000) % 60
    alike, moved = random.normal(size=3000), random.normal(size=3000) + random.normal(size=60)[day]

    by_lead, two_ways = (mean_error(alike, lead, days) for days in (None, day))
    of_days = np.bincount(day, weights=moved) / 50

    assert by_lead == pytest.approx(alike.std() / np.sqrt(3000), rel=1e-3)
    assert by_lead <= two_ways < 1.4 * by_lead
    assert mean_error(moved, lead, day) == pytest.approx(of_days.std(ddof=1) / np.sqrt(60), rel=0.05)


def test_four_days_say_nothing_of_days() -> None:
    """Under five days only leads are counted."""
    values, lead = np.random.default_rng(1).normal(size=400), np.arange(400)

    assert mean_error(values, lead, np.arange(400) % 4) == mean_error(values, lead, None)
    assert mean_error(values, lead, np.arange(400) % 5) != mean_error(values, lead, None)


def test_what_is_drawn_and_what_is_summed_up_are_equally_unsure_with_few_days() -> None:
    """Five days drawn anew spread too little: without making up for it, replicates would claim a tenth too much."""
    random = np.random.default_rng(11)
    day = np.arange(300) // 60
    lead = np.arange(300)
    values = random.normal(size=300) + random.normal(size=5)[day]
    drawn = [
        float(
            np.concatenate([w @ values / w.sum(axis=1) for w in cluster_weights(each, seed=2, replicates=4000)]).std()
        )
        for each in (lead, day, lead)
    ]
    shares = (values - values.mean()) / 300

    assert drawn_error(drawn, days=5) == pytest.approx(sum_error(shares, lead, day), rel=0.04)
    assert drawn_error(drawn[:1], days=5) == drawn[0]


def test_two_ways_are_never_less_than_one() -> None:
    """Lead plus day less both by hand, with few days stretched as Student's t asks."""
    assert two_way(0.0, 1.0, 0.0, days=10_000) == pytest.approx(1.0, rel=1e-3)
    assert two_way(0.0, 1.0, 0.0, days=6) == pytest.approx(2.571 / 1.960, rel=1e-3)
    assert two_way(3.0, 4.0, 0.0, days=10_000) == pytest.approx(5.0, rel=1e-3)
    assert two_way(3.0, 1.0, 3.0, days=10_000) == pytest.approx(3.0)


def test_intervals_know_days_too() -> None:
    """The interval of recall over rows whose days differ is wider than that over leads alone, and stays a share."""
    random = np.random.default_rng(3)
    day = np.arange(1200) % 40
    p = sigmoid(random.normal(-1, 1, 1200) + 0.8 * random.normal(size=40)[day])
    y = (random.random(1200) < sigmoid(log_odds(p) + 0.9 * random.normal(size=40)[day])).astype(np.int8)
    lead = np.arange(1200).astype(str).astype(object)

    over_leads = evaluate(Scored.of(lead, y, p, threshold=0.4), seed=1, replicates=300).metrics
    two_ways = evaluate(Scored.of(lead, y, p, threshold=0.4, day=day), seed=1, replicates=300).metrics

    for name in ("precision", "calibration_in_the_large"):
        narrow, wide = over_leads[name], two_ways[name]
        assert narrow is not None
        assert wide is not None
        assert wide.value == narrow.value
        assert wide.error > 1.2 * narrow.error
        assert wide.upper - wide.lower > 1.2 * (narrow.upper - narrow.lower)

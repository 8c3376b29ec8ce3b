from __future__ import annotations

import math

import numpy as np
import pytest
import shap
from hypothesis import given, settings
from hypothesis import strategies as st

from leadlight.model.margins import sigmoid
from leadlight.model.trees import TreePart
from tests.leadlight.model.fit_builders import fitted, in_columns, made_rows
from training.fit import default_trees

number = st.none() | st.floats(allow_nan=True, allow_infinity=True, width=64)
category = st.none() | st.sampled_from(["ads", "referral", "city 1", "never seen"]) | st.text(max_size=3)
row = st.fixed_dictionaries(
    {
        "visits": number,
        "minutes": number,
        "channel": category,
        "city": category,
        "empty": number,
        "always": number,
        "nothing": category,
    }
)


@settings(max_examples=50, deadline=None)
@given(st.lists(row, min_size=1, max_size=5))
def test_base_and_contributions_are_the_score(rows: list[dict[str, object]]) -> None:
    """Whatever the values, base + contributions = raw to 1e-9, and the interval holds p."""
    scores = fitted().model.score(in_columns(rows))

    assert np.abs(scores.base + scores.contributions.sum(axis=1) - scores.raw).max() <= 1e-9
    assert scores.probability.tobytes() == sigmoid(scores.raw).tobytes()
    assert np.all((scores.low <= scores.probability) & (scores.probability <= scores.high))


@settings(max_examples=50, deadline=None)
@given(st.lists(row, min_size=2, max_size=8))
def test_one_row_is_scored_to_the_same_bits_as_many(rows: list[dict[str, object]]) -> None:
    """Neither the rows beside it nor the number of threads change a row's score."""
    model = fitted().model

    together = model.score(in_columns(rows), threads=2)
    alone = [model.score(in_columns([one])) for one in rows]

    assert together.raw.tobytes() == b"".join(score.raw.tobytes() for score in alone)
    assert together.contributions.tobytes() == b"".join(score.contributions.tobytes() for score in alone)
    assert together.low.tobytes() == b"".join(score.low.tobytes() for score in alone)
    assert model.margin(in_columns(rows)).tobytes() == together.raw.tobytes()


def test_bulk_rows_are_scored_to_the_same_bits_as_single_ones() -> None:
    """So it is for hundreds of rows of a frame."""
    model, frame = fitted().model, made_rows().X.iloc[:400]

    together = model.score(frame)

    for place, one in enumerate(frame.to_dict("records")):
        alone = model.score(in_columns([{str(name): value for name, value in one.items()}]))
        assert alone.raw.tobytes() == together.raw[place : place + 1].tobytes()
        assert alone.contributions.tobytes() == together.contributions[place : place + 1].tobytes()


@pytest.mark.filterwarnings("ignore:LightGBM binary classifier:UserWarning")  # shap tells of its change of 2023
def test_tree_contributions_are_those_of_shap() -> None:
    """The tree part's contributions and base equal the mean of shap's TreeExplainer over the boosters."""
    model, frame = fitted().model, made_rows().X.iloc[:200]
    matrix = model.encoder.for_trees(model.encoder.encode(frame))
    explainers = [shap.TreeExplainer(booster) for booster in model.trees.boosters]

    ours = model.trees.contributions(matrix, threads=1)

    theirs = np.mean([explainer.shap_values(matrix) for explainer in explainers], axis=0)
    assert len(explainers) == 3
    assert np.abs(ours - theirs).max() < 1e-9
    assert model.trees.base == pytest.approx(np.mean([explainer.expected_value for explainer in explainers]), abs=1e-9)


def test_tree_contributions_are_those_of_shaps_own_algorithm() -> None:
    """Over numbers, shap's own tree walk (its interaction values, summed) finds the same without LightGBM's help."""
    rows = made_rows()
    matrix = rows.X[["visits", "minutes"]].fillna(0.0).to_numpy()
    booster = default_trees(matrix, rows.y, categories=[], seed=7)

    ours = TreePart.of((booster.model_to_string(),), columns=2).contributions(matrix[:200], threads=1)

    theirs = shap.TreeExplainer(booster).shap_interaction_values(matrix[:200]).sum(axis=2)
    assert np.abs(ours - theirs).max() < 1e-6
    assert np.abs(ours).max() > 0.1


def test_linear_contributions_are_centred_on_the_training_rows() -> None:
    """Over the rows it was fitted on, the linear part's contributions average to nothing."""
    model = fitted().model

    contributions = model.linear.contributions(model.encoder.encode(made_rows().X))

    assert np.abs(contributions.mean(axis=0)).max() < 1e-12


def test_columns_that_never_vary_say_nothing() -> None:
    """Empty and constant columns have no part in any score, whatever a later row holds in them."""
    usual = {"visits": 2, "minutes": 10.0, "channel": "ads", "city": "city 1"}
    odd = {**usual, "empty": 5.0, "always": -3.0, "nothing": "something"}

    scores = fitted().model.score(in_columns([odd]))

    silent = [scores.columns.index(name) for name in ("empty", "always", "nothing")]
    assert np.all(scores.contributions[0, silent] == 0.0)


def test_no_rows_have_no_scores() -> None:
    """An empty table is answered by an empty one."""
    scores = fitted().model.score(made_rows().X.iloc[:0])

    assert scores.contributions.shape == (0, 7)
    assert scores.raw.shape == (0,)


@given(st.floats(min_value=-1e6, max_value=1e6))
def test_the_sigmoid_never_overflows(margin: float) -> None:
    """Every margin has a probability, and opposite margins have opposite ones."""
    one, other = sigmoid(np.array([margin, -margin]))

    assert 0.0 <= one <= 1.0
    assert math.isclose(one + other, 1.0)

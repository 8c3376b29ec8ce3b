"""Directions: where the site asks, more of a column never moves the score the other way."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from features.catalogue import load_catalogue
from leadlight.schema import DAY
from leadlight.settings import Target
from tests.leadlight.model.fit_builders import in_columns, made_rows
from tests.training.training_builders import made_place
from tests.training.training_builders import made_rows as made_rows_of_a_site
from training.fit import Fitted, Wishes, fit
from training.fit.monotone import Slopes, fit_directed
from training.points import directions_of

ASKED = {
    "outcome": ["buy"],
    "horizon": "3d",
    "observe": {"offsets": ["7d"]},
    "gate": {"precision": 0.2, "recall": 0.2},
}
number = st.none() | st.floats(-10, 200) | st.integers(0, 12).map(float)
row = st.fixed_dictionaries(
    {
        "visits": number,
        "minutes": number,
        "channel": st.sampled_from(["ads", "referral", "search", "new", None]),
        "city": st.sampled_from(["city 1", "city 40", None]),
        "empty": st.none(),
        "always": st.just(1.0),
        "nothing": st.none(),
    }
)


@cache
def fitted(*, directed: bool = True) -> Fitted:
    """Rows whose truth goes against both directions in places: many visits and few minutes lower the chance there."""
    rows = made_rows(rows=600, base=-0.5)
    visits, minutes = rows.X["visits"].to_numpy(), rows.X["minutes"].fillna(20).to_numpy()
    margin = 0.8 * np.minimum(visits, 3) - 1.2 * (visits > 4) - 1.5 + 0.8 * (np.abs(minutes - 25) > 15)
    y = (np.random.default_rng(5).random(600) < 1 / (1 + np.exp(-margin))).astype(np.int8)
    wishes = Wishes(directions={"visits": 1, "minutes": -1} if directed else {})
    return fit(rows.X, y, rows.as_of, horizon=DAY, groups=rows.groups, seed=7, workers=2, wishes=wishes)


@settings(max_examples=60)
@given(row, st.floats(-10, 200), st.floats(0, 60))
def test_more_of_a_column_never_moves_the_score_the_other_way(lead: dict[str, Any], value: float, more: float) -> None:
    """Whatever else is known of the lead, more visits never lower the whole score, and more minutes never raise it."""
    model = fitted().model

    for column, sign in (("visits", 1), ("minutes", -1)):
        less, greater = model.score(in_columns([{**lead, column: value}, {**lead, column: value + more}])).raw
        assert sign * (greater - less) >= -1e-9


def test_without_the_wish_the_same_rows_make_a_model_that_does() -> None:
    """The directions are what holds it: free, the score falls with visits somewhere; and both parts take part."""
    free, held = fitted(directed=False), fitted()
    usual = {"minutes": 20.0, "channel": "ads", "city": "city 1", "empty": None, "always": 1.0, "nothing": None}
    steps = in_columns([{**usual, "visits": float(visits)} for visits in range(9)])

    assert np.diff(free.model.score(steps).raw).min() < -0.01
    assert np.diff(held.model.score(steps).raw).min() >= -1e-9
    assert held.model.score(steps).raw[4] > held.model.score(steps).raw[0] + 0.1
    assert held.model.rung == "blend"


def test_where_no_direction_binds_the_regression_is_scikit_learns() -> None:
    """The same coefficients to four digits as without directions, sums of slopes above zero or not named at all."""
    random = np.random.default_rng(1)
    columns = random.normal(size=(500, 4))
    columns[:, 2] = np.maximum(columns[:, 1] - 0.3, 0)
    y = (random.random(500) < 1 / (1 + np.exp(-(columns @ [0.5, 1.0, 0.5, -0.7])))).astype(np.int8)
    weights = random.choice([1.0, 2.0], 500)
    theirs = LogisticRegression(C=0.3, solver="newton-cholesky", tol=1e-10).fit(columns, y, sample_weight=weights)

    (ours, intercept), *_ = fit_directed(columns, y, weights, [0.3], [Slopes((1, 2), 1)])

    assert ours == pytest.approx(theirs.coef_[0], abs=1e-4)
    assert intercept == pytest.approx(theirs.intercept_[0], abs=1e-4)


def test_a_direction_that_binds_leaves_no_slope_against_it() -> None:
    """Where the truth falls, a slope that may only rise ends at zero between the knots."""
    random = np.random.default_rng(2)
    columns = random.normal(size=(400, 2))
    columns[:, 1] = np.maximum(columns[:, 0], 0)
    y = (random.random(400) < 1 / (1 + np.exp(-(columns[:, 0] - 3 * columns[:, 1])))).astype(np.int8)

    ((slope, hinge), _), *_ = fit_directed(columns, y, np.ones(400), [1.0], [Slopes((0, 1), 1)])

    assert slope > 0.1
    assert slope + hinge == pytest.approx(0.0, abs=1e-6)


def test_the_site_asks_and_the_catalogue_says_which_way(tmp_path: Path) -> None:
    """A direction counts where ``[targets.sale.fit] monotone = true`` asks for it, and not otherwise."""
    place = made_place(tmp_path, made_rows_of_a_site(50))
    catalogue = tmp_path / "catalogue.toml"
    catalogue.write_text(catalogue.read_text().replace('name = "visits"', 'name = "visits"\ndirection = "down"'))
    asked = [place.site.targets["sale"], Target.model_validate({**ASKED, "fit": {"monotone": True}})]

    found = [directions_of(target, load_catalogue(place.site).columns) for target in asked]

    assert found == [{}, {"visits": -1}]
